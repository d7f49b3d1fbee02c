//! The checks of the database: whether it opens, its schema, what it holds, its size.

use metsuke_engine::desk::Check;
use metsuke_model::SyncStatus;
use metsuke_store::{ConnectorStatus, OpenMode, Store};

use super::{fail, ok, warn};
use crate::context::{Context, gaps, sqlite_file};
use crate::text::{number, time};

/// All checks of the database, and the database itself where it opens.
pub(super) async fn check(context: &Context) -> (Vec<Check>, Option<Store>) {
    let database = context.config.database();
    let file = sqlite_file(&database.value);
    if let Some(missing) = file.filter(|file| !file.exists()) {
        let told = format!("there is none at `{}` yet (from {})", missing.display(), database.from);
        return (vec![warn("database", told, "`metsuke sync` makes it")], None);
    }
    match Store::open(&database.value, OpenMode::Existing).await {
        Ok(store) => (look(context, &store).await, Some(store)),
        Err(error) => (vec![fail("database", &error.into())], None),
    }
}

/// All checks of a database that is open.
pub(super) async fn look(context: &Context, store: &Store) -> Vec<Check> {
    let database = context.config.database();
    let kind = if database.value.starts_with("sqlite:") { "SQLite" } else { "PostgreSQL" };
    let size = sqlite_file(&database.value).map(|file| format!(", {}", size(&file))).unwrap_or_default();
    let told = format!("{kind} `{}` (from {}), schema {}{size}", store.url(), database.from, Store::schema());
    let mut checks = vec![ok("database", told)];
    checks.extend(match versions(store).await {
        Ok(checks) => checks,
        Err(error) => vec![fail("version", &error)],
    });
    checks.extend(seal(context, store).await);
    checks
}

/// The newest version of what was synced by hand, and of every live connector.
async fn versions(store: &Store) -> anyhow::Result<Vec<Check>> {
    let mut live = store.connectors().await?;
    live.retain(|row| row.status == ConnectorStatus::Live);
    let mut checks = Vec::new();
    if live.is_empty() || !store.syncs(1).await?.is_empty() {
        checks.push(newest(store).await?);
    }
    for row in live {
        let estate = store.estate(row.id, OpenMode::Existing).await?;
        let check = newest(&estate).await;
        estate.close().await;
        checks.push(Check { connector: Some(row.name), ..check? });
    }
    Ok(checks)
}

/// The key that seals connectors' tokens: without it they cannot be opened, and backups leave it out.
async fn seal(context: &Context, store: &Store) -> Option<Check> {
    let check = "sealing key";
    let connectors = store.connectors().await.ok()?;
    let live = connectors.iter().filter(|row| row.status == ConnectorStatus::Live).count();
    if live == 0 {
        return None;
    }
    let file = match context.config.seal_file() {
        Ok(file) => file,
        Err(failure) => return Some(fail(check, &failure.into())),
    };
    Some(match file.load() {
        Ok(Some(_)) => {
            let file = file.path().display();
            ok(check, format!("`{file}` opens the tokens of {live} connectors; no backup has it"))
        }
        Ok(None) => {
            let told = format!("there is none at `{}`, and {live} connectors need it", file.path().display());
            warn(check, told, "bring it back, or name it in METSUKE_KEY_FILE; else set every token anew")
        }
        Err(error) => fail(check, &error.into()),
    })
}

async fn newest(store: &Store) -> anyhow::Result<Check> {
    let Some(snapshot) = store.snapshot(None).await? else {
        return Ok(warn("version", "the database holds none yet", "`metsuke sync` makes the first"));
    };
    let sync = snapshot.sync();
    let told = format!(
        "the newest is {}, {}, read {} UTC",
        sync.version,
        sync.status.as_str(),
        time(sync.finished_at)
    );
    if sync.status == SyncStatus::Partial {
        let gaps = gaps(store, sync).await?.len();
        let hint = format!("`metsuke syncs show {}` names what it lacks", sync.version);
        return Ok(warn("version", format!("{told}, gaps: {gaps}"), hint));
    }
    if let Some(waiting) = store.waiting().await?.map(|waiting| waiting.version) {
        let told = format!("{told}; sync {waiting} is newer and waits in quarantine");
        let hint = format!(
            "`metsuke syncs show {waiting}` says why, `metsuke syncs accept {waiting}` makes it current"
        );
        return Ok(warn("version", told, hint));
    }
    Ok(ok("version", told))
}

/// The size of a file and of the log beside it.
fn size(file: &std::path::Path) -> String {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let length = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let bytes = length(file) + length(log.as_ref());
    match bytes {
        0..10_000_000 => format!("{} kB", number(bytes.div_ceil(1_000))),
        _ => format!("{} MB", number(bytes / 1_000_000)),
    }
}
