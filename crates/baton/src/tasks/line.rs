//! The calls to C1: each with a valid token, in its time.
//!
//! Which calls are made, and what follows from their answers, is decided elsewhere.
//!
//! Invariant: a token that C1 refuses is renewed once per call; a connection on which a call got no answer in time is not
//! used again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metsuke_engine::ErrorKind;
use metsuke_engine::c1::{Redactor, Roots, Tokens};
use secrecy::ExposeSecret as _;
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Response, Status};

use super::error::ServiceError;
use super::settings::{Settings, Times};
use crate::proto::tasks::baton_service_client::BatonServiceClient;
use crate::proto::tasks::{
    BatonServiceFinishTaskRequest, BatonServiceGetTaskRequest, BatonServiceGetTaskResponse,
    BatonServiceGetTasksRequest, BatonServiceGetTasksResponse, BatonServiceHeartbeatRequest,
    BatonServiceHeartbeatResponse, BatonServiceHelloRequest, BatonServiceUploadAssetRequest,
    StartDebuggingRequest,
};

type Client = BatonServiceClient<Channel>;

/// The version of the ecosystem's SDK whose contract is spoken.
const CONTRACT: &str = "0.25.0";

/// The way to one C1.
pub(super) struct Line {
    endpoint: Endpoint,
    client: Mutex<Client>,
    tokens: Tokens,
    host_id: String,
    times: Times,
    redactor: Redactor,
}

