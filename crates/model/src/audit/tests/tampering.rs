//! Ten thousand tamperings with exports, all found; and blind verifiers, which miss some.
//!
//! The seed is printed; `METSUKE_TAMPER_SEED` and `METSUKE_TAMPERINGS` repeat a run or make it longer.
//!
//! Invariant: a forger here has everything but the signing key.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::*;
use crate::{Clock as _, SystemClock};

/// What a forger does. The careful ones make numbers and leaf hashes fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

use Tampering::{
    AnyByte, Append, CarefulDelete, CarefulDuplicate, CarefulEdit, CarefulInsert, CarefulReorder,
    CheckpointByte, CutEvents, CutLines, Delete, DropHeader, Duplicate, Edit, ForgeCheckpoints, Insert,
    LeafHash, MoveCheckpoint, Reorder, RollBack, SignAnew,
};

const ALL: [Tampering; 21] = [
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
];

/// The export after it was tampered with.
fn tampered(how: Tampering, log: &Log, chance: &mut Chance) -> Vec<Vec<u8>> {
    let mut log = log.clone();
    let place = chance.below(log.rows.len());
    let other = (place + 1 + chance.below(log.rows.len() - 1)) % log.rows.len();
    match how {
        AnyByte | CheckpointByte | CutLines | DropHeader | MoveCheckpoint | Append => {
            return tampered_lines(how, &log, chance);
        }
        LeafHash => log.rows[place].leaf = leaf_hash(&chance.next().to_be_bytes()),
        Edit => {
            let row = &mut log.rows[place];
            row.text = row.text.replacen("team-", ["team+", "tram-", "team-1"][chance.below(3)], 1);
        }
        CarefulEdit => edit(&mut log.rows[place]),
        Delete | CarefulDelete => drop(log.rows.remove(place)),
        Reorder | CarefulReorder => log.rows.swap(place, other),
        Duplicate | CarefulDuplicate => log.rows.insert(other, log.rows[place].clone()),
        Insert | CarefulInsert => {
            let mut row = log.rows[place].clone();
            edit(&mut row);
            log.rows.insert(other, row);
        }
        CutEvents => log.rows.truncate(place),
        RollBack => {
            log.notes.truncate(1 + chance.below(log.notes.len() - 1));
            log.rows.truncate(log.notes.last().unwrap().0);
        }
        ForgeCheckpoints | SignAnew => {
            edit(&mut log.rows[place]);
            let forger = key(2);
            log.notes.iter_mut().for_each(|(size, note)| *note = sign(&log.rows[..*size], &forger));
            if how == SignAnew {
                log.key = forger.public_key().clone();
            }
        }
    }
    if matches!(how, CarefulDelete | CarefulReorder | CarefulDuplicate | CarefulInsert) {
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
        AnyByte | CheckpointByte => {
            let choice: Vec<usize> =
                (0..lines.len()).filter(|at| how == AnyByte || checkpoint(&lines[*at])).collect();
            let line = &mut lines[choice[chance.below(choice.len())]];
            // The time in the header is the one thing that nothing protects.
            let end = line.windows(9).position(|part| part == b"\"created\"").unwrap_or(line.len());
            let byte = &mut line[chance.below(end)];
            *byte = byte.wrapping_add(1 + u8::try_from(chance.below(255)).unwrap());
        }
        CutLines => lines.truncate(chance.below(lines.len())),
        DropHeader => drop(lines.remove(0)),
        MoveCheckpoint => {
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
    let mut chance = Chance(seed);
    let mut missed = BTreeMap::new();
    let mut log = Log::of(2, &[], &mut chance);
    let mut untouched = log.export();
    for round in 0..times {
        if round % ALL.len() == 0 {
            let events = 3 + chance.below(10);
            let mut sizes: Vec<usize> = (0..=chance.below(2)).map(|_| 1 + chance.below(events - 1)).collect();
            sizes.sort_unstable();
            sizes.dedup();
            log = Log::of(events, &sizes, &mut chance);
            untouched = log.export();
            let verdict = verify(&untouched, log.kept(events));
            assert!(verdict.is_clean(), "seed {seed}, round {round}: {}", told(&verdict));
        }
        let how = ALL[round % ALL.len()];
        let lines = tampered(how, &log, &mut chance);
        assert_ne!(lines, untouched, "seed {seed}, round {round}: {how:?} changed nothing");
        // A checkpoint that was kept elsewhere is given only where nothing else can help.
        let kept = if eyes.kept && how == RollBack { log.kept(log.rows.len()) } else { log.pinned() };
        let expected = Expected { public_key: kept.public_key.filter(|_| eyes.pinned), ..kept };
        let verdict = verify(lines, expected);
        if !verdict.findings.iter().any(|finding| (eyes.sees)(finding.kind)) {
            *missed.entry(how).or_default() += 1;
        }
    }
    missed
}

fn setting<T: FromStr>(name: &str, default: T) -> T {
    let given = std::env::var_os(name).and_then(|text| text.to_str()?.parse().ok());
    given.unwrap_or(default)
}

fn seed() -> u64 {
    let seed = setting("METSUKE_TAMPER_SEED", SystemClock.now().0.unsigned_abs());
    println!("METSUKE_TAMPER_SEED={seed}");
    seed
}

#[test]
fn ten_thousand_tamperings_are_all_found() {
    let times = setting("METSUKE_TAMPERINGS", 10_000);
    let seed = seed();
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
    let missed = missed(1_050, seed(), Eyes { sees, ..WHOLE });
    for how in
        [CarefulEdit, CarefulDelete, CarefulReorder, CarefulDuplicate, CarefulInsert, CutEvents, RollBack]
    {
        assert!(missed.contains_key(&how), "{how:?} was noticed without checkpoints: {missed:?}");
    }
}

#[test]
fn a_verifier_without_leaf_hashes_misses_a_changed_leaf_hash() {
    let missed = missed(1_050, seed(), Eyes { sees: |kind| kind != FindingKind::Edited, ..WHOLE });
    assert!(missed.contains_key(&LeafHash), "{missed:?}");
}

#[test]
fn a_verifier_without_the_known_key_misses_a_log_that_was_signed_anew() {
    let missed = missed(1_050, seed(), Eyes { pinned: false, ..WHOLE });
    assert_eq!(missed.keys().collect::<Vec<_>>(), [&SignAnew]);
}

#[test]
fn a_verifier_without_a_kept_checkpoint_misses_an_older_state() {
    let missed = missed(1_050, seed(), Eyes { kept: false, ..WHOLE });
    assert_eq!(missed.keys().collect::<Vec<_>>(), [&RollBack]);
}
