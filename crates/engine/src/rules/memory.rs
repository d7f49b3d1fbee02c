//! What is remembered of one run of rules for the next: answers that no change since then touches, and what was worked
//! out of them.
//!
//! What an answer depends on is read off its question ([`Read`]); what changed, the store tells ([`Touched`]).
//!
//! Invariant: an evaluation with a memory says what the same one without says, rows in another order at most; of an
//! answer that was cut, other rows may be the ones that are seen.

mod size;
mod stale;

use std::collections::HashMap;
use std::sync::Arc;

use metsuke_model::Version;
use metsuke_store::Touched;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value as Json};

use super::evaluate::{Limits, Print};
use super::instance::Instance;
use crate::query::{Prepared, Read, Reads, Renewed, Settings, Told};
pub(super) use stale::Stale;
use stale::Staleness;
pub use stale::touches;

/// The most bytes that are kept; what would be more is asked again.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// What was not used in so many runs is given up.
const MOST_UNUSED: u32 = 64;

fn reads_people(reads: &Reads) -> bool {
    reads.contains_key(&Read::People) || reads.contains_key(&Read::Anything)
}

/// What is remembered of the runs so far. It belongs to one database.
#[derive(Debug)]
pub struct Memory {
    of: Option<Of>,
    answers: HashMap<Key, KeptAnswer>,
    /// The keys of questions whose statement is the same at any time.
    texts: HashMap<Question, Key>,
    /// The keys that other questions had last.
    dated: HashMap<Question, Key>,
    evaluations: HashMap<String, KeptEvaluation>,
    bytes: usize,
    most: usize,
    /// The number of the newest answer.
    newest: u64,
    recall: Recall,
    sabotage: Option<Sabotage>,
}

/// What a test leaves out on purpose, to see that its checker notices.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// What changes touch is kept as it was.
    ForgetsChanges,
    /// Of questions that are alike only the one that is asked becomes another.
    KeepsRelatives,
    /// Who is answered with others is told nothing.
    MixesKin,
}

impl Default for Memory {
    fn default() -> Self {
        Self::of_size(MOST_BYTES)
    }
}

/// How much of a run was asked, and how much remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recall {
    /// Questions that the database answered.
    pub asked: usize,
    /// Questions of which only some pieces were asked for.
    pub pieces: usize,
    /// Questions that, or whose pieces, were asked for with others like them.
    pub together: usize,
    /// Questions whose answer was known.
    pub known: usize,
    /// Rules that were worked out.
    pub evaluated: usize,
    /// Rules of which only what changed was worked out.
    pub touched: usize,
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

/// A question, and whether what is gone is asked for as well.
pub(super) type Question = (String, bool);

/// What tells a question with its values from every other.
pub(super) type Key = [u8; 32];

#[derive(Debug)]
struct KeptAnswer {
    held: Held,
    reads: Arc<Reads>,
    stale: Option<Arc<Stale>>,
    kin: Option<Kin>,
    bytes: usize,
    unused: u32,
}

/// An answer with its number; no other answer has it.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) told: Arc<Told>,
    /// 0 for an answer that is not kept.
    pub(super) number: u64,
    /// What it was made of.
    pub(super) made_of: Option<Arc<MadeOf>>,
}

/// An answer that an answer was made of: its first rows are those of that one without some.
#[derive(Debug)]
pub(super) struct MadeOf {
    pub(super) number: u64,
    /// The places of the rows that it does not have.
    pub(super) gone: Vec<usize>,
}

/// By what a question is told from others like it.
#[derive(Clone, Debug)]
pub(super) struct Kin {
    /// What it shares with them.
    pub(super) family: Key,
    /// What tells it from them.
    pub(super) text: Box<str>,
}

/// One of several questions that are alike.
pub(super) type Relative = (Key, Box<str>, Arc<Told>);

