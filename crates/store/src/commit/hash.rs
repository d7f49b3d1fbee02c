//! Short hashes of what Heroku sent: equal hashes mean that nothing changed.
//!
//! Invariant: a hash depends on Heroku's words alone, not on ids of this database or on the order of reading.

use std::collections::HashMap;
use std::thread;

use metsuke_model::{Cell, Record};

/// Below so many records a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 4096;

/// The hashes of many records, in their order.
pub(super) fn contents<T: Record + Sync>(records: &[T]) -> Vec<u64> {
    if records.len() < WORTH_A_THREAD {
        return sequential(records);
    }
    let (left, right) = records.split_at(records.len() / 2);
    thread::scope(|scope| {
        let right = scope.spawn(|| sequential(right));
        let mut hashes = sequential(left);
        match right.join() {
            Ok(rest) => hashes.extend(rest),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        hashes
    })
}

fn sequential<T: Record>(records: &[T]) -> Vec<u64> {
    // Documents of properties are shared between records: each is hashed once.
    let mut documents: HashMap<*const u8, i64> = HashMap::new();
    records
        .iter()
        .map(|record| {
            let properties = record.properties();
            let document = *documents.entry(properties.as_ptr()).or_insert_with(|| text(properties));
            combine(record, document)
        })
        .collect()
}

/// The hash of one record.
pub(super) fn content<T: Record>(record: &T) -> u64 {
    combine(record, text(record.properties()))
}

/// The hash of a text, as the database keeps it.
pub(super) fn text(text: &str) -> i64 {
    let bytes = blake3::hash(text.as_bytes());
    i64::from_le_bytes(bytes.as_bytes().first_chunk::<8>().copied().unwrap_or_default())
}

fn combine<T: Record>(record: &T, properties: i64) -> u64 {
    let mut words = Vec::with_capacity(256);
    words.extend_from_slice(&properties.to_le_bytes());
    for cell in record.cells() {
        match cell {
            Cell::Null => words.push(0),
            Cell::Int(number) => {
                words.push(1);
                words.extend_from_slice(&number.to_le_bytes());
            }
            Cell::Text(text) => {
                words.push(2);
                words.extend_from_slice(&(text.len() as u64).to_le_bytes());
                words.extend_from_slice(text.as_bytes());
            }
            Cell::Reference(id) => {
                let bytes = id.to_bytes();
                words.push(3);
                words.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
                words.extend_from_slice(&bytes);
            }
        }
    }
    let hash = blake3::hash(&words);
    u64::from_le_bytes(hash.as_bytes().first_chunk::<8>().copied().unwrap_or_default())
}
