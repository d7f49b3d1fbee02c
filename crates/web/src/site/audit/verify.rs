//! What verifying the audit trails has shown, in sentences.
//!
//! What makes a trail right is the engine's to say.
//!
//! Invariant: nothing is called right that was not looked at, and what could not be shown stands beside what was.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::desk::TrailVerified;

use super::OWN;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::site::cell::{Badge, Tone};
use crate::site::frame::{Frame, page as shown};
use crate::site::words::{Name, When, number};

/// Findings of one trail that are told.
const TOLD: usize = 50;

#[derive(Template)]
#[template(path = "audit_verified.html")]
struct View {
    frame: Frame,
    clean: bool,
    when: When,
    trails: Vec<Trail>,
}

/// What became of one trail.
struct Trail {
    name: Name,
    badge: Badge,
    shown: Vec<String>,
    findings: Vec<String>,
    more: u64,
    caveats: Vec<String>,
}

pub(in crate::site) async fn verify(call: Call) -> Result<Answer, ApiError> {
    let asked = Form::read(&call.body).text("trail");
    let desk = &call.state.desk;
    let of = match asked.as_str() {
        "" => desk.trails(None).await?,
        OWN => desk.trails(None).await?.into_iter().take(1).collect(),
        id => desk.trails(Some(id)).await?,
    };
    let mut trails = Vec::new();
    let mut clean = true;
    for trail in of {
        let verified = desk.verify_trail(trail.connector.as_deref(), None, Vec::new()).await?;
        clean &= verified.clean;
        let name = if trail.connector.is_none() { "The installation" } else { trail.name.as_str() };
        trails.push(told(name, verified));
    }
    let frame = Frame::of(&call, "Audit trail verified").await?.below("Audit", "/audit").here("Verified");
    let when = When::new(frame.now, frame.now);
    shown(StatusCode::OK, &View { frame, clean, when, trails })
}

fn told(name: &str, verified: TrailVerified) -> Trail {
    let TrailVerified { clean, verdict, caveats } = verified;
    let events = number(verdict.events);
    let mut shown = Vec::new();
    if verdict.events == 0 {
        shown.push("The trail is empty.".to_owned());
    } else {
        shown.push(format!("All {events} entries were read, from the first to the last, and the text of each was hashed anew."));
    }
    if clean && verdict.events > 0 {
        shown.push("Each hash is the one that stands beside its entry, and the numbers run without a hole, none twice.".to_owned());
        shown.push(format!(
            "Together they give the root {}, which is the one that the database keeps.",
            verdict.root
        ));
    }
    if verdict.confirmed > 0 {
        let elsewhere = match verdict.confirmed_elsewhere {
            0 => String::new(),
            count => format!(", {} of them by one that was kept elsewhere", number(count)),
        };
        shown.push(format!(
            "The first {} entries are confirmed by a signed checkpoint{elsewhere}.",
            number(verdict.confirmed)
        ));
    } else if verdict.events > 0 {
        shown.push("No signed checkpoint covers any of it: export the trail, or sign a checkpoint, to have a proof from then on.".to_owned());
    }
    let listed = verdict.findings.len();
    let beyond = u64::try_from(listed.saturating_sub(TOLD)).unwrap_or(u64::MAX);
    Trail {
        name: Name::new(name),
        badge: if clean {
            Badge::new(Tone::Good, "unchanged, as far as can be shown")
        } else {
            Badge::new(Tone::Worst, "changed")
        },
        shown,
        findings: verdict.findings.iter().take(TOLD).map(|finding| sentence(&finding.text)).collect(),
        more: verdict.unlisted.saturating_add(beyond),
        caveats: caveats.iter().map(|caveat| sentence(caveat)).collect(),
    }
}

/// A text as a sentence.
fn sentence(text: &str) -> String {
    format!("{}.", super::capital(text).trim_end_matches('.'))
}
