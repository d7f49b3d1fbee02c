//! Writes an earlier version as a database of its own, so that what is asked of the newest can be asked of it too.
//!
//! It is for questions and not for further versions: it cannot be written, and of the past before it it knows
//! what its own tables say (since when, which edition) and no more.
//!
//! Invariant: every object has the dense id that it has in the original.

mod access;
mod objects;
mod past;
mod people;

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use metsuke_model::{AsOf, HerokuId, Kind, Version};
use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::SqlitePool;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqliteLockingMode, SqlitePoolOptions, SqliteSynchronous,
};

use crate::commit::properties_hash;
use crate::connection::{Bind, Connection};
use crate::dialect::Pool;
use crate::indexes::SECONDARY;
use crate::query::{Reader, Readers};
use crate::{Store, StoreError, dense, migrate, open, syncs};
use past::Past;

const REWINDING: &str = "writing an earlier version";

const PROPERTIES_HEAD: &str = "INSERT INTO properties (id, hash, document) ";

/// Rows that are in memory at a time.
const AT_ONCE: i64 = 16_384;

impl Store {
    /// An earlier version as a scratch SQLite database in a new file of `folder`, which only reads.
    ///
    /// Its objects, access, properties and the syncs up to that version are as they were then, with two exceptions.
    /// An object that was only referred to then and was listed later tells as `since` the version itself, for when it
    /// was first referred to is not kept; and such an object is missing where nothing referred to it any more and
    /// nothing newer of its kind was known. People and what they were matched with are as they are now. The change
    /// log, the scopes, plans and the audit trail stay in the original.
    ///
    /// The file is the caller's to remove, when the store and its clones are gone.
    ///
    /// # Errors
    ///
    /// [`StoreError::NoVersion`], [`StoreError::Open`] where the folder cannot be written, and what either database
    /// said.
    pub async fn rewound(&self, as_of: AsOf, folder: &Path) -> Result<Self, StoreError> {
        let mut from = self.pool.begin_read().await?;
        let sync = syncs::resolve(&mut from, as_of).await?;
        self.keeps(&mut from, &sync).await?;
        let version = sync.version;
        let file = new_file(folder, version)?;
        let url = format!("sqlite:{}", file.display());
        let pool = writer(&file).await.map_err(|source| opened(&file, source))?;
        let scratch = Pool::Sqlite(pool.clone());
        migrate::migrate(&scratch, &url).await?;
        let to = scratch.begin_write().await?;
        Rewinding::new(from, to, version.0).await?.run().await?;
        scratch.analyze().await?;
        pool.close().await;
        let options = SqliteConnectOptions::new().filename(&file).pragma("query_only", "ON").read_only(true);
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options);
        let reader = Reader::Sqlite(Readers::new(file, false, open::LOCK_PATIENCE));
        let actor = self.actor.clone();
        Ok(Self { oldest: version, ..Self::of(Pool::Sqlite(pool), reader, url).acting_as(actor) })
    }
}

/// Makes a file that is not there yet.
fn new_file(folder: &Path, version: Version) -> Result<PathBuf, StoreError> {
    let mut names = (0_u32..).map(|number| folder.join(format!("version-{version}-{number}.db")));
    loop {
        let Some(file) = names.next() else { continue };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&file) {
            Ok(_) => return Ok(file),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(opened(&file, error)),
        }
    }
}

fn opened(file: &Path, source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Open { url: format!("sqlite:{}", file.display()), source: Box::new(source) }
}

/// One connection that writes as fast as it can: what is lost with the machine is not missed.
async fn writer(file: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(false)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off)
        .locking_mode(SqliteLockingMode::Exclusive)
        .pragma("cache_size", "-65536")
        .pragma("threads", "2");
    SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await
}

/// One version on its way from the original to the scratch database.
#[derive(Debug)]
struct Rewinding {
    from: Connection,
    to: Connection,
    version: i64,
    past: Past,
    /// The highest dense id of each kind that something of the version has or names.
    highest: FxHashMap<i64, i64>,
    /// The numbers of the properties that objects of the version have.
    properties: FxHashSet<i64>,
    /// Documents of properties that the original has no number for, with new numbers.
    made: HashMap<Box<str>, i64>,
    /// The dense ids of kinds that something was folded back to.
    known: HashMap<Kind, HashMap<HerokuId, i64>>,
}

