//! How a copy lies in a stream of bytes: frames, and rows of values within them.
//!
//! A frame is one byte that says what it is, four bytes of length, and so many bytes: JSON for all but rows. A row is its
//! values in the order of the table's columns: 0 for null, 1 and eight bytes for a number, 2 or 3 with a length for text and
//! bytes. All numbers are little-endian.
//!
//! Invariant: what cannot have been written here is refused, and no length is believed before the bytes are there.

use std::io::Read;

use super::{FORMAT, Head, Manifest, TableHead};
use crate::StoreError;
use crate::connection::Row;
use crate::query::Datum;

/// Begins every copy.
const MAGIC: &[u8] = b"metsuke backup\n";
/// The longest frame that is read: a piece, and one value as large as either engine takes.
const LONGEST: u64 = 1 << 30;

/// One piece of a copy that says what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The beginning.
    Head(Head),
    /// A table begins.
    Table(TableHead),
    /// Rows of the table that began last.
    Rows(Vec<u8>),
    /// The end.
    End(Manifest),
}

impl Frame {
    /// The bytes of the frame, the first one of a copy with what every copy begins with.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, StoreError> {
        let unwritten =
            |source: serde_json::Error| StoreError::Damaged { what: format!("a backup: {source}") };
        let (tag, payload) = match self {
            Self::Head(head) => (b'H', serde_json::to_vec(head)),
            Self::Table(table) => (b'T', serde_json::to_vec(table)),
            Self::Rows(rows) => (b'R', Ok(rows.clone())),
            Self::End(manifest) => (b'E', serde_json::to_vec(manifest)),
        };
        let payload = payload.map_err(unwritten)?;
        let length = u32::try_from(payload.len())
            .map_err(|_| StoreError::Damaged { what: "a value is too large for a backup".into() })?;
        let mut bytes = Vec::with_capacity(payload.len() + MAGIC.len() + 5);
        if tag == b'H' {
            bytes.extend_from_slice(MAGIC);
        }
        bytes.push(tag);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&payload);
        Ok(bytes)
    }

    /// The next frame; the first one is a [`Head`].
    ///
    /// # Errors
    ///
    /// [`StoreError::NoBackup`] for what was not written here, or ends too early.
    pub fn read(source: &mut impl Read, first: bool) -> Result<Self, StoreError> {
        if first {
            let mut magic = [0; MAGIC.len()];
            source.read_exact(&mut magic).map_err(|error| unread(&error))?;
            if magic != MAGIC {
                return Err(no_backup("it does not begin as one"));
            }
        }
        let mut start = [0; 5];
        source.read_exact(&mut start).map_err(|error| unread(&error))?;
        let [tag, length @ ..] = start;
        let length = u64::from(u32::from_le_bytes(length));
        if length > LONGEST {
            return Err(no_backup("a part of it is too long"));
        }
        let mut payload = Vec::new();
        source.take(length).read_to_end(&mut payload).map_err(|error| unread(&error))?;
        if payload.len() as u64 != length {
            return Err(no_backup("it ends too early"));
        }
        let said = |error: serde_json::Error| no_backup(&format!("a part of it cannot be read: {error}"));
        Ok(match tag {
            b'H' if first => Self::Head(head(&payload)?),
            b'T' => Self::Table(serde_json::from_slice(&payload).map_err(said)?),
            b'R' => Self::Rows(payload),
            b'E' => Self::End(serde_json::from_slice(&payload).map_err(said)?),
            _ => return Err(no_backup("a part of it is of no known kind")),
        })
    }
}

fn head(payload: &[u8]) -> Result<Head, StoreError> {
    let said = |error: serde_json::Error| no_backup(&format!("its beginning cannot be read: {error}"));
    // The number comes first: what else a newer form says, nobody here knows.
    let value: serde_json::Value = serde_json::from_slice(payload).map_err(said)?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(number) if number > u64::from(FORMAT) => {
            Err(no_backup("a newer metsuke wrote it, in a form that is not known here"))
        }
        _ => serde_json::from_value(value).map_err(said),
    }
}

pub(super) fn no_backup(reason: &str) -> StoreError {
    StoreError::NoBackup { reason: reason.to_owned() }
}

