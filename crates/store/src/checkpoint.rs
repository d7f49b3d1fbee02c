//! All of direct access at one version, packed: sorted keys as differences, compressed.
//!
//! It mirrors the `access` table so that the next sync can be compared without reading the table row by row.
//!
//! Invariant: what [`pack`] wrote, [`unpack`] reads back, or says that it is damaged.

use crate::StoreError;
use crate::packed::{Reader, put};

/// Begins every packed state and names its form.
const MAGIC: &[u8; 4] = b"MTA1";
/// Fast, and within a few per cent of the slowest level on this data.
const ZSTD_LEVEL: i32 = 3;

/// Resource and principal in one number, which orders as the `access` table's key does.
pub(crate) fn key(resource: i64, principal: i64) -> Result<u64, StoreError> {
    let part = |id: i64| {
        u32::try_from(id)
            .map_err(|_| StoreError::Damaged { what: format!("object number {id} is out of range") })
    };
    Ok(u64::from(part(resource)?) << 32 | u64::from(part(principal)?))
}

/// Resource and principal of a key.
pub(crate) fn parts(key: u64) -> (i64, i64) {
    (i64::from(u32::try_from(key >> 32).unwrap_or(u32::MAX)), i64::try_from(key & 0xffff_ffff).unwrap_or(0))
}

/// Packs sorted (key, mask) pairs.
pub(crate) fn pack(state: &[(u64, u32)]) -> Result<Vec<u8>, StoreError> {
    let mut raw = Vec::with_capacity(8 + state.len() * 3);
    raw.extend_from_slice(MAGIC);
    put(&mut raw, state.len() as u64);
    let mut last = 0;
    for (key, mask) in state {
        put(&mut raw, key - last);
        put(&mut raw, u64::from(*mask));
        last = *key;
    }
    zstd::encode_all(raw.as_slice(), ZSTD_LEVEL)
        .map_err(|source| StoreError::Damaged { what: format!("packing a checkpoint: {source}") })
}

/// Reads what [`pack`] wrote.
pub(crate) fn unpack(packed: &[u8]) -> Result<Vec<(u64, u32)>, StoreError> {
    let damaged = || StoreError::Damaged { what: "a checkpoint of access cannot be read".into() };
    let raw = zstd::decode_all(packed).map_err(|_| damaged())?;
    let mut reader = Reader::new(raw.strip_prefix(MAGIC.as_slice()).ok_or_else(damaged)?);
    let count = reader.number().and_then(|count| usize::try_from(count).ok()).ok_or_else(damaged)?;
    let mut state = Vec::with_capacity(count.min(raw.len()));
    let mut key = 0_u64;
    for _ in 0..count {
        let step = reader.number().ok_or_else(damaged)?;
        let mask = reader.number().and_then(|mask| u32::try_from(mask).ok()).ok_or_else(damaged)?;
        key = key.checked_add(step).ok_or_else(damaged)?;
        state.push((key, mask));
    }
    if reader.is_empty() { Ok(state) } else { Err(damaged()) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_state_survives_packing(state in proptest::collection::btree_map(any::<u64>(), any::<u32>(), 0..200)) {
            let state: Vec<(u64, u32)> = BTreeMap::into_iter(state).collect();
            prop_assert_eq!(unpack(&pack(&state).unwrap()).unwrap(), state);
        }

        #[test]
        fn any_damage_is_an_error_and_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(unpack(&bytes).is_err());
        }

        #[test]
        fn a_key_gives_back_its_parts(resource in any::<u32>(), principal in any::<u32>()) {
            let (resource, principal) = (i64::from(resource), i64::from(principal));
            prop_assert_eq!(parts(key(resource, principal).unwrap()), (resource, principal));
        }
    }
}
