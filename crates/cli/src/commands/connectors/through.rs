//! Connectors of a server.

use std::time::Duration;

use metsuke_clients::server::Content;
use metsuke_engine::connectors::Settings;
use serde_json::{Value, json};

use super::lines::{ConnectorLine, LogLine, RunLine};
use super::{AddArgs, Command, DeleteArgs, EditArgs, lines, show, upload};
use crate::args::Format;
use crate::config::spelled;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::question::{agreed, can_ask};
use crate::remote::Remote;
use crate::rows;
use crate::text::{number, shown};

/// How often a sync is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Does it.
///
/// # Errors
///
/// What the server or stdout said.
pub(super) async fn run(command: Command, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
    let all: Vec<ConnectorLine> = remote.rows(&["connectors"], Vec::new(), usize::MAX).await?;
    let id = |asked: &str| {
        let is = |line: &&ConnectorLine| line.is_called(asked);
        let missing = || Failure::new(format!("there is no connector `{asked}`"));
        all.iter().find(is).map(ConnectorLine::id).ok_or_else(missing)
    };
    match command {
        Command::List => {
            rows::write(context.output, lines::CONNECTORS, &all)?;
            Ok(Exit::Done)
        }
        Command::Show(one) => {
            let shown: Value = remote.get(&["connectors", &id(&one.connector)?], Vec::new()).await?;
            show::told(context, shown)
        }
        Command::Add(args) => add(context, remote, *args).await,
        Command::Edit(args) => {
            let id = id(&args.connector)?;
            edit(context, remote, &id, *args).await
        }
        Command::Test(one) => test(context, &done(remote, &id(&one.connector)?, "test").await?),
        Command::Pause(one) => show::told(context, done(remote, &id(&one.connector)?, "pause").await?),
        Command::Resume(one) => show::told(context, done(remote, &id(&one.connector)?, "resume").await?),
        Command::Sync(one) => sync(context, remote, &id(&one.connector)?).await,
        Command::Upload(one) => upload::there(context, remote, &id(&one.connector)?).await,
        Command::Runs(args) => {
            let path = ["connectors", &id(&args.connector)?, "runs"];
            let runs: Vec<RunLine> = remote.rows(&path, Vec::new(), args.limit as usize).await?;
            rows::write(context.output, lines::RUNS, &runs)?;
            Ok(Exit::Done)
        }
        Command::Logs(args) => {
            if args.follow {
                return Err(Failure::usage("a log is not followed through a server")
                    .hint("`GET /api/v1/connectors/{id}/logs` as `text/event-stream` does")
                    .into());
            }
            let path = ["connectors", &id(&args.connector)?, "logs"];
            let query = args.run.map(|run| ("run", run)).into_iter().collect();
            let told: Vec<LogLine> = remote.rows(&path, query, usize::MAX).await?;
            rows::write(context.output, lines::LOGS, &told)?;
            Ok(Exit::Done)
        }
        Command::Delete(args) => {
            let id = id(&args.connector)?;
            delete(context, remote, &id, &args).await
        }
    }
}

async fn done(remote: &Remote, id: &str, what: &str) -> anyhow::Result<Value> {
    remote.send("POST", &["connectors", id, what], Vec::new(), Content::Nothing).await
}

async fn add(context: &Context, remote: &Remote, args: AddArgs) -> anyhow::Result<Exit> {
    let token = context.config.token(args.token_file.as_deref())?;
    let mut settings = Settings::default();
    args.settings.apply(&mut settings)?;
    let mut ask = json!(settings);
    ask["name"] = json!(args.name);
    ask["api_token"] = json!(spelled(&token.value));
    if let Some(key) = args.settings.jupiterone_key()? {
        ask["jupiterone_key"] = json!(spelled(&key));
    }
    show::told(context, remote.post(&["connectors"], ask).await?)
}

