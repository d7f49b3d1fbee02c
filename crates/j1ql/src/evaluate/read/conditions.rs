//! Reads conditions: operators, lists, regular expressions and subqueries.
//!
//! A subquery knows none of the outer names, so its values are found here, once.
//!
//! Invariant: a negated operator is read as the complement of its positive form over the same right side.

use metsuke_model::graph::Value;
use regex_lite::RegexBuilder;

use super::super::condition::{Condition, Side};
use super::super::term::Term;
use super::super::values::Test;
use super::super::{Answer, Cell, Refusal, evaluate_within};
use super::Reader;
use super::terms::Stand;
use crate::ast::{Comparison, ExprKind, Filter, Operator, Query, Regex, Right};
use crate::span::Spanned;

impl Reader<'_> {
    pub(super) fn condition(&self, filter: &Filter, stand: Stand<'_>) -> Result<Condition, Refusal> {
        let each = |filters: &[Filter]| {
            filters.iter().map(|filter| self.condition(filter, stand)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match filter {
            Filter::And(filters) => Condition::All(each(filters)?),
            Filter::Or(filters) => Condition::Any(each(filters)?),
            Filter::Not(filter) => Condition::Not(Box::new(self.condition(filter, stand)?)),
            Filter::Compare(comparison) => self.comparison(comparison, stand)?,
        })
    }

    fn comparison(&self, comparison: &Comparison, stand: Stand<'_>) -> Result<Condition, Refusal> {
        let (test, negated) = positive(comparison.operator.node);
        let left = self.term(&comparison.left, stand)?;
        let right = self.side(&comparison.right, &comparison.operator, stand)?;
        let compare = Condition::Compare { left, test, right };
        Ok(if negated { Condition::Not(Box::new(compare)) } else { compare })
    }

    fn side(&self, right: &Right, operator: &Spanned<Operator>, stand: Stand<'_>) -> Result<Side, Refusal> {
        let each = |sides: &[Right]| {
            sides.iter().map(|side| self.side(side, operator, stand)).collect::<Result<Vec<_>, _>>()
        };
        Ok(match right {
            Right::Expr(expr) if expr.kind == ExprKind::Undefined => Side::Undefined,
            Right::Expr(expr) => Side::Term(self.term(expr, stand)?),
            Right::Regex(regex) => regular(regex, positive(operator.node).0)?,
            Right::AnyOf(sides) => Side::AnyOf(each(sides)?),
            Right::AllOf(sides) => Side::AllOf(each(sides)?),
            Right::Query(query) => {
                if !matches!(operator.node, Operator::Equal | Operator::NotEqual) {
                    return Err(Refusal::at(operator.span, "only `=` and `!=` compare with a subquery"));
                }
                Side::AnyOf(self.values(query)?.into_iter().map(Term::Value).map(Side::Term).collect())
            }
        })
    }

    /// What another query returns, in its one column.
    fn values(&self, query: &Query) -> Result<Vec<Value>, Refusal> {
        let refuse = |why: &str| Err(Refusal::at(query.span, why));
        if query.as_of.is_some() {
            return refuse("only the whole query has a time");
        }
        let answer = evaluate_within(query, self.graph, self.surroundings, self.steps)?.answer();
        let Answer::Table { columns, rows } = answer else { return refuse("a subquery returns a column") };
        if columns.len() != 1 {
            return refuse("a subquery returns exactly one column");
        }
        let mut values = Vec::new();
        for cell in rows.into_iter().flatten() {
            let Cell::Value(value) = cell else { return refuse("a subquery returns values, not entities") };
            values.push(value);
        }
        Ok(values)
    }
}

/// The positive form of an operator, and whether it was negated.
const fn positive(operator: Operator) -> (Test, bool) {
    match operator {
        Operator::Equal => (Test::Equal, false),
        Operator::NotEqual => (Test::Equal, true),
        Operator::Greater => (Test::Greater, false),
        Operator::Less => (Test::Less, false),
        Operator::GreaterOrEqual => (Test::GreaterOrEqual, false),
        Operator::LessOrEqual => (Test::LessOrEqual, false),
        Operator::Contains => (Test::Contains, false),
        Operator::StartsWith => (Test::StartsWith, false),
        Operator::EndsWith => (Test::EndsWith, false),
        Operator::NotContains => (Test::Contains, true),
        Operator::NotStartsWith => (Test::StartsWith, true),
        Operator::NotEndsWith => (Test::EndsWith, true),
    }
}

fn regular(regex: &Spanned<Regex>, test: Test) -> Result<Side, Refusal> {
    let pattern = &regex.node.pattern;
    let pattern = match test {
        Test::Equal | Test::Contains => format!("(?:{pattern})"),
        Test::StartsWith => format!(r"\A(?:{pattern})"),
        Test::EndsWith => format!(r"(?:{pattern})\z"),
        Test::Greater | Test::Less | Test::GreaterOrEqual | Test::LessOrEqual => {
            return Err(Refusal::at(regex.span, "nothing is greater or less than a regular expression"));
        }
    };
    let built = RegexBuilder::new(&pattern).case_insensitive(regex.node.ignore_case).build();
    built.map(Side::Regex).map_err(|error| Refusal::at(regex.span, error.to_string()))
}
