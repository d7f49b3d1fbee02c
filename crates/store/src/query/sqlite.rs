//! A query on SQLite: a connection that only reads, on a thread of its own, and a look at the clock every so many steps.
//!
//! It has a driver of its own: the one for everything else hands each row from thread to thread and keeps a copy of every
//! value, which costs more than most rows do.
//!
//! Invariant: a connection is used by one query at a time, and what an earlier one was allowed holds for it no longer.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use regex::Regex;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::Semaphore;

use super::{Bound, Datum, QUERYING, ReadQuery, ReadRows, as_stored};
use crate::StoreError;

/// Steps of the virtual machine between two looks at the clock: some hundredths of a millisecond.
const STEPS: i32 = 2_000;

/// So many of these are taken where the question came from: to wake another thread costs as much as a small answer.
const GLANCE: u32 = 50;

/// So many statements are remembered that took more than a glance.
const LONG: usize = 1024;

/// Queries at a time.
const CONNECTIONS: usize = 4;

/// Statements that a connection keeps ready.
const STATEMENTS: usize = 128;

/// Kibibytes are negative. The file is read where it lies in memory, so that the cache is for sorting.
const SETTINGS: &str =
    "PRAGMA query_only = ON; PRAGMA cache_size = -65536; PRAGMA mmap_size = 1073741824; PRAGMA threads = 2";

/// Connections that read one database, opened when there is a query for them. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Readers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    file: PathBuf,
    /// A database in memory is shared by its name, for as long as somebody has it open.
    in_memory: bool,
    patience: Duration,
    idle: Mutex<Vec<Reader>>,
    /// Statements that took more than a glance, so that they are not begun twice each time.
    long: Mutex<HashSet<String>>,
    turns: Arc<Semaphore>,
}

/// One connection, and what the query on it may do.
#[derive(Debug)]
struct Reader {
    connection: Connection,
    allowed: Arc<Mutex<Allowed>>,
}

/// How long a query may go on.
#[derive(Debug, Default)]
struct Allowed {
    /// Looks that are left, for a glance.
    looks: Option<u32>,
    until: Option<Instant>,
    wanted: Arc<AtomicBool>,
}

impl Allowed {
    fn is_over(&mut self) -> bool {
        if let Some(looks) = &mut self.looks {
            *looks = looks.saturating_sub(1);
            return *looks == 0;
        }
        !self.wanted.load(Ordering::Relaxed) || self.until.is_some_and(|until| Instant::now() >= until)
    }
}

/// Tells the statement to end when nobody waits for it any more.
#[derive(Debug)]
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl Readers {
    pub(crate) fn new(file: PathBuf, in_memory: bool, patience: Duration) -> Self {
        let turns = Arc::new(Semaphore::new(CONNECTIONS));
        Self(Arc::new(Shared {
            file,
            in_memory,
            patience,
            idle: Mutex::default(),
            long: Mutex::default(),
            turns,
        }))
    }

    /// Takes no more queries and closes what is open; a query that is under way still ends.
    pub(crate) fn close(&self) {
        self.0.turns.close();
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) async fn run(
        &self,
        sql: String,
        query: &ReadQuery,
        most: usize,
    ) -> Result<ReadRows, StoreError> {
        let failed = |source| StoreError::Database { doing: QUERYING, source };
        let turn = Arc::clone(&self.0.turns).acquire_owned().await.map_err(|closed| failed(closed.into()))?;
        let limit = query.time_limit;
        if let Some(read) = self.0.glance(&sql, &query.binds, most) {
            return read.map_err(|error| sorted(error, limit));
        }
        let wanted = Arc::new(AtomicBool::new(true));
        let waiting = Waiting(Arc::clone(&wanted));
        let (shared, binds) = (Arc::clone(&self.0), query.binds.clone());
        let reading = tokio::task::spawn_blocking(move || {
            let reader = shared.idle().map_or_else(|| shared.open(), Ok)?;
            let until = Instant::now().checked_add(limit);
            reader.allow(Allowed { looks: None, until, wanted }, shared.patience)?;
            let read = reader.read(&sql, &binds, most);
            shared.put_back(reader);
            drop(turn);
            read
        });
        let read = reading.await.map_err(|ended| failed(ended.into()))?;
        drop(waiting);
        read.map_err(|error| sorted(error, limit))
    }
}

