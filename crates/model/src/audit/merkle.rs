//! The Merkle tree over the leaf hashes of a log: its root, growing it, and proofs about it.
//!
//! It does not know what a leaf is the hash of, and it keeps no leaves.
//!
//! Invariant: equal roots of equal sizes mean equal leaves in equal order, as far as SHA-256 holds. Leaves and
//! inner nodes are hashed with different first bytes, so that none can pass for the other.
//!
//! Source: RFC 6962, section 2.1 <https://www.rfc-editor.org/rfc/rfc6962#section-2.1>; the steps of verifying a
//! proof are those of RFC 9162, sections 2.1.3.2 and 2.1.4.2, which describe the same tree.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::AuditError;
use super::canonical::LARGEST;

const LEAF: [u8; 1] = [0];
const NODE: [u8; 1] = [1];

/// A SHA-256 hash; shown, read and serialised as base64, which is how checkpoints spell it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// The hash of a leaf: SHA-256 of a zero byte and the leaf's bytes.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Digest {
    Digest(Sha256::new().chain_update(LEAF).chain_update(bytes).finalize().into())
}

/// The hash of an inner node: SHA-256 of a one byte and the hashes of both children.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest(Sha256::new().chain_update(NODE).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// All that must be kept of a log to append to it and to know its root: one hash for each full subtree.
///
/// A log of n events has as many of them as n has ones in binary, so at most 53.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// The roots of the full subtrees, largest first.
    peaks: Vec<Digest>,
}

/// The first byte of a stored frontier.
const FRONTIER_FORMAT: u8 = 1;

impl Frontier {
    /// How many leaves the log has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the log; that of an empty one is the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else { return Digest(Sha256::digest([]).into()) };
        peaks.fold(*smallest, |right, left| node_hash(left, &right))
    }

    /// Adds a leaf at the end.
    pub fn append(&mut self, leaf: Digest) {
        // Each trailing one of the size is a full subtree as large as what has been put together so far.
        let full = usize::try_from(self.size.trailing_ones()).unwrap_or(usize::MAX);
        let merged = self.peaks.drain(self.peaks.len().saturating_sub(full)..).rev();
        let node = merged.fold(leaf, |right, left| node_hash(&left, &right));
        self.peaks.push(node);
        self.size += 1;
    }

    /// What a database keeps: a format byte, the size in eight bytes (big-endian), the hashes, largest first.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FRONTIER_FORMAT];
        bytes.extend_from_slice(&self.size.to_be_bytes());
        bytes.extend(self.peaks.iter().flat_map(|peak| peak.0));
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// [`AuditError::Frontier`] for any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AuditError> {
        let damaged = |reason| AuditError::Frontier { reason };
        let (format, rest) = bytes.split_first().ok_or(damaged("it is empty"))?;
        if *format != FRONTIER_FORMAT {
            return Err(damaged("its format is not known"));
        }
        let (size, rest) = rest.split_first_chunk().ok_or(damaged("it is too short"))?;
        let size = u64::from_be_bytes(*size);
        let (peaks, rest) = rest.as_chunks();
        if size > LARGEST || !rest.is_empty() || usize::try_from(size.count_ones()) != Ok(peaks.len()) {
            return Err(damaged("its length does not fit its size"));
        }
        Ok(Self { size, peaks: peaks.iter().copied().map(Digest).collect() })
    }
}

/// The root of these leaves.
#[must_use]
pub fn root(leaves: &[Digest]) -> Digest {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.append(*leaf);
    }
    frontier.root()
}

/// The hashes that lead from one leaf to the root, from the bottom up; `None` where there is no such leaf.
#[must_use]
pub fn inclusion_proof(leaves: &[Digest], index: usize) -> Option<Vec<Digest>> {
    fn walk(leaves: &[Digest], index: usize, proof: &mut Vec<Digest>) {
        if leaves.len() < 2 {
            return;
        }
        let (left, right) = leaves.split_at(split(leaves.len()));
        if index < left.len() {
            walk(left, index, proof);
            proof.push(root(right));
        } else {
            walk(right, index - left.len(), proof);
            proof.push(root(left));
        }
    }
    let mut proof = Vec::new();
    walk(leaves, index, &mut proof);
    (index < leaves.len()).then_some(proof)
}

