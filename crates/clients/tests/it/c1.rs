//! The request for a token of C1, against the stand-in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use metsuke_clients::c1::{C1, Credentials, Roots, Settings};
use metsuke_clients::{ClientError, ErrorKind};
use metsuke_simulator::c1::{C1 as Server, C1Call, C1Fault, C1Options};
use secrecy::ExposeSecret as _;

async fn server(options: C1Options) -> Server {
    Server::local(options).await.unwrap()
}

fn settings(server: &Server) -> Settings {
    let credentials = Credentials::new(server.client_id(), server.client_secret().into()).unwrap();
    let mut settings = Settings::new(credentials);
    settings.roots = Roots::Only(server.authority().to_owned());
    settings.request_timeout = Duration::from_secs(5);
    settings
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

fn clean(server: &Server, error: &ClientError) {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(server.client_secret().rsplit(':').next().unwrap()), "{shown}");
    assert!(!shown.contains("eyJ"), "an assertion shows in {shown}");
}

#[tokio::test]
async fn a_signed_assertion_brings_a_token() {
    for key_id in [None, Some("key-1".to_owned())] {
        let server = server(C1Options { key_id, ..C1Options::default() }).await;
        let token = C1::new(settings(&server)).unwrap().token(now(), [7; 16]).await.unwrap();
        assert_eq!(token.authorization.expose_secret(), "Bearer access-00000001");
        assert_eq!(token.lifetime, Duration::from_mins(10));
        assert!(!format!("{token:?}").contains("access-0"));
        assert_eq!(server.violations(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_refusal_is_told_with_its_status_and_without_a_secret() {
    let server = server(C1Options::default()).await;
    let c1 = C1::new(settings(&server)).unwrap();
    c1.token(now(), [7; 16]).await.unwrap();
    let error = c1.token(now(), [7; 16]).await.unwrap_err();
    assert_eq!(error.status(), Some(401), "a nonce is good once");
    clean(&server, &error);
    let error = c1.token(now() - 3_600, [8; 16]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "the clock is wrong");
    clean(&server, &error);
    assert_eq!(server.violations(), ["token: its nonce was used before", "token: `exp` is -3480 s from now"]);
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_whose_certificate_is_not_trusted() {
    let (here, other) = (server(C1Options::default()).await, server(C1Options::default()).await);
    let mut settings = settings(&here);
    settings.roots = Roots::Only(other.authority().to_owned());
    let error = C1::new(settings).unwrap().token(now(), [7; 16]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.to_string().contains("an authority that this machine does not trust"), "{error}");
    clean(&here, &error);
    assert!(here.calls().is_empty());
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_in_time() {
    let server = server(C1Options::default()).await;
    let mut settings = settings(&server);
    settings.request_timeout = Duration::from_millis(200);
    let c1 = C1::new(settings).unwrap();
    server.fail(
        C1Call::Token,
        &[C1Fault::Slow(Duration::from_mins(1)), C1Fault::Cut(0), C1Fault::Refused(307)],
    );
    let kinds = [ErrorKind::Timeout, ErrorKind::Connection, ErrorKind::Refused];
    for (number, kind) in kinds.into_iter().enumerate() {
        let error = c1.token(now(), [u8::try_from(number).unwrap(); 16]).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        clean(&server, &error);
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let server = server(C1Options::default()).await;
    let with = |change: fn(&mut Settings)| {
        let mut settings = settings(&server);
        change(&mut settings);
        C1::new(settings).map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(
        with(|settings| settings.api_host = Some("https://x".into())),
        "the host of C1's API is wrong: `https://x` is no host with or without a port"
    );
    let error = with(|settings| settings.roots = Roots::Only("-----BEGIN CERTIFICATE-----\n%%\n".into()));
    assert!(error.starts_with("the certificates to trust are no PEM"), "{error}");
    assert_eq!(
        with(|settings| settings.user_agent = "\n".into()),
        "the user agent does not fit into a header"
    );
}
