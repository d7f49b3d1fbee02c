//! A body that is a file: written down as it comes, and not held in memory.
//!
//! What is in it is the handlers' business.
//!
//! Invariant: the file has no more bytes than are taken, and is gone with the request.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body as HttpBody;
use axum::http::StatusCode;
use futures::StreamExt as _;
use tempfile::NamedTempFile;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::error::ApiError;

/// The largest file that is taken.
const MOST: u64 = 1 << 30;
/// Files that are taken and worked on at a time.
const AT_A_TIME: usize = 2;
/// What has to arrive in a second, in bytes, beyond the time that every body has.
const LEAST: u64 = 16 * 1024;

/// Room for files.
#[derive(Debug)]
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

/// A file that was taken, and its place in the room.
#[derive(Debug)]
pub(crate) struct Taken {
    file: NamedTempFile,
    _place: OwnedSemaphorePermit,
}

impl Taken {
    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }
}

/// Takes a file, which has to arrive in time.
pub(crate) async fn take(room: &Room, body: HttpBody, arrival: Duration) -> Result<Arc<Taken>, ApiError> {
    let place = Arc::clone(&room.0).try_acquire_owned().map_err(|_| {
        ApiError::unavailable("busy", "other files are being taken; try again when they are done")
    })?;
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "a file cannot be taken");
        ApiError::unavailable("busy", "there is no room for the file now")
    };
    let mut file = tempfile::Builder::new().prefix("metsuke-upload-").tempfile().map_err(failed)?;
    let mut pieces = body.into_data_stream();
    let (began, mut taken) = (Instant::now(), 0_u64);
    loop {
        let due = began + arrival + Duration::from_millis(taken.saturating_mul(1000) / LEAST);
        let late = |_| {
            ApiError::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", "the file took too long to arrive")
        };
        let Some(piece) = timeout_at(due, pieces.next()).await.map_err(late)? else { break };
        let piece = piece.map_err(|_| ApiError::malformed("the file was cut off"))?;
        taken += piece.len() as u64;
        if taken > MOST {
            let told = "the file is too large";
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", told)
                .hint(format!("at most {MOST} bytes are taken")));
        }
        file.write_all(&piece).map_err(failed)?;
    }
    if taken == 0 {
        return Err(ApiError::malformed("the body is empty, and a file is needed"));
    }
    Ok(Arc::new(Taken { file, _place: place }))
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use futures::stream;

    use super::*;

    const ARRIVAL: Duration = Duration::from_secs(30);

    fn pieces(pieces: Vec<(u64, usize)>) -> HttpBody {
        HttpBody::from_stream(stream::iter(pieces).then(|(after, length)| async move {
            tokio::time::sleep(Duration::from_secs(after)).await;
            Ok::<_, std::convert::Infallible>(Bytes::from(vec![7; length]))
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_comes_whole_and_goes_with_the_request() {
        let taken = take(&Room::default(), pieces(vec![(1, 10), (1, 20)]), ARRIVAL).await.unwrap();
        let path = taken.path().to_owned();
        assert_eq!(std::fs::read(&path).unwrap(), [7; 30]);
        drop(taken);
        assert!(!path.exists());
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_drop_by_drop_is_given_up_and_what_is_long_is_waited_for() {
        let slow = take(&Room::default(), pieces(vec![(20, 1), (20, 1), (20, 1)]), ARRIVAL).await;
        assert_eq!(slow.unwrap_err().status, StatusCode::REQUEST_TIMEOUT);
        let long = vec![(20, 1 << 20); 4];
        assert!(take(&Room::default(), pieces(long), ARRIVAL).await.is_ok());
    }

    #[tokio::test]
    async fn no_more_files_are_taken_than_there_is_room_for() {
        let room = Room::default();
        let mut held = Vec::new();
        for _ in 0..AT_A_TIME {
            held.push(take(&room, pieces(vec![(0, 1)]), ARRIVAL).await.unwrap());
        }
        let refused = take(&room, pieces(vec![(0, 1)]), ARRIVAL).await.unwrap_err();
        assert_eq!((refused.status, refused.code), (StatusCode::SERVICE_UNAVAILABLE, "busy"));
        held.pop();
        assert!(take(&room, pieces(vec![(0, 1)]), ARRIVAL).await.is_ok());
    }
}
