//! Records of one kind with the fingerprint of each: equal fingerprints mean that nothing changed.
//!
//! A fingerprint is taken when its record comes, while a sync waits for the next page, so that a commit need not.
//!
//! Invariant: a fingerprint depends on Heroku's words alone, not on ids of a database or on the order of reading.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use crate::{Cell, Record};

/// So many digested documents are remembered.
const MOST_DOCUMENTS: usize = 4_096;

/// Records of one kind, in the order in which they came.
#[derive(Clone, Debug)]
pub struct Records<T> {
    list: Vec<T>,
    fingerprints: Vec<u64>,
    /// Documents of properties are most often shared: each is digested once. By address; they are kept alive here.
    documents: HashMap<usize, (Arc<str>, u64)>,
}

impl<T> Default for Records<T> {
    fn default() -> Self {
        Self { list: Vec::new(), fingerprints: Vec::new(), documents: HashMap::new() }
    }
}

impl<T: Record> Records<T> {
    /// Adds a record.
    pub fn push(&mut self, record: T) {
        let fingerprint = self.fingerprint(&record);
        self.list.push(record);
        self.fingerprints.push(fingerprint);
    }

    /// Adds a record with the fingerprint that it had when Heroku sent it.
    pub fn push_known(&mut self, record: T, fingerprint: u64) {
        self.list.push(record);
        self.fingerprints.push(fingerprint);
    }

    /// Puts a record in the place of another; nothing happens where there is none.
    pub fn replace(&mut self, place: usize, record: T) {
        let fingerprint = self.fingerprint(&record);
        if let (Some(known), Some(old)) = (self.list.get_mut(place), self.fingerprints.get_mut(place)) {
            (*known, *old) = (record, fingerprint);
        }
    }

    /// Changes the records as a plain list; their fingerprints are taken anew.
    pub fn edit(&mut self, edit: impl FnOnce(&mut Vec<T>)) {
        let mut records = std::mem::take(&mut self.list);
        edit(&mut records);
        *self = records.into();
    }

    fn fingerprint(&mut self, record: &T) -> u64 {
        let properties = record.properties();
        if self.documents.len() >= MOST_DOCUMENTS {
            self.documents.clear();
        }
        let known = self.documents.entry(properties.as_ptr().addr());
        let (_, document) = known.or_insert_with(|| (Arc::clone(properties), digest(properties.as_bytes())));
        combine(record, *document)
    }
}

impl<T> Records<T> {
    /// The fingerprints, in the records' order.
    #[must_use]
    pub fn fingerprints(&self) -> &[u64] {
        &self.fingerprints
    }
}

impl<T> Deref for Records<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.list
    }
}

impl<T: Record> FromIterator<T> for Records<T> {
    fn from_iter<I: IntoIterator<Item = T>>(records: I) -> Self {
        let mut list = Self::default();
        list.extend(records);
        list
    }
}

impl<T: Record> From<Vec<T>> for Records<T> {
    fn from(records: Vec<T>) -> Self {
        records.into_iter().collect()
    }
}

impl<T: Record> Extend<T> for Records<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, records: I) {
        records.into_iter().for_each(|record| self.push(record));
    }
}

impl<T> IntoIterator for Records<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'r, T> IntoIterator for &'r Records<T> {
    type Item = &'r T;
    type IntoIter = std::slice::Iter<'r, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn digest(bytes: &[u8]) -> u64 {
    let digest = blake3::hash(bytes);
    u64::from_le_bytes(digest.as_bytes().first_chunk::<8>().copied().unwrap_or_default())
}

fn combine<T: Record>(record: &T, properties: u64) -> u64 {
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
    digest(&words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::App;

    fn app(name: &str, properties: &str) -> App {
        let mut app = App::new("01234567-89ab-cdef-0123-456789abcdef".into());
        app.name = Some(name.into());
        app.properties = properties.into();
        app
    }

    #[test]
    fn a_fingerprint_tells_names_and_properties_apart_and_nothing_else() {
        let records: Records<App> =
            vec![app("a", "{}"), app("b", "{}"), app("a", "{\"x\":1}"), app("a", "{}")].into();
        let [first, second, third, fourth] = records.fingerprints() else { panic!("four records") };
        assert_eq!(first, fourth);
        assert!(first != second && first != third && second != third);
    }

    #[test]
    fn a_replaced_record_has_the_fingerprint_of_the_new_one() {
        let mut records: Records<App> = vec![app("a", "{}"), app("b", "{}")].into();
        records.replace(0, app("b", "{}"));
        assert_eq!(records.fingerprints()[0], records.fingerprints()[1]);
        records.replace(7, app("c", "{}"));
        assert_eq!(records.len(), 2);
    }
}
