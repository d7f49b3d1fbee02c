//! Ten thousand tamperings with exports, all found; and blind verifiers, which miss some.
//!
//! The seed is printed; `METSUKE_TAMPER_SEED` and `METSUKE_TAMPERINGS` repeat a run or make it longer.
//!
//! Invariant: a forger here has everything but the signing key.

use std::collections::BTreeMap;

use metsuke_testkit::{choices, seed, setting};

use super::*;

const SEED: &str = "METSUKE_TAMPER_SEED";

choices! {
    /// What a forger does. The careful ones make numbers and leaf hashes fit.
    enum Tampering {
        AnyByte,
        CheckpointByte,
        LeafHash,
        Edit,
        CarefulEdit,
        Delete,
        CarefulDelete,
        Reorder,
        CarefulReorder,
        Duplicate,
        CarefulDuplicate,
        Insert,
        CarefulInsert,
        CutLines,
        CutEvents,
        RollBack,
        MoveCheckpoint,
        ForgeCheckpoints,
        SignAnew,
        DropHeader,
        Append,
    }
}

use Tampering as T;

/// The export after it was tampered with.
fn tampered(how: Tampering, log: &Log, chance: &mut Chance) -> Vec<Vec<u8>> {
    let mut log = log.clone();
    let place = chance.below(log.rows.len());
    let other = (place + 1 + chance.below(log.rows.len() - 1)) % log.rows.len();
    match how {
        T::AnyByte | T::CheckpointByte | T::CutLines | T::DropHeader | T::MoveCheckpoint | T::Append => {
            return tampered_lines(how, &log, chance);
        }
        T::LeafHash => log.rows[place].leaf = leaf_hash(&chance.number().to_be_bytes()),
        T::Edit => {
            let row = &mut log.rows[place];
            row.text = row.text.replacen("team-", ["team+", "tram-", "team-1"][chance.below(3)], 1);
        }
        T::CarefulEdit => edit(&mut log.rows[place]),
        T::Delete | T::CarefulDelete => drop(log.rows.remove(place)),
        T::Reorder | T::CarefulReorder => log.rows.swap(place, other),
        T::Duplicate | T::CarefulDuplicate => log.rows.insert(other, log.rows[place].clone()),
        T::Insert | T::CarefulInsert => {
            let mut row = log.rows[place].clone();
            edit(&mut row);
            log.rows.insert(other, row);
        }
        T::CutEvents => log.rows.truncate(place),
        T::RollBack => {
            log.notes.truncate(1 + chance.below(log.notes.len() - 1));
            log.rows.truncate(log.notes.last().unwrap().0);
        }
        T::ForgeCheckpoints | T::SignAnew => {
            edit(&mut log.rows[place]);
            let forger = key(2);
            log.notes.iter_mut().for_each(|(size, note)| *note = sign(&log.rows[..*size], &forger));
            if how == T::SignAnew {
                log.key = forger.public_key().clone();
            }
        }
    }
    if matches!(how, T::CarefulDelete | T::CarefulReorder | T::CarefulDuplicate | T::CarefulInsert) {
        log.smooth();
    }
    log.export()
}

/// Another actor, and a leaf hash that fits.
fn edit(row: &mut AuditRow) {
    let mut event = Event::decode(&row.text).unwrap();
    event.actor = Actor::operator("eve");
    *row = recorded(&event);
}

