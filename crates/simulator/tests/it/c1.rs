//! The stand-in for C1: whom it gives tokens, which requests it refuses, and whose a task is.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers included")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use metsuke_simulator::c1::proto::connector::ConnectorMetadata;
use metsuke_simulator::c1::proto::tasks::baton_service_finish_task_request::{FinalState, Success};
use metsuke_simulator::c1::proto::tasks::baton_service_upload_asset_request::{
    Msg, UploadData, UploadEof, UploadMetadata,
};
use metsuke_simulator::c1::proto::tasks::task::{HelloTask, SyncFullTask, TaskType};
use metsuke_simulator::c1::proto::tasks::{
    BatonServiceFinishTaskRequest, BatonServiceFinishTaskResponse, BatonServiceGetTaskRequest,
    BatonServiceGetTaskResponse, BatonServiceGetTasksRequest, BatonServiceGetTasksResponse,
    BatonServiceHeartbeatRequest, BatonServiceHeartbeatResponse, BatonServiceHelloRequest,
    BatonServiceHelloResponse, BatonServiceUploadAssetRequest, BatonServiceUploadAssetResponse,
    baton_service_hello_request as hello,
};
use metsuke_simulator::c1::{C1, C1Options, TaskState};
use ring::digest::{SHA256, digest};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use tonic::transport::{Certificate, Channel, ClientTlsConfig};
use tonic::{Code, Request, Status};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

struct House {
    c1: C1,
    http: reqwest::Client,
}

impl House {
    async fn new(options: C1Options) -> Self {
        // An error means that somebody installed a provider before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let c1 = C1::local(options).await.unwrap();
        let authority = reqwest::Certificate::from_pem(c1.authority().as_bytes()).unwrap();
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([authority]).build().unwrap();
        Self { c1, http }
    }

    fn now() -> i64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
    }

    fn header(nonce: &str) -> Value {
        json!({ "alg": "EdDSA", "nonce": nonce })
    }

    fn claims(&self) -> Value {
        let (id, now) = (self.c1.client_id(), Self::now());
        json!({ "iss": id, "sub": id, "aud": "localhost", "exp": now + 120, "iat": now, "nbf": now - 120 })
    }

    fn signed(seed: &[u8; 32], header: &Value, claims: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(pair.sign(text.as_bytes())))
    }

    async fn ask(&self, assertion: &str, change: impl FnOnce(&mut Vec<(&str, String)>)) -> (u16, Value) {
        let mut form = vec![
            ("client_id", self.c1.client_id().to_owned()),
            ("grant_type", "client_credentials".to_owned()),
            ("client_assertion_type", ASSERTION.to_owned()),
            ("client_assertion", assertion.to_owned()),
        ];
        change(&mut form);
        let form: Vec<String> = form
            .iter()
            .map(|(name, value)| {
                let set = percent_encoding::NON_ALPHANUMERIC;
                format!("{name}={}", percent_encoding::utf8_percent_encode(value, set))
            })
            .collect();
        let request = self.http.post(format!("https://{}/auth/v1/token", self.c1.host()));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(form.join("&")).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn token(&self) -> String {
        let number = self.c1.tokens_given();
        let header = Self::header(&format!("{number:032x}"));
        let assertion = Self::signed(&self.c1.seed(), &header, &self.claims());
        let (status, answer) = self.ask(&assertion, |_| {}).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["token_type"], "Bearer");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn line(&self) -> Line {
        let authority = Certificate::from_pem(self.c1.authority());
        let channel = Channel::from_shared(format!("https://{}", self.c1.host())).unwrap();
        let channel = channel.tls_config(ClientTlsConfig::new().ca_certificate(authority)).unwrap();
        Line { channel: channel.connect().await.unwrap(), token: self.token().await }
    }
}

/// A client of the task API without anything of its own.
struct Line {
    channel: Channel,
    token: String,
}

