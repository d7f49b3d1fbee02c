//! Adding a connector: what there is to connect, then its owner and its settings, with the token tried before it is saved; and the
//! same as the second step of setting an installation up.
//!
//! A form is turned into the request that the API takes, so that both are judged and checked alike.
//!
//! Invariant: a token that somebody typed is in no page.

use askama::Template;
use axum::http::{HeaderName, StatusCode};
use serde_json::json;

use super::connector_settings::{APPROVALS, INTERVALS, polling};
use super::connectors::{Tried, as_json, member, tried};
use super::frame::{Frame, page as shown};
use super::settings::{Said, sent_to};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;

const HERE: &str = "/connectors/add/heroku";
const SETUP: &str = "/setup/heroku";
/// The header with which the script asks for what a token is good for alone.
const PART: HeaderName = HeaderName::from_static("x-part");

/// Something that estates or people come from.
struct Kind {
    name: &'static str,
    what: &'static str,
    /// Where it is connected; empty for what comes in by a command.
    href: &'static str,
    command: &'static str,
    /// Further words that it is found by.
    words: &'static str,
}

/// All of them.
const KINDS: [Kind; 3] = [
    Kind {
        name: "Heroku",
        what: "Enterprise accounts, teams, people, apps, add-ons and who can do what; by an API token, on a schedule.",
        href: HERE,
        command: "",
        words: "salesforce platform paas app team enterprise dyno api token",
    },
    Kind {
        name: "Employees",
        what: "A roster of the people of the company, against which accounts are matched: a CSV file, SCIM, or Okta.",
        href: "/people/employees/add",
        command: "metsuke people import",
        words: "roster people hr leavers okta scim csv workday identity",
    },
    Kind {
        name: "C1Z file",
        what: "What another connector of the Baton ecosystem has synced, held against what was read here. Nothing of it is taken over.",
        href: "",
        command: "metsuke import c1z",
        words: "baton conductorone c1 sync file import compare",
    },
];

#[derive(Template)]
#[template(path = "connector_kinds.html")]
struct Kinds {
    frame: Frame,
    text: String,
    found: Vec<&'static Kind>,
    steps: Vec<Step>,
}

/// A step of a way that somebody goes.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) current: bool,
    pub(crate) done: bool,
}

