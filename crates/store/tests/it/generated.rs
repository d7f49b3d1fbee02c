//! Estates made by chance: few ids, many accidents.
//!
//! Invariant: the same seed gives the same sequence, on any engine.

use std::collections::BTreeMap;

use metsuke_model::access::Mask;
use metsuke_model::record::{App, Team};
use metsuke_model::{
    AccessRow, ColumnType, Coverage, Estate, HerokuId, Kind, Record, Resource, ResourceType, Value,
};
use metsuke_testkit::Chance;
use serde_json::json;

const TEXTS: [&str; 7] = [
    "core",
    "O'Hara \"q\"; --",
    "Ünï ☂ 名前",
    "",
    "%_\\",
    "a b",
    "a rather longer name that fills some space",
];
const SLUGS: [&str; 3] = ["debug", "audit", "ünbekannt"];

/// What one sync could have read.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) estate: Estate,
    pub(crate) coverage: Coverage,
}

/// Makes one reading after the other.
#[derive(Debug)]
pub(crate) struct Generator {
    chance: Chance,
    /// What makes each object what it is; most stay as they are from version to version.
    seeds: BTreeMap<(Kind, HerokuId), u64>,
}

/// How many ids there are of a kind.
const fn pool(kind: Kind) -> usize {
    match kind {
        Kind::User | Kind::App => 9,
        Kind::EnterpriseAccount => 2,
        Kind::Team => 5,
        _ => 4,
    }
}

/// An id: most are UUIDs, some are other texts, of awkward lengths too.
pub(crate) fn id(kind: Kind, number: usize) -> HerokuId {
    HerokuId::new(&match number {
        1 => format!("legacy-{}-{number}", kind.number()),
        2 => format!("fifteen-long-{:02}", kind.number()),
        3 => format!("01234567-89AB-CDEF-0123-4567{:08}", kind.number()),
        _ => format!("0123456{number}-89ab-4def-8123-4567{:08}", kind.number()),
    })
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), seeds: BTreeMap::new() }
    }

    fn value(chance: &mut Chance, column: ColumnType) -> Value {
        if chance.percent(25) {
            return Value::Null;
        }
        match column {
            ColumnType::Text => Value::Text((*chance.one_of(&TEXTS)).into()),
            ColumnType::Number => Value::Int(*chance.one_of(&[0, -1, 42, i64::MAX])),
            ColumnType::Flag => Value::Int(i64::from(chance.percent(60))),
            ColumnType::Time => {
                Value::Int(1_700_000_000_000_001 + i64::try_from(chance.below(4)).unwrap() * 999_999)
            }
            ColumnType::Reference(kind) => Value::Reference(id(kind, chance.below(pool(kind)))),
        }
    }

    /// The object as it is now; the same object again where its seed is the same.
    fn record<T: Record>(&mut self, id: HerokuId) -> T {
        let key = (T::KIND, id.clone());
        let fresh = self.chance.number();
        let keeps = self.chance.percent(70);
        let seed = self.seeds.entry(key).or_insert(fresh);
        if !keeps {
            *seed = fresh;
        }
        let mut chance = Chance::new(*seed);
        let values =
            T::KIND.columns().iter().map(|column| Self::value(&mut chance, column.column_type)).collect();
        let properties = match chance.below(5) {
            0 => json!({}),
            1 => json!({ "region": *chance.one_of(&TEXTS) }),
            2 => json!({ "acm": true, "stack": { "name": "heroku-24", "tags": [1, 2.5, "x"] } }),
            _ => json!({ "acm": chance.percent(50), "size": chance.below(3) }),
        };
        T::from_values(id, values, properties.to_string().into())
    }

    fn some<T: Record>(&mut self) -> Vec<T> {
        let mut records = Vec::new();
        for number in 0..pool(T::KIND) {
            if self.chance.percent(65) {
                records.push(self.record(id(T::KIND, number)));
            }
        }
        if self.chance.percent(50) {
            records.reverse();
        }
        records
    }

    fn hinted_apps(&mut self, apps: &[App]) -> Vec<App> {
        let mut hints = Vec::new();
        for number in 0..pool(Kind::App) {
            let id = id(Kind::App, number);
            if apps.iter().all(|app| app.id != id) && self.chance.percent(15) {
                let mut hint = App::new(id);
                hint.name = Some("hinted".into());
                hint.team = Some(self::id(Kind::Team, self.chance.below(pool(Kind::Team))));
                hints.push(hint);
            }
        }
        hints
    }

    /// The next reading: whole, or with gaps.
    pub(crate) fn next(&mut self) -> Reading {
        let mut estate = Estate {
            users: self.some().into(),
            enterprise_accounts: self.some().into(),
            teams: self.some().into(),
            apps: self.some().into(),
            spaces: self.some().into(),
            addons: self.some().into(),
            attachments: self.some().into(),
            pipelines: self.some().into(),
            couplings: self.some().into(),
            invitations: self.some().into(),
            unresolved_members: self.some().into(),
            authorizations: self.some().into(),
            keys: self.some().into(),
            ..Estate::default()
        };
        estate.hinted_apps = self.hinted_apps(&estate.apps).into();
        estate.resources = resources(&estate);
        estate.principals = estate.users.iter().map(|user| user.id.clone()).collect();
        self.hold(&mut estate);
        let coverage = if self.chance.percent(50) { whole(&estate) } else { self.gaps(&estate) };
        Reading { estate, coverage }
    }

    fn hold(&mut self, estate: &mut Estate) {
        for (resource, held) in (0..).zip(&estate.resources) {
            let known = held.resource_type.entitlements();
            for principal in 0..u32::try_from(estate.principals.len()).unwrap() {
                if !self.chance.percent(35) {
                    continue;
                }
                let mut mask = Mask::NONE;
                for entitlement in known.iter().filter(|_| self.chance.percent(40)) {
                    mask = mask.with(entitlement.mask());
                }
                for slug in SLUGS.into_iter().filter(|_| self.chance.percent(8)) {
                    mask = mask.with(Mask::OTHER);
                    estate.other_access.push((resource, principal, slug.into()));
                }
                if !mask.is_empty() {
                    estate.access.push(AccessRow { resource, principal, mask });
                }
            }
        }
        if self.chance.percent(50) {
            estate.access.reverse();
        }
    }

    /// Some of what there is to read was read to its end.
    fn gaps(&mut self, estate: &Estate) -> Coverage {
        let mut coverage = Coverage::default();
        // People are only known to be gone where everything was read.
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::User) {
            if self.chance.percent(30) {
                coverage.cover_kind(kind);
            }
            if self.chance.percent(50) {
                coverage.cover_orphans(kind);
            }
            for parent in (0..pool(Kind::Team)).map(|number| Some(id(Kind::Team, number))).chain([None]) {
                if self.chance.percent(25) {
                    coverage.cover_children(kind, parent);
                }
            }
        }
        for resource in &estate.resources {
            if self.chance.percent(50) {
                coverage.cover_access(resource.clone());
            }
        }
        coverage
    }
}

