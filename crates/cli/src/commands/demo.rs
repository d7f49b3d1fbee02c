//! `metsuke demo`: the whole product on a made-up company, without a token.
//!
//! It uses the same commands as everybody else, against a simulated Heroku in the same process.
//!
//! Invariant: without `--database` nothing is left behind.

mod deeds;
mod roster;
mod site;
mod story;

use std::net::SocketAddr;
use std::path::Path;

use metsuke_clients::heroku::{Heroku, Settings};
use metsuke_engine::access::{AppAccess, UserAccess, app_access, user_access};
use metsuke_engine::lists;
use metsuke_engine::sync;
use metsuke_simulator::{Options, Simulator, Size};
use metsuke_store::{OpenMode, Snapshot, Store};
use secrecy::SecretString;
use url::Url;

use super::sync::sync_into;
use super::{access, list};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::operator::operator;
use crate::paths::clauses;
use crate::rows;
use crate::text::{paragraph, shown};

/// The company of the demo is always the same.
const SEED: u64 = 7;
/// Apps and people that are looked at for good examples.
const CANDIDATES: usize = 40;
/// People without a second factor who are shown.
const NAMED: usize = 8;

/// Show it all on a made-up company, without a token
///
/// Starts a simulated Heroku with 40 teams, 900 people and 1,200 apps, lets a month pass there, reads it, and serves the
/// pages on this machine until Ctrl-C, with nothing to sign in. With --once it syncs that company, prints the summary and
/// three example answers, and ends.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The database lies in a temporary folder that goes with the demo, unless --database names one.

Examples:
  metsuke demo
  metsuke demo --listen 127.0.0.1:9000
  metsuke demo --once
  metsuke demo --database sqlite:demo.db"
)]
pub(crate) struct Args {
    /// End after printing
    #[arg(long)]
    once: bool,

    /// The address to serve the pages on; port 0 takes any that is free
    ///
    /// Else 127.0.0.1:8080, and any free port where that is taken.
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "once")]
    listen: Option<SocketAddr>,
}

impl Args {
    /// Whether it goes on until it is stopped.
    pub(crate) const fn serves(&self) -> bool {
        !self.once
    }

    /// Shows it.
    ///
    /// # Errors
    ///
    /// What any of its parts met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        // It is gone with this function, unless the database was named.
        let folder = tempfile::tempdir()?;
        let named = context.config.database_flag.clone();
        let database =
            named.unwrap_or_else(|| format!("sqlite:{}", folder.path().join("metsuke.db").display()));
        let simulator = Simulator::local(Options::of(Size::COMPANY).seed(SEED)).await?;
        let own = context.for_demo(database.clone());
        if self.once {
            self::once(&own, &simulator, &database).await?;
        } else {
            let told = |address: &str| to_look(address, &program(), &simulator, &database);
            // Boxed, because every command would be as large otherwise.
            Box::pin(site::serve(&own, &simulator, &database, folder.path(), self.listen, told)).await?;
        }
        simulator.stop().await;
        Ok(Exit::Done)
    }
}

/// Syncs the company, prints what there is to see, and ends.
async fn once(own: &Context, simulator: &Simulator, database: &str) -> anyhow::Result<()> {
    let store = Store::open(database, OpenMode::Create).await?.acting_as(operator());
    refuse_others(&store, simulator).await?;
    tokio::select! {
        shown = show(own, simulator, &store) => shown?,
        // What is under way is dropped: a version that is not committed was never there.
        () = own.cancel.cancelled() => return Err(Failure::new("the demo was stopped before its end").into()),
    }
    let program = program();
    let closing =
        format!("That was a made-up company. `{program} --help` shows the first steps with a real token.");
    Ok(own.output.print(&format!("\n{}\n", paragraph(&closing, 0, own.output.width())))?)
}

/// Keeps the made-up company out of a database that holds a real estate.
async fn refuse_others(store: &Store, simulator: &Simulator) -> anyhow::Result<()> {
    let Some(mut snapshot) = store.snapshot(None).await? else { return Ok(()) };
    let caller = simulator.edit(|world| world.caller_email());
    let users = lists::users(&mut snapshot).await?;
    let own = users.iter().find(|user| user.own_account).and_then(|user| user.email.as_deref());
    if own.is_some() && own == caller.as_deref() {
        return Ok(());
    }
    let message = format!("database `{}` holds an estate that is not the demo's", store.url());
    Err(Failure::new(message).hint("name a new one, or leave --database out").into())
}

