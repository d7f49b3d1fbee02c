//! What was given up, jobs and alerts, wherever somebody who can do something about it looks: tried again, or struck.
//!
//! Invariant: who may not list jobs is shown none, and a form does what the API does, by the same handler.

use metsuke_engine::desk::{AlertLine, Alerts, JobLine, Jobs, Placed, merged};
use metsuke_engine::identity::Operation;
use metsuke_engine::jobs::JobStatus;
use metsuke_model::finding::DeliveryState;

use super::asked::segment;
use super::frame::Frame;
use super::settings::sent_to;
use super::words::{Name, When, count};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;
use crate::place::within;

/// As many as are shown.
const MOST: usize = 20;

/// Something that was given up.
#[derive(Clone, Debug)]
pub(super) struct GivenUp {
    pub(super) what: Name,
    /// Whose it is; empty where that is plain.
    pub(super) whose: Name,
    pub(super) why: Name,
    pub(super) tries: String,
    pub(super) when: When,
    /// Where the form goes that tries it again; empty where one may not.
    pub(super) retry: String,
    /// Where the form goes that strikes it; empty where one may not, or it cannot be.
    pub(super) strike: String,
}

/// All that is shown of what was given up.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    pub(super) list: Vec<GivenUp>,
    /// What is said of those that are not shown; empty where all are.
    pub(super) more: &'static str,
}

impl Given {
    fn of(mut list: Vec<GivenUp>, more: &'static str) -> Self {
        let more = if list.len() > MOST { more } else { "" };
        list.truncate(MOST);
        Self { list, more }
    }
}

/// Jobs that were given up, of one connector or of the whole installation.
pub(super) async fn jobs(call: &Call, frame: &Frame, connector: Option<&str>) -> Result<Given, ApiError> {
    if !frame.may(call, Operation::ListJobs) {
        return Ok(Given::default());
    }
    let queues = call.state.desk.queues(connector).await?;
    let name = |id: Option<&str>| {
        let of = queues.iter().find(|queue| queue.connector.as_deref() == id);
        of.filter(|_| connector.is_none() && id.is_some()).map(|queue| Name::new(&queue.name))
    };
    let dead = Jobs { state: Some(JobStatus::Dead), kind: None };
    let found = merged(&dead, queues.clone(), Vec::new(), MOST + 1).await?;
    let may = (frame.may(call, Operation::RetryJob), frame.may(call, Operation::DropJob));
    let one = |placed: &Placed<JobLine>| job(placed, name(placed.connector.as_deref()), may, frame);
    let more = "There are more of them: `metsuke jobs list --state dead` lists all.";
    Ok(Given::of(found.rows.iter().map(one).collect(), more))
}

fn job(
    placed: &Placed<JobLine>,
    name: Option<Name>,
    (may_retry, may_strike): (bool, bool),
    frame: &Frame,
) -> GivenUp {
    let job = &placed.row;
    let of = placed.connector.as_deref().map(|id| format!("?connector={}", segment(id))).unwrap_or_default();
    let place = |may: bool, does: &str| {
        if may { format!("/jobs/{}/{does}{of}", job.id) } else { String::new() }
    };
    let mut what = job.what.clone();
    if let Some(first) = what.get(..1).map(str::to_uppercase) {
        what.replace_range(..1, &first);
    }
    GivenUp {
        what: Name::new(&what),
        whose: name.unwrap_or_default(),
        why: Name::head(job.why.as_deref().unwrap_or("It is not known why.")),
        tries: count(job.attempts as usize, "try", "tries"),
        when: When::new(job.finished_at.unwrap_or(job.created_at), frame.now),
        retry: place(may_retry, "retry"),
        strike: place(may_strike, "drop"),
    }
}

/// Alerts for a channel that were given up.
pub(super) async fn alerts(call: &Call, frame: &Frame, channel: &str) -> Result<Given, ApiError> {
    if !frame.may(call, Operation::ListAlerts) {
        return Ok(Given::default());
    }
    let dead = Alerts { channel: Some(channel.to_owned()), state: Some(DeliveryState::Dead) };
    let found = merged(&dead, call.state.desk.estates(None).await?, Vec::new(), MOST + 1).await?;
    let may = frame.may(call, Operation::RetryAlert);
    let one = |placed: &Placed<AlertLine>| {
        let alert = &placed.row;
        let title = alert.document.get("title").and_then(serde_json::Value::as_str);
        GivenUp {
            what: Name::new(title.unwrap_or(&alert.rule)),
            whose: Name::new(&alert.subject),
            why: Name::head(alert.told.as_deref().unwrap_or("It is not known why.")),
            tries: count(usize::try_from(alert.attempts).unwrap_or_default(), "try", "tries"),
            when: When::new(alert.created_at, frame.now),
            retry: if may { format!("/alerts/{}/retry", segment(&alert.id)) } else { String::new() },
            strike: String::new(),
        }
    };
    Ok(Given::of(found.rows.iter().map(one).collect(), "There are more of them, older ones."))
}

/// Does what a form asks for as the API does, and shows the page again on which it stands.
pub(super) async fn act(call: Call) -> Result<Answer, ApiError> {
    let next = within(Some(&Form::read(&call.body).text("next")));
    handle(call).await?;
    Ok(sent_to(&next.unwrap_or_else(|| "/connectors".to_owned())))
}
