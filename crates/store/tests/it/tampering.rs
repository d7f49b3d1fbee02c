//! A thousand tamperings with the tables of the audit trail, all found with the checkpoint and key kept elsewhere.
//!
//! `METSUKE_TAMPERINGS` sets another number, `METSUKE_TAMPER_SEED` repeats a run; both are told when one is missed.
//!
//! Invariant: a forger here can write to every table, knows how hashes and frontier are made, and lacks the key.

use std::collections::BTreeSet;

use metsuke_model::audit::{AuditRow, Checkpoint, Digest, Frontier, SigningKey, leaf_hash};
use metsuke_store::{Store, StoreError};
use metsuke_testkit::{Chance, choices, setting};

use crate::audit::{checkpoint, key, verdict};
use crate::database::Database;
use crate::hand::Put::{Bytes, Int, Text};
use crate::hand::{Deed, Hand};

/// How many events there are; a checkpoint covers the first third, the second, and all of them.
const EVENTS: usize = 48;

choices! {
    /// What a forger does; the careful ones make numbers, hashes and frontier fit.
    enum Tampering {
        Edit,
        EditWithHash,
        Leaf,
        ShortLeaf,
        Garbage,
        Delete,
        DeleteAndCloseUp,
        Truncate,
        Swap,
        Copy,
        InsertBefore,
        Negative,
        Frontier,
        FrontierOfBefore,
        NoFrontier,
        Note,
        NoteElsewhere,
        OtherKey,
        NoKey,
        OtherName,
        CarefulEdit,
        CarefulDelete,
        CarefulInsert,
        CarefulReorder,
        CarefulTruncate,
        RollBack,
        RewriteAll,
        SignAnew,
    }
}

use Tampering as T;

/// A log that is tampered with, as it was recorded.
struct Log {
    deeds: Vec<Deed>,
    rows: Vec<AuditRow>,
    forger: SigningKey,
}

