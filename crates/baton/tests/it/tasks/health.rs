//! The health endpoints, and the question to them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metsuke_baton::tasks::health::{Endpoint, Health, Ready, Unhealthy, ask};
use metsuke_baton::tasks::{Failed, Service, ServiceError};
use metsuke_engine::c1::Redactor;
use metsuke_model::Moment;
use metsuke_model::clock::{FixedClock, SystemClock};
use metsuke_simulator::c1::{C1Call, C1Options};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::hand::Hand;
use super::house::{LONG, c1, called, settings, tokens};

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<Result<(), ServiceError>>,
}

async fn serve(hand: &Arc<Hand>, ready: Ready) -> Served {
    let health = Health::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let (address, stop) = (health.address(), CancellationToken::new());
    let clock = Arc::new(FixedClock::at(Moment(1_700_000_000_123_456)));
    let redactor = Redactor::new([&"canary-of-a-token".into()]);
    let serving = health.serve(Arc::clone(hand), ready, clock, redactor, stop.clone());
    #[expect(clippy::disallowed_methods, reason = "the test holds the handle and waits for it")]
    let serving = tokio::spawn(serving);
    Served { address, stop, serving }
}

impl Served {
    async fn ask(&self, endpoint: Endpoint) -> Result<(), Unhealthy> {
        ask(&self.address.to_string(), endpoint, LONG).await
    }

    /// The whole answer.
    async fn read(&self, path: &str) -> (String, serde_json::Value) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_lowercase(), serde_json::from_str(body).unwrap())
    }

    async fn end(self) {
        self.stop.cancel();
        self.serving.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_connector_that_works_is_healthy_and_alive() {
    let served = serve(&Hand::quick(0), Ready::default()).await;
    let (head, body) = served.read("/health").await;
    assert!(head.starts_with("http/1.1 200") && head.contains("content-type: application/json"), "{head}");
    assert_eq!(body, serde_json::json!({ "status": "healthy", "timestamp": "2023-11-14T22:13:20Z" }));
    assert_eq!(served.read("/live").await.1["status"], "alive");
    assert!(served.ask(Endpoint::Health).await.is_ok());
    assert!(served.ask(Endpoint::Live).await.is_ok());
    served.end().await;
}

#[tokio::test]
async fn a_connector_that_does_not_work_says_why_and_shows_no_secret() {
    let hand = Hand::quick(0);
    *hand.ill.lock().unwrap() = Some(Failed::new(16, "the token canary-of-a-token is wrong"));
    let served = serve(&hand, Ready::default()).await;
    let (head, body) = served.read("/health").await;
    assert!(head.starts_with("http/1.1 503"), "{head}");
    assert_eq!(body["status"], "unhealthy");
    let details = serde_json::json!({
        "error": "connector validation failed",
        "validation_error": "the token [secret] is wrong",
    });
    assert_eq!(body["details"], details);
    let error = served.ask(Endpoint::Health).await.unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), (2, "`/health` was answered 503"));
    assert!(served.ask(Endpoint::Live).await.is_ok(), "it lives nevertheless");
    served.end().await;
}

#[tokio::test]
async fn a_connector_is_ready_once_c1_was_greeted() {
    let c1 = c1(C1Options::default()).await;
    let hand = Hand::quick(0);
    let service =
        Service::new(tokens(&c1), Arc::clone(&hand), settings("pod-1"), Arc::new(SystemClock)).unwrap();
    let served = serve(&hand, service.ready()).await;
    assert_eq!(served.read("/ready").await.1["status"], "not_ready");
    let stop = CancellationToken::new();
    #[expect(clippy::disallowed_methods, reason = "the test holds the handle and waits for it")]
    let running = tokio::spawn(service.run(stop.clone()));
    called(&c1, C1Call::GetTask, 1).await;
    assert!(served.ask(Endpoint::Ready).await.is_ok());
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(served.ask(Endpoint::Ready).await.unwrap_err().code(), 2);
    served.end().await;
}

#[tokio::test]
async fn where_nobody_answers_the_question_fails_with_a_code_of_its_own() {
    let served = serve(&Hand::quick(0), Ready::default()).await;
    let address = served.address.to_string();
    served.end().await;
    assert_eq!(ask(&address, Endpoint::Live, LONG).await.unwrap_err().code(), 14);
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let error = ask(&address, Endpoint::Live, Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(error.code(), 4);
}

#[tokio::test]
async fn an_address_that_is_taken_is_told() {
    let served = serve(&Hand::quick(0), Ready::default()).await;
    let error = Health::bind(served.address).await.unwrap_err();
    assert!(error.to_string().starts_with("the health endpoints cannot be served at `127.0.0.1:"), "{error}");
    served.end().await;
}
