//! A version as a graph in memory, for the evaluator.

use std::collections::BTreeMap;

use metsuke_engine::graph::Reader;
use metsuke_j1ql::evaluate::{Entity, Graph, Relationship};
use metsuke_model::Moment;
use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;
use metsuke_model::graph::{Employee, EntityType, Table, Value};
use metsuke_store::Store;

/// The newest version, which is the first one and was read at this time.
pub(crate) async fn graph(store: &Store, at: Moment) -> Graph {
    let mut snapshot = store.snapshot(None).await.unwrap().unwrap();
    let mut reader = Reader::new(&mut snapshot);
    let (mut entities, mut relationships) = (Vec::new(), Vec::new());
    let mut places = BTreeMap::new();
    for entity_type in &ENTITY_TYPES {
        for node in reader.nodes(entity_type).await.unwrap() {
            places.insert(node.dense, entities.len());
            entities.push(entity(entity_type, &node.key, node.properties.clone(), at));
        }
    }
    for known in &RELATIONSHIP_TYPES {
        for edge in reader.edges(known).await.unwrap() {
            relationships.push(Relationship {
                key: edge.key,
                relationship_type: known.name.to_owned(),
                verb: known.verb.to_owned(),
                from: places[&edge.from],
                to: places[&edge.to],
                computed: known.computed,
                properties: owned(edge.properties),
                metadata: metadata("heroku", at),
            });
        }
    }
    // People of a roster are no rows of a version, so they are read by themselves.
    let people = store.people().await.unwrap();
    if entities.iter().all(|entity| entity.entity_type != "employee") {
        let employee = EntityType::named("employee").unwrap();
        assert_eq!(employee.table, Table::Employees);
        for person in &people.employees {
            places.insert(person.dense, entities.len());
            entities.push(entity(employee, &person.key, properties(person), at));
        }
        for row in &people.matches {
            let (from, to) = (places[&row.user], places[&row.employee]);
            let by = row.by.unwrap().as_str();
            relationships.push(Relationship {
                key: format!("{}|is|{}", entities[from].key, entities[to].key),
                relationship_type: "heroku_account_member_is_employee".to_owned(),
                verb: "IS".to_owned(),
                from,
                to,
                properties: owned(vec![("matchedBy", by.into())]),
                metadata: metadata("heroku", at),
                ..Relationship::default()
            });
        }
    }
    Graph::new(entities, relationships).unwrap()
}

fn entity(known: &EntityType, key: &str, properties: Vec<(&'static str, Value)>, at: Moment) -> Entity {
    Entity {
        key: key.to_owned(),
        entity_type: known.name.to_owned(),
        classes: vec![known.class.to_owned()],
        properties: owned(properties),
        metadata: metadata(if known.name == "employee" { "roster" } else { "heroku" }, at),
    }
}

fn owned(properties: Vec<(&'static str, Value)>) -> BTreeMap<String, Value> {
    let present = properties.into_iter().filter(|(_, value)| !value.is_absent());
    present.map(|(name, value)| (name.to_owned(), value)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "times of this world are far below the exact range")]
fn metadata(integration: &str, at: Moment) -> BTreeMap<String, Value> {
    let time = Value::Number(at.0.div_euclid(1_000) as f64);
    owned(vec![
        ("_createdOn", time.clone()),
        ("_beginOn", time),
        ("_deleted", false.into()),
        ("_version", 1.0.into()),
        ("_integrationType", integration.into()),
        ("_source", "integration-managed".into()),
    ])
}

fn properties(person: &Employee) -> Vec<(&'static str, Value)> {
    let text = |text: &Option<Box<str>>| text.as_deref().map_or(Value::Absent, Value::text);
    let texts = |texts: &[Box<str>]| Value::List(texts.iter().map(|text| Value::text(text)).collect());
    vec![
        ("id", Value::text(&person.key)),
        ("name", Value::text(&person.name)),
        ("displayName", Value::text(&person.name)),
        ("firstName", text(&person.first_name)),
        ("lastName", text(&person.last_name)),
        ("emails", texts(&person.emails)),
        ("aliases", texts(&person.aliases)),
        ("username", text(&person.username)),
        ("email", person.emails.first().map_or(Value::Absent, |email| Value::text(email))),
        ("title", text(&person.title)),
        ("department", text(&person.department)),
        ("managerEmail", text(&person.manager_email)),
        ("employeeId", text(&person.employee_id)),
        ("employeeType", text(&person.employee_type)),
        ("active", person.active.into()),
        ("roster", Value::text(&person.roster)),
    ]
}
