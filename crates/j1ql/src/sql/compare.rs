//! One comparison, by what its two sides are.
//!
//! Invariant: values of different types are never equal, and only texts and elements of lists are searched in.

use metsuke_model::access::Entitlement;
use metsuke_model::graph::{Metadata, Source, Table, Value, ValueType};
use metsuke_model::{HerokuId, Kind};

use super::branch::Branch;
use super::term::{List, Mask, OTHER, Term};
use super::truth::Truth;
use super::value::term;
use super::writer::Writer;
use super::{property, selective};
use crate::plan::{
    ColumnValue, Comparison, Expr, Match, Operand, Output, OutputColumn, Place, Plan, PropertyName,
};

/// One comparison in a branch.
pub(super) fn compare(writer: &mut Writer<'_>, branch: &Branch<'_>, comparison: &Comparison) -> Truth {
    if let Some((column, test)) = of_document(writer, branch, comparison) {
        return such_document(&column, test);
    }
    if let Some(test) = of_version(writer, branch, comparison) {
        return test;
    }
    let left = term(writer, branch, &comparison.left);
    against(writer, branch, &left, comparison)
}

/// A comparison of a time at which a sync ended with a fixed one: asked of each sync once, and not once for each row
/// that it brought; not where few rows are looked at.
fn of_version(writer: &mut Writer<'_>, branch: &Branch<'_>, comparison: &Comparison) -> Option<Truth> {
    let Expr::Property(place, name) = &comparison.left else { return None };
    let Operand::Value(value) = &comparison.right else { return None };
    let mut places = Vec::new();
    value.places(&mut places);
    if branch.few || !places.is_empty() {
        return None;
    }
    let version = property::version(branch, *place, name)?;
    let ended = Term::Number("(s.finished_at / 1000)".to_owned());
    Some(match against(writer, branch, &ended, comparison) {
        Truth::Sql(test) => Truth::sql(format!("{version} IN (SELECT s.id FROM sync s WHERE {test})")),
        known => known,
    })
}

/// A term and the right side of a comparison.
fn against(writer: &mut Writer<'_>, branch: &Branch<'_>, left: &Term, comparison: &Comparison) -> Truth {
    match &comparison.right {
        Operand::Undefined => undefined(writer, left),
        Operand::Regex { pattern, ignore_case } => {
            let pattern = writer.text(&writer.dialect.pattern(pattern, *ignore_case));
            any_text(writer, left, |writer, text| writer.dialect.matches(text, &pattern, *ignore_case))
        }
        Operand::Query(query) => {
            if let Some(ids) = among_objects(writer, branch, left, query) {
                return ids;
            }
            let Some((select, value_type)) = (writer.subquery)(writer, query) else { return Truth::No };
            among(writer, left, &select, value_type)
        }
        Operand::Value(value) => {
            match (value, comparison.operator) {
                (Expr::Constant(Value::Text(text)), Match::Equal) => return equal_text(writer, left, text),
                (Expr::Constant(Value::Text(end)), Match::EndsWith) if !end.is_empty() => {
                    let end = writer.text(end);
                    return any_text(writer, left, |writer, text| writer.dialect.ends_with(text, &end, true));
                }
                _ => {}
            }
            let right = term(writer, branch, value);
            values(writer, branch, (left, comparison.operator, &right))
        }
    }
}

/// What a comparison asks of the JSON document of a node, and the column that refers to it: `d` stands for the document's
/// row. Few documents belong to many objects, so that it is better asked of each document once; not where few objects
/// are looked at, or are there at all.
pub(super) fn of_document(
    writer: &mut Writer<'_>,
    branch: &Branch<'_>,
    comparison: &Comparison,
) -> Option<(String, Truth)> {
    let Expr::Property(Place::Entity(slot), PropertyName::Own(name, _)) = &comparison.left else {
        return None;
    };
    let number = branch.node(*slot).filter(|_| !branch.few)?;
    let entity_type = branch.nodes.get(number)?.entity_type;
    if matches!(entity_type.table, Table::Objects(Kind::Space | Kind::Pipeline | Kind::EnterpriseAccount)) {
        return None;
    }
    let known = entity_type.property(name)?;
    let Source::Document(path) = known.source else { return None };
    let fixed = matches!(
        comparison.right,
        Operand::Undefined | Operand::Regex { .. } | Operand::Value(Expr::Constant(_))
    );
    fixed.then(|| {
        let left = property::in_document(writer.dialect, path, known.value_type);
        (format!("n{number}.properties"), against(writer, branch, &left, comparison))
    })
}

/// Whether a column refers to a document of which something holds.
pub(super) fn such_document(column: &str, test: Truth) -> Truth {
    match test {
        Truth::Sql(test) => Truth::sql(format!("{column} IN (SELECT d.id FROM properties d WHERE {test})")),
        known => known,
    }
}

