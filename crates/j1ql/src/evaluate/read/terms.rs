//! Reads expressions: names, constants, maths, times and functions.
//!
//! What they come to on a path is [`term`](super::super::term)'s business.
//!
//! Invariant: aggregates and functions stand only where they are allowed, and no aggregate in another.

use metsuke_model::graph::{Value, ValueType};

use super::super::scope::type_name;
use super::super::term::{Aggregate, Function, Term};
use super::super::{Refusal, dates};
use super::{Column, Reader};
use crate::ast::{Arithmetic, Date, Expr, ExprKind, Property, Selector, TimeSpan};
use crate::span::{Span, Spanned};

/// What may stand where an expression stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand<'s> {
    /// In a `WITH`: the place whose own properties are meant.
    pub(super) own: Option<(usize, &'s Selector)>,
    pub(super) functions: bool,
    pub(super) aggregates: bool,
    pub(super) names: Names,
    /// The columns that may be named by their alias.
    pub(super) columns: &'s [Column],
    /// A name that names nothing is a property of the entity where paths start.
    pub(super) starts: bool,
}

/// What a name without a property may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Names {
    /// Nothing.
    Nothing,
    /// The whole entity or relationship.
    Whole,
    /// That, or `name.*`.
    Every,
}

impl Stand<'_> {
    /// In `WHERE`.
    pub(super) const PATHS: Self = Self {
        own: None,
        functions: false,
        aggregates: false,
        names: Names::Nothing,
        columns: &[],
        starts: false,
    };
    /// In `RETURN` and `ORDER BY`.
    pub(super) const OUTPUT: Self = Self { functions: true, aggregates: true, ..Self::PATHS };
    /// In `HAVING`.
    pub(super) const HAVING: Self = Self { aggregates: true, ..Self::PATHS };

    /// Inside something else.
    const fn inside(self) -> Self {
        Self { names: Names::Nothing, ..self }
    }
}

