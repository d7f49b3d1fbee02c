//! How two values compare.
//!
//! Where the values come from is not known here.
//!
//! Invariant: values of different types are never equal, and none is greater than the other.

use std::cmp::Ordering;

use metsuke_model::graph::Value;

/// A comparison in its positive form; each negated one is the complement of one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    Equal,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Contains,
    StartsWith,
    EndsWith,
}

/// The values that a comparison looks at one by one: none of an absent value, those of a list, else itself.
pub(super) fn elements(value: &Value) -> &[Value] {
    match value {
        Value::Absent => &[],
        Value::List(values) => values,
        single => std::slice::from_ref(single),
    }
}

/// The number that a value is.
pub(super) const fn number(value: &Value) -> Option<f64> {
    if let Value::Number(number) = value { Some(*number) } else { None }
}

/// Whether any value of the left passes the test with any of the right.
pub(super) fn any_pair(left: &Value, test: Test, right: &Value) -> bool {
    elements(left).iter().any(|left| elements(right).iter().any(|right| holds(left, test, right)))
}

fn holds(left: &Value, test: Test, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match test {
            // INVARIANT: equal is exactly equal; only answers are compared with tolerance.
            Test::Equal => left.partial_cmp(right) == Some(Ordering::Equal),
            Test::Greater => left > right,
            Test::Less => left < right,
            Test::GreaterOrEqual => left >= right,
            Test::LessOrEqual => left <= right,
            Test::Contains | Test::StartsWith | Test::EndsWith => false,
        },
        (Value::Text(left), Value::Text(right)) => match test {
            Test::Equal => left == right,
            Test::Contains => left.contains(&**right),
            Test::StartsWith => left.starts_with(&**right),
            Test::EndsWith => left.ends_with(&**right),
            Test::Greater | Test::Less | Test::GreaterOrEqual | Test::LessOrEqual => false,
        },
        (Value::Flag(left), Value::Flag(right)) => test == Test::Equal && left == right,
        _ => false,
    }
}

/// Whether every word stands in some text of the value's owner, upper and lower case (of ASCII) being the same.
pub(super) fn holds_words(text: &str, values: &[&Value]) -> bool {
    text.split_whitespace().map(str::to_ascii_lowercase).all(|word| {
        values.iter().copied().flat_map(elements).any(|value| match value {
            Value::Text(text) => text.to_ascii_lowercase().contains(&word),
            _ => false,
        })
    })
}

/// The order in which rows stand: lists by their JSON, absent values last.
pub(super) fn order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::List(_), Value::List(_)) => left.to_json().to_string().cmp(&right.to_json().to_string()),
        _ => left.order(right),
    }
}

/// A value that can be put into sets.
#[derive(Clone, Debug)]
pub(super) struct Ordered(pub(super) Value);

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.order(&other.0)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ordered {}
