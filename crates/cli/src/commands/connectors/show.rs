//! One connector, one trial of a token, one removal: printed whole.

use metsuke_engine::connectors::{Connector, Probe, Removal};
use metsuke_engine::schedule::Polling;
use metsuke_model::Moment;
use serde_json::{Value, json};

use crate::args::Format;
use crate::context::Context;
use crate::failure::Exit;
use crate::text::{number, shown, time};

/// Prints a connector.
pub(super) fn connector(context: &Context, connector: &Connector) -> anyhow::Result<Exit> {
    let mut document = json!(connector.settings);
    if let Value::Object(members) = &mut document {
        members.extend([
            ("id".into(), json!(connector.id)),
            ("name".into(), json!(connector.name)),
            ("kind".into(), json!(Connector::KIND)),
            ("state".into(), json!(connector.state)),
            ("reason".into(), json!(connector.reason)),
            ("edition".into(), json!(connector.edition)),
            ("account".into(), json!(connector.account)),
            ("created_at".into(), json!(connector.created_at)),
            ("changed_at".into(), json!(connector.changed_at)),
            ("paused_at".into(), json!(connector.paused_at)),
            ("token_set_at".into(), json!(connector.token_set_at)),
            ("next_sync_at".into(), json!(connector.next_sync_at)),
        ]);
    }
    told(context, document)
}

/// Prints a connector as a document tells it.
pub(super) fn told(context: &Context, mut document: Value) -> anyhow::Result<Exit> {
    if let Some(members) = document.as_object_mut() {
        members.retain(|name, _| name != "open_run" && name != "last_run");
    }
    if context.output.format != Format::Table {
        context.output.document(&document)?;
        return Ok(Exit::Done);
    }
    let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
    let list = |name: &str| {
        let words = document[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        words.collect::<Vec<_>>().join(", ")
    };
    let moment = |name: &str| Moment::parse(&text(name)).map(time).unwrap_or_default();
    let choice = |name: &str, yes: &str, no: &str| if document[name] == true { yes } else { no }.to_owned();
    let polling = Polling::parse(&document["polling_interval"]);
    let rows = [
        ("name", text("name")),
        ("id", text("id")),
        ("state", format!("{}: {}", text("state"), text("reason"))),
        ("owner", text("owner")),
        ("co-owners", list("co_owners")),
        ("description", text("description")),
        ("api url", text("api_url")),
        ("account", text("account")),
        ("token set", moment("token_set_at")),
        ("syncs", polling.map(|polling| polling.to_string()).unwrap_or_default()),
        ("next sync", moment("next_sync_at")),
        ("not read", list("skip")),
        ("tagged", text("tag_account_name")),
        ("production", choice("tag_production", "yes", "no")),
        ("provisioning", choice("provisioning", "on", "off")),
        ("approval", text("approval")),
    ];
    let told = rows.iter().filter(|(_, value)| !value.is_empty());
    let lines: Vec<_> = told.map(|(name, value)| format!("{name:13} {}\n", shown(value))).collect();
    context.output.print(&lines.concat())?;
    Ok(Exit::Done)
}

/// Prints what a token is good for.
pub(super) fn probe(context: &Context, probe: &Probe) -> anyhow::Result<Exit> {
    let exit = if probe.problems.is_empty() { Exit::Done } else { Exit::Partial };
    if context.output.format != Format::Table {
        context.output.document(probe)?;
        return Ok(exit);
    }
    let count = |count: Option<u64>| count.map_or_else(|| "?".to_owned(), number);
    let more = if probe.more_apps { " and more" } else { "" };
    let mut text = format!(
        "account       {}\nscopes        {}\nteams         {}\nenterprises   {}\napps          {}{more}\n",
        shown(probe.account_email.as_deref().unwrap_or(&probe.account_id)),
        shown(&probe.scopes.join(" ")),
        count(probe.teams),
        count(probe.enterprise_accounts),
        count(probe.apps),
    );
    for problem in &probe.problems {
        text = format!("{text}problem       {}\n", shown(problem));
    }
    context.output.print(&text)?;
    Ok(exit)
}

/// Prints what went with a connector.
pub(super) fn removal(context: &Context, removal: &Removal) -> anyhow::Result<Exit> {
    if context.output.format != Format::Table {
        context.output.document(removal)?;
        return Ok(Exit::Done);
    }
    context.output.print(&format!(
        "removed `{}`: {} objects, {} rows of access and {} versions of its estate, with its token and schedule\n\
         its audit trail stays, and keeps this hash of what was there: {}\n",
        shown(&removal.name),
        number(removal.entities),
        number(removal.grants),
        number(removal.versions),
        removal.fingerprint,
    ))?;
    Ok(Exit::Done)
}
