//! Planning a change: to give, to take, or to take everything.
//!
//! A form is turned into the request that the API takes. What it says is read from Heroku and worked out; nothing is changed.
//!
//! Invariant: what stands in the page's address fills the form in and does nothing more.

use askama::Template;
use axum::http::StatusCode;
use metsuke_engine::identity::Operation;
use serde_json::{Value, json};

use crate::answer::{Answer, Body};
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;
use crate::site::asked::{Asked, segment};
use crate::site::connectors::as_json;
use crate::site::frame::{Frame, page as shown};
use crate::site::settings::sent_to;

/// What can be planned: the action, what it is on, and its name.
const SORTS: [(&str, &str, &str); 5] = [
    ("grant", "team", "Give a role in a team"),
    ("grant", "app", "Give rights on an app"),
    ("revoke", "team", "Take a role in a team"),
    ("revoke", "app", "Take rights on an app"),
    ("remove", "", "Remove somebody everywhere"),
];
/// Rights on an app, and what each is.
const RIGHTS: [(&str, &str); 4] = [
    ("view", "view: see it, its add-ons and its activity"),
    ("deploy", "deploy: change its code, and read its config vars"),
    ("operate", "operate: run and scale it, and set its config vars"),
    ("manage", "manage: everything, who has access included"),
];
/// Roles in a team.
const ROLES: [&str; 3] = ["member", "admin", "viewer"];