impl Line {
    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let bearer = format!("Bearer {}", self.token).parse().unwrap();
        request.metadata_mut().insert("authorization", bearer);
        request
    }

    async fn call<R, A>(&self, name: &str, message: R) -> Result<A, Status>
    where
        R: prost::Message + Default + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        let path = format!("/c1.connectorapi.baton.v1.BatonService/{name}").parse().unwrap();
        let codec = tonic_prost::ProstCodec::<R, A>::default();
        Ok(client.unary(self.request(message), path, codec).await?.into_inner())
    }

    async fn task(&self, host: &str) -> Option<String> {
        let asked = BatonServiceGetTaskRequest { host_id: host.to_owned() };
        let answer: BatonServiceGetTaskResponse = self.call("GetTask", asked).await.unwrap();
        assert!(answer.next_poll.is_some() && answer.next_heartbeat.is_some());
        answer.task.map(|task| task.id)
    }

    async fn beat(&self, host: &str, id: &str) -> Result<bool, Code> {
        let beat = BatonServiceHeartbeatRequest {
            host_id: host.to_owned(),
            task_id: id.to_owned(),
            ..Default::default()
        };
        let answer: Result<BatonServiceHeartbeatResponse, Status> = self.call("Heartbeat", beat).await;
        answer.map(|answer| answer.cancelled).map_err(|status| status.code())
    }

    async fn finish(&self, host: &str, id: &str) -> Code {
        let finish = BatonServiceFinishTaskRequest {
            host_id: host.to_owned(),
            task_id: id.to_owned(),
            status: None,
            final_state: Some(FinalState::Success(Success::default())),
        };
        let answer: Result<BatonServiceFinishTaskResponse, Status> = self.call("FinishTask", finish).await;
        answer.map_or_else(|status| status.code(), |_| Code::Ok)
    }

    async fn upload(&self, messages: Vec<Msg>) -> Code {
        let messages = messages.into_iter().map(|msg| BatonServiceUploadAssetRequest { msg: Some(msg) });
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        let path = "/c1.connectorapi.baton.v1.BatonService/UploadAsset".parse().unwrap();
        let codec = tonic_prost::ProstCodec::<_, BatonServiceUploadAssetResponse>::default();
        let request = self.request(futures::stream::iter(messages.collect::<Vec<_>>()));
        client.client_streaming(request, path, codec).await.map_or_else(|status| status.code(), |_| Code::Ok)
    }
}

fn sync() -> TaskType {
    TaskType::SyncFull(SyncFullTask::default())
}

fn metadata(host: &str, id: &str) -> Msg {
    let (host_id, task_id) = (host.to_owned(), id.to_owned());
    Msg::Metadata(UploadMetadata { host_id, task_id, annotations: Vec::new() })
}

fn data(bytes: &[u8]) -> Msg {
    Msg::Data(UploadData { data: bytes.to_vec() })
}

fn end(bytes: &[u8]) -> Msg {
    let sha256_checksum = digest(&SHA256, bytes).as_ref().to_vec();
    Msg::Eof(UploadEof { sha256_checksum, annotations: Vec::new() })
}

#[tokio::test]
async fn a_token_is_given_for_an_assertion_that_is_in_order_and_for_no_other() {
    let house = House::new(C1Options::default()).await;
    let seed = house.c1.seed();
    let nonce = |number: u8| House::header(&format!("{number:032x}"));
    let good = House::signed(&seed, &nonce(1), &house.claims());
    assert_eq!(house.ask(&good, |_| {}).await.0, 200);
    assert_eq!(house.ask(&good, |_| {}).await.0, 401, "a nonce is good once");
    let changed = |name: &str, value: Value| {
        let mut claims = house.claims();
        claims[name] = value;
        House::signed(&seed, &nonce(2), &claims)
    };
    let now = House::now();
    let wrong = [
        House::signed(&[9; 32], &nonce(2), &house.claims()),
        format!("{}x", House::signed(&seed, &nonce(2), &house.claims())),
        House::signed(&seed, &json!({ "alg": "none", "nonce": "0" }), &house.claims()),
        House::signed(&seed, &House::header("short"), &house.claims()),
        House::signed(
            &seed,
            &json!({ "alg": "EdDSA", "nonce": "0".repeat(32), "kid": "x" }),
            &house.claims(),
        ),
        changed("iss", "somebody".into()),
        changed("sub", "somebody".into()),
        changed("aud", house.c1.host().into()),
        changed("aud", json!(["localhost"])),
        changed("exp", (now - 1).into()),
        changed("exp", (now + 3_600).into()),
        changed("nbf", (now + 60).into()),
        changed("iat", Value::Null),
        "a.b".to_owned(),
    ];
    for assertion in &wrong {
        assert_eq!(house.ask(assertion, |_| {}).await.0, 401);
    }
    for (at, value) in [(0, "somebody"), (1, "password"), (2, "jwt")] {
        let good = House::signed(&seed, &nonce(3), &house.claims());
        assert_eq!(house.ask(&good, |form| form[at].1 = value.to_owned()).await.0, 401);
    }
    assert_eq!(house.c1.tokens_given(), 1);
    assert_eq!(house.c1.violations().len(), 1 + wrong.len() + 3);
}