/// What is known of a statement's answer.
pub(super) enum Known {
    /// Nothing.
    Nothing,
    /// All of it.
    All(Held),
    /// All but some pieces.
    But(Arc<Told>, Arc<Stale>),
}

/// A question that an evaluation asked, and what it was told.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) question: Question,
    /// The number of the answer.
    pub(super) number: u64,
    /// What tells the subjects of its rows, in their order; none for a further question of an action.
    pub(super) prints: Arc<[Print]>,
}

/// What is remembered of a rule's evaluation.
#[derive(Debug)]
pub(super) struct KeptEvaluation {
    document: Map<String, Json>,
    limits: Limits,
    pub(super) asked: Arc<[Asked]>,
    /// One of its operations' conditions held.
    pub(super) fired: bool,
    /// The edition of the findings that were stored of it.
    stored: Option<i64>,
    bytes: usize,
    unused: u32,
}

/// The hash of a text.
fn hashed(text: &str) -> Key {
    let mut key = Key::default();
    key.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    key
}

/// The key of a question.
pub(super) fn key(prepared: &Prepared, settings: &Settings) -> Key {
    hashed(&format!("{}\n{}", prepared.identity(), settings.include_deleted))
}

/// The key of what a question and others like it share.
pub(super) fn family(all_of_them: &Prepared, settings: &Settings) -> Key {
    hashed(&format!("{:?}\n{}", all_of_them.statement, settings.include_deleted))
}

/// Whether a question is the same statement whenever it is asked.
pub(super) fn timeless(text: &str) -> bool {
    let dated = text.as_bytes().windows(4).any(|part| part.eq_ignore_ascii_case(b"date"));
    !dated && !text.contains("${")
}

impl Memory {
    /// An empty one, which keeps no more than so many bytes, as far as they can be counted.
    #[must_use]
    pub fn of_size(most: usize) -> Self {
        Self {
            of: None,
            answers: HashMap::new(),
            texts: HashMap::new(),
            dated: HashMap::new(),
            evaluations: HashMap::new(),
            bytes: 0,
            most,
            newest: 0,
            recall: Recall::default(),
            sabotage: None,
        }
    }

    /// The same with something left out, for tests.
    #[doc(hidden)]
    #[must_use]
    pub fn sabotaged(mut self, sabotage: Sabotage) -> Self {
        self.sabotage = Some(sabotage);
        self
    }

    /// How much of the last run was asked, and how much remembered.
    #[must_use]
    pub const fn recall(&self) -> Recall {
        self.recall
    }

    /// How many bytes are kept, about.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// An empty one of the same size.
    pub(super) fn emptied(&self) -> Self {
        Self { sabotage: self.sabotage, ..Self::of_size(self.most) }
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
        let nothing = Touched::default();
        let forgets = self.sabotage == Some(Sabotage::ForgetsChanges);
        let mut staleness = Staleness::of(if forgets { &nothing } else { touched });
        self.answers.retain(|_, kept| {
            kept.unused += 1;
            let gone = people && reads_people(&kept.reads);
            !gone && kept.unused <= MOST_UNUSED && kept.survives(&mut staleness)
        });
        self.evaluations.retain(|_, kept| {
            kept.unused += 1;
            kept.unused <= MOST_UNUSED
        });
        let answers = &self.answers;
        self.texts.retain(|_, key| answers.contains_key(key));
        self.dated.retain(|_, key| answers.contains_key(key));
        self.count();
    }

    fn count(&mut self) {
        let answers: usize = self.answers.values().map(|kept| kept.bytes).sum();
        let evaluations: usize = self.evaluations.values().map(|kept| kept.bytes).sum();
        self.bytes = answers + evaluations;
    }

    /// The answer to a question that is the same at any time, where all of it is known.
    pub(super) fn known(&mut self, question: &Question) -> Option<Held> {
        let key = *self.texts.get(question)?;
        match self.answer(&key) {
            Known::All(held) => Some(held),
            Known::But(..) | Known::Nothing => None,
        }
    }

