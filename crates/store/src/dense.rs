//! Dense ids: what a database calls its objects, numbers that name the kind too. Each kind counts for itself, which
//! keeps the numbers of what is held, and by whom, in three bytes up to 131 071 of a kind.
//!
//! Invariant: an id tells its object's kind, so that no table has to be asked for it.

use metsuke_model::Kind;

/// The lowest bits of an id hold the kind's number.
const KIND_BITS: u32 = 6;
/// What is left of an id when everything but its kind is masked away; SQL asks for it as `id & 63`.
pub(crate) const KIND_MASK: i64 = (1 << KIND_BITS) - 1;

/// The id of the object with this running number.
pub(crate) fn id(number: i64, kind: Kind) -> i64 {
    number << KIND_BITS | kind.number()
}

/// The running number in an id.
pub(crate) fn number(id: i64) -> i64 {
    id >> KIND_BITS
}

/// The kind of the object with this id; `None` for a number that no id is.
pub(crate) fn kind(id: i64) -> Option<Kind> {
    Kind::from_number(id & KIND_MASK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_number_and_its_kind() {
        for kind in Kind::ALL {
            let id = id(67_108_863, kind);
            assert_eq!((number(id), super::kind(id)), (67_108_863, Some(kind)));
            assert!(u32::try_from(id).is_ok());
        }
    }
}
