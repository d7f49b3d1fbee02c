//! What is remembered of one run of rules for the next: answers that no change since then touches, and which rules were
//! worked out of them.
//!
//! What an answer depends on is read off its question ([`Read`]); what changed, the store tells ([`Touched`]).
//!
//! Invariant: an evaluation with a memory says what the same one without says, rows in another order at most.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use metsuke_model::Version;
use metsuke_store::Touched;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value as Json};

use super::evaluate::{Evaluation, Limits, State};
use super::instance::Instance;
use crate::query::{Answer, Prepared, Read, Reads, Settings, Told};

/// The most rows of answers that are kept; what would be more is asked again.
const MOST_ROWS: usize = 1_000_000;
/// Of more entities than this the pieces are not asked one by one, but all.
const MOST_PIECES: usize = 20_000;
/// What was not used in so many runs is given up.
const MOST_UNUSED: u32 = 64;

/// Whether answers that depend on these may be others after such changes. Of rosters a version tells nothing.
#[must_use]
pub fn touches(reads: &Reads, touched: &Touched) -> bool {
    reads.keys().any(|read| is_touched(*read, touched))
}

fn is_touched(read: Read, touched: &Touched) -> bool {
    match read {
        Read::Presence(kind) => touched.presence(kind),
        Read::Property(kind, name) => touched.property(kind, name),
        Read::History(kind) => touched.kind(kind),
        Read::Access(resource, held) => touched.access(resource, held),
        Read::People => false,
        Read::Anything => !touched.is_empty(),
    }
}

/// The slots at which all that is touched lies, and the dense ids of the entities of which it is; `None` where
/// there is no such slot, or they are too many.
fn pieces(reads: &Reads, touched: &Touched) -> Option<(BTreeSet<usize>, BTreeSet<i64>)> {
    let mut slots: Option<BTreeSet<usize>> = None;
    let mut ids = BTreeSet::new();
    for (read, at) in reads.iter().filter(|(read, _)| is_touched(**read, touched)) {
        slots = Some(match slots {
            None => at.clone(),
            Some(slots) => slots.intersection(at).copied().collect(),
        });
        ids.extend(match *read {
            Read::Presence(kind) => touched.who_came_or_went(kind)?,
            Read::Property(kind, name) => touched.who_differs_in(kind, name)?,
            Read::History(kind) => touched.who_differs(kind)?,
            Read::Access(resource, held) => touched.who_holds(resource, held)?,
            Read::People | Read::Anything => return None,
        });
    }
    slots.filter(|slots| !slots.is_empty()).map(|slots| (slots, ids))
}

fn reads_people(reads: &Reads) -> bool {
    reads.contains_key(&Read::People) || reads.contains_key(&Read::Anything)
}

/// What is remembered of the runs so far. It belongs to one database.
#[derive(Debug, Default)]
pub struct Memory {
    of: Option<Of>,
    answers: HashMap<Key, KeptAnswer>,
    /// The keys of questions whose statement is the same at any time.
    texts: HashMap<(String, bool), Key>,
    evaluations: HashMap<String, KeptEvaluation>,
    rows: usize,
    recall: Recall,
}

/// How much of a run was asked, and how much remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recall {
    /// Questions that the database answered.
    pub asked: usize,
    /// Questions of which only some pieces were asked for.
    pub pieces: usize,
    /// Questions whose answer was known.
    pub known: usize,
    /// Rules that were worked out.
    pub evaluated: usize,
    /// Rules of which no answer changed, and which were not worked out.
    pub unchanged: usize,
}

/// What the answers are about.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Of {
    url: String,
    account_name: Option<String>,
    most_rows: usize,
    version: Version,
    people: Option<[u8; 32]>,
}

/// What tells a question with its values from every other.
pub(super) type Key = [u8; 32];

#[derive(Debug)]
struct KeptAnswer {
    told: Arc<Told>,
    reads: Reads,
    stale: Option<Stale>,
    unused: u32,
}