fn undefined(writer: &mut Writer<'_>, left: &Term) -> Truth {
    match left {
        Term::Absent => Truth::Yes,
        Term::Text(text)
        | Term::Number(text)
        | Term::Flag(text)
        | Term::Email(text)
        | Term::Reference(text, _)
        | Term::List(List::One(text) | List::Json(text)) => Truth::sql(format!("{text} IS NULL")),
        Term::Id(..) | Term::List(List::Fixed(_)) => Truth::No,
        Term::Role(_) => match left.text(writer) {
            Some(text) => Truth::sql(format!("{text} IS NULL")),
            None => Truth::Yes,
        },
        Term::List(List::Mask(mask)) => Truth::sql(format!("{} IS NULL", mask.bits.sql())),
    }
}

/// Equal to a fixed text: where there is an index, so that it is used.
fn equal_text(writer: &mut Writer<'_>, left: &Term, text: &str) -> Truth {
    match left {
        Term::Id(alias, _) => {
            let bytes = writer.bytes(HerokuId::new(text).to_bytes());
            Truth::sql(format!("{alias}.uuid = {bytes}"))
        }
        Term::Reference(column, table) => {
            let bytes = writer.bytes(HerokuId::new(text).to_bytes());
            Truth::sql(format!("{column} = (SELECT r.id FROM {table} r WHERE r.uuid = {bytes})"))
        }
        Term::Email(email) if text.is_ascii() => {
            let wanted = writer.text(text);
            Truth::sql(format!("(lower({email}) = lower({wanted}) AND {email} = {wanted})"))
        }
        Term::Role(mask) => {
            let role = mask.resource.entitlement(text).filter(|role| *role != Entitlement::UNKNOWN);
            if let Some(role) = role {
                Truth::sql(mask.is_role(role))
            } else {
                let wanted = writer.text(text);
                Truth::sql(format!("{} = {wanted}", mask.role()))
            }
        }
        Term::List(List::Mask(mask)) => equal_slug(writer, mask, text),
        Term::List(List::Fixed(texts)) => {
            if texts.contains(&text) {
                Truth::Yes
            } else {
                Truth::No
            }
        }
        _ => {
            let wanted = writer.text(text);
            any_text(writer, left, |_, text| format!("{text} = {wanted}"))
        }
    }
}

fn equal_slug(writer: &mut Writer<'_>, mask: &Mask, text: &str) -> Truth {
    match (mask.resource.entitlement(text), mask.other_rows()) {
        (Some(entitlement), _) => mask.bits.any(entitlement.mask().0),
        (None, Some(rows)) => {
            let wanted = writer.text(text);
            Truth::sql(format!(
                "(({} & {OTHER}) <> 0 AND EXISTS (SELECT 1 {rows} AND o.slug = {wanted}))",
                mask.bits.sql()
            ))
        }
        (None, None) => Truth::No,
    }
}

/// Whether any text of a value is such.
fn any_text(writer: &mut Writer<'_>, left: &Term, is: impl Fn(&Writer<'_>, &str) -> String) -> Truth {
    match left {
        Term::List(list) => elements(writer, list, is),
        term => match term.text(writer) {
            Some(text) => Truth::Sql(is(writer, &text)),
            None => Truth::No,
        },
    }
}

