//! The settings of one connector: everything that its owner can change of it, in one form.
//!
//! Invariant: what somebody else has changed meanwhile is not written over: the form says which edition it was filled from. A key
//! that somebody typed is in no page.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use metsuke_engine::connectors::{AfterSync, Connector, Settings};
use metsuke_engine::schedule::{OWN_DAY, OWN_HOUR, Polling};
use metsuke_engine::sync::Skip;
use metsuke_model::ConnectorId;
use serde_json::{Map, Value, json};

use super::connectors::as_json;
use super::frame::{Crumb, Frame, page as shown};
use super::settings::{Said, sent_to};
use super::words::Name;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;

/// Intervals, and how they are told.
pub(super) const INTERVALS: [(&str, &str); 10] = [
    ("FIFTEEN_MINUTES", "every 15 minutes"),
    ("THIRTY_MINUTES", "every 30 minutes"),
    ("ONE_HOUR", "every hour"),
    ("FOUR_HOURS", "every 4 hours"),
    ("EIGHT_HOURS", "every 8 hours"),
    ("TWELVE_HOURS", "every 12 hours"),
    ("ONE_DAY", "once a day"),
    ("ONE_WEEK", "once a week"),
    (CRON, "by a cron expression"),
    ("DISABLED", "only by hand"),
];
/// Which plans a second person approves, and how that is told.
pub(super) const APPROVALS: [(&str, &str); 3] = [
    ("none", "nobody: whoever applies a plan approves it"),
    ("sensitive", "a second person, where it makes an admin, gives manage, or has more than 10 steps"),
    ("every", "a second person, always"),
];
/// What a form calls a cron expression.
const CRON: &str = "CRON";
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

#[derive(Template)]
#[template(path = "connector_settings.html")]
struct View {
    frame: Frame,
    id: String,
    said: Said,
    fields: Fields,
    days: [&'static str; 7],
    skips: Vec<Part>,
}

/// A part of an estate that may be left out.
struct Part {
    word: &'static str,
    name: &'static str,
    what: &'static str,
    read: bool,
}

/// What the form holds; never a key.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a box that somebody ticks")]
struct Fields {
    name: String,
    owner: String,
    co_owners: String,
    description: String,
    api_url: String,
    tag_account_name: String,
    tag_production: bool,
    provisioning: bool,
    approval: String,
    interval: String,
    hour: String,
    day: String,
    cron: String,
    time_zone: String,
    skip: Vec<&'static str>,
    upload: bool,
    account: String,
    instance: String,
    scope: String,
    upload_url: String,
    export: bool,
    file: String,
    edition: String,
}

impl View {
    /// Whether the connector reads so often.
    fn reads(&self, interval: &str) -> bool {
        self.fields.interval == interval
    }

    /// Whether this is what is asked of its plans.
    fn asks(&self, demand: &str) -> bool {
        self.fields.approval == demand
    }

