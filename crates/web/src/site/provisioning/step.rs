//! One step of a plan in words: what it does, from what to what, by which call, and how far it came.

use metsuke_engine::desk::Progress;
use metsuke_model::plan::{State, Step, StepStatus};

use crate::site::cell::{Badge, Tone};
use crate::site::words::Name;

/// A step as it is shown.
pub(super) struct Shown {
    pub(super) title: String,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) call: Name,
    /// How far it came; none where nothing of it was begun.
    pub(super) badge: Option<Badge>,
    /// What Heroku answered, and what there is to say; empty where nothing was sent yet.
    pub(super) told: String,
    pub(super) marks: Vec<Badge>,
}

/// A step with how far it came.
pub(super) fn shown(step: &Step, progress: Option<&Progress>) -> Shown {
    let body = step.call.body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
    let mut marks = Vec::new();
    if step.elevates {
        marks.push(Badge::new(Tone::Warn, "more power"));
    }
    Shown {
        title: title(step),
        before: step.expected.words(),
        after: step.wished.words(),
        call: Name::head(&format!("{} {}{body}", step.call.method, step.call.path)),
        badge: progress
            .filter(|progress| progress.status != StepStatus::Planned)
            .map(|progress| badge(progress.status)),
        told: progress.map(told).unwrap_or_default(),
        marks,
    }
}

fn title(step: &Step) -> String {
    let (who, name) = (Name::new(&step.person.email).cut, Name::new(&step.resource.name).cut);
    match (&step.expected, &step.wished) {
        (State::Absent, State::Member { role }) => format!("Make {who} {role} of team {name}"),
        (State::Absent, State::Invited { role }) => format!("Invite {who} to team {name} as {role}"),
        (State::Member { .. }, State::Member { role }) => format!("Make {who} {role} in team {name}"),
        (State::Member { .. }, State::Absent) => format!("Take {who} out of team {name}"),
        (State::Invited { .. }, State::Absent) => format!("Call back the invitation of {who} to team {name}"),
        (State::Absent, State::Collaborator { .. }) => format!("Put {who} on app {name}"),
        (State::Collaborator { .. }, State::Absent) => format!("Take {who} off app {name}"),
        (State::Collaborator { .. }, State::Collaborator { .. }) => {
            format!("Change what {who} may do on app {name}")
        }
        _ => format!("Change how {who} stands to {name}"),
    }
}

fn badge(status: StepStatus) -> Badge {
    let (tone, word) = match status {
        StepStatus::Planned => (Tone::Calm, "not begun"),
        StepStatus::Intent => (Tone::Busy, "about to be sent"),
        StepStatus::Sent => (Tone::Busy, "sent"),
        StepStatus::Confirmed => (Tone::Busy, "confirmed, to be read back"),
        StepStatus::Refused => (Tone::Bad, "refused by Heroku"),
        StepStatus::Unknown => (Tone::Bad, "not known"),
        StepStatus::Verified => (Tone::Good, "done and read back"),
        StepStatus::Superseded => (Tone::Warn, "changed by somebody else"),
    };
    Badge::new(tone, word)
}

/// What Heroku answered; and what there is to say, where that is not simply that it was done.
fn told(progress: &Progress) -> String {
    let mut told = Vec::new();
    told.extend(progress.http_status.map(|status| format!("Heroku answered {status}")));
    if progress.attempts > 1 {
        told.push(format!("{} tries", progress.attempts));
    }
    told.extend(progress.request_id.as_deref().map(|id| format!("request {}", Name::new(id).cut)));
    if !matches!(progress.status, StepStatus::Verified | StepStatus::Confirmed) {
        told.extend(progress.told.as_deref().map(|text| Name::head(text).cut));
    }
    told.join(" · ")
}