impl Rewinding {
    async fn new(mut from: Connection, to: Connection, version: i64) -> Result<Self, StoreError> {
        let past = Past::load(&mut from, version).await?;
        Ok(Self {
            from,
            to,
            version,
            past,
            highest: FxHashMap::default(),
            properties: FxHashSet::default(),
            made: HashMap::new(),
            known: HashMap::new(),
        })
    }

    async fn run(mut self) -> Result<(), StoreError> {
        for (drop, _) in SECONDARY {
            self.to.execute(REWINDING, drop, &[]).await?;
        }
        self.copy_syncs().await?;
        let later = self.objects().await?;
        self.access().await?;
        self.other_access().await?;
        self.stubs(later).await?;
        self.copy_properties().await?;
        self.copy_manners().await?;
        people::copy_people(&mut self.from, &mut self.to).await?;
        for (_, create) in SECONDARY {
            self.to.execute(REWINDING, create, &[]).await?;
        }
        self.to.commit().await
    }

    /// Notes that something of the version has this id or names it.
    fn meet(&mut self, id: i64) {
        let highest = self.highest.entry(id & dense::KIND_MASK).or_default();
        *highest = id.max(*highest);
    }

    async fn copy_syncs(&mut self) -> Result<(), StoreError> {
        let mut rows: Vec<Vec<Bind>> = Vec::new();
        let sql = "SELECT id, status, error, started_at, finished_at, requests, waited_ms, users, teams,
                          enterprise_accounts, apps, addons, invitations, grants, added, removed, changed
                     FROM sync
                    WHERE id <= $1
                    ORDER BY id";
        self.from
            .each(REWINDING, sql, &[self.version.into()], |row| {
                let mut values =
                    vec![row.number(0)?.into(), Bind::Text(row.text(1)?), Bind::Text(row.text(2)?)];
                for index in 3..17 {
                    values.push(row.number(index)?.into());
                }
                rows.push(values);
                Ok(())
            })
            .await?;
        let head = "INSERT INTO sync (id, status, error, started_at, finished_at, requests, waited_ms, users, teams,
                                      enterprise_accounts, apps, addons, invitations, grants, added, removed, changed) ";
        self.to.insert(REWINDING, (head, ""), rows).await
    }

    /// What was only referred to then, and listed later.
    async fn stubs(&mut self, later: Vec<(i64, Vec<u8>)>) -> Result<(), StoreError> {
        for kind in Kind::ALL {
            let highest = self.highest.get(&kind.number()).copied().unwrap_or(0);
            let met = later.iter().filter(|(id, _)| dense::kind(*id) == Some(kind) && *id <= highest);
            let rows = met.map(|(id, uuid)| {
                [(*id).into(), Bind::Bytes(uuid.clone()), self.version.into(), 0.into(), 0.into()]
            });
            let head = format!("INSERT INTO {} (id, uuid, since, gone, properties) ", kind.table());
            self.to.insert(REWINDING, (&head, ""), rows).await?;
        }
        Ok(())
    }

    async fn copy_properties(&mut self) -> Result<(), StoreError> {
        let mut ids: Vec<i64> = self.properties.iter().copied().collect();
        ids.sort_unstable();
        for ids in ids.chunks(usize::try_from(AT_ONCE).unwrap_or(1)) {
            let mut rows = Vec::with_capacity(ids.len());
            let select = ("SELECT id, hash, document FROM properties WHERE id IN (", ") ORDER BY id");
            self.from
                .each_in(REWINDING, select, ids, |row| {
                    rows.push([row.number(0)?.into(), row.number(1)?.into(), Bind::Text(row.text(2)?)]);
                    Ok(())
                })
                .await?;
            self.to.insert(REWINDING, (PROPERTIES_HEAD, ""), rows).await?;
        }
        let made = self
            .made
            .iter()
            .map(|(text, number)| [(*number).into(), properties_hash(text).into(), Bind::from(&**text)]);
        self.to.insert(REWINDING, (PROPERTIES_HEAD, ""), made).await
    }

    /// What was settled about teams holds for good.
    async fn copy_manners(&mut self) -> Result<(), StoreError> {
        let mut rows = Vec::new();
        let sql = "SELECT team_id, implicit_roles FROM listing_manner ORDER BY team_id";
        self.from
            .each(REWINDING, sql, &[], |row| {
                rows.push([Bind::from(row.number(0)?), row.number(1)?.into()]);
                Ok(())
            })
            .await?;
        let head = "INSERT INTO listing_manner (team_id, implicit_roles) ";
        self.to.insert(REWINDING, (head, ""), rows).await
    }
}
