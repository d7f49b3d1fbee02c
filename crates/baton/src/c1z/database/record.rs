//! One row as SQLite's file format has it: a header of types, then the values.
//!
//! Where a row lies is decided by [`tree`](super::tree).
//!
//! Source: <https://www.sqlite.org/fileformat2.html#record_format>

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// Nothing; also the place of the row's own number.
    Null,
    /// A whole number.
    Int(i64),
    /// Another number.
    Real(f64),
    /// UTF-8.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

impl<'a> Value<'a> {
    /// A text.
    pub(crate) const fn text(text: &'a str) -> Self {
        Self::Text(text.as_bytes())
    }

    /// The number that stands for the type and the length.
    fn serial_type(self) -> u64 {
        match self {
            Self::Null => 0,
            Self::Int(0) => 8,
            Self::Int(1) => 9,
            Self::Int(number) => match width(number) {
                8 => 6,
                6 => 5,
                narrow => narrow as u64,
            },
            Self::Real(_) => 7,
            Self::Text(text) => text.len() as u64 * 2 + 13,
            Self::Blob(blob) => blob.len() as u64 * 2 + 12,
        }
    }

    fn append(self, out: &mut Vec<u8>) {
        match self {
            Self::Null | Self::Int(0 | 1) => {}
            Self::Int(number) => {
                let bytes = number.to_be_bytes();
                out.extend_from_slice(bytes.get(8 - width(number)..).unwrap_or(&bytes));
            }
            Self::Real(number) => out.extend_from_slice(&number.to_be_bytes()),
            Self::Text(bytes) | Self::Blob(bytes) => out.extend_from_slice(bytes),
        }
    }
}

/// Bytes that a number takes: 1, 2, 3, 4, 6 or 8.
fn width(number: i64) -> usize {
    // All bits but those that repeat the sign, and one for the sign.
    let bits = 65 - (number ^ (number >> 63)).leading_zeros();
    match bits {
        0..=8 => 1,
        9..=16 => 2,
        17..=24 => 3,
        25..=32 => 4,
        33..=48 => 6,
        _ => 8,
    }
}

/// Appends a number in one to nine bytes, seven bits in each but the ninth.
pub(super) fn varint(number: u64, out: &mut Vec<u8>) {
    if number < 0x80 {
        out.push((number & 0x7f) as u8);
        return;
    }
    if number >= 1 << 56 {
        let high = number >> 8;
        out.extend((0..8).rev().map(|place| ((high >> (7 * place)) & 0x7f) as u8 | 0x80));
        out.push((number & 0xff) as u8);
        return;
    }
    let places = (64 - number.leading_zeros()).div_ceil(7);
    let bits = |place: u32| ((number >> (7 * place)) & 0x7f) as u8;
    out.extend((1..places).rev().map(|place| bits(place) | 0x80));
    out.push(bits(0));
}

/// Bytes that [`varint`] appends.
const fn varint_length(number: u64) -> u64 {
    let bits = 64 - number.leading_zeros();
    match bits {
        0 => 1,
        1..=56 => bits.div_ceil(7) as u64,
        _ => 9,
    }
}

/// Appends a row of a table, whose first column is its number, which stands elsewhere.
pub(super) fn append_numbered(values: &[Value<'_>], out: &mut Vec<u8>) {
    append_after(&[Value::Null], values, out);
}

/// Appends a row.
pub(super) fn append(values: &[Value<'_>], out: &mut Vec<u8>) {
    append_after(&[], values, out);
}

fn append_after(first: &[Value<'_>], values: &[Value<'_>], out: &mut Vec<u8>) {
    let all = || first.iter().chain(values);
    let types: u64 = all().map(|value| varint_length(value.serial_type())).sum();
    // The header's length counts itself.
    let whole = types + varint_length(types + 1);
    varint(if varint_length(whole) > varint_length(types + 1) { whole + 1 } else { whole }, out);
    all().for_each(|value| varint(value.serial_type(), out));
    all().for_each(|value| value.append(out));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_as_few_bytes_as_the_format_allows() {
        for (number, expected) in
            [(-1, 1), (127, 1), (128, 2), (-129, 2), (1 << 23, 4), (1 << 31, 6), (1 << 47, 8), (i64::MIN, 8)]
        {
            assert_eq!(width(number), expected, "{number}");
        }
    }

    #[test]
    fn variable_numbers_have_the_length_that_is_counted() {
        for bits in 0..64 {
            for number in [1_u64 << bits, (1_u64 << bits) - 1, (1_u64 << bits) + 1] {
                let mut bytes = Vec::new();
                varint(number, &mut bytes);
                assert_eq!(bytes.len() as u64, varint_length(number), "{number}");
            }
        }
        let mut bytes = Vec::new();
        varint(0x4080, &mut bytes);
        assert_eq!(bytes, [0x81, 0x81, 0x00]);
    }

    #[test]
    fn a_row_is_its_types_and_then_its_values() {
        let mut row = Vec::new();
        append(
            &[Value::Null, Value::text("ab"), Value::Int(1), Value::Int(300), Value::Blob(&[7])],
            &mut row,
        );
        assert_eq!(row, [6, 0, 17, 9, 2, 14, b'a', b'b', 1, 44, 7]);
    }
}
