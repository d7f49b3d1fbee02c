//! Resolves a query's names against the catalogue: from what the text says to what is meant.
//!
//! What nothing in the catalogue is called matches nothing and is only warned of, as in JupiterOne; what cannot mean
//! anything at all is refused, with what would.
//!
//! Invariant: a query that passes can be answered on any graph of the catalogue.

mod expr;
mod filter;
mod names;
mod output;
mod pattern;
mod time;

use std::collections::BTreeMap;

use metsuke_model::graph::Value;

use crate::ast;
use crate::error::{Code, Errors, Problem};
use crate::plan::{EdgeSlot, Plan, Slot};
use crate::span::Span;
use crate::sql::selective::push_down;

/// The most hops that one query may ask for, those of its subqueries included.
pub const MOST_HOPS: usize = 16;

/// What a query's meaning depends on, beside the graph.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The moment that `date.now` stands for, in milliseconds since 1970.
    pub now: i64,
    /// The values of `${name}`.
    pub variables: BTreeMap<String, Variable>,
    /// The account name that entities are tagged with, and that `_integrationName` shows.
    pub account_name: Option<String>,
    /// Whether entities bear `tag.AccountName`.
    pub tag_account_name: bool,
    /// The value of `tag.Production`, where entities bear it.
    pub tag_production: Option<bool>,
    /// What is gone is asked for as well.
    pub include_deleted: bool,
}

/// The value of a `${name}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Variable {
    /// One value.
    One(Value),
    /// Any of these.
    AnyOf(Vec<Value>),
}

/// Checks a query.
///
/// # Errors
///
/// Every mistake that was found, with its place.
pub fn check(query: &ast::Query, surroundings: &Surroundings) -> Result<Plan, Errors> {
    let mut problems = Vec::new();
    let mut hops = 0;
    let plan = Checker::new(surroundings, &mut problems, &mut hops).query(query);
    match Errors::all(problems) {
        Some(errors) => Err(errors),
        None => plan.ok_or_else(|| Errors::one(problem(query.span, "This query cannot be answered.", None))),
    }
}

/// A mistake in what a query means.
fn problem(span: Span, message: impl Into<String>, explanation: Option<&str>) -> Problem {
    Problem {
        span,
        message: message.into(),
        explanation: explanation.map(str::to_owned),
        suggestion: None,
        code: Code::Validation,
    }
}

/// The work on one query, or one subquery.
struct Checker<'a> {
    surroundings: &'a Surroundings,
    problems: &'a mut Vec<Problem>,
    hops: &'a mut usize,
    slots: Vec<Slot>,
    edges: Vec<EdgeSlot>,
    names: names::Names,
    warnings: Vec<String>,
}

impl<'a> Checker<'a> {
    fn new(surroundings: &'a Surroundings, problems: &'a mut Vec<Problem>, hops: &'a mut usize) -> Self {
        Self {
            surroundings,
            problems,
            hops,
            slots: Vec::new(),
            edges: Vec::new(),
            names: names::Names::default(),
            warnings: Vec::new(),
        }
    }

    /// Checks a whole query; `None` after a mistake, which is then among the problems.
    fn query(mut self, query: &ast::Query) -> Option<Plan> {
        let before = self.problems.len();
        self.selector(&query.root);
        let chain = self.chain(&query.chain);
        let filter = query.filter.as_ref().map(|filter| self.path_filter(filter));
        let (output, order) = self.output(query);
        let having = query.having.as_ref().and_then(|having| self.having(having, query, &output));
        if let Some(limit) = query.limit.as_ref().filter(|limit| limit.node == 0) {
            self.refuse(limit.span, "LIMIT is at least 1.", "leave it out to get all rows");
        }
        let as_of = query.as_of.as_ref().and_then(|as_of| self.as_of(&as_of.node));
        let mut plan = Plan {
            slots: self.slots,
            edges: self.edges,
            chain,
            filter: filter.flatten(),
            output,
            having,
            unique: query.unique,
            order,
            skip: query.skip.as_ref().map_or(0, |skip| skip.node),
            limit: query.limit.as_ref().map(|limit| limit.node),
            as_of,
            beside: Vec::new(),
            warnings: self.warnings,
        };
        push_down(&mut plan);
        (self.problems.len() == before).then_some(plan)
    }

    /// Notes a mistake.
    fn refuse(&mut self, span: Span, message: impl Into<String>, explanation: &str) {
        self.problems.push(problem(span, message, Some(explanation)));
    }

    /// Notes something odd, once.
    fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }
}
