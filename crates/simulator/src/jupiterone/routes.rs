//! The routes of the stand-in, and what every request goes through.

use std::io::Read as _;
use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State as Extracted};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::job::{Event, Job, Status};
use super::{Asked, JupiterOneFault, Shared, State, text};

/// Largest body that is read, packed or not.
const MOST_READ: usize = 64 << 20;

/// Where jobs are.
const JOBS: &str = "/persister/synchronization/jobs";

/// What a request comes to.
type Outcome = Result<Value, (u16, &'static str, String)>;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(serve).with_state(shared)
}

async fn serve(Extracted(shared): Extracted<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let number = {
        let mut state = shared.state();
        state.requests += 1;
        state.in_flight += 1;
        state.most_in_flight = state.most_in_flight.max(state.in_flight);
        state.requests
    };
    let compressed = parts.headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip");
    let body = to_bytes(body, MOST_READ).await.map(|body| body.to_vec()).unwrap_or_default();
    let body = if compressed { unpacked(&body) } else { Some(body) };
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let mut state = shared.state();
    let fault = state.faults.remove(&number);
    let outcome = match (fault, body) {
        (Some(JupiterOneFault::Status(status)), _) => Err((status, code_of(status), "as asked for".into())),
        (_, None) => Err((400, "INVALID_BODY", "the body cannot be unpacked".into())),
        (_, Some(body)) => answer(&shared, &mut state, (method, path), &parts.headers, &body),
    };
    let outcome = match fault {
        Some(JupiterOneFault::LostAnswer) => Err((500, "INTERNAL", "the answer was lost".into())),
        _ => outcome,
    };
    let (status, body) = match outcome {
        Ok(body) => (200, body),
        Err((status, code, message)) => (status, json!({ "error": { "code": code, "message": message } })),
    };
    state.in_flight -= 1;
    state.asked.push(Asked { number, what: format!("{method} {path}"), status, compressed });
    drop(state);
    (StatusCode::from_u16(status).unwrap_or(StatusCode::OK), axum::Json(body)).into_response()
}

fn code_of(status: u16) -> &'static str {
    match status {
        413 => "RequestEntityTooLargeException",
        429 => "TOO_MANY_REQUESTS",
        _ => "INTERNAL",
    }
}

fn unpacked(body: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    GzDecoder::new(body).take(MOST_READ as u64).read_to_end(&mut plain).ok()?;
    Some(plain)
}

fn answer(
    shared: &Shared,
    state: &mut State,
    (method, path): (&str, &str),
    headers: &HeaderMap,
    body: &[u8],
) -> Outcome {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let key = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let account = header("jupiterone-account").or_else(|| header("lifeomic-account"));
    if key != Some(&shared.options.api_key) || account != Some(&shared.options.account) {
        return Err((401, "UNAUTHORIZED", "the key or the account is not known".into()));
    }
    let rest = path.strip_prefix(JOBS).ok_or_else(missing)?;
    let mut words = rest.split('/').filter(|word| !word.is_empty());
    let (id, action) = (words.next(), words.next());
    let json =
        || serde_json::from_slice::<Value>(body).map_err(|error| (400, "INVALID_BODY", error.to_string()));
    let Some(id) = id else {
        return if method == "POST" { start(state, &json()?) } else { Err(missing()) };
    };
    let owner = state.jobs.get(id).map(Job::owner).ok_or_else(missing)?;
    let Some(job) = state.jobs.get_mut(id) else { return Err(missing()) };
    match (method, action) {
        ("GET", None) => {
            let body = job.body();
            job.advance();
            Ok(body)
        }
        ("POST", Some("events")) => {
            for event in list(&json()?, "events") {
                let word = |name| text(&event, name).unwrap_or_default().to_owned();
                job.events.push(Event { name: word("name"), description: word("description") });
            }
            Ok(job.body())
        }
        ("POST", Some("abort")) => {
            let reason = text(&json()?, "reason").map(ToOwned::to_owned);
            (job.status, job.reason) = (Status::Aborted, reason);
            (job.entities, job.relationships) = (Vec::new(), Vec::new());
            Ok(job.body())
        }
        ("POST", Some(action)) if job.status != Status::AwaitingUploads => {
            Err((400, "JOB_NOT_AWAITING_UPLOADS", format!("{action}: the job takes nothing any more")))
        }
        ("POST", Some(action @ ("entities" | "relationships" | "upload"))) => {
            let json = json()?;
            for name in ["entities", "relationships"] {
                if (action == name || action == "upload") && !json.get(name).is_none_or(Value::is_array) {
                    return Err((400, "ENTITY_IS_NOT_ARRAY", format!("\"{name}\" should be an array")));
                }
            }
            let (entities, relationships) = (list(&json, "entities"), list(&json, "relationships"));
            let objects = entities.len() + relationships.len();
            if body.len() > shared.options.most_bytes || objects > shared.options.most_objects {
                let told = format!("{objects} objects, {} bytes", body.len());
                return Err((413, "RequestEntityTooLargeException", told));
            }
            let correlation = header("jupiterone-correlation-id");
            job.upload(entities, relationships, correlation)
                .map_err(|(code, message)| (400, code, message))?;
            Ok(job.body())
        }
        ("POST", Some("finalize")) => {
            let types = json()?.pointer("/partialDatasets/types").cloned().unwrap_or_default();
            let types = types.as_array().cloned().unwrap_or_default();
            job.partial = types.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
            job.status = Status::FinalizePending;
            let (entities, relationships) =
                (std::mem::take(&mut job.entities), std::mem::take(&mut job.relationships));
            let graph = state.graphs.entry(owner).or_default();
            job.changed = graph.take(entities, relationships, &job.partial, job.whole);
            Ok(job.body())
        }
        _ => Err(missing()),
    }
}

fn start(state: &mut State, body: &Value) -> Outcome {
    let refuse = |message: &str| Err((400, "INVALID_BODY", message.to_owned()));
    let source = text(body, "source").unwrap_or_default();
    let (instance, scope) = (text(body, "integrationInstanceId"), text(body, "scope"));
    match (source, instance, scope) {
        ("integration-managed" | "integration-external", None, _) => {
            return refuse("integrationInstanceId is required");
        }
        ("api", Some(_), _) => return refuse("integrationInstanceId is not allowed"),
        ("api", None, None) => return refuse("scope is required"),
        ("api" | "integration-managed" | "integration-external" | "system-internal", ..) => {}
        _ => return refuse("source is not known"),
    }
    let id = format!("00000000-0000-4000-8000-{:012}", state.jobs.len() + 1);
    let job = Job {
        id: id.clone(),
        source: source.to_owned(),
        instance: instance.map(ToOwned::to_owned),
        scope: scope.map(ToOwned::to_owned),
        whole: text(body, "syncMode") != Some("CREATE_OR_UPDATE"),
        ignores_duplicates: body.get("ignoreDuplicates").and_then(Value::as_bool).unwrap_or(false),
        ..Job::default()
    };
    let answer = job.body();
    state.jobs.insert(id, job);
    Ok(answer)
}

fn list(body: &Value, name: &str) -> Vec<Value> {
    body.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn missing() -> (u16, &'static str, String) {
    (404, "NOT_FOUND", "there is no such thing".into())
}
