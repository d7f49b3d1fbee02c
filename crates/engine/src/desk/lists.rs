//! Lists of a version: people, teams, apps, Enterprise accounts, and grants.

use std::marker::PhantomData;

use metsuke_model::{AsOf, Grant, HerokuId, Version};

use super::{Estate, Listing};
use crate::EngineError;
use crate::access::{GrantFilter, GrantKey, grants_page};
use crate::lists::{ListedLine, Wanted, page};

/// Lines of one kind of object.
#[derive(Debug)]
pub struct Lines<L> {
    /// Which of them.
    pub wanted: Wanted,
    /// The version or time; none for the newest.
    pub as_of: Option<AsOf>,
    kind: PhantomData<fn() -> L>,
}

impl<L> Lines<L> {
    /// Those that are wanted, in a version.
    #[must_use]
    pub const fn new(wanted: Wanted, as_of: Option<AsOf>) -> Self {
        Self { wanted, as_of, kind: PhantomData }
    }
}

impl<L: ListedLine> Listing for Lines<L> {
    type Row = L;
    type Key = HerokuId;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&HerokuId>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<L>), EngineError> {
        let Some(mut snapshot) = estate.version(self.as_of).await? else { return Ok((None, Vec::new())) };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let lines = page::<L>(&mut snapshot, &self.wanted, after, count).await?;
        Ok((Some(snapshot.sync().version), lines))
    }

    fn key(&self, row: &L) -> HerokuId {
        row.id().clone()
    }
}

/// Grants, direct or effective.
#[derive(Debug)]
pub struct Grants {
    /// Which of them.
    pub filter: GrantFilter,
    /// The version or time; none for the newest.
    pub as_of: Option<AsOf>,
}

impl Listing for Grants {
    type Row = Grant;
    type Key = GrantKey;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&GrantKey>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<Grant>), EngineError> {
        let Some(mut snapshot) = estate.version(self.as_of).await? else { return Ok((None, Vec::new())) };
        let grants = grants_page(&mut snapshot, &self.filter, after, count).await?;
        Ok((Some(snapshot.sync().version), grants))
    }

    fn key(&self, row: &Grant) -> GrantKey {
        GrantKey::of(row)
    }
}