    /// What is known of the answer to a statement.
    pub(super) fn answer(&mut self, key: &Key) -> Known {
        let Some(kept) = self.answers.get_mut(key) else { return Known::Nothing };
        kept.unused = 0;
        if let Some(stale) = &kept.stale {
            return Known::But(Arc::clone(&kept.held.told), Arc::clone(stale));
        }
        self.recall.known += 1;
        Known::All(kept.held.clone())
    }

    /// Whether the newest answer to a question that is the same at any time is this one.
    pub(super) fn still_is(&mut self, question: &Question, number: u64) -> bool {
        let Some(key) = self.texts.get(question) else { return false };
        let Some(kept) = self.answers.get_mut(key) else { return false };
        kept.unused = 0;
        kept.stale.is_none() && kept.held.number == number
    }

    /// Says that a question stands for this statement.
    pub(super) fn stands_for(&mut self, question: Question, key: Key) {
        let keys = if timeless(&question.0) { &mut self.texts } else { &mut self.dated };
        keys.insert(question, key);
    }

    /// Keeps an answer to a question. Where it is what the question was answered the last time, at another time of day,
    /// it is that answer.
    pub(super) fn keep(
        &mut self,
        (question, key): (&Question, Key),
        told: Told,
        reads: Reads,
        kin: Option<Kin>,
    ) -> Held {
        let last = self.dated.get(question).filter(|last| **last != key).copied();
        let last = last.and_then(|last| self.remove(&last));
        self.remove(&key);
        let held = match last {
            Some(last) if last.held.told.is_same(&told) => Held { made_of: None, ..last.held },
            _ => self.numbered(told.packed(), None),
        };
        self.put(key, KeptAnswer { reads: Arc::new(reads), kin, ..KeptAnswer::of(held) })
    }

    /// Keeps what became of a known answer whose pieces were asked anew; `None` where nobody knows, or it is forgotten.
    pub(super) fn renew(&mut self, key: &Key, renewed: Renewed, together: bool) -> Option<Held> {
        let keeps = together && self.sabotage == Some(Sabotage::KeepsRelatives);
        let renewed = if keeps { Renewed::Same } else { renewed };
        let kept = self.answers.get_mut(key)?;
        self.recall.together += usize::from(together);
        self.recall.pieces += usize::from(!together);
        match renewed {
            Renewed::Same => {
                kept.stale = None;
                Some(kept.held.clone())
            }
            Renewed::Other { told, gone } => {
                let kept = self.remove(key)?;
                let made_of = Arc::new(MadeOf { number: kept.held.number, gone });
                let held = self.numbered(told.packed(), Some(made_of));
                Some(self.put(*key, KeptAnswer { reads: kept.reads, kin: kept.kin, ..KeptAnswer::of(held) }))
            }
        }
    }

    /// The questions like this one of which the same pieces are to be asked anew, itself among them.
    pub(super) fn relatives(&self, key: &Key, slot: usize) -> Vec<Relative> {
        let own = || {
            let kept = self.answers.get(key)?;
            Some((kept.kin.as_ref()?.family, kept.stale.as_ref()?))
        };
        let Some((family, stale)) = own() else { return Vec::new() };
        let relative = |(key, kept): (&Key, &KeptAnswer)| {
            let kin = kept.kin.as_ref().filter(|kin| kin.family == family)?;
            let same = kept.stale.as_ref().is_some_and(|other| Arc::ptr_eq(other, stale) || other == stale);
            (same && kept.held.told.slots.contains(&slot))
                .then(|| (*key, kin.text.clone(), Arc::clone(&kept.held.told)))
        };
        self.answers.iter().filter_map(relative).collect()
    }

    /// Counts a question that the database answered.
    pub(super) fn asked(&mut self) {
        self.recall.asked += 1;
    }

