//! What the operator has switched, and who is protected.

use metsuke_model::audit::NewEvent;
use metsuke_model::record::User;
use metsuke_model::{HerokuId, Moment};

use crate::connection::Bind;
use crate::objects::{self, Select};
use crate::{Store, StoreError, audit, settings};

const KILL_SWITCH: &str = "kill_switch";
/// When it was turned last, and by whom.
const TURNED_AT: &str = "kill_switch_at";
const TURNED_BY: &str = "kill_switch_by";

/// The kill switch as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KillSwitch {
    /// Nothing is sent to Heroku.
    pub on: bool,
    /// When it was turned last; none where it never was.
    pub at: Option<Moment>,
    /// Who did it.
    pub by: Option<String>,
}

impl Store {
    /// Whether the kill switch is on: nothing is sent to Heroku then.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn kill_switch(&self) -> Result<bool, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let known = settings::text(&mut connection, "reading a setting", KILL_SWITCH).await?;
        Ok(known.as_deref() == Some("on"))
    }

    /// The kill switch, with who turned it last and when.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn kill_switch_turned(&self) -> Result<KillSwitch, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut switch = KillSwitch::default();
        let sql = "SELECT name, value FROM setting WHERE name IN ($1, $2, $3)";
        let binds = [KILL_SWITCH.into(), TURNED_AT.into(), TURNED_BY.into()];
        connection
            .each("reading a setting", sql, &binds, |row| {
                let value = row.text(1)?;
                match row.text(0)?.as_deref() {
                    Some(KILL_SWITCH) => switch.on = value.as_deref() == Some("on"),
                    Some(TURNED_AT) => switch.at = value.and_then(|at| at.parse().ok()).map(Moment),
                    _ => switch.by = value,
                }
                Ok(())
            })
            .await?;
        Ok(switch)
    }

    /// Turns the kill switch, with the event that tells of it.
    ///
    /// # Errors
    ///
    /// What the database said; the switch stands as it stood then.
    pub async fn set_kill_switch(&self, on: bool, event: NewEvent) -> Result<(), StoreError> {
        let mut connection = self.begin_write().await?;
        let rows = [
            [Bind::from(KILL_SWITCH), Bind::from(if on { "on" } else { "off" })],
            [Bind::from(TURNED_AT), Bind::from(&*event.at().0.to_string())],
            [Bind::from(TURNED_BY), Bind::from(&*event.actor().name)],
        ];
        let tail = " ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        connection.insert("changing a setting", ("INSERT INTO setting (name, value) ", tail), rows).await?;
        audit::append(&mut connection, event).await?;
        connection.commit().await
    }

    /// Who is protected: e-mail addresses in small letters, and ids.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn protected_principals(&self) -> Result<Vec<(String, Moment)>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut people = Vec::new();
        let sql = "SELECT person, added_at FROM protected_principal ORDER BY person";
        connection
            .each("reading protected principals", sql, &[], |row| {
                people.push((row.text(0)?.unwrap_or_default(), Moment(row.number(1)?)));
                Ok(())
            })
            .await?;
        Ok(people)
    }

    /// Protects somebody, or ends that, with the event that tells of it; `false` where that was so already.
    ///
    /// # Errors
    ///
    /// What the database said; nothing is changed then.
    pub async fn protect(
        &self,
        person: &str,
        protect: bool,
        now: Moment,
        event: NewEvent,
    ) -> Result<bool, StoreError> {
        let person = person.to_lowercase();
        let mut connection = self.begin_write().await?;
        let changed = if protect {
            let sql = "INSERT INTO protected_principal (person, added_at) VALUES ($1, $2)
                       ON CONFLICT (person) DO NOTHING";
            connection.execute("protecting somebody", sql, &[Bind::from(&*person), now.0.into()]).await?
        } else {
            let sql = "DELETE FROM protected_principal WHERE person = $1";
            connection.execute("ending a protection", sql, &[Bind::from(&*person)]).await?
        };
        if changed == 0 {
            return Ok(false);
        }
        audit::append(&mut connection, event).await?;
        connection.commit().await?;
        Ok(true)
    }

    /// The users with these ids as they were last seen, those that are gone included.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn ever_seen(&self, ids: &[HerokuId]) -> Result<Vec<User>, StoreError> {
        let mut connection = self.pool.begin_read().await?;
        let mut users = Vec::new();
        for id in ids {
            let found = objects::find::<User>(&mut connection, &Select::Id(id.clone()), false).await?;
            users.extend(found.into_iter().map(|found| found.stored.record));
        }
        Ok(users)
    }
}
