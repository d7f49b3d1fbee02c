//! What every command is given: settings, output, the way to stop, and the database.
//!
//! It answers no question about an estate.
//!
//! Invariant: a command that only reads never makes a database.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use metsuke_engine::EngineError;
use metsuke_engine::connectors::Installation;
use metsuke_model::{AsOf, ConnectorId, Outcome, ScopeReport, SyncStatus, SystemClock};
use metsuke_store::{OpenMode, Quarantine, Snapshot, Store, SyncRow};
use metsuke_web::Installed;
use tokio_util::sync::CancellationToken;

use crate::config::{Config, Sourced};
use crate::failure::Failure;
use crate::operator::operator;
use crate::output::{Output, complain};
use crate::text::{count, length, shown};

/// Gaps that a note names one by one.
const NAMED_GAPS: usize = 5;

/// What every command is given.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// Flags and environment.
    pub(crate) config: Config,
    /// How to print.
    pub(crate) output: Output,
    /// Cancelled when the user or the system asks to stop.
    pub(crate) cancel: CancellationToken,
}

impl Context {
    /// Looks at the terminal; nothing is opened yet.
    pub(crate) fn new(config: Config) -> Self {
        Self { output: Output::new(&config), config, cancel: CancellationToken::new() }
    }

    /// The same for a demonstration with a database of its own.
    pub(crate) fn for_demo(&self, database: String) -> Self {
        let config = self.config.for_demo(database);
        Self { output: Output::new(&config), config, cancel: self.cancel.clone() }
    }

    /// What an installation is and how it was set up, as the server shows it.
    pub(crate) fn installed(&self, installation: &Installation) -> Installed {
        let shown = |path: &Path| path.display().to_string();
        let audit_key = self.config.audit_key(None).map(|key| shown(key.path()));
        self.config.installed(installation.main(), shown(installation.seal_file().path()), audit_key)
    }

    /// Opens the estate that is meant: that of `--connector`, else the database's own, else that of its only connector.
    ///
    /// # Errors
    ///
    /// [`Failure`] where there is no database, or where it is not clear which connector is meant.
    pub(crate) async fn database(&self) -> anyhow::Result<Store> {
        Ok(self.estate_in_use().await?.0)
    }

    /// The same, with the connector that it is of, if it is one's.
    ///
    /// # Errors
    ///
    /// As [`database`](Self::database).
    pub(crate) async fn estate_in_use(&self) -> anyhow::Result<(Store, Option<(Installation, ConnectorId)>)> {
        let main = self.main(OpenMode::Existing).await?;
        let named = self.config.connector.as_deref();
        if named.is_none() && (!main.syncs(1).await?.is_empty() || main.connectors().await?.is_empty()) {
            return Ok((main, None));
        }
        // Boxed, because every command would be as large otherwise.
        Box::pin(self.estate(main, named)).await
    }

    /// The estate of the connector that is named, else of the only one.
    async fn estate(
        &self,
        main: Store,
        named: Option<&str>,
    ) -> anyhow::Result<(Store, Option<(Installation, ConnectorId)>)> {
        let installation = self.installation_of(main.clone()).await?;
        let of = async |id| {
            let store = installation.estate(id).await?.acting_as(operator());
            anyhow::Ok((store, Some((installation.clone(), id))))
        };
        if let Some(named) = named {
            return of(installation.find(named).await?).await;
        }
        let live = installation.live().await?;
        match live.as_slice() {
            [] => Ok((main, None)),
            [only] => of(only.id).await,
            several => {
                let listed: Vec<_> = several.iter().map(|row| format!("`{}`", shown(&row.name))).collect();
                let message = format!("there are several connectors: {}", listed.join(", "));
                Err(Failure::usage(message).hint("name one with --connector").into())
            }
        }
    }

    /// Opens the installation: the database with its connectors.
    ///
    /// # Errors
    ///
    /// As [`main`](Self::main), and where the sealing key has no place.
    pub(crate) async fn installation(&self, mode: OpenMode) -> anyhow::Result<Installation> {
        let main = self.main(mode).await?;
        self.installation_of(main).await
    }

