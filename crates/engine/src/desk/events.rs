//! Events of the audit trails, newest first.

use metsuke_model::audit::{Actor, Event};
use metsuke_model::{Moment, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Estate, Listing, Timed};
use crate::EngineError;
use crate::audit::{EventSelect, Listed, events};

/// Events of the audit trail, newest first.
#[derive(Clone, Debug, Default)]
pub struct Events {
    /// Which of them.
    pub select: EventSelect,
}

/// One event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventLine {
    /// Its number in its trail.
    pub sequence: u64,
    /// When it was recorded.
    pub at: Option<Moment>,
    /// What happened; null for an event that cannot be read.
    pub code: Option<String>,
    /// What came of it: `done`, `refused`, `failed` or `open`; null for what this version does not know.
    pub outcome: Option<String>,
    /// Who did it.
    pub actor: Option<Actor>,
    /// What it was done to.
    pub subject: Map<String, Value>,
    /// Everything else.
    pub details: Map<String, Value>,
    /// The text of an event that cannot be read.
    pub text: Option<String>,
}

impl Listing for Events {
    type Row = EventLine;
    type Key = u64;

    async fn read(
        &self,
        estate: &Estate,
        after: Option<&u64>,
        count: usize,
    ) -> Result<(Option<Version>, Vec<EventLine>), EngineError> {
        let mut lines = Vec::new();
        let select = EventSelect { before: after.copied(), limit: Some(count as u64), ..self.select.clone() };
        events(&estate.store, &select, |listed| {
            lines.push(listed.into());
            Ok::<(), metsuke_store::StoreError>(())
        })
        .await?;
        Ok((None, lines))
    }

    fn key(&self, row: &EventLine) -> u64 {
        row.sequence
    }
}

impl Timed for Events {
    fn at(&self, row: &EventLine) -> Moment {
        // What cannot be read stands where its number puts it.
        row.at.unwrap_or(Moment(i64::MAX))
    }
}

impl From<Listed> for EventLine {
    fn from(listed: Listed) -> Self {
        let Listed { sequence, event } = listed;
        match event {
            Ok(Event { at, code, actor, subject, details, .. }) => Self {
                sequence,
                at: Some(at),
                outcome: code.outcome().map(|outcome| outcome.as_str().to_owned()),
                code: Some(code.as_str().to_owned()),
                actor: Some(actor),
                subject: subject.into_iter().map(|(name, id)| (name.into(), Value::from(&*id))).collect(),
                details,
                text: None,
            },
            Err(text) => Self {
                sequence,
                at: None,
                code: None,
                outcome: None,
                actor: None,
                subject: Map::new(),
                details: Map::new(),
                text: Some(text),
            },
        }
    }
}
