//! Asks Heroku for webhooks of chosen apps, and takes them away.
//!
//! Invariant: what Heroku is asked for was written down before, with its event; what is in doubt afterwards is found out
//! from Heroku's own list, by an address that no other webhook has.

use metsuke_clients::ClientError;
use metsuke_clients::ErrorKind as ClientKind;
use metsuke_clients::heroku::{Heroku, NewWebhook, Provisioning};
use metsuke_model::audit::{EventCode, NewEvent};
use metsuke_model::{Clock, HerokuId};
use metsuke_store::{Store, Webhook, WebhookState};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::SecretString;
use url::{Host, Url};

use super::webhooks::{Hook, Vault};
use crate::EngineError;
use crate::access::{find_app, provision};

/// What a webhook tells of: whatever may change somebody's access to the app.
const INCLUDE: [&str; 2] = ["api:app", "api:collaborator"];

/// What adding and removing webhooks takes.
#[derive(Clone, Copy, Debug)]
pub struct Door<'d> {
    /// The estate.
    pub store: &'d Store,
    /// The way to Heroku.
    pub heroku: &'d Heroku,
    /// What seals secrets.
    pub vault: Vault<'d>,
    /// Whether anything may be written to Heroku at all.
    pub settings: &'d provision::Settings,
    /// Tells the time.
    pub clock: &'d dyn Clock,
}

/// Makes an app tell us of its changes; `base` is the address at which deliveries are taken. An app that does so already
/// is left alone.
///
/// # Errors
///
/// [`EngineError::NotFound`] for an app that the newest version does not hold, [`EngineError::Refused`] where writes are
/// off or the address will not do, [`EngineError::RefusedByHeroku`], [`EngineError::InDoubt`], and what the database said.
pub async fn add(door: &Door<'_>, app: &str, base: &Url) -> Result<Hook, EngineError> {
    door.may_write().await?;
    check(base)?;
    let (app, name) = {
        let mut snapshot = door.store.snapshot(None).await?.ok_or(EngineError::NoVersion)?;
        let found = find_app(&mut snapshot, app).await?.record;
        let name = found.name.as_deref().map_or_else(|| found.id.to_string(), ToOwned::to_owned);
        (found.id, name)
    };
    let way = door.provisioning()?;
    let known = door.store.webhooks().await?.into_iter().find(|known| {
        known.app == app && same_place(&known.url, base) && known.state != WebhookState::Leaving
    });
    // One that never came to be is forgotten, and a new one takes its place.
    if let Some(known) = known
        && let Some(known) = settled(door, &way, known).await?
    {
        return Ok(known.into());
    }
    let (id, secret) = (random::<16>()?, SecretString::from(random::<32>()?));
    let mut url = base.clone();
    url.query_pairs_mut().append_pair("hook", &id);
    let webhook = Webhook {
        secret: door.vault.seal(&id, &secret)?,
        url: url.to_string(),
        id,
        app,
        app_name: name,
        heroku_id: None,
        state: WebhookState::Asked,
        created_at: door.clock.now(),
        heard_at: None,
    };
    door.store.add_webhook(&webhook, door.event(EventCode::WebhookAsked, &webhook)).await?;
    let app = webhook.app.to_string();
    let new = NewWebhook { app: &app, url: &webhook.url, secret: &secret, include: &INCLUDE };
    match way.add_webhook(&new).await {
        Ok(row) => door.active(webhook, row.id).await.map(Hook::from),
        Err(error) if refused(&error) => {
            let event = door.event(EventCode::WebhookRefused, &webhook).detail("reason", error.to_string());
            door.store.drop_webhook(&webhook.id, event).await?;
            Err(by_heroku(&error))
        }
        Err(error) => match at_heroku(&way, &webhook).await {
            Ok(Some(heroku_id)) => door.active(webhook, heroku_id).await.map(Hook::from),
            _ => Err(EngineError::InDoubt { reason: error.to_string() }),
        },
    }
}

/// Takes a webhook away, found by our name for it, or by the name or id of its app; all of that app.
///
/// # Errors
///
/// [`EngineError::NotFound`] where there is none, [`EngineError::Refused`] where writes are off,
/// [`EngineError::RefusedByHeroku`], [`EngineError::InDoubt`], and what the database said. What is left can be removed again.
pub async fn remove(door: &Door<'_>, asked: &str) -> Result<Vec<Hook>, EngineError> {
    door.may_write().await?;
    let mut webhooks = door.store.webhooks().await?;
    let id = HerokuId::new(asked);
    webhooks.retain(|one| one.id == asked || one.app_name == asked || one.app == id);
    if webhooks.is_empty() {
        let version = door.store.snapshot(None).await?.map_or(0, |snapshot| snapshot.sync().version.0);
        return Err(EngineError::NotFound { what: "webhook", asked: asked.to_owned(), version });
    }
    let way = door.provisioning()?;
    let mut removed = Vec::new();
    for webhook in webhooks {
        let event = door.event(EventCode::WebhookLeaving, &webhook);
        door.store.mark_webhook(&webhook.id, WebhookState::Leaving, None, Some(event)).await?;
        let there = match &webhook.heroku_id {
            Some(heroku_id) => Some(heroku_id.clone()),
            None => at_heroku(&way, &webhook).await.map_err(|error| doubt(&error))?,
        };
        if let Some(heroku_id) = there {
            match way.remove_webhook(&webhook.app.to_string(), &heroku_id).await {
                Ok(()) => {}
                Err(error) if error.kind() == ClientKind::NotFound => {}
                Err(error) => return Err(doubt(&error)),
            }
        }
        let event = door.event(EventCode::WebhookRemoved, &webhook);
        door.store.drop_webhook(&webhook.id, event).await?;
        removed.push(webhook.into());
    }
    Ok(removed)
}

