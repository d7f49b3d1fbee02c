//! Properties of entities and relationships, as expressions over the tables.

use metsuke_model::graph::{EdgeSource, Metadata, Property, RelationSource, Source, Table, Value, ValueType};
use metsuke_model::{Kind, ResourceType};

use super::branch::{Branch, Hop, Node, Way};
use super::dialect::{Dialect, DocumentSort};
use super::from::{self, Bits};
use super::term::{List, Mask, Term};
use super::writer::Writer;
use crate::plan::{Place, PropertyName};

/// A property of what stands in a place of a branch.
pub(super) fn property(
    writer: &mut Writer<'_>,
    branch: &Branch<'_>,
    place: Place,
    name: &PropertyName,
) -> Term {
    match place {
        Place::Entity(slot) => match branch.node(slot).and_then(|node| Some((node, branch.nodes.get(node)?)))
        {
            Some((number, node)) => entity(writer, branch, (number, *node), name),
            None => Term::Absent,
        },
        Place::Edge(edge) => match branch.hop(edge).and_then(|hop| Some((hop, branch.hops.get(hop)?))) {
            Some((number, hop)) => relationship(writer, branch, (number, *hop), name),
            None => Term::Absent,
        },
    }
}

fn entity(
    writer: &mut Writer<'_>,
    branch: &Branch<'_>,
    (number, node): (usize, Node),
    name: &PropertyName,
) -> Term {
    let alias = format!("n{number}");
    match name {
        PropertyName::Own(name, _) => match node.entity_type.property(name) {
            Some(property) => match (&property.source, from::team_of(branch, number)) {
                // PostgreSQL takes columns of no other table where paths are grouped by the app.
                (Source::Referred("team", Kind::Team, there), Some(team))
                    if writer.dialect == Dialect::Sqlite =>
                {
                    typed(format!("{team}.{there}"), property.value_type)
                }
                _ => own(writer, &alias, node, property),
            },
            None => Term::Absent,
        },
        PropertyName::Metadata(metadata, _) => metadata_of(writer, &alias, node, *metadata),
        PropertyName::Tag(name) => tag(writer, node, name),
        PropertyName::Unknown(_) => Term::Absent,
    }
}

/// A tag that the caller puts on what Heroku has.
pub(super) fn tag(writer: &mut Writer<'_>, node: Node, name: &str) -> Term {
    match (name, node.entity_type.table) {
        (_, Table::Employees) => Term::Absent,
        ("AccountName", _) if writer.surroundings.tag_account_name => account_name(writer),
        ("Production", _) => match writer.surroundings.tag_production {
            Some(production) => Term::constant(writer, &Value::Flag(production)),
            None => Term::Absent,
        },
        _ => Term::Absent,
    }
}

fn account_name(writer: &mut Writer<'_>) -> Term {
    match &writer.surroundings.account_name {
        Some(name) => Term::Text(writer.text(&name.clone())),
        None => Term::Absent,
    }
}

/// A property of its own, for words to be looked for in it.
pub(super) fn own(writer: &mut Writer<'_>, alias: &str, node: Node, property: &Property) -> Term {
    source(writer, alias, node, &property.source, property.value_type)
}

fn source(
    writer: &mut Writer<'_>,
    alias: &str,
    node: Node,
    source_of: &Source,
    value_type: ValueType,
) -> Term {
    let dialect = writer.dialect;
    match source_of {
        Source::Id if node.entity_type.table == Table::Employees => Term::Text(format!("{alias}.key")),
        Source::Id => Term::Id(alias.to_owned(), node.entity_type.table.name()),
        Source::Column("email") if matches!(node.entity_type.table, Table::Objects(Kind::User)) => {
            Term::Email(format!("{alias}.email"))
        }
        Source::Column(column) => typed(format!("{alias}.{column}"), value_type),
        Source::Reference(column, kind) => Term::Reference(format!("{alias}.{column}"), kind.table()),
        Source::Referred(column, kind, there) => {
            let table = kind.table();
            typed(format!("(SELECT r.{there} FROM {table} r WHERE r.id = {alias}.{column})"), value_type)
        }
        Source::Document(path) => {
            let value = document(dialect, path, value_type);
            in_columns(
                format!("(SELECT {value} FROM properties d WHERE d.id = {alias}.properties)"),
                value_type,
            )
        }
        Source::JsonList(column) => Term::List(List::Json(format!("{alias}.{column}"))),
        Source::Suffixed(inner, suffix) => {
            match source(writer, alias, node, inner, value_type).text(writer) {
                Some(text) => Term::Text(format!("({text} || '{suffix}')")),
                None => Term::Absent,
            }
        }
        Source::FirstOf(sources) => {
            let texts: Vec<String> = sources
                .iter()
                .filter_map(|inner| source(writer, alias, node, inner, value_type).text(writer))
                .collect();
            Term::Text(format!("COALESCE({})", texts.join(", ")))
        }
        Source::One(inner) => match source(writer, alias, node, inner, ValueType::Text).text(writer) {
            Some(text) => Term::List(List::One(text)),
            None => Term::Absent,
        },
        Source::Text(text) => Term::Text(writer.text(text)),
        Source::Texts(texts) => Term::List(List::Fixed(texts.to_vec())),
        Source::EnterpriseAccount => Term::Text(format!(
            "(SELECT {} FROM held h JOIN enterprise_account r ON r.id = h.resource_id \
             WHERE h.principal_id = {alias}.id AND r.gone IS NULL ORDER BY r.id LIMIT 1)",
            dialect.id_text("r.uuid")
        )),
    }
}

