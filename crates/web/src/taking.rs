//! A connection whose other side has to take what it asked for.
//!
//! How many connections there are, and how long a request may take to arrive, is [`listening`](crate::listening)'s.
//!
//! Invariant: whoever takes nothing, or too little for too long, is cut off; whoever waits for us never is.

use std::io::{Error, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// What a client has to take in a second, in bytes, once we wait for it.
const LEAST: u64 = 1024;

/// A stream that is written to with limited patience.
#[derive(Debug)]
pub(crate) struct Taking<S> {
    inner: S,
    patience: Duration,
    /// How long was waited so far, less what the bytes that were taken since are worth.
    waited: Duration,
    /// Since when nothing more was taken, and when that ends.
    blocked: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<S> Taking<S> {
    /// A stream to which nothing was written yet.
    pub(crate) fn new(inner: S, patience: Duration) -> Self {
        Self { inner, patience, waited: Duration::ZERO, blocked: None }
    }

    /// Reckons with what a write came to.
    fn judged(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<Result<usize, Error>>,
    ) -> Poll<Result<usize, Error>> {
        match written {
            Poll::Pending => {
                let left = self.patience.saturating_sub(self.waited);
                let (_, end) = self.blocked.get_or_insert_with(|| {
                    let now = Instant::now();
                    (now, Box::pin(sleep_until(now + left)))
                });
                ready!(end.as_mut().poll(context));
                Poll::Ready(Err(Error::new(ErrorKind::TimedOut, "the client does not take its answer")))
            }
            Poll::Ready(Ok(bytes)) => {
                if let Some((since, _)) = self.blocked.take() {
                    self.waited += since.elapsed();
                }
                let worth = Duration::from_millis(bytes as u64 * 1000 / LEAST);
                self.waited = self.waited.saturating_sub(worth);
                Poll::Ready(Ok(bytes))
            }
            failed @ Poll::Ready(Err(_)) => failed,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Taking<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Taking<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, Error>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.judged(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<Result<usize, Error>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, pieces);
        self.judged(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_nothing_is_cut_off_when_patience_ends() {
        let (ours, _theirs) = duplex(64);
        let (mut ours, began) = (Taking::new(ours, PATIENCE), Instant::now());
        let error = ours.write_all(&[0; 65]).await.unwrap_err();
        assert_eq!((error.kind(), began.elapsed()), (ErrorKind::TimedOut, PATIENCE));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_takes_a_drop_now_and_then_is_cut_off_as_well() {
        let (ours, mut theirs) = duplex(64);
        let (mut ours, began) = (Taking::new(ours, PATIENCE), Instant::now());
        let drops = async {
            let mut some = [0; 64];
            while theirs.read(&mut some).await.is_ok_and(|read| read > 0) {
                tokio::time::sleep(Duration::from_secs(5)).await;
            }
        };
        let (written, ()) = tokio::join!(
            async {
                let written = ours.write_all(&[0; 4096]).await;
                drop(ours);
                written
            },
            drops
        );
        assert_eq!(written.unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(began.elapsed() < 2 * PATIENCE, "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_reads_slowly_but_enough_gets_all_of_it() {
        let (ours, mut theirs) = duplex(8 * 1024);
        let mut ours = Taking::new(ours, PATIENCE);
        let reads = async {
            let (mut some, mut all) = ([0; 8 * 1024], 0);
            while all < 1024 * 1024 {
                tokio::time::sleep(Duration::from_secs(4)).await;
                all += theirs.read(&mut some).await.unwrap();
            }
        };
        let body = vec![0; 1024 * 1024];
        let (written, ()) = tokio::join!(ours.write_all(&body), reads);
        written.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_us_may_wait_for_ever() {
        let (ours, mut theirs) = duplex(64);
        let mut ours = Taking::new(ours, PATIENCE);
        for _ in 0..10 {
            ours.write_all(b"event").await.unwrap();
            tokio::time::sleep(2 * PATIENCE).await;
            let mut event = [0; 5];
            theirs.read_exact(&mut event).await.unwrap();
        }
    }
}
