//! The calls of C1's task API.
//!
//! What a task is, and whose, is kept by [`desk`](super::desk).
//!
//! Invariant: every call is recorded with the code of its answer, and one that is refused has no effect.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::post;
use ring::digest::{Context, SHA256};
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Response, Status, Streaming};

use super::desk::Desk;
use super::listener::Wire;
use super::proto::tasks::baton_service_finish_task_request::FinalState;
use super::proto::tasks::baton_service_server::{BatonService, BatonServiceServer, SERVICE_NAME};
use super::proto::tasks::baton_service_upload_asset_request::Msg;
use super::proto::tasks::{
    BatonServiceFinishTaskRequest, BatonServiceFinishTaskResponse, BatonServiceGetTaskRequest,
    BatonServiceGetTaskResponse, BatonServiceGetTasksRequest, BatonServiceGetTasksResponse,
    BatonServiceHeartbeatRequest, BatonServiceHeartbeatResponse, BatonServiceHelloRequest,
    BatonServiceHelloResponse, BatonServiceUploadAssetRequest, BatonServiceUploadAssetResponse,
    StartDebuggingRequest, StartDebuggingResponse,
};
use super::rules::Checked;
use super::{C1Call, C1Fault, Called, Finished, Shared, Uploaded, token};

pub(super) fn router(shared: &Arc<Shared>) -> Router {
    let calls = BatonServiceServer::new(Calls(Arc::clone(shared)));
    Router::new()
        .route(token::PATH, post(token::give))
        .with_state(Arc::clone(shared))
        .route_service(&format!("/{SERVICE_NAME}/{{*call}}"), calls)
}

#[derive(Debug)]
struct Calls(Arc<Shared>);

impl Calls {
    /// One call with one message: every check, then its effect.
    async fn answer<R: Checked, A>(
        &self,
        call: C1Call,
        request: Request<R>,
        effect: impl FnOnce(&Shared, &mut Desk, R) -> Result<A, Status>,
    ) -> Result<Response<A>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let (host_id, task_id) = message.about();
        let (host_id, task_id) = (host_id.to_owned(), task_id.to_owned());
        let fault = self.fault(call, &metadata, &host_id);
        if let Ok(Some(C1Fault::Slow(wait))) = fault {
            tokio::time::sleep(wait).await;
        }
        let outcome = fault.and_then(|fault| {
            if let Some(C1Fault::Cut(_)) = fault {
                if let Some(ConnectInfo(wire)) = extensions.get::<ConnectInfo<Wire>>() {
                    wire.0.now();
                }
                return Err(Status::unavailable("the connection was cut"));
            }
            let mut desk = self.0.desk();
            in_order(&mut desk, call, &message)?;
            let answer = effect(&self.0, &mut desk, message)?;
            match fault {
                Some(C1Fault::LostAnswer) => Err(Status::unavailable("the answer was lost")),
                _ => Ok(answer),
            }
        });
        let code = outcome.as_ref().err().map_or(Code::Ok, Status::code);
        self.record(call, host_id, task_id, code);
        outcome.map(Response::new)
    }

    /// Whether the caller has a valid token, and what is to go wrong.
    fn fault(&self, call: C1Call, metadata: &MetadataMap, host_id: &str) -> Result<Option<C1Fault>, Status> {
        let mut desk = self.0.desk();
        if desk.faults.is_deaf(host_id) {
            return Err(Status::unavailable("this host is not heard"));
        }
        let token = metadata.get("authorization").and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if desk.tokens.get(token).is_none_or(|until| *until <= Instant::now()) {
            return Err(Status::unauthenticated("the access token is not known, or not any more"));
        }
        match desk.faults.take(call) {
            Some(C1Fault::Refused(code)) => Err(Status::new(Code::from(code), "as asked for")),
            fault => Ok(fault),
        }
    }

    fn record(&self, call: C1Call, host_id: String, task_id: String, code: Code) {
        let called = Called { call, host_id, task_id, code: code.into(), at: Instant::now() };
        self.0.desk().calls.push(called);
        self.0.changed();
    }

    /// Reads an upload to its end.
    async fn receive(
        &self,
        mut stream: Streaming<BatonServiceUploadAssetRequest>,
        upload: &mut Uploaded,
        cut: Option<(usize, &Wire)>,
    ) -> Result<(), Status> {
        let mut digest = Context::new(&SHA256);
        let broken = |rule: &str| Err(Status::invalid_argument(rule.to_owned()));
        let mut begun = false;
        while let Some(message) = stream.message().await? {
            in_order(&mut self.0.desk(), C1Call::UploadAsset, &message)?;
            match message.msg {
                Some(Msg::Metadata(metadata)) if !begun => {
                    begun = true;
                    (upload.host_id, upload.task_id) = (metadata.host_id, metadata.task_id);
                    let mut desk = self.0.desk();
                    if desk.faults.is_deaf(&upload.host_id) {
                        return Err(Status::unavailable("this host is not heard"));
                    }
                    desk.held(&upload.host_id, &upload.task_id, &self.0.options)?;
                }
                Some(Msg::Data(part)) if begun => {
                    digest.update(&part.data);
                    upload.parts.push(part.data.len());
                    upload.bytes.extend(part.data);
                }
                Some(Msg::Eof(end)) if begun => {
                    if digest.finish().as_ref() != end.sha256_checksum {
                        return Err(Status::data_loss("the checksum is another one"));
                    }
                    return match stream.message().await? {
                        None => Ok(()),
                        Some(_) => broken("nothing comes after the end"),
                    };
                }
                _ => return broken("metadata comes first, and once"),
            }
            if let Some((_, wire)) = cut.filter(|(after, _)| upload.bytes.len() >= *after) {
                wire.0.now();
                return Err(Status::unavailable("the connection was cut"));
            }
        }
        broken("the upload has no end")
    }
}

