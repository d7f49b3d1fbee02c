//! What people sign in with is in nothing that is kept or told.

use std::io::Write;
use std::sync::{Arc, Mutex};

use metsuke_engine::identity::{ProviderRules, Role};
use metsuke_simulator::oidc::{OidcManners, OidcPerson, OidcProvider};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::house::{House, PASSWORD};
use crate::second_factor::enrol;

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn holds(bytes: &[u8], piece: &str) -> bool {
    bytes.windows(piece.len()).any(|window| window == piece.as_bytes())
}

#[tokio::test]
async fn no_secret_of_signing_in_is_in_the_database_or_in_the_log() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    let person = OidcPerson::new("bob@example.com", &["platform"]);
    let provider = OidcProvider::local(OidcManners::Keycloak, person).await.unwrap();
    let rules = ProviderRules {
        name: "Example".into(),
        claim: "groups".into(),
        roles: vec![("/platform".into(), Role::Viewer)],
        otherwise: None,
        link_by_email: false,
        trust_email: false,
    };
    let house = House::with_provider(&provider, rules).await;
    let link = house.people.offer_setup().await.unwrap().unwrap().expose_secret().to_owned();
    let mut ann = house.browser();
    let fields =
        [("link", link.as_str()), ("email", "ann@example.com"), ("name", ""), ("password", PASSWORD)];
    assert_eq!(ann.submit("/setup", &fields).await.status, 303);
    ann.csrf = ann.get("/api/v1/session").await.json()["csrf_token"].as_str().unwrap().to_owned();
    let (factor, codes) = enrol(&house, &mut ann).await;
    house.browser().sign_in("ann@example.com", "canary of a wrong password", "canary code").await;
    house.browser().sign_in("ann@example.com", PASSWORD, &codes[0]).await;
    let change = json!({ "current": PASSWORD, "new": "canary of a new password" });
    assert_eq!(ann.send(Method::PUT, "/api/v1/session/password", &change).await.status, 200);
    let mut bob = house.browser();
    let away = bob.get("/auth/oidc").await.header("location").to_owned();
    let question = bob.cookies["metsuke_question"].clone();
    let back = bob.get(&away).await.header("location").to_owned();
    assert_eq!(bob.get(&back).await.status, 303);

    let mut secrets = vec![
        link,
        PASSWORD.to_owned(),
        "canary of a wrong password".to_owned(),
        "canary of a new password".to_owned(),
        "canary code".to_owned(),
        factor,
        question,
        provider.client_secret().to_owned(),
        ann.csrf.clone(),
        "access-token-of-the-provider".to_owned(),
        "code-1-of-the-provider".to_owned(),
    ];
    secrets.extend(codes.iter().flat_map(|code| [code.clone(), code.replace('-', "")]));
    secrets.extend(ann.cookies.values().chain(bob.cookies.values()).cloned());
    let mut looked_at = 0;
    for entry in std::fs::read_dir(house.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        looked_at += bytes.len();
        for secret in &secrets {
            assert!(!holds(&bytes, secret), "{} holds `{secret}`", path.display());
        }
    }
    let logged = log.0.lock().unwrap().clone();
    assert!(holds(&logged, "answered") && looked_at > 50_000, "{looked_at} bytes, {} logged", logged.len());
    assert!(logged.len() > 1_000);
    // The stand-in and the test's own client log here as well; what they say is not the server's.
    let lines = logged.split(|byte| *byte == b'\n');
    for line in lines.filter(|line| holds(line, "metsuke_") && !holds(line, "metsuke_simulator")) {
        for secret in &secrets {
            assert!(!holds(line, secret), "`{secret}` is in {}", String::from_utf8_lossy(line));
        }
    }
}