impl Shared {
    fn idle(&self) -> Option<Reader> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn put_back(&self, reader: Reader) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.turns.is_closed() {
            idle.push(reader);
        }
    }

    /// The answer, where it takes few steps, waits for nobody and a connection is at hand.
    fn glance(&self, sql: &str, binds: &[Bound], most: usize) -> Option<rusqlite::Result<ReadRows>> {
        if self.long().contains(sql) {
            return None;
        }
        let reader = self.idle()?;
        let allowed = Allowed { looks: Some(GLANCE), ..Allowed::default() };
        let read = reader.allow(allowed, Duration::ZERO).and_then(|()| reader.read(sql, binds, most));
        self.put_back(reader);
        let code = read.as_ref().err().and_then(rusqlite::Error::sqlite_error_code);
        match code {
            Some(ErrorCode::OperationInterrupted) => {
                let mut long = self.long();
                if long.len() >= LONG {
                    long.clear();
                }
                long.insert(sql.to_owned());
                None
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => None,
            _ => Some(read),
        }
    }

    fn long(&self) -> MutexGuard<'_, HashSet<String>> {
        self.long.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> rusqlite::Result<Reader> {
        let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let flags = if self.in_memory {
            flags
                | OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_URI
                | OpenFlags::SQLITE_OPEN_MEMORY
                | OpenFlags::SQLITE_OPEN_SHARED_CACHE
        } else {
            flags | OpenFlags::SQLITE_OPEN_READ_ONLY
        };
        let connection = Connection::open_with_flags(&self.file, flags)?;
        connection.execute_batch(SETTINGS)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        add_regexp(&connection)?;
        let allowed = Arc::new(Mutex::new(Allowed::default()));
        let asked = Arc::clone(&allowed);
        connection.progress_handler(
            STEPS,
            Some(move || asked.lock().unwrap_or_else(PoisonError::into_inner).is_over()),
        )?;
        Ok(Reader { connection, allowed })
    }
}

/// `text REGEXP pattern`; absent where there is no text.
fn add_regexp(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("regexp", 2, flags, |context| {
        let pattern = context.get_or_create_aux(0, |pattern| {
            Regex::new(pattern.as_str().unwrap_or_default())
                .map_err(|error| rusqlite::Error::UserFunctionError(error.into()))
        })?;
        Ok(context.get_raw(1).as_str().ok().map(|text| pattern.is_match(text)))
    })
}

impl Reader {
    /// What the next query may do, and how long it waits for a lock.
    fn allow(&self, allowed: Allowed, patience: Duration) -> rusqlite::Result<()> {
        *self.allowed.lock().unwrap_or_else(PoisonError::into_inner) = allowed;
        self.connection.busy_timeout(patience)
    }

    fn read(&self, sql: &str, binds: &[Bound], most: usize) -> rusqlite::Result<ReadRows> {
        let mut statement = self.connection.prepare_cached(sql)?;
        for place in 1..=statement.parameter_count() {
            let number = statement.parameter_name(place).and_then(|name| name.get(1..)?.parse().ok());
            match number.and_then(|number: usize| binds.get(number.checked_sub(1)?)) {
                Some(Bound::Int(value)) => statement.raw_bind_parameter(place, value)?,
                Some(Bound::Real(value)) => statement.raw_bind_parameter(place, value)?,
                Some(Bound::Text(value)) => statement.raw_bind_parameter(place, as_stored(value))?,
                Some(Bound::Bytes(value)) => statement.raw_bind_parameter(place, value)?,
                None => {}
            }
        }
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut answer = ReadRows::default();
        while let Some(row) = rows.next()? {
            let values = (0..columns).map(|column| row.get_ref(column).map(datum));
            if !answer.take(most, values.collect::<Result<_, _>>()?) {
                break;
            }
        }
        Ok(answer)
    }
}

fn datum(value: ValueRef<'_>) -> Datum {
    match value {
        ValueRef::Null => Datum::Null,
        ValueRef::Integer(number) => Datum::Int(number),
        ValueRef::Real(number) => Datum::Real(number),
        ValueRef::Text(text) => Datum::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Datum::Bytes(bytes.to_vec()),
    }
}

fn sorted(error: rusqlite::Error, limit: Duration) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => StoreError::TooSlow { limit },
        Some(ErrorCode::DiskFull) => StoreError::Full { doing: QUERYING },
        Some(ErrorCode::DatabaseBusy) => StoreError::Busy { doing: QUERYING },
        _ => StoreError::Database { doing: QUERYING, source: Box::new(error) },
    }
}

/// The rows of `EXPLAIN QUERY PLAN`: a number, its parent's number, nothing, and what is done.
pub(super) fn plan_lines(plan: ReadRows) -> Vec<String> {
    let mut depths = HashMap::new();
    let line = |row: Vec<Datum>| match row.as_slice() {
        [Datum::Int(id), Datum::Int(parent), _, Datum::Text(text)] => {
            let depth = depths.get(parent).map_or(0, |depth| depth + 1);
            depths.insert(*id, depth);
            Some(format!("{}{text}", "  ".repeat(depth)))
        }
        _ => None,
    };
    plan.rows.into_iter().filter_map(line).collect()
}
