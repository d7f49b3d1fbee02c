//! What the change log says of the objects that differ between a version and the newest.
//!
//! Invariant: an object that is not in it is now what it was then.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value as Json};

use crate::StoreError;
use crate::connection::Connection;
use crate::history::{ChangeKind, read_document};

/// How one object was.
#[derive(Debug, Default)]
pub(super) struct Then {
    /// The properties that differ, as they were.
    pub(super) before: Map<String, Json>,
    /// Whether it was there, if that differs or differed in between.
    pub(super) present: Option<bool>,
    /// How many editions it has had since.
    pub(super) editions: i64,
    /// The last version up to then that came, came back or changed with it; 0 for none.
    pub(super) begun: i64,
    /// The last version up to then that it went with; 0 for none.
    pub(super) went: i64,
}

/// The objects that something happened to later.
#[derive(Debug, Default)]
pub(super) struct Past {
    pub(super) objects: FxHashMap<i64, Then>,
}

impl Past {
    pub(super) async fn load(connection: &mut Connection, version: i64) -> Result<Self, StoreError> {
        let mut past = Self::default();
        let doing = "folding objects back";
        let sql = "SELECT object_id, change, before
                     FROM object_change
                    WHERE version > $1
                    ORDER BY version DESC";
        connection
            .each(doing, sql, &[version.into()], |row| {
                let then = past.objects.entry(row.number(0)?).or_default();
                // An earlier change has the last word.
                then.before.extend(read_document(row.text(2)?)?);
                match ChangeKind::from_number(row.number(1)?) {
                    ChangeKind::Added => then.present = Some(false),
                    ChangeKind::Removed => {
                        then.present = Some(true);
                        return Ok(());
                    }
                    ChangeKind::Changed => {}
                }
                then.editions += 1;
                Ok(())
            })
            .await?;
        if past.objects.is_empty() {
            return Ok(past);
        }
        let sql = "SELECT object_id, change, version
                     FROM object_change
                    WHERE version <= $1
                    ORDER BY version";
        connection
            .each(doing, sql, &[version.into()], |row| {
                if let Some(then) = past.objects.get_mut(&row.number(0)?) {
                    match ChangeKind::from_number(row.number(1)?) {
                        ChangeKind::Removed => then.went = row.number(2)?,
                        ChangeKind::Added | ChangeKind::Changed => then.begun = row.number(2)?,
                    }
                }
                Ok(())
            })
            .await?;
        Ok(past)
    }
}

/// What an object's row says of its past.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) since: i64,
    pub(super) gone: Option<i64>,
    pub(super) begun: i64,
    pub(super) edition: i64,
}

impl Then {
    /// The same as of then.
    pub(super) fn standing(&self, now: Standing) -> Standing {
        let Standing { since, gone, begun, edition } = now;
        let gone = match self.present {
            None => gone,
            Some(true) => None,
            Some(false) => Some(self.went),
        };
        // What it came with is no edition of its own.
        let begun = match self.editions {
            0 => begun,
            _ if self.begun > since => self.begun,
            _ => 0,
        };
        Standing { since, gone, begun, edition: edition - self.editions }
    }
}
