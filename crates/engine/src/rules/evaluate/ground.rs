//! What rules are evaluated on: one version, and what changed up to it.
//!
//! Invariant: all rules of one run see the same version and the same entries of the log.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metsuke_model::graph::Value;
use metsuke_model::{AsOf, Outcome, SyncStatus, Version};
use metsuke_store::{Change, Store, StoreError, Touched};

use crate::EngineError;
use crate::log;
use crate::query::{self, Cell, Data, Prepared, Read, Settings, Told};
use crate::rules::memory::{self, Held, Kin, Known, Memory, Stale};

use super::together::{How, Together};

/// Where the changes begin that change rules look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Since {
    /// After the version before the one that is looked at.
    #[default]
    Before,
    /// After this version, or after the newest one at this time; 0 is before all of them.
    After(AsOf),
}

/// How large an evaluation may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most rows of one query.
    pub most_rows: usize,
    /// The most rows that expressions see; totals count all.
    pub most_shown: usize,
    /// So many subjects are held before what was found is stored, and those of one rule.
    pub most_held: usize,
    /// So many questions about what is so at a time, which differ in a text alone, are asked one by one before the others are asked for
    /// at once.
    pub most_alone: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { most_rows: 100_000, most_shown: 1_000, most_held: 10_000, most_alone: 256 }
    }
}

/// One version, and what changed up to it.
#[derive(Debug)]
pub struct Ground {
    store: Store,
    /// The version as the newest of its store.
    at: Store,
    folder: PathBuf,
    settings: Settings,
    pub(super) limits: Limits,
    /// The version that is looked at.
    pub version: Version,
    /// Changes after this version count; 0 where there is none before.
    pub since: Version,
    /// Everything of the version was read.
    pub complete: bool,
    pub(super) changes: Arc<[Change]>,
    /// Versions that changed too much to look at each change; none of theirs are among the changes.
    pub(super) large: Vec<Version>,
    /// The versions among the changes that Metsuke itself wrote.
    pub(super) own: BTreeSet<Version>,
    memory: Mutex<Memory>,
    together: Together,
    /// The hash of the rosters, once it was needed.
    people: tokio::sync::OnceCell<[u8; 32]>,
}

impl Ground {
    /// Opens a version; an earlier one is laid out in `folder`, which the caller removes.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoVersion`], and what the database said.
    pub async fn open(
        store: &Store,
        settings: Settings,
        since: Since,
        limits: Limits,
        folder: &Path,
    ) -> Result<Self, EngineError> {
        let row = |as_of| async move {
            let snapshot = store.snapshot(as_of).await?.ok_or(EngineError::NoVersion)?;
            Ok::<_, EngineError>(snapshot.sync().clone())
        };
        let (newest, asked) = (row(None).await?, row(settings.as_of).await?);
        let at = match settings.as_of {
            Some(as_of) if asked.version != newest.version => store.rewound(as_of, folder).await?,
            _ => store.clone(),
        };
        let since = start(store, since, asked.version).await?;
        let parts = log::parts(store, since, asked.version).await?;
        let mut changes = Vec::new();
        for (after, until) in parts.ranges {
            changes.extend(store.changes(after, until).await?);
        }
        let own = store.amended(since, asked.version).await?;
        let settings = Settings { as_of: None, most_rows: limits.most_rows, ..settings };
        let mut memory = Memory::default();
        memory.begin(store.url(), &settings, (asked.version, None));
        Ok(Self {
            store: store.clone(),
            at,
            folder: folder.to_owned(),
            settings,
            limits,
            version: asked.version,
            since,
            complete: asked.status == SyncStatus::Complete,
            changes: changes.into(),
            large: parts.large,
            own: own.into_iter().collect(),
            memory: Mutex::new(memory),
            together: Together::default(),
            people: tokio::sync::OnceCell::new(),
        })
    }

