//! One rule: what it looks for and why, how it does, what it would have found, and what can be done with it.
//!
//! Invariant: what somebody may not do is not offered; the door refuses it all the same.

use askama::Template;
use axum::http::{StatusCode, header};
use metsuke_engine::desk::{ReplayOf, RuleShown, RuleWatched};
use metsuke_engine::identity::Operation;
use metsuke_engine::rules::shipped::{self, Detection};
use metsuke_engine::rules::{Level, export_one};
use serde_json::Value;

use super::replay::{DAYS, Past, past};
use super::{place, title, words};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::site::asked::Asked;
use crate::site::cell::{Badge, Cell, Tone};
use crate::site::frame::{Frame, page as shown};
use crate::site::words::{Name, When, count};

#[derive(Template)]
#[template(path = "rule.html")]
struct View {
    frame: Frame,
    place: String,
    kicker: String,
    badges: Vec<Badge>,
    lead: String,
    rule: RuleWatched,
    evaluated: String,
    queries: Vec<Query>,
    change: Vec<(&'static str, String)>,
    operations: Vec<(String, Vec<String>)>,
    channels: Option<Vec<(Name, String)>>,
    past: Option<Past>,
    ask_past: String,
    days: u32,
    facts: Vec<(&'static str, Cell)>,
    fix: Vec<(bool, String)>,
    more: Vec<(&'static str, String)>,
    parameters: Vec<Parameter>,
    may: May,
    own: bool,
}

/// What whoever looks may do.
struct May {
    set: bool,
    evaluate: bool,
    remove: bool,
}

/// A query of a rule.
struct Query {
    name: String,
    text: String,
    href: String,
}

/// What a shipped rule leaves open.
struct Parameter {
    name: String,
    meaning: String,
    value: String,
    usual: String,
}

impl View {
    /// Where a form of the rule goes.
    fn at(&self, what: &str) -> String {
        format!("{}/{what}", self.place)
    }
}

pub(in crate::site) async fn page(call: Call) -> Result<Answer, ApiError> {
    let id = call.segment("id").to_owned();
    let frame = Frame::of(&call, "Rule").await?;
    let rule = call.state.desk.watched_rule(frame.connector(), &id).await?;
    if frame.asked.get("format") == Some("json") {
        return Ok(file(&rule.rule));
    }
    let mut frame = frame.below("Rules", "/rules").here(title(&rule));
    frame.title = Name::new(title(&rule)).cut;
    let detection = shipped::find(&id).filter(|_| rule.rule.kind == RuleShown::SHIPPED);
    let asks_past = frame.asked.get("past").is_some() && frame.may(&call, Operation::ReplayRule);
    let past = if asks_past { Some(past(&call, &frame, ReplayOf::Kept(id.clone())).await?) } else { None };
    let document = &rule.rule.document;
    let view = View {
        kicker: format!("{} rule", if detection.is_some() { "Shipped" } else { "Your own" }),
        badges: badges(&rule),
        lead: detection.map_or_else(
            || rule.rule.title.clone().unwrap_or_default(),
            |detection| detection.explanation.to_string(),
        ),
        evaluated: evaluated(&frame.asked),
        queries: queries(&frame, &rule.rule, detection),
        change: document
            .get("change")
            .filter(|change| !change.is_null())
            .map(words::change)
            .unwrap_or_default(),
        operations: detection.map_or_else(|| words::operations(document), shipped_operations),
        channels: channels(&call, &frame, &rule).await?,
        past,
        ask_past: format!("{}#past", frame.asked.only(&["connector"]).with("past", "yes").at(&place(&id))),
        days: DAYS,
        facts: facts(&frame, &rule, detection),
        fix: words::pieces(&fix(&rule.rule, detection)),
        more: more(detection),
        parameters: parameters(&rule.rule, detection),
        may: May {
            set: frame.may(&call, Operation::SetRule),
            evaluate: rule.rule.enabled && frame.may(&call, Operation::EvaluateFindings),
            remove: frame.may(&call, Operation::RemoveRule),
        },
        own: detection.is_none(),
        place: place(&id),
        rule,
        frame,
    };
    shown(StatusCode::OK, &view)
}

/// The rule as JupiterOne takes it; a shipped one as it is shipped.
fn file(rule: &RuleShown) -> Answer {
    let document =
        if rule.kind == RuleShown::SHIPPED { rule.document.clone() } else { export_one(&rule.document) };
    let text = serde_json::to_string_pretty(&document).unwrap_or_default();
    let name = format!(
        "attachment; filename=\"rule-{}.json\"",
        rule.id.replace(|one: char| !one.is_ascii_alphanumeric(), "-")
    );
    Answer::typed(StatusCode::OK, "application/json", text).with(header::CONTENT_DISPOSITION, &name)
}

fn badges(rule: &RuleWatched) -> Vec<Badge> {
    let mut badges: Vec<Badge> =
        words::severity(rule).map(|level| Badge::level(&level)).into_iter().collect();
    badges.push(match (rule.rule.enabled, words::is_unjudged(rule), rule.state.as_deref()) {
        (false, ..) => Badge::new(Tone::Calm, "off"),
        (true, true, _) => Badge::new(Tone::Warn, "cannot be judged"),
        (true, false, Some("fired")) => Badge::new(Tone::Bad, "found something"),
        (true, false, Some(_)) => Badge::new(Tone::Good, "clear"),
        (true, false, None) => Badge::new(Tone::Calm, "on, not evaluated yet"),
    });
    badges
}

/// What an evaluation that somebody just asked for came to; empty where nobody did.
fn evaluated(asked: &Asked) -> String {
    let number = |name: &str| asked.get(name).and_then(|count| count.parse::<usize>().ok());
    match (number("opened"), number("resolved")) {
        (Some(0), Some(0)) => {
            "It was evaluated on the newest version: nothing is other than before.".to_owned()
        }
        (Some(opened), Some(resolved)) => format!(
            "It was evaluated on the newest version: {} opened, {} resolved.",
            count(opened, "finding", "findings"),
            count(resolved, "finding", "findings")
        ),
        _ => String::new(),
    }
}

fn queries(frame: &Frame, rule: &RuleShown, detection: Option<&Detection>) -> Vec<Query> {
    let link = |name: &str, text: String, settled: &[(String, String)]| {
        let asked = settled
            .iter()
            .fold(frame.asked.only(&["as_of", "connector"]).with("q", &text), |asked, (name, value)| {
                asked.with(&format!("p.{name}"), value)
            });
        Query { name: name.to_owned(), href: asked.at("/query"), text }
    };
    let Some(detection) = detection else {
        let all = rule.document.pointer("/question/queries").and_then(Value::as_array);
        let query = |(nth, query): (usize, &Value)| {
            let of = |name: &str| query.get(name).and_then(Value::as_str);
            let name = of("name").map_or_else(|| format!("query{nth}"), ToOwned::to_owned);
            link(&name, of("query").unwrap_or_default().to_owned(), &[])
        };
        return all.into_iter().flatten().enumerate().map(query).collect();
    };
    let settled: Vec<(String, String)> = detection
        .parameters
        .iter()
        .filter_map(|one| {
            Some((one.name.to_string(), plain(rule.parameters.get(&*one.name).or(one.default.as_ref())?)))
        })
        .collect();
    detection.queries().map(|(name, text)| link(name, text, &settled)).collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// A shipped detection fires for whatever it finds.
fn shipped_operations(detection: &Detection) -> Vec<(String, Vec<String>)> {
    let level = detection.severity.as_str().to_lowercase();
    vec![(
        "anything is found".to_owned(),
        vec![
            format!("The level is {level}, where a single finding is not worse."),
            "A finding is opened for each subject, and the channels that want it are told.".to_owned(),
        ],
    )]
}

/// The channels that are told of it; none for whoever may not see them.
async fn channels(
    call: &Call,
    frame: &Frame,
    rule: &RuleWatched,
) -> Result<Option<Vec<(Name, String)>>, ApiError> {
    if !frame.may(call, Operation::ListChannels) {
        return Ok(None);
    }
    let level = words::severity(rule).and_then(|level| level.parse::<Level>().ok());
    let wants = |settings: &Value| {
        let least =
            settings.get("level").and_then(Value::as_str).and_then(|level| level.parse::<Level>().ok());
        let named: Vec<&str> = settings
            .get("rules")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let fits = |word: &&str| word.eq_ignore_ascii_case(&rule.rule.id) || **word == rule.rule.name;
        level.zip(least).is_none_or(|(level, least)| level >= least)
            && (named.is_empty() || named.iter().any(fits))
    };
    let channels = call.state.desk.channels().await?.into_iter();
    let told = channels.filter(|channel| channel.enabled && wants(&channel.settings));
    Ok(Some(
        told.map(|channel| (Name::new(&channel.name), frame.to(&format!("/rules/channels/{}", channel.id))))
            .collect(),
    ))
}

fn facts(frame: &Frame, rule: &RuleWatched, detection: Option<&Detection>) -> Vec<(&'static str, Cell)> {
    let when = |at| Cell::When(When::new(at, frame.now));
    let text = |text: &str| Cell::Text(Name::new(text));
    let open = frame.asked.only(&["connector"]).with("rule", &rule.rule.id).at("/findings");
    let findings = count(rule.open_findings, "open finding", "open findings");
    let mut facts = vec![("Findings", Cell::Link(Name::new(&findings), open, None))];
    facts.push((
        "Last evaluated",
        match (rule.evaluated_at, rule.evaluated_version) {
            (Some(at), _) => when(at),
            (None, Some(version)) => text(&format!("on version {version}")),
            (None, None) => Cell::Word("never".into()),
        },
    ));
    let each = if rule.interval == "DISABLED" { String::new() } else { "with each version, and ".to_owned() };
    facts.push(("Evaluated", text(&format!("{each}{}", words::interval(&rule.interval)))));
    facts.extend(rule.next_at.map(|at| ("Next", when(at))));
    facts.push(("Looks at", Cell::Word(words::looks_at(rule).into())));
    if let Some(detection) = detection {
        facts.push(("Name", text(&format!("{} · {}", detection.id, detection.name))));
        let controls = [
            ("SOC 2", &detection.controls.soc2),
            ("ISO 27001, annex A", &detection.controls.iso27001),
            ("CIS Controls v8", &detection.controls.cis),
        ];
        facts.extend(
            controls
                .into_iter()
                .filter(|(_, all)| !all.is_empty())
                .map(|(name, all)| (name, text(&all.join(", ")))),
        );
    }
    if rule.rule.revision > 0 {
        facts.extend(rule.rule.updated_at.map(|at| ("Changed", when(at))));
    }
    facts
}

/// What to do about it, in words.
fn fix(rule: &RuleShown, detection: Option<&Detection>) -> String {
    let own = rule.document.get("remediationSteps").and_then(Value::as_str).unwrap_or_default();
    detection.map_or_else(|| own.to_owned(), |detection| detection.fix.words.to_string())
}

fn more(detection: Option<&Detection>) -> Vec<(&'static str, String)> {
    let Some(detection) = detection else { return Vec::new() };
    let mut more = vec![("Where it is meant to be so", detection.false_positives.to_string())];
    more.extend(detection.limits.as_deref().map(|limits| ("What it cannot see", limits.to_owned())));
    more.extend(detection.not_observable.as_deref().map(|why| ("Why it is not judged", why.to_owned())));
    more
}

fn parameters(rule: &RuleShown, detection: Option<&Detection>) -> Vec<Parameter> {
    let all = detection.into_iter().flat_map(|detection| &detection.parameters);
    let one = |one: &metsuke_engine::rules::shipped::Parameter| Parameter {
        name: one.name.to_string(),
        meaning: one.meaning.to_string(),
        value: rule.parameters.get(&*one.name).map(plain).unwrap_or_default(),
        usual: one.default.as_ref().map_or_else(|| "the domain of the account that reads".to_owned(), plain),
    };
    all.map(one).collect()
}
