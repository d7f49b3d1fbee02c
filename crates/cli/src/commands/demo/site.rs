//! The demonstration in a browser: the server as everybody runs it, on the made-up company, with some weeks behind it.
//!
//! What happens to the company in those weeks is [`story`](super::story)'s to tell.
//!
//! Invariant: whoever looks from this machine is the demonstration's admin, and nobody else is anybody.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use metsuke_engine::alerts::{Courier, Evaluator};
use metsuke_engine::changes::{Recorder, Watch};
use metsuke_engine::connectors::{Installation, NewConnector, Settings};
use metsuke_engine::desk::Desk;
use metsuke_engine::identity::{AccountAsk, Once, People, Role, Tokens};
use metsuke_engine::seal::SealFile;
use metsuke_engine::supervisor::Supervisor;
use metsuke_model::{Clock, ConnectorId, Moment, SystemClock};
use metsuke_simulator::{Allowance, Simulator};
use metsuke_store::{OpenMode, Store};
use metsuke_web::{Guest, Limits, Place, Server, Services};
use secrecy::SecretString;
use tokio::task::JoinSet;

use super::deeds;
use super::roster;
use super::story::{CHAPTERS, Cast, Deeds};
use crate::commands::doctor::Practice;
use crate::commands::serve::Written;
use crate::context::Context;
use crate::failure::Failure;
use crate::operator::operator;

/// Where it listens where nobody says where.
const USUAL: &str = "127.0.0.1:8080";
/// Whoever looks is signed in as.
const ADMIN: &str = "admin@metsuke.example";
const MICROS: i64 = 1_000_000;

/// The machine's clock, set back by some time.
#[derive(Debug, Default)]
struct StoryClock(AtomicI64);

impl Clock for StoryClock {
    fn now(&self) -> Moment {
        Moment(SystemClock.now().0 - self.0.load(Ordering::SeqCst))
    }
}

/// Serves the company until somebody asks it to stop.
///
/// # Errors
///
/// What the address or the database said.
pub(super) async fn serve(
    context: &Context,
    simulator: &Simulator,
    database: &str,
    folder: &Path,
    listen: Option<SocketAddr>,
    told: impl FnOnce(&str) -> String,
) -> anyhow::Result<()> {
    let server = bound(listen).await?;
    let store = Store::open(database, OpenMode::Create).await?.acting_as(operator());
    store.settle().await;
    refuse_others(&store).await?;
    let clock = Arc::new(StoryClock::default());
    let seal = SealFile::at(folder.join("metsuke.key"));
    let installation = Installation::open(store.clone(), seal, clock.clone()).await?;
    let people = People::new(installation.clone(), clock.clone());
    let password: SecretString = hex(&[installation.chance()?, installation.chance()?].concat()).into();
    lived(context, simulator, &installation, &clock).await?;
    let name = Some("The demonstration’s admin".to_owned());
    let ask = AccountAsk { email: ADMIN.into(), name, role: Role::Admin, password: Some(password.clone()) };
    people.create(ask).await?;
    let address = server.address();
    let watch = Watch::default();
    let supervisor = worker(context, installation.clone(), watch.clone())?;
    let installed = context.installed(&installation);
    let services = Services {
        desk: Desk::new(installation.clone())
            .sending(context.config.outside()?)
            .watching(watch)
            .signing(context.config.audit_key(None))
            .writing(Arc::new(Written))
            .looked_over_by(Arc::new(Practice(context.clone()))),
        tokens: Tokens::new(store.clone(), clock.clone()),
        once: Once::new(store, clock.clone()),
        people,
        place: Some(Place::listening(address)),
        limits: Limits::default(),
        joins: None,
        installed,
        guest: Some(Guest { email: ADMIN.into(), password }),
        clock,
    };
    context.output.print(&told(&format!("http://{address}")))?;
    let mut door = JoinSet::new();
    door.spawn(server.run(services, context.cancel.clone()));
    let closed = async {
        let ended = door.join_next().await;
        context.cancel.cancel();
        ended
    };
    let (worked, closed) = tokio::join!(supervisor.run(&context.cancel), closed);
    worked?;
    if let Some(ended) = closed {
        ended?;
    }
    Ok(())
}