fn tampered_lines(how: Tampering, log: &Log, chance: &mut Chance) -> Vec<Vec<u8>> {
    let mut lines = log.export();
    let checkpoint = |line: &[u8]| line.starts_with(br#"{"checkpoint"#) || line.starts_with(br#"{"last"#);
    match how {
        T::AnyByte | T::CheckpointByte => {
            let choice: Vec<usize> =
                (0..lines.len()).filter(|at| how == T::AnyByte || checkpoint(&lines[*at])).collect();
            let line = &mut lines[choice[chance.below(choice.len())]];
            // The time in the header is the one thing that nothing protects.
            let end = line.windows(9).position(|part| part == b"\"created\"").unwrap_or(line.len());
            let byte = &mut line[chance.below(end)];
            *byte = byte.wrapping_add(1 + u8::try_from(chance.below(255)).unwrap());
        }
        T::CutLines => lines.truncate(chance.below(lines.len())),
        T::DropHeader => drop(lines.remove(0)),
        T::MoveCheckpoint => {
            let from = lines.iter().position(|line| checkpoint(line)).unwrap();
            let line = lines.remove(from);
            let to = (from + 1 + chance.below(lines.len() - 2)) % lines.len();
            lines.insert(to, line);
        }
        _ => {
            let mut row = log.rows[0].clone();
            edit(&mut row);
            let at = lines.len() - chance.below(2);
            lines.insert(at, export::event_line(&row).into_bytes());
        }
    }
    lines
}

/// What a verifier makes of findings and of what the caller kept.
#[derive(Clone, Copy)]
struct Eyes {
    sees: fn(FindingKind) -> bool,
    pinned: bool,
    kept: bool,
}

const WHOLE: Eyes = Eyes { sees: |_| true, pinned: true, kept: true };

/// Tampers so many times; how often each went unnoticed.
fn missed(times: usize, seed: u64, eyes: Eyes) -> BTreeMap<Tampering, usize> {
    let mut chance = Chance::new(seed);
    let mut missed = BTreeMap::new();
    let mut log = Log::of(2, &[], &mut chance);
    let mut untouched = log.export();
    for round in 0..times {
        if round % T::ALL.len() == 0 {
            let events = 3 + chance.below(10);
            let mut sizes: Vec<usize> = (0..=chance.below(2)).map(|_| 1 + chance.below(events - 1)).collect();
            sizes.sort_unstable();
            sizes.dedup();
            log = Log::of(events, &sizes, &mut chance);
            untouched = log.export();
            let verdict = verify(&untouched, log.kept(events));
            assert!(verdict.is_clean(), "seed {seed}, round {round}: {}", told(&verdict));
        }
        let how = T::ALL[round % T::ALL.len()];
        let lines = tampered(how, &log, &mut chance);
        assert_ne!(lines, untouched, "seed {seed}, round {round}: {how:?} changed nothing");
        // A checkpoint that was kept elsewhere is given only where nothing else can help.
        let kept = if eyes.kept && how == T::RollBack { log.kept(log.rows.len()) } else { log.pinned() };
        let expected = Expected { public_key: kept.public_key.filter(|_| eyes.pinned), ..kept };
        let verdict = verify(lines, expected);
        if !verdict.findings.iter().any(|finding| (eyes.sees)(finding.kind)) {
            *missed.entry(how).or_default() += 1;
        }
    }
    missed
}

#[test]
fn ten_thousand_tamperings_are_all_found() {
    let times = setting("METSUKE_TAMPERINGS", 10_000);
    let seed = seed(SEED);
    let missed = missed(times, seed, WHOLE);
    println!("METSUKE_TAMPERINGS={times}, missed: {missed:?}");
    assert!(missed.is_empty(), "seed {seed}: {missed:?}");
}

#[test]
fn a_verifier_without_checkpoints_misses_what_careful_forgers_do() {
    let sees = |kind: FindingKind| {
        use FindingKind::{
            BadCheckpoint, BadSignature, Inconsistent, Misplaced, OtherKey, RolledBack, RootDiffers,
            Truncated,
        };
        let of_checkpoints = [
            BadCheckpoint,
            BadSignature,
            Inconsistent,
            Misplaced,
            OtherKey,
            RolledBack,
            RootDiffers,
            Truncated,
        ];
        !of_checkpoints.contains(&kind)
    };
    let missed = missed(1_050, seed(SEED), Eyes { sees, ..WHOLE });
    for how in [
        T::CarefulEdit,
        T::CarefulDelete,
        T::CarefulReorder,
        T::CarefulDuplicate,
        T::CarefulInsert,
        T::CutEvents,
        T::RollBack,
    ] {
        assert!(missed.contains_key(&how), "{how:?} was noticed without checkpoints: {missed:?}");
    }
}

#[test]
fn a_verifier_without_leaf_hashes_misses_a_changed_leaf_hash() {
    let missed = missed(1_050, seed(SEED), Eyes { sees: |kind| kind != FindingKind::Edited, ..WHOLE });
    assert!(missed.contains_key(&T::LeafHash), "{missed:?}");
}

#[test]
fn a_verifier_without_the_known_key_misses_a_log_that_was_signed_anew() {
    let missed = missed(1_050, seed(SEED), Eyes { pinned: false, ..WHOLE });
    assert_eq!(missed.keys().collect::<Vec<_>>(), [&T::SignAnew]);
}

#[test]
fn a_verifier_without_a_kept_checkpoint_misses_an_older_state() {
    let missed = missed(1_050, seed(SEED), Eyes { kept: false, ..WHOLE });
    assert_eq!(missed.keys().collect::<Vec<_>>(), [&T::RollBack]);
}
