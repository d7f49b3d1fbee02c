//! Webhooks of apps that lead here, and which of their deliveries were taken.
//!
//! Their secrets are sealed by the engine: no key to them is here.
//!
//! Invariant: a webhook stands here, with the event of it, before Heroku is asked for it, and until after Heroku was
//! asked to take it away.

use metsuke_model::audit::NewEvent;
use metsuke_model::{HerokuId, Moment};

use super::trail::want;
use crate::connection::{Bind, Connection, Row};
use crate::{Store, StoreError, WantedRead, audit};

const DOING: &str = "keeping webhooks";

/// How far a webhook has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookState {
    /// Written down; whether Heroku has it is not known.
    Asked,
    /// Heroku has it.
    Active,
    /// To be taken away; whether Heroku still has it is not known.
    Leaving,
}

impl WebhookState {
    /// The state's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Active => "active",
            Self::Leaving => "leaving",
        }
    }

    fn from_word(word: &str) -> Self {
        match word {
            "active" => Self::Active,
            "leaving" => Self::Leaving,
            _ => Self::Asked,
        }
    }
}

/// A webhook of an app that leads here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Our name for it, which is part of its address.
    pub id: String,
    /// The app.
    pub app: HerokuId,
    /// The app's name when it was asked for.
    pub app_name: String,
    /// Where it leads.
    pub url: String,
    /// Heroku's id of it, once it is known.
    pub heroku_id: Option<String>,
    /// The secret that its deliveries are signed with, sealed.
    pub secret: Vec<u8>,
    /// How far it has come.
    pub state: WebhookState,
    /// When it was asked for.
    pub created_at: Moment,
    /// When the last delivery was taken.
    pub heard_at: Option<Moment>,
}

macro_rules! webhooks {
    ($tail:literal) => {
        concat!(
            "SELECT id, app, app_name, url, heroku_id, secret, state, created_at, heard_at FROM webhook ",
            $tail
        )
    };
}

impl Store {
    /// Writes a webhook down that is about to be asked for, with the event that tells of it.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is written then.
    pub async fn add_webhook(&self, webhook: &Webhook, event: NewEvent) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let row = [
            Bind::from(&*webhook.id),
            Bind::from(&*webhook.app.to_string()),
            Bind::from(&*webhook.app_name),
            Bind::from(&*webhook.url),
            Bind::Text(webhook.heroku_id.clone()),
            Bind::Bytes(webhook.secret.clone()),
            webhook.state.as_str().into(),
            webhook.created_at.0.into(),
        ];
        let head = "INSERT INTO webhook (id, app, app_name, url, heroku_id, secret, state, created_at) ";
        connection.insert(DOING, (head, ""), [row]).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await
    }

    /// Says how far a webhook has come, with the event that tells of it, if one does.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn mark_webhook(
        &self,
        id: &str,
        state: WebhookState,
        heroku_id: Option<&str>,
        event: Option<NewEvent>,
    ) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "UPDATE webhook SET state = $1, heroku_id = COALESCE($2, heroku_id) WHERE id = $3";
        let heroku_id = Bind::Text(heroku_id.map(ToOwned::to_owned));
        connection.execute(DOING, sql, &[state.as_str().into(), heroku_id, id.into()]).await?;
        if let Some(event) = event {
            audit::append(&mut connection, event).await?;
        }
        connection.commit().await
    }

    /// Forgets a webhook that Heroku does not have any more, with the event that tells of it.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn drop_webhook(&self, id: &str, event: NewEvent) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        connection.execute(DOING, "DELETE FROM webhook WHERE id = $1", &[id.into()]).await?;
        connection.execute(DOING, "DELETE FROM webhook_delivery WHERE webhook = $1", &[id.into()]).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await
    }

    /// Every webhook, by the app's name.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        read(&mut connection, webhooks!("ORDER BY app_name, id"), &[]).await
    }

    /// The webhook of this name of ours.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn webhook(&self, id: &str) -> Result<Option<Webhook>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        Ok(read(&mut connection, webhooks!("WHERE id = $1"), &[id.into()]).await?.pop())
    }

    /// Takes a delivery: what it calls for is asked for in the same transaction. `false` where it was taken before.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is taken then.
    pub async fn take_delivery(
        &self,
        webhook: &str,
        event: &str,
        now: Moment,
        wanted: Vec<WantedRead>,
    ) -> Result<bool, StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "INSERT INTO webhook_delivery (webhook, event, taken_at)
                   VALUES ($1, $2, $3)
                   ON CONFLICT (webhook, event) DO NOTHING";
        if connection.execute(DOING, sql, &[webhook.into(), event.into(), now.0.into()]).await? == 0 {
            return Ok(false);
        }
        let sql = "UPDATE webhook SET heard_at = $1 WHERE id = $2";
        connection.execute(DOING, sql, &[now.0.into(), webhook.into()]).await?;
        want(&mut connection, wanted).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// Forgets deliveries that were taken before this moment; by then they are too old to be taken again.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn forget_deliveries(&self, before: Moment) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let sql = "DELETE FROM webhook_delivery WHERE taken_at < $1";
        connection.execute(DOING, sql, &[before.0.into()]).await?;
        connection.commit().await
    }
}

async fn read(
    connection: &mut Connection,
    sql: &'static str,
    binds: &[Bind],
) -> Result<Vec<Webhook>, StoreError> {
    let mut found = Vec::new();
    connection
        .each(DOING, sql, binds, |row| {
            found.push(webhook(row)?);
            Ok(())
        })
        .await?;
    Ok(found)
}

fn webhook(row: Row<'_>) -> Result<Webhook, StoreError> {
    Ok(Webhook {
        id: row.text(0)?.unwrap_or_default(),
        app: HerokuId::new(&row.text(1)?.unwrap_or_default()),
        app_name: row.text(2)?.unwrap_or_default(),
        url: row.text(3)?.unwrap_or_default(),
        heroku_id: row.text(4)?,
        secret: row.bytes(5)?.unwrap_or_default(),
        state: WebhookState::from_word(&row.text(6)?.unwrap_or_default()),
        created_at: Moment(row.number(7)?),
        heard_at: row.int(8)?.map(Moment),
    })
}
