//! Records, estates and versions in one plain form that can be compared.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use metsuke_model::record::{
    AddOn, App, Attachment, Authorization, Coupling, EnterpriseAccount, Invitation, Key, Pipeline, Space,
    Team, UnresolvedMember, User,
};
use metsuke_model::{Access, AsOf, Cell, ColumnType, HerokuId, Kind, Moment, Record, ResourceType};
use metsuke_store::{AccessSelect, Select, Snapshot, Store};
use serde_json::{Map, Value};

/// Every property of an object; the rest of them also as the text that it is.
pub(crate) type Document = Map<String, Value>;

/// The name under which the text of the other properties stands.
pub(crate) const TEXT: &str = "(properties)";

/// The resource's type by [`rank`], the resource, the user.
pub(crate) type Pair = (u8, HerokuId, HerokuId);

/// One version: the objects that are there, and who holds what.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct State {
    pub(crate) objects: BTreeMap<(Kind, HerokuId), Document>,
    pub(crate) access: BTreeMap<Pair, BTreeSet<String>>,
}

/// What a resource type sorts as.
pub(crate) fn rank(resource_type: ResourceType) -> u8 {
    u8::try_from(resource_type.kind().number()).unwrap()
}

impl State {
    pub(crate) fn has(&self, kind: Kind, id: &HerokuId) -> bool {
        self.objects.contains_key(&(kind, id.clone()))
    }

    pub(crate) fn count(&self, kind: Kind) -> u64 {
        self.objects.keys().filter(|(found, _)| *found == kind).count() as u64
    }

    /// Single grants, those on spaces left out unless asked for.
    pub(crate) fn grants(&self, spaces: bool) -> BTreeSet<(u8, HerokuId, HerokuId, String)> {
        let wanted = |key: &Pair| spaces || key.0 != rank(ResourceType::Space);
        let keys = self.access.iter().filter(|(key, _)| wanted(key));
        keys.flat_map(|(key, slugs)| {
            slugs.iter().map(|slug| (key.0, key.1.clone(), key.2.clone(), slug.clone()))
        })
        .collect()
    }

    /// Panics with the few things that differ.
    pub(crate) fn assert_is(&self, expected: &Self, told: &str) {
        let objects =
            self.objects.iter().filter(|(key, document)| expected.objects.get(key) != Some(document));
        let extra: Vec<_> =
            objects.map(|(key, found)| (key, found, expected.objects.get(key))).take(2).collect();
        let missing = expected.objects.keys().filter(|key| !self.objects.contains_key(key));
        let missing: Vec<_> = missing.take(4).collect();
        assert!(extra.is_empty() && missing.is_empty(), "{told}: missing {missing:?}, differing {extra:#?}");
        let (found, wanted) = (self.grants(true), expected.grants(true));
        let extra: Vec<_> = found.difference(&wanted).take(4).collect();
        let missing: Vec<_> = wanted.difference(&found).take(4).collect();
        assert!(extra.is_empty() && missing.is_empty(), "{told}: missing {missing:?}, extra {extra:?}");
        assert_eq!(self, expected, "{told}");
    }
}

/// The properties of a record.
pub(crate) fn document<T: Record>(record: &T) -> Document {
    let mut document: Document = serde_json::from_str(record.properties()).unwrap();
    document.insert(TEXT.into(), record.properties().to_string().into());
    for (column, cell) in T::KIND.columns().iter().zip(record.cells()) {
        let value = match (cell, column.column_type) {
            (Cell::Null, _) => Value::Null,
            (Cell::Int(number), ColumnType::Flag) => (number != 0).into(),
            (Cell::Int(number), ColumnType::Time) => Moment(number).to_string().into(),
            (Cell::Int(number), _) => number.into(),
            (Cell::Text(text), _) => text.into(),
            (Cell::Reference(id), _) => id.to_string().into(),
        };
        document.insert(column.name.into(), value);
    }
    document
}

async fn objects<T: Record>(
    snapshot: &mut Snapshot,
    state: &mut State,
    dense: &mut HashMap<i64, (Kind, HerokuId)>,
) {
    for stored in snapshot.objects::<T>(&Select::All).await.unwrap() {
        let key = (T::KIND, stored.record.id().clone());
        assert!(dense.insert(stored.dense, key.clone()).is_none(), "{key:?} shares its dense id");
        assert!(stored.since <= snapshot.sync().version, "{key:?} is not from the future");
        assert!(
            state.objects.insert(key.clone(), document(&stored.record)).is_none(),
            "{key:?} stands twice"
        );
    }
}

/// Reads a whole version.
pub(crate) async fn read(store: &Store, as_of: Option<AsOf>) -> State {
    let mut snapshot = store.snapshot(as_of).await.unwrap().unwrap();
    read_snapshot(&mut snapshot).await
}

/// Reads all that a snapshot shows.
pub(crate) async fn read_snapshot(snapshot: &mut Snapshot) -> State {
    let (mut state, mut dense) = (State::default(), HashMap::new());
    objects::<User>(snapshot, &mut state, &mut dense).await;
    objects::<EnterpriseAccount>(snapshot, &mut state, &mut dense).await;
    objects::<Team>(snapshot, &mut state, &mut dense).await;
    objects::<Space>(snapshot, &mut state, &mut dense).await;
    objects::<App>(snapshot, &mut state, &mut dense).await;
    objects::<AddOn>(snapshot, &mut state, &mut dense).await;
    objects::<Attachment>(snapshot, &mut state, &mut dense).await;
    objects::<Pipeline>(snapshot, &mut state, &mut dense).await;
    objects::<Coupling>(snapshot, &mut state, &mut dense).await;
    objects::<Invitation>(snapshot, &mut state, &mut dense).await;
    objects::<UnresolvedMember>(snapshot, &mut state, &mut dense).await;
    objects::<Authorization>(snapshot, &mut state, &mut dense).await;
    objects::<Key>(snapshot, &mut state, &mut dense).await;
    for entry in snapshot.access(&AccessSelect::All).await.unwrap() {
        let of =
            |id: i64| dense.get(&id).unwrap_or_else(|| panic!("{entry:?} names what is not there")).clone();
        let ((kind, resource), (_, principal)) = (of(entry.resource), of(entry.principal));
        let resource_type = ResourceType::of(kind).unwrap();
        let held = Access { mask: entry.mask, other: entry.other.clone() };
        let slugs: BTreeSet<String> = held.slugs(resource_type).map(ToOwned::to_owned).collect();
        assert_eq!(slugs.len(), entry.mask.count() as usize + entry.other.len(), "{entry:?}");
        let before = state.access.insert((rank(resource_type), resource, principal), slugs);
        assert!(before.is_none(), "{entry:?} stands twice");
    }
    state
}
