//! Rows with nothing but what says who reaches what, most of the newest version alone: for questions about very many objects at once.
//!
//! Invariant: what stands here of an object is what its record says; references are dense ids, whether what they name is there or not.

use std::collections::HashMap;

use metsuke_model::record::User;
use metsuke_model::{HerokuId, Kind, Record};

use crate::objects::{Select, Stored, parent_column};
use crate::{Snapshot, StoreError};

/// An app as derived access needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlimApp {
    /// Its dense id.
    pub dense: i64,
    /// Heroku's id.
    pub id: HerokuId,
    /// Its name.
    pub name: Option<Box<str>>,
    /// The team that owns it, by dense id.
    pub team: Option<i64>,
    /// The person who owns it, by dense id.
    pub owner: Option<i64>,
    /// Whether it is locked; none where nothing says so.
    pub locked: Option<bool>,
}

/// An add-on as its credentials are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlimAddOn {
    /// Its dense id.
    pub dense: i64,
    /// Heroku's id.
    pub id: HerokuId,
    /// Its name.
    pub name: Option<Box<str>>,
    /// Its service.
    pub service: Option<Box<str>>,
    /// The app that it was made for, by dense id.
    pub app: Option<i64>,
}

/// An attachment of an add-on to an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlimAttachment {
    /// The add-on, by dense id.
    pub addon: Option<i64>,
    /// The app, by dense id.
    pub app: Option<i64>,
    /// The name under which it is attached.
    pub name: Option<Box<str>>,
}

/// A person as a row of access names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlimPerson {
    /// Their dense id.
    pub dense: i64,
    /// Heroku's id.
    pub id: HerokuId,
    /// The address.
    pub email: Option<Box<str>>,
    /// The full name.
    pub name: Option<Box<str>>,
}

impl From<Stored<User>> for SlimPerson {
    fn from(stored: Stored<User>) -> Self {
        let User { id, email, name, .. } = stored.record;
        Self { dense: stored.dense, id, email, name }
    }
}

