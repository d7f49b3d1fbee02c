//! The one line on standard input in which the parent says how to serve.
//!
//! Invariant: no message about it repeats any of it, because it holds a private key.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use prost::Message as _;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

use super::ChildError;
use crate::proto::wrapper::ServerConfig;

/// The longest line that is read, in bytes; a real one has some two thousand.
const LONGEST: u64 = 1 << 20;
/// How long the parent may take to write it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the parent's line; what comes after it is left.
pub(super) async fn read(input: &mut (impl AsyncBufRead + Unpin)) -> Result<ServerConfig, ChildError> {
    let mut line = Vec::new();
    let mut limited = input.take(LONGEST);
    let read = tokio::time::timeout(PATIENCE, limited.read_until(b'\n', &mut line));
    read.await.map_err(|_| ChildError::Late)?.map_err(|source| ChildError::Input { source })?;
    let text = line.trim_ascii();
    if text.is_empty() {
        return Err(ChildError::NoConfig);
    }
    if limited.limit() == 0 && !line.ends_with(b"\n") {
        return Err(ChildError::BadConfig { reason: "it is longer than a megabyte" });
    }
    let bytes =
        BASE64_STANDARD.decode(text).map_err(|_| ChildError::BadConfig { reason: "it is no base64" })?;
    ServerConfig::decode(bytes.as_slice())
        .map_err(|_| ChildError::BadConfig { reason: "it is no `c1.connector_wrapper.v1.ServerConfig`" })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn of(input: &[u8]) -> Result<ServerConfig, ChildError> {
        read(&mut tokio::io::BufReader::new(input)).await
    }

    #[tokio::test]
    async fn the_first_line_is_the_configuration() {
        let sent = ServerConfig { listen_port: 4711, ..ServerConfig::default() };
        let line = format!("{}\nrest", BASE64_STANDARD.encode(sent.encode_to_vec()));
        assert_eq!(of(line.as_bytes()).await.unwrap(), sent);
        assert_eq!(of(line.split('\n').next().unwrap().as_bytes()).await.unwrap(), sent, "no line break");
    }

    #[tokio::test]
    async fn what_is_no_configuration_is_refused_without_being_repeated() {
        assert!(matches!(of(b"").await, Err(ChildError::NoConfig)));
        assert!(matches!(of(b"\n").await, Err(ChildError::NoConfig)));
        let long = vec![b'A'; usize::try_from(LONGEST).unwrap() + 1];
        for input in [b"s3cret!\n".as_slice(), b"s3cretAA\n", &long] {
            let error = of(input).await.unwrap_err();
            assert!(matches!(error, ChildError::BadConfig { .. }), "{error}");
            assert!(!error.to_string().contains("s3cret"), "{error}");
        }
    }
}
