//! Which events are meant, as the placeholders of one statement.
//!
//! Invariant: what is not asked for is an empty text or the whole range, so that one statement serves every question.

use metsuke_model::{HerokuId, Kind, Moment, Version};

use crate::connection::{Bind, Connection};
use crate::objects::name_column;
use crate::{ChangeKind, StoreError, dense};

/// Which events are meant; what is empty is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// `grant` or kinds of objects.
    pub kinds: Vec<String>,
    /// What happened.
    pub changes: Vec<ChangeKind>,
    /// Name or id of an object: what changed, what a grant is on, or to what somebody gained or lost something.
    pub resource: Option<String>,
    /// E-mail address or id of a person: whose grant it is, or who gained or lost something.
    pub principal: Option<String>,
    /// E-mail address, id or name of whoever did it.
    pub actor: Option<String>,
    /// Text that a name, an address or a value holds, whatever its case.
    pub text: Option<String>,
    /// Noticed at this moment or later.
    pub since: Option<Moment>,
    /// Noticed at this moment or earlier.
    pub until: Option<Moment>,
    /// Of a later version than this.
    pub after: Option<Version>,
    /// Of this version or an earlier one.
    pub up_to: Option<Version>,
}

/// The condition that the ten binds of [`EventFilter::binds`] belong to. The last version is no bound for an index: where the
/// list begins is, and that never lies behind it.
macro_rules! events_where {
    ($first:literal, $tail:literal) => {
        concat!(
            "SELECT version, place, turn, edition, at, since, kind, change, document, about, author
               FROM change_event
              WHERE version > $1 AND +version <= $2
                AND at >= $3 AND at <= $4
                AND ($5 = '' OR $5 LIKE '%,' || kind || ',%')
                AND ($6 = '' OR $6 LIKE '%,' || CAST(change AS TEXT) || ',%')
                AND ($7 = '' OR $7 LIKE '%,' || CAST(object_id AS TEXT) || ',%'
                     OR EXISTS (SELECT 1
                                  FROM change_effect
                                 WHERE change_effect.version = change_event.version
                                   AND change_effect.place = change_event.place
                                   AND $7 LIKE '%,' || CAST(change_effect.resource_id AS TEXT) || ',%'))
                AND ($8 = '' OR $8 LIKE '%,' || CAST(principal_id AS TEXT) || ',%'
                     OR $8 LIKE '%,' || CAST(object_id AS TEXT) || ',%'
                     OR EXISTS (SELECT 1
                                  FROM change_effect
                                 WHERE change_effect.version = change_event.version
                                   AND change_effect.place = change_event.place
                                   AND $8 LIKE '%,' || CAST(change_effect.principal_id AS TEXT) || ',%'))
                AND ($9 = '' OR actor LIKE $9 ESCAPE '!')
                AND ($10 = '' OR words LIKE $10 ESCAPE '!' OR actor LIKE $10 ESCAPE '!')
                AND ",
            $first,
            " ",
            $tail
        )
    };
}
pub(super) use events_where;

/// What a filter that names one object or one person is about, and nothing beside it but versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    /// Dense ids; nobody ever saw it where there is none.
    pub(super) ids: Vec<i64>,
    /// It is a person, whose grants count as well.
    pub(super) is_person: bool,
    /// Of a later version than this; up to which one is said by where the list begins.
    pub(super) after: i64,
}

impl EventFilter {
    /// The one object or person that is asked for; `None` where more is asked, or nothing of that sort.
    pub(super) async fn subject(&self, connection: &mut Connection) -> Result<Option<Subject>, StoreError> {
        let Self { kinds, changes, resource, principal, actor, text, since, until, after, up_to: _ } = self;
        let more = !kinds.is_empty()
            || !changes.is_empty()
            || actor.is_some()
            || text.is_some()
            || since.is_some()
            || until.is_some();
        let (asked, among, is_person) = match (resource, principal) {
            (Some(resource), None) if !more => (resource, &Kind::ALL[..], false),
            (None, Some(principal)) if !more => (principal, &[Kind::User][..], true),
            _ => return Ok(None),
        };
        let after = after.map_or(-1, |version| version.0);
        Ok(Some(Subject { ids: ids(connection, asked, among).await?, is_person, after }))
    }