/// The address that is asked for, else the usual one, else any that is free.
async fn bound(listen: Option<SocketAddr>) -> anyhow::Result<Server> {
    if let Some(address) = listen {
        return Ok(Server::bind(address).await?);
    }
    match Server::bind(USUAL.parse()?).await {
        Ok(server) => Ok(server),
        Err(_) => Ok(Server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?),
    }
}

/// Keeps the made-up company out of a database in which there is anything.
async fn refuse_others(store: &Store) -> anyhow::Result<()> {
    if store.syncs(1).await?.is_empty() && store.connectors().await?.is_empty() {
        return Ok(());
    }
    let message = format!("database `{}` holds something already", store.url());
    Err(Failure::new(message).hint("name a new one, or leave --database out").into())
}

fn worker(context: &Context, installation: Installation, watch: Watch) -> anyhow::Result<Supervisor> {
    Ok(Supervisor::new(installation)?
        .with(Arc::new(Recorder::new(watch)))
        .with(Arc::new(Evaluator::default()))
        .with(Arc::new(Courier::new(context.config.outside()?))))
}

/// Lets the company live through its weeks, and reads it after each chapter.
async fn lived(
    context: &Context,
    simulator: &Simulator,
    installation: &Installation,
    clock: &StoryClock,
) -> anyhow::Result<()> {
    let supervisor = worker(context, installation.clone(), Watch::default())?;
    let desk = Desk::new(installation.clone());
    let begun = CHAPTERS.first().map_or(0, |chapter| chapter.hours_ago);
    clock.0.store(i64::from(begun) * 3_600 * MICROS, Ordering::SeqCst);
    deeds::set_up(&desk, ADMIN).await?;
    let mut connector: Option<ConnectorId> = None;
    for chapter in CHAPTERS {
        let ago = i64::from(chapter.hours_ago) * 3_600 * MICROS;
        clock.0.store(ago, Ordering::SeqCst);
        // Between two chapters hours pass, in which the account's budget fills up again.
        simulator.set_remaining(Allowance::default().capacity);
        let id = match connector {
            None => {
                let settings = Settings {
                    owner: ADMIN.into(),
                    api_url: simulator.url(),
                    description: "A made-up company on a simulated Heroku".into(),
                    provisioning: true,
                    ..Settings::default()
                };
                let new = NewConnector {
                    name: "Example company".into(),
                    settings,
                    api_token: simulator.token().into(),
                    jupiterone_key: None,
                };
                installation.create(&operator(), new).await?.id
            }
            Some(id) => {
                let cast = cast(installation, id).await?;
                simulator.edit(|world| (chapter.happens)(world, &cast));
                installation.sync_now(&operator(), id).await?;
                id
            }
        };
        connector = Some(id);
        tokio::select! {
            worked = supervisor.drain(None) => worked?,
            () = context.cancel.cancelled() => {
                return Err(Failure::new("the demo was stopped before its end").into());
            }
        };
        clock.0.store(ago - ago / 3, Ordering::SeqCst);
        match chapter.deeds {
            Deeds::Nothing => {}
            Deeds::First => took_roster(&desk, installation, id).await?,
            Deeds::Before => {
                deeds::done_before(&desk, ADMIN, &cast(installation, id).await?).await?;
                took_roster(&desk, installation, id).await?;
            }
            Deeds::Lately => deeds::done_lately(&desk, ADMIN, &cast(installation, id).await?).await?,
        }
    }
    clock.0.store(0, Ordering::SeqCst);
    Ok(())
}

/// The company hands over who works there.
async fn took_roster(desk: &Desk, installation: &Installation, id: ConnectorId) -> anyhow::Result<()> {
    let roster = roster::csv(&installation.estate(id).await?).await?;
    deeds::take_roster(desk, ADMIN, &roster).await
}

/// Who and what there is as it was read last.
async fn cast(installation: &Installation, id: ConnectorId) -> anyhow::Result<Cast> {
    let store = installation.estate(id).await?;
    let mut snapshot = store.snapshot(None).await?.ok_or(metsuke_engine::EngineError::NoVersion)?;
    Cast::of(&mut snapshot).await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        text.extend([format!("{byte:02x}")]);
        text
    })
}
