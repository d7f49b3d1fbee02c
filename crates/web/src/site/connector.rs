//! One connector: how it does, its runs, its log as it grows, its settings, and what can be done with it.
//!
//! Invariant: what somebody may not do is not offered; the door refuses it all the same.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::connectors::{Connector, LogSelect, RunRow, RunStatus};
use metsuke_engine::desk::{Jobs, merged};
use metsuke_engine::identity::Operation;
use metsuke_engine::jobs::{JobStatus, UPLOAD};
use metsuke_model::approval::Demand;
use metsuke_model::{ConnectorId, Outcome, ScopeReport, Version};
use serde_json::json;

use super::cell::{Badge, Cell, Figure, Head, Table, Tone};
use super::connectors::{Tried, as_json, state_badge, tried_of};
use super::curve::{Curve, curve};
use super::frame::{Frame, Read, page as shown};
use super::given_up::{self, Given};
use super::settings::sent_to;
use super::words::{Name, When, number};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;

/// Runs and lines of the log that are shown.
const RUNS: usize = 15;
/// Runs whose budget is drawn.
const DRAWN: u32 = 60;
const LINES: u32 = 1_000;
const SHOWN: usize = 100;

/// A line of the log.
struct Line {
    at: String,
    level: &'static str,
    text: String,
}

#[derive(Template)]
#[template(path = "connector.html")]
struct View {
    frame: Frame,
    id: String,
    badge: Badge,
    reason: String,
    facts: Vec<(&'static str, Cell)>,
    runs: Table,
    budget: Option<Curve>,
    done: &'static str,
    given: Given,
    lines: Vec<Line>,
    after: i64,
    may: May,
    paused: bool,
    open: bool,
    tried: Option<Tried>,
}

/// What whoever looks may do.
#[expect(clippy::struct_excessive_bools, reason = "each is a right of its own")]
struct May {
    sync: bool,
    upload: bool,
    test: bool,
    pause: bool,
    rotate: bool,
    remove: bool,
    logs: bool,
    edit: bool,
}

#[derive(Template)]
#[template(path = "connector_version.html")]
struct VersionView {
    frame: Frame,
    read: Vec<Read>,
    version: String,
    figures: Vec<Figure>,
    gaps: Table,
    scopes: Table,
}

fn id(call: &Call) -> Result<ConnectorId, ApiError> {
    let asked = call.segment("id");
    asked.parse().map_err(|_| ApiError::not_found(format!("there is no connector `{asked}`")))
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    view(&call, None).await
}

async fn view(call: &Call, tried: Option<Tried>) -> Result<Answer, ApiError> {
    let id = id(call)?;
    let installation = call.state.desk.installation();
    let connector = installation.connector(id).await?;
    let frame = Frame::of(call, Name::new(&connector.name).cut).await?;
    let frame = frame.below("Connectors", "/connectors").here(&connector.name);
    let may = May {
        sync: frame.may_here(call, Operation::SyncConnector).await?,
        upload: connector.settings.after_sync.jupiterone.is_some()
            && frame.may_here(call, Operation::UploadConnector).await?,
        test: frame.may_here(call, Operation::TestConnector).await?,
        pause: frame.may_here(call, Operation::PauseConnector).await?,
        rotate: frame.may_here(call, Operation::RotateToken).await?,
        remove: frame.may_here(call, Operation::DeleteConnector).await?,
        logs: frame.may_here(call, Operation::ListLogs).await?,
        edit: frame.may_here(call, Operation::EditConnector).await?,
    };
    let runs = if frame.may(call, Operation::ListRuns) {
        installation.runs(id, None, DRAWN).await?
    } else {
        Vec::new()
    };
    let newest = runs.get(..runs.len().min(RUNS)).unwrap_or_default();
    let latest = connector.open_run.as_ref().or(connector.last_run.as_ref()).map(|run| run.id);
    let lines = if may.logs && latest.is_some() {
        installation.logs(id, LogSelect { run: latest, after: 0, limit: LINES }).await?
    } else {
        Vec::new()
    };
    let mut facts = facts(&frame, &connector);
    facts.extend(uploads(call, &frame, &connector).await?);
    let skipped = lines.len().saturating_sub(SHOWN);
    let view = View {
        id: id.to_string(),
        badge: state_badge(connector.state),
        reason: connector.reason.clone(),
        facts,
        runs: runs_table(&frame, &connector, newest),
        budget: curve(&runs, frame.now),
        done: match frame.asked.get("done") {
            None => "",
            Some("upload") => "The newest version is on its way to JupiterOne.",
            Some(_) => {
                "The settings are saved. What is to be read differently is read so with the next sync."
            }
        },
        given: given_up::jobs(call, &frame, Some(&id.to_string())).await?,
        after: lines.last().map(|line| line.sequence).unwrap_or_default(),
        lines: lines
            .iter()
            .skip(skipped)
            .map(|line| Line {
                at: clock(&When::new(line.at, frame.now)),
                level: level(&line.level),
                text: line.text.clone(),
            })
            .collect(),
        paused: connector.paused_at.is_some(),
        open: connector.open_run.is_some(),
        may,
        tried,
        frame,
    };
    shown(StatusCode::OK, &view)
}

/// How the last upload to `JupiterOne` went, where there are any.
async fn uploads(
    call: &Call,
    frame: &Frame,
    connector: &Connector,
) -> Result<Option<(&'static str, Cell)>, ApiError> {
    if connector.settings.after_sync.jupiterone.is_none() {
        return Ok(None);
    }
    let queue = call.state.desk.queues(Some(&connector.id.to_string())).await?;
    let last = merged(&Jobs { state: None, kind: Some(UPLOAD.into()) }, queue, Vec::new(), 1).await?.rows;
    let told = last.first().map_or_else(
        || "after the next sync".to_owned(),
        |job| {
            let ago = |at| When::new(at, frame.now).ago;
            match job.row.state {
                JobStatus::Waiting if job.row.attempts > 0 => {
                    format!("failed, tried again {}", ago(job.row.due_at))
                }
                JobStatus::Waiting => "waits".to_owned(),
                JobStatus::Running => "on its way".to_owned(),
                JobStatus::Finished => format!("done {}", ago(job.row.finished_at.unwrap_or(frame.now))),
                JobStatus::Dead => format!("given up {}", ago(job.row.finished_at.unwrap_or(frame.now))),
            }
        },
    );
    Ok(Some(("Upload to JupiterOne", Cell::Word(told))))
}

/// The time of day.
fn clock(when: &When) -> String {
    when.iso.get(11..19).unwrap_or_default().to_owned()
}

fn level(level: &str) -> &'static str {
    match level {
        "warn" => "warn",
        "error" => "error",
        _ => "info",
    }
}