/// Whether any element of a list is such.
pub(super) fn elements(
    writer: &mut Writer<'_>,
    list: &List,
    is: impl Fn(&Writer<'_>, &str) -> String,
) -> Truth {
    match list {
        List::One(text) => Truth::Sql(is(writer, text)),
        List::Fixed(texts) => {
            let parts: Vec<Truth> = texts
                .iter()
                .map(|text| {
                    let text = writer.text(text);
                    Truth::Sql(is(writer, &text))
                })
                .collect();
            Truth::any(parts)
        }
        list => {
            let rows = list_rows(writer, list);
            let test = is(writer, "v.value");
            Truth::Sql(format!("EXISTS (SELECT 1 FROM ({rows}) v WHERE {test})"))
        }
    }
}

/// The elements of a list as rows of one column `value`.
fn list_rows(writer: &mut Writer<'_>, list: &List) -> String {
    match list {
        List::Fixed(texts) => {
            let rows: Vec<String> =
                texts.iter().map(|text| format!("SELECT {} AS value", writer.text(text))).collect();
            if rows.is_empty() {
                "SELECT '' AS value WHERE FALSE".to_owned()
            } else {
                rows.join(" UNION ALL ")
            }
        }
        List::One(text) => format!("SELECT {text} AS value WHERE {text} IS NOT NULL"),
        List::Json(column) => writer.dialect.each_text(column),
        List::Mask(mask) => {
            let bits = mask.bits.sql();
            let mut rows: Vec<String> = mask
                .resource
                .entitlements()
                .iter()
                .map(|entitlement| {
                    let (slug, bit) = (entitlement.slug(), entitlement.mask().0);
                    format!("SELECT '{slug}' AS value WHERE ({bits} & {bit}) <> 0")
                })
                .collect();
            rows.extend(
                mask.other_rows()
                    .map(|other| format!("SELECT o.slug AS value {other} AND ({bits} & {OTHER}) <> 0")),
            );
            rows.join(" UNION ALL ")
        }
    }
}

/// Two values of a branch.
fn values(
    writer: &mut Writer<'_>,
    branch: &Branch<'_>,
    (left, operator, right): (&Term, Match, &Term),
) -> Truth {
    match (left, right) {
        (Term::Number(left), Term::Number(right)) => {
            let operator = match operator {
                Match::Equal => "=",
                Match::Greater => ">",
                Match::Less => "<",
                Match::GreaterOrEqual => ">=",
                Match::LessOrEqual => "<=",
                Match::Contains | Match::StartsWith | Match::EndsWith => return Truth::No,
            };
            Truth::sql(format!("{left} {operator} {right}"))
        }
        (Term::Id(..) | Term::Reference(..), Term::Id(..) | Term::Reference(..))
            if operator == Match::Equal =>
        {
            let (Some((left, table)), Some((right, other))) = (left.object(branch), right.object(branch))
            else {
                return Truth::No;
            };
            if table == other {
                return Truth::sql(format!("{left} = {right}"));
            }
            let bytes = |id, table| format!("(SELECT r.uuid FROM {table} r WHERE r.id = {id})");
            Truth::sql(format!("{} = {}", bytes(left, table), bytes(right, other)))
        }
        (Term::Flag(left), Term::Flag(right)) if operator == Match::Equal => {
            Truth::sql(format!("{left} = {right}"))
        }
        (Term::Absent | Term::Number(_) | Term::Flag(_), _)
        | (_, Term::Absent | Term::Number(_) | Term::Flag(_)) => Truth::No,
        (left, Term::List(right)) => {
            let rows = list_rows(writer, right);
            any_text(writer, left, |writer, text| match text_match(writer, operator, text, "w.value") {
                Some(test) => format!("EXISTS (SELECT 1 FROM ({rows}) w WHERE {test})"),
                None => "FALSE".to_owned(),
            })
        }
        (left, right) => {
            let Some(right) = right.text(writer) else { return Truth::No };
            any_text(writer, left, |writer, text| {
                text_match(writer, operator, text, &right).unwrap_or_else(|| "FALSE".to_owned())
            })
        }
    }
}

/// Two texts; `None` where the operator is for numbers.
fn text_match(writer: &Writer<'_>, operator: Match, text: &str, other: &str) -> Option<String> {
    Some(match operator {
        Match::Equal => format!("{text} = {other}"),
        Match::Contains => writer.dialect.contains(text, other),
        Match::StartsWith => writer.dialect.starts_with(text, other),
        Match::EndsWith => writer.dialect.ends_with(text, other, false),
        Match::Greater | Match::Less | Match::GreaterOrEqual | Match::LessOrEqual => return None,
    })
}

/// Whether an object is among those whose ids another query returns, where both are of one table: by dense ids.
fn among_objects(writer: &mut Writer<'_>, branch: &Branch<'_>, left: &Term, query: &Plan) -> Option<Truth> {
    let is_reference = matches!(left, Term::Reference(..));
    let (left, table) = left.object(branch)?;
    let Output::Table(columns) = &query.output else { return None };
    let [OutputColumn { value: ColumnValue::Scalar(Expr::Property(Place::Entity(slot), name)), .. }] =
        &columns[..]
    else {
        return None;
    };
    let [candidate] = &query.slots.get(*slot)?.candidates[..] else { return None };
    let is_id = match name {
        PropertyName::Own(name, _) => {
            candidate.entity_type.property(name).is_some_and(|known| matches!(known.source, Source::Id))
        }
        PropertyName::Metadata(metadata, _) => *metadata == Metadata::Key,
        PropertyName::Tag(_) | PropertyName::Unknown(_) => false,
    };
    if !is_id || !candidate.entity_type.table.is_heroku() || candidate.entity_type.table.name() != table {
        return None;
    }
    // By the index of a reference one would come to nearly all objects, or past the few of which is asked.
    let past = branch.few || (is_reference && selective::finds_many(query));
    let left = if past { writer.dialect.unindexed(&left) } else { left };
    let mut query = query.clone();
    if let Output::Table(columns) = &mut query.output {
        for column in columns {
            column.value = ColumnValue::Whole(Place::Entity(*slot));
        }
    }
    let select = (writer.subquery)(writer, &query)?.0;
    Some(Truth::sql(format!("{left} IN ({select})")))
}

/// Whether a value is among those that another query returns.
fn among(writer: &mut Writer<'_>, left: &Term, select: &str, value_type: Option<ValueType>) -> Truth {
    match (left, value_type) {
        (Term::Number(number), Some(ValueType::Number | ValueType::Time)) => {
            Truth::sql(format!("{} IN ({select})", writer.dialect.real(number)))
        }
        (Term::Flag(flag), Some(ValueType::Flag)) => Truth::sql(format!("{flag} IN ({select})")),
        (Term::Absent | Term::Number(_) | Term::Flag(_), _) => Truth::No,
        (left, Some(ValueType::Text)) => any_text(writer, left, |_, text| format!("{text} IN ({select})")),
        (left, Some(ValueType::Texts)) => {
            let rows = writer.dialect.each_text("w.o0");
            any_text(writer, left, |_, text| {
                format!("EXISTS (SELECT 1 FROM ({select}) w WHERE {text} IN ({rows}))")
            })
        }
        _ => Truth::No,
    }
}