    /// Counts a question that was answered with others like it; what it was told.
    pub(super) fn asked_together(&mut self, told: Told) -> Told {
        self.recall.together += 1;
        if self.sabotage == Some(Sabotage::MixesKin) { told.emptied() } else { told }
    }

    fn numbered(&mut self, told: Told, made_of: Option<Arc<MadeOf>>) -> Held {
        self.newest += 1;
        Held { told: Arc::new(told), number: self.newest, made_of }
    }

    fn remove(&mut self, key: &Key) -> Option<KeptAnswer> {
        let kept = self.answers.remove(key)?;
        self.bytes = self.bytes.saturating_sub(kept.bytes);
        Some(kept)
    }

    /// Keeps an answer where there is room for it.
    fn put(&mut self, key: Key, kept: KeptAnswer) -> Held {
        let held = kept.held.clone();
        if self.bytes.saturating_add(kept.bytes) <= self.most {
            self.bytes += kept.bytes;
            self.answers.insert(key, kept);
        }
        held
    }

    /// What was made of a rule's answers the last time, where the rule is the same.
    pub(super) fn evaluation(&mut self, rule: &Instance, limits: Limits) -> Option<(Arc<[Asked]>, bool)> {
        let kept = self.evaluations.get_mut(rule.key())?;
        let same = kept.document == *rule.document() && kept.limits == limits;
        kept.unused = 0;
        same.then(|| (Arc::clone(&kept.asked), kept.fired))
    }

    /// The edition of the findings that were stored of a rule's evaluation, if they were.
    pub(super) fn edition_of(&self, rule: &str) -> Option<i64> {
        self.evaluations.get(rule)?.stored
    }

    /// Says that what was evaluated is stored, with this edition of the findings.
    pub(crate) fn stored_with(&mut self, edition: i64) {
        for kept in self.evaluations.values_mut().filter(|kept| kept.stored.is_none()) {
            kept.stored = Some(edition);
        }
    }

    /// Says that what was evaluated of one rule is stored, with this edition of the findings.
    pub(super) fn stored_of(&mut self, rule: &str, edition: i64) {
        if let Some(kept) = self.evaluations.get_mut(rule) {
            kept.stored = Some(edition);
        }
    }

    /// Counts a rule that is not worked out.
    pub(super) fn unchanged(&mut self) {
        self.recall.unchanged += 1;
    }

    /// Keeps what an evaluation was made of; nothing where it does not follow from answers alone. `touched`: only what
    /// changed was worked out.
    pub(super) fn keep_evaluation(
        &mut self,
        rule: &Instance,
        limits: Limits,
        (asked, fired): (Vec<Asked>, bool),
        touched: bool,
    ) {
        self.recall.evaluated += usize::from(!touched);
        self.recall.touched += usize::from(touched);
        self.forget_evaluation(rule);
        let kept = asked.iter().all(|asked| asked.number > 0);
        if !kept || rule.change.is_some() || asked.is_empty() {
            return;
        }
        let document = rule.document().clone();
        let bytes = size::of_evaluation(&document, &asked);
        if self.bytes.saturating_add(bytes) <= self.most {
            self.bytes += bytes;
            let (asked, stored) = (asked.into(), None);
            let kept = KeptEvaluation { document, limits, asked, fired, stored, bytes, unused: 0 };
            self.evaluations.insert(rule.key().to_owned(), kept);
        }
    }

    /// Forgets what a rule's evaluation was made of.
    pub(super) fn forget_evaluation(&mut self, rule: &Instance) {
        if let Some(before) = self.evaluations.remove(rule.key()) {
            self.bytes = self.bytes.saturating_sub(before.bytes);
        }
    }
}

impl KeptAnswer {
    fn of(held: Held) -> Self {
        let bytes = size::of_answer(&held.told);
        Self { held, reads: Arc::default(), stale: None, kin: None, bytes, unused: 0 }
    }
}
