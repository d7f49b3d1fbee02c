//! What verifying the audit trails has shown, in sentences.
//!
//! What makes a trail right is the engine's to say.
//!
//! Invariant: nothing is called right that was not looked at, and what could not be shown stands beside what was.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::desk::TrailVerified;
use metsuke_engine::identity::Operation;
use metsuke_model::audit::FindingKind;

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
    outcome: Outcome,
    when: When,
    trails: Vec<Trail>,
    may_sign: bool,
}

/// What verifying came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Nothing is wrong, as far as could be shown.
    Clean,
    /// Nothing contradicts itself, but there is no signature yet that would prove it.
    Unsigned,
    /// Something does not fit.
    Changed,
}

impl Outcome {
    fn of(verified: &TrailVerified) -> Self {
        let mut kinds = verified.verdict.findings.iter().map(|finding| finding.kind);
        match (verified.clean, kinds.all(|kind| kind == FindingKind::NoKey)) {
            (true, _) => Self::Clean,
            (false, true) => Self::Unsigned,
            (false, false) => Self::Changed,
        }
    }

    fn badge(self) -> Badge {
        match self {
            Self::Clean => Badge::new(Tone::Good, "unchanged, as far as can be shown"),
            Self::Unsigned => Badge::new(Tone::Warn, "not signed yet"),
            Self::Changed => Badge::new(Tone::Worst, "changed"),
        }
    }

    const fn is_clean(self) -> bool {
        matches!(self, Self::Clean)
    }

    const fn is_changed(self) -> bool {
        matches!(self, Self::Changed)
    }
}

/// A checkpoint that was signed.
#[derive(Template)]
#[template(path = "audit_signed.html")]
struct SignedView {
    frame: Frame,
    size: String,
    note: String,
    key: String,
}

/// What became of one trail.
struct Trail {
    /// How forms name it.
    id: String,
    unsigned: bool,
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
    let mut outcome = Outcome::Clean;
    for trail in of {
        let verified = desk.verify_trail(trail.connector.as_deref(), None, Vec::new()).await?;
        let own = Outcome::of(&verified);
        outcome = outcome.max(own);
        let name = if trail.connector.is_none() { "The installation" } else { trail.name.as_str() };
        let id = trail.connector.clone().unwrap_or_else(|| OWN.to_owned());
        trails.push(told(id, name, own, verified));
    }
    let frame = Frame::of(&call, "Audit trail verified").await?.below("Audit", "/audit").here("Verified");
    let when = When::new(frame.now, frame.now);
    let may_sign = frame.may(&call, Operation::SignAudit);
    shown(StatusCode::OK, &View { frame, outcome, when, trails, may_sign })
}

pub(in crate::site) async fn sign(call: Call) -> Result<Answer, ApiError> {
    let asked = Form::read(&call.body).text("trail");
    let connector = Some(asked.as_str()).filter(|asked| !asked.is_empty() && *asked != OWN);
    let signed = call.state.desk.sign_trail(call.caller()?, connector).await?;
    let frame = Frame::of(&call, "A signed checkpoint").await?.below("Audit", "/audit").here("Signed");
    let size = number(signed.size);
    shown(StatusCode::OK, &SignedView { frame, size, note: signed.note, key: signed.public_key })
}

fn told(id: String, name: &str, outcome: Outcome, verified: TrailVerified) -> Trail {
    let TrailVerified { verdict, caveats, .. } = verified;
    let events = number(verdict.events);
    let mut shown = Vec::new();
    if verdict.events == 0 {
        shown.push("The trail is empty.".to_owned());
    } else {
        shown.push(format!("All {events} entries were read, from the first to the last, and the text of each was hashed anew."));
    }
    if !outcome.is_changed() && verdict.events > 0 {
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
    let findings = if outcome == Outcome::Unsigned { &[] } else { verdict.findings.as_slice() };
    Trail {
        id,
        unsigned: outcome == Outcome::Unsigned,
        name: Name::new(name),
        badge: outcome.badge(),
        shown,
        findings: findings.iter().take(TOLD).map(|finding| sentence(&finding.text)).collect(),
        more: verdict.unlisted.saturating_add(beyond),
        caveats: caveats.iter().map(|caveat| sentence(caveat)).collect(),
    }
}

/// A text as a sentence.
fn sentence(text: &str) -> String {
    format!("{}.", super::capital(text).trim_end_matches('.'))
}
