//! One person: what they can reach and by which path, what happened to that, and how it was at another date.
//!
//! Invariant: apps that are reached for the same reason stand together, a few of them by name, so that a page stays readable
//! whoever it is about; the others are one step away.

mod compare;
mod tree;

use std::collections::{BTreeMap, HashMap};

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::access::{Reach, ReachedApp, ReachedGroup};
use metsuke_engine::changes::EventFilter;
use metsuke_engine::desk::{Findings, Single, page as listed_findings};
use metsuke_engine::identity::Operation;
use metsuke_engine::people::Whose;
use metsuke_model::finding::FindingState;
use metsuke_model::{Grant, HerokuId, ResourceType};

use compare::{Compared, compared};
use tree::{Leaf, Tree, leaf, tree, what_and_why};

use super::app::addons;
use super::asked::{Asked, segment};
use super::cell::{Badge, Cell, Figure, Head, Table, Tone};
use super::employees::matched_by;
use super::feed::{Bit, Entry, recent};
use super::findings::{table as findings_table, titles};
use super::frame::{Frame, Read, page as shown};
use super::provisioning::planning;
use super::words::{Name, When, count, listed, number};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;

/// Apps of a page that lists them all, and so few that nobody has to look for one.
const PAGE: usize = 300;
const FEW: usize = 20;
/// Changes and findings that are shown.
const RECENT: u32 = 15;
const FINDINGS: usize = 50;