    /// What to bind; `None` where it names a person or an object that nobody ever saw.
    pub(super) async fn binds(&self, connection: &mut Connection) -> Result<Option<Vec<Bind>>, StoreError> {
        let resource = match &self.resource {
            None => String::new(),
            Some(asked) => list(ids(connection, asked, &Kind::ALL).await?),
        };
        let principal = match &self.principal {
            None => String::new(),
            Some(asked) => list(ids(connection, asked, &[Kind::User]).await?),
        };
        if (self.resource.is_some() && resource.is_empty())
            || (self.principal.is_some() && principal.is_empty())
        {
            return Ok(None);
        }
        let holds = |text: &Option<String>, ends: &str| match text {
            Some(text) => format!("%{ends}{}{ends}%", escaped(text)),
            None => String::new(),
        };
        let changes = list(self.changes.iter().map(|change| change.number()));
        Ok(Some(vec![
            self.after.map_or(-1, |version| version.0).into(),
            self.up_to.map_or(i64::MAX, |version| version.0).into(),
            self.since.map_or(i64::MIN, |moment| moment.0).into(),
            self.until.map_or(i64::MAX, |moment| moment.0).into(),
            Bind::from(&*list(&self.kinds)),
            Bind::from(&*changes),
            Bind::from(&*resource),
            Bind::from(&*principal),
            Bind::from(&*holds(&self.actor, "\n")),
            Bind::from(&*holds(&self.text, "")),
        ]))
    }
}

/// `,a,b,`; an empty text for nothing.
fn list(words: impl IntoIterator<Item = impl ToString>) -> String {
    let mut text = String::new();
    for word in words {
        if text.is_empty() {
            text.push(',');
        }
        text.push_str(&word.to_string());
        text.push(',');
    }
    text
}

/// The text in small letters, as a pattern that means itself.
fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.to_lowercase().chars() {
        if matches!(letter, '!' | '%' | '_') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern
}

/// The dense ids of whatever has, or had, this id, or else this name: not every name stands in an index.
async fn ids(connection: &mut Connection, asked: &str, kinds: &[Kind]) -> Result<Vec<i64>, StoreError> {
    let mut found = Vec::new();
    let doing = "looking for what is meant";
    for kind in kinds {
        let by_id = format!("SELECT id FROM {} WHERE uuid = (", kind.table());
        connection
            .each_bytes(doing, (&by_id, ")"), &[HerokuId::new(asked).to_bytes()], |row| {
                found.push(row.number(0)?);
                Ok(())
            })
            .await?;
    }
    let by_name = if found.is_empty() { kinds } else { &[] };
    for kind in by_name {
        let (table, column) = (kind.table(), name_column(*kind));
        // SQLite's lower() knows ASCII only: other addresses are compared here.
        if column == "email" && !asked.is_ascii() {
            let wanted = asked.to_lowercase();
            let all = format!("SELECT id, email FROM {table} WHERE email IS NOT NULL");
            connection
                .each_of(doing, &all, |row| {
                    if row.text(1)?.is_some_and(|email| email.to_lowercase() == wanted) {
                        found.push(row.number(0)?);
                    }
                    Ok(())
                })
                .await?;
            continue;
        }
        let by_name = if column == "email" {
            format!("SELECT id FROM {table} WHERE lower(email) = lower(")
        } else {
            format!("SELECT id FROM {table} WHERE {column} = (")
        };
        connection
            .each_text(doing, (&by_name, ")"), asked, |row| {
                found.push(row.number(0)?);
                Ok(())
            })
            .await?;
    }
    found.retain(|id| dense::kind(*id).is_some());
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