fn facts(frame: &Frame, connector: &Connector) -> Vec<(&'static str, Cell)> {
    let when = |at| Cell::When(When::new(at, frame.now));
    let settings = &connector.settings;
    let mut facts = Vec::new();
    facts.extend(connector.account.as_deref().map(|account| ("Account", Cell::Text(Name::new(account)))));
    facts.push(("Owner", Cell::Text(Name::new(&settings.owner))));
    if !settings.co_owners.is_empty() {
        facts.push(("Co-owners", Cell::Text(Name::head(&settings.co_owners.join(", ")))));
    }
    facts.push(("Polling interval", Cell::Text(Name::new(&settings.polling_interval.to_string()))));
    facts.extend(connector.next_sync_at.map(|at| ("Next sync", when(at))));
    facts.push(("Provisioning", Cell::Word(if settings.provisioning { "on" } else { "off" }.into())));
    if settings.approval != Demand::None {
        facts.push(("Second person", Cell::Word(settings.approval.as_str().into())));
    }
    facts.extend(connector.token_set_at.map(|at| ("Token of", when(at))));
    facts.push(("Made", when(connector.created_at)));
    if let Some(tag) = &settings.tag_account_name {
        facts.push(("Account name", Cell::Text(Name::new(tag))));
    }
    if settings.tag_production {
        facts.push(("Tag", Cell::Word("production".into())));
    }
    facts.push(("API", Cell::Text(Name::new(&settings.api_url))));
    if !settings.description.is_empty() {
        facts.push(("Description", Cell::Text(Name::new(&settings.description))));
    }
    facts
}

fn runs_table(frame: &Frame, connector: &Connector, runs: &[RunRow]) -> Table {
    let row = |run: &RunRow| {
        let began = When::new(run.started_at.unwrap_or(run.asked_at), frame.now);
        let took = run.started_at.zip(run.finished_at).map(|(began, ended)| ended.since(began) / 1_000);
        let name = Name { cut: began.shown.clone(), title: began.ago.clone() };
        let first = match run.version {
            Some(version) => {
                let href = frame.to(&format!("/connectors/{}/versions/{version}", connector.id));
                Cell::Link(name, href, None)
            }
            None => Cell::Text(name),
        };
        vec![
            first,
            Cell::Badge(run_badge(run.status)),
            Cell::Word(run.cause.clone()),
            run.version.map_or(Cell::Nothing, |version| Cell::Number(version.to_string())),
            took.map_or(Cell::Nothing, |took| Cell::Number(seconds(took))),
            run.reason.as_deref().map_or(Cell::Nothing, |reason| Cell::Word(Name::new(reason).cut)),
        ]
    };
    let mut heads =
        ["Began", "State", "Because", "Version", "Took", "What came of it"].map(Head::plain).to_vec();
    for head in heads.iter_mut().skip(3).take(2) {
        head.number = true;
    }
    Table { caption: "Runs".to_owned(), heads, rows: runs.iter().map(row).collect() }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{} s", number(milliseconds / 1_000), milliseconds % 1_000 / 100)
}