/// Refuses a message that breaks a rule, and records which.
fn in_order(desk: &mut Desk, call: C1Call, message: &impl Checked) -> Result<(), Status> {
    let broken = message.broken();
    if broken.is_empty() {
        return Ok(());
    }
    let told = broken.join("; ");
    desk.violations.extend(broken.into_iter().map(|rule| format!("{call:?}: {rule}")));
    Err(Status::invalid_argument(told))
}

#[tonic::async_trait]
impl BatonService for Calls {
    async fn hello(
        &self,
        request: Request<BatonServiceHelloRequest>,
    ) -> Result<Response<BatonServiceHelloResponse>, Status> {
        self.answer(C1Call::Hello, request, |shared, desk, hello| {
            if !hello.task_id.is_empty() {
                let (host_id, task_id) = (hello.host_id.clone(), hello.task_id.clone());
                let finished = Finished { host_id, task_id, ..Finished::default() };
                desk.finish(finished, &shared.options)?;
            }
            desk.hellos.push(hello);
            Ok(BatonServiceHelloResponse::default())
        })
        .await
    }

    async fn get_task(
        &self,
        request: Request<BatonServiceGetTaskRequest>,
    ) -> Result<Response<BatonServiceGetTaskResponse>, Status> {
        self.answer(C1Call::GetTask, request, |shared, desk, asked| {
            let task = desk.next(&asked.host_id, &[], 1, &shared.options).pop();
            Ok(BatonServiceGetTaskResponse {
                task,
                next_poll: duration(shared.options.next_poll),
                next_heartbeat: duration(shared.options.next_heartbeat),
                annotations: Vec::new(),
            })
        })
        .await
    }