    async fn installation_of(&self, main: Store) -> anyhow::Result<Installation> {
        let seal = self.config.seal_file()?;
        Ok(Installation::open(main, seal, Arc::new(SystemClock)).await?)
    }

    /// Opens the database itself.
    ///
    /// # Errors
    ///
    /// [`Failure`] where there is none and none is to be made.
    pub(crate) async fn main(&self, mode: OpenMode) -> anyhow::Result<Store> {
        let Sourced { value: url, from } = self.config.database();
        let missing = mode == OpenMode::Existing;
        if let Some(file) = sqlite_file(&url).filter(|file| missing && !file.exists()) {
            let missing = format!("there is no database `{}` (from {from})", file.display());
            return Err(Failure::new(missing)
                .hint("run `metsuke sync` first, or `metsuke demo` to see one without a token; --database names another")
                .into());
        }
        Ok(Store::open(&url, mode).await?.acting_as(operator()))
    }

    /// Whether there may be a database: a file that is there, or a server of databases.
    pub(crate) fn has_database(&self) -> bool {
        sqlite_file(&self.config.database().value).is_none_or(|file| file.exists())
    }

    /// Opens the database, and makes it where it is missing.
    ///
    /// # Errors
    ///
    /// What opening it met.
    pub(crate) async fn made_database(&self) -> anyhow::Result<Store> {
        Ok(Store::open(&self.config.database().value, OpenMode::Create).await?)
    }

    /// The file whose presence stops every write, where no flag names another.
    pub(crate) fn kill_file(&self) -> Option<PathBuf> {
        self.config.kill_switch_file().or_else(|| {
            let mut file = sqlite_file(&self.config.database().value)?.into_os_string();
            file.push(".stop");
            Some(file.into())
        })
    }

    /// Opens a version for reading and names its gaps on stderr.
    ///
    /// # Errors
    ///
    /// What opening met; [`EngineError::NoVersion`] for a database without one.
    pub(crate) async fn version(&self, as_of: Option<AsOf>) -> anyhow::Result<Snapshot> {
        let (snapshot, gaps) = self.version_with_gaps(as_of).await?;
        self.note_gaps(snapshot.sync(), &gaps);
        Ok(snapshot)
    }

    /// Opens a version for reading, with what it lacks.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    pub(crate) async fn version_with_gaps(
        &self,
        as_of: Option<AsOf>,
    ) -> anyhow::Result<(Snapshot, Vec<ScopeReport>)> {
        let store = self.database().await?;
        let snapshot = store.snapshot(as_of).await?.ok_or(EngineError::NoVersion)?;
        let gaps = gaps(&store, snapshot.sync()).await?;
        if as_of.is_none() {
            self.note_waiting(&store).await?;
        }
        Ok((snapshot, gaps))
    }

    /// Says on stderr that a newer sync than the newest version waits in quarantine.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub(crate) async fn note_waiting(&self, store: &Store) -> anyhow::Result<()> {
        if let Some(Quarantine { version, reasons, .. }) = store.waiting().await? {
            let more = match reasons.len() {
                0 | 1 => String::new(),
                reasons => format!(" (and {} more reasons)", reasons - 1),
            };
            let first = reasons.first().map(|reason| shown(reason)).unwrap_or_default();
            self.note(&format!("note: sync {version} is newer and waits in quarantine: {first}{more}"));
            self.note(&format!("note: `metsuke syncs show {version}` tells of it, `metsuke syncs accept {version}` makes it current"));
        }
        Ok(())
    }

    /// Names the gaps of a partial version on stderr, unless nobody wants to hear.
    pub(crate) fn note_gaps(&self, sync: &SyncRow, gaps: &[ScopeReport]) {
        if sync.status != SyncStatus::Partial {
            return;
        }
        let known = format!("note: version {} is partial: {}", sync.version, describe_gaps(gaps, NAMED_GAPS));
        self.note(&known);
        if gaps.len() > NAMED_GAPS {
            self.note(&format!("note: `metsuke syncs show {}` names them all", sync.version));
        }
    }

    /// Writes a note to stderr, unless nobody wants to hear.
    pub(crate) fn note(&self, line: &str) {
        if !self.config.quiet {
            complain(line);
        }
    }
}

