//! The TLS listener, with a hand on each connection so that it can be cut.
//!
//! Not HTTP: this sees bytes.
//!
//! Invariant: a handshake that hangs keeps nobody else waiting.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Cuts one connection.
#[derive(Debug, Default)]
pub(super) struct Cut {
    done: AtomicBool,
    reader: AtomicWaker,
}

impl Cut {
    /// Ends the connection with a TCP reset.
    pub(super) fn now(&self) {
        self.done.store(true, Ordering::SeqCst);
        self.reader.wake();
    }
}

/// The handle as a request sees it.
#[derive(Clone, Debug)]
pub(super) struct Wire(pub(super) Arc<Cut>);

impl Connected<IncomingStream<'_, Listener>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        Self(Arc::clone(&stream.io().get_ref().0.cut))
    }
}

type Shaken = io::Result<(TlsStream<Socket>, SocketAddr)>;

/// The listener.
pub(super) struct Listener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    shaking: JoinSet<Shaken>,
    /// Every open connection.
    open: Arc<RwLock<Vec<Weak<Cut>>>>,
}

impl Listener {
    pub(super) fn new(tcp: TcpListener, acceptor: TlsAcceptor, open: Arc<RwLock<Vec<Weak<Cut>>>>) -> Self {
        Self { tcp, acceptor, shaking: JoinSet::new(), open }
    }

    fn shake(&mut self, stream: TcpStream, from: SocketAddr) {
        let cut = Arc::new(Cut::default());
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        open.retain(|cut| cut.strong_count() > 0);
        open.push(Arc::downgrade(&cut));
        drop(open);
        let handshake = self.acceptor.accept(Socket { stream, cut });
        self.shaking.spawn(async move { Ok((handshake.await?, from)) });
    }
}

impl axum::serve::Listener for Listener {
    type Io = TlsStream<Socket>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                Some(shaken) = self.shaking.join_next() => {
                    // A client that does not trust the certificate ends the handshake; that is its affair.
                    if let Ok(Ok(accepted)) = shaken {
                        return accepted;
                    }
                }
                accepted = self.tcp.accept() => match accepted {
                    Ok((stream, from)) if stream.set_nodelay(true).is_ok() => self.shake(stream, from),
                    Ok(_) => {}
                    // Too many open files, most likely: the connection waits in the backlog.
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                },
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

/// One connection, below TLS.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    cut: Arc<Cut>,
}

impl Socket {
    fn broken(&self) -> Option<io::Error> {
        if !self.cut.done.load(Ordering::SeqCst) {
            return None;
        }
        // With a zero linger the kernel answers what follows with a reset instead of an orderly end.
        match self.stream.set_zero_linger() {
            Ok(()) => Some(io::ErrorKind::ConnectionReset.into()),
            Err(error) => Some(error),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cut.reader.register(cx.waker());
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
        Pin::new(&mut self.stream).poll_write(cx, buffer)
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
