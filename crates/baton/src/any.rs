//! Messages packed together with the name of their type, as annotations are.
//!
//! Which annotations an older reader can resolve is not decided here.
//!
//! Invariant: every packed message is one of [`proto`](crate::proto), so its name is one that the ecosystem knows.

use prost::{Message, Name};
use prost_types::Any;

/// Packs a message; its type is `type.googleapis.com/<package>.<name>`.
#[must_use]
pub fn pack<M: Message + Name>(message: &M) -> Any {
    Any { type_url: M::type_url(), value: message.encode_to_vec() }
}

/// The first packed message of this type; `None` where there is none, or where it cannot be read.
///
/// Only the name after the last `/` of the type counts, as readers of the ecosystem do.
#[must_use]
pub fn find<M: Message + Name + Default>(packed: &[Any]) -> Option<M> {
    let any = packed.iter().find(|any| is::<M>(any))?;
    M::decode(any.value.as_slice()).ok()
}

/// Whether a packed message is of this type.
#[must_use]
pub fn is<M: Name>(any: &Any) -> bool {
    any.type_url.rsplit('/').next() == Some(M::full_name().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::connector::{GrantAlreadyExists, GrantExpandable, RawId};

    #[test]
    fn a_packed_message_is_found_by_its_type() {
        let packed = [pack(&GrantAlreadyExists {}), pack(&RawId { id: "x".to_owned() })];
        assert_eq!(packed[1].type_url, "type.googleapis.com/c1.connector.v2.RawId");
        assert_eq!(find::<RawId>(&packed).map(|raw| raw.id), Some("x".to_owned()));
        assert!(find::<GrantExpandable>(&packed).is_none());
    }

    #[test]
    fn a_message_that_cannot_be_read_counts_as_absent() {
        let broken = Any { type_url: RawId::type_url(), value: vec![0xff] };
        assert!(find::<RawId>(&[broken]).is_none());
    }
}