#[derive(Template)]
#[template(path = "person.html")]
struct View {
    frame: Frame,
    read: Vec<Read>,
    kicker: String,
    badges: Vec<Badge>,
    lead: String,
    figures: Vec<Figure>,
    tree: Tree,
    /// The list of every app, and where words are looked for in it.
    apps: String,
    seeks: bool,
    facts: Vec<(&'static str, Cell)>,
    addons: Table,
    more_addons: usize,
    pending: Table,
    findings: Table,
    /// Where all of them stand, if there are more.
    more_findings: String,
    history: Vec<Entry>,
    more: String,
    compare: String,
    compared: Option<Compared>,
    /// Where a change of what they hold is planned, and their leaving; empty for whoever may not plan.
    change: String,
    remove: String,
}

#[derive(Template)]
#[template(path = "person_apps.html")]
struct AppsView {
    frame: Frame,
    read: Vec<Read>,
    title: Name,
    lead: String,
    leaves: Vec<Leaf>,
    tally: String,
    text: String,
    /// What the search keeps of what was asked.
    kept: Vec<(String, String)>,
    all: String,
    next: String,
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let id = call.segment("id").to_owned();
    let frame = Frame::of(&call, "Person").await?;
    let Single { reading, found } = call.state.desk.reach(frame.single(&id)).await?;
    let email = found.principal.email.as_deref().unwrap_or("no address").to_owned();
    let mut frame = frame.below("People", "/people").here(&email);
    frame.title = Name::new(&email).cut;
    let connector = reading.connector.as_deref();
    let own_id = found.principal.id.to_string();
    let who = found.principal.email.as_deref().unwrap_or(&own_id).to_owned();
    let history = if frame.may(&call, Operation::ListChanges) {
        let about = EventFilter { principal: Some(own_id.clone()), ..EventFilter::default() };
        recent(&call, &frame, &reading, about, RECENT).await?
    } else {
        Vec::new()
    };
    let findings = findings(&call, &frame, &found, connector).await?;
    // Whose an account is, is known of now alone.
    let whose = if reading.newest && frame.may(&call, Operation::ListEmployees) {
        call.state.desk.whose(&reading, &found.principal.id).await?
    } else {
        None
    };
    let view = View {
        read: frame.read(std::slice::from_ref(&reading)),
        kicker: found.name.as_deref().map_or_else(|| "Person".to_owned(), |name| Name::new(name).cut),
        badges: badges(&found, whose.as_ref()),
        lead: lead(&found),
        figures: figures(&frame, &found),
        tree: tree(&frame, &found, connector),
        apps: format!("/people/{}/apps", segment(&own_id)),
        seeks: found.count() > FEW,
        facts: employee(&frame, whose.as_ref()).into_iter().chain(facts(&frame, &found)).collect(),
        more_addons: found.credentials.saturating_sub(found.addons.len()),
        addons: addons(&found.addons),
        pending: pending(&found),
        more_findings: if findings.rows.len() < FINDINGS {
            String::new()
        } else {
            frame.asked.only(&["connector"]).with("person", &who).at("/findings")
        },
        findings,
        history,
        more: frame.asked.only(&["as_of", "connector"]).with("person", &own_id).at("/changes"),
        compare: frame.asked.get("compare").unwrap_or_default().to_owned(),
        compared: compared(&call, &frame, &found, connector).await?,
        change: planning(&call, &frame, connector, &[("user", &who)]),
        remove: planning(&call, &frame, connector, &[("action", "remove"), ("user", &who)]),
        frame,
    };
    shown(StatusCode::OK, &view)
}

fn badges(person: &Reach, whose: Option<&Whose>) -> Vec<Badge> {
    let mut badges = Vec::new();
    if matches!(whose, Some(Whose::Employee(employee, _)) if !employee.active) {
        badges.push(Badge::new(Tone::Bad, "left"));
    }
    badges.push(match (person.federated, person.two_factor) {
        (Some(true), _) => Badge::new(Tone::Good, "identity provider"),
        (_, Some(true)) => Badge::new(Tone::Good, "second factor"),
        (_, Some(false)) => Badge::new(Tone::Bad, "password alone"),
        _ => Badge::new(Tone::Calm, "second factor not shown"),
    });
    if person.roles.iter().any(|role| matches!(&*role.entitlement, "admin" | "manage" | "owner")) {
        badges.push(Badge::new(Tone::Warn, "privileged"));
    }
    badges
}

fn lead(person: &Reach) -> String {
    if person.count() == 0 {
        return match person.roles.len() {
            0 => "Holds nothing that was read.".to_owned(),
            roles => format!("Holds {} and reaches no app by it.", count(roles, "role", "roles")),
        };
    }
    format!(
        "Reaches {} and can deploy {}. Below, what is held for the same reason stands together.",
        count(person.count(), "app", "apps"),
        match person.able("deploy") {
            0 => "none of them".to_owned(),
            all if all == person.count() => "all of them".to_owned(),
            some => format!("{} of them", number(some as u64)),
        }
    )
}

fn teams(person: &Reach) -> impl Iterator<Item = &Grant> + Clone {
    person.roles.iter().filter(|role| role.resource.resource_type == ResourceType::Team)
}

fn figures(frame: &Frame, person: &Reach) -> Vec<Figure> {
    let apps = Asked::default();
    let list = |right: &str| {
        let path = format!("/people/{}/apps", segment(&person.principal.id.to_string()));
        let carried = frame.asked.only(&["as_of", "connector"]).pairs();
        let all = carried.iter().fold(apps.clone(), |asked, (name, value)| asked.with(name, value));
        Some(all.with("can", right).at(&path))
    };
    let able = |right: &str| person.able(right) as u64;
    let admin = teams(person).filter(|role| &*role.entitlement == "admin").count() as u64;
    vec![
        Figure::new(person.count() as u64, "apps reached", list("")),
        Figure::new(able("deploy"), "can deploy", list("deploy")),
        Figure::new(able("manage"), "can manage", list("manage")),
        Figure::new(teams(person).count() as u64, "teams", Some("#access".to_owned())),
        Figure::new(admin, "admin of", Some("#access".to_owned())),
        Figure::new(person.credentials as u64, "add-ons’ credentials", Some("#reach".to_owned())),
    ]
}

/// Whose the account is.
fn employee(frame: &Frame, whose: Option<&Whose>) -> Option<(&'static str, Cell)> {
    let cell = match whose? {
        Whose::Employee(employee, by) => {
            let state = if employee.active { "works here" } else { "left" };
            let known = by.map_or("known", |by| matched_by(by.as_str()));
            let below: Vec<&str> =
                [Some(state), employee.title.as_deref(), employee.department.as_deref(), Some(known)]
                    .into_iter()
                    .flatten()
                    .collect();
            Cell::Link(Name::new(&employee.name), String::new(), Some(Name::new(&below.join(", "))))
        }
        Whose::Nobody => Cell::Word("nobody’s".to_owned()),
        Whose::Unknown => {
            let open = frame.asked.only(&["connector"]).with("only", "open").at("/people/employees");
            Cell::Link(Name::new("nobody knows whose"), open, None)
        }
    };
    Some(("Employee", cell))
}

fn facts(frame: &Frame, person: &Reach) -> Vec<(&'static str, Cell)> {
    let said = |flag: Option<bool>| match flag {
        Some(true) => Cell::Text(Name::new("yes")),
        Some(false) => Cell::Text(Name::new("no")),
        None => Cell::Word("not shown".into()),
    };
    let accounts =
        person.roles.iter().filter(|role| role.resource.resource_type == ResourceType::EnterpriseAccount);
    let mut held: BTreeMap<(&str, &HerokuId), Vec<&str>> = BTreeMap::new();
    for role in accounts {
        held.entry((&role.resource.name, &role.resource.id)).or_default().push(&role.entitlement);
    }
    let mut facts = vec![
        ("Second factor", said(person.two_factor)),
        ("Federated", said(person.federated)),
        (
            "Last sign-in",
            person
                .last_login
                .map_or(Cell::Word("not shown".into()), |at| Cell::When(When::new(at, frame.now))),
        ),
    ];
    for ((name, id), permissions) in held {
        let href = frame.object("enterprise-accounts", id, frame.connector());
        let cell = Cell::Link(Name::new(name), href, Some(Name::new(&listed(&permissions))));
        facts.push(("Enterprise account", cell));
    }
    facts.push(("Heroku’s id", Cell::Text(Name::new(&person.principal.id.to_string()))));
    facts
}

fn pending(person: &Reach) -> Table {
    let row = |grant: &Grant| {
        vec![Cell::Text(Name::new(&grant.resource.name)), Cell::Text(Name::new(&grant.entitlement))]
    };
    Table {
        caption: "Pending invitations".to_owned(),
        heads: ["To team", "As"].map(Head::plain).to_vec(),
        rows: person.pending.iter().map(row).collect(),
    }
}

/// The newest open findings that are about the person.
async fn findings(
    call: &Call,
    frame: &Frame,
    person: &Reach,
    connector: Option<&str>,
) -> Result<Table, ApiError> {
    if !frame.may(call, Operation::ListFindings) {
        return Ok(findings_table(frame, &[], &HashMap::new()));
    }
    let states = vec![FindingState::Open, FindingState::Acknowledged, FindingState::Accepted];
    let Some(email) = &person.principal.email else { return Ok(findings_table(frame, &[], &HashMap::new())) };
    let about = Findings { states, person: Some(email.to_string()), ..Findings::default() };
    let estates = call.state.desk.estates(connector).await?;
    let found = listed_findings(&about, estates, None, FINDINGS).await?.rows;
    Ok(findings_table(frame, &found, &titles(call, frame).await?))
}

/// Every app that somebody reaches for one reason, or at all.
pub(super) async fn apps(call: Call) -> Result<Answer, ApiError> {
    let id = call.segment("id").to_owned();
    let frame = Frame::of(&call, "Apps of a person").await?;
    let Single { reading, found } = call.state.desk.reach(frame.single(&id)).await?;
    let connector = reading.connector.as_deref();
    let email = Name::or(found.principal.email.as_deref(), "no address");
    let back = format!("/people/{}", segment(&found.principal.id.to_string()));
    let mut frame = frame.below("People", "/people");
    let href = frame.to(&back);
    frame.crumbs.push(super::frame::Crumb { name: email.clone(), href });
    let frame = frame.here("Apps");
    let own = |name: &str| frame.asked.get(name);
    let words: Vec<String> = own("q").unwrap_or_default().split_whitespace().map(str::to_lowercase).collect();
    let fits = |group: &ReachedGroup| {
        own("team").is_none_or(|wanted| wanted == group.team.as_deref().unwrap_or("-"))
            && own("can").is_none_or(|right| group.holds(right))
            && (own("what").is_none() || {
                let (what, why) = what_and_why(group);
                own("what") == Some(what.as_str()) && own("why").unwrap_or_default() == why
            })
    };
    let fitting: Vec<bool> = found.groups.iter().map(fits).collect();
    let named = |app: &ReachedApp<'_>| {
        words.is_empty() || {
            let name = app.name.to_lowercase();
            words.iter().all(|word| name.contains(word.as_str()))
        }
    };
    let meant = found.apps().filter(|app| fitting.get(app.group) == Some(&true) && named(app));
    let apps: Vec<ReachedApp<'_>> = meant.collect();
    let (from, next) = frame.part(apps.len(), PAGE);
    let lead = match (own("what"), own("why"), own("can")) {
        (Some(what), Some(why), _) => format!("Can {what}. {why}."),
        (_, _, Some(right)) => format!("Apps that they can {}.", Name::new(right).cut),
        _ => "Every app that they reach.".to_owned(),
    };
    let here = frame.asked.without(&["from", "q"]);
    let view = AppsView {
        text: own("q").unwrap_or_default().to_owned(),
        kept: here.pairs(),
        all: if words.is_empty() { String::new() } else { here.at(&frame.path) },
        read: frame.read(std::slice::from_ref(&reading)),
        title: email,
        lead,
        leaves: apps.iter().skip(from).take(PAGE).map(|app| leaf(&frame, app, connector)).collect(),
        tally: count(apps.len(), "app", "apps"),
        next,
        frame,
    };
    shown(StatusCode::OK, &view)
}