/// A value in the document `d.document`.
pub(super) fn in_document(dialect: Dialect, path: &[&str], value_type: ValueType) -> Term {
    in_columns(format!("({})", document(dialect, path, value_type)), value_type)
}

fn document(dialect: Dialect, path: &[&str], value_type: ValueType) -> String {
    let sort = match value_type {
        ValueType::Number | ValueType::Time => DocumentSort::Number,
        ValueType::Flag => DocumentSort::Flag,
        ValueType::Text | ValueType::Texts => DocumentSort::Text,
    };
    dialect.document("d.document", path, sort)
}

/// As [`typed`], but for times, which documents hold in milliseconds.
fn in_columns(expression: String, value_type: ValueType) -> Term {
    typed(expression, if value_type == ValueType::Time { ValueType::Number } else { value_type })
}

/// A column as what it holds; times are kept in microseconds.
fn typed(expression: String, value_type: ValueType) -> Term {
    match value_type {
        ValueType::Text => Term::Text(expression),
        ValueType::Number => Term::Number(expression),
        ValueType::Time => Term::Number(format!("({expression} / 1000)")),
        ValueType::Flag => Term::Flag(expression),
        ValueType::Texts => Term::List(List::Json(expression)),
    }
}

/// When the sync of a version ended.
fn moment_of(version: &str) -> Term {
    Term::Number(format!("(SELECT s.finished_at / 1000 FROM sync s WHERE s.id = {version})"))
}

fn metadata_of(writer: &mut Writer<'_>, alias: &str, node: Node, metadata: Metadata) -> Term {
    let roster = node.entity_type.table == Table::Employees;
    match metadata {
        Metadata::Key if roster => Term::Text(format!("{alias}.key")),
        Metadata::Key => Term::Id(alias.to_owned(), node.entity_type.table.name()),
        Metadata::Type => Term::List(List::Fixed(vec![node.entity_type.name])),
        Metadata::Class => Term::List(List::Fixed(vec![node.entity_type.class])),
        Metadata::IntegrationType => Term::Text(if roster { "'roster'" } else { "'heroku'" }.to_owned()),
        Metadata::IntegrationName if roster => Term::Absent,
        Metadata::IntegrationName => account_name(writer),
        Metadata::Source => Term::Text("'integration-managed'".to_owned()),
        Metadata::Deleted if roster => Term::Flag("0".to_owned()),
        Metadata::Deleted => Term::Flag(format!("CASE WHEN {alias}.gone IS NULL THEN 0 ELSE 1 END")),
        Metadata::CreatedOn | Metadata::BeginOn | Metadata::EndOn => {
            entity_version(alias, metadata).map_or(Term::Absent, |version| moment_of(&version))
        }
        Metadata::Version => Term::Number(format!("{alias}.edition")),
    }
}

/// The version at whose sync's end the time lies that a property of an entity tells.
fn entity_version(alias: &str, metadata: Metadata) -> Option<String> {
    match metadata {
        Metadata::CreatedOn => Some(format!("{alias}.since")),
        Metadata::BeginOn => {
            Some(format!("(CASE {alias}.begun WHEN 0 THEN {alias}.since ELSE {alias}.begun END)"))
        }
        Metadata::EndOn => Some(format!("{alias}.gone")),
        _ => None,
    }
}

/// The same of what stands in a place; `None` where the property is no such time.
pub(super) fn version(branch: &Branch<'_>, place: Place, name: &PropertyName) -> Option<String> {
    let PropertyName::Metadata(metadata, _) = name else { return None };
    match place {
        Place::Entity(slot) => entity_version(&format!("n{}", branch.node(slot)?), *metadata),
        Place::Edge(edge) => {
            let number = branch.hop(edge)?;
            let told = matches!(metadata, Metadata::CreatedOn | Metadata::BeginOn);
            if told { from::since(branch, (number, *branch.hops.get(number)?)) } else { None }
        }
    }
}