    /// Takes over what is remembered of an earlier run, as far as it still holds: nothing does of a later version, or of
    /// one that is not kept any more.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn remembering(self, mut memory: Memory) -> Result<Self, EngineError> {
        let url = self.store.url();
        // What changed since a version that is not kept any more is not known whole.
        let kept = self.store.oldest_version().await?..=self.version;
        let before = memory.version_of(url, &self.settings).filter(|before| kept.contains(before));
        let Some(before) = before else {
            let mut emptied = memory.emptied();
            emptied.begin(url, &self.settings, (self.version, None));
            *self.memory() = emptied;
            return Ok(self);
        };
        let touched = if before == self.version {
            Touched::default()
        } else {
            self.store.touched(before, self.version).await?
        };
        let people = match memory.people() {
            Some(known) => Some((known, self.people().await?)),
            None => None,
        };
        memory.forget(&touched, people.is_some_and(|(known, now)| known != now));
        memory.begin(url, &self.settings, (self.version, people.map(|(_, now)| now)));
        *self.memory() = memory;
        Ok(self)
    }

    /// What is to be remembered of this run.
    #[must_use]
    pub fn into_memory(self) -> Memory {
        self.memory.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The edition of the findings that were stored of the evaluation of a rule that is remembered.
    pub(crate) fn stored_with(&self, rule: &str) -> Option<i64> {
        self.memory().edition_of(rule)
    }

    /// What changed up to the version.
    pub(crate) fn changes(&self) -> Arc<[Change]> {
        Arc::clone(&self.changes)
    }

    /// Says that what was evaluated so far is stored, with this edition of the findings.
    pub(crate) fn stored(&self, edition: i64) {
        self.memory().stored_with(edition);
    }

    /// Says that what was evaluated of a rule is stored, with this edition of the findings.
    pub(crate) fn stored_of(&self, rule: &str, edition: i64) {
        self.memory().stored_of(rule, edition);
    }

    async fn people(&self) -> Result<[u8; 32], EngineError> {
        Ok(*self.people.get_or_try_init(|| self.at.people_hash()).await?)
    }

    /// Whether there is an earlier version to compare with.
    #[must_use]
    pub const fn has_before(&self) -> bool {
        self.since.0 > 0
    }

    /// Asks a question of the version; one that names another version is asked of that. An answer that is remembered
    /// is not asked for again.
    ///
    /// # Errors
    ///
    /// [`EngineError::Query`] with every mistake in the text, and what the database said.
    pub(super) async fn ask(&self, text: &str, include_deleted: bool) -> Result<Held, EngineError> {
        let question = (text.to_owned(), include_deleted);
        let known = self.memory().known(&question);
        if let Some(held) = known {
            return Ok(held);
        }
        let settings = Settings { include_deleted, ..self.settings.clone() };
        let wrong = |errors| EngineError::Query { text: text.to_owned(), errors: Box::new(errors) };
        let prepared = Prepared::new(text, &settings, &self.at).map_err(wrong)?;
        if prepared.as_of.is_some() {
            self.memory().asked();
            let answer = query::run(&self.store, text, &settings, &self.folder).await?;
            return Ok(Held { told: Arc::new(Told::plain(answer)), number: 0, made_of: None });
        }
        let key = memory::key(&prepared, &settings);
        let known = self.memory().answer(&key);
        let held = match known {
            Known::All(held) => held,
            Known::Nothing => Box::pin(self.whole(&prepared, &settings, (&question, key))).await?,
            Known::But(told, stale) => {
                match self.renewed((&prepared, &settings), key, (&told, &stale)).await? {
                    Some(held) => held,
                    None => Box::pin(self.whole(&prepared, &settings, (&question, key))).await?,
                }
            }
        };
        self.memory().stands_for(question, key);
        Ok(held)
    }

    /// Asks for all of an answer.
    async fn whole(
        &self,
        prepared: &Prepared,
        settings: &Settings,
        of: (&memory::Question, memory::Key),
    ) -> Result<Held, EngineError> {
        let reads = prepared.reads();
        if reads.contains_key(&Read::People) || reads.contains_key(&Read::Anything) {
            // Before it is asked: a roster that comes meanwhile makes another hash of it next time.
            let people = self.people().await?;
            self.memory().set_people(people);
        }
        let all = prepared.with_its_kin(settings, &self.at, None);
        let all = all.map(|(all, text)| (memory::family(&all, settings), text, all));
        // At another time it is another statement, of which no piece is known.
        if !memory::timeless(&of.0.0) {
            let with_kin = match all {
                Some((family, text, all)) => self.with_its_kin(settings, (family, &text, &all)).await?,
                None => None,
            };
            let told = match with_kin {
                Some(told) => told,
                None => self.alone(prepared, settings).await?,
            };
            return Ok(self.memory().keep(of, told, reads, None));
        }
        let kin = all.map(|(family, text, _)| Kin { family, text });
        let in_pieces = prepared.in_pieces(settings, &self.at).ok();
        let told = self.alone(in_pieces.as_ref().unwrap_or(prepared), settings).await?;
        Ok(self.memory().keep(of, told, reads, kin))
    }

    async fn alone(&self, prepared: &Prepared, settings: &Settings) -> Result<Told, EngineError> {
        self.memory().asked();
        query::told(&self.at, prepared, settings, self.version).await
    }

    /// What a question with this text is told that is answered with the others of its family; `None` where it is asked alone.
    async fn with_its_kin(
        &self,
        settings: &Settings,
        (family, text, all): (memory::Key, &str, &Prepared),
    ) -> Result<Option<Told>, EngineError> {
        let told = match self.together.how(family, text, self.limits.most_alone) {
            How::Alone => None,
            How::Known(told) => Some(told),
            How::All => {
                let all = query::told(&self.at, all, settings, self.version).await?;
                self.together.keep(family, text, all)
            }
        };
        Ok(told.map(|told| self.memory().asked_together(told)))
    }

    /// Asks for those pieces of a known answer that may have become others, and of every answer like it for the same
    /// ones; `None` where it has to be asked whole.
    async fn renewed(
        &self,
        (prepared, settings): (&Prepared, &Settings),
        key: memory::Key,
        (before, stale): (&Told, &Stale),
    ) -> Result<Option<Held>, EngineError> {
        let fitting = stale.slots.iter().map(|slot| (*slot, prepared.fitting(*slot, &stale.ids)));
        let Some((slot, ids)) = fitting.min_by_key(|(_, ids)| ids.len()) else { return Ok(None) };
        let most = self.limits.most_rows;
        if ids.is_empty() {
            return Ok(self.memory().renew(&key, query::Renewed::Same, false));
        }
        let relatives = self.memory().relatives(&key, slot);
        if relatives.len() > 1
            && let Some((all, _)) = prepared.with_its_kin(settings, &self.at, Some((slot, &ids)))
        {
            let now = query::told(&self.at, &all, settings, self.version).await?;
            if !now.answer.truncated {
                self.renew_all(relatives, (slot, &ids), now);
                if let Known::All(held) = self.memory().answer(&key) {
                    return Ok(Some(held));
                }
            }
        }
        let Ok(pieces) = prepared.pieces_of(settings, &self.at, (slot, &ids)) else { return Ok(None) };
        let now = query::told(&self.at, &pieces, settings, self.version).await?;
        let renewed = before.with((slot, &ids), now, most);
        Ok(renewed.and_then(|renewed| self.memory().renew(&key, renewed, false)))
    }

    /// Gives each of several answers that are alike its pieces of one that has those of all.
    fn renew_all(&self, relatives: Vec<memory::Relative>, (slot, ids): (usize, &BTreeSet<i64>), now: Told) {
        let nothing = now.emptied();
        let parts: HashMap<Box<str>, Told> = now.by_text().into_iter().collect();
        for (key, text, before) in relatives {
            let part = parts.get(&text).unwrap_or(&nothing).clone();
            if let Some(renewed) = before.with((slot, ids), part, self.limits.most_rows) {
                self.memory().renew(&key, renewed, true);
            }
        }
    }

    /// Whether anybody is known of any roster.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn has_roster(&self) -> Result<bool, EngineError> {
        Ok(self.ask("FIND employee LIMIT 1", false).await?.told.total() > 0)
    }

    /// Why a listing was not read, in words; none where the last version that tells of it has it whole. `before`: it must
    /// have been read up to the earlier version too, or all that it holds would count as new.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub(crate) async fn unread(&self, scope: &str, before: bool) -> Result<Option<String>, EngineError> {
        let Some(last) = self.store.last_scope(scope, self.version, false).await? else {
            return Ok(Some(format!("no sync has asked `{scope}` yet")));
        };
        if last.outcome != Outcome::Complete {
            let why = last.reason.as_deref().unwrap_or(last.outcome.as_str());
            return Ok(Some(format!("`{scope}`: {why}")));
        }
        if before && self.store.last_scope(scope, self.since, true).await?.is_none() {
            return Ok(Some(format!("`{scope}` was not read in an earlier version to compare with")));
        }
        Ok(None)
    }

    /// The domain of the account that reads the estate; none where it is not known, or anybody may have an address
    /// there.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn own_domain(&self) -> Result<Option<String>, EngineError> {
        let text = "FIND heroku_account_member WITH ownAccount = true AS u RETURN u.email";
        let held = self.ask(text, false).await?;
        let Data::Table { rows, .. } = &held.told.answer.data else { return Ok(None) };
        let email = rows.first().and_then(|row| match row.first() {
            Some(Cell::Value(Value::Text(email))) => Some(email.to_lowercase()),
            _ => None,
        });
        let domain = email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
        Ok(domain.filter(|domain| !metsuke_model::people::is_public_domain(domain)).map(ToOwned::to_owned))
    }
}

/// The version after which changes count.
async fn start(store: &Store, since: Since, until: Version) -> Result<Version, EngineError> {
    let as_of = match since {
        Since::Before => {
            let runs = store.syncs(u32::MAX).await?;
            let earlier = runs.into_iter().find(|run| run.version < until && run.status.is_version());
            return Ok(earlier.map_or(Version(0), |run| run.version));
        }
        Since::After(AsOf::Version(Version(0))) => return Ok(Version(0)),
        Since::After(as_of) => as_of,
    };
    match store.snapshot(Some(as_of)).await {
        Ok(Some(snapshot)) => Ok(snapshot.sync().version),
        Ok(None) => Err(EngineError::NoVersion),
        Err(StoreError::NoVersion { .. }) if matches!(as_of, AsOf::Time(_)) => Ok(Version(0)),
        Err(error) => Err(error.into()),
    }
}
