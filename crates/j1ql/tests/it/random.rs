//! Queries that nobody wrote: any tree that the grammar can produce, from a seed.
//!
//! They are well-formed and mostly mean nothing; which names exist is not looked at.
//!
//! Invariant: every query made here can be written down and read back as itself.

use metsuke_j1ql::ast::{
    AsOfText, Column, Comparison, Date, Direction, EntityName, Expr, ExprKind, Filter, Link, Operator,
    Optional, OrderKey, Output, Query, Regex, Right, Selector, Step,
};
use metsuke_j1ql::span::{Span, Spanned};
use metsuke_testkit::Chance;

use crate::random_values::{NAMES, TEXTS, expr, some, time};

/// A query with at most `deep` levels of nesting.
pub(crate) fn query(chance: &mut Chance, deep: usize) -> Query {
    let links = chance.below(3);
    Query {
        unique: chance.percent(20),
        root: selector(chance, deep),
        chain: (0..links).map(|_| link(chance, deep)).collect(),
        filter: chance.percent(30).then(|| filter(chance, deep)),
        output: chance.percent(60).then(|| output(chance, deep)),
        having: chance.percent(10).then(|| filter(chance, deep)),
        order: (0..chance.below(5).saturating_sub(2)).map(|_| order_key(chance)).collect(),
        skip: chance.percent(20).then(|| some(u64::from(u32::try_from(chance.below(9)).unwrap_or(0)))),
        limit: chance.percent(20).then(|| some(chance.number())),
        as_of: chance.percent(15).then(|| as_of(chance)),
        span: Span::default(),
    }
}

fn as_of(chance: &mut Chance) -> Spanned<AsOfText> {
    if chance.percent(50) {
        return some(AsOfText::Version(i64::try_from(chance.below(1_000_000)).unwrap_or(0)));
    }
    some(AsOfText::Time(Box::new(time(chance, 2))))
}

fn order_key(chance: &mut Chance) -> OrderKey {
    OrderKey { value: expr(chance, 1), descending: chance.percent(50) }
}

/// Entities with condition and name.
pub(crate) fn selector(chance: &mut Chance, deep: usize) -> Selector {
    let entities = (0..=chance.below(4).saturating_sub(2)).map(|_| some(entity(chance, deep))).collect();
    let filter = (deep > 0 && chance.percent(40)).then(|| filter(chance, deep - 1));
    Selector { entities, filter, alias: alias(chance), span: Span::default() }
}

fn entity(chance: &mut Chance, deep: usize) -> EntityName {
    match chance.below(8) {
        0 => EntityName::Any,
        1 => EntityName::Text((*chance.one_of(&TEXTS)).to_owned()),
        2 => {
            let of = (deep > 0 && chance.percent(50)).then(|| Box::new(some(entity(chance, 0))));
            EntityName::Smart { name: (*chance.one_of(&["Critical", "Production-2"])).to_owned(), of }
        }
        _ => EntityName::Named(
            (*chance.one_of(&["User", "heroku_team", "Order", "my-type", "any_of", "Übung"])).to_owned(),
        ),
    }
}

fn alias(chance: &mut Chance) -> Option<Spanned<String>> {
    let names = ["u", "t", "User", "of", "tree", "value", "x1", "_x"];
    chance.percent(40).then(|| some((*chance.one_of(&names)).to_owned()))
}

/// One piece of a chain.
pub(crate) fn link(chance: &mut Chance, deep: usize) -> Link {
    if deep > 0 && chance.percent(30) {
        let links = 1 + chance.below(2);
        return Link::Optional(Optional {
            chain: (0..links).map(|_| link(chance, deep - 1)).collect(),
            filter: chance.percent(30).then(|| filter(chance, deep - 1)),
            alias: alias(chance),
            span: Span::default(),
        });
    }
    let verbs = ["HAS", "ASSIGNED", "IS", "NOT_A_VERB", "USES"];
    Link::Step(Step {
        negated: chance.percent(15),
        verbs: (0..chance.below(4)).map(|_| some((*chance.one_of(&verbs)).to_owned())).collect(),
        direction: *chance.one_of(&[Direction::Either, Direction::Forward, Direction::Backward]),
        alias: alias(chance),
        target: selector(chance, deep),
        span: Span::default(),
    })
}

/// A condition.
pub(crate) fn filter(chance: &mut Chance, deep: usize) -> Filter {
    let shape = if deep == 0 { 9 } else { chance.below(10) };
    let parts = 2 + chance.below(2);
    match shape {
        0 | 1 => Filter::And((0..parts).map(|_| filter(chance, deep - 1)).collect()),
        2 | 3 => Filter::Or((0..parts).map(|_| filter(chance, deep - 1)).collect()),
        4 => Filter::Not(Box::new(filter(chance, deep - 1))),
        _ => Filter::Compare(Box::new(Comparison {
            left: expr(chance, deep.min(2)),
            operator: some(*chance.one_of(&OPERATORS)),
            right: right(chance, deep),
            span: Span::default(),
        })),
    }
}

const OPERATORS: [Operator; 12] = [
    Operator::Equal,
    Operator::NotEqual,
    Operator::Greater,
    Operator::Less,
    Operator::GreaterOrEqual,
    Operator::LessOrEqual,
    Operator::Contains,
    Operator::StartsWith,
    Operator::EndsWith,
    Operator::NotContains,
    Operator::NotStartsWith,
    Operator::NotEndsWith,
];

fn right(chance: &mut Chance, deep: usize) -> Right {
    let shape = if deep == 0 { 9 } else { chance.below(10) };
    let values = 2 + chance.below(2);
    match shape {
        0 => Right::AnyOf((0..values).map(|_| right(chance, deep - 1)).collect()),
        1 => Right::AllOf((0..values).map(|_| right(chance, deep - 1)).collect()),
        2 => Right::Query(Box::new(query(chance, deep.saturating_sub(2)))),
        3 => {
            let patterns = ["adm", r"\d+[a-z]", r"a\/b", "[/]", "ä ö"];
            let pattern = (*chance.one_of(&patterns)).to_owned();
            Right::Regex(some(Regex { pattern, ignore_case: chance.percent(50) }))
        }
        _ => Right::Expr(expr(chance, deep.min(2))),
    }
}

fn output(chance: &mut Chance, deep: usize) -> Output {
    if chance.percent(15) {
        return Output::Tree;
    }
    Output::Columns((0..=chance.below(3)).map(|_| column(chance, deep)).collect())
}

fn column(chance: &mut Chance, deep: usize) -> Column {
    let value = expr(chance, deep.min(3));
    let names = NAMES.iter().chain(&TEXTS).copied().collect::<Vec<_>>();
    let alias = chance.percent(40).then(|| some((*chance.one_of(&names)).to_owned()));
    Column { text: value.to_string(), value, alias }
}

/// A value that is a date.
pub(crate) fn date(text: &str) -> Expr {
    Expr { kind: ExprKind::Date(Date::Literal(text.to_owned())), span: Span::default() }
}