/// Everything on which something may be held.
pub(crate) fn resources(estate: &Estate) -> Vec<Resource> {
    fn all<T: Record>(records: &[T]) -> impl Iterator<Item = Resource> {
        let resource_type = ResourceType::of(T::KIND).unwrap();
        records.iter().map(move |record| Resource { resource_type, id: record.id().clone() })
    }
    all(&estate.teams)
        .chain(all(&estate.enterprise_accounts))
        .chain(all(&estate.apps))
        .chain(all(&estate.hinted_apps))
        .chain(all(&estate.spaces))
        .collect()
}

/// Everything was read to its end.
pub(crate) fn whole(estate: &Estate) -> Coverage {
    let mut coverage = Coverage::default();
    for kind in Kind::ALL {
        coverage.cover_kind(kind);
    }
    for resource in resources(estate) {
        coverage.cover_access(resource);
    }
    coverage
}

/// An estate of one listed team with so many apps and people, everybody with the same on every app.
pub(crate) fn plain(apps: usize, people: usize, mask: Mask) -> Estate {
    let mut team = Team::new(HerokuId::new("team"));
    (team.name, team.listed) = (Some("team".into()), Some(true));
    let mut estate = Estate { teams: vec![team].into(), ..Estate::default() };
    for number in 0..apps {
        let mut app = App::new(HerokuId::new(&format!("app-{number}")));
        (app.name, app.team) = (Some(format!("app {number}").into()), Some(HerokuId::new("team")));
        estate.apps.push(app);
    }
    for number in 0..people {
        let mut user = metsuke_model::record::User::new(HerokuId::new(&format!("user-{number}")));
        user.email = Some(format!("user-{number}@example.com").into());
        estate.users.push(user);
    }
    estate.resources = resources(&estate);
    estate.principals = estate.users.iter().map(|user| user.id.clone()).collect();
    for (resource, of) in (0..).zip(&estate.resources) {
        for principal in 0..u32::try_from(people).unwrap() {
            let mask = if of.resource_type == ResourceType::App { mask } else { Mask(1) };
            estate.access.push(AccessRow { resource, principal, mask });
        }
    }
    estate
}