impl Door<'_> {
    async fn may_write(&self) -> Result<(), EngineError> {
        match provision::rules::writes_off(self.settings, self.store).await? {
            Some(refusal) => Err(EngineError::Refused { reason: refusal.reason, hint: refusal.hint }),
            None => Ok(()),
        }
    }

    fn provisioning(&self) -> Result<Provisioning, EngineError> {
        self.heroku.provisioning().map_err(|source| EngineError::Upstream { source })
    }

    fn event(&self, code: EventCode, webhook: &Webhook) -> NewEvent {
        self.store
            .event(self.clock.now(), code)
            .about("app", &webhook.app)
            .detail("webhook", webhook.id.as_str())
            .detail("app", webhook.app_name.as_str())
    }

    async fn active(&self, webhook: Webhook, heroku_id: String) -> Result<Webhook, EngineError> {
        let event = self.event(EventCode::WebhookAdded, &webhook);
        let state = WebhookState::Active;
        self.store.mark_webhook(&webhook.id, state, Some(&heroku_id), Some(event)).await?;
        Ok(Webhook { heroku_id: Some(heroku_id), state, ..webhook })
    }
}

/// A known webhook once it is known whether Heroku has it; none where it has not, and it is forgotten.
async fn settled(
    door: &Door<'_>,
    way: &Provisioning,
    webhook: Webhook,
) -> Result<Option<Webhook>, EngineError> {
    if webhook.state == WebhookState::Active {
        return Ok(Some(webhook));
    }
    if let Some(heroku_id) = at_heroku(way, &webhook).await.map_err(|error| doubt(&error))? {
        return door.active(webhook, heroku_id).await.map(Some);
    }
    let event = door.event(EventCode::WebhookRemoved, &webhook);
    door.store.drop_webhook(&webhook.id, event).await?;
    Ok(None)
}

/// Heroku's id of a webhook, found by its address.
async fn at_heroku(way: &Provisioning, webhook: &Webhook) -> Result<Option<String>, ClientError> {
    let rows = way.webhooks(&webhook.app.to_string()).await?;
    Ok(rows.into_iter().find(|row| row.url.as_deref() == Some(&*webhook.url)).map(|row| row.id))
}

/// Whether two addresses differ in nothing but the name of the webhook.
fn same_place(url: &str, base: &Url) -> bool {
    let Ok(mut url) = Url::parse(url) else { return false };
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "hook")
        .map(|(n, v)| (n.into_owned(), v.into_owned()))
        .collect();
    url.set_query(None);
    let mut base = base.clone();
    let wanted: Vec<(String, String)> =
        base.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    base.set_query(None);
    url == base && others == wanted
}

fn check(base: &Url) -> Result<(), EngineError> {
    let local = match base.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let plain = base.username().is_empty() && base.password().is_none() && base.fragment().is_none();
    if plain && (base.scheme() == "https" || (base.scheme() == "http" && local)) {
        return Ok(());
    }
    Err(EngineError::Refused {
        reason: "the address of a webhook is https, or http to this machine, without a user or a fragment"
            .into(),
        hint: Some("give the address at which Heroku reaches this server".into()),
    })
}

/// Whether Heroku said no, and has done nothing.
fn refused(error: &ClientError) -> bool {
    error
        .answer()
        .is_some_and(|answer| (400..500).contains(&answer.status) && !matches!(answer.status, 408 | 499))
}

fn by_heroku(error: &ClientError) -> EngineError {
    EngineError::RefusedByHeroku {
        status: error.answer().map(|answer| answer.status),
        reason: error.to_string(),
    }
}

fn doubt(error: &ClientError) -> EngineError {
    if refused(error) { by_heroku(error) } else { EngineError::InDoubt { reason: error.to_string() } }
}

/// So many random bytes in hexadecimal.
fn random<const BYTES: usize>() -> Result<String, EngineError> {
    let mut bytes = [0; BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| EngineError::NoChance)?;
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    Ok(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}
