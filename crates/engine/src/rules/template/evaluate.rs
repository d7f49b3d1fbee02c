//! Evaluates expressions: what cannot be is absent, and only what cannot end is an error.
//!
//! Invariant: each step is paid for from the budget.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Value as Json};

use super::expr::{Expr, Operator};
use super::scope::Scope;
use super::value::{equal, from_number, loosely_equal, number, order, property, size, text_of, truthy};

type Made<'v> = Result<Cow<'v, Json>, String>;

/// Nothing.
static ABSENT: Json = Json::Null;

impl<'v> Scope<'v> {
    pub(super) fn evaluate(&self, expr: &'v Expr) -> Result<Json, String> {
        let value = self.value_of(expr)?;
        if let Cow::Borrowed(value) = &value {
            self.budget.made(size(value))?;
        }
        Ok(value.into_owned())
    }

    fn value_of(&self, expr: &'v Expr) -> Made<'v> {
        self.budget.step()?;
        match expr {
            Expr::Literal(value) => Ok(Cow::Borrowed(value)),
            Expr::Name(name) => Ok(Cow::Borrowed(self.value(name).unwrap_or(&ABSENT))),
            Expr::Relative(name) => {
                let element = self.element.and_then(|element| property(element, name));
                Ok(Cow::Borrowed(element.unwrap_or(&ABSENT)))
            }
            Expr::List(items) => {
                let items: Result<Json, String> = items.iter().map(|item| self.evaluate(item)).collect();
                items.map(Cow::Owned)
            }
            Expr::Object(members) => {
                let member = |(name, value): &'v (Box<str>, Expr)| {
                    Ok::<_, String>((name.to_string(), self.evaluate(value)?))
                };
                let members: Map<String, Json> = members.iter().map(member).collect::<Result<_, _>>()?;
                Ok(Cow::Owned(Json::Object(members)))
            }
            Expr::Member(from, name) => Ok(self.part(self.value_of(from)?, |value| property(value, name))),
            Expr::Index(from, by) => {
                let (from, by) = (self.value_of(from)?, self.value_of(by)?);
                Ok(self.part(from, |value| element(value, &by)))
            }
            Expr::Filter(from, condition) => self.filtered(self.value_of(from)?, condition),
            Expr::Not(value) => Ok(Cow::Owned(Json::Bool(!truthy(&*self.value_of(value)?)))),
            Expr::Negative(value) => {
                let value = number(&*self.value_of(value)?).map(|number| from_number(-number));
                Ok(Cow::Owned(value.unwrap_or_default()))
            }
            Expr::Binary(operator, left, right) => self.binary(*operator, left, right),
            Expr::Choice(condition, then, otherwise) => {
                let condition = self.value_of(condition)?;
                match then {
                    Some(then) if truthy(&condition) => self.value_of(then),
                    None if truthy(&condition) => Ok(condition),
                    _ => self.value_of(otherwise),
                }
            }
            Expr::Pipe(value, pipe, given) => {
                let value = self.value_of(value)?;
                let given: Vec<Cow<'v, Json>> =
                    given.iter().map(|value| self.value_of(value)).collect::<Result<_, _>>()?;
                let made = pipe.apply(self, &value, &given)?;
                self.budget.made(size(&made))?;
                Ok(Cow::Owned(made))
            }
        }
    }

    #[expect(clippy::unused_self, reason = "it stands beside what evaluates")]
    fn part(&self, from: Cow<'v, Json>, part: impl Fn(&Json) -> Option<&Json>) -> Cow<'v, Json> {
        match from {
            Cow::Borrowed(value) => Cow::Borrowed(part(value).unwrap_or(&ABSENT)),
            Cow::Owned(value) => Cow::Owned(part(&value).cloned().unwrap_or_default()),
        }
    }

    fn filtered(&self, from: Cow<'v, Json>, condition: &'v Expr) -> Made<'v> {
        let items = match from.into_owned() {
            Json::Array(items) => items,
            Json::Null => Vec::new(),
            other => vec![other],
        };
        let mut kept = Vec::new();
        for item in items {
            self.budget.made(size(&item))?;
            let holds = truthy(&*self.looking_at(&item).value_of(condition)?);
            if holds {
                kept.push(item);
            }
        }
        Ok(Cow::Owned(Json::Array(kept)))
    }

    fn binary(&self, operator: Operator, left: &'v Expr, right: &'v Expr) -> Made<'v> {
        let left = self.value_of(left)?;
        match operator {
            Operator::And if !truthy(&left) => return Ok(left),
            Operator::Or if truthy(&left) => return Ok(left),
            Operator::And | Operator::Or => return self.value_of(right),
            _ => {}
        }
        let right = self.value_of(right)?;
        let made = match operator {
            operator if operator.binds() == Operator::Equal.binds() => {
                compare(operator, &left, &right).into()
            }
            Operator::Add if left.is_string() || right.is_string() => {
                Json::String(format!("{}{}", text_of(&left), text_of(&right)))
            }
            operator => {
                let numbers = number(&left).zip(number(&right));
                numbers
                    .map(|(left, right)| from_number(calculated(operator, left, right)))
                    .unwrap_or_default()
            }
        };
        self.budget.made(size(&made))?;
        Ok(Cow::Owned(made))
    }
}

/// Whether two values stand to one another as the operator says; never for one that compares nothing.
pub(in crate::rules) fn compare(operator: Operator, left: &Json, right: &Json) -> bool {
    let ordered = |wanted: fn(Ordering) -> bool| order(left, right).is_some_and(wanted);
    match operator {
        Operator::Equal => loosely_equal(left, right),
        Operator::Unequal => !loosely_equal(left, right),
        Operator::Greater => ordered(Ordering::is_gt),
        Operator::GreaterOrEqual => ordered(Ordering::is_ge),
        Operator::Less => ordered(Ordering::is_lt),
        Operator::LessOrEqual => ordered(Ordering::is_le),
        Operator::In => contains(right, left),
        _ => false,
    }
}

fn calculated(operator: Operator, left: f64, right: f64) -> f64 {
    match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide => left / right,
        Operator::DivideWhole => (left / right).floor(),
        Operator::Remainder => left % right,
        Operator::Power => left.powf(right),
        _ => f64::NAN,
    }
}

/// An element of a list by its number, or a property by its name.
fn element<'j>(value: &'j Json, by: &Json) -> Option<&'j Json> {
    match (value, by) {
        (Json::Array(items), Json::Number(number)) => items.get(usize::try_from(number.as_u64()?).ok()?),
        (value, Json::String(name)) => property(value, name),
        _ => None,
    }
}

/// Whether a text holds another, or a list an element.
fn contains(whole: &Json, part: &Json) -> bool {
    match whole {
        Json::String(text) => text.contains(&*text_of(part)),
        Json::Array(items) => items.iter().any(|item| equal(item, part)),
        _ => false,
    }
}