    /// Whether it is this day of the week.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass what they count by reference")]
    fn is_day(&self, number: &usize) -> bool {
        self.fields.day == number.to_string()
    }
}

fn id(call: &Call) -> Result<ConnectorId, ApiError> {
    let asked = call.segment("id");
    asked.parse().map_err(|_| ApiError::not_found(format!("there is no connector `{asked}`")))
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let connector = call.state.desk.installation().connector(id(&call)?).await?;
    let fields = Fields::of(&connector);
    view(&call, &connector, StatusCode::OK, Said::default(), fields).await
}

async fn view(
    call: &Call,
    connector: &Connector,
    status: StatusCode,
    said: Said,
    fields: Fields,
) -> Result<Answer, ApiError> {
    let frame = Frame::of(call, "Settings of a connector").await?.below("Connectors", "/connectors");
    let mut frame = frame;
    let href = frame.to(&format!("/connectors/{}", connector.id));
    frame.crumbs.push(Crumb { name: Name::new(&connector.name), href });
    let frame = frame.here("Settings");
    let skips = Skip::ALL.map(|skip| part(skip, !fields.skip.contains(&skip.as_str()))).into();
    let id = connector.id.to_string();
    shown(status, &View { frame, id, said, fields, days: DAYS, skips })
}

fn part(skip: Skip, read: bool) -> Part {
    let (name, what) = match skip {
        Skip::AddOns => ("Add-ons and attachments", "which databases and services an app reaches"),
        Skip::Pipelines => ("Pipelines", "which apps are stages of one product"),
        Skip::Spaces => ("Private spaces", "where apps run, and who may manage that"),
        Skip::Invitations => ("Invitations", "who was invited to a team and has not come yet"),
    };
    Part { word: skip.as_str(), name, what, read }
}

impl Fields {
    /// What a connector is set to.
    fn of(connector: &Connector) -> Self {
        let settings: &Settings = &connector.settings;
        let AfterSync { jupiterone, c1z } = &settings.after_sync;
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        let mut fields = Self {
            name: connector.name.clone(),
            owner: settings.owner.clone(),
            co_owners: settings.co_owners.join("\n"),
            description: settings.description.clone(),
            api_url: settings.api_url.clone(),
            tag_account_name: text(settings.tag_account_name.as_ref()),
            tag_production: settings.tag_production,
            provisioning: settings.provisioning,
            approval: settings.approval.as_str().to_owned(),
            skip: settings.skip.iter().map(|skip| skip.as_str()).collect(),
            upload: jupiterone.is_some(),
            export: c1z.is_some(),
            file: text(c1z.as_ref().map(|export| &export.file)),
            edition: connector.edition.to_string(),
            time_zone: "UTC".to_owned(),
            hour: OWN_HOUR.to_string(),
            day: OWN_DAY.to_string(),
            ..Self::default()
        };
        if let Some(upload) = jupiterone {
            fields.account.clone_from(&upload.account);
            fields.instance = text(upload.instance.as_ref());
            fields.scope = text(upload.scope.as_ref());
            fields.upload_url = text(upload.api_url.as_ref());
        }
        fields.polls(&settings.polling_interval);
        fields
    }

    fn polls(&mut self, polling: &Polling) {
        match polling {
            Polling::Daily { hour } => self.hour = hour.unwrap_or(OWN_HOUR).to_string(),
            Polling::Weekly { day, hour } => {
                self.day = day.unwrap_or(OWN_DAY).to_string();
                self.hour = hour.unwrap_or(OWN_HOUR).to_string();
            }
            Polling::Cron { expression, time_zone } => {
                self.cron.clone_from(expression);
                self.time_zone.clone_from(time_zone);
            }
            Polling::Disabled | Polling::Every(_) => {}
        }
        let document = polling.document();
        let name = document.as_str().or_else(|| document.get("interval")?.as_str());
        name.unwrap_or(CRON).clone_into(&mut self.interval);
    }

    /// What somebody has filled in.
    fn read(form: &Form) -> Self {
        let ticked = |name: &str| !form.text(name).is_empty();
        let left_out = |skip: &Skip| !ticked(&format!("read_{}", skip.as_str()));
        Self {
            name: form.text("name"),
            owner: form.text("owner"),
            co_owners: form.text("co_owners"),
            description: form.text("description"),
            api_url: form.text("api_url"),
            tag_account_name: form.text("tag_account_name"),
            tag_production: ticked("tag_production"),
            provisioning: ticked("provisioning"),
            approval: form.text("approval"),
            interval: form.text("polling_interval"),
            hour: form.text("hour"),
            day: form.text("day_of_week"),
            cron: form.text("cron"),
            time_zone: form.text("time_zone"),
            skip: Skip::ALL.iter().filter(|skip| left_out(skip)).map(|skip| skip.as_str()).collect(),
            upload: ticked("upload"),
            account: form.text("account"),
            instance: form.text("instance"),
            scope: form.text("scope"),
            upload_url: form.text("upload_url"),
            export: ticked("export"),
            file: form.text("file"),
            edition: form.text("edition"),
        }
    }

