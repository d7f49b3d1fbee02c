//! Commands through a server's API instead of a database: where the server is, and what is asked of it.
//!
//! What a command prints is what it prints of a database: rows come as JSON and become the same types.
//!
//! Invariant: a command that has no way through a server says so and does nothing.

use std::io::Write;

use anyhow::Context as _;
use metsuke_clients::server::{Carried, Content, Request, Server, ServerError};
use metsuke_model::{AsOf, HerokuId, SyncStatus};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::output::complain;
use crate::text::shown;

/// What refuses a change because of a rule, in the API's words.
const BY_RULE: [&str; 5] = ["refused", "frozen", "approval_needed", "not_second_person", "other_hash"];
/// What says that Heroku refused, in the API's words.
const BY_HEROKU: [&str; 2] = ["heroku_refused", "heroku_token_refused"];

/// Parameters of a request.
pub(crate) type Query = Vec<(&'static str, String)>;

/// The way to a server.
#[derive(Debug)]
pub(crate) struct Remote {
    server: Server,
    connector: Option<String>,
}

impl Remote {
    /// The server that flags or environment name; none where a database is meant.
    ///
    /// # Errors
    ///
    /// [`Failure`] where there is no token for it, and what the address is refused for.
    pub(crate) fn of(context: &Context) -> anyhow::Result<Option<Self>> {
        let Some(url) = context.config.server()? else { return Ok(None) };
        let server = Server::new(&url, &context.config.server_token()?)?;
        Ok(Some(Self { server, connector: context.config.connector.clone() }))
    }

    /// Parameters with the connector that is meant.
    pub(crate) fn query(&self, more: Query) -> Query {
        let connector = self.connector.clone().map(|connector| ("connector", connector));
        connector.into_iter().chain(more).collect()
    }

    /// The connector that is meant, as a member of a body.
    pub(crate) fn connector(&self) -> Option<&str> {
        self.connector.as_deref()
    }

    /// Rows of a list, at most so many.
    ///
    /// # Errors
    ///
    /// What the server said, or what its rows are not.
    pub(crate) async fn rows<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: Query,
        most: usize,
    ) -> anyhow::Result<Vec<T>> {
        let rows = self.server.list(path, &query, most).await?;
        rows.into_iter().map(read).collect()
    }

    /// Rows of a list of estates.
    ///
    /// # Errors
    ///
    /// As [`rows`](Self::rows).
    pub(crate) async fn all<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: Query,
    ) -> anyhow::Result<Vec<T>> {
        self.rows(path, self.query(query), usize::MAX).await
    }

    /// One thing.
    ///
    /// # Errors
    ///
    /// As [`rows`](Self::rows).
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &[&str], query: Query) -> anyhow::Result<T> {
        let request = Request { method: "GET", path, query: &query, content: Content::Nothing };
        read(self.server.ask(&request).await?)
    }

    /// Sends something and reads the answer.
    ///
    /// # Errors
    ///
    /// As [`rows`](Self::rows).
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: &'static str,
        path: &[&str],
        query: Query,
        content: Content,
    ) -> anyhow::Result<T> {
        read(self.server.ask(&Request { method, path, query: &query, content }).await?)
    }

    /// Sends a document and reads the answer.
    ///
    /// # Errors
    ///
    /// As [`rows`](Self::rows).
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &[&str], body: Value) -> anyhow::Result<T> {
        self.send("POST", path, Query::new(), Content::Json(body)).await
    }

    /// Writes a file down as it comes.
    ///
    /// # Errors
    ///
    /// What the server said, or what writing met.
    pub(crate) async fn download(
        &self,
        path: &[&str],
        query: Query,
        out: &mut (dyn Write + Send),
    ) -> anyhow::Result<Carried> {
        self.carry("GET", path, query, Content::Nothing, out).await
    }

    /// Sends something, and writes down the file that comes back.
    ///
    /// # Errors
    ///
    /// What the server said, or what writing met.
    pub(crate) async fn carry(
        &self,
        method: &'static str,
        path: &[&str],
        query: Query,
        content: Content,
        out: &mut (dyn Write + Send),
    ) -> anyhow::Result<Carried> {
        // The server writes the whole file before it gives the first byte.
        Ok(self.server.patient().download(&Request { method, path, query: &query, content }, out).await?)
    }

    /// The same way for what works on a whole estate before it is answered.
    pub(crate) fn patient(&self) -> Self {
        Self { server: self.server.patient(), connector: self.connector.clone() }
    }
}

