//! Does what a fault says to an answer that would have been right.
//!
//! Not the choice of which request is hit: `fault`.
//!
//! Invariant: the head stays well-formed HTTP, so what breaks is exactly what the fault names.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::{StreamExt, stream};

use crate::catalogue::id_of;
use crate::fault::FaultKind;
use crate::line::Line;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::write_fault::{Told, WriteFault};

/// What becomes of the answer's body.
#[derive(Debug)]
pub(crate) enum Delivery {
    Plain,
    Drip(Duration),
    Huge,
    /// All of it, but so much later.
    After(Duration),
    /// Not at all.
    Never,
}

/// Bytes of a huge body, of which each chunk repeats one row.
const HUGE: u64 = 512 * 1024 * 1024;
/// Steps in which a slow answer trickles.
const DRIPS: usize = 30;
/// Brackets of a deep answer.
const DEPTH: usize = 200_000;

/// Spoils `reply`, and tells how it is to be delivered.
pub(crate) fn spoil(kind: FaultKind, reply: &mut Reply, line: &Line, number: u64, seed: u64) -> Delivery {
    match kind {
        FaultKind::RateLimit429 => {
            reply.refuse(&Refusal::rate_limit());
            reply.set("ratelimit-remaining", "0".to_owned());
        }
        FaultKind::ServerError500 => reply.refuse(&Refusal::server_error()),
        FaultKind::BadGatewayHtml502 => {
            reply.raw(502, "text/html; charset=utf-8", "<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n");
        }
        FaultKind::Unavailable503 => reply.raw(503, "text/plain", ""),
        FaultKind::Unauthorized401 => {
            reply.refuse(&Refusal::unauthorized());
            reply.forget_account();
        }
        FaultKind::Forbidden403 => {
            reply.refuse(&Refusal::forbidden("You do not have access to this resource."));
        }
        FaultKind::NotFound404 => reply.refuse(&Refusal::not_found("resource")),
        FaultKind::TruncatedBody => line.cut((reply.body.len() / 2).max(1)),
        FaultKind::WrongType => {
            let list = reply.body.first() == Some(&b'[');
            let body: &str =
                if list { r#"{"id":42,"rows":"not a list"}"# } else { r#"[{"id":42},null,true]"# };
            reply.body = body.as_bytes().to_vec();
            reply.drop_paging();
        }
        FaultKind::SlowDrip(lasts) => return Delivery::Drip(lasts),
        FaultKind::ConnectionReset => line.reset(),
        FaultKind::RepeatedPage => {}
        FaultKind::EndlessNextRange => {
            if reply.body.first() == Some(&b'[') {
                let top = u128::from(number) << 80;
                let low = id_of("cursor", "endless").0 >> 48;
                reply.status = 206;
                reply.set("next-range", format!("id ]{}..; max=1000", crate::value::Id(top | low)));
            }
        }
        FaultKind::HugeBody => return Delivery::Huge,
        FaultKind::DeepJson => {
            reply.body = "[".repeat(DEPTH).into_bytes();
            reply.body.extend("]".repeat(DEPTH).into_bytes());
            reply.drop_paging();
        }
        FaultKind::Write(WriteFault::AppliedSlow(delay)) => return Delivery::After(delay.draw(seed, number)),
        FaultKind::Write(WriteFault::AppliedTruncated) => {
            return spoil(FaultKind::TruncatedBody, reply, line, number, seed);
        }
        FaultKind::Write(
            WriteFault::Applied(told) | WriteFault::Dropped(told) | WriteFault::Late(told, _),
        ) => {
            return match as_told(told) {
                Some(kind) => spoil(kind, reply, line, number, seed),
                None => Delivery::Never,
            };
        }
    }
    Delivery::Plain
}

/// The fault that tells the sender of any request the same; `None` for telling nothing while the line stays open.
const fn as_told(told: Told) -> Option<FaultKind> {
    match told {
        Told::Reset => Some(FaultKind::ConnectionReset),
        Told::Error500 => Some(FaultKind::ServerError500),
        Told::BadGateway502 => Some(FaultKind::BadGatewayHtml502),
        Told::Unavailable503 => Some(FaultKind::Unavailable503),
        Told::Hang => None,
    }
}

/// The body as a stream, and its length where that differs from the reply's.
pub(crate) fn deliver(delivery: &Delivery, body: Vec<u8>) -> (Body, u64) {
    let length = body.len() as u64;
    match delivery {
        Delivery::Plain | Delivery::After(_) | Delivery::Never => (Body::from(body), length),
        Delivery::Drip(lasts) => {
            let pause = *lasts / u32::try_from(DRIPS).unwrap_or(1);
            let step = body.len().div_ceil(DRIPS).max(1);
            let chunks: Vec<Bytes> = body.chunks(step).map(Bytes::copy_from_slice).collect();
            let pause =
                if chunks.len() < DRIPS { *lasts / u32::try_from(chunks.len()).unwrap_or(1) } else { pause };
            let trickle = stream::iter(chunks).then(move |chunk| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, std::convert::Infallible>(chunk)
            });
            (Body::from_stream(trickle), length)
        }
        Delivery::Huge => {
            let row =
                r#"{"id":"00000000-0000-4000-8000-000000000000","name":"again","email":"a@example.com"},"#;
            let chunk = Bytes::from(row.repeat(12_000));
            let times = HUGE / chunk.len() as u64;
            let length = times * chunk.len() as u64 + 1;
            let rows = stream::iter(0..times).map(move |_| chunk.clone());
            let all = stream::iter([Bytes::from_static(b"[")]).chain(rows);
            (Body::from_stream(all.map(Ok::<_, std::convert::Infallible>)), length)
        }
    }
}