/// What of an answer may be another by now: the pieces of some entities, in whichever of the slots they are.
#[derive(Clone, Debug)]
pub(super) struct Stale {
    pub(super) slots: BTreeSet<usize>,
    pub(super) ids: BTreeSet<i64>,
}

/// What is known of a statement's answer.
pub(super) enum Known {
    /// Nothing.
    Nothing,
    /// All of it.
    All(Arc<Answer>),
    /// All but some pieces.
    But(Arc<Told>, Stale),
}

impl KeptAnswer {
    /// Takes note of changes; whether the answer is still worth keeping.
    fn survives(&mut self, touched: &Touched) -> bool {
        if !touches(&self.reads, touched) {
            return true;
        }
        let Some((at, mut ids)) = pieces(&self.reads, touched) else { return false };
        let mut slots: BTreeSet<usize> =
            self.told.slots.iter().copied().filter(|slot| at.contains(slot)).collect();
        if let Some(before) = self.stale.take() {
            slots.retain(|slot| before.slots.contains(slot));
            ids.extend(before.ids);
        }
        let few = !slots.is_empty() && ids.len() <= MOST_PIECES;
        self.stale = Some(Stale { slots, ids });
        few
    }
}

/// A question that an evaluation asked, and what it was told.
pub(super) type Asked = ((String, bool), Arc<Answer>);

#[derive(Debug)]
struct KeptEvaluation {
    document: Map<String, Json>,
    limits: Limits,
    asked: Vec<Asked>,
}

/// The key of a question.
pub(super) fn key(prepared: &Prepared, settings: &Settings) -> Key {
    let text = format!("{}\n{}", prepared.identity(), settings.include_deleted);
    let mut key = Key::default();
    key.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    key
}

/// Whether a question is the same statement whenever it is asked.
fn timeless(text: &str) -> bool {
    let dated = text.as_bytes().windows(4).any(|part| part.eq_ignore_ascii_case(b"date"));
    !dated && !text.contains("${")
}

impl Memory {
    /// How much of the last run was asked, and how much remembered.
    #[must_use]
    pub const fn recall(&self) -> Recall {
        self.recall
    }

    /// The version that it is about; `None` where it holds nothing yet.
    pub(super) fn version_of(&self, url: &str, settings: &Settings) -> Option<Version> {
        let of = self.of.as_ref()?;
        let same =
            of.url == url && of.account_name == settings.account_name && of.most_rows == settings.most_rows;
        same.then_some(of.version)
    }

    /// The hash of rosters that answers are about, where some are.
    pub(super) fn people(&self) -> Option<[u8; 32]> {
        let of = self.of.as_ref()?;
        of.people.filter(|_| self.answers.values().any(|kept| reads_people(&kept.reads)))
    }

    /// Says what the answers are about from now on.
    pub(super) fn begin(
        &mut self,
        url: &str,
        settings: &Settings,
        (version, people): (Version, Option<[u8; 32]>),
    ) {
        let Settings { account_name, most_rows, .. } = settings.clone();
        self.of = Some(Of { url: url.to_owned(), account_name, most_rows, version, people });
        self.recall = Recall::default();
    }

    pub(super) fn set_people(&mut self, people: [u8; 32]) {
        if let Some(of) = &mut self.of {
            of.people = Some(people);
        }
    }

    /// Forgets what such changes touch, and what was not used for long.
    pub(super) fn forget(&mut self, touched: &Touched, people: bool) {
        self.answers.retain(|_, kept| {
            kept.unused += 1;
            let gone = people && reads_people(&kept.reads);
            !gone && kept.unused <= MOST_UNUSED && kept.survives(touched)
        });
        let fresh = self.answers.values().filter(|kept| kept.stale.is_none());
        let fresh: BTreeSet<*const Answer> = fresh.map(|kept| Arc::as_ptr(&kept.told.answer)).collect();
        self.evaluations
            .retain(|_, kept| kept.asked.iter().all(|(_, answer)| fresh.contains(&Arc::as_ptr(answer))));
        self.texts.retain(|_, key| self.answers.contains_key(key));
        self.rows = self.answers.values().map(|kept| kept.told.answer.total()).sum();
    }

