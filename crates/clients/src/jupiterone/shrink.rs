//! Makes a batch smaller that the API called too large: first what is raw in it, piece by piece, then all of it.
//!
//! Invariant: only `_rawData` is touched; keys, classes and properties arrive as they are.

use serde_json::{Map, Value};

use super::batch::{MOST_BYTES, size};

/// What stands in the place of a raw value that was too long.
///
/// Source: the upload of JupiterOne's integration SDK.
const TRUNCATED: &str = "TRUNCATED";

/// What was tried with a batch so far.
#[derive(Debug, Default)]
pub(super) struct Effort {
    tried: u8,
    shortened: u64,
}

impl Effort {
    /// The effort of a part of a batch with which all was tried.
    pub(super) const fn spent(shortened: u64) -> Self {
        Self { tried: 2, shortened }
    }

    /// How many objects lost some or all of their raw data.
    pub(super) const fn shortened(&self) -> u64 {
        self.shortened
    }

    /// Makes the batch smaller; false where nothing raw is left to shorten.
    pub(super) fn shrink(&mut self, objects: &mut [Map<String, Value>]) -> bool {
        self.tried += 1;
        match self.tried {
            1 => {
                self.shortened = truncate(objects);
                self.shortened > 0 || self.shrink(objects)
            }
            2 => {
                let dropped =
                    objects.iter_mut().filter_map(|object| object.remove("_rawData")).count() as u64;
                self.shortened = dropped.max(self.shortened);
                dropped > 0
            }
            _ => false,
        }
    }
}

/// Replaces the longest raw values until the batch is half as large, and within the limit; how many objects it touched.
fn truncate(objects: &mut [Map<String, Value>]) -> u64 {
    let before = size(&objects);
    let mut values: Vec<(usize, usize, String)> = Vec::new();
    for (place, object) in objects.iter_mut().enumerate() {
        for (name, value) in raw(object).into_iter().flatten() {
            values.push((size(value), place, name.clone()));
        }
    }
    values.sort_by(|left, right| right.cmp(left));
    let (mut left, mut touched) = (before, std::collections::BTreeSet::new());
    for (bytes, place, name) in values {
        if left <= MOST_BYTES.min(before / 2) || bytes <= TRUNCATED.len() + 2 {
            break;
        }
        if let Some(value) = objects.get_mut(place).and_then(raw).and_then(|raw| raw.get_mut(&name)) {
            *value = TRUNCATED.into();
            left -= bytes - (TRUNCATED.len() + 2);
            touched.insert(place);
        }
    }
    touched.len() as u64
}

/// The raw object of an entity.
fn raw(object: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    object.get_mut("_rawData")?.get_mut(0)?.get_mut("rawData")?.as_object_mut()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(raw: &str) -> Map<String, Value> {
        let object = json!({ "_key": "k", "name": "n", "_rawData": [{ "name": "default", "rawData": { "text": raw, "id": "i" } }] });
        object.as_object().unwrap().clone()
    }

    #[test]
    fn the_longest_raw_values_go_first_then_all_then_nothing() {
        let mut objects = [object("short text of some length"), object(&"x".repeat(1000))];
        let mut effort = Effort::default();
        assert!(effort.shrink(&mut objects));
        assert_eq!(objects[1]["_rawData"][0]["rawData"], json!({ "text": "TRUNCATED", "id": "i" }));
        assert_eq!(objects[0], object("short text of some length"));
        assert_eq!(effort.shortened(), 1);
        assert!(effort.shrink(&mut objects));
        assert_eq!(serde_json::to_value(&objects[0]).unwrap(), json!({ "_key": "k", "name": "n" }));
        assert_eq!(effort.shortened(), 2);
        assert!(!effort.shrink(&mut objects));
    }

    #[test]
    fn relationships_have_nothing_raw() {
        let mut objects = [Map::from_iter([("_key".to_owned(), json!("k"))])];
        assert!(!Effort::default().shrink(&mut objects));
    }
}
