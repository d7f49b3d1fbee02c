//! Lists events of the audit trail, newest first.
//!
//! Whether they are genuine is [`verify`](super::verify)'s to say; a list shows what stands there.
//!
//! Invariant: an event that cannot be read is listed as such, whatever was asked for.

use metsuke_model::Moment;
use metsuke_model::audit::{AuditRow, Event, EventOutcome};
use metsuke_store::{Store, StoreError};

/// How many rows are read at once.
const PAGE: u32 = 500;

/// Which events are wanted.
#[derive(Clone, Debug, Default)]
pub struct EventSelect {
    /// Those with this code, or with codes of this group: `plan.approved`, or `plan` for all of its kind.
    pub code: Option<String>,
    /// Those by an actor with this text in the name or the kind, whatever its case.
    pub actor: Option<String>,
    /// Those done to something with this text in its id or its kind, whatever its case.
    pub subject: Option<String>,
    /// Those of which this came.
    pub outcome: Option<EventOutcome>,
    /// Those of this moment and later.
    pub since: Option<Moment>,
    /// Those of this moment and earlier.
    pub until: Option<Moment>,
    /// Those with lower numbers than this.
    pub before: Option<u64>,
    /// At most so many.
    pub limit: Option<u64>,
}

/// One event of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The number of its row.
    pub sequence: u64,
    /// The event, or the text that cannot be read as one.
    pub event: Result<Event, String>,
}

impl EventSelect {
    fn wants(&self, event: &Event) -> bool {
        let code = event.code.as_str();
        let of = |group: &String| {
            code.strip_prefix(group.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let holds = |text: &str, asked: &String| text.to_lowercase().contains(&asked.to_lowercase());
        let by = |asked: &String| {
            holds(&event.actor.name, asked) || event.actor.kind.as_str() == asked.to_lowercase()
        };
        let about =
            |asked: &String| event.subject.iter().any(|(kind, id)| holds(id, asked) || **kind == **asked);
        self.code.as_ref().is_none_or(of)
            && self.actor.as_ref().is_none_or(by)
            && self.subject.as_ref().is_none_or(about)
            && self.outcome.is_none_or(|asked| event.code.outcome() == Some(asked))
            && self.since.is_none_or(|since| event.at >= since)
            && self.until.is_none_or(|until| event.at <= until)
    }
}

/// Hands over the events that are wanted, newest first.
///
/// # Errors
///
/// What `each` returned, which ends the listing, or what the database said.
pub async fn events<E: From<StoreError>>(
    store: &Store,
    select: &EventSelect,
    mut each: impl FnMut(Listed) -> Result<(), E>,
) -> Result<(), E> {
    let mut left = select.limit.unwrap_or(u64::MAX);
    let mut before = select.before;
    while left > 0 {
        let page = store.audit_rows_before(before, PAGE).await?;
        let Some(last) = page.last() else { break };
        before = Some(last.sequence);
        for AuditRow { sequence, text, .. } in page {
            let event = Event::decode(&text).map_err(|_| text);
            if event.as_ref().is_ok_and(|event| !select.wants(event)) {
                continue;
            }
            each(Listed { sequence, event })?;
            left -= 1;
            if left == 0 {
                break;
            }
        }
    }
    Ok(())
}
