//! Reads a body piece by piece, under a byte limit and an idle time limit.
//!
//! It does not look into the body, and the limit on the whole request is not kept here.
//!
//! Invariant: never more than the limit is held.

use std::time::Duration;

/// Why a body could not be read.
pub(crate) enum Broken {
    /// The connection failed or ended early.
    Connection(reqwest::Error),
    /// No byte came for too long.
    Idle,
    /// There are more bytes than allowed.
    TooLarge,
}

/// The whole body.
pub(crate) async fn read(
    response: &mut reqwest::Response,
    idle: Duration,
    limit_bytes: usize,
) -> Result<Vec<u8>, Broken> {
    let promised = response.content_length().map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if promised.is_some_and(|length| length > limit_bytes) {
        return Err(Broken::TooLarge);
    }
    let mut body = Vec::new();
    loop {
        let piece = tokio::time::timeout(idle, response.chunk()).await.map_err(|_| Broken::Idle)?;
        let Some(piece) = piece.map_err(Broken::Connection)? else { return Ok(body) };
        if piece.len() > limit_bytes - body.len() {
            return Err(Broken::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
}
