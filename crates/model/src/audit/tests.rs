//! A made-up log, and what the verdict says when one thing in it is wrong.

mod database;
mod limits;
mod tampering;

use metsuke_testkit::Chance;

use super::*;
use crate::Moment;

pub(super) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(Origin::parse("metsuke.example.com/audit").unwrap(), &[seed; 32]).unwrap()
}

pub(super) fn sign(rows: &[AuditRow], key: &SigningKey) -> String {
    let leaves: Vec<Digest> = rows.iter().map(|row| row.leaf).collect();
    Checkpoint { size: rows.len() as u64, root: merkle::root(&leaves) }.sign(key).unwrap()
}

/// A log, and the checkpoints that were signed on the way, by size; the last is over all events.
#[derive(Clone)]
pub(super) struct Log {
    pub(super) key: PublicKey,
    pub(super) rows: Vec<AuditRow>,
    pub(super) notes: Vec<(usize, String)>,
}

impl Log {
    /// A log of so many events with checkpoints at these sizes and at the end.
    pub(super) fn of(events: usize, sizes: &[usize], chance: &mut Chance) -> Self {
        let mut frontier = Frontier::default();
        let rows: Vec<AuditRow> =
            (0..events).map(|at| event(at, chance).append(&mut frontier).unwrap()).collect();
        let signer = key(1);
        let sizes = sizes.iter().copied().chain([events]);
        let notes = sizes.map(|size| (size, sign(&rows[..size], &signer))).collect();
        Self { key: signer.public_key().clone(), rows, notes }
    }

    /// The export: each checkpoint after the events it covers, as far as there are so many.
    pub(super) fn export(&self) -> Vec<Vec<u8>> {
        let mut lines = vec![export::header_line(&self.key, Moment(0))];
        let (last, on_the_way) = self.notes.split_last().unwrap();
        for count in 0..=self.rows.len() {
            let here = on_the_way
                .iter()
                .filter(|(size, _)| *size == count || (count == self.rows.len() && *size > count));
            lines.extend(here.map(|(_, note)| export::checkpoint_line(note)));
            lines.extend(self.rows.get(count).map(export::event_line));
        }
        lines.push(export::last_checkpoint_line(&last.1));
        lines.into_iter().map(String::into_bytes).collect()
    }

    /// The key and nothing else.
    pub(super) fn pinned(&self) -> Expected {
        Expected { public_key: Some(self.key.clone()), checkpoints: Vec::new() }
    }

    /// The key and the note of that size.
    pub(super) fn kept(&self, size: usize) -> Expected {
        let notes = self.notes.iter().filter(|(of, _)| *of == size).map(|(_, note)| note.clone());
        Expected { checkpoints: notes.collect(), ..self.pinned() }
    }

    /// Gives the rows the numbers and leaf hashes that fit their places, as a careful forger does.
    pub(super) fn smooth(&mut self) {
        for (place, row) in self.rows.iter_mut().enumerate() {
            let mut event = Event::decode(&row.text).unwrap();
            event.sequence = place as u64;
            *row = recorded(&event);
        }
    }
}

/// An event as a row whose leaf hash fits.
pub(super) fn recorded(event: &Event) -> AuditRow {
    let text = event.encode().unwrap();
    AuditRow { sequence: event.sequence, leaf: leaf_hash(text.as_bytes()), text }
}

/// No two of these are the same.
pub(super) fn event(at: usize, chance: &mut Chance) -> NewEvent {
    let code = EventCode::ALL[chance.below(EventCode::ALL.len())];
    let actor = if chance.below(2) == 0 { Actor::connector() } else { Actor::operator("ann") };
    let moment = Moment(1_795_000_000_000_000 + i64::try_from(at).unwrap() * 1_000_001);
    NewEvent::new(moment, code, actor)
        .about("team", format!("team-{}", chance.below(5)))
        .detail("nonce", chance.number().to_string())
        .detail("at", at)
}

fn kinds(verdict: &Verdict) -> Vec<FindingKind> {
    verdict.findings.iter().map(|finding| finding.kind).collect()
}

/// A log of twelve events with checkpoints after five, nine and all, and one change to it.
fn changed(change: impl FnOnce(&mut Log)) -> Verdict {
    let mut log = Log::of(12, &[5, 9], &mut Chance::new(7));
    let expected = log.pinned();
    change(&mut log);
    verify(log.export(), expected)
}

