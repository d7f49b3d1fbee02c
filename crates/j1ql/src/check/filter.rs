//! Conditions: negated operators become negations, lists of values become alternatives.

use super::Checker;
use super::expr::{Context, Own};
use crate::ast::{self, Operator, Right};
use crate::plan::{ColumnValue, Output};
use crate::plan::{Comparison, Condition, Expr, Match, Operand, OutputColumn};
use crate::span::Span;
use metsuke_model::graph::Value;

/// How an operator compares, and whether what it says is then turned around.
fn meaning(operator: Operator) -> (Match, bool) {
    match operator {
        Operator::Equal => (Match::Equal, false),
        Operator::NotEqual => (Match::Equal, true),
        Operator::Greater => (Match::Greater, false),
        Operator::Less => (Match::Less, false),
        Operator::GreaterOrEqual => (Match::GreaterOrEqual, false),
        Operator::LessOrEqual => (Match::LessOrEqual, false),
        Operator::Contains => (Match::Contains, false),
        Operator::StartsWith => (Match::StartsWith, false),
        Operator::EndsWith => (Match::EndsWith, false),
        Operator::NotContains => (Match::Contains, true),
        Operator::NotStartsWith => (Match::StartsWith, true),
        Operator::NotEndsWith => (Match::EndsWith, true),
    }
}

