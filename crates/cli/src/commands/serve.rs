//! `metsuke serve`: the pages, the API, health and figures, until somebody asks it to stop.
//!
//! What is served is the engine's and the door's business; here is where it listens, and on which database.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are help texts, in which variables stand as they are"
)]

mod export;
mod forms;

use std::net::SocketAddr;
use std::sync::Arc;

use metsuke_engine::alerts::{Courier, Evaluator};
use metsuke_engine::changes::{Accelerator, FeedSettings, Recorder, Watch};
use metsuke_engine::connectors::Installation;
use metsuke_engine::desk::Desk;
use metsuke_engine::identity::{Once, People, SETUP_LASTS, Tokens};
use metsuke_engine::retention::{self, Pruner};
use metsuke_engine::supervisor::Supervisor;
use metsuke_model::SystemClock;
use metsuke_web::{Place, Server, Services};
use secrecy::ExposeSecret as _;
use tokio::task::JoinSet;

use super::doctor::Practice;
use crate::context::Context;
use crate::failure::Exit;
pub(crate) use forms::Written;

/// Serve the pages and the API, and keep everything running
///
/// It is ready when /readyz answers 200, which needs no set-up; what does not exist of the database is made. The pages begin
/// at /; the API is under /api/v1, its description at /api/v1/openapi.json; it takes tokens, the first of which `metsuke token create`
/// makes. People sign in under /auth/sign-in; while there is nobody, the log has a link for the first person.
///
/// API tokens of connectors are sealed with the key in METSUKE_KEY_FILE, else in metsuke.key beside the SQLite file,
/// else in the folder of the user's state; it is made when first needed. SIGTERM or Ctrl-C lets it end what it has in hand,
/// for at most 20 seconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke serve
  metsuke serve --listen 127.0.0.1:8080 --database postgres://metsuke@db/metsuke
  PORT=8080 DATABASE_URL=… metsuke serve --log-level info --log-format json")]
pub(crate) struct Args {
    /// The address to listen on; port 0 takes any that is free
    ///
    /// Else METSUKE_LISTEN, else every address with the port of PORT, else 127.0.0.1:8080.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
}

impl Args {
    /// Serves.
    ///
    /// # Errors
    ///
    /// What the address or the database said.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let address = context.config.listen(self.listen)?;
        let store = context.made_database().await?;
        // Whoever reads must not wait for whoever writes, from the first moment on.
        store.settle().await;
        let clock = Arc::new(SystemClock);
        let seal = context.config.seal_file()?;
        let installation = Installation::open(store.clone(), seal, clock.clone()).await?;
        let outside = context.config.outside()?;
        let keep = context.config.retention()?;
        let watch = Watch::default();
        let supervisor = Supervisor::new(installation.clone())?
            .with(Arc::new(Recorder::new(watch.clone())))
            .with(Arc::new(Evaluator::default()))
            .with(Arc::new(Courier::new(outside.clone())))
            .with(Arc::new(export::Exporter))
            .with(Arc::new(Pruner { keep }));
        retention::plan_today(&installation).await?;
        let accelerator = Accelerator::new(installation.clone(), FeedSettings::default());
        let server = Server::bind(address).await?;
        let place = context.config.sign_in().place(server.address())?;
        let mut people = People::new(installation.clone(), clock.clone());
        if let Some(provider) = context.config.sign_in().provider(&place)? {
            people = people.with_provider(provider);
        }
        offer_setup(&people, &place).await?;
        let installed = context.installed(&installation);
        let services = Services {
            desk: Desk::new(installation)
                .stopped_by(context.kill_file())
                .asking_for_approval(context.config.approval())
                .sending(outside)
                .watching(watch)
                .signing(context.config.audit_key(None))
                .writing(Arc::new(Written))
                .looked_over_by(Arc::new(Practice(context.clone())))
                .keeping(keep)
                .uploading_to(context.config.jupiterone_url(None)?),
            tokens: Tokens::new(store.clone(), clock.clone()),
            once: Once::new(store, clock.clone()),
            people,
            place: Some(place),
            limits: context.config.limits()?,
            joins: context.config.joins(),
            installed,
            guest: None,
            clock,
        };
        context.output.print(&format!("listening on http://{}\n", server.address()))?;
        // The door has a task of its own, so that no sync in hand holds requests up.
        let mut door = JoinSet::new();
        door.spawn(server.run(services, context.cancel.clone()));
        let closed = async {
            let ended = door.join_next().await;
            context.cancel.cancel();
            ended
        };
        let between = accelerator.run(&context.cancel);
        let (worked, closed, ()) = tokio::join!(supervisor.run(&context.cancel), closed, between);
        worked?;
        if let Some(ended) = closed {
            ended?;
        }
        Ok(Exit::Done)
    }
}

/// Tells in the log how the first person is set up, while there is nobody.
async fn offer_setup(people: &People, place: &Place) -> anyhow::Result<()> {
    if let Some(secret) = people.offer_setup().await? {
        let link = format!("{}/setup?link={}", place.origin(), secret.expose_secret());
        let hours = SETUP_LASTS.as_secs() / 3600;
        tracing::warn!(
            "nobody can sign in yet; within {hours} hours, set the first person up once at {link}"
        );
    }
    Ok(())
}