    /// The answer to a question that is the same at any time, where all of it is known.
    pub(super) fn known(&mut self, question: &(String, bool)) -> Option<Arc<Answer>> {
        let key = *self.texts.get(question)?;
        match self.answer(&key) {
            Known::All(answer) => Some(answer),
            Known::But(..) | Known::Nothing => None,
        }
    }

    /// What is known of the answer to a statement.
    pub(super) fn answer(&mut self, key: &Key) -> Known {
        let Some(kept) = self.answers.get_mut(key) else { return Known::Nothing };
        kept.unused = 0;
        if let Some(stale) = &kept.stale {
            return Known::But(Arc::clone(&kept.told), stale.clone());
        }
        self.recall.known += 1;
        Known::All(Arc::clone(&kept.told.answer))
    }

    /// Says that no piece of a statement's answer has become another.
    pub(super) fn still_holds(&mut self, key: &Key) {
        if let Some(kept) = self.answers.get_mut(key) {
            kept.stale = None;
        }
    }

    /// Says that a question stands for this statement.
    pub(super) fn stands_for(&mut self, question: (String, bool), key: Key) {
        if timeless(&question.0) {
            self.texts.insert(question, key);
        }
    }

    /// Keeps an answer; `pieces`: only some of it was asked for.
    pub(super) fn keep(&mut self, key: Key, told: Told, reads: Reads, pieces: bool) -> Arc<Answer> {
        self.recall.asked += usize::from(!pieces);
        self.recall.pieces += usize::from(pieces);
        let answer = Arc::clone(&told.answer);
        if self.makes_room(answer.total()) {
            self.answers.insert(key, KeptAnswer { told: Arc::new(told), reads, stale: None, unused: 0 });
        } else {
            self.answers.remove(&key);
        }
        answer
    }

    /// Counts a question whose answer is not kept.
    pub(super) fn asked(&mut self) {
        self.recall.asked += 1;
    }

    fn makes_room(&mut self, rows: usize) -> bool {
        let fits = self.rows.saturating_add(rows) <= MOST_ROWS;
        if fits {
            self.rows += rows;
        }
        fits
    }

    /// Whether the answers of which a rule's last evaluation was made still hold.
    pub(super) fn unchanged(&mut self, rule: &Instance, limits: Limits) -> bool {
        let Some(kept) = self.evaluations.get(rule.key()) else { return false };
        if kept.document != *rule.document() || kept.limits != limits {
            return false;
        }
        let (texts, answers) = (&self.texts, &mut self.answers);
        let same = kept.asked.iter().all(|(question, answer)| {
            let known = texts.get(question).and_then(|key| answers.get_mut(key));
            known.is_some_and(|known| {
                known.unused = 0;
                known.stale.is_none() && Arc::ptr_eq(&known.told.answer, answer)
            })
        });
        self.recall.unchanged += usize::from(same);
        same
    }

    /// Keeps what an evaluation was made of, where it follows from its answers alone.
    pub(super) fn keep_evaluation(
        &mut self,
        rule: &Instance,
        limits: Limits,
        asked: Vec<Asked>,
        evaluation: &Evaluation,
    ) {
        self.recall.evaluated += 1;
        let judged = matches!(evaluation.state, State::Fired | State::Clear);
        self.evaluations.remove(rule.key());
        if judged && rule.change.is_none() && !asked.is_empty() {
            let kept = KeptEvaluation { document: rule.document().clone(), limits, asked };
            self.evaluations.insert(rule.key().to_owned(), kept);
        }
    }
}
