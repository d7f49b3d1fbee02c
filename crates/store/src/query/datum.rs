//! The values of an answer's rows, as either engine holds them.
//!
//! Invariant: a value of a type that is not listed here is an error, never a guess.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column as _, Decode, Postgres, Row, TypeInfo as _, ValueRef as _};

use super::Datum;

/// The values of one row.
pub(crate) fn sqlite_row(row: &SqliteRow) -> Result<Vec<Datum>, sqlx::Error> {
    (0..row.len()).map(|index| sqlite(row, index)).collect()
}

/// SQLite: the value's storage class.
fn sqlite(row: &SqliteRow, index: usize) -> Result<Datum, sqlx::Error> {
    let value = row.try_get_raw(index)?;
    if value.is_null() {
        return Ok(Datum::Null);
    }
    match value.type_info().name() {
        "INTEGER" => row.try_get_unchecked(index).map(Datum::Int),
        "REAL" => row.try_get_unchecked(index).map(Datum::Real),
        "TEXT" => row.try_get_unchecked(index).map(Datum::Text),
        "BLOB" => row.try_get_unchecked(index).map(Datum::Bytes),
        other => Err(unknown(row.column(index).name(), other)),
    }
}

/// The values of one row.
pub(crate) fn postgres_row(row: &PgRow) -> Result<Vec<Datum>, sqlx::Error> {
    (0..row.len()).map(|index| postgres(row, index)).collect()
}

/// PostgreSQL: the column's type.
fn postgres(row: &PgRow, index: usize) -> Result<Datum, sqlx::Error> {
    let value = row.try_get_raw(index)?;
    if value.is_null() {
        return Ok(Datum::Null);
    }
    let name = value.type_info().name().to_owned();
    let decoding = |source| sqlx::Error::ColumnDecode { index: row.column(index).name().into(), source };
    let bytes = || value.as_bytes().map_err(decoding);
    let text = |bytes: &[u8]| Datum::Text(String::from_utf8_lossy(bytes).into_owned());
    Ok(match name.as_str() {
        "BOOL" => Datum::Int(i64::from(get::<bool>(row, index)?)),
        "INT2" => Datum::Int(i64::from(get::<i16>(row, index)?)),
        "INT4" => Datum::Int(i64::from(get::<i32>(row, index)?)),
        "INT8" => Datum::Int(get(row, index)?),
        "FLOAT4" => Datum::Real(f64::from(get::<f32>(row, index)?)),
        "FLOAT8" => Datum::Real(get(row, index)?),
        "NUMERIC" => Datum::Real(numeric(bytes()?).ok_or_else(|| unknown(row.column(index).name(), &name))?),
        "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" | "JSON" => text(bytes()?),
        // A byte with the format's number comes first.
        "JSONB" => text(bytes()?.get(1..).unwrap_or_default()),
        "BYTEA" => Datum::Bytes(bytes()?.to_vec()),
        other => return Err(unknown(row.column(index).name(), other)),
    })
}

fn get<'r, T: Decode<'r, Postgres> + sqlx::Type<Postgres>>(
    row: &'r PgRow,
    index: usize,
) -> Result<T, sqlx::Error> {
    row.try_get_unchecked(index)
}

fn unknown(column: &str, type_name: &str) -> sqlx::Error {
    let source = format!("it has the type `{type_name}`, which no answer may have").into();
    sqlx::Error::ColumnDecode { index: column.into(), source }
}

/// PostgreSQL's `numeric` as it is sent: four numbers of two bytes (how many digits, the first one's weight, sign,
/// scale), then the digits, each from 0 to 9999. Text and back again rounds as the database would.
fn numeric(sent: &[u8]) -> Option<f64> {
    let mut numbers = sent.as_chunks::<2>().0.iter().map(|pair| i16::from_be_bytes(*pair));
    let (count, weight, sign) = (numbers.next()?, numbers.next()?, numbers.next()?.cast_unsigned());
    numbers.next()?;
    let minus = match sign {
        0xc000 => return Some(f64::NAN),
        0xd000 => return Some(f64::INFINITY),
        0xf000 => return Some(f64::NEG_INFINITY),
        0x4000 => "-",
        _ => "",
    };
    let digits: Option<String> =
        (0..count).map(|_| numbers.next().map(|digits| format!("{digits:04}"))).collect();
    let exponent = 4 * (i32::from(weight) + 1 - i32::from(count));
    format!("{minus}0{}e{exponent}", digits?).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(numbers: &[u16]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn a_numeric_is_the_number_nearest_to_it() {
        assert_eq!(numeric(&sent(&[0, 0, 0, 0])), Some(0.0));
        assert_eq!(numeric(&sent(&[1, 0, 0, 0, 7])), Some(7.0));
        assert_eq!(numeric(&sent(&[2, 0, 0x4000, 2, 3, 2500])), Some(-3.25));
        assert_eq!(numeric(&sent(&[1, 1, 0, 0, 12])), Some(120_000.0));
        assert_eq!(numeric(&sent(&[1, 0xffff, 0, 4, 5])), Some(0.0005));
        assert!(numeric(&sent(&[0, 0, 0xc000, 0])).is_some_and(f64::is_nan));
        assert_eq!(numeric(&sent(&[2, 0, 0, 0, 7])), None);
        assert_eq!(numeric(&[1]), None);
    }
}
