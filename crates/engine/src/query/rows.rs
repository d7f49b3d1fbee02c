//! Reads what a statement gave back.

use metsuke_model::graph::{Value, ValueType};
use metsuke_store::Datum;

/// A value of this type, as the database gave it.
pub(super) fn value(datum: &Datum, value_type: Option<ValueType>) -> Value {
    match (datum, value_type) {
        (Datum::Null | Datum::Bytes(_), _) | (_, None) => Value::Absent,
        (Datum::Int(number), Some(ValueType::Flag)) => Value::Flag(*number != 0),
        (Datum::Int(number), _) => Value::Number(as_float(*number)),
        (Datum::Real(number), _) if number.is_finite() => Value::Number(*number),
        (Datum::Real(_), _) => Value::Absent,
        (Datum::Text(text), Some(ValueType::Texts)) => match serde_json::from_str(text) {
            Ok(json) => Value::from_json(&json),
            Err(_) => Value::Absent,
        },
        (Datum::Text(text), _) => Value::text(text),
    }
}

/// A dense id; `None` where there is none.
pub(super) fn id(datum: &Datum) -> Option<i64> {
    match datum {
        Datum::Int(id) => Some(*id),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of the graph are floating-point")]
fn as_float(number: i64) -> f64 {
    number as f64
}
