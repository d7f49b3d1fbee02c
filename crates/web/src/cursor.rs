//! Cursors: where a list goes on, as an opaque text.
//!
//! What the place is made of is each list's business.
//!
//! Invariant: a text that no list has given out is refused, and so is one of another list.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use metsuke_engine::identity::Operation;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// The longest cursor that is read: one with a place for each of some hundred connectors.
const LONGEST: usize = 48 * 1024;

/// Writes a place of a list.
pub(crate) fn write(operation: Operation, place: &impl Serialize) -> Option<String> {
    let text = serde_json::to_vec(&(operation.id(), place)).ok()?;
    Some(BASE64_URL_SAFE_NO_PAD.encode(text))
}

/// Reads a place of a list.
pub(crate) fn read<T: DeserializeOwned>(operation: Operation, cursor: &str) -> Result<T, ApiError> {
    let refused = || ApiError::invalid("cursor", "this list has not given it out");
    if cursor.len() > LONGEST {
        return Err(refused());
    }
    let text = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
    let (list, place): (String, T) = serde_json::from_slice(&text).map_err(|_| refused())?;
    if list == operation.id() { Ok(place) } else { Err(refused()) }
}
