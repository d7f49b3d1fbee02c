//! The same handle for other processes: journal, statistics and truth as JSON, and faults to set, over HTTP.
//!
//! Not part of the simulated service: it listens elsewhere, asks for no token, and no request to it is counted.
//!
//! Invariant: it tells only what the handle tells in this process.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::journal::Journal;
use crate::server::Shared;
use crate::stats::Stats;
use crate::truth::{Grant, PendingInvitation, Unresolved};

type Control = State<Arc<Shared>>;

/// The routes of the control address.
///
/// | route | |
/// |---|---|
/// | `GET /journal` | every write and what became of it |
/// | `DELETE /journal` | forgets the writes that are settled |
/// | `GET /settled` | the journal, once no write is left to be applied late |
/// | `GET /stats`, `DELETE /stats` | what was asked; starts counting afresh |
/// | `GET /truth` | grants, invitations and rows that name nobody |
/// | `GET /faults`, `DELETE /faults` | the faults in force and how often each has struck; takes them away |
/// | `POST /faults` | adds the faults in the body, one a line, as on the command line |
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/journal", get(journal).delete(forget))
        .route("/settled", get(settled))
        .route("/stats", get(stats).delete(restart))
        .route("/truth", get(truth))
        .route("/faults", get(faults).post(add_faults).delete(clear_faults))
        .with_state(shared)
}

async fn journal(State(shared): Control) -> Json<Journal> {
    Json(shared.book.journal())
}

async fn forget(State(shared): Control) -> StatusCode {
    shared.book.reset();
    StatusCode::NO_CONTENT
}

async fn settled(State(shared): Control) -> Json<Journal> {
    shared.book.settled().await;
    Json(shared.book.journal())
}

async fn stats(State(shared): Control) -> Json<Stats> {
    Json(shared.stats())
}

async fn restart(State(shared): Control) -> StatusCode {
    shared.ledger.reset();
    StatusCode::NO_CONTENT
}

async fn truth(State(shared): Control) -> Json<Value> {
    let truth = shared.estate.truth();
    let grants: Vec<Grant> = truth.grants().collect();
    let invitations: Vec<PendingInvitation> = truth.invitations().collect();
    let unresolved: Vec<Unresolved> = truth.unresolved().collect();
    Json(json!({ "grants": grants, "invitations": invitations, "unresolved": unresolved }))
}

async fn faults(State(shared): Control) -> Json<Value> {
    let fired = shared.faults.fired();
    let rows = fired.iter().map(|(fault, fired)| json!({ "fault": fault.to_string(), "fired": fired }));
    Json(rows.collect())
}

async fn add_faults(State(shared): Control, body: String) -> Result<StatusCode, (StatusCode, String)> {
    let parsed: Result<Vec<Fault>, _> =
        body.lines().filter(|line| !line.is_empty()).map(str::parse).collect();
    for fault in parsed.map_err(|error| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))? {
        shared.faults.add(fault);
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_faults(State(shared): Control) -> StatusCode {
    shared.faults.clear();
    StatusCode::NO_CONTENT
}