impl Reader<'_> {
    pub(super) fn term(&self, expr: &Expr, stand: Stand<'_>) -> Result<Term, Refusal> {
        let refuse = |why: &str| Err(Refusal::at(expr.span, why));
        let inside = stand.inside();
        Ok(match &expr.kind {
            ExprKind::Text(text) => Term::Value(Value::text(text)),
            ExprKind::Number(number) => Term::Value(read_number(number, expr.span)?),
            ExprKind::Bool(flag) => Term::Value(Value::Flag(*flag)),
            ExprKind::Undefined => Term::Value(Value::Absent),
            ExprKind::Date(date) => Term::Value(self.date(date, expr.span)?),
            ExprKind::Span(_) => return refuse("a length of time is only added to a time or taken from one"),
            ExprKind::Property(property) => self.property(property, expr.span, stand)?,
            ExprKind::Parameter(name) => Term::Value(self.variable(name, expr.span)?.clone()),
            ExprKind::Placeholder(_) => return refuse("a placeholder was not replaced"),
            ExprKind::Call { function, arguments } => self.call(function, arguments, stand)?,
            ExprKind::Binary { operator, left, right } => match (operator, &left.kind, &right.kind) {
                (_, ExprKind::Span(_), ExprKind::Span(_)) => return refuse("there is no time here"),
                (Arithmetic::Add, _, ExprKind::Span(span)) => self.shifted(left, span, 1.0, inside)?,
                (Arithmetic::Subtract, _, ExprKind::Span(span)) => self.shifted(left, span, -1.0, inside)?,
                (Arithmetic::Add, ExprKind::Span(span), _) => self.shifted(right, span, 1.0, inside)?,
                _ => {
                    let (left, right) = (self.term(left, inside)?, self.term(right, inside)?);
                    Term::Maths(*operator, Box::new(left), Box::new(right))
                }
            },
            ExprKind::Negative(expr) => Term::Negative(Box::new(self.term(expr, inside)?)),
        })
    }

    fn property(&self, property: &Property, span: Span, stand: Stand<'_>) -> Result<Term, Refusal> {
        let segments: Vec<&str> = property.segments.iter().map(|segment| segment.node.as_str()).collect();
        let [first, rest @ ..] = segments.as_slice() else {
            return Err(Refusal::at(span, "a name is empty"));
        };
        if let Some((slot, selector)) = stand.own {
            if property.all {
                return Err(Refusal::at(span, "a condition looks at one property"));
            }
            let own = selector.alias.as_ref().is_some_and(|alias| alias.node == *first)
                || selector.entities.iter().any(|entity| type_name(&entity.node) == Some(first));
            let name = if own && !rest.is_empty() { rest } else { &segments };
            return Ok(property_of(slot, name));
        }
        let column = stand.columns.iter().find(|column| column.alias.as_deref() == Some(first));
        if let (Some(column), [], false) = (column, rest, property.all) {
            return Ok(column.term.clone());
        }
        let bare = stand.starts && !property.all && (rest.is_empty() || *first == "tag");
        if bare && self.scope.find(first, span).is_err() {
            return Ok(property_of(0, &segments));
        }
        let slot = self.scope.find(first, property.segments.first().map_or(span, |segment| segment.span))?;
        match (rest, property.all) {
            ([], false) if stand.names >= Names::Whole => Ok(Term::Whole(slot)),
            ([], true) if stand.names == Names::Every => Ok(Term::Every(slot)),
            ([], _) => Err(Refusal::at(span, "a property must be named here")),
            (_, true) => Err(Refusal::at(span, "`.*` stands directly behind a name")),
            (rest, false) => Ok(property_of(slot, rest)),
        }
    }

    fn variable(&self, name: &str, span: Span) -> Result<&Value, Refusal> {
        let variables = &self.surroundings.variables;
        variables.get(name).ok_or_else(|| Refusal::at(span, format!("there is no variable `{name}`")))
    }

    fn date(&self, date: &Date, span: Span) -> Result<Value, Refusal> {
        let text = match date {
            Date::Now => return Ok(Value::Number(self.surroundings.now_ms)),
            Date::Literal(text) => text,
        };
        let variable = text.strip_prefix("${").and_then(|name| name.strip_suffix('}'));
        let text = match variable.map(|name| self.variable(name.trim(), span)).transpose()? {
            Some(Value::Text(text)) => text,
            Some(_) => return Err(Refusal::at(span, "the variable holds no date")),
            None => text.as_str(),
        };
        dates::read(text).map(Value::Number).ok_or_else(|| Refusal::at(span, format!("`{text}` is no date")))
    }

    fn shifted(&self, time: &Expr, by: &TimeSpan, sign: f64, stand: Stand<'_>) -> Result<Term, Refusal> {
        let Value::Number(amount) = read_number(&by.amount, time.span)? else {
            return Err(Refusal::at(time.span, "the length is no number"));
        };
        Ok(Term::Shifted(Box::new(self.term(time, stand)?), sign * amount, by.unit))
    }

    fn call(&self, name: &Spanned<String>, arguments: &[Expr], stand: Stand<'_>) -> Result<Term, Refusal> {
        let refuse = |why: String| Err(Refusal::at(name.span, why));
        if let Some(aggregate) = aggregate(&name.node) {
            if !stand.aggregates {
                return refuse(format!("`{}` cannot be used here: it looks at many paths", name.node));
            }
            let count = aggregate == Aggregate::Count;
            let names = if count { Names::Whole } else { Names::Nothing };
            let inside = Stand { aggregates: false, names, starts: false, ..stand };
            return Ok(match arguments {
                [] if count => Term::Aggregate(aggregate, None),
                [argument] => {
                    let argument = self.term(argument, inside)?;
                    if argument.aggregates() || matches!(argument, Term::Every(_)) {
                        return refuse(format!("`{}` needs one value of each path", name.node));
                    }
                    Term::Aggregate(aggregate, Some(Box::new(argument)))
                }
                _ => return refuse(format!("`{}` has one argument", name.node)),
            });
        }
        let Some(function) = function(&name.node) else {
            return refuse(format!("there is no function `{}`", name.node));
        };
        if !stand.functions {
            return refuse(format!("`{}` can only be used in RETURN and ORDER BY", name.node));
        }
        let many = matches!(function, Function::Coalesce | Function::Concat | Function::Merge);
        if arguments.is_empty() || (arguments.len() > 1 && !many) {
            return refuse(format!("`{}` has {} arguments", name.node, arguments.len()));
        }
        let terms = arguments.iter().map(|argument| self.term(argument, stand.inside()));
        let terms = terms.collect::<Result<Vec<_>, _>>()?;
        if function == Function::Coalesce {
            let mut types = terms.iter().filter_map(|term| self.type_of(term));
            if types.next().is_some_and(|first| types.any(|other| other != first)) {
                return refuse("the arguments of `coalesce` are of several types".into());
            }
        }
        Ok(Term::Call(function, terms))
    }

    /// The type of a term's values, as far as it can be known before they are.
    fn type_of(&self, term: &Term) -> Option<ValueType> {
        match term {
            Term::Value(value) => match value {
                Value::Absent => None,
                Value::Flag(_) => Some(ValueType::Flag),
                Value::Number(_) => Some(ValueType::Number),
                Value::Text(_) => Some(ValueType::Text),
                Value::List(_) => Some(ValueType::Texts),
            },
            Term::Property(slot, name) => match self.scope.type_of(*slot, name) {
                Some(ValueType::Time) => Some(ValueType::Number),
                other => other,
            },
            Term::Whole(_) | Term::Every(_) | Term::Call(Function::Concat, _) => Some(ValueType::Text),
            Term::Call(Function::Merge, _) => Some(ValueType::Texts),
            Term::Call(Function::Coalesce, terms) => terms.iter().find_map(|term| self.type_of(term)),
            Term::Maths(..)
            | Term::Negative(_)
            | Term::Shifted(..)
            | Term::Aggregate(..)
            | Term::Call(..) => Some(ValueType::Number),
        }
    }
}

fn read_number(text: &str, span: Span) -> Result<Value, Refusal> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number
        .map(|number| Value::Number(number + 0.0))
        .ok_or_else(|| Refusal::at(span, format!("`{text}` is no number that can be counted with")))
}

fn aggregate(name: &str) -> Option<Aggregate> {
    Some(match name.to_lowercase().as_str() {
        "count" => Aggregate::Count,
        "sum" => Aggregate::Sum,
        "avg" => Aggregate::Avg,
        "min" => Aggregate::Min,
        "max" => Aggregate::Max,
        _ => return None,
    })
}

fn function(name: &str) -> Option<Function> {
    Some(match name.to_lowercase().as_str() {
        "abs" => Function::Abs,
        "sqrt" => Function::Sqrt,
        "ceil" => Function::Ceil,
        "floor" => Function::Floor,
        "round" => Function::Round,
        "coalesce" => Function::Coalesce,
        "concat" => Function::Concat,
        "merge" => Function::Merge,
        _ => return None,
    })
}

/// A property; the key has two names.
fn property_of(slot: usize, segments: &[&str]) -> Term {
    let name = segments.join(".");
    Term::Property(slot, if name == "_id" { "_key".to_owned() } else { name })
}