impl Snapshot {
    /// These people, or all, by dense ids, in no order; of any version.
    ///
    /// # Errors
    ///
    /// What the database said; so for each list here.
    pub async fn slim_people(&mut self, of: Option<&[i64]>) -> Result<Vec<SlimPerson>, StoreError> {
        if !self.is_newest() {
            let select = of.map_or(Select::All, |ids| Select::Dense(ids.to_vec()));
            return Ok(self.objects::<User>(&select).await?.into_iter().map(SlimPerson::from).collect());
        }
        let mut rows = Vec::new();
        let take = |row: crate::connection::Row<'_>| {
            rows.push(SlimPerson {
                dense: row.number(0)?,
                id: HerokuId::from_bytes(&row.bytes(1)?.unwrap_or_default()),
                email: row.text(2)?.map(Into::into),
                name: row.text(3)?.map(Into::into),
            });
            Ok(())
        };
        let (doing, all) = ("reading people", "SELECT id, uuid, email, name FROM person WHERE gone IS NULL");
        let connection = self.connection_mut();
        match of {
            None => connection.each(doing, all, &[], take).await?,
            Some(ids) => {
                connection.each_in(doing, (&format!("{all} AND id IN ("), ")"), ids, take).await?;
            }
        }
        Ok(rows)
    }

    /// Every app of the newest version, in no order; none where this is an earlier one.
    ///
    /// # Errors
    ///
    /// As [`slim_people`](Self::slim_people).
    pub async fn slim_apps(&mut self) -> Result<Option<Vec<SlimApp>>, StoreError> {
        if !self.is_newest() {
            return Ok(None);
        }
        let mut rows = Vec::new();
        let sql = "SELECT id, uuid, name, team, owner, locked FROM app WHERE gone IS NULL";
        let take = |row: crate::connection::Row<'_>| {
            rows.push(SlimApp {
                dense: row.number(0)?,
                id: HerokuId::from_bytes(&row.bytes(1)?.unwrap_or_default()),
                name: row.text(2)?.map(Into::into),
                team: row.int(3)?,
                owner: row.int(4)?,
                locked: row.int(5)?.map(|locked| locked != 0),
            });
            Ok(())
        };
        self.connection_mut().each("reading apps", sql, &[], take).await?;
        Ok(Some(rows))
    }

    /// Every add-on of the newest version, in no order; none where this is an earlier one.
    ///
    /// # Errors
    ///
    /// As [`slim_people`](Self::slim_people).
    pub async fn slim_addons(&mut self) -> Result<Option<Vec<SlimAddOn>>, StoreError> {
        if !self.is_newest() {
            return Ok(None);
        }
        let mut rows = Vec::new();
        let sql = "SELECT id, uuid, name, addon_service, app FROM addon WHERE gone IS NULL";
        let take = |row: crate::connection::Row<'_>| {
            rows.push(SlimAddOn {
                dense: row.number(0)?,
                id: HerokuId::from_bytes(&row.bytes(1)?.unwrap_or_default()),
                name: row.text(2)?.map(Into::into),
                service: row.text(3)?.map(Into::into),
                app: row.int(4)?,
            });
            Ok(())
        };
        self.connection_mut().each("reading add-ons", sql, &[], take).await?;
        Ok(Some(rows))
    }

    /// Every attachment of the newest version, in no order; none where this is an earlier one.
    ///
    /// # Errors
    ///
    /// As [`slim_people`](Self::slim_people).
    pub async fn slim_attachments(&mut self) -> Result<Option<Vec<SlimAttachment>>, StoreError> {
        if !self.is_newest() {
            return Ok(None);
        }
        let mut rows = Vec::new();
        let sql = "SELECT addon, app, name FROM attachment WHERE gone IS NULL";
        let take = |row: crate::connection::Row<'_>| {
            rows.push(SlimAttachment {
                addon: row.int(0)?,
                app: row.int(1)?,
                name: row.text(2)?.map(Into::into),
            });
            Ok(())
        };
        self.connection_mut().each("reading attachments", sql, &[], take).await?;
        Ok(Some(rows))
    }

    /// How many objects of a kind belong to each of these, or to each of all, by dense ids; none where this is an earlier version.
    ///
    /// # Errors
    ///
    /// As [`slim_people`](Self::slim_people).
    pub async fn tally<T: Record>(
        &mut self,
        of: Option<&[i64]>,
    ) -> Result<Option<HashMap<i64, u64>>, StoreError> {
        if !self.is_newest() {
            return Ok(None);
        }
        let (table, parent) = (T::KIND.table(), parent_column(T::KIND));
        let rows = format!("FROM {table} WHERE gone IS NULL AND {parent}");
        let mut counts = HashMap::new();
        let take = |row: crate::connection::Row<'_>| {
            counts.insert(row.number(0)?, row.count(1)?);
            Ok(())
        };
        let doing = "counting objects";
        let connection = self.connection_mut();
        match of {
            None => {
                // The sign keeps SQLite from walking the table in the order of an index.
                let sql = format!(
                    "SELECT parent, COUNT(*) FROM (SELECT +{parent} AS parent {rows} IS NOT NULL) AS each GROUP BY parent"
                );
                connection.each_of(doing, &sql, take).await?;
            }
            Some(ids) => {
                let head = format!("SELECT {parent}, COUNT(*) {rows} IN (");
                let tail = format!(") GROUP BY {parent}");
                connection.each_in(doing, (&head, &tail), ids, take).await?;
            }
        }
        Ok(Some(counts))
    }

    /// How many people directly hold something on each of these, by dense ids; none where this is an earlier version.
    ///
    /// # Errors
    ///
    /// As [`slim_people`](Self::slim_people).
    pub async fn holders(&mut self, of: &[i64]) -> Result<Option<HashMap<i64, u64>>, StoreError> {
        if !self.is_newest() {
            return Ok(None);
        }
        let mut counts = HashMap::new();
        let select =
            ("SELECT resource_id, COUNT(*) FROM access WHERE resource_id IN (", ") GROUP BY resource_id");
        let take = |row: crate::connection::Row<'_>| {
            counts.insert(row.number(0)?, row.count(1)?);
            Ok(())
        };
        self.connection_mut().each_in("counting holders", select, of, take).await?;
        Ok(Some(counts))
    }

    /// About how many apps these teams have, by dense ids: those that are gone count as well.
    ///
    /// # Errors
    ///
    /// As [`slim_people`](Self::slim_people).
    pub async fn about_apps_of(&mut self, teams: &[i64]) -> Result<u64, StoreError> {
        let teams: Vec<i64> =
            teams.iter().copied().filter(|id| crate::kind_of(*id) == Some(Kind::Team)).collect();
        let mut count = 0;
        let select = ("SELECT COUNT(*) FROM app WHERE team IN (", ")");
        let take = |row: crate::connection::Row<'_>| {
            count += row.count(0)?;
            Ok(())
        };
        self.connection_mut().each_in("counting apps", select, &teams, take).await?;
        Ok(count)
    }
}
