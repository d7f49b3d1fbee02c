//! The graph of a version: its relationships hang together, and say what Heroku holds.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use metsuke_engine::access::GrantFilter;
use metsuke_engine::graph::{Edge, Node, Reader};
use metsuke_model::ResourceType;
use metsuke_model::grant::PrincipalKind;
use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;
use metsuke_model::graph::{EntityType, Value};
use metsuke_simulator::{Options, Size};
use serde_json::json;

use crate::house::{House, Line};

struct Whole {
    nodes: BTreeMap<&'static str, Vec<Node>>,
    edges: BTreeMap<&'static str, Vec<Edge>>,
}

async fn whole(house: &House) -> Whole {
    let mut snapshot = house.snapshot(None).await;
    let mut reader = Reader::new(&mut snapshot).with_rows();
    let mut whole = Whole { nodes: BTreeMap::new(), edges: BTreeMap::new() };
    for entity in &ENTITY_TYPES {
        whole.nodes.insert(entity.name, reader.nodes(entity).await.unwrap().collect());
    }
    for relationship in &RELATIONSHIP_TYPES {
        whole.edges.insert(relationship.name, reader.edges(relationship).await.unwrap().collect());
    }
    whole
}

fn texts(edge: &Edge, name: &str) -> Vec<String> {
    match edge.property(name) {
        Some(Value::List(values)) => {
            values.iter().map(|value| value.to_json().as_str().unwrap().to_owned()).collect()
        }
        Some(Value::Text(text)) => vec![text.to_string()],
        _ => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_relationship_has_both_its_ends_and_a_key_of_its_own() {
    for size in [Size::Small, Size::Awkward] {
        let house = House::on_sqlite(Options::of(size).seed(5)).await;
        house.sync().await;
        let Whole { nodes, edges } = whole(&house).await;
        let mut keys = HashSet::new();
        for (name, nodes) in &nodes {
            let entity = EntityType::named(name).unwrap();
            for node in nodes {
                assert!(keys.insert(node.key.clone()), "{name} {}", node.key);
                assert!(node.property("id").is_some(), "{name}");
                for (property, value) in &node.properties {
                    assert!(
                        entity.property(property).is_some() && !value.is_absent(),
                        "{property} of {name}"
                    );
                }
            }
        }
        for relationship in &RELATIONSHIP_TYPES {
            let there = |name: &str| -> HashSet<i64> { nodes[name].iter().map(|node| node.dense).collect() };
            let (from, to) = (there(relationship.from), there(relationship.to));
            for edge in &edges[relationship.name] {
                assert!(from.contains(&edge.from) && to.contains(&edge.to), "{}", edge.key);
                assert!(keys.insert(edge.key.clone()), "{}", edge.key);
                let start = format!("{}|{}|{}", edge.from_key, relationship.verb.to_lowercase(), edge.to_key);
                assert!(edge.key.starts_with(&start), "{}", edge.key);
            }
        }
        for (name, edges) in &edges {
            let may_be_empty = ["heroku_account_member_is_employee", "heroku_team_has_unresolved_member"];
            assert!(!edges.is_empty() || size == Size::Small || may_be_empty.contains(name), "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn direct_relationships_are_exactly_what_heroku_holds() {
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(5)).await;
    house.sync().await;
    let Whole { edges, .. } = whole(&house).await;
    let mut found: BTreeSet<Line> = BTreeSet::new();
    for (name, resource, property, resource_first) in [
        ("heroku_account_has_member", ResourceType::EnterpriseAccount, "permissions", true),
        ("heroku_team_has_account_member", ResourceType::Team, "role", true),
        ("heroku_account_member_assigned_application", ResourceType::App, "permissions", false),
    ] {
        for edge in &edges[name] {
            let (on, who) =
                if resource_first { (&edge.from_key, &edge.to_key) } else { (&edge.to_key, &edge.from_key) };
            let mut held = texts(edge, property);
            if held.is_empty() && resource == ResourceType::Team {
                held.push("unknown".into());
            }
            found.extend(
                held.into_iter().map(|slug| (resource.as_str().to_owned(), on.clone(), slug, who.clone())),
            );
        }
    }
    assert_eq!(found, house.truth());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ways_to_an_app_together_give_what_the_answers_say() {
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(5)).await;
    house.sync().await;
    let Whole { edges, .. } = whole(&house).await;
    let mut found: BTreeSet<Line> = BTreeSet::new();
    for edge in &edges["heroku_account_member_accesses_application"] {
        let via = texts(edge, "via").remove(0);
        assert!(["direct", "owner", "team admin", "team member", "team viewer"].contains(&&*via), "{via}");
        assert!(edge.key.ends_with(&format!("|{via}")));
        let permissions = texts(edge, "permissions");
        assert!(!permissions.is_empty());
        found.extend(
            permissions
                .into_iter()
                .map(|slug| ("app".into(), edge.to_key.clone(), slug, edge.from_key.clone())),
        );
    }
    let filter = GrantFilter { effective: true, ..GrantFilter::default() };
    let said: BTreeSet<Line> = house
        .lines(&filter, None)
        .await
        .iter()
        .filter(|grant| grant.resource.resource_type == ResourceType::App)
        .filter(|grant| grant.principal.kind == PrincipalKind::User)
        .map(crate::house::line)
        .collect();
    assert_eq!(found, said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_rebuilt_in_herokus_shape_and_holds_no_secret() {
    let house = House::on_sqlite(Options::of(Size::Small).seed(5)).await;
    house.sync().await;
    let Whole { nodes, .. } = whole(&house).await;
    let app = nodes["heroku_application"].iter().find(|node| node.property("teamId").is_some()).unwrap();
    let row = app.row.as_ref().unwrap();
    assert_eq!(row["id"], json!(app.key));
    assert_eq!(row["team"]["id"], app.property("teamId").unwrap().to_json());
    assert_eq!(row["team"]["name"], app.property("teamName").unwrap().to_json());
    assert_eq!(row["region"], json!({ "name": "us" }));
    let created = app.property("createdOn").unwrap().to_json().as_i64().unwrap();
    let told = metsuke_model::Moment::parse(row["created_at"].as_str().unwrap()).unwrap();
    assert_eq!(told.0 / 1_000, created);
    let member =
        nodes["heroku_account_member"].iter().find(|node| node.property("enterpriseAccountId").is_some());
    let row = member.unwrap().row.as_ref().unwrap();
    assert_eq!(row["user"]["id"], json!(member.unwrap().key));
    assert!(
        row["enterprise_account"]["name"].is_string() && row["permissions"][0]["name"].is_string(),
        "{row:?}"
    );
    for node in nodes.values().flatten() {
        let row = serde_json::to_string(&node.row).unwrap();
        assert!(!row.contains(house.simulator.token()) && !row.contains("own_account"), "{row}");
    }
}
