//! One plan: each step, what it does to access, what the safety rules say, how far it came, and what can be done with it.
//!
//! Invariant: what somebody may not do is not offered; the door refuses it all the same.

use std::time::Duration;

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::access::provision::{Standing, Verdict};
use metsuke_engine::desk::{PlanShown, Plans};
use metsuke_engine::identity::Operation;
use metsuke_model::Moment;
use metsuke_model::approval::{Bar, Party, may_apply, may_approve};
use metsuke_model::plan::PlanStatus;
use serde_json::{Value, json};

use super::step::{self, shown as step_shown};
use super::{badge, capital, waiting, who};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;
use crate::site::asked::{Asked, segment};
use crate::site::cell::{Badge, Cell, Figure, Head, Table, Tone};
use crate::site::connectors::as_json;
use crate::site::frame::{Frame, page as shown};
use crate::site::settings::sent_to;
use crate::site::words::{Name, When};

/// How long somebody waits for an application before the page shows how far it is.
const PATIENCE: Duration = Duration::from_secs(3);
/// Requests of one step at least: read, sent, read back.
const REQUESTS: usize = 3;

#[derive(Template)]
#[template(path = "plan.html")]
#[expect(clippy::struct_excessive_bools, reason = "each is asked by the template for itself")]
struct View {
    frame: Frame,
    place: String,
    badge: Badge,
    lead: String,
    steps: Vec<step::Shown>,
    sentences: Vec<String>,
    figures: Vec<Figure>,
    warnings: Vec<String>,
    verdicts: Table,
    facts: Vec<(&'static str, Cell)>,
    reason: String,
    links: Vec<(String, &'static str)>,
    /// The number to type, where the plan is over a cap.
    confirm: Option<usize>,
    broken: bool,
    applying: bool,
    may_apply: bool,
    may_cancel: bool,
    /// What it needs of others; empty where nobody has to approve it.
    needs: String,
    /// Whether whoever looks may approve it, and the hash of what they do.
    may_approve: bool,
    hash: String,
    /// Whether somebody else has approved it already, so that applying it approves nothing.
    approved: bool,
    again: String,
}

fn place(id: &str) -> String {
    format!("/provisioning/{}", segment(id))
}

pub(in crate::site) async fn page(call: Call) -> Result<Answer, ApiError> {
    let id = call.segment("id").to_owned();
    let desk = &call.state.desk;
    let (estate, found) = Plans::find(desk.estates(None).await?, &id).await?;
    let title = capital(&found.plan.title);
    let frame = Frame::of(&call, Name::new(&title).cut).await?;
    let frame = frame.below("Provisioning", "/provisioning").here(&title);
    let expired = found.plan.expires_at < frame.now;
    let open = found.status.can_be_applied() && !expired;
    let judged = if open { desk.verdicts(&id).await? } else { Vec::new() };
    let over = judged.iter().any(|verdict| verdict.standing == Standing::Over);
    let status =
        if expired && found.status == PlanStatus::Planned { PlanStatus::Expired } else { found.status };
    let party = call.caller()?.party();
    let counts = may_approve(&found.plan, &party);
    let approval = &found.approval;
    let lacking = open && approval.missing > 0;
    let barred = approval.needed && may_apply(&found.plan, &party).is_err();
    let already = open && counts.is_ok() && has_approved(&call, &found)?;
    let connector = found.connector.as_ref().map(|_| estate.name.as_str());
    let view = View {
        place: place(&id),
        badge: if lacking { waiting() } else { badge(status) },
        needs: if lacking { needs(&found, counts.err(), already, &party) } else { String::new() },
        may_approve: lacking && !already && counts.is_ok() && frame.may(&call, Operation::ApprovePlan),
        hash: found.hash.clone(),
        approved: approval.needed && !lacking,
        lead: lead(&frame, &found),
        steps: steps(&found),
        sentences: texts(found.plan.effects.get("sentences")),
        figures: figures(&found),
        warnings: found.plan.warnings.clone(),
        verdicts: verdicts(&judged),
        facts: facts(&frame, &found, connector),
        reason: found.reason.clone().unwrap_or_default(),
        links: links(&call, &frame, &found),
        confirm: (over || found.status == PlanStatus::Frozen).then_some(found.confirm_count),
        broken: judged.iter().any(|verdict| verdict.standing == Standing::Broken),
        applying: found.status == PlanStatus::Applying,
        may_apply: open && !lacking && !barred && frame.may(&call, Operation::ApplyPlan),
        may_cancel: found.status.can_be_cancelled() && frame.may(&call, Operation::CancelPlan),
        again: frame.itself(),
        frame,
    };
    shown(StatusCode::OK, &view)
}

/// Whether whoever looks has approved the plan.
fn has_approved(call: &Call, plan: &PlanShown) -> Result<bool, ApiError> {
    let own = call.caller()?.actor().name;
    Ok(plan.approval.approvals.iter().any(|given| *given.by == *own))
}

/// What a plan still needs, and what whoever looks has to do with it.
fn needs(plan: &PlanShown, bar: Option<Bar>, already: bool, party: &Party) -> String {
    let why = plan.approval.why.as_deref().unwrap_or_default();
    let whom = match (plan.approval.missing, &plan.plan.asked_by) {
        (1, Party::Nobody) => "approval by another person".to_owned(),
        (1, asked) => format!("approval by somebody else than {asked}"),
        _ => "approval by two people, because nobody knows which person asked for it".to_owned(),
    };
    let needs = format!("It needs {whom}: {why}.");
    match bar {
        Some(bar) => format!("{needs} {}.", capital(&bar.words(party, &plan.plan))),
        None if already => format!("{needs} You have approved it."),
        None => needs,
    }
}

fn lead(frame: &Frame, plan: &PlanShown) -> String {
    let when = When::new(plan.plan.created_at, frame.now);
    let asked = format!("Asked for by {}, {}", who(&plan.plan.actor), when.ago);
    match &plan.plan.reason {
        Some(reason) => format!("{asked}: {}", Name::head(reason).cut),
        None => format!("{asked}."),
    }
}

fn steps(plan: &PlanShown) -> Vec<step::Shown> {
    let progress = |ordinal: u32| plan.progress.iter().find(|progress| progress.step == ordinal);
    plan.plan.steps.iter().map(|step| step_shown(step, progress(step.ordinal))).collect()
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let texts = list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    texts.map(|text| capital(&Name::head(text).cut)).collect()
}

fn figures(plan: &PlanShown) -> Vec<Figure> {
    let effects =
        |name: &str| plan.plan.effects.get(name).and_then(Value::as_array).map_or(0, Vec::len) as u64;
    let steps = plan.plan.steps.len();
    vec![
        Figure::new(steps as u64, if steps == 1 { "change" } else { "changes" }, None),
        Figure::new(effects("gained"), "rights gained", None),
        Figure::new(effects("lost"), "rights lost", None),
        Figure::new((steps * REQUESTS) as u64, "requests at least", None),
    ]
}

fn verdicts(verdicts: &[Verdict]) -> Table {
    let row = |verdict: &Verdict| {
        let badge = match verdict.standing {
            Standing::Kept => Badge::new(Tone::Good, "kept"),
            Standing::Broken => Badge::new(Tone::Bad, "broken"),
            Standing::Over => Badge::new(Tone::Warn, "over the cap"),
            Standing::Asked => Badge::new(Tone::Calm, "asked when it is applied"),
        };
        let told = verdict.told.as_deref().map(Name::head);
        vec![
            Cell::Link(Name::new(verdict.title), String::new(), told),
            Cell::Badge(badge),
            Cell::Word(verdict.rule.to_owned()),
        ]
    };
    Table {
        caption: "Safety rules".to_owned(),
        heads: ["Rule", "As it stands", "Number"].map(Head::plain).to_vec(),
        rows: verdicts.iter().map(row).collect(),
    }
}

fn facts(frame: &Frame, plan: &PlanShown, connector: Option<&str>) -> Vec<(&'static str, Cell)> {
    let when = |at| Cell::When(When::new(at, frame.now));
    let mut facts = Vec::new();
    if let (Some(id), Some(name)) = (&plan.connector, connector) {
        facts.push(("Through", Cell::Link(Name::new(name), frame.to(&format!("/connectors/{id}")), None)));
        let version = format!("/connectors/{id}/versions/{}", plan.plan.version);
        facts.push((
            "Worked out on",
            Cell::Link(Name::new(&format!("version {}", plan.plan.version)), frame.to(&version), None),
        ));
    }
    facts.push(("Asked for", when(plan.plan.created_at)));
    if plan.status.can_be_applied() {
        facts.push(("Until", when(plan.plan.expires_at)));
    }
    facts.push(("By", Cell::Text(Name::new(&who(&plan.plan.actor)))));
    for given in &plan.approval.approvals {
        facts.push(("Approved", when(given.at)));
        facts.push(("Approved by", Cell::Text(Name::new(&who(&given.by)))));
    }
    facts.push(("Plan", Cell::Text(Name::new(&plan.id))));
    facts.push(("Approved by its hash", Cell::Text(Name::new(&plan.hash))));
    facts
}

/// Where one sees what came of it.
fn links(call: &Call, frame: &Frame, plan: &PlanShown) -> Vec<(String, &'static str)> {
    let mut links = Vec::new();
    let base = || match &plan.connector {
        Some(connector) if !frame.connectors.is_empty() => Asked::default().with("connector", connector),
        _ => Asked::default(),
    };
    let people: std::collections::BTreeSet<&str> =
        plan.plan.steps.iter().map(|step| &*step.person.email).collect();
    let began = plan.progress.iter().any(|progress| progress.attempts > 0);
    let since = iso(plan.plan.created_at);
    if began && frame.may(call, Operation::ListChanges) {
        let asked = base().with("since", &since);
        let asked = match people.iter().next() {
            Some(only) if people.len() == 1 => asked.with("q", only),
            _ => asked,
        };
        links.push((asked.at("/changes"), "What changed through it →"));
    }
    if frame.may(call, Operation::ListEvents) {
        let trail = plan.connector.as_deref().unwrap_or("main");
        let asked = Asked::default().with("subject", &plan.id).with("trail", trail);
        links.push((asked.at("/audit"), "What the audit trail says →"));
    }
    links
}

fn iso(moment: Moment) -> String {
    When::new(moment, moment).iso
}

/// Approves the plan that was looked at, by its hash.
pub(in crate::site) async fn approve(call: Call) -> Result<Answer, ApiError> {
    let place = place(call.segment("id"));
    let hash = Form::read(&call.body).text("hash");
    handle(as_json(call, &json!({ "hash": hash }))).await?;
    Ok(sent_to(&format!("{place}#state")))
}

/// Applies the plan; where that takes its time, the page shows how far it is.
pub(in crate::site) async fn apply(call: Call) -> Result<Answer, ApiError> {
    let place = place(call.segment("id"));
    let typed = Form::read(&call.body).text("confirm_count").trim().to_owned();
    let body = match (typed.is_empty(), typed.parse::<usize>()) {
        (true, _) => json!({}),
        (false, Ok(number)) => json!({ "confirm_count": number }),
        (false, Err(_)) => return Err(ApiError::invalid("confirm_count", "it is a whole number")),
    };
    // What has begun goes on, whether somebody waits for it or not.
    match tokio::time::timeout(PATIENCE, handle(as_json(call, &body))).await {
        Ok(Err(error))
            if !matches!(error.code, "refused" | "heroku_refused" | "frozen" | "approval_needed") =>
        {
            Err(error)
        }
        // What was refused, and why, stands on the plan's page.
        _ => Ok(sent_to(&format!("{place}#state"))),
    }
}

pub(in crate::site) async fn cancel(call: Call) -> Result<Answer, ApiError> {
    let place = place(call.segment("id"));
    let reason = Some(Form::read(&call.body).text("reason")).filter(|reason| !reason.trim().is_empty());
    handle(as_json(call, &json!({ "reason": reason }))).await?;
    Ok(sent_to(&format!("{place}#state")))
}
