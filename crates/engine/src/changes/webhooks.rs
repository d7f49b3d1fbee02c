//! Webhooks of Heroku apps: who has one, and what is made of a delivery.
//!
//! A delivery says that something happened to the app that it was asked for; what, the app's listings say. Its body
//! decides nothing but whether it is too old, and whether it was there before.
//!
//! Invariant: nothing is done for a delivery whose signature over its very bytes is not right, compared in constant
//! time, nor for one that is older than its window, nor twice for the same event.

pub use metsuke_clients::heroku::SIGNATURE;
use metsuke_clients::heroku::is_signed;
use metsuke_model::record::App;
use metsuke_model::{Clock, HerokuId, Moment};
use metsuke_store::{Select, Store, WantedRead, Webhook, WebhookState};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

pub use super::hooks::{Door, add, remove};
use super::target;
use crate::EngineError;
use crate::seal::SealingKey;
use crate::sync::Target;

/// The path at which deliveries are taken.
const PATH: &str = "/api/v1/webhooks/heroku";
/// The most bytes of a delivery.
pub const MOST_BYTES: usize = 1024 * 1024;
/// How old a delivery may be, in microseconds: Heroku tries again what is not taken.
const WINDOW: i64 = 3_600_000_000;
/// How far in the future one may seem to be, since clocks differ.
const AHEAD: i64 = 300_000_000;
/// For how long deliveries are remembered: longer than one of them can be taken again.
pub(super) const REMEMBERS: i64 = 3 * WINDOW;

/// What seals the secrets of webhooks.
#[derive(Clone, Copy, Debug)]
pub struct Vault<'k> {
    /// The key.
    pub key: &'k SealingKey,
    /// What they are sealed to.
    pub installation: &'k str,
}

impl Vault<'_> {
    pub(super) fn seal(&self, webhook: &str, secret: &SecretString) -> Result<Vec<u8>, EngineError> {
        self.key.seal(self.installation, &row(webhook), secret)
    }

    fn open(&self, webhook: &Webhook) -> Result<SecretString, EngineError> {
        self.key.open(self.installation, &row(&webhook.id), &webhook.secret)
    }
}

fn row(webhook: &str) -> String {
    format!("webhook/{webhook}")
}

/// A webhook as a door shows it: without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hook {
    /// Our name for it.
    pub id: String,
    /// The app.
    pub app: HerokuId,
    /// The app's name when it was asked for.
    pub app_name: String,
    /// Where it leads.
    pub url: String,
    /// Heroku's id of it, once it is known.
    pub heroku_id: Option<String>,
    /// `active`; `asked` or `leaving` where it is not known whether Heroku has it.
    pub state: &'static str,
    /// When it was asked for.
    pub created_at: Moment,
    /// When the last delivery was taken.
    pub heard_at: Option<Moment>,
}

impl From<Webhook> for Hook {
    fn from(webhook: Webhook) -> Self {
        let Webhook { id, app, app_name, url, heroku_id, state, created_at, heard_at, .. } = webhook;
        Self { id, app, app_name, url, heroku_id, state: state.as_str(), created_at, heard_at }
    }
}

/// Every webhook of an estate, by the app's name.
///
/// # Errors
///
/// What the database said.
pub async fn list(store: &Store) -> Result<Vec<Hook>, EngineError> {
    Ok(store.webhooks().await?.into_iter().map(Hook::from).collect())
}

/// The address at which deliveries for a connector are taken, of a server at this one.
#[must_use]
pub fn address(server: &Url, connector: &str) -> Url {
    let mut url = server.clone();
    if matches!(url.path(), "" | "/") {
        url.set_path(PATH);
    }
    url.query_pairs_mut().append_pair("connector", connector);
    url
}

/// A delivery as it came.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// What the parameter `hook` of the address says.
    pub hook: &'a str,
    /// What the header [`SIGNATURE`] says.
    pub signature: Option<&'a str>,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// What was made of a delivery. A door answers all but [`Forged`](Self::Forged) with a success, or Heroku would try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Its app is to be read again.
    Taken,
    /// It was taken before.
    Again,
    /// It is too old, or of a time to come.
    Stale,
    /// It says nothing that could be read.
    Unreadable,
    /// It leads to no webhook of ours, or is not signed with its secret.
    Forged,
}

#[derive(Deserialize)]
struct Body {
    id: String,
    #[serde(default)]
    resource: Option<String>,
    #[serde(default)]
    created_at: Option<String>,
    #[serde(default)]
    published_at: Option<String>,
    #[serde(default)]
    webhook_metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    webhook: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(default)]
    id: Option<String>,
}

/// Takes a delivery. What it calls for is durable when this returns; [`read_again`](super::read_again) reads it.
///
/// # Errors
///
/// [`EngineError::Sealed`] where the secret cannot be opened, and what the database said.
pub async fn receive(
    store: &Store,
    vault: &Vault<'_>,
    delivery: &Delivery<'_>,
    clock: &dyn Clock,
) -> Result<Received, EngineError> {
    let Some(webhook) = store.webhook(delivery.hook).await? else { return Ok(Received::Forged) };
    if webhook.state == WebhookState::Leaving || delivery.body.len() > MOST_BYTES {
        return Ok(Received::Forged);
    }
    let secret = vault.open(&webhook)?;
    if !delivery.signature.is_some_and(|signature| is_signed(&secret, delivery.body, signature)) {
        return Ok(Received::Forged);
    }
    let Ok(body) = serde_json::from_slice::<Body>(delivery.body) else { return Ok(Received::Unreadable) };
    let told = body.webhook_metadata.and_then(|metadata| metadata.webhook).and_then(|webhook| webhook.id);
    if told.is_some() && webhook.heroku_id.is_some() && told != webhook.heroku_id {
        return Ok(Received::Forged);
    }
    let at = body.published_at.or(body.created_at);
    let Some(at) = at.as_deref().and_then(Moment::parse) else { return Ok(Received::Unreadable) };
    let now = clock.now();
    if at.0 < now.0.saturating_sub(WINDOW) || at.0 > now.0.saturating_add(AHEAD) {
        return Ok(Received::Stale);
    }
    let targets = targets(store, &webhook.app, body.resource.as_deref()).await?;
    let one = |target| WantedRead { target, wanted_at: now, because: format!("webhook {}", webhook.id) };
    let wanted = targets.iter().map(target::text).map(one).collect();
    let taken = store.take_delivery(&webhook.id, &body.id, now, wanted).await?;
    Ok(if taken { Received::Taken } else { Received::Again })
}

/// What is to be read again: the app for which the webhook was asked, whatever the body names.
async fn targets(store: &Store, app: &HerokuId, resource: Option<&str>) -> Result<Vec<Target>, EngineError> {
    let mut targets = vec![Target::App(app.clone())];
    // Whoever is on an app of a team is listed among the team's people.
    if resource == Some("collaborator")
        && let Some(mut snapshot) = store.snapshot(None).await?
    {
        let found = snapshot.objects::<App>(&Select::Id(app.clone())).await?;
        targets.extend(found.into_iter().filter_map(|app| app.record.team).map(Target::Team));
    }
    Ok(targets)
}