/// The gaps of one run, by scope.
///
/// # Errors
///
/// What the database said.
pub(crate) async fn gaps(store: &Store, sync: &SyncRow) -> anyhow::Result<Vec<ScopeReport>> {
    if sync.status == SyncStatus::Complete {
        return Ok(Vec::new());
    }
    let mut scopes = store.scopes(sync.version).await?;
    scopes.retain(|scope| scope.gap);
    scopes.sort_by(|one, other| one.scope.cmp(&other.scope));
    Ok(scopes)
}

/// The gaps in words, the first `most` of them by name.
pub(crate) fn describe_gaps(gaps: &[ScopeReport], most: usize) -> String {
    let named: Vec<String> = gaps.iter().take(most).map(describe_gap).collect();
    let text = format!("{}: {}", count(length(gaps), "gap", "gaps"), named.join("; "));
    match gaps.len().saturating_sub(most) {
        0 => text,
        more => format!("{text}; and {more} more"),
    }
}

fn describe_gap(gap: &ScopeReport) -> String {
    format!("{} ({})", shown(&gap.scope), gap_reason(gap))
}

/// Why a gap is one, in short.
pub(crate) fn gap_reason(gap: &ScopeReport) -> String {
    let reason = gap.reason.as_deref().unwrap_or(match gap.outcome {
        Outcome::Complete => "read in part",
        Outcome::Refused => "refused",
        Outcome::Failed => "failed",
        Outcome::Skipped => "skipped",
    });
    shown(&brief(reason)).into_owned()
}

/// A reason without the request that the scope names already, without the id that only Heroku's support needs, and
/// without the full stop of Heroku's message, behind which our own sentence goes on.
pub(crate) fn brief(reason: &str) -> String {
    let answer = match reason.split_once(" was answered ") {
        Some((call, answer)) if call.starts_with("GET ") || call.starts_with("POST ") => answer,
        _ => reason,
    };
    let (told, rest) = match answer.split_once(" (request id `") {
        Some((before, after)) => (before, after.split_once("`)").map_or("", |(_, rest)| rest)),
        None => (answer, ""),
    };
    match told.strip_suffix(".`").filter(|told| !told.ends_with('.')) {
        Some(told) => format!("{told}`{rest}"),
        None => format!("{told}{rest}"),
    }
}

/// The file of an SQLite address; none for one in memory and for other databases.
pub(crate) fn sqlite_file(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let file = rest.split('?').next().unwrap_or(rest);
    (!file.is_empty() && !file.contains(":memory:")).then(|| Path::new(file).to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_an_sqlite_address_is_found() {
        assert_eq!(sqlite_file("sqlite:metsuke.db"), Some("metsuke.db".into()));
        assert_eq!(sqlite_file("sqlite:///var/lib/x.db?mode=ro"), Some("/var/lib/x.db".into()));
        assert_eq!(sqlite_file("sqlite::memory:"), None);
        assert_eq!(sqlite_file("postgres://db/x"), None);
    }

    #[test]
    fn a_reason_is_told_without_what_the_scope_says() {
        let reason = "GET /teams/1 was answered 403 `forbidden`: `No access.` (request id `a,b`)";
        assert_eq!(brief(reason), "403 `forbidden`: `No access`");
        assert_eq!(brief("404: `Not here.`"), "404: `Not here`");
        assert_eq!(brief("404: `And so on...`"), "404: `And so on...`");
        assert_eq!(brief("switched off"), "switched off");
    }

    #[test]
    fn gaps_are_named_with_their_reasons() {
        let gap = |scope: &str, reason: Option<&str>| ScopeReport {
            scope: scope.into(),
            outcome: Outcome::Refused,
            reason: reason.map(Into::into),
            gap: true,
            pages: 0,
            rows: 0,
            calls: 1,
            duration_ms: 1,
        };
        let gaps =
            [gap("GET /teams/core/members", Some("403")), gap("GET /spaces", None), gap("GET /x", None)];
        let told = describe_gaps(&gaps, 2);
        assert_eq!(told, "3 gaps: GET /teams/core/members (403); GET /spaces (refused); and 1 more");
    }
}