#[tokio::test]
async fn a_call_needs_a_token_that_is_known_and_has_not_ended() {
    let house =
        House::new(C1Options { token_life: Duration::from_millis(500), ..C1Options::default() }).await;
    let mut line = house.line().await;
    line.task("a").await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    let asked = BatonServiceGetTaskRequest { host_id: "a".to_owned() };
    let code = |answer: Result<BatonServiceGetTaskResponse, Status>| answer.unwrap_err().code();
    assert_eq!(code(line.call("GetTask", asked.clone()).await), Code::Unauthenticated);
    line.token = "made-up".to_owned();
    assert_eq!(code(line.call("GetTask", asked).await), Code::Unauthenticated);
}

#[tokio::test]
async fn requests_that_break_a_rule_are_refused_and_have_no_effect() {
    let house = House::new(C1Options::default()).await;
    let line = house.line().await;
    let id = house.c1.give(sync());
    let refused = |answer: Result<BatonServiceGetTasksResponse, Status>| {
        assert_eq!(answer.unwrap_err().code(), Code::InvalidArgument);
    };
    let asked = |host: &str, page_size: u32, known: &[&str]| BatonServiceGetTasksRequest {
        host_id: host.to_owned(),
        page_size,
        known_task_ids: known.iter().map(|&id| id.to_owned()).collect(),
        annotations: Vec::new(),
    };
    refused(line.call("GetTasks", asked("", 1, &[])).await);
    refused(line.call("GetTasks", asked(&"h".repeat(257), 1, &[])).await);
    refused(line.call("GetTasks", asked("a", 0, &[])).await);
    refused(line.call("GetTasks", asked("a", 101, &[])).await);
    refused(line.call("GetTasks", asked("a", 1, &["short"])).await);
    assert_eq!(line.beat("a", "short").await, Err(Code::InvalidArgument));
    assert_eq!(line.finish("", &id).await, Code::InvalidArgument);
    let nothing = BatonServiceFinishTaskRequest {
        host_id: "a".to_owned(),
        task_id: id.clone(),
        ..BatonServiceFinishTaskRequest::default()
    };
    let answer: Result<BatonServiceFinishTaskResponse, Status> = line.call("FinishTask", nothing).await;
    assert_eq!(answer.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(house.c1.state(&id), Some(TaskState::Waiting));
    assert_eq!(house.c1.violations().len(), 8);
}

#[tokio::test]
async fn a_greeting_names_the_connector_and_its_system() {
    let house = House::new(C1Options::default()).await;
    let line = house.line().await;
    let word = || "x".to_owned();
    let good = BatonServiceHelloRequest {
        host_id: word(),
        connector_metadata: Some(ConnectorMetadata { display_name: word(), ..ConnectorMetadata::default() }),
        os_info: Some(hello::OsInfo {
            hostname: word(),
            os: word(),
            platform: word(),
            platform_version: word(),
            platform_family: word(),
            kernel_version: word(),
            kernel_arch: word(),
            virtualization_system: word(),
        }),
        ..BatonServiceHelloRequest::default()
    };
    let heard = async |hello: BatonServiceHelloRequest| -> Result<BatonServiceHelloResponse, Status> {
        line.call("Hello", hello).await
    };
    assert!(heard(good.clone()).await.is_ok());
    let changes: [fn(&mut BatonServiceHelloRequest); 5] = [
        |hello| hello.connector_metadata = None,
        |hello| hello.connector_metadata.as_mut().unwrap().display_name.clear(),
        |hello| hello.connector_metadata.as_mut().unwrap().help_url = "http://x".to_owned(),
        |hello| hello.os_info.as_mut().unwrap().platform.clear(),
        |hello| hello.os_info.as_mut().unwrap().hostname = "h".repeat(257),
    ];
    for change in changes {
        let mut hello = good.clone();
        change(&mut hello);
        assert_eq!(heard(hello).await.unwrap_err().code(), Code::InvalidArgument);
    }
    assert_eq!(house.c1.hellos().len(), 1);
    let id = house.c1.give(TaskType::Hello(HelloTask::default()));
    assert_eq!(line.task("x").await, Some(id.clone()));
    assert!(heard(BatonServiceHelloRequest { task_id: id.clone(), ..good }).await.is_ok());
    assert_eq!(house.c1.state(&id), Some(TaskState::Finished));
}

#[tokio::test]
async fn a_task_is_one_hosts_until_its_lease_ends() {
    let house = House::new(C1Options { lease: Duration::from_millis(300), ..C1Options::default() }).await;
    let line = house.line().await;
    let id = house.c1.give(sync());
    assert_eq!(line.task("a").await, Some(id.clone()));
    assert_eq!((line.task("a").await, line.task("b").await), (None, None));
    assert_eq!((line.beat("a", &id).await, line.beat("b", &id).await), (Ok(false), Ok(true)));
    assert_eq!(line.finish("b", &id).await, Code::FailedPrecondition);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(line.task("b").await, Some(id.clone()), "without a heartbeat it is given again");
    assert_eq!(
        (line.beat("a", &id).await, line.finish("a", &id).await),
        (Ok(true), Code::FailedPrecondition)
    );
    assert_eq!((line.finish("b", &id).await, line.finish("b", &id).await), (Code::Ok, Code::Ok));
    assert_eq!((house.c1.finished().len(), house.c1.deliveries(&id)), (1, 2));
    assert_eq!(line.beat("b", &id).await, Ok(true));
    let unknown = format!("task{:023}", 99);
    assert_eq!(line.beat("b", &unknown).await, Err(Code::NotFound));
}

#[tokio::test]
async fn an_upload_counts_when_it_is_whole() {
    let house = House::new(C1Options::default()).await;
    let line = house.line().await;
    let id = house.c1.give(sync());
    line.task("a").await;
    let wrong = [
        vec![data(b"x"), end(b"x")],
        vec![metadata("a", &id), data(b"x")],
        vec![metadata("a", &id), data(b""), end(b"")],
        vec![metadata("a", &id), data(&vec![0; (1 << 20) + 1]), end(b"")],
        vec![metadata("a", &id), metadata("a", &id), end(b"")],
        vec![metadata("a", &id), end(b""), data(b"x")],
        vec![metadata("a", "short"), end(b"")],
    ];
    for messages in wrong {
        assert_eq!(line.upload(messages).await, Code::InvalidArgument);
    }
    assert_eq!(line.upload(vec![metadata("a", &id), data(b"x"), end(b"y")]).await, Code::DataLoss);
    assert_eq!(line.upload(vec![metadata("b", &id), end(b"")]).await, Code::FailedPrecondition);
    assert!(house.c1.uploads().is_empty());
    let whole = vec![metadata("a", &id), data(b"whole"), data(b" file"), end(b"whole file")];
    assert_eq!(line.upload(whole).await, Code::Ok);
    let uploads = house.c1.uploads();
    assert_eq!((uploads[0].parts.as_slice(), uploads[0].bytes.as_slice()), (&[5, 5][..], &b"whole file"[..]));
}