fn told(verdict: &Verdict) -> String {
    verdict.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn untouched_logs_of_every_small_size_pass() {
    let mut chance = Chance::new(3);
    for events in 0..40 {
        let sizes: Vec<usize> = (0..=events).filter(|_| chance.below(4) == 0).collect();
        let log = Log::of(events, &sizes, &mut chance);
        let all = Expected {
            checkpoints: log.notes.iter().map(|(_, note)| note.clone()).collect(),
            ..log.pinned()
        };
        for expected in [Expected::default(), log.pinned(), all] {
            let verdict = verify(log.export(), expected);
            assert!(verdict.is_clean(), "{events} events: {}", told(&verdict));
            assert_eq!((verdict.events, verdict.confirmed), (events as u64, events as u64));
        }
    }
}

#[test]
fn lines_may_keep_their_line_ends() {
    let log = Log::of(3, &[], &mut Chance::new(7));
    let lines = log.export().into_iter().map(|line| [line, b"\n".to_vec()].concat());
    assert!(verify(lines, log.pinned()).is_clean());
}

#[test]
fn an_edited_event_is_named_and_the_checkpoints_tell_from_where_on() {
    let verdict = changed(|log| {
        let row = &mut log.rows[6];
        row.text = row.text.replacen("nonce", "nance", 1);
    });
    assert_eq!(kinds(&verdict), [FindingKind::Edited, FindingKind::RootDiffers, FindingKind::RootDiffers]);
    let told = told(&verdict);
    assert!(told.starts_with("event 6 is not as it was recorded"), "{told}");
    assert!(told.contains("\nevents 5 to 8 are not what was signed"), "{told}");
    assert_eq!(verdict.confirmed, 5);
}

#[test]
fn an_edit_with_a_fitting_leaf_hash_is_found_by_the_next_checkpoint() {
    let verdict = changed(|log| {
        let mut event = Event::decode(&log.rows[6].text).unwrap();
        event.actor = Actor::operator("eve");
        log.rows[6] = recorded(&event);
    });
    assert_eq!(kinds(&verdict), [FindingKind::RootDiffers, FindingKind::RootDiffers]);
    assert_eq!(verdict.findings[0].sequence, Some(9));
}

#[test]
fn a_missing_event_is_named() {
    let verdict = changed(|log| drop(log.rows.remove(6)));
    assert!(kinds(&verdict).contains(&FindingKind::Missing));
    assert!(told(&verdict).contains("event 6 is missing"), "{}", told(&verdict));
}

#[test]
fn a_swap_is_named() {
    let verdict = changed(|log| log.rows.swap(6, 7));
    assert_eq!(kinds(&verdict)[0], FindingKind::Reordered);
    assert!(told(&verdict).starts_with("event 6 stands after event 7"), "{}", told(&verdict));
}

#[test]
fn a_repetition_is_named_and_all_else_is_still_confirmed() {
    let verdict = changed(|log| log.rows.push(log.rows[6].clone()));
    assert_eq!(kinds(&verdict), [FindingKind::Duplicated], "{}", told(&verdict));
    assert_eq!((verdict.findings[0].sequence, verdict.confirmed), (Some(6), 12));
}

#[test]
fn a_second_event_of_a_number_is_named() {
    let verdict = changed(|log| {
        let mut event = Event::decode(&log.rows[6].text).unwrap();
        event.actor = Actor::operator("eve");
        log.rows.insert(8, recorded(&event));
    });
    assert_eq!(verdict.findings[0].kind, FindingKind::Inserted);
    assert_eq!(verdict.findings[0].sequence, Some(6));
}

#[test]
fn a_cut_tail_is_named() {
    let verdict = changed(|log| log.rows.truncate(10));
    assert_eq!(kinds(&verdict), [FindingKind::Truncated]);
    assert!(told(&verdict).contains("ends after 10 events, and a signed checkpoint covers 12"));
    let mut log = Log::of(12, &[5, 9], &mut Chance::new(7)).export();
    log.truncate(7);
    let verdict = verify(log, Log::of(12, &[5, 9], &mut Chance::new(7)).pinned());
    assert_eq!(kinds(&verdict), [FindingKind::NotEnded]);
}

#[test]
fn a_forged_checkpoint_is_named() {
    let verdict = changed(|log| log.notes[0].1 = sign(&log.rows[..5], &key(2)));
    assert_eq!(kinds(&verdict), [FindingKind::OtherKey]);
    let verdict = changed(|log| log.notes[0].1 = log.notes[0].1.replacen("\n5\n", "\n6\n", 1));
    assert_eq!(kinds(&verdict), [FindingKind::BadSignature]);
    let verdict = changed(|log| log.notes[0].1 = "5".to_owned());
    assert_eq!(kinds(&verdict), [FindingKind::BadCheckpoint]);
}

#[test]
fn a_checkpoint_in_another_place_is_named() {
    let log = Log::of(12, &[5, 9], &mut Chance::new(7));
    let mut lines = log.export();
    lines.swap(6, 7);
    assert_eq!(kinds(&verify(lines, log.pinned())), [FindingKind::Misplaced]);
}

#[test]
fn two_histories_signed_by_one_key_are_named() {
    let other = Log::of(12, &[5, 9], &mut Chance::new(8));
    let verdict = changed(|log| log.notes[0].1.clone_from(&other.notes[0].1));
    assert_eq!(kinds(&verdict), [FindingKind::RootDiffers, FindingKind::Inconsistent]);
    let verdict = changed(|log| log.notes.insert(1, other.notes[0].clone()));
    assert!(kinds(&verdict).contains(&FindingKind::Inconsistent));
}

#[test]
fn an_unknown_code_in_the_log_does_not_matter_and_a_newer_format_neither() {
    let mut log = Log::of(2, &[], &mut Chance::new(7));
    let mut event = Event::decode(&log.rows[0].text).unwrap();
    event.code = Code::from("moon.landed");
    log.rows[0] = recorded(&event);
    let text = r#"{"sequence":1,"format":2,"novelty":[1.50, 2]}"#.to_owned();
    log.rows[1] = AuditRow { sequence: 1, leaf: leaf_hash(text.as_bytes()), text };
    log.notes = vec![(2, sign(&log.rows, &key(1)))];
    assert!(verify(log.export(), log.pinned()).is_clean());
}

#[test]
fn findings_beyond_the_limit_are_counted() {
    let mut log = Log::of(2, &[], &mut Chance::new(7)).export();
    log.splice(1..1, (0..MAX_FINDINGS + 5).map(|_| b"{}".to_vec()));
    let verdict = verify(log, Expected::default());
    assert_eq!((verdict.findings.len(), verdict.unlisted), (MAX_FINDINGS, 5));
}
