//! Webhooks of apps: who is subscribed, and what they are to be told of a change.
//!
//! Not how it is told: `post`.
//!
//! Invariant: what is told is found by comparing the estate before with the estate after, not by the code that changes it.

use serde_json::{Map, Value, json};

use super::write::{Body, known, text};
use super::write_apps::steered;
use super::{App, World};
use crate::page::Answer;
use crate::refusal::Refusal;
use crate::value::{Id, Stamp};
use crate::wire;

/// What can be subscribed to.
const INCLUDES: [&str; 10] = [
    "api:addon-attachment",
    "api:addon",
    "api:app",
    "api:build",
    "api:collaborator",
    "api:domain",
    "api:dyno",
    "api:formation",
    "api:release",
    "api:sni-endpoint",
];

/// A subscription.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) id: Id,
    pub(crate) app: Id,
    pub(crate) include: Vec<String>,
    pub(crate) level: String,
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) authorization: Option<String>,
    pub(crate) created: Stamp,
}

/// Something to be told to a subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) authorization: Option<String>,
    /// It is tried again until it is taken.
    pub(crate) sync: bool,
    pub(crate) body: Value,
}

/// One thing that happened to an app.
struct Happened {
    resource: &'static str,
    action: &'static str,
    data: Value,
    previous: Value,
}

impl World {
    pub(super) fn webhooks_of(&self, app: &str) -> Result<Answer, Refusal> {
        let app = steered(self, app)?;
        let rows = self.webhooks.values().filter(|row| row.app == app.id);
        Answer::whole(&rows.map(|row| webhook_row(app, row)).collect::<Vec<_>>())
    }

    pub(super) fn webhook_of(&self, app: &str, webhook: &str) -> Result<Answer, Refusal> {
        let app = steered(self, app)?;
        let found = Id::parse(webhook).and_then(|id| self.webhooks.get(&id)).filter(|row| row.app == app.id);
        Answer::row(&webhook_row(app, found.ok_or(Refusal::not_found("webhook"))?))
    }

    pub(super) fn add_webhook(&mut self, app: &str, body: &Body) -> Result<Answer, Refusal> {
        let app = steered(self, app)?.clone();
        known(body, &["authorization", "include", "level", "secret", "url"])?;
        let level = text(body, "level")?.to_owned();
        if !matches!(level.as_str(), "notify" | "sync") {
            return Err(Refusal::invalid("Invalid level."));
        }
        let listed = body.get("include").and_then(Value::as_array);
        let listed = listed.ok_or_else(|| Refusal::invalid("Require array: include."))?;
        let include: Option<Vec<String>> = listed
            .iter()
            .map(|word| word.as_str().filter(|word| INCLUDES.contains(word)).map(ToOwned::to_owned))
            .collect();
        let include =
            include.filter(|list| !list.is_empty()).ok_or_else(|| Refusal::invalid("Invalid include."))?;
        let optional = |name: &str| body.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        let (id, made_up, now) = (self.chance.id(), self.chance.id(), self.tick());
        let webhook = Webhook {
            id,
            app: app.id,
            include,
            level,
            url: text(body, "url")?.to_owned(),
            secret: optional("secret").unwrap_or_else(|| made_up.to_string()),
            authorization: optional("authorization"),
            created: now,
        };
        let answer = Answer::one(201, &webhook_row(&app, &webhook), Some(now));
        self.webhooks.insert(id, webhook);
        answer
    }

    pub(super) fn remove_webhook(&mut self, app: &str, webhook: &str) -> Result<Answer, Refusal> {
        let app = steered(self, app)?.clone();
        let found =
            Id::parse(webhook).filter(|id| self.webhooks.get(id).is_some_and(|row| row.app == app.id));
        let removed = found.and_then(|id| self.webhooks.remove(&id)).ok_or(Refusal::not_found("webhook"))?;
        Answer::one(200, &webhook_row(&app, &removed), None)
    }