async fn show(context: &Context, simulator: &Simulator, store: &Store) -> anyhow::Result<()> {
    let output = context.output;
    let settings = Settings::new(Url::parse(&simulator.url())?, SecretString::from(simulator.token()));
    let heroku = Heroku::new(settings)?;
    output.print(&format!("{}\n", output.heading("$ metsuke sync")))?;
    sync_into(context, &heroku, store, &sync::Settings::default()).await?;
    let mut snapshot = store.snapshot(None).await?.ok_or(metsuke_engine::EngineError::NoVersion)?;
    if let Some(app) = an_app(&mut snapshot).await? {
        let name = app.app.name.clone();
        output.print(&format!("\n{}\n", output.heading(&format!("$ metsuke access app {name}"))))?;
        access::show_app(context, &name).await?;
        if let Some(person) = a_person(&mut snapshot, &app).await? {
            let email = person.principal.email.clone().unwrap_or_default();
            output.print(&format!("\n{}\n", output.heading(&format!("$ metsuke access user {email}"))))?;
            access::show_user(context, &email).await?;
        }
    }
    output.print(&format!("\n{}\n", output.heading("$ metsuke list users --without-second-factor")))?;
    let users = lists::users(&mut snapshot).await?;
    let lacking: Vec<_> = users.into_iter().filter(list::lacks_second_factor).collect();
    let (first, rest) = lacking.split_at(lacking.len().min(NAMED));
    rows::write(output, list::USERS, first)?;
    if !rest.is_empty() {
        output.print(&format!("… and {} more\n", rest.len()))?;
    }
    Ok(())
}

/// An app that shows much: several kinds of paths, an add-on, not too many people.
async fn an_app(snapshot: &mut Snapshot) -> anyhow::Result<Option<AppAccess>> {
    let apps = lists::apps(snapshot).await?;
    let fit =
        apps.into_iter().filter(|app| app.team.is_some() && app.addons > 0 && app.locked == Some(false));
    let mut best: Option<(usize, AppAccess)> = None;
    for app in fit.take(CANDIDATES) {
        let access = app_access(snapshot, &app.id.to_string()).await?;
        let mut kinds: Vec<_> = access.people.iter().map(|person| clauses(&person.held)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let score = if access.people.len() > 80 { 0 } else { kinds.len().min(6) };
        if best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, access));
        }
    }
    Ok(best.map(|(_, access)| access))
}

/// Somebody on that app who holds things for more than one reason.
async fn a_person(snapshot: &mut Snapshot, app: &AppAccess) -> anyhow::Result<Option<UserAccess>> {
    let mut best: Option<(usize, UserAccess)> = None;
    for person in app.people.iter().filter(|person| person.reads_config()).take(CANDIDATES) {
        let access = user_access(snapshot, &person.principal.id.to_string()).await?;
        let mut kinds: Vec<_> = access.apps.iter().map(|app| clauses(&app.held)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let score =
            if access.apps.len() > 30 || access.principal.email.is_none() { 0 } else { kinds.len().min(6) };
        if best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, access));
        }
    }
    Ok(best.map(|(_, access)| access))
}

/// How this program is called from the current folder; it need not be on the path.
fn program() -> String {
    match (std::env::current_exe(), std::env::current_dir()) {
        (Ok(program), Ok(folder)) => called_from(&program, &folder),
        (Ok(program), Err(_)) => quoted(&program.to_string_lossy()),
        (Err(_), _) => "metsuke".into(),
    }
}

/// The program as a shell finds it: relative below the folder, absolute elsewhere.
fn called_from(program: &Path, folder: &Path) -> String {
    match program.strip_prefix(folder) {
        // Without a slash, a shell looks on the path only.
        Ok(below) if below.components().count() == 1 => quoted(&format!("./{}", below.display())),
        Ok(below) => quoted(&below.to_string_lossy()),
        Err(_) => quoted(&program.to_string_lossy()),
    }
}

/// A path as one word of a shell.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+@".contains(c);
    if path.chars().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", shown(path).replace('\'', r"'\''"))
    }
}

fn to_look(address: &str, program: &str, simulator: &Simulator, database: &str) -> String {
    format!(
        "Metsuke shows a made-up company at {address} until Ctrl-C

The commands work on it too. In another terminal, in this folder:

  export METSUKE_DATABASE_URL={database}
  export METSUKE_HEROKU_URL={url}
  export METSUKE_HEROKU_TOKEN={token}
  {program} list apps
  {program} access app NAME
  {program} changes --since 2026-01-01
",
        url = simulator.url(),
        token = simulator.token(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_named_as_a_shell_finds_it() {
        let named = |program: &str, folder: &str| called_from(Path::new(program), Path::new(folder));
        assert_eq!(named("/src/target/release/metsuke", "/src"), "target/release/metsuke");
        assert_eq!(named("/src/target/release/metsuke", "/home"), "/src/target/release/metsuke");
        assert_eq!(named("/opt/metsuke", "/opt"), "./metsuke");
        assert_eq!(named("/my programs/metsuke", "/opt"), "'/my programs/metsuke'");
    }
}