    async fn get_tasks(
        &self,
        request: Request<BatonServiceGetTasksRequest>,
    ) -> Result<Response<BatonServiceGetTasksResponse>, Status> {
        self.answer(C1Call::GetTasks, request, |shared, desk, asked| {
            let most = usize::try_from(asked.page_size).unwrap_or(usize::MAX);
            let tasks = desk.next(&asked.host_id, &asked.known_task_ids, most, &shared.options);
            Ok(BatonServiceGetTasksResponse {
                tasks,
                next_poll: duration(shared.options.next_poll),
                next_heartbeat: duration(shared.options.next_heartbeat),
                annotations: Vec::new(),
            })
        })
        .await
    }

    async fn heartbeat(
        &self,
        request: Request<BatonServiceHeartbeatRequest>,
    ) -> Result<Response<BatonServiceHeartbeatResponse>, Status> {
        self.answer(C1Call::Heartbeat, request, |shared, desk, beat| {
            let cancelled = desk.beat(&beat.host_id, &beat.task_id, &shared.options)?;
            let next_heartbeat = duration(shared.options.next_heartbeat);
            Ok(BatonServiceHeartbeatResponse { next_heartbeat, cancelled, ..Default::default() })
        })
        .await
    }

    async fn finish_task(
        &self,
        request: Request<BatonServiceFinishTaskRequest>,
    ) -> Result<Response<BatonServiceFinishTaskResponse>, Status> {
        self.answer(C1Call::FinishTask, request, |shared, desk, finish| {
            desk.finish(finished(finish), &shared.options)?;
            Ok(BatonServiceFinishTaskResponse::default())
        })
        .await
    }

    async fn upload_asset(
        &self,
        request: Request<Streaming<BatonServiceUploadAssetRequest>>,
    ) -> Result<Response<BatonServiceUploadAssetResponse>, Status> {
        let (metadata, extensions, stream) = request.into_parts();
        let mut upload = Uploaded::default();
        let outcome = match self.fault(C1Call::UploadAsset, &metadata, "") {
            Ok(fault) => {
                if let Some(C1Fault::Slow(wait)) = fault {
                    tokio::time::sleep(wait).await;
                }
                let wire = extensions.get::<ConnectInfo<Wire>>();
                let cut = match (fault, wire) {
                    (Some(C1Fault::Cut(after)), Some(ConnectInfo(wire))) => Some((after, wire)),
                    _ => None,
                };
                let received = self.receive(stream, &mut upload, cut).await;
                received.and_then(|()| {
                    self.0.desk().uploads.push(upload.clone());
                    match fault {
                        Some(C1Fault::LostAnswer) => Err(Status::unavailable("the answer was lost")),
                        _ => Ok(()),
                    }
                })
            }
            Err(status) => Err(status),
        };
        let code = outcome.as_ref().err().map_or(Code::Ok, Status::code);
        self.record(C1Call::UploadAsset, upload.host_id, upload.task_id, code);
        outcome.map(|()| Response::new(BatonServiceUploadAssetResponse::default()))
    }

    async fn start_debugging(
        &self,
        request: Request<StartDebuggingRequest>,
    ) -> Result<Response<StartDebuggingResponse>, Status> {
        self.answer(C1Call::StartDebugging, request, |shared, _, _| {
            Ok(StartDebuggingResponse { status: shared.options.debugging })
        })
        .await
    }
}

fn duration(duration: std::time::Duration) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(duration).ok()
}

fn finished(finish: BatonServiceFinishTaskRequest) -> Finished {
    let status = finish.status.unwrap_or_default();
    let (non_retryable, response, annotations, code) = match finish.final_state {
        // A failure that names no code is one nevertheless.
        Some(FinalState::Error(error)) => {
            let code = if status.code == 0 { Code::Unknown.into() } else { status.code };
            (error.non_retryable, error.response, error.annotations, code)
        }
        Some(FinalState::Success(success)) => (false, success.response, success.annotations, status.code),
        None => (false, None, Vec::new(), status.code),
    };
    Finished {
        host_id: finish.host_id,
        task_id: finish.task_id,
        code,
        message: status.message,
        details: status.details,
        non_retryable,
        response,
        annotations,
    }
}