/// The hashes that show that a log grew from its first `old` leaves by appending; `None` where there are fewer.
#[must_use]
pub fn consistency_proof(leaves: &[Digest], old: usize) -> Option<Vec<Digest>> {
    /// `known`: whether the verifier has the root of these very leaves.
    fn walk(leaves: &[Digest], old: usize, known: bool, proof: &mut Vec<Digest>) {
        if old == leaves.len() {
            if !known {
                proof.push(root(leaves));
            }
            return;
        }
        let (left, right) = leaves.split_at(split(leaves.len()));
        if old <= left.len() {
            walk(left, old, known, proof);
            proof.push(root(right));
        } else {
            walk(right, old - left.len(), false, proof);
            proof.push(root(left));
        }
    }
    let mut proof = Vec::new();
    if 0 < old && old < leaves.len() {
        walk(leaves, old, true, &mut proof);
    }
    (old <= leaves.len()).then_some(proof)
}

/// The largest power of two below `length`, which is at least two.
fn split(length: usize) -> usize {
    length.next_power_of_two() / 2
}

/// Whether the leaf stands at `index` in the log of `size` leaves with that root.
#[must_use]
pub fn verify_inclusion(leaf: Digest, index: u64, size: u64, proof: &[Digest], root: &Digest) -> bool {
    if index >= size {
        return false;
    }
    let mut path = Path { node: index, last: size - 1 };
    let mut hash = leaf;
    for beside in proof {
        match path.climb() {
            None => return false,
            Some(Side::Left) => hash = node_hash(beside, &hash),
            Some(Side::Right) => hash = node_hash(&hash, beside),
        }
    }
    path.last == 0 && hash == *root
}

/// Whether the log with the new size and root begins with all of the log with the old size and root.
#[must_use]
pub fn verify_consistency(old: (u64, &Digest), new: (u64, &Digest), proof: &[Digest]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 {
        return proof.is_empty() && *old_root == Frontier::default().root();
    }
    if old_size >= new_size {
        return old_size == new_size && proof.is_empty() && old_root == new_root;
    }
    let mut path = Path { node: old_size - 1, last: new_size - 1 };
    path.skip(path.node.trailing_ones());
    // Where the old log is one full subtree, its root is the first hash and is not sent.
    let (first, rest) = match proof.split_first() {
        _ if old_size.is_power_of_two() => (*old_root, proof),
        Some((first, rest)) => (*first, rest),
        None => return false,
    };
    let (mut old_hash, mut new_hash) = (first, first);
    for beside in rest {
        match path.climb() {
            None => return false,
            Some(Side::Left) => {
                old_hash = node_hash(beside, &old_hash);
                new_hash = node_hash(beside, &new_hash);
            }
            Some(Side::Right) => new_hash = node_hash(&new_hash, beside),
        }
    }
    path.last == 0 && old_hash == *old_root && new_hash == *new_root
}

/// The way from a node to the root, by the numbers of that node and of the last one of its level.
struct Path {
    node: u64,
    last: u64,
}

/// On which side of a node the next hash of a proof stands.
enum Side {
    Left,
    Right,
}

impl Path {
    /// Goes up to the next level at which a hash is needed; `None` at the root.
    fn climb(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let left = self.node & 1 == 1 || self.node == self.last;
        if left {
            // The last node of a level that has no sibling stands for itself further up.
            self.skip(self.node.trailing_zeros());
        }
        self.skip(1);
        Some(if left { Side::Left } else { Side::Right })
    }

    fn skip(&mut self, levels: u32) {
        self.node = self.node.checked_shr(levels).unwrap_or(0);
        self.last = self.last.checked_shr(levels).unwrap_or(0);
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = AuditError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| AuditError::Hash { text: text.to_owned() })
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