impl Line {
    /// A way that is not gone yet; the first call connects.
    pub(super) fn new(tokens: Tokens, settings: &Settings) -> Result<Self, ServiceError> {
        let failed = |reason: String| ServiceError::Connection { reason };
        let tls = match tokens.roots() {
            Roots::System => ClientTlsConfig::new().with_native_roots(),
            Roots::Only(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
        };
        let name = tokens.credentials().name();
        let agent =
            format!("{name} baton-sdk/{CONTRACT} {}/{}", settings.build.package, settings.build.version);
        let times = settings.times.clone();
        let endpoint = Endpoint::from_shared(format!("https://{}", tokens.authority()))
            .and_then(|endpoint| endpoint.tls_config(tls))
            .and_then(|endpoint| endpoint.user_agent(agent))
            .map_err(|error| failed(causes(&error)))?
            .connect_timeout(times.connect)
            .tcp_keepalive(Some(Duration::from_secs(30)));
        let client = Mutex::new(Client::new(endpoint.connect_lazy()));
        let redactor = tokens.credentials().redactor(&settings.secrets);
        let host_id = settings.host_id.as_str().to_owned();
        Ok(Self { endpoint, client, tokens, host_id, times, redactor })
    }

    /// What takes secrets out of text.
    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    pub(super) fn host_id(&self) -> String {
        self.host_id.clone()
    }

    pub(super) fn times(&self) -> &Times {
        &self.times
    }

    pub(super) async fn hello(&self, mut hello: BatonServiceHelloRequest) -> Result<(), Status> {
        hello.host_id = self.host_id();
        let send = |mut client: Client, request| async move { client.hello(request).await };
        self.call(self.times.call, || hello.clone(), send).await.map(|_| ())
    }

    pub(super) async fn get_task(&self) -> Result<BatonServiceGetTaskResponse, Status> {
        let asked = || BatonServiceGetTaskRequest { host_id: self.host_id() };
        let send = |mut client: Client, request| async move { client.get_task(request).await };
        self.call(self.times.call, asked, send).await
    }

    pub(super) async fn get_tasks(
        &self,
        known_task_ids: Vec<String>,
        page_size: u32,
    ) -> Result<BatonServiceGetTasksResponse, Status> {
        let asked = || BatonServiceGetTasksRequest {
            host_id: self.host_id(),
            page_size,
            known_task_ids: known_task_ids.clone(),
            annotations: Vec::new(),
        };
        let send = |mut client: Client, request| async move { client.get_tasks(request).await };
        self.call(self.times.call, asked, send).await
    }

    pub(super) async fn heartbeat(&self, task_id: &str) -> Result<BatonServiceHeartbeatResponse, Status> {
        let beat = || BatonServiceHeartbeatRequest {
            host_id: self.host_id(),
            task_id: task_id.to_owned(),
            annotations: Vec::new(),
            task_ids: Vec::new(),
        };
        let send = |mut client: Client, request| async move { client.heartbeat(request).await };
        self.call(self.times.call, beat, send).await
    }

    pub(super) async fn finish(&self, finish: &BatonServiceFinishTaskRequest) -> Result<(), Status> {
        let send = |mut client: Client, request| async move { client.finish_task(request).await };
        self.call(self.times.finish, || finish.clone(), send).await.map(|_| ())
    }

    /// Uploads what `parts` makes, anew for each time it must be sent.
    pub(super) async fn upload<S>(&self, parts: impl Fn() -> S + Send + Sync) -> Result<(), Status>
    where
        S: futures::Stream<Item = BatonServiceUploadAssetRequest> + Send + 'static,
    {
        let send = |mut client: Client, request| async move { client.upload_asset(request).await };
        self.call(self.times.upload, parts, send).await.map(|_| ())
    }

    pub(super) async fn start_debugging(&self) -> Result<bool, Status> {
        let send = |mut client: Client, request| async move { client.start_debugging(request).await };
        Ok(self.call(self.times.call, || StartDebuggingRequest {}, send).await?.status)
    }

    /// One call, with a token that is good; a second time where C1 refuses the token nevertheless.
    async fn call<R, A, F>(
        &self,
        limit: Duration,
        make: impl Fn() -> R + Send + Sync,
        send: impl Fn(Client, Request<R>) -> F + Send + Sync,
    ) -> Result<A, Status>
    where
        R: Send,
        F: Future<Output = Result<Response<A>, Status>> + Send,
    {
        let mut again = true;
        loop {
            let access = self.tokens.current().await.map_err(|error| no_token(&error))?;
            let mut request = Request::new(make());
            let mut bearer = MetadataValue::try_from(access.authorization.expose_secret())
                .map_err(|_| Status::internal("the access token does not fit into a header"))?;
            bearer.set_sensitive(true);
            request.metadata_mut().insert("authorization", bearer);
            let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match tokio::time::timeout(limit, Box::pin(send(client, request))).await {
                Ok(Ok(answer)) => return Ok(answer.into_inner()),
                Ok(Err(status)) if again && status.code() == Code::Unauthenticated => {
                    again = false;
                    self.tokens.refused(&access).await;
                }
                Ok(Err(status)) => return Err(self.told(&status)),
                Err(_) => {
                    let fresh = Client::new(self.endpoint.connect_lazy());
                    *self.client.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
                    let told = format!("no answer from C1 within {} s", limit.as_secs_f32());
                    return Err(Status::deadline_exceeded(told));
                }
            }
        }
    }

    /// A status whose message names its innermost cause, and holds no secret.
    fn told(&self, status: &Status) -> Status {
        let Some(cause) = std::error::Error::source(status).map(causes) else {
            return Status::new(status.code(), self.redactor.clean(status.message()));
        };
        // What has a cause was not said by C1: the connection failed, whatever code the library gives that.
        let code = match status.code() {
            code @ (Code::DeadlineExceeded | Code::ResourceExhausted) => code,
            _ => Code::Unavailable,
        };
        let message =
            if cause == status.message() { cause } else { format!("{}: {cause}", status.message()) };
        Status::new(code, self.redactor.clean(&message))
    }
}

/// A failure to get a token, as the call that needed it would fail.
fn no_token(error: &metsuke_engine::EngineError) -> Status {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    let message = format!("{error}{cause}");
    match error.kind() {
        ErrorKind::Unauthenticated => Status::unauthenticated(message),
        ErrorKind::Invalid => Status::invalid_argument(message),
        _ => Status::unavailable(message),
    }
}

/// The innermost cause, which says what happened, without the layers around it.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