impl Checker<'_> {
    /// A condition over whole paths.
    pub(super) fn path_filter(&mut self, filter: &ast::Filter) -> Option<Condition> {
        self.filter(filter, Context::Where)
    }

    /// A condition on one entity's own properties.
    pub(super) fn own_filter(&mut self, filter: &ast::Filter, own: Own<'_>) -> Option<Condition> {
        self.filter(filter, Context::With(own))
    }

    /// A condition over returned rows.
    pub(super) fn having(
        &mut self,
        having: &ast::Filter,
        query: &ast::Query,
        output: &Output,
    ) -> Option<Condition> {
        let (Output::Table(columns), Some(ast::Output::Columns(written))) = (output, &query.output) else {
            self.refuse(query.span, "HAVING needs columns.", "write RETURN with the columns that it names");
            return None;
        };
        // After a mistake in a column the two lists do not match; the query is refused then anyway.
        if columns.len() != written.len() {
            return None;
        }
        let condition = self.filter(having, Context::Having((written, columns)))?;
        let grouped = super::output::grouped(columns) || condition.aggregates();
        if (grouped || query.unique)
            && !condition.values(&mut |value| super::output::told_by(value, columns, grouped))
        {
            let help = "rows that stand for several paths are chosen by what they show, or by aggregates";
            self.refuse(query.span, "HAVING asks for what is no returned column.", help);
            return None;
        }
        Some(condition)
    }

    fn filter(&mut self, filter: &ast::Filter, context: Context<'_>) -> Option<Condition> {
        match filter {
            ast::Filter::And(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.filter(part, context)).collect();
                parts.into_iter().collect::<Option<_>>().map(Condition::And)
            }
            ast::Filter::Or(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.filter(part, context)).collect();
                parts.into_iter().collect::<Option<_>>().map(Condition::Or)
            }
            ast::Filter::Not(part) => self.filter(part, context).map(|part| Condition::Not(Box::new(part))),
            ast::Filter::Compare(comparison) => self.comparison(comparison, context),
        }
    }

    fn comparison(&mut self, comparison: &ast::Comparison, context: Context<'_>) -> Option<Condition> {
        let left = self.scalar(&comparison.left, context);
        let (operator, negated) = meaning(comparison.operator.node);
        let condition = self.right(left.as_ref(), operator, &comparison.right, (context, comparison.span));
        let condition = condition?;
        Some(if negated { Condition::Not(Box::new(condition)) } else { condition })
    }

    /// One side with the other; the left one is missing after a mistake in it.
    fn right(
        &mut self,
        left: Option<&Expr>,
        operator: Match,
        right: &Right,
        (context, span): (Context<'_>, Span),
    ) -> Option<Condition> {
        let compare = |left: &Expr, right: Operand| {
            Condition::Compare(Comparison { left: left.clone(), operator, right })
        };
        match right {
            Right::AnyOf(items) | Right::AllOf(items) => {
                let parts: Vec<_> =
                    items.iter().map(|item| self.right(left, operator, item, (context, span))).collect();
                let parts = parts.into_iter().collect::<Option<_>>()?;
                Some(if matches!(right, Right::AnyOf(_)) {
                    Condition::Or(parts)
                } else {
                    Condition::And(parts)
                })
            }
            Right::Regex(regex) => {
                let pattern = match operator {
                    Match::Equal | Match::Contains => regex.node.pattern.clone(),
                    Match::StartsWith => format!("^(?:{})", regex.node.pattern),
                    Match::EndsWith => format!("(?:{})$", regex.node.pattern),
                    Match::Greater | Match::Less | Match::GreaterOrEqual | Match::LessOrEqual => {
                        self.refuse(
                            regex.span,
                            "A regular expression is neither larger nor smaller than anything.",
                            "it goes with = != ~= ^= $= and their negations",
                        );
                        return None;
                    }
                };
                if let Err(error) = regex_syntax(&regex.node.pattern) {
                    self.refuse(regex.span, format!("The regular expression is none: {error}."), REGEX_HELP);
                    return None;
                }
                let ignore_case = regex.node.ignore_case;
                left.map(|left| compare(left, Operand::Regex { pattern, ignore_case }))
            }
            Right::Query(query) => self.subquery(left, operator, query, span),
            Right::Expr(value) => {
                if let ast::ExprKind::Parameter(name) = &value.kind
                    && let Some(super::Variable::AnyOf(values)) = self.surroundings.variables.get(name)
                {
                    let left = left?;
                    let equal = |value: &Value| compare(left, Operand::Value(Expr::Constant(value.clone())));
                    return Some(Condition::Or(values.iter().map(equal).collect()));
                }
                let value = self.scalar(value, context)?;
                let left = left?;
                Some(match (value, operator) {
                    (Expr::Constant(Value::Absent), Match::Equal) => compare(left, Operand::Undefined),
                    (Expr::Constant(Value::Absent), _) => Condition::Constant(false),
                    (value, _) => compare(left, Operand::Value(value)),
                })
            }
        }
    }

    fn subquery(
        &mut self,
        left: Option<&Expr>,
        operator: Match,
        query: &ast::Query,
        span: Span,
    ) -> Option<Condition> {
        if operator != Match::Equal {
            let message = "A subquery can only be compared with = or !=.";
            self.refuse(span, message, "write `property = (FIND … RETURN one.column)`");
            return None;
        }
        if let Some(as_of) = &query.as_of {
            let help = "write AS OF at the end of the whole query: all of it asks one version";
            self.refuse(as_of.span, "A subquery cannot ask another version.", help);
            return None;
        }
        let plan = Checker::new(self.surroundings, self.problems, self.hops).query(query)?;
        for warning in &plan.warnings {
            self.warn(warning.clone());
        }
        let one = match &plan.output {
            Output::Table(columns) => {
                matches!(&columns[..], [OutputColumn { value: ColumnValue::Scalar(_), .. }])
            }
            Output::List | Output::Tree => false,
        };
        if !one {
            let message = "A subquery must return exactly one column of values.";
            self.refuse(query.span, message, "end it with RETURN and one property, such as `RETURN u.id`");
            return None;
        }
        let comparison = Comparison { left: left?.clone(), operator, right: Operand::Query(Box::new(plan)) };
        Some(Condition::Compare(comparison))
    }
}

const REGEX_HELP: &str =
    "classes such as [a-z], \\d, \\w, and the quantifiers * + ? {n,m} work in every database";

/// What is wrong with a pattern; groups that look around or name themselves are no common ground of the databases.
fn regex_syntax(pattern: &str) -> Result<(), String> {
    if pattern.contains("(?") {
        return Err("groups that begin with `(?` are not supported".to_owned());
    }
    if pattern.len() > MOST_PATTERN {
        return Err(format!("it is longer than {MOST_PATTERN} characters"));
    }
    match regex::RegexBuilder::new(pattern).size_limit(1 << 20).build() {
        Ok(_) => Ok(()),
        Err(regex::Error::CompiledTooBig(_)) => Err("it is too large".to_owned()),
        Err(error) => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            Err(last.trim_start_matches("error: ").to_owned())
        }
    }
}

/// Longer patterns are refused.
const MOST_PATTERN: usize = 1_000;
