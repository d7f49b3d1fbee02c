//! What verification can show only with something that was kept elsewhere, and what it cannot show at all.

use super::*;

/// The same log up to `from`, then other events, with checkpoints of the same sizes signed by that key.
fn rewritten(log: &Log, from: usize, seed: u8) -> Log {
    let mut other = log.clone();
    for row in &mut other.rows[from..] {
        let mut event = Event::decode(&row.text).unwrap();
        event.actor = Actor::operator("eve");
        *row = recorded(&event);
    }
    let signer = key(seed);
    other.key = signer.public_key().clone();
    for (size, note) in &mut other.notes {
        *note = sign(&other.rows[..*size], &signer);
    }
    other
}

#[test]
fn a_log_that_was_signed_anew_is_found_by_the_known_key_alone() {
    let log = Log::of(12, &[5, 9], &mut Chance::new(7));
    let forged = rewritten(&log, 2, 2);
    assert!(kinds(&verify(forged.export(), log.pinned())).contains(&FindingKind::OtherKey));
    let verdict = verify(forged.export(), Expected::default());
    assert!(verdict.is_clean());
    assert_eq!(verdict.key_source, KeySource::Beside);
    assert!(verdict.caveats()[0].contains("was taken from what was verified"), "{:?}", verdict.caveats());
}

#[test]
fn an_older_state_of_the_log_is_found_by_a_newer_checkpoint_alone() {
    let log = Log::of(12, &[5, 9], &mut Chance::new(7));
    let mut old = log.clone();
    old.rows.truncate(9);
    old.notes.truncate(2);
    let verdict = verify(old.export(), log.kept(12));
    assert_eq!(kinds(&verdict), [FindingKind::RolledBack]);
    let verdict = verify(old.export(), log.pinned());
    assert!(verdict.is_clean());
    assert!(verdict.caveats()[0].contains("rolled back to an older signed state"), "{:?}", verdict.caveats());
}

#[test]
fn the_owner_of_the_key_is_held_to_what_was_kept_elsewhere() {
    let log = Log::of(12, &[5, 9], &mut Chance::new(7));
    let verdict = verify(rewritten(&log, 2, 1).export(), log.kept(9));
    assert!(kinds(&verdict).contains(&FindingKind::RootDiffers));
    assert!(kinds(&verdict).contains(&FindingKind::Inconsistent));
    let verdict = verify(rewritten(&log, 10, 1).export(), log.kept(9));
    assert!(verdict.is_clean());
    assert_eq!((verdict.confirmed_elsewhere, verdict.confirmed), (9, 12));
    let caveats = verdict.caveats();
    assert!(caveats[0].starts_with("events 9 to 11 are newer than the checkpoint"), "{caveats:?}");
}

#[test]
fn a_log_that_only_grew_passes_against_every_checkpoint_of_it() {
    let log = Log::of(12, &[5, 9], &mut Chance::new(7));
    for size in [5, 9, 12] {
        let verdict = verify(log.export(), log.kept(size));
        assert!(verdict.is_clean(), "{size}: {}", told(&verdict));
        assert_eq!(verdict.confirmed_elsewhere, size as u64);
    }
    assert!(verify(log.export(), log.kept(12)).caveats().is_empty());
}

#[test]
fn a_kept_checkpoint_that_is_forged_is_a_finding_and_no_proof() {
    let log = Log::of(12, &[5, 9], &mut Chance::new(7));
    let forged = Expected { checkpoints: vec![sign(&log.rows, &key(2))], ..log.pinned() };
    let verdict = verify(log.export(), forged);
    assert_eq!(kinds(&verdict), [FindingKind::OtherKey]);
    assert_eq!(verdict.confirmed_elsewhere, 0);
}

#[test]
fn without_a_key_nothing_is_confirmed() {
    let log = Log::of(3, &[], &mut Chance::new(7));
    let verdict = verify(&log.export()[1..], Expected::default());
    assert_eq!(kinds(&verdict), [FindingKind::NoKey, FindingKind::Unreadable]);
    assert_eq!(verdict.confirmed, 0);
    assert_eq!(kinds(&verify([b""; 0], Expected::default())), [FindingKind::NoKey, FindingKind::NotEnded]);
}
