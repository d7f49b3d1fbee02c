//! Packs objects into batches that the API takes.
//!
//! Invariant: a batch is within both limits, unless a single object alone is over the limit of bytes.

use serde_json::{Map, Value};

/// The most objects of one batch.
///
/// Source: the upload of JupiterOne's integration SDK, versions 6 to 8.
pub const MOST_OBJECTS: usize = 250;

/// The most bytes of JSON of one batch.
///
/// Source: the upload of JupiterOne's integration SDK, version 8.
pub const MOST_BYTES: usize = 5_000_000;

/// What a batch holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Entities.
    Entities,
    /// Relationships.
    Relationships,
}

impl Part {
    /// The word in paths and bodies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Entities => "entities",
            Self::Relationships => "relationships",
        }
    }
}

/// Objects that travel together.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// What they are.
    pub part: Part,
    /// The objects.
    pub objects: Vec<Map<String, Value>>,
}

/// Collects objects until a batch is full.
#[derive(Debug)]
pub struct Packer {
    part: Part,
    objects: Vec<Map<String, Value>>,
    bytes: usize,
}

impl Packer {
    /// An empty one.
    #[must_use]
    pub const fn new(part: Part) -> Self {
        Self { part, objects: Vec::new(), bytes: 0 }
    }

    /// Adds an object; gives back the batch before it where there is no more room.
    pub fn add(&mut self, object: Map<String, Value>) -> Option<Batch> {
        let bytes = size(&object) + 1;
        let full = self.objects.len() >= MOST_OBJECTS || self.bytes + bytes > MOST_BYTES;
        let batch = if full { self.take() } else { None };
        self.objects.push(object);
        self.bytes += bytes;
        batch
    }

    /// The last batch; none where nothing is left.
    pub fn take(&mut self) -> Option<Batch> {
        self.bytes = 0;
        let objects = std::mem::take(&mut self.objects);
        (!objects.is_empty()).then_some(Batch { part: self.part, objects })
    }
}

/// How many bytes an object is as JSON.
pub(super) fn size(object: &impl serde::Serialize) -> usize {
    let mut count = Count(0);
    // Counting cannot fail, and what cannot be written as JSON is not in a JSON object.
    drop(serde_json::to_writer(&mut count, object));
    count.0
}

struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(length: usize) -> Map<String, Value> {
        Map::from_iter([("text".to_owned(), json!("x".repeat(length)))])
    }

    #[test]
    fn a_batch_ends_at_the_limit_of_objects_and_at_that_of_bytes() {
        let mut packer = Packer::new(Part::Entities);
        let batches: Vec<Batch> = (0..600).filter_map(|_| packer.add(object(10))).collect();
        assert_eq!(batches.iter().map(|batch| batch.objects.len()).collect::<Vec<_>>(), [250, 250]);
        assert_eq!(packer.take().unwrap().objects.len(), 100);
        assert_eq!(packer.take(), None);

        let sizes: Vec<usize> =
            (0..7).filter_map(|_| packer.add(object(2_000_000))).map(|b| b.objects.len()).collect();
        assert_eq!(sizes, [2, 2, 2]);
        assert_eq!(packer.take().unwrap().objects.len(), 1);
    }

    #[test]
    fn an_object_over_the_limit_travels_alone() {
        let mut packer = Packer::new(Part::Entities);
        assert_eq!(packer.add(object(6_000_000)), None);
        assert_eq!(packer.add(object(1)).unwrap().objects.len(), 1);
    }
}