fn run_badge(status: RunStatus) -> Badge {
    let tone = match status {
        RunStatus::Queued | RunStatus::Running => Tone::Busy,
        RunStatus::Complete => Tone::Good,
        RunStatus::Partial | RunStatus::Quarantined => Tone::Warn,
        RunStatus::Failed => Tone::Bad,
        RunStatus::Cancelled | RunStatus::Interrupted => Tone::Calm,
    };
    Badge::new(tone, status.as_str())
}

/// What came of each listing of one version.
pub(super) async fn version(call: Call) -> Result<Answer, ApiError> {
    let id = id(&call)?;
    let asked = call.segment("version").to_owned();
    let unknown = || ApiError::not_found(format!("there is no version `{asked}`"));
    let version = Version(asked.parse().map_err(|_| unknown())?);
    let (reading, scopes) = call.state.desk.listings(&id.to_string(), version).await?;
    let frame = Frame::of(&call, format!("Version {version}")).await?.below("Connectors", "/connectors");
    let href = frame.to(&format!("/connectors/{id}"));
    let mut frame = frame;
    frame.crumbs.push(super::frame::Crumb { name: Name::new(&reading.name), href });
    let frame = frame.here(&format!("Version {version}"));
    let calls: u64 = scopes.iter().map(|scope| u64::from(scope.calls)).sum();
    let gaps: Vec<&ScopeReport> = scopes.iter().filter(|scope| scope.gap).collect();
    let view = VersionView {
        read: frame.read(std::slice::from_ref(&reading)),
        version: version.to_string(),
        figures: vec![
            Figure::new(scopes.len() as u64, "listings", None),
            Figure::new(calls, "requests", None),
            Figure::new(scopes.iter().map(|scope| scope.rows).sum(), "rows", None),
            Figure::new(gaps.len() as u64, "gaps", None),
        ],
        gaps: scopes_table(&gaps),
        scopes: scopes_table(&scopes.iter().collect::<Vec<_>>()),
        frame,
    };
    shown(StatusCode::OK, &view)
}

fn scopes_table(scopes: &[&ScopeReport]) -> Table {
    let row = |scope: &&ScopeReport| {
        let tone = match scope.outcome {
            Outcome::Complete => Tone::Good,
            Outcome::Skipped => Tone::Calm,
            Outcome::Refused | Outcome::Failed => Tone::Warn,
        };
        vec![
            Cell::Link(Name::new(&scope.scope), String::new(), scope.reason.as_deref().map(Name::new)),
            Cell::Badge(Badge::new(tone, scope.outcome.as_str())),
            Cell::Number(number(u64::from(scope.pages))),
            Cell::Number(number(scope.rows)),
            Cell::Number(number(u64::from(scope.calls))),
            Cell::Number(seconds(scope.duration_ms)),
        ]
    };
    let mut heads = ["Listing", "Outcome", "Pages", "Rows", "Requests", "Took"].map(Head::plain).to_vec();
    for head in heads.iter_mut().skip(2) {
        head.number = true;
    }
    Table { caption: "Listings".to_owned(), heads, rows: scopes.iter().map(row).collect() }
}

/// Does what a form asks for as the API does, and shows the connector again.
async fn done(call: Call) -> Result<Answer, ApiError> {
    let id = id(&call)?;
    handle(call).await?;
    Ok(sent_to(&format!("/connectors/{id}#state")))
}

pub(super) async fn sync(call: Call) -> Result<Answer, ApiError> {
    done(call).await
}

pub(super) async fn upload(call: Call) -> Result<Answer, ApiError> {
    let id = id(&call)?;
    handle(call).await?;
    Ok(sent_to(&format!("/connectors/{id}?done=upload")))
}

pub(super) async fn cancel(call: Call) -> Result<Answer, ApiError> {
    done(call).await
}

pub(super) async fn pause(call: Call) -> Result<Answer, ApiError> {
    done(call).await
}

pub(super) async fn resume(call: Call) -> Result<Answer, ApiError> {
    done(call).await
}

pub(super) async fn rotate(call: Call) -> Result<Answer, ApiError> {
    let token = Form::read(&call.body).text("api_token");
    done(as_json(call, &json!({ "api_token": token }))).await
}

pub(super) async fn test(call: Call) -> Result<Answer, ApiError> {
    let tried = match call.state.desk.installation().test(id(&call)?).await {
        Ok(probe) => tried_of(&probe),
        Err(error) => Tried { ok: false, lines: vec![crate::error::chain(&error)] },
    };
    view(&call, Some(tried)).await
}

pub(super) async fn remove(call: Call) -> Result<Answer, ApiError> {
    let id = id(&call)?;
    let connector = call.state.desk.installation().connector(id).await?;
    if Form::read(&call.body).text("name") != connector.name {
        let told = "type the connector’s name as it stands at the head of its page";
        return Err(ApiError::invalid("name", told));
    }
    handle(call).await?;
    Ok(sent_to("/connectors"))
}
