//! Uploads of a connector's newest version that somebody asks for and waits for.

use metsuke_clients::server::Content;
use metsuke_engine::connectors::Installation;
use metsuke_engine::desk::Desk;
use metsuke_engine::jobs::JobStatus;
use metsuke_engine::supervisor::Supervisor;
use metsuke_model::ConnectorId;

use super::LOOK_AGAIN;
use crate::commands::jobs::{self, Line};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::operator::operator;
use crate::remote::{Query, Remote};

/// Asks for an upload and carries it out here, unless a server is faster.
///
/// # Errors
///
/// What the engine, the databases or stdout said, and why nothing came of it.
pub(super) async fn here(context: &Context, site: &Installation, id: ConnectorId) -> anyhow::Result<Exit> {
    let (job, _) = site.upload_now(&operator(), id).await?;
    let (desk, supervisor) = (Desk::new(site.clone()), Supervisor::new(site.clone())?);
    let connector = id.to_string();
    let ending = async {
        loop {
            supervisor.drain(Some(id)).await?;
            let line = Line::from(desk.job(Some(&connector), job).await?);
            // Somebody else has it, as long as it runs.
            if line.job.state != JobStatus::Running {
                return anyhow::Ok(line);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let ended = context.cancel.run_until_cancelled(ending).await;
    jobs::ended(context, ended.ok_or_else(stopped)??)
}

/// Asks a server for an upload and waits for its first try.
///
/// # Errors
///
/// What the server or stdout said, and why nothing came of it.
pub(super) async fn there(context: &Context, remote: &Remote, id: &str) -> anyhow::Result<Exit> {
    let path = ["connectors", id, "upload"];
    let asked: Line = remote.send("POST", &path, Query::new(), Content::Nothing).await?;
    let (job, before) = (asked.job.id.to_string(), asked.job.attempts);
    let ending = async {
        loop {
            let query = vec![("connector", id.to_owned())];
            let line: Line = remote.get(&["jobs", &job], query).await?;
            let waits = line.job.state == JobStatus::Waiting && line.job.attempts == before;
            if !waits && line.job.state != JobStatus::Running {
                return anyhow::Ok(line);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let ended = context.cancel.run_until_cancelled(ending).await;
    jobs::ended(context, ended.ok_or_else(stopped)??)
}

fn stopped() -> Failure {
    Failure::new("it was not waited for; the upload stays in the queue")
}
