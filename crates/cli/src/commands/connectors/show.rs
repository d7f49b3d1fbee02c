//! One connector, one trial of a token, one removal: printed whole.

use metsuke_engine::connectors::{Connector, Probe, Removal};
use serde_json::{Value, json};

use crate::args::Format;
use crate::context::Context;
use crate::failure::Exit;
use crate::text::{number, shown, time};

/// Prints a connector.
pub(super) fn connector(context: &Context, connector: &Connector) -> anyhow::Result<Exit> {
    let settings = &connector.settings;
    if context.output.format != Format::Table {
        let mut document = json!(settings);
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
        context.output.document(&document)?;
        return Ok(Exit::Done);
    }
    let skipped: Vec<_> = settings.skip.iter().map(|skip| skip.as_str()).collect();
    let rows = [
        ("name", connector.name.clone()),
        ("id", connector.id.to_string()),
        ("state", format!("{}: {}", connector.state, connector.reason)),
        ("owner", settings.owner.clone()),
        ("co-owners", settings.co_owners.join(", ")),
        ("description", settings.description.clone()),
        ("api url", settings.api_url.clone()),
        ("account", connector.account.clone().unwrap_or_default()),
        ("token set", connector.token_set_at.map(time).unwrap_or_default()),
        ("syncs", settings.polling_interval.to_string()),
        ("next sync", connector.next_sync_at.map(time).unwrap_or_default()),
        ("not read", skipped.join(", ")),
        ("tagged", settings.tag_account_name.clone().unwrap_or_default()),
        ("production", if settings.tag_production { "yes" } else { "no" }.to_owned()),
        ("provisioning", if settings.provisioning { "on" } else { "off" }.to_owned()),
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
