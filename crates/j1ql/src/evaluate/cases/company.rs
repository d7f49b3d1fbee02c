//! A small company on Heroku, by the names of the catalogue: two teams, four people, four apps and what belongs to them.
//!
//! Effective access is left out: no case asks for it.
//!
//! Invariant: ids are words, and each entity's key is its id.

use std::collections::BTreeMap;

use metsuke_model::graph::Value;
use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;

use super::SYNCED_MS;
use crate::evaluate::{Entity, Graph, Relationship, dates};

/// A value as it is written here.
#[derive(Clone, Copy, Debug)]
enum V {
    T(&'static str),
    N(f64),
    F(bool),
    /// A time.
    D(&'static str),
    L(&'static [&'static str]),
}

use V::{D, F, L, N, T};

type Properties = &'static [(&'static str, V)];

/// Type, id, properties; `id` is one of them, and `displayName` is `name`.
const ENTITIES: &[(&str, &str, Properties)] = &[
    ("heroku_account", "acme", &[("name", T("Acme")), ("createdOn", D("2020-02-29"))]),
    (
        "heroku_team",
        "core",
        &[
            ("name", T("core")),
            ("createdOn", D("2021-05-01")),
            ("enterpriseAccountId", T("acme")),
            ("teamType", T("enterprise")),
            ("listed", F(true)),
        ],
    ),
    ("heroku_team", "side", &[("name", T("side")), ("teamType", T("team")), ("listed", F(true))]),
    (
        "heroku_account_member",
        "ann",
        &[
            ("username", T("ann@acme.com")),
            ("name", T("ann@acme.com")),
            ("email", T("ann@acme.com")),
            ("fullName", T("Ann Lee")),
            ("enterpriseAccountId", T("acme")),
            ("mfaEnabled", F(true)),
            ("federated", F(false)),
            ("lastLoginOn", D("2024-06-30T08:00:00Z")),
        ],
    ),
    (
        "heroku_account_member",
        "bob",
        &[
            ("username", T("bob@acme.com")),
            ("name", T("bob@acme.com")),
            ("email", T("bob@acme.com")),
            ("fullName", T("Bob Roy")),
            ("enterpriseAccountId", T("acme")),
            ("mfaEnabled", F(false)),
            ("federated", F(false)),
        ],
    ),
    (
        "heroku_account_member",
        "cat",
        &[("username", T("Cat@Else.org")), ("name", T("Cat@Else.org")), ("email", T("Cat@Else.org"))],
    ),
    ("heroku_account_member", "dan", &[]),
    (
        "heroku_application",
        "api",
        &[
            ("name", T("api")),
            ("createdOn", D("2023-01-10")),
            ("releasedOn", D("2023-01-20")),
            ("teamId", T("core")),
            ("teamName", T("core")),
            ("owner", T("core@herokumanager.com")),
            ("spaceId", T("eu")),
            ("spaceName", T("eu")),
            ("locked", F(true)),
            ("maintenance", F(false)),
            ("repoSizeBytes", N(1000.0)),
            ("slugSizeBytes", N(300.0)),
            ("webLink", T("https://api.example.com/")),
            ("region", T("us")),
        ],
    ),
    (
        "heroku_application",
        "web",
        &[
            ("name", T("web")),
            ("createdOn", D("2023-06-15")),
            ("teamId", T("core")),
            ("teamName", T("core")),
            ("owner", T("core@herokumanager.com")),
            ("locked", F(false)),
            ("repoSizeBytes", N(3000.0)),
            ("slugSizeBytes", N(200.0)),
            ("webLink", T("https://web.example.com/")),
        ],
    ),
    (
        "heroku_application",
        "shop",
        &[
            ("name", T("shop")),
            ("createdOn", D("2024-02-01")),
            ("teamId", T("side")),
            ("teamName", T("side")),
            ("owner", T("side@herokumanager.com")),
            ("region", T("eu")),
        ],
    ),
    (
        "heroku_application",
        "blog",
        &[
            ("name", T("blog")),
            ("createdOn", D("2022-12-31T23:59:59Z")),
            ("owner", T("bob@acme.com")),
            ("ownerId", T("bob")),
            ("locked", F(false)),
            ("repoSizeBytes", N(500.0)),
        ],
    ),
    (
        "heroku_addon",
        "db",
        &[
            ("name", T("postgresql-flat-1")),
            ("applicationId", T("api")),
            ("applicationName", T("api")),
            ("service", T("heroku-postgresql")),
            ("plan", T("heroku-postgresql:standard-0")),
            ("priceCents", N(5000.0)),
            ("priceUnit", T("month")),
            ("category", L(&["platform"])),
            ("function", L(&[])),
            ("endpoints", L(&["https://addons.example.com/db"])),
        ],
    ),
    (
        "heroku_addon",
        "cache",
        &[
            ("name", T("redis-round-2")),
            ("applicationId", T("web")),
            ("applicationName", T("web")),
            ("service", T("heroku-redis")),
            ("priceCents", N(1500.0)),
            ("priceUnit", T("month")),
            ("category", L(&["platform"])),
            ("function", L(&[])),
        ],
    ),
    (
        "heroku_addon",
        "logs",
        &[
            ("name", T("papertrail-deep-3")),
            ("applicationId", T("api")),
            ("applicationName", T("api")),
            ("service", T("papertrail")),
            ("category", L(&["platform"])),
            ("function", L(&[])),
        ],
    ),
    (
        "heroku_space",
        "eu",
        &[("name", T("eu")), ("teamId", T("core")), ("teamName", T("core")), ("region", T("dublin"))],
    ),
    ("heroku_pipeline", "line", &[("name", T("line")), ("ownerId", T("core")), ("ownerType", T("team"))]),
    (
        "heroku_team_invitation",
        "eve",
        &[
            ("name", T("eve@acme.com")),
            ("email", T("eve@acme.com")),
            ("role", T("member")),
            ("teamId", T("core")),
            ("teamName", T("core")),
            ("invitedBy", T("ann@acme.com")),
        ],
    ),
    (
        "heroku_unresolved_member",
        "ghost",
        &[
            ("name", T("ghost@else.org")),
            ("email", T("ghost@else.org")),
            ("role", T("admin")),
            ("teamId", T("side")),
            ("teamName", T("side")),
        ],
    ),
    (
        "employee",
        "employee:1",
        &[
            ("name", T("Ann Lee")),
            ("emails", L(&["ann@acme.com", "a.lee@acme.com"])),
            ("aliases", L(&[])),
            ("email", T("ann@acme.com")),
            ("title", T("CTO")),
            ("department", T("Engineering")),
            ("active", F(true)),
            ("roster", T("hr")),
        ],
    ),
    (
        "employee",
        "employee:2",
        &[
            ("name", T("Bob Roy")),
            ("emails", L(&["bob@acme.com"])),
            ("aliases", L(&[])),
            ("email", T("bob@acme.com")),
            ("department", T("Sales")),
            ("active", F(false)),
            ("roster", T("hr")),
        ],
    ),
    (
        "employee",
        "employee:3",
        &[
            ("name", T("Zoe Roy")),
            ("emails", L(&["zoe@other.org"])),
            ("aliases", L(&["zed"])),
            ("email", T("zoe@other.org")),
            ("active", F(true)),
            ("roster", T("hr")),
        ],
    ),
];