fn unread(error: &std::io::Error) -> StoreError {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => no_backup("it ends too early"),
        _ => no_backup(&format!("it cannot be read: {error}")),
    }
}

/// Writes a row's values behind others.
pub(super) fn put_row(piece: &mut Vec<u8>, row: Row<'_>) -> Result<(), StoreError> {
    let values = row.values().map_err(StoreError::database("reading rows for a backup"))?;
    for value in values {
        match value {
            Datum::Null => piece.push(0),
            Datum::Int(number) => {
                piece.push(1);
                piece.extend_from_slice(&number.to_le_bytes());
            }
            Datum::Text(text) => put_bytes(piece, 2, text.as_bytes())?,
            Datum::Bytes(bytes) => put_bytes(piece, 3, &bytes)?,
            Datum::Real(_) => {
                return Err(StoreError::Damaged { what: "a column holds a number that is not whole".into() });
            }
        }
    }
    Ok(())
}

fn put_bytes(piece: &mut Vec<u8>, tag: u8, bytes: &[u8]) -> Result<(), StoreError> {
    let length = u32::try_from(bytes.len())
        .map_err(|_| StoreError::Damaged { what: "a value is too large for a backup".into() })?;
    piece.push(tag);
    piece.extend_from_slice(&length.to_le_bytes());
    piece.extend_from_slice(bytes);
    Ok(())
}

/// The values of rows, one after the other.
#[derive(Debug)]
pub(super) struct Values<'b>(pub(super) &'b [u8]);

impl Values<'_> {
    /// Whether all were taken.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next one.
    pub(super) fn next(&mut self) -> Result<Datum, StoreError> {
        Ok(match self.take(1)? {
            [0] => Datum::Null,
            [1] => {
                let bytes = <[u8; 8]>::try_from(self.take(8)?).unwrap_or_default();
                Datum::Int(i64::from_le_bytes(bytes))
            }
            [2] => {
                let text = std::str::from_utf8(self.counted()?);
                Datum::Text(text.map_err(|_| no_backup("a text in it is none"))?.to_owned())
            }
            [3] => Datum::Bytes(self.counted()?.to_vec()),
            _ => return Err(no_backup("a value in it is of no known kind")),
        })
    }

    fn counted(&mut self) -> Result<&[u8], StoreError> {
        let length = <[u8; 4]>::try_from(self.take(4)?).unwrap_or_default();
        self.take(usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX))
    }

    fn take(&mut self, length: usize) -> Result<&[u8], StoreError> {
        let (taken, rest) =
            self.0.split_at_checked(length).ok_or_else(|| no_backup("a row in it ends too early"))?;
        self.0 = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use metsuke_model::Moment;
    use proptest::prelude::*;

    use super::*;

    fn head() -> Head {
        Head { format: FORMAT, schema: 8, program: "0.1.0".into(), made_at: Moment(1_000_000) }
    }

    #[test]
    fn a_frame_is_read_back() {
        let bytes = Frame::Head(head()).bytes().unwrap();
        assert_eq!(Frame::read(&mut bytes.as_slice(), true).unwrap(), Frame::Head(head()));
        let rows = Frame::Rows(vec![0, 1, 2]);
        assert_eq!(Frame::read(&mut rows.bytes().unwrap().as_slice(), false).unwrap(), rows);
    }

    #[test]
    fn a_newer_form_is_refused_by_its_number() {
        let newer = Frame::Head(Head { format: FORMAT + 1, ..head() }).bytes().unwrap();
        let said = Frame::read(&mut newer.as_slice(), true).unwrap_err().to_string();
        assert!(said.contains("a newer metsuke"), "{said}");
    }

    #[test]
    fn a_length_that_is_not_there_costs_nothing() {
        let mut bytes = vec![b'R'];
        bytes.extend_from_slice(&(1_u32 << 30).to_le_bytes());
        assert!(Frame::read(&mut bytes.as_slice(), false).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(Frame::read(&mut bytes.as_slice(), false));
            let mut values = Values(&bytes);
            while !values.is_empty() && values.next().is_ok() {}
        }
    }
}
