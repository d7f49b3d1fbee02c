//! What the entities of one kind need to know of the objects of another: their ids and single columns of theirs.
//!
//! Invariant: what was loaded stays for the reader's life, for a version does not change.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use metsuke_model::access::Access;
use metsuke_model::graph::Value;
use metsuke_model::record::{
    AddOn, App, Attachment, Authorization, Coupling, EnterpriseAccount, Invitation, Key, Pipeline, Space,
    Team, UnresolvedMember, User,
};
use metsuke_model::{HerokuId, Kind, Record, ResourceType};
use metsuke_store::{AccessSelect, Select, Snapshot};

use super::nodes::column;
use crate::EngineError;

/// Does the same with the record type of a kind: `of_kind!(kind, T => read::<T>(snapshot))`.
macro_rules! of_kind {
    ($kind:expr, $type:ident => $body:expr) => {{
        macro_rules! arm {
            ($record:ty) => {{
                type $type = $record;
                $body
            }};
        }
        match $kind {
            Kind::User => arm!(User),
            Kind::EnterpriseAccount => arm!(EnterpriseAccount),
            Kind::Team => arm!(Team),
            Kind::App => arm!(App),
            Kind::Space => arm!(Space),
            Kind::AddOn => arm!(AddOn),
            Kind::Attachment => arm!(Attachment),
            Kind::Pipeline => arm!(Pipeline),
            Kind::Coupling => arm!(Coupling),
            Kind::Invitation => arm!(Invitation),
            Kind::UnresolvedMember => arm!(UnresolvedMember),
            Kind::Authorization => arm!(Authorization),
            Kind::Key => arm!(Key),
        }
    }};
}
pub(super) use of_kind;

/// The ids of the objects of one kind, both ways.
#[derive(Debug, Default)]
pub(super) struct Ids {
    pub(super) keys: HashMap<i64, HerokuId>,
    pub(super) places: HashMap<HerokuId, i64>,
}

/// The Enterprise account that a user is told by, and what they hold there.
#[derive(Debug)]
pub(super) struct Membership {
    pub(super) account: HerokuId,
    pub(super) permissions: Vec<Box<str>>,
}

/// What was looked up so far.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    ids: HashMap<Kind, Ids>,
    columns: HashMap<(Kind, &'static str), HashMap<HerokuId, Value>>,
    memberships: Option<HashMap<i64, Membership>>,
}

impl Lookup {
    /// Loads the ids of a kind.
    pub(super) async fn load_ids(&mut self, snapshot: &mut Snapshot, kind: Kind) -> Result<(), EngineError> {
        if let Entry::Vacant(place) = self.ids.entry(kind) {
            place.insert(of_kind!(kind, T => ids::<T>(snapshot).await?));
        }
        Ok(())
    }

    /// Loads one column of a kind.
    pub(super) async fn load_column(
        &mut self,
        snapshot: &mut Snapshot,
        kind: Kind,
        name: &'static str,
    ) -> Result<(), EngineError> {
        if let Entry::Vacant(place) = self.columns.entry((kind, name)) {
            place.insert(of_kind!(kind, T => values::<T>(snapshot, name).await?));
        }
        Ok(())
    }

    /// Loads which Enterprise account each user is a member of; of several, the one with the lowest dense id.
    pub(super) async fn load_memberships(&mut self, snapshot: &mut Snapshot) -> Result<(), EngineError> {
        if self.memberships.is_some() {
            return Ok(());
        }
        self.load_ids(snapshot, Kind::EnterpriseAccount).await?;
        let accounts = self.ids(Kind::EnterpriseAccount).map(|ids| ids.keys.keys().copied().collect());
        let mut entries = snapshot.access(&AccessSelect::On(accounts.unwrap_or_default())).await?;
        entries.sort_by_key(|entry| (entry.resource, entry.principal));
        let mut memberships = HashMap::new();
        for entry in entries {
            let account = self.ids(Kind::EnterpriseAccount).and_then(|ids| ids.keys.get(&entry.resource));
            if let (Some(account), false) = (account, memberships.contains_key(&entry.principal)) {
                let access = Access { mask: entry.mask, other: entry.other };
                let permissions = access.slugs(ResourceType::EnterpriseAccount).map(Into::into).collect();
                memberships.insert(entry.principal, Membership { account: account.clone(), permissions });
            }
        }
        self.memberships = Some(memberships);
        Ok(())
    }

    /// The ids of a kind, where they were loaded.
    pub(super) fn ids(&self, kind: Kind) -> Option<&Ids> {
        self.ids.get(&kind)
    }

    /// One column of one object, where it was loaded and is not empty.
    pub(super) fn value(&self, kind: Kind, name: &'static str, id: &HerokuId) -> Option<&Value> {
        self.columns.get(&(kind, name))?.get(id)
    }

    /// The Enterprise account that a user is told by.
    pub(super) fn membership(&self, user: i64) -> Option<&Membership> {
        self.memberships.as_ref()?.get(&user)
    }
}

async fn ids<T: Record>(snapshot: &mut Snapshot) -> Result<Ids, EngineError> {
    let mut ids = Ids::default();
    for stored in snapshot.objects::<T>(&Select::All).await? {
        ids.keys.insert(stored.dense, stored.record.id().clone());
        ids.places.insert(stored.record.id().clone(), stored.dense);
    }
    Ok(ids)
}

async fn values<T: Record>(
    snapshot: &mut Snapshot,
    name: &str,
) -> Result<HashMap<HerokuId, Value>, EngineError> {
    let mut values = HashMap::new();
    for stored in snapshot.objects::<T>(&Select::All).await? {
        let value = column(T::KIND, &stored.record.cells(), name);
        if !value.is_absent() {
            values.insert(stored.record.id().clone(), value);
        }
    }
    Ok(values)
}
