//! Conditions as expressions that are true, or anything else.
//!
//! A comparison with what is absent is no comparison: it is NULL here, which counts as false. A negation turns that
//! around with COALESCE, so that there is no third case.

use std::collections::BTreeMap;

use super::branch::{Branch, Requirement};
use super::compare::{compare, elements, of_document, such_document};
use super::term::{List, Mask, Term};
use super::truth::Truth;
use super::writer::Writer;
use super::{from, property, value};
use crate::plan::{Comparison, Condition, Expr, Mark, Match, Operand, Place};
use metsuke_model::graph::Value;

/// A condition in a branch.
pub(super) fn condition(writer: &mut Writer<'_>, branch: &Branch<'_>, condition_of: &Condition) -> Truth {
    match condition_of {
        Condition::Constant(true) => Truth::Yes,
        Condition::Constant(false) => Truth::No,
        Condition::And(parts) => {
            Truth::all(parts.iter().map(|part| condition(writer, branch, part)).collect::<Vec<_>>())
        }
        Condition::Or(parts) => any_of(writer, branch, parts),
        Condition::Not(part) => condition(writer, branch, part).not(),
        Condition::Compare(comparison) => compare(writer, branch, comparison),
    }
}

/// Any of some parts; those that ask for one entitlement of the same set are one, and so are those of one document.
fn any_of(writer: &mut Writer<'_>, branch: &Branch<'_>, parts: &[Condition]) -> Truth {
    let mut sets: Vec<(&Expr, Mask, u32)> = Vec::new();
    let mut documents: BTreeMap<String, Vec<Truth>> = BTreeMap::new();
    let mut truths = Vec::new();
    for part in parts {
        if let Condition::Compare(comparison) = part
            && let Some((column, test)) = of_document(writer, branch, comparison)
        {
            documents.entry(column).or_default().push(test);
            continue;
        }
        let Some((left, mask, bit)) = entitlement(writer, branch, part) else {
            truths.push(condition(writer, branch, part));
            continue;
        };
        match sets.iter_mut().find(|(known, ..)| *known == left) {
            Some((_, _, bits)) => *bits |= bit,
            None => sets.push((left, mask, bit)),
        }
    }
    truths.extend(documents.into_iter().map(|(column, tests)| such_document(&column, Truth::any(tests))));
    truths.extend(sets.into_iter().map(|(_, mask, bits)| mask.bits.any(bits)));
    Truth::any(truths)
}

/// The set and the bit, where a condition asks for a known entitlement.
fn entitlement<'c>(
    writer: &mut Writer<'_>,
    branch: &Branch<'_>,
    part: &'c Condition,
) -> Option<(&'c Expr, Mask, u32)> {
    let Condition::Compare(Comparison { left, operator: Match::Equal, right }) = part else { return None };
    let Operand::Value(Expr::Constant(Value::Text(text))) = right else { return None };
    if !matches!(left, Expr::Property(Place::Edge(_), _)) {
        return None;
    }
    let Term::List(List::Mask(mask)) = value::term(writer, branch, left) else { return None };
    let bit = mask.resource.entitlement(text)?.mask().0;
    Some((left, mask, bit))
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
            Requirement::Among(ways) => {
                let at = branch.at;
                let ways: Vec<Truth> = ways.iter().map(|way| among_ids(writer, way, at)).collect();
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
    let mut from = from::from(branch, writer.surroundings.include_deleted);
    if let Truth::Sql(text) = required {
        from.conditions.push(text);
    }
    Truth::Sql(format!(
        "EXISTS (SELECT 1 FROM {} WHERE {})",
        from.tables.join(writer.dialect.join(branch.in_order)),
        from.conditions.join(" AND ")
    ))
}

/// Whether the node where the path stands is among those from which a continuation leads to a slot.
fn among_ids(writer: &mut Writer<'_>, branch: &Branch<'_>, at: usize) -> Truth {
    let required = requirements(writer, branch);
    if required == Truth::No {
        return required;
    }
    let mut from = from::from(branch, writer.surroundings.include_deleted);
    if let Truth::Sql(text) = required {
        from.conditions.push(text);
    }
    let (tables, conditions) =
        (from.tables.join(writer.dialect.join(branch.in_order)), from.conditions.join(" AND "));
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
