//! Reads what a statement gave back.

use metsuke_model::ResourceType;
use metsuke_model::access::Mask;
use metsuke_model::graph::{Value, ValueType};
use metsuke_store::Datum;

/// A value of this type, as the database gave it.
pub(super) fn value(datum: Datum, value_type: Option<ValueType>) -> Value {
    match (datum, value_type) {
        (Datum::Null | Datum::Bytes(_), _) | (_, None) => Value::Absent,
        (Datum::Int(number), Some(ValueType::Flag)) => Value::Flag(number != 0),
        (Datum::Int(number), _) => Value::Number(as_float(number)),
        (Datum::Real(number), _) if number.is_finite() => Value::Number(number),
        (Datum::Real(_), _) => Value::Absent,
        (Datum::Text(text), Some(ValueType::Texts)) => match serde_json::from_str(&text) {
            Ok(json) => Value::from_json(&json),
            Err(_) => Value::Absent,
        },
        (Datum::Text(text), _) => Value::Text(text.into_boxed_str()),
    }
}

/// Entitlements on a type of resource: the known ones by their mask, behind them the others as JSON.
pub(super) fn entitlements(datum: &Datum, resource: ResourceType) -> Value {
    let (bits, others) = match datum {
        Datum::Int(bits) => (*bits, None),
        Datum::Text(text) => {
            let (bits, others) = text.split_at(text.find('[').unwrap_or(text.len()));
            (bits.parse().unwrap_or_default(), serde_json::from_str(others).ok())
        }
        Datum::Null | Datum::Real(_) | Datum::Bytes(_) => return Value::Absent,
    };
    let held = Mask(u32::try_from(bits).unwrap_or_default()).entitlements(resource);
    let mut list: Vec<Value> = held.map(|entitlement| Value::text(entitlement.slug())).collect();
    if let Some(serde_json::Value::Array(others)) = others {
        list.extend(others.iter().map(Value::from_json));
    }
    Value::List(list)
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
