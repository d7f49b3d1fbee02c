//! All of direct access at one moment, in memory: how it is ordered, turned and changed.
//!
//! Invariant: a [`State`] is sorted by key and holds each key once.

use metsuke_model::AccessRow;

use crate::StoreError;

/// A state of all direct access: sorted keys (resource, principal) with their masks.
pub(super) type State = Vec<(u64, u32)>;

/// Listed rows as a state, with what gives the key of a row's two places.
///
/// Rows are dealt out to their resources first, which leaves only short runs to sort.
pub(super) fn sorted(
    rows: Vec<AccessRow>,
    resources: &[i64],
    key: impl Fn(u32, u32) -> Result<u64, StoreError>,
) -> Result<State, StoreError> {
    let mut order: Vec<usize> = (0..resources.len()).collect();
    order.sort_unstable_by_key(|place| resources.get(*place));
    let mut counts = vec![0_usize; resources.len()];
    for row in &rows {
        if let Some(count) = counts.get_mut(row.resource as usize) {
            *count += 1;
        }
    }
    // Where the next row of each resource goes.
    let mut slots = vec![0_usize; resources.len()];
    let mut start = 0;
    for place in &order {
        if let (Some(slot), Some(count)) = (slots.get_mut(*place), counts.get(*place)) {
            *slot = start;
            start += count;
        }
    }
    let mut state: State = vec![(0, 0); rows.len()];
    for row in rows {
        let entry = (key(row.resource, row.principal)?, row.mask.0);
        let slot = slots.get_mut(row.resource as usize);
        if let Some((slot, place)) = slot.and_then(|slot| Some((state.get_mut(*slot)?, slot))) {
            *slot = entry;
            *place += 1;
        }
    }
    let mut rest = state.as_mut_slice();
    for count in order.iter().filter_map(|place| counts.get(*place)) {
        let Some((run, later)) = std::mem::take(&mut rest).split_at_mut_checked(*count) else { break };
        run.sort_unstable();
        rest = later;
    }
    if !state.is_sorted() {
        // One resource stood in two places.
        state.sort_unstable();
    }
    state.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            earlier.1 |= later.1;
        }
        same
    });
    Ok(state)
}

/// The key with its halves exchanged: what orders by resource then orders by principal.
pub(super) fn turned(key: u64) -> u64 {
    key.rotate_left(32)
}

/// The state, ordered by principal.
pub(super) fn by_principal(state: &State) -> State {
    let mut held: State = state.iter().map(|(key, mask)| (turned(*key), *mask)).collect();
    held.sort_unstable();
    held
}

/// The state after sorted changes (key, before, after), where a mask of 0 means none.
pub(super) fn applied(known: State, changes: &[(u64, u32, u32)]) -> State {
    let mut state = State::with_capacity(known.len() + changes.len());
    let mut changes = changes.iter().peekable();
    for (key, mask) in known {
        while let Some((added, _, after)) = changes.next_if(|change| change.0 < key) {
            state.push((*added, *after));
        }
        match changes.next_if(|change| change.0 == key) {
            None => state.push((key, mask)),
            Some((_, _, 0)) => {}
            Some((_, _, after)) => state.push((key, *after)),
        }
    }
    state.extend(changes.map(|(key, _, after)| (*key, *after)));
    state
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use metsuke_model::access::Mask;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn dealing_rows_out_sorts_them_as_one_map_would(
            resources in proptest::collection::vec(1_i64..40, 1..20),
            rows in proptest::collection::vec((any::<u32>(), 0_u32..9, 1_u32..8), 0..200),
        ) {
            let rows = rows.into_iter().map(|(resource, principal, mask)| {
                let resource = resource % u32::try_from(resources.len()).unwrap();
                AccessRow { resource, principal, mask: Mask(mask) }
            });
            let rows: Vec<AccessRow> = rows.collect();
            let key = |resource: u32, principal: u32| {
                crate::checkpoint::key(resources[resource as usize], i64::from(principal))
            };
            let mut expected = BTreeMap::new();
            for row in &rows {
                *expected.entry(key(row.resource, row.principal).unwrap()).or_insert(0) |= row.mask.0;
            }
            let state = sorted(rows, &resources, key).unwrap();
            prop_assert_eq!(&state, &expected.into_iter().collect::<State>());
            let mut back: State =
                by_principal(&state).into_iter().map(|(key, mask)| (turned(key), mask)).collect();
            back.sort_unstable();
            prop_assert_eq!(back, state);
        }
    }
}