#[derive(Template)]
#[template(path = "plan_add.html")]
struct View {
    frame: Frame,
    sorts: Vec<(String, &'static str, bool)>,
    title: &'static str,
    fields: Fields,
    rights: Vec<(&'static str, &'static str, bool)>,
    roles: Vec<(&'static str, bool)>,
    told: String,
    hint: String,
    unchanged: String,
    /// The plan was made, by somebody who may not look at plans: its title.
    made: String,
}

/// What the form holds.
struct Fields {
    action: String,
    on: String,
    user: String,
    team: String,
    role: String,
    app: String,
    rights: Vec<&'static str>,
    collaborator: bool,
    reason: String,
    connector: String,
}

impl Fields {
    fn of(text: impl Fn(&str) -> String) -> Self {
        let known =
            |action: &str, on: &str| SORTS.iter().any(|(one, other, _)| *one == action && *other == on);
        let (mut action, mut on) = (text("action"), text("on"));
        if action == "remove" {
            on.clear();
        }
        if !known(&action, &on) {
            let [(first, on_first, _), ..] = SORTS;
            (action, on) = (first.to_owned(), on_first.to_owned());
        }
        let rights = RIGHTS.iter().map(|(right, _)| *right).filter(|right| !text(right).is_empty());
        Self {
            action,
            on,
            user: text("user").trim().to_owned(),
            team: text("team").trim().to_owned(),
            role: text("role"),
            app: text("app").trim().to_owned(),
            rights: rights.collect(),
            collaborator: !text("collaborator").is_empty(),
            reason: text("reason").trim().to_owned(),
            connector: text("connector"),
        }
    }

    /// The request that the API takes.
    fn body(&self) -> Value {
        let mut body = json!({ "action": self.action, "user": self.user });
        let Some(members) = body.as_object_mut() else { return body };
        let mut set = |name: &str, value: Value| _ = members.insert(name.to_owned(), value);
        if !self.connector.is_empty() {
            set("connector", self.connector.as_str().into());
        }
        if !self.reason.is_empty() {
            set("reason", self.reason.as_str().into());
        }
        match self.on.as_str() {
            "team" => {
                set("team", self.team.as_str().into());
                set("role", self.role.as_str().into());
            }
            "app" => {
                set("app", self.app.as_str().into());
                if self.rights.is_empty() {
                    set("collaborator", self.collaborator.into());
                } else {
                    set("permissions", json!(self.rights));
                }
            }
            _ => {}
        }
        body
    }

    /// What is missing, in words; nothing where nothing is.
    fn missing(&self) -> &'static str {
        match self.on.as_str() {
            _ if self.user.is_empty() => "Say whose access it is about.",
            "team" if self.team.is_empty() => "Say which team.",
            "app" if self.app.is_empty() => "Say which app.",
            "app" if self.rights.is_empty() && !self.collaborator => {
                "Choose the rights, or the row as a whole."
            }
            _ => "",
        }
    }
}

fn view(frame: Frame, fields: Fields) -> View {
    let carried = ["user", "team", "role", "app", "reason", "connector"];
    let kept = carried.iter().fold(Asked::default(), |asked, name| {
        let value = match *name {
            "user" => &fields.user,
            "team" => &fields.team,
            "role" => &fields.role,
            "app" => &fields.app,
            "reason" => &fields.reason,
            _ => &fields.connector,
        };
        asked.with(name, value)
    });
    let is = |(action, on, _): &(&str, &str, &str)| fields.action == *action && fields.on == *on;
    let sort = |sort: &(&'static str, &'static str, &'static str)| {
        let (action, on, name) = *sort;
        (kept.with("action", action).with("on", on).at("/provisioning/add"), name, is(sort))
    };
    let chosen = if fields.role.is_empty() { "member" } else { &fields.role };
    View {
        sorts: SORTS.iter().map(sort).collect(),
        title: SORTS.iter().find(|sort| is(sort)).map_or("", |(_, _, name)| name),
        rights: RIGHTS.iter().map(|(right, told)| (*right, *told, fields.rights.contains(right))).collect(),
        roles: ROLES.iter().map(|role| (*role, *role == chosen)).collect(),
        told: String::new(),
        hint: String::new(),
        unchanged: String::new(),
        made: String::new(),
        fields,
        frame,
    }
}

/// Where one plans a change with these fields filled in; empty in the past, and for whoever may not plan.
pub(in crate::site) fn planning(
    call: &Call,
    frame: &Frame,
    connector: Option<&str>,
    fields: &[(&str, &str)],
) -> String {
    if frame.at().is_some() || !frame.may(call, Operation::CreatePlan) {
        return String::new();
    }
    let asked = fields.iter().fold(Asked::default(), |asked, (name, value)| asked.with(name, value));
    asked.with("connector", connector.unwrap_or_default()).at("/provisioning/add")
}

async fn frame(call: &Call) -> Result<Frame, ApiError> {
    Ok(Frame::of(call, "Plan a change").await?.below("Provisioning", "/provisioning").here("Plan"))
}

pub(in crate::site) async fn add(call: Call) -> Result<Answer, ApiError> {
    let frame = frame(&call).await?;
    let asked = frame.asked.clone();
    let fields = Fields::of(|name| asked.get(name).unwrap_or_default().to_owned());
    shown(StatusCode::OK, &view(frame, fields))
}

pub(in crate::site) async fn create(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let frame = frame(&call).await?;
    let fields = Fields::of(|name| form.text(name));
    if !fields.missing().is_empty() {
        let told = fields.missing().to_owned();
        return shown(StatusCode::UNPROCESSABLE_ENTITY, &View { told, ..view(frame, fields) });
    }
    let sees_plans = frame.may(&call, Operation::GetPlan);
    match handle(as_json(call, &fields.body())).await {
        Ok(answer) => {
            let told = read(&answer);
            if let (Some(title), false) =
                (told.pointer("/plan/plan/title").and_then(Value::as_str), sees_plans)
            {
                let made = title.to_owned();
                return shown(StatusCode::CREATED, &View { made, ..view(frame, fields) });
            }
            if let Some(id) = told.pointer("/plan/id").and_then(Value::as_str) {
                return Ok(sent_to(&format!("/provisioning/{}", segment(id))));
            }
            let unchanged = told.get("reason").and_then(Value::as_str).unwrap_or_default().to_owned();
            shown(StatusCode::OK, &View { unchanged, ..view(frame, fields) })
        }
        Err(error) if error.status.is_client_error() => {
            let (told, hint) = (error.message.clone(), error.hint.clone().unwrap_or_default());
            shown(error.status, &View { told, hint, ..view(frame, fields) })
        }
        Err(error) => Err(error),
    }
}

fn read(answer: &Answer) -> Value {
    match &answer.body {
        Body::Whole(body) => serde_json::from_slice(body).unwrap_or_default(),
        Body::Events(_) => Value::Null,
    }
}