async fn edit(context: &Context, remote: &Remote, id: &str, args: EditArgs) -> anyhow::Result<Exit> {
    let path = ["connectors", id];
    let before: Value = remote.get(&path, Vec::new()).await?;
    let mut settings: Settings = serde_json::from_value(before)?;
    args.settings.apply(&mut settings)?;
    let mut ask = json!(settings);
    if let Some(name) = args.name {
        ask["name"] = json!(name);
    }
    if let Some(file) = args.token_file.as_deref() {
        ask["api_token"] = json!(spelled(&context.config.token(Some(file))?.value));
    }
    if let Some(key) = args.settings.jupiterone_key()? {
        ask["jupiterone_key"] = json!(spelled(&key));
    }
    show::told(context, remote.send("PATCH", &path, Vec::new(), Content::Json(ask)).await?)
}

fn test(context: &Context, probe: &Value) -> anyhow::Result<Exit> {
    let exit = if probe["ok"] == true { Exit::Done } else { Exit::Partial };
    if context.output.format != Format::Table {
        context.output.document(probe)?;
        return Ok(exit);
    }
    let text = |name: &str| probe[name].as_str().unwrap_or("?").to_owned();
    let words = |name: &str| {
        let words = probe[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        words.collect::<Vec<_>>().join(" ")
    };
    let counted = |name: &str| probe[name].as_u64().map_or_else(|| "?".to_owned(), number);
    let mut told = format!(
        "account       {}\nscopes        {}\nteams         {}\nenterprises   {}\napps          {}\n",
        shown(&text("account_email")),
        shown(&words("scopes")),
        counted("teams"),
        counted("enterprise_accounts"),
        counted("apps"),
    );
    for problem in probe["problems"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        told = format!("{told}problem       {}\n", shown(problem));
    }
    context.output.print(&told)?;
    Ok(exit)
}

/// Asks for a sync and waits for its end.
async fn sync(context: &Context, remote: &Remote, id: &str) -> anyhow::Result<Exit> {
    let asked = done(remote, id, "sync").await?;
    let run = asked["id"].as_str().unwrap_or_default().to_owned();
    let ended = async {
        loop {
            let now: Value = remote.get(&["connectors", id, "runs", &run], Vec::new()).await?;
            if !now["finished_at"].is_null() {
                return anyhow::Ok(now);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let Some(ended) = context.cancel.run_until_cancelled(ended).await else {
        done(remote, id, "cancel").await?;
        return Err(Failure::new("the sync was asked to stop").into());
    };
    let ended = ended?;
    show::told(context, remote.get(&["connectors", id], Vec::new()).await?)?;
    Ok(match ended["status"].as_str() {
        Some("complete") => Exit::Done,
        Some("partial" | "quarantined") => Exit::Partial,
        _ => Exit::Failure,
    })
}

async fn delete(context: &Context, remote: &Remote, id: &str, args: &DeleteArgs) -> anyhow::Result<Exit> {
    if !args.yes {
        let asked =
            format!("Remove `{}` with its token and all that is known of its estate?", args.connector);
        if !can_ask() {
            let message = "nobody is there to be asked whether the connector is to be removed";
            return Err(Failure::usage(message).hint("say it with --yes").into());
        }
        if !agreed(&asked)? {
            return Err(Failure::new("nothing was removed").into());
        }
    }
    let removal: Value = remote.send("DELETE", &["connectors", id], Vec::new(), Content::Nothing).await?;
    if context.output.format != Format::Table {
        context.output.document(&removal)?;
        return Ok(Exit::Done);
    }
    let counted = |name: &str| number(removal[name].as_u64().unwrap_or_default());
    context.output.print(&format!(
        "removed `{}`: {} objects, {} rows of access and {} versions of its estate, with its token and schedule\n\
         its audit trail stays, and keeps this hash of what was there: {}\n",
        shown(removal["name"].as_str().unwrap_or_default()),
        counted("entities"),
        counted("grants"),
        counted("versions"),
        removal["fingerprint"].as_str().unwrap_or_default(),
    ))?;
    Ok(Exit::Done)
}