/// The steps of a way, of which one is being taken.
fn steps(names: &[&'static str], at: usize) -> Vec<Step> {
    let step = |(place, name): (usize, &&'static str)| Step { name, current: place == at, done: place < at };
    names.iter().enumerate().map(step).collect()
}

const ADDING: [&str; 4] = ["Search", "Owner", "Settings", "Save"];
const SETTING_UP: [&str; 3] = ["You", "Heroku", "First sync"];

/// The steps of setting an installation up, of which one is being taken.
pub(crate) fn setting_up(at: usize) -> Vec<Step> {
    steps(&SETTING_UP, at)
}

#[derive(Template)]
#[template(path = "connector_add.html")]
struct Add {
    frame: Frame,
    steps: Vec<Step>,
    fields: Fields,
    said: Said,
    tried: Option<Tried>,
    action: &'static str,
    first: bool,
}

/// What a token is good for, alone.
#[derive(Template)]
#[template(path = "part/tried.html")]
struct Part {
    tried: Tried,
}

/// What the form held; never the token.
#[derive(Default)]
struct Fields {
    name: String,
    owner: String,
    description: String,
    interval: String,
    hour: String,
    cron: String,
    time_zone: String,
    tag_account_name: String,
    tag_production: bool,
    provisioning: bool,
    approval: String,
    api_url: String,
}

impl Add {
    /// Whether the connector is to read so often.
    fn reads(&self, interval: &str) -> bool {
        self.fields.interval == interval
    }

    /// Whether plans are to be approved so.
    fn asks(&self, demand: &str) -> bool {
        self.fields.approval == demand
    }
}

/// What there is to connect.
pub(super) async fn kinds(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Add connector").await?;
    let frame = frame.below("Connectors", "/connectors").here("Add connector");
    let text = frame.asked.get("q").unwrap_or_default().to_owned();
    let words: Vec<String> = text.to_lowercase().split_whitespace().map(ToOwned::to_owned).collect();
    let fits = |kind: &&Kind| {
        let all = format!("{} {} {}", kind.name, kind.what, kind.words).to_lowercase();
        words.iter().all(|word| all.contains(word))
    };
    let found = KINDS.iter().filter(fits).collect();
    shown(StatusCode::OK, &Kinds { frame, text, found, steps: steps(&ADDING, 0) })
}

async fn add_frame(call: &Call) -> Result<Frame, ApiError> {
    if call.uri.path() == SETUP {
        return Ok(Frame::of(call, "Connect Heroku").await?.here("Setting up"));
    }
    let frame = Frame::of(call, "Connect Heroku").await?.below("Connectors", "/connectors");
    Ok(frame.below("Add connector", "/connectors/add").here("Heroku"))
}

async fn view(
    call: &Call,
    status: StatusCode,
    fields: Fields,
    said: Said,
    tried: Option<Tried>,
) -> Result<Answer, ApiError> {
    let frame = add_frame(call).await?;
    let first = call.uri.path() == SETUP;
    let steps = if first { setting_up(1) } else { steps(&ADDING, 1) };
    let action = if first { SETUP } else { HERE };
    shown(status, &Add { frame, steps, fields, said, tried, action, first })
}

/// The form.
pub(super) async fn add(call: Call) -> Result<Answer, ApiError> {
    let fields = Fields {
        name: if call.uri.path() == SETUP { "Heroku".to_owned() } else { String::new() },
        owner: call.caller()?.person.clone().unwrap_or_default(),
        interval: "ONE_HOUR".to_owned(),
        time_zone: "UTC".to_owned(),
        approval: "none".to_owned(),
        ..Fields::default()
    };
    view(&call, StatusCode::OK, fields, Said::default(), None).await
}

impl Fields {
    fn read(form: &Form) -> Self {
        Self {
            name: form.text("name"),
            owner: form.text("owner"),
            description: form.text("description"),
            interval: form.text("polling_interval"),
            hour: form.text("hour"),
            cron: form.text("cron"),
            time_zone: form.text("time_zone"),
            tag_account_name: form.text("tag_account_name"),
            tag_production: !form.text("tag_production").is_empty(),
            provisioning: !form.text("provisioning").is_empty(),
            approval: some(&form.text("approval")).unwrap_or_else(|| "none".to_owned()),
            api_url: form.text("api_url"),
        }
    }
}

/// What was typed into a field, where something was.
fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Tries the token, or saves the connector.
pub(super) async fn create(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let fields = Fields::read(&form);
    if !form.text("check").is_empty() {
        let tried = tried(&call, &fields.api_url, form.secret("api_token")).await;
        if call.headers.contains_key(PART) {
            return shown(StatusCode::OK, &Part { tried });
        }
        return view(&call, StatusCode::OK, fields, Said::default(), Some(tried)).await;
    }
    let mut body = json!({
        "name": fields.name,
        "owner": fields.owner,
        "description": fields.description,
        "polling_interval": polling(&fields.interval, &fields.hour, "", &fields.cron, &fields.time_zone),
        "tag_account_name": some(&fields.tag_account_name),
        "tag_production": fields.tag_production,
        "provisioning": fields.provisioning,
        "approval": fields.approval,
        "api_token": form.text("api_token"),
    });
    if let (Some(members), Some(api_url)) = (body.as_object_mut(), some(&fields.api_url)) {
        members.insert("api_url".into(), api_url.into());
    }
    let asking = call.clone();
    match handle(as_json(call, &body)).await {
        Ok(answer) => {
            let id = member(&answer, "id").unwrap_or_default();
            Ok(sent_to(&format!("/connectors/{id}")))
        }
        Err(error) if error.status.is_client_error() => {
            view(&asking, error.status, fields, Said::of(&error), None).await
        }
        Err(error) => Err(error),
    }
}
