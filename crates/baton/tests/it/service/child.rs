//! The contract between parent and child: socket, keys, configuration, and the end.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use metsuke_baton::child::{self, ChildError};
use metsuke_baton::proto::connector as v2;
use metsuke_baton::proto::connector::connector_service_client::ConnectorServiceClient;
use metsuke_baton::proto::wrapper::ServerConfig;
use metsuke_simulator::{Options as Company, Size};
use tokio::io::AsyncWriteExt as _;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::house::{House, input, options, serve, socket};
use super::keys::Keys;

/// Marks the start of this program that plays the child.
const CHILD: &str = "METSUKE_TEST_CHILD";

async fn house() -> House {
    House::new(Company::of(Size::Small), options()).await
}

/// What becomes of a child that is given this configuration.
async fn with(config: &ServerConfig, listener: std::net::TcpListener) -> Result<(), ChildError> {
    let (ours, theirs) = input(config).await;
    let cancel = CancellationToken::new();
    let connector = Arc::clone(&house().await.connector);
    let served = child::serve(connector, listener, theirs, &cancel).await;
    drop(ours);
    served
}

#[tokio::test]
async fn only_certificates_of_the_parents_authority_are_served() {
    let house = house().await;
    let (keys, others) = (Keys::new(), Keys::new());
    let (listener, port) = socket();
    let (ours, theirs) = input(&keys.config(port)).await;
    let cancel = CancellationToken::new();
    let serving = child::serve(Arc::clone(&house.connector), listener, theirs, &cancel);
    let testing = async {
        for channel in [keys.stranger(&others, port), keys.nameless(port), others.way(port)] {
            let request = v2::ConnectorServiceGetMetadataRequest {};
            let status = ConnectorServiceClient::new(channel).get_metadata(request).await.unwrap_err();
            let words = ["transport error", "certificate"];
            assert!(
                words.iter().any(|word| status.message().contains(word)),
                "no service answered: {status}"
            );
        }
        let request = v2::ConnectorServiceGetMetadataRequest {};
        ConnectorServiceClient::new(keys.way(port)).get_metadata(request).await.unwrap();
        drop(ours);
    };
    let (served, ()) = tokio::join!(serving, testing);
    served.unwrap();
}

#[tokio::test]
async fn it_ends_well_when_standard_input_does_or_when_it_is_told_to() {
    let house = house().await;
    serve(&house, async |_| ()).await;
    let keys = Keys::new();
    let (listener, port) = socket();
    let (ours, theirs) = input(&keys.config(port)).await;
    let cancel = CancellationToken::new();
    let serving = child::serve(Arc::clone(&house.connector), listener, theirs, &cancel);
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        cancel.cancel();
    };
    let (served, ()) = tokio::join!(serving, stopping);
    served.unwrap();
    drop(ours);
}

#[tokio::test]
async fn a_listing_that_waits_is_told_that_the_connector_stops() {
    let company = Company::of(Size::Enterprise).latency(Duration::from_millis(300));
    let house = House::new(company, options()).await;
    let keys = Keys::new();
    let (listener, port) = socket();
    let (ours, theirs) = input(&keys.config(port)).await;
    let cancel = CancellationToken::new();
    let serving = child::serve(Arc::clone(&house.connector), listener, theirs, &cancel);
    let mut client = v2::resources_service_client::ResourcesServiceClient::new(keys.way(port));
    let asking = async {
        let request = super::listing::resources_of("app", 0);
        let status = client.list_resources(request).await.unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status}");
    };
    let leaving = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        drop(ours);
    };
    let all = async { tokio::join!(serving, asking, leaving) };
    let (served, (), ()) = tokio::time::timeout(Duration::from_secs(8), all).await.unwrap();
    served.unwrap();
}

#[tokio::test]
async fn a_configuration_about_another_socket_is_refused() {
    let (listener, port) = socket();
    let error = with(&Keys::new().config(port - 1), listener).await.unwrap_err();
    assert!(matches!(error, ChildError::Port { .. }), "{error}");
}

#[tokio::test]
async fn missing_and_broken_keys_are_refused() {
    let (listener, port) = socket();
    let mut config = Keys::new().config(port);
    config.credential = None;
    assert!(matches!(with(&config, listener).await, Err(ChildError::BadKeys { .. })));
    let (listener, port) = socket();
    let mut config = Keys::new().config(port);
    config.credential.as_mut().unwrap().cert.truncate(20);
    assert!(matches!(with(&config, listener).await, Err(ChildError::BadKeys { .. })));
    let (listener, port) = socket();
    let mut config = Keys::new().config(port);
    config.credential.as_mut().unwrap().ca_cert = vec![0; 40];
    assert!(matches!(with(&config, listener).await, Err(ChildError::BadKeys { .. })));
}

#[tokio::test]
async fn empty_standard_input_is_an_error() {
    let (listener, _) = socket();
    let cancel = CancellationToken::new();
    let served = child::serve(Arc::clone(&house().await.connector), listener, tokio::io::empty(), &cancel);
    assert!(matches!(served.await, Err(ChildError::NoConfig)));
}

#[tokio::test]
async fn what_still_comes_on_standard_input_is_ignored() {
    let house = house().await;
    let keys = Keys::new();
    let (listener, port) = socket();
    let (mut ours, theirs) = input(&keys.config(port)).await;
    let cancel = CancellationToken::new();
    let serving = child::serve(Arc::clone(&house.connector), listener, theirs, &cancel);
    let testing = async {
        ours.write_all(&[b'x'; 5_000]).await.unwrap();
        let request = v2::ConnectorServiceGetMetadataRequest {};
        ConnectorServiceClient::new(keys.way(port)).get_metadata(request).await.unwrap();
        drop(ours);
    };
    let (served, ()) = tokio::join!(serving, testing);
    served.unwrap();
}

#[test]
fn a_start_by_hand_is_told_apart() {
    for number in [None, Some("")] {
        assert!(matches!(child::inherited(number), Err(ChildError::NoParent)));
    }
    for number in ["three", "-1"] {
        assert!(matches!(child::inherited(Some(number)), Err(ChildError::Listener { .. })));
    }
}

/// Plays the child where it is started as one; else it has nothing to do.
#[test]
fn plays_the_child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let listener = child::inherited(Some("3")).unwrap();
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input).unwrap();
    println!("child listens on {} and read {input}", listener.local_addr().unwrap());
}

#[test]
fn the_parents_socket_is_inherited_by_number() {
    let (listener, port) = socket();
    let (theirs, mut ours) = std::io::pipe().unwrap();
    // The shell moves the socket from where Rust can put it to where the parent of the contract does.
    let mut child = Command::new("sh")
        .args(["-c", "exec \"$@\" 3<&0 <&2 2>/dev/null", "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "service::child::plays_the_child", "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .stderr(theirs)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut ours, b"the line").unwrap();
    drop(ours);
    let mut told = String::new();
    child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(child.wait().unwrap().success(), "{told}");
    assert!(told.contains(&format!("child listens on 127.0.0.1:{port} and read the line")), "{told}");
}
