//! The TCP listener, with a hand on each connection so that it can be cut or reset.
//!
//! Not HTTP: this sees bytes, and knows of a response only where its head ends.
//!
//! Invariant: a connection nobody has asked to break behaves exactly like a plain `TcpStream`.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// What may be asked of one connection.
#[derive(Debug, Default)]
pub(crate) struct Line {
    reset: AtomicBool,
    cutting: AtomicBool,
    keep: AtomicUsize,
}

impl Line {
    /// Drops the connection with a TCP reset instead of the next byte.
    pub(crate) fn reset(&self) {
        self.reset.store(true, Ordering::SeqCst);
    }

    /// True once nothing more will be answered on it.
    pub(crate) fn is_reset(&self) -> bool {
        self.reset.load(Ordering::SeqCst)
    }

    /// Closes the connection after the next head and `keep` bytes of its body.
    pub(crate) fn cut(&self, keep: usize) {
        self.keep.store(keep, Ordering::SeqCst);
        self.cutting.store(true, Ordering::SeqCst);
    }
}

/// The handle as the request sees it.
#[derive(Clone, Debug)]
pub(crate) struct Wire(pub(crate) Arc<Line>);

impl Connected<IncomingStream<'_, Listener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        Self(Arc::clone(&stream.io().line))
    }
}

/// The listener.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) tcp: TcpListener,
    /// Every open connection, so that stopping can end those that are kept alive.
    pub(crate) open: Arc<RwLock<Vec<std::sync::Weak<Line>>>>,
}

impl axum::serve::Listener for Listener {
    type Io = Socket;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            match self.tcp.accept().await {
                Ok((stream, from)) => {
                    let line = Arc::new(Line::default());
                    if stream.set_nodelay(true).is_err() {
                        continue;
                    }
                    let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
                    open.retain(|line| line.strong_count() > 0);
                    open.push(Arc::downgrade(&line));
                    return (Socket { stream, line, head: HeadEnd::default(), closing: false }, from);
                }
                // Too many open files, most likely: the connection waits in the backlog.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: TcpStream,
    line: Arc<Line>,
    head: HeadEnd,
    closing: bool,
}

/// Looks for the empty line that ends a head, across writes.
#[derive(Debug, Default)]
struct HeadEnd {
    matched: usize,
    seen: bool,
}

impl HeadEnd {
    /// The number of bytes of `buffer` that belong to the head.
    fn within(&mut self, buffer: &[u8]) -> usize {
        const END: &[u8; 4] = b"\r\n\r\n";
        if self.seen {
            return 0;
        }
        for (at, byte) in buffer.iter().enumerate() {
            let expected = END.get(self.matched);
            self.matched = match (Some(byte) == expected, *byte) {
                (true, _) => self.matched + 1,
                (false, b'\r') => 1,
                (false, _) => 0,
            };
            if self.matched == END.len() {
                self.seen = true;
                return at + 1;
            }
        }
        buffer.len()
    }
}

impl Socket {
    fn broken(&self) -> Option<io::Error> {
        if self.line.reset.load(Ordering::SeqCst) {
            // With a zero linger the kernel answers what follows with a reset instead of an orderly end.
            return match self.stream.set_zero_linger() {
                Ok(()) => Some(io::ErrorKind::ConnectionReset.into()),
                Err(error) => Some(error),
            };
        }
        self.closing.then(|| io::ErrorKind::BrokenPipe.into())
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(error) = self.broken() {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(error) = self.broken() {
            return Poll::Ready(Err(error));
        }
        if !self.line.cutting.load(Ordering::SeqCst) {
            return Pin::new(&mut self.stream).poll_write(cx, buffer);
        }
        let head = self.head.within(buffer);
        let keep = self.line.keep.load(Ordering::SeqCst).min(buffer.len() - head);
        if head + keep == 0 {
            self.closing = true;
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let part = buffer.get(..head + keep).unwrap_or(buffer);
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, part))?;
        let of_body = written.saturating_sub(head);
        self.line.keep.fetch_sub(of_body, Ordering::SeqCst);
        self.closing = self.head.seen && self.line.keep.load(Ordering::SeqCst) == 0;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(error) = self.broken() {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