/// Tampers with the tables through statements of its own.
async fn tamper(how: Tampering, log: &Log, hand: &mut Hand, chance: &mut Chance) {
    let place = chance.below(EVENTS);
    let other = (place + 1 + chance.below(EVENTS - 1)) % EVENTS;
    let (here, there) = (i64::try_from(place).unwrap(), i64::try_from(other).unwrap());
    let edited = log.rows[place].text.replacen("ann", "eve", 1);
    let careful = matches!(
        how,
        T::CarefulEdit | T::CarefulDelete | T::CarefulInsert | T::CarefulReorder | T::CarefulTruncate
    );
    let sql = match how {
        T::Edit => "UPDATE audit_event SET text = replace(text, 'ann', 'eve') WHERE sequence = $1",
        T::ShortLeaf => "UPDATE audit_event SET leaf = substr(leaf, 1, 31) WHERE sequence = $1",
        T::Garbage => "UPDATE audit_event SET text = 'nonsense' WHERE sequence = $1",
        T::Delete => "DELETE FROM audit_event WHERE sequence = $1",
        T::Truncate => "DELETE FROM audit_event WHERE sequence >= $1",
        T::Copy => {
            "INSERT INTO audit_event (sequence, text, leaf)
             SELECT 48, text, leaf FROM audit_event WHERE sequence = $1"
        }
        T::Negative => {
            "INSERT INTO audit_event (sequence, text, leaf)
             SELECT -1, text, leaf FROM audit_event WHERE sequence = $1"
        }
        T::NoteElsewhere => "UPDATE audit_checkpoint SET size = size - 1 - $1 WHERE number = 3",
        _ => "",
    };
    if !sql.is_empty() {
        assert!(hand.run(sql, &[Int(here)]).await > 0, "{how:?}");
        return;
    }
    match how {
        T::EditWithHash => {
            let sql = "UPDATE audit_event SET text = $1, leaf = $2 WHERE sequence = $3";
            let leaf = leaf_hash(edited.as_bytes());
            hand.run(sql, &[Text(&edited), Bytes(&leaf.0), Int(here)]).await;
        }
        T::Leaf => {
            let Digest(leaf) = leaf_hash(&chance.number().to_be_bytes());
            hand.run("UPDATE audit_event SET leaf = $1 WHERE sequence = $2", &[Bytes(&leaf), Int(here)])
                .await;
        }
        T::DeleteAndCloseUp => {
            hand.run("DELETE FROM audit_event WHERE sequence = $1", &[Int(here)]).await;
            hand.run("UPDATE audit_event SET sequence = -sequence WHERE sequence > $1", &[Int(here)]).await;
            hand.run("UPDATE audit_event SET sequence = -sequence - 1 WHERE sequence < 0", &[]).await;
        }
        T::InsertBefore => {
            hand.run("UPDATE audit_event SET sequence = -sequence - 1 WHERE sequence >= $1", &[Int(here)])
                .await;
            hand.run("UPDATE audit_event SET sequence = -sequence WHERE sequence < 0", &[]).await;
            let sql = "INSERT INTO audit_event (sequence, text, leaf) VALUES ($1, $2, $3)";
            let leaf = leaf_hash(edited.as_bytes());
            hand.run(sql, &[Int(here), Text(&edited), Bytes(&leaf.0)]).await;
        }
        T::Swap => {
            for (from, to) in [(here, -1), (there, here), (-1, there)] {
                let sql = "UPDATE audit_event SET sequence = $1 WHERE sequence = $2";
                hand.run(sql, &[Int(to), Int(from)]).await;
            }
        }
        T::Frontier => {
            hand.run("UPDATE audit_frontier SET frontier = $1", &[Bytes(&chance.number().to_be_bytes())])
                .await;
        }
        T::FrontierOfBefore => {
            let mut frontier = Frontier::default();
            log.rows[..place].iter().for_each(|row| frontier.append(row.leaf));
            hand.run("UPDATE audit_frontier SET frontier = $1", &[Bytes(&frontier.to_bytes())]).await;
        }
        T::NoFrontier => drop(hand.run("DELETE FROM audit_frontier", &[]).await),
        T::Note => {
            let number = Int(1 + i64::try_from(chance.below(3)).unwrap());
            let sql = "UPDATE audit_checkpoint SET note = replace(note, 'A', 'B') || 'x' WHERE number = $1";
            hand.run(sql, &[number]).await;
        }
        T::OtherKey => {
            let theirs = log.forger.public_key().to_string();
            hand.run("UPDATE audit_frontier SET public_key = $1", &[Text(&theirs)]).await;
        }
        T::NoKey => drop(hand.run("UPDATE audit_frontier SET public_key = NULL", &[]).await),
        T::OtherName => drop(hand.run("UPDATE audit_frontier SET origin = 'metsuke/0'", &[]).await),
        _ => {
            let mut deeds = log.deeds.clone();
            match how {
                T::CarefulDelete => drop(deeds.remove(place)),
                T::CarefulInsert => deeds.insert(place, Deed { actor: "eve", plan: 999 }),
                T::CarefulReorder => deeds.swap(place, other),
                T::CarefulTruncate => deeds.truncate(place),
                T::RollBack => deeds.truncate(16 * chance.below(3)),
                T::RewriteAll => deeds.iter_mut().for_each(|deed| deed.actor = "eve"),
                _ => deeds[place].actor = "eve",
            }
            let rows = hand.rewrite(&deeds).await;
            forge_checkpoints(how, careful && chance.percent(50), &rows, log, hand).await;
        }
    }
}

/// Signs with another key, or takes the checkpoints away that contradict the new history, or leaves them.
async fn forge_checkpoints(how: Tampering, all: bool, rows: &[AuditRow], log: &Log, hand: &mut Hand) {
    if how == T::SignAnew {
        for (number, size) in [(1, 16), (2, 32), (3, 48)] {
            let mut frontier = Frontier::default();
            rows[..size].iter().for_each(|row| frontier.append(row.leaf));
            let note = Checkpoint { size: frontier.size(), root: frontier.root() }.sign(&log.forger).unwrap();
            hand.run("UPDATE audit_checkpoint SET note = $1 WHERE number = $2", &[Text(&note), Int(number)])
                .await;
        }
        let theirs = log.forger.public_key().to_string();
        hand.run("UPDATE audit_frontier SET public_key = $1", &[Text(&theirs)]).await;
    } else if how == T::RollBack || all {
        let same = rows.iter().zip(&log.rows).take_while(|(new, old)| new == old).count();
        let same = Int(i64::try_from(same).unwrap());
        hand.run("DELETE FROM audit_checkpoint WHERE size > $1", &[same]).await;
    }
}

