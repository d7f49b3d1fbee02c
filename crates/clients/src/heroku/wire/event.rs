//! Rows about what happened: the audit trail of enterprise accounts, and who is told by webhooks.
//!
//! What an event means for anybody's access is not told here, for Heroku does not document what is in `data`.
//!
//! Invariant: see [`wire`](super). What could hold a secret is not kept.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Named, User};
use crate::heroku::walk::Row;

/// Something that happened in an enterprise account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AuditTrailEvent {
    /// The id of the event.
    pub id: String,
    /// When it happened.
    pub created_at: Option<String>,
    /// What it happened to, such as `team_membership`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What happened, such as `create`.
    pub action: Option<String>,
    /// Who did it.
    pub actor: Option<User>,
    /// The app.
    pub app: Option<Named>,
    /// Whose the thing is.
    pub owner: Option<User>,
    /// The enterprise account.
    pub enterprise_account: Option<Named>,
    /// The team.
    pub team: Option<Named>,
    /// From where.
    pub request: Option<Origin>,
}

/// From where something was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Origin {
    /// The address of the network.
    pub ip_address: Option<String>,
}

/// A webhook of an app.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AppWebhook {
    /// The id of the webhook.
    pub id: String,
    /// Where it leads.
    pub url: Option<String>,
    /// `notify` or `sync`.
    pub level: Option<String>,
}

impl Row for AppWebhook {
    fn row_id(&self) -> &str {
        &self.id
    }
}

impl Row for AuditTrailEvent {
    fn row_id(&self) -> &str {
        &self.id
    }
}

/// A list that comes bare, or in an object under `data` with a cursor beside it.
#[derive(Debug)]
pub(in crate::heroku) struct Wrapped<T> {
    pub(in crate::heroku) rows: Vec<T>,
    pub(in crate::heroku) cursor: Option<String>,
}

impl<T> Wrapped<T> {
    /// A list that came bare.
    pub(in crate::heroku) fn plain(rows: Vec<T>) -> Self {
        Self { rows, cursor: None }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Wrapped<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WrappedVisitor(PhantomData))
    }
}

struct WrappedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for WrappedVisitor<T> {
    type Value = Wrapped<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list, or an object with `data`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = items.next_element()? {
            rows.push(row);
        }
        Ok(Wrapped::plain(rows))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let (mut rows, mut cursor) = (None, None);
        while let Some(field) = fields.next_key::<String>()? {
            match field.as_str() {
                "data" => rows = Some(fields.next_value::<Option<Vec<T>>>()?.unwrap_or_default()),
                "cursor" => {
                    let value = fields.next_value::<serde_json::Value>()?;
                    cursor = value.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
                }
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        let rows = rows.ok_or_else(|| serde::de::Error::missing_field("data"))?;
        Ok(Wrapped { rows, cursor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(body: &str) -> (Vec<String>, Option<String>) {
        let list: Wrapped<AuditTrailEvent> = serde_json::from_str(body).unwrap();
        (list.rows.into_iter().map(|row| row.id).collect(), list.cursor)
    }

    #[test]
    fn events_are_read_bare_or_wrapped_with_or_without_a_cursor() {
        assert_eq!(ids(r#"[{"id":"a","request":{"ip_address":"1.2.3.4"}}]"#), (vec!["a".into()], None));
        assert_eq!(ids(r#"{"data":[{"id":"a","team":null}],"cursor":null}"#), (vec!["a".into()], None));
        assert_eq!(ids(r#"{"cursor":"x","data":[{"id":"a"}]}"#), (vec!["a".into()], Some("x".into())));
        assert_eq!(ids(r#"{"data":null}"#), (vec![], None));
        assert!(serde_json::from_str::<Wrapped<AuditTrailEvent>>(r#"{"id":"oops"}"#).is_err());
    }
}
