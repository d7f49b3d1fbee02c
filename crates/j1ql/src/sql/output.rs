//! The outer part of a statement: functions, aggregates and what is sorted by.

use super::leaves::{Leaf, Leaves};
use super::term::{List, Term};
use super::value::{arithmetic, negative};
use super::writer::Writer;
use crate::plan::{Aggregate, Expr, Function, Place};

/// A value of the outer part.
pub(super) fn term(writer: &mut Writer<'_>, leaves: &mut Leaves, expr: &Expr) -> Term {
    match expr {
        Expr::Constant(value) => Term::constant(writer, value),
        Expr::Property(place, name) => leaves.term(*place, name),
        Expr::Whole(_) | Expr::Column(..) => Term::Absent,
        Expr::Arithmetic(operator, left, right) => {
            let (left, right) = (term(writer, leaves, left), term(writer, leaves, right));
            arithmetic(writer, *operator, &left, &right)
        }
        Expr::Negative(value) => negative(&term(writer, leaves, value)),
        Expr::Function(function, values) => {
            let values: Vec<Term> = values.iter().map(|value| term(writer, leaves, value)).collect();
            call(writer, *function, values)
        }
        Expr::Aggregate(aggregate, value) => {
            Term::Number(aggregated(writer, leaves, *aggregate, value.as_deref()))
        }
    }
}

fn call(writer: &mut Writer<'_>, function: Function, mut values: Vec<Term>) -> Term {
    let dialect = writer.dialect;
    match function {
        Function::Coalesce => coalesce(values),
        Function::Concat => {
            let parts: Vec<String> = values
                .iter()
                .filter_map(|value| as_text(writer, value))
                .map(|text| format!("COALESCE({text}, '')"))
                .collect();
            Term::Text(if parts.is_empty() { "''".to_owned() } else { format!("({})", parts.join(" || ")) })
        }
        Function::Merge => {
            let rows: Vec<String> = values
                .iter()
                .filter_map(|value| match value {
                    Term::List(List::Json(column)) => Some(dialect.each(column)),
                    Term::Flag(flag) => Some(dialect.one(flag, true)),
                    Term::Number(number) => Some(dialect.one_number(number)),
                    value => value.column(writer).map(|column| dialect.one(&column, false)),
                })
                .collect();
            if rows.is_empty() {
                return Term::List(List::Json("'[]'".to_owned()));
            }
            let rows = rows.join(" UNION ALL ");
            Term::List(List::Json(dialect.collected(&rows)))
        }
        Function::Abs | Function::Sqrt | Function::Ceil | Function::Floor | Function::Round => {
            let Some(Term::Number(number)) = values.pop() else { return Term::Absent };
            let number = dialect.real(&number);
            Term::Number(match function {
                Function::Abs => format!("abs({number})"),
                Function::Sqrt => format!("(CASE WHEN {number} >= 0 THEN sqrt({number}) END)"),
                Function::Ceil => format!("ceil({number})"),
                Function::Floor => format!("floor({number})"),
                _ => dialect.round(&number),
            })
        }
    }
}

/// The first that is there; the checker saw to it that all are of one type.
fn coalesce(values: Vec<Term>) -> Term {
    let mut present = values.into_iter().filter(|value| !matches!(value, Term::Absent)).peekable();
    let Some(first) = present.peek().cloned() else { return Term::Absent };
    let texts: Vec<String> = present
        .filter_map(|value| match value {
            Term::Text(text) | Term::Number(text) | Term::Flag(text) | Term::List(List::Json(text)) => {
                Some(text)
            }
            _ => None,
        })
        .collect();
    let text = format!("COALESCE({})", with_two(&texts));
    match first {
        Term::Number(_) => Term::Number(text),
        Term::Flag(_) => Term::Flag(text),
        Term::List(_) => Term::List(List::Json(text)),
        _ => Term::Text(text),
    }
}

/// SQLite's COALESCE wants two values at least.
fn with_two(texts: &[String]) -> String {
    match texts {
        [only] => format!("{only}, NULL"),
        texts => texts.join(", "),
    }
}

fn as_text(writer: &Writer<'_>, value: &Term) -> Option<String> {
    match value {
        Term::Absent => None,
        Term::Number(number) => Some(writer.dialect.number_text(&writer.dialect.real(number))),
        Term::Flag(flag) => Some(format!("CASE {flag} WHEN 0 THEN 'false' WHEN 1 THEN 'true' END")),
        Term::List(List::Json(column)) => Some(writer.dialect.joined(column)),
        value => value.text(writer),
    }
}

fn aggregated(
    writer: &mut Writer<'_>,
    leaves: &mut Leaves,
    aggregate: Aggregate,
    value: Option<&Expr>,
) -> String {
    if aggregate == Aggregate::Count {
        return match value {
            None => "count(*)".to_owned(),
            Some(Expr::Whole(Place::Entity(slot))) => {
                format!("count(DISTINCT q.{})", leaves.name(Leaf::Entity(*slot)))
            }
            Some(Expr::Whole(Place::Edge(edge))) => {
                format!("count(DISTINCT q.{})", leaves.name(Leaf::EdgeIdentity(*edge)))
            }
            Some(value) => match term(writer, leaves, value).column(writer) {
                Some(column) => format!("count(DISTINCT {column})"),
                None => format!("count({})", writer.dialect.null(super::dialect::Sort::Number)),
            },
        };
    }
    let number = match value.map(|value| term(writer, leaves, value)) {
        Some(Term::Number(number)) => Some(writer.dialect.real(&number)),
        _ => None,
    };
    let null = writer.dialect.null(super::dialect::Sort::Number);
    let number = number.unwrap_or_else(|| null.to_owned());
    match aggregate {
        Aggregate::Sum => format!("COALESCE(sum({number}), 0)"),
        Aggregate::Avg => format!("avg({number})"),
        Aggregate::Min => format!("min({number})"),
        Aggregate::Max | Aggregate::Count => format!("max({number})"),
    }
}