    /// What subscribers are to be told of what is different since `before`.
    pub(super) fn outgoing_since(&mut self, before: &Self) -> Vec<Outgoing> {
        let webhooks: Vec<Webhook> = self.webhooks.values().cloned().collect();
        let mut outgoing = Vec::new();
        for webhook in webhooks {
            for happened in self.happened_to(before, webhook.app) {
                let include = format!("api:{}", happened.resource);
                if webhook.include.contains(&include) {
                    outgoing.push(self.outgoing(&webhook, &include, happened));
                }
            }
        }
        // Heroku takes a webhook away with its app.
        let apps = &self.apps;
        self.webhooks.retain(|_, row| apps.contains_key(&row.app));
        outgoing
    }

    fn happened_to(&self, before: &Self, app: Id) -> Vec<Happened> {
        let mut happened = Vec::new();
        let Some(was) = before.apps.get(&app) else { return happened };
        let row =
            |world: &Self, app: &App| serde_json::to_value(world.app_row(app, false)).unwrap_or_default();
        let Some(is) = self.apps.get(&app) else {
            let (data, previous) = (row(before, was), json!({}));
            return vec![Happened { resource: "app", action: "destroy", data, previous }];
        };
        let (data, old) = (row(self, is), row(before, was));
        if was.name != is.name || was.locked != is.locked || was.owner != is.owner {
            let previous = differing(&old, &data);
            happened.push(Happened { resource: "app", action: "update", data, previous });
        }
        let person = |world: &Self, app: &App, id: &Id| {
            let row = app.collaborators.get(id).map(|row| world.collaborator_row(app, row));
            serde_json::to_value(row).unwrap_or_default()
        };
        let ids = was
            .collaborators
            .keys()
            .chain(is.collaborators.keys().filter(|id| !was.collaborators.contains_key(id)));
        for id in ids {
            let (old, new) = (person(before, was, id), person(self, is, id));
            let (action, data, previous) = match (old.is_null(), new.is_null()) {
                (true, _) => ("create", new, json!({})),
                (_, true) => ("destroy", old, json!({})),
                _ if old == new => continue,
                _ => ("update", new.clone(), differing(&old, &new)),
            };
            happened.push(Happened { resource: "collaborator", action, data, previous });
        }
        happened
    }

    fn outgoing(&mut self, webhook: &Webhook, include: &str, happened: Happened) -> Outgoing {
        let now = if self.live_clock { Stamp::now() } else { self.clock };
        let own = self.people.get(&self.caller).map(|own| (own.id, own.email.clone()));
        let by = self.actor.as_ref().map(|actor| (actor.id, actor.email.clone())).or(own);
        let event = self.chance.id();
        let Happened { resource, action, data, previous } = happened;
        let body = json!({
            "id": event,
            "action": action,
            "actor": by.map(|(id, email)| json!({ "id": id, "email": email })),
            "created_at": now,
            "updated_at": now,
            "published_at": now,
            "data": data,
            "previous_data": previous,
            "resource": resource,
            "sequence": Value::Null,
            "version": "application/vnd.heroku+json; version=3",
            "webhook_metadata": {
                "attempt": { "id": self.chance.id() },
                "delivery": { "id": self.chance.id() },
                "event": { "id": event, "include": include },
                "webhook": { "id": webhook.id },
            },
        });
        Outgoing {
            url: webhook.url.clone(),
            secret: webhook.secret.clone(),
            authorization: webhook.authorization.clone(),
            sync: webhook.level == "sync",
            body,
        }
    }
}

fn webhook_row<'a>(app: &'a App, row: &'a Webhook) -> wire::Webhook<'a> {
    wire::Webhook {
        app: wire::Named { id: app.id, name: app.name.as_str().into() },
        created_at: row.created,
        id: row.id,
        include: &row.include,
        level: &row.level,
        updated_at: row.created,
        url: &row.url,
    }
}

/// The old values of what differs.
fn differing(old: &Value, new: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return json!({}) };
    let changed: Map<String, Value> = old
        .iter()
        .filter(|(name, value)| new.get(*name) != Some(*value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Value::Object(changed)
}