/// From, verb, to, properties.
const RELATIONSHIPS: &[(&str, &str, &str, Properties)] = &[
    ("acme", "HAS", "ann", &[("permissions", L(&["view", "manage"]))]),
    ("acme", "HAS", "bob", &[("permissions", L(&["view"]))]),
    ("acme", "HAS", "core", &[]),
    ("core", "HAS", "ann", &[("role", T("admin"))]),
    ("core", "HAS", "bob", &[("role", T("member"))]),
    ("side", "HAS", "cat", &[("role", T("admin"))]),
    ("side", "HAS", "ann", &[("role", T("collaborator"))]),
    ("core", "OWNS", "api", &[]),
    ("core", "OWNS", "web", &[]),
    ("side", "OWNS", "shop", &[]),
    ("bob", "OWNS", "blog", &[]),
    ("api", "HAS", "db", &[]),
    ("web", "HAS", "cache", &[]),
    ("api", "HAS", "logs", &[]),
    ("bob", "ASSIGNED", "api", &[("permissions", L(&["view", "deploy"]))]),
    ("cat", "ASSIGNED", "api", &[("permissions", L(&["view"]))]),
    ("cat", "ASSIGNED", "blog", &[("permissions", L(&["collaborator"]))]),
    ("dan", "ASSIGNED", "web", &[("permissions", L(&["view"]))]),
    ("bob", "ASSIGNED", "eu", &[("permissions", L(&["create_apps"]))]),
    ("core", "HAS", "eu", &[]),
    ("eu", "HOSTS", "api", &[]),
    ("line", "CONTAINS", "api", &[("stage", T("production"))]),
    ("line", "CONTAINS", "web", &[("stage", T("staging"))]),
    ("api", "USES", "db", &[("attachmentName", T("DATABASE"))]),
    ("web", "USES", "db", &[("attachmentName", T("MAIN_DB"))]),
    ("web", "USES", "cache", &[("attachmentName", T("REDIS"))]),
    ("core", "HAS", "eve", &[]),
    ("side", "HAS", "ghost", &[]),
    ("ann", "IS", "employee:1", &[("matchedBy", T("email"))]),
    ("bob", "IS", "employee:2", &[("matchedBy", T("email"))]),
];