/// A log with three checkpoints; the last note was kept elsewhere.
async fn recorded(store: &Store) -> (Log, SigningKey, String) {
    let ours = key(store, 1).await;
    let deeds: Vec<Deed> = (0..EVENTS).map(|plan| Deed { actor: "ann", plan }).collect();
    let mut kept = String::new();
    for (deed, count) in deeds.iter().zip(1..) {
        store.record(deed.event()).await.unwrap();
        if count % 16 == 0 {
            kept = checkpoint(store, &ours).await;
        }
    }
    let mut rows = Vec::new();
    let mut log = store.audit_log().await.unwrap();
    let read = log.each_row::<StoreError>(|row| {
        rows.push(row);
        Ok(())
    });
    read.await.unwrap();
    (Log { deeds, rows, forger: key(store, 2).await }, ours, kept)
}

async fn every_tampering_under_a_kept_checkpoint_is_found(database: Database) {
    let store = database.open().await;
    let (log, ours, kept) = recorded(&store).await;
    let kept = [kept];
    let mut hand = Hand::new(&database).await;
    hand.save().await;
    let (seed, count) = (setting("METSUKE_TAMPER_SEED", 7_u64), setting("METSUKE_TAMPERINGS", 1_000_u64));
    let mut chance = Chance::new(seed);
    let (mut found, mut missed) = (0, BTreeSet::new());
    for number in 0..count {
        let how = T::ALL[usize::try_from(number).unwrap() % T::ALL.len()];
        tamper(how, &log, &mut hand, &mut chance).await;
        let told = verdict(&store, &ours, &kept).await;
        assert!(!told.is_clean(), "tampering {number} of seed {seed} was missed: {how:?}");
        found += 1;
        if verdict(&store, &ours, &[]).await.is_clean() {
            missed.insert(how);
        }
        hand.restore().await;
        if number % 50 == 0 {
            let told = verdict(&store, &ours, &kept).await;
            assert!(told.is_clean() && told.confirmed_elsewhere == 48, "{:?}", told.findings);
        }
    }
    assert_eq!(found, count);
    // The forgers are worth the name: without the kept checkpoint these go unseen, some of the time.
    let careful = [T::CarefulEdit, T::CarefulDelete, T::CarefulInsert, T::CarefulReorder];
    let wanted = careful.into_iter().chain([T::CarefulTruncate, T::RollBack]);
    assert_eq!(missed, wanted.collect(), "seed {seed}");
}

async fn what_is_newer_than_the_last_checkpoint_can_be_replaced_and_is_said_to_be(database: Database) {
    let store = database.open().await;
    let (log, ours, kept) = recorded(&store).await;
    let mut deeds = log.deeds.clone();
    deeds.push(Deed { actor: "ann", plan: 48 });
    store.record(deeds[48].event()).await.unwrap();
    deeds[48].actor = "eve";
    let mut hand = Hand::new(&database).await;
    hand.rewrite(&deeds).await;
    let told = verdict(&store, &ours, &[kept]).await;
    assert!(told.is_clean(), "{:?}", told.findings);
    assert_eq!((told.events, told.confirmed_elsewhere), (49, 48));
    assert!(told.caveats().iter().any(|caveat| caveat.contains("event 48 is newer")), "{:?}", told.caveats());
}

on_both_engines!(
    every_tampering_under_a_kept_checkpoint_is_found,
    what_is_newer_than_the_last_checkpoint_can_be_replaced_and_is_said_to_be,
);
