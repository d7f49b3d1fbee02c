//! Connections: how many at a time, how long the head of a request may take and an answer to be taken, and their end.
//!
//! What is answered is the router's business.
//!
//! Invariant: a connection that brings no whole head in time, or takes nothing, is closed, and none outlives the server.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::limits::Limits;
use crate::taking::Taking;

/// The largest head of a request, in bytes, and how much of a body waits to be read.
const HEAD: usize = 64 * 1024;
/// How long to wait when there is no room for another connection in the system.
const BREATH: Duration = Duration::from_millis(200);

/// Answers connections until it is asked to stop, then ends those that are open.
pub(crate) async fn listen(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stopping: &CancellationToken,
) {
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut open = JoinSet::new();
    loop {
        let place = tokio::select! {
            place = Arc::clone(&room).acquire_owned() => place,
            () = stopping.cancelled() => break,
        };
        // Nobody closes it.
        let Ok(place) = place else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let router = router.clone();
                open.spawn(connection(stream, peer, router, limits, place, stopping.clone()));
            }
            Err(error) => {
                let theirs =
                    [ErrorKind::ConnectionAborted, ErrorKind::ConnectionReset, ErrorKind::ConnectionRefused];
                if !theirs.contains(&error.kind()) {
                    tracing::warn!(%error, "a connection cannot be taken; trying again");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
        while open.try_join_next().is_some() {}
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    place: OwnedSemaphorePermit,
    stopping: CancellationToken,
) {
    // Answers go out at once, also the short ones.
    stream.set_nodelay(true).ok();
    let inner = TowerToHyperService::new(router);
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        inner.call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.arrival)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(Taking::new(stream, limits.taking)), service);
    let mut served = pin!(served);
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stopping.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended before its time");
    }
    drop(place);
}