fn read<T: DeserializeOwned>(value: Value) -> anyhow::Result<T> {
    serde_json::from_value(value).context("the server's answer is not what this version reads")
}

/// A version or a time as a parameter.
pub(crate) fn as_of(name: &'static str, as_of: Option<AsOf>) -> Query {
    let told = as_of.map(|as_of| match as_of {
        AsOf::Version(version) => version.to_string(),
        AsOf::Time(at) => at.to_string(),
    });
    told.map(|told| (name, told)).into_iter().collect()
}

/// Lines by name, then by id, as lists of a database are.
pub(crate) fn by_name<L>(mut lines: Vec<L>, key: impl Fn(&L) -> (Option<&str>, &HerokuId)) -> Vec<L> {
    lines.sort_by_cached_key(|line| {
        let (name, id) = key(line);
        (name.is_none(), name.map(str::to_lowercase), id.clone())
    });
    lines
}

/// Notes on stderr that the version which was read is partial.
///
/// # Errors
///
/// What the server said.
pub(crate) async fn note_partial(
    context: &Context,
    remote: &Remote,
    version: Option<AsOf>,
) -> anyhow::Result<()> {
    if context.config.quiet || version.is_some() {
        return Ok(());
    }
    let newest: Vec<metsuke_engine::desk::SyncLine> =
        remote.rows(&["syncs"], remote.query(Query::new()), 1).await?;
    if let Some(sync) = newest.first().filter(|sync| sync.status == SyncStatus::Partial) {
        context.note(&format!(
            "note: version {} is partial; `metsuke syncs show {}` names its gaps",
            sync.version, sync.version
        ));
    }
    Ok(())
}

/// What a command is told that has no way through a server.
pub(crate) fn nowhere(what: &str) -> Failure {
    Failure::usage(format!("`metsuke {what}` does not go through a server"))
        .hint("leave --server and METSUKE_SERVER out, or name a database with --database")
}

/// How a refusal of the server ends the program, where it is one.
pub(crate) fn exit(error: &ServerError) -> Option<Exit> {
    match error {
        ServerError::Config { .. } => Some(Exit::Usage),
        ServerError::Refused(refused) if BY_RULE.contains(&&*refused.code) => Some(Exit::RefusedByRule),
        ServerError::Refused(refused) if BY_HEROKU.contains(&&*refused.code) => Some(Exit::RefusedByHeroku),
        ServerError::Refused(refused) if matches!(refused.status, 400 | 422) => Some(Exit::Usage),
        _ => None,
    }
}

/// What to do about a failure, where the server or we know.
pub(crate) fn hint(error: &ServerError) -> Option<String> {
    match error {
        ServerError::Refused(refused) if refused.status == 401 => Some(
            "METSUKE_TOKEN, or METSUKE_TOKEN_FILE, holds a token that `metsuke token create` makes".into(),
        ),
        ServerError::Refused(refused) => refused.hint.clone(),
        ServerError::Unanswered { .. } => Some("check the network and the address of the server".into()),
        ServerError::Shape { .. } => Some("check that the address is that of `metsuke serve`".into()),
        _ => None,
    }
}

/// Tells each mistake of a question where it stands.
pub(crate) fn picture(error: &anyhow::Error) {
    let Some(ServerError::Refused(refused)) = error.downcast_ref::<ServerError>() else { return };
    for field in &refused.fields {
        if let (Some(line), Some(column)) = (field.line, field.column) {
            complain(&format!("line {line}, column {column}: {}", shown(&field.message)));
        }
    }
}
