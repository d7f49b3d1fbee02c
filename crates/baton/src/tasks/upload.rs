//! A file on its way to C1: its bytes in parts, and its checksum.
//!
//! Invariant: the checksum is of the bytes that were sent, and an upload whose file could not be read to its end has none,
//! so that C1 takes it for broken.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::Stream;
use ring::digest::{Context, SHA256};
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use tonic::Status;

use super::line::Line;
use crate::proto::tasks::BatonServiceUploadAssetRequest;
use crate::proto::tasks::baton_service_upload_asset_request::{Msg, UploadData, UploadEof, UploadMetadata};

/// The bytes of one part.
const PART: usize = 512 << 10;

/// What went wrong with the file, for the one who waits for the upload.
type Trouble = Arc<Mutex<Option<String>>>;

/// Uploads a file for a task, and again where that fails.
pub(super) async fn file(line: &Line, task_id: &str, path: &Path) -> Result<(), Status> {
    let times = line.times();
    let mut attempt = 1;
    loop {
        let trouble = Trouble::default();
        let parts = || parts(line.host_id(), task_id.to_owned(), path.to_owned(), Arc::clone(&trouble));
        let Err(status) = Box::pin(line.upload(parts)).await else {
            tracing::debug!(task.id = task_id, attempt, "a file of task {task_id} was uploaded");
            return Ok(());
        };
        if let Some(reason) = trouble.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(Status::internal(format!("the file to upload cannot be read: {reason}")));
        }
        if attempt >= times.uploads {
            return Err(status);
        }
        let (code, message) = (i32::from(status.code()), status.message());
        tracing::warn!(task.id = task_id, grpc.code = code, attempt, "the upload failed: {message}");
        tokio::time::sleep(times.failed_upload.saturating_mul(attempt - 1).min(Duration::from_mins(1))).await;
        attempt += 1;
    }
}

/// Where an upload is.
enum Stage {
    Begin,
    Bytes(File, Box<Context>),
    Done,
}

fn parts(
    host_id: String,
    task_id: String,
    path: PathBuf,
    trouble: Trouble,
) -> impl Stream<Item = BatonServiceUploadAssetRequest> + Send + 'static {
    let metadata = UploadMetadata { host_id, task_id, annotations: Vec::new() };
    let message = |msg: Msg| BatonServiceUploadAssetRequest { msg: Some(msg) };
    futures::stream::unfold(Stage::Begin, move |stage| {
        let (path, metadata, trouble) = (path.clone(), metadata.clone(), Arc::clone(&trouble));
        async move {
            let next = match stage {
                Stage::Begin => File::open(path).await.map(|file| {
                    (Msg::Metadata(metadata), Stage::Bytes(file, Box::new(Context::new(&SHA256))))
                }),
                Stage::Bytes(mut file, mut digest) => part(&mut file).await.map(|data| {
                    if data.is_empty() {
                        let sha256_checksum = digest.finish().as_ref().to_vec();
                        (Msg::Eof(UploadEof { sha256_checksum, annotations: Vec::new() }), Stage::Done)
                    } else {
                        digest.update(&data);
                        (Msg::Data(UploadData { data }), Stage::Bytes(file, digest))
                    }
                }),
                Stage::Done => return None,
            };
            match next {
                Ok((msg, stage)) => Some((message(msg), stage)),
                Err(error) => {
                    *trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
                    None
                }
            }
        }
    })
}

/// The next part, whole unless it is the last; empty at the end.
async fn part(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::with_capacity(PART);
    file.take(PART as u64).read_to_end(&mut data).await?;
    Ok(data)
}