/// The company as entities and relationships.
#[must_use]
pub fn graph() -> Graph {
    let entities: Vec<Entity> = ENTITIES.iter().map(entity).collect();
    let relationships = RELATIONSHIPS.iter().filter_map(|(from, verb, to, known)| {
        let place = |key: &str| entities.iter().position(|entity| entity.key == key);
        let (start, end) = (place(from)?, place(to)?);
        let types = (&entities[start].entity_type, &entities[end].entity_type);
        let named = RELATIONSHIP_TYPES.iter().find(|known| {
            known.verb == *verb && (known.from, known.to) == (types.0.as_str(), types.1.as_str())
        })?;
        Some(Relationship {
            key: format!("{from}|{}|{to}", verb.to_lowercase()),
            relationship_type: named.name.to_owned(),
            verb: (*verb).to_owned(),
            from: start,
            to: end,
            computed: named.computed,
            properties: properties(known),
            metadata: metadata("heroku"),
        })
    });
    let relationships: Vec<Relationship> = relationships.collect();
    Graph::new(entities, relationships).unwrap_or_default()
}

fn entity((name, key, known): &(&str, &str, Properties)) -> Entity {
    let class = ENTITY_TYPES.iter().find(|known| known.name == *name).map(|known| known.class);
    let mut properties = properties(known);
    properties.insert("id".to_owned(), Value::text(key));
    if let Some(shown) = properties.get("name").cloned() {
        properties.insert("displayName".to_owned(), shown);
    }
    Entity {
        key: (*key).to_owned(),
        entity_type: (*name).to_owned(),
        classes: class.into_iter().map(str::to_owned).collect(),
        properties,
        metadata: metadata(if *name == "employee" { "roster" } else { "heroku" }),
    }
}

fn metadata(integration: &str) -> BTreeMap<String, Value> {
    let known = [
        ("_createdOn", Value::Number(SYNCED_MS)),
        ("_beginOn", Value::Number(SYNCED_MS)),
        ("_deleted", Value::Flag(false)),
        ("_version", Value::Number(1.0)),
        ("_integrationType", integration.into()),
        ("_source", "integration-managed".into()),
    ];
    known.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn properties(known: Properties) -> BTreeMap<String, Value> {
    let value = |value: &V| match value {
        T(text) => Value::text(text),
        N(number) => Value::Number(*number),
        F(flag) => Value::Flag(*flag),
        D(date) => dates::read(date).map_or(Value::Absent, Value::Number),
        L(texts) => Value::List(texts.iter().map(|text| Value::text(text)).collect()),
    };
    known.iter().map(|(name, known)| ((*name).to_owned(), value(known))).collect()
}
