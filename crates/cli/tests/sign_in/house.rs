//! A server with an empty database, a clock that stands still, and whom a test wants in it.

use std::net::SocketAddr;
use std::sync::Arc;

use metsuke_clients::oidc::{Oidc, Settings};
use metsuke_engine::audit::KeyFile;
use metsuke_engine::connectors::Installation;
use metsuke_engine::desk::Desk;
use metsuke_engine::identity::{
    Account, AccountAsk, Once, People, Provider, ProviderRules, Role, TokenAsk, Tokens,
};
use metsuke_engine::seal::SealFile;
use metsuke_model::audit::Event;
use metsuke_model::{Clock as _, FixedClock, SystemClock};
use metsuke_simulator::oidc::OidcProvider;
use metsuke_store::{OpenMode, Store};
use metsuke_web::{Limits, Server, Services};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::browser::Browser;

pub(crate) const MINUTE: i64 = 60_000_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A server; it ends with this value.
pub(crate) struct House {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) store: Store,
    pub(crate) installation: Installation,
    pub(crate) people: People,
    pub(crate) tokens: Tokens,
    pub(crate) address: SocketAddr,
    _stop: DropGuard,
}

impl House {
    /// One without a provider of identities.
    pub(crate) async fn new() -> Self {
        Self::with(|_, people| people).await
    }

    /// One with a provider of identities, and these rules.
    pub(crate) async fn with_provider(provider: &OidcProvider, rules: ProviderRules) -> Self {
        Self::with(|address, people| {
            let back = format!("http://{address}/auth/oidc/callback").parse().unwrap();
            let mut settings = Settings::new(&provider.issuer(), provider.client_id(), back).unwrap();
            settings.client_secret = Some(provider.client_secret().into());
            people.with_provider(Provider::new(Oidc::new(settings).unwrap(), rules))
        })
        .await
    }

    async fn with(change: impl FnOnce(SocketAddr, People) -> People) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("metsuke.db").display());
        let store = Store::open(&url, OpenMode::Create).await.unwrap();
        store.settle().await;
        let clock = Arc::new(FixedClock::at(SystemClock.now()));
        let seal = SealFile::at(folder.path().join("metsuke.key"));
        let installation = Installation::open(store.clone(), seal, clock.clone()).await.unwrap();
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = server.address();
        let people = change(address, People::new(installation.clone(), clock.clone()));
        let tokens = Tokens::new(store.clone(), clock.clone());
        let services = Services {
            desk: Desk::new(installation.clone())
                .signing(Some(KeyFile::beside(&folder.path().join("metsuke.db")))),
            tokens: tokens.clone(),
            once: Once::new(store.clone(), clock.clone()),
            people: people.clone(),
            place: None,
            limits: Limits::default(),
            joins: None,
            installed: metsuke_web::Installed::default(),
            guest: None,
            clock: clock.clone(),
        };
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
        let _serving = tokio::spawn(server.run(services, stopping));
        Self { folder, clock, store, installation, people, tokens, address, _stop: stop.drop_guard() }
    }

    /// Somebody with the usual password.
    pub(crate) async fn person(&self, email: &str, role: Role) -> Account {
        let ask = AccountAsk { email: email.into(), name: None, role, password: Some(PASSWORD.into()) };
        self.people.create(ask).await.unwrap()
    }

    /// A browser in which nobody has signed in.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.address)
    }

    /// A browser in which somebody has signed in with the usual password.
    pub(crate) async fn signed_in(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        assert_eq!(browser.sign_in(email, PASSWORD, "").await, 201);
        browser
    }

    /// A program's token.
    pub(crate) async fn token(&self, role: Role) -> String {
        let ask = TokenAsk { name: "test".into(), role, scopes: Vec::new(), person: None, expires_at: None };
        self.tokens.create(ask).await.unwrap().token.expose_secret().to_owned()
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, micros: i64) {
        self.clock.advance(micros);
    }

    /// The audit trail, newest first.
    pub(crate) async fn events(&self) -> Vec<Event> {
        let rows = self.store.audit_rows_before(None, 1000).await.unwrap();
        rows.iter().map(|row| Event::decode(&row.text).unwrap()).collect()
    }

    /// Events of this code, newest first.
    pub(crate) async fn events_of(&self, code: &str) -> Vec<Event> {
        self.events().await.into_iter().filter(|event| event.code.as_str() == code).collect()
    }
}
