//! Histories with all that makes a version, and the tables as they stand, read through the store's own queries.
//!
//! Invariant: the same seed gives the same history, on any engine.

use std::time::Duration;

use metsuke_model::access::Mask;
use metsuke_model::audit::EventCode;
use metsuke_model::{Access, Estate, Kind, Moment};
use metsuke_store::{Amendment, Bound, Datum, ReadQuery, ReadRows, Store};
use metsuke_testkit::Chance;

use crate::database::{Database, commit, report};
use crate::generated::{Generator, id};

/// Far longer than any query of a test takes.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A query for everything.
pub(crate) fn query(sql: &str, binds: Vec<Bound>) -> ReadQuery {
    ReadQuery { sql: sql.into(), binds, most_rows: 1_000_000, time_limit: PATIENCE }
}

/// All rows of an answer.
pub(crate) async fn rows(store: &Store, sql: &str) -> Vec<Vec<Datum>> {
    let ReadRows { rows, truncated } = store.select(&query(sql, Vec::new())).await.unwrap();
    assert!(!truncated);
    rows
}

/// The whole numbers of all rows.
pub(crate) async fn numbers(store: &Store, sql: &str) -> Vec<Vec<i64>> {
    let number = |datum: Datum| match datum {
        Datum::Int(number) => number,
        other => panic!("{other:?}"),
    };
    rows(store, sql).await.into_iter().map(|row| row.into_iter().map(number).collect()).collect()
}

/// Makes one version after the other: most by syncs, some by what was changed through us.
pub(crate) struct History {
    pub(crate) store: Store,
    generator: Generator,
    chance: Chance,
    /// The last version's number; syncs that fail have numbers too.
    pub(crate) version: i64,
    estate: Estate,
}

impl History {
    pub(crate) async fn new(database: &Database, seed: u64) -> Self {
        let store = database.open().await;
        let chance = Chance::new(seed ^ 0x0a11_ce5e);
        Self { store, generator: Generator::new(seed), chance, version: 0, estate: Estate::default() }
    }

    pub(crate) async fn advance(&mut self) {
        if self.version > 0 && self.chance.percent(15) {
            self.store.record_failure(&report(10 * self.version + 5)).await.unwrap();
            self.version += 1;
        }
        if self.version > 0 && self.chance.percent(30) {
            return self.amend().await;
        }
        let reading = self.generator.next();
        let second = 10 * (self.version + 1);
        self.version = commit(&self.store, &reading.estate, &reading.coverage, second).await.version.0;
        self.estate = reading.estate;
    }

    async fn amend(&mut self) {
        let mut seen = Amendment::default();
        // One that a change through us met goes on, another one goes.
        seen.withdrawn.push(id(Kind::Invitation, self.chance.below(4)));
        let reading = self.generator.next();
        seen.invitations = reading.estate.invitations.iter().take(1).cloned().collect();
        seen.withdrawn.retain(|gone| seen.invitations.iter().all(|there| there.id != *gone));
        for resource in self.estate.resources.iter().take(3) {
            let Some(user) = self.estate.principals.get(self.chance.below(self.estate.principals.len()))
            else {
                continue;
            };
            let other = if self.chance.percent(30) { vec!["amended".into()] } else { Vec::new() };
            let mask = Mask(u32::try_from(self.chance.below(8)).unwrap());
            let mask = if other.is_empty() { mask } else { mask.with(Mask::OTHER) };
            seen.access.push((resource.clone(), user.clone(), Access { mask, other }));
        }
        let lock = self.store.provisioning_lock(PATIENCE).await.unwrap();
        let at = 10 * (self.version + 1);
        let event = self.store.event(Moment(at * 1_000_000), EventCode::EffectVerified);
        let amended = self.store.amend(&lock, ("none", 1), seen, &report(at), event).await.unwrap();
        self.version = amended.unwrap().version.0;
    }
}
