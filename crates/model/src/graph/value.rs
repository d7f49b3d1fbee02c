//! What a property of the graph holds.

use std::cmp::Ordering;

/// One property's value, as queries compare it and exports print it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// There is none.
    #[default]
    Absent,
    /// Yes or no.
    Flag(bool),
    /// A number; a point in time is milliseconds since 1970.
    Number(f64),
    /// A text.
    Text(Box<str>),
    /// Several values; never holds a list or an absent value.
    List(Vec<Value>),
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value as JSON; whole numbers without a fraction.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Absent => serde_json::Value::Null,
            Self::Flag(flag) => (*flag).into(),
            Self::Number(number) => number_json(*number),
            Self::Text(text) => text.to_string().into(),
            Self::List(values) => values.iter().map(Self::to_json).collect(),
        }
    }

    /// The value that a JSON document holds; objects have none here.
    #[must_use]
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null | serde_json::Value::Object(_) => Self::Absent,
            serde_json::Value::Bool(flag) => Self::Flag(*flag),
            serde_json::Value::Number(number) => number.as_f64().map_or(Self::Absent, Self::Number),
            serde_json::Value::String(text) => Self::text(text),
            serde_json::Value::Array(values) => {
                let simple = |value: &Self| !matches!(value, Self::Absent | Self::List(_));
                Self::List(values.iter().map(Self::from_json).filter(simple).collect())
            }
        }
    }

    /// A total order over values: absent ones last, then by type (flags, numbers, texts, lists), then by value.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        let rank = |value: &Self| match value {
            Self::Flag(_) => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
            Self::List(_) => 3,
            Self::Absent => 4,
        };
        match (self, other) {
            (Self::Flag(left), Self::Flag(right)) => left.cmp(right),
            (Self::Number(left), Self::Number(right)) => left.total_cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            (Self::List(left), Self::List(right)) => left
                .iter()
                .zip(right)
                .map(|(left, right)| left.order(right))
                .find(|order| order.is_ne())
                .unwrap_or_else(|| left.len().cmp(&right.len())),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// The largest number up to which every whole number has its own floating-point value.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn number_json(number: f64) -> serde_json::Value {
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number within the exact range")]
        let whole = number as i64;
        return whole.into();
    }
    serde_json::Number::from_f64(number).map_or(serde_json::Value::Null, serde_json::Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_print_without_a_fraction() {
        assert_eq!(Value::Number(3.0).to_json().to_string(), "3");
        assert_eq!(Value::Number(-0.5).to_json().to_string(), "-0.5");
        assert_eq!(Value::Number(f64::NAN).to_json().to_string(), "null");
    }

    #[test]
    fn absent_values_come_last() {
        let mut values = [Value::Absent, Value::text("b"), Value::Number(2.0), Value::text("a")];
        values.sort_by(Value::order);
        assert_eq!(values, [Value::Number(2.0), Value::text("a"), Value::text("b"), Value::Absent]);
    }
}