    /// The request that the API takes for it.
    fn body(&self, key: &str) -> Value {
        let some = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let owners = self.co_owners.split([',', '\n', '\r', ' ']).filter_map(some);
        let co_owners: Vec<String> = owners.collect();
        let jupiterone = self.upload.then(|| {
            json!({
                "account": self.account.trim(),
                "instance": some(&self.instance),
                "scope": some(&self.scope),
                "api_url": some(&self.upload_url),
            })
        });
        let c1z = self.export.then(|| json!({ "file": self.file.trim() }));
        let mut body = json!({
            "name": self.name,
            "owner": self.owner.trim(),
            "co_owners": co_owners,
            "description": self.description,
            "api_url": self.api_url.trim(),
            "tag_account_name": some(&self.tag_account_name),
            "tag_production": self.tag_production,
            "provisioning": self.provisioning,
            "polling_interval": polling(&self.interval, &self.hour, &self.day, &self.cron, &self.time_zone),
            "skip": self.skip,
            "after_sync": { "jupiterone": jupiterone, "c1z": c1z },
        });
        // What a form does not have stays as it is.
        let told = [("approval", &*self.approval), ("jupiterone_key", key)];
        for (name, value) in told.into_iter().filter(|(_, value)| !value.is_empty()) {
            if let Some(members) = body.as_object_mut() {
                members.insert(name.into(), value.into());
            }
        }
        body
    }
}

/// An interval, as the API takes it; what does not belong to it is left out.
pub(super) fn polling(interval: &str, hour: &str, day: &str, cron: &str, time_zone: &str) -> Value {
    // What is no number is passed on, so that the API says what is wrong with it.
    let number = |text: &str| text.trim().parse::<u8>().map_or_else(|_| Value::from(text), Value::from);
    let mut members = Map::new();
    match interval {
        CRON => {
            members.insert("cron".into(), cron.trim().into());
            members.insert("time_zone".into(), time_zone.trim().into());
        }
        "ONE_DAY" | "ONE_WEEK" => {
            members.insert("interval".into(), interval.into());
            if !hour.trim().is_empty() {
                members.insert("hour".into(), number(hour));
            }
            if interval == "ONE_WEEK" && !day.is_empty() {
                members.insert("day_of_week".into(), number(day));
            }
        }
        other => return other.into(),
    }
    Value::Object(members)
}

pub(super) async fn save(call: Call) -> Result<Answer, ApiError> {
    let connector = call.state.desk.installation().connector(id(&call)?).await?;
    let form = Form::read(&call.body);
    let fields = Fields::read(&form);
    let (asking, place) = (call.clone(), format!("/connectors/{}", connector.id));
    let mut call = as_json(call, &fields.body(&form.text("jupiterone_key")));
    let edition: String = fields.edition.chars().filter(char::is_ascii_digit).collect();
    let edition = HeaderValue::from_str(&format!("\"{edition}-form\""));
    call.headers.extend(edition.ok().map(|edition| (header::IF_MATCH, edition)));
    match handle(call).await {
        Ok(_) => Ok(sent_to(&format!("{place}?done=settings"))),
        Err(error) if error.status.is_client_error() => {
            view(&asking, &connector, error.status, Said::of(&error), fields).await
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_sent_with_what_belongs_to_it_alone() {
        let sent = |interval| polling(interval, "5", "1", "0 6 * * 1-5", "Europe/Berlin");
        assert_eq!(sent("ONE_HOUR"), json!("ONE_HOUR"));
        assert_eq!(sent("ONE_DAY"), json!({ "interval": "ONE_DAY", "hour": 5 }));
        assert_eq!(sent("ONE_WEEK"), json!({ "interval": "ONE_WEEK", "hour": 5, "day_of_week": 1 }));
        assert_eq!(sent("CRON"), json!({ "cron": "0 6 * * 1-5", "time_zone": "Europe/Berlin" }));
        for (interval, _) in INTERVALS {
            assert!(Polling::parse(&sent(interval)).is_ok(), "{interval}");
        }
    }

    #[test]
    fn what_a_connector_polls_by_stands_in_its_form() {
        for (interval, _) in INTERVALS {
            let polling = Polling::parse(&polling(interval, "5", "1", "0 6 * * 1-5", "UTC")).unwrap();
            let mut fields = Fields::default();
            fields.polls(&polling);
            assert_eq!(fields.interval, interval);
        }
    }
}