fn relationship(
    writer: &mut Writer<'_>,
    branch: &Branch<'_>,
    (number, hop): (usize, Hop),
    name: &PropertyName,
) -> Term {
    match name {
        PropertyName::Own(name, value_type) => match hop.relationship.property(name) {
            Some(property) => edge_source((number, hop), property.source, *value_type),
            None => Term::Absent,
        },
        PropertyName::Metadata(metadata, _) => edge_metadata(writer, branch, (number, hop), *metadata),
        PropertyName::Tag(_) | PropertyName::Unknown(_) => Term::Absent,
    }
}

fn edge_source((number, hop): (usize, Hop), source: EdgeSource, value_type: ValueType) -> Term {
    match source {
        EdgeSource::Column(column) => typed(format!("e{number}.{column}"), value_type),
        EdgeSource::Via => match hop.way.word() {
            Some(word) => Term::Text(format!("'{word}'")),
            None => Term::Absent,
        },
        EdgeSource::Entitlements => Term::List(List::Mask(mask((number, hop)))),
        EdgeSource::Role => Term::Role(mask((number, hop))),
    }
}

/// The entitlements that a relationship stands for.
pub(super) fn mask((number, hop): (usize, Hop)) -> Mask {
    let rows = || Some((format!("e{number}.resource_id"), format!("e{number}.principal_id")));
    match hop.relationship.source {
        RelationSource::Access { resource, .. } => {
            let bits = Bits { row: Some(format!("e{number}.mask")), ..Bits::default() };
            Mask { bits, resource, other: rows() }
        }
        _ => Mask {
            bits: from::effective_bits(number, hop),
            resource: ResourceType::App,
            other: (hop.way == Way::Direct).then(rows).flatten(),
        },
    }
}

fn edge_metadata(
    writer: &mut Writer<'_>,
    branch: &Branch<'_>,
    (number, hop): (usize, Hop),
    metadata: Metadata,
) -> Term {
    match metadata {
        Metadata::Key => Term::Text(edge_key(writer, branch, (number, hop))),
        Metadata::Type => Term::List(List::Fixed(vec![hop.relationship.name])),
        Metadata::Class => Term::List(List::Fixed(vec![hop.relationship.verb])),
        Metadata::CreatedOn | Metadata::BeginOn => match from::since(branch, (number, hop)) {
            Some(since) => moment_of(&since),
            None => Term::Absent,
        },
        Metadata::EndOn => Term::Absent,
        Metadata::Deleted => Term::Flag("0".to_owned()),
        Metadata::Version => Term::Number("1".to_owned()),
        Metadata::IntegrationType => Term::Text("'heroku'".to_owned()),
        Metadata::IntegrationName => account_name(writer),
        Metadata::Source => Term::Text("'integration-managed'".to_owned()),
    }
}

/// `from|verb|to`, with a further part where there can be several between the same two.
fn edge_key(writer: &mut Writer<'_>, branch: &Branch<'_>, (number, hop): (usize, Hop)) -> String {
    let end = |node: usize| {
        let Some(at) = branch.nodes.get(node) else { return "''".to_owned() };
        match at.entity_type.table {
            Table::Employees => format!("n{node}.key"),
            Table::Objects(_) => writer.dialect.id_text(&format!("n{node}.uuid")),
        }
    };
    let (from, to) = (end(hop.from), end(hop.to));
    let verb = hop.relationship.verb.to_lowercase();
    let more = match hop.relationship.source {
        RelationSource::Effective => hop.way.word().map_or_else(String::new, |word| format!(" || '|{word}'")),
        RelationSource::Junction { kind, from: one, to: other } => {
            let row = format!("e{number}");
            let id = writer.dialect.id_text(&format!("{row}.uuid"));
            let named = kind == Kind::Attachment;
            let name = if named { format!(" || '|' || COALESCE({row}.name, {id})") } else { String::new() };
            let same_name = if named { format!(" AND x.name = {row}.name") } else { String::new() };
            format!(
                "{name} || CASE WHEN EXISTS (SELECT 1 FROM {} x WHERE x.{one} = {row}.{one} \
                 AND x.{other} = {row}.{other}{same_name} AND x.gone IS NULL AND x.id < {row}.id) \
                 THEN '|' || {id} ELSE '' END",
                kind.table()
            )
        }
        _ => String::new(),
    };
    format!("({from} || '|{verb}|' || {to}{more})")
}
