//! Conditions as expressions that are true, or anything else.
//!
//! A comparison with what is absent is no comparison: it is NULL here, which counts as false. A negation turns that
//! around with COALESCE, so that there is no third case.

use super::branch::{Branch, Requirement};
use super::compare::{compare, elements};
use super::term::Term;
use super::truth::Truth;
use super::writer::Writer;
use super::{from, property};
use crate::plan::{Condition, Mark};

/// A condition in a branch.
pub(super) fn condition(writer: &mut Writer<'_>, branch: &Branch<'_>, condition_of: &Condition) -> Truth {
    match condition_of {
        Condition::Constant(true) => Truth::Yes,
        Condition::Constant(false) => Truth::No,
        Condition::And(parts) => {
            Truth::all(parts.iter().map(|part| condition(writer, branch, part)).collect::<Vec<_>>())
        }
        Condition::Or(parts) => {
            Truth::any(parts.iter().map(|part| condition(writer, branch, part)).collect::<Vec<_>>())
        }
        Condition::Not(part) => condition(writer, branch, part).not(),
        Condition::Compare(comparison) => compare(writer, branch, comparison),
    }
}

/// Everything that a branch requires beside its joins.
pub(super) fn requirements(writer: &mut Writer<'_>, branch: &Branch<'_>) -> Truth {
    let mut parts = Vec::new();
    for requirement in &branch.must {
        let part = match requirement {
            Requirement::Filter(filter) => condition(writer, branch, filter),
            Requirement::Marks(node, sets) => marks(writer, branch, *node, sets),
            Requirement::These(node, ids) => these(writer, *node, ids),
            Requirement::Any(ways) => {
                let ways: Vec<Truth> = ways.iter().map(|way| exists(writer, way)).collect();
                Truth::any(ways)
            }
            Requirement::Among(ways, slot) => {
                let at = branch.at;
                let ways: Vec<Truth> = ways.iter().map(|way| among_ids(writer, way, at, *slot)).collect();
                Truth::any(ways)
            }
            Requirement::None(ways) => {
                let ways: Vec<Truth> = ways.iter().map(|way| exists(writer, way)).collect();
                Truth::any(ways).not()
            }
        };
        if part == Truth::No {
            return Truth::No;
        }
        parts.push(part);
    }
    Truth::all(parts)
}

/// Whether a node is one of some entities.
fn these(writer: &mut Writer<'_>, node: usize, ids: &[i64]) -> Truth {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let list = writer.text(&format!("[{}]", ids.join(",")));
    Truth::sql(format!("n{node}.id IN ({})", writer.dialect.each_id(&list)))
}

/// Whether a continuation is there.
fn exists(writer: &mut Writer<'_>, branch: &Branch<'_>) -> Truth {
    let required = requirements(writer, branch);
    if required == Truth::No || branch.nodes.len() == branch.own.0 {
        return required;
    }
    let start = branch.own.0.saturating_sub(1);
    let mut from = from::from(branch, start, writer.surroundings.include_deleted);
    if let Truth::Sql(text) = required {
        from.conditions.push(text);
    }
    Truth::Sql(format!(
        "EXISTS (SELECT 1 FROM {} WHERE {})",
        from.tables.join(", "),
        from.conditions.join(" AND ")
    ))
}

/// Whether the node where the path stands is among those from which a continuation leads to a slot.
fn among_ids(writer: &mut Writer<'_>, branch: &Branch<'_>, at: usize, slot: usize) -> Truth {
    let required = requirements(writer, branch);
    if required == Truth::No {
        return required;
    }
    let start = branch.node(slot).unwrap_or(at);
    let mut from = from::from(branch, start, writer.surroundings.include_deleted);
    if let Truth::Sql(text) = required {
        from.conditions.push(text);
    }
    let (tables, conditions) = (from.tables.join(", "), from.conditions.join(" AND "));
    Truth::Sql(format!("n{at}.id IN (SELECT n{at}.id FROM {tables} WHERE {conditions})"))
}

/// What a node bears: tags, and words somewhere in its texts, all of one set.
fn marks(writer: &mut Writer<'_>, branch: &Branch<'_>, number: usize, sets: &[Mark]) -> Truth {
    let Some(node) = branch.nodes.get(number).copied() else { return Truth::No };
    let mut any = Vec::new();
    for mark in sets {
        let tags = mark.tags.iter().map(|tag| match property::tag(writer, node, tag) {
            Term::Flag(flag) => Truth::sql(format!("{flag} = 1")),
            _ => Truth::No,
        });
        let mut all: Vec<Truth> = tags.collect();
        for word in &mark.words {
            let word = writer.text(&word.to_ascii_lowercase());
            let mut found = Vec::new();
            for known in node.entity_type.properties {
                let term = property::own(writer, &format!("n{number}"), node, known);
                found.push(match term {
                    Term::List(list) => elements(writer, &list, |writer, text| {
                        let small = writer.dialect.small(text);
                        writer.dialect.contains(&small, &word)
                    }),
                    term => match term.text(writer) {
                        Some(text) => {
                            let small = writer.dialect.small(&text);
                            Truth::sql(writer.dialect.contains(&small, &word))
                        }
                        None => Truth::No,
                    },
                });
            }
            all.push(Truth::any(found));
        }
        any.push(Truth::all(all));
    }
    Truth::any(any)
}
