//! Gives every distinct document of properties a number, and writes the new ones.
//!
//! What is in a document is not looked at here.
//!
//! Invariant: equal documents have one number, for as long as the database lives.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use metsuke_model::Record;
use rustc_hash::FxHashMap;

use super::Writer;
use super::rows::Written;
use crate::StoreError;
use crate::connection::Bind;

impl Writer {
    /// The ids of the records' properties, by the address of their text.
    pub(super) async fn intern_all<T: Record>(
        &mut self,
        records: &[T],
        written: &[Written],
    ) -> Result<FxHashMap<usize, i64>, StoreError> {
        // Equal documents are most often one shared text: its address finds it without comparing texts.
        let mut documents: FxHashMap<usize, &Arc<str>> = FxHashMap::default();
        for record in written.iter().filter_map(|entry| records.get(entry.index)) {
            documents.entry(record.properties().as_ptr().addr()).or_insert_with(|| record.properties());
        }
        let interned = self.intern(documents.values().copied()).await?;
        Ok(documents
            .iter()
            .filter_map(|(address, document)| Some((*address, *interned.get(&***document)?)))
            .collect())
    }

    /// Gives every distinct document of properties an id, and writes the new ones.
    async fn intern<'t>(
        &mut self,
        documents: impl Iterator<Item = &'t Arc<str>>,
    ) -> Result<HashMap<&'t str, i64>, StoreError> {
        let texts: HashSet<&str> = documents.map(|document| &**document).collect();
        let mut wanted: Vec<(i64, &str)> = texts.into_iter().map(|text| (hash(text), text)).collect();
        wanted.sort_unstable();
        let hashes: Vec<i64> = wanted.iter().map(|(hash, _)| *hash).collect();
        let mut known = HashMap::new();
        let select = ("SELECT id, hash FROM properties WHERE hash IN (", ")");
        self.connection
            .each_in("looking up properties", select, &hashes, |row| {
                known.insert(row.number(1)?, row.number(0)?);
                Ok(())
            })
            .await?;
        let (mut rows, mut ids) = (Vec::new(), HashMap::with_capacity(wanted.len()));
        for (hash, text) in wanted {
            let id = known.get(&hash).copied().unwrap_or_else(|| {
                self.next_properties += 1;
                rows.push([self.next_properties.into(), hash.into(), Bind::from(text)]);
                self.next_properties
            });
            ids.insert(text, id);
        }
        let head = "INSERT INTO properties (id, hash, document) ";
        self.connection.insert("writing properties", (head, ""), rows).await?;
        Ok(ids)
    }
}

/// The hash of a document of properties, as the database keeps it.
pub(crate) fn hash(text: &str) -> i64 {
    let bytes = blake3::hash(text.as_bytes());
    i64::from_le_bytes(bytes.as_bytes().first_chunk::<8>().copied().unwrap_or_default())
}
