//! Reads a whole installation, each store in one transaction.
//!
//! Invariant: no connector was added or removed between the moments that the stores show.

use futures::TryStreamExt as _;
use metsuke_model::{ConnectorId, Moment};
use tokio::sync::mpsc;

use super::form::put_row;
use super::shape::{Shape, shapes};
use super::{FORMAT, Frame, Head, Manifest, Part, Sum, TableSum};
use crate::composed::composed;
use crate::connection::{Connection, Row};
use crate::dialect::Pool;
use crate::{ConnectorRow, ConnectorStatus, OpenMode, Store, StoreError};

const COPYING: &str = "reading rows for a backup";
/// Bytes of rows that leave together.
const PIECE: usize = 256 * 1024;
/// How often it is tried to find no connector coming or going.
const TRIES: usize = 5;

/// A whole installation, open for one copy.
#[derive(Debug)]
pub struct Copying {
    parts: Vec<(Part, Connection)>,
    /// Keeps the estates' connections open.
    stores: Vec<Store>,
}

impl Store {
    /// Opens this main store and those of its connectors for a copy, all as they are now. Others may go on writing.
    ///
    /// # Errors
    ///
    /// What a database said; [`StoreError::Busy`] where connectors come and go all the time.
    pub async fn copying(&self) -> Result<Copying, StoreError> {
        // A store whose log is off would keep its writers waiting for as long as it is read.
        self.settle().await;
        for _ in 0..TRIES {
            let registry = self.connectors().await?;
            let mut main = self.pool.begin_read().await?;
            crate::migrate::found(&mut main).await?;
            let moment = Pool::moment(&mut main).await?;
            let mut copying = Copying { parts: vec![(Part::Main, main)], stores: Vec::new() };
            for id in kept(&registry) {
                let estate = self.estate(id, OpenMode::Existing).await?;
                estate.settle().await;
                let mut connection = estate.pool.begin_read().await?;
                Pool::join(&mut connection, moment.as_deref()).await?;
                // SQLite: the state that is read is that of the first read.
                crate::migrate::found(&mut connection).await?;
                copying.parts.push((Part::Connector(id), connection));
                copying.stores.push(estate);
            }
            if self.connectors().await? == registry {
                return Ok(copying);
            }
        }
        Err(StoreError::Busy { doing: "looking for a moment at which no connector comes or goes" })
    }
}

/// The connectors that have a store.
fn kept(registry: &[ConnectorRow]) -> Vec<ConnectorId> {
    let has = |row: &&ConnectorRow| row.status != ConnectorStatus::Making;
    registry.iter().filter(has).map(|row| row.id).collect()
}

impl Copying {
    /// The stores.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        self.parts.iter().map(|(part, _)| *part).collect()
    }

    /// Hands everything over, piece by piece, and says what it was.
    ///
    /// # Errors
    ///
    /// What a database said; [`StoreError::Unread`] where nobody takes the pieces any more.
    pub async fn write(
        mut self,
        program: &str,
        now: Moment,
        sink: &mpsc::Sender<Vec<u8>>,
    ) -> Result<Manifest, StoreError> {
        let head =
            Head { format: FORMAT, schema: Store::schema(), program: program.to_owned(), made_at: now };
        send(sink, Frame::Head(head.clone())).await?;
        let mut tables = Vec::new();
        for (part, connection) in &mut self.parts {
            for shape in shapes(connection, *part).await? {
                send(sink, Frame::Table(shape.head.clone())).await?;
                tables.push(rows(connection, &shape, Some(sink)).await?);
            }
        }
        let manifest = Manifest { head, tables };
        send(sink, Frame::End(manifest.clone())).await?;
        self.parts.clear();
        for store in &self.stores {
            store.close().await;
        }
        Ok(manifest)
    }
}

async fn send(sink: &mpsc::Sender<Vec<u8>>, frame: Frame) -> Result<(), StoreError> {
    sink.send(frame.bytes()?).await.map_err(|_| StoreError::Unread)
}

/// The rows of a table, added up, and handed over where somebody wants them.
async fn rows(
    connection: &mut Connection,
    shape: &Shape,
    sink: Option<&mpsc::Sender<Vec<u8>>>,
) -> Result<TableSum, StoreError> {
    let mut sum = Sum::default();
    let mut piece = Vec::new();
    macro_rules! each {
        ($connection:expr, $variant:ident) => {{
            let mut rows = sqlx::query(composed(shape.select.clone())).fetch(&mut **$connection);
            while let Some(row) = rows.try_next().await.map_err(StoreError::database(COPYING))? {
                put_row(&mut piece, Row::$variant(&row))?;
                sum.rows += 1;
                if piece.len() >= PIECE {
                    pass(&mut sum, &mut piece, sink).await?;
                }
            }
        }};
    }
    match connection {
        Connection::Sqlite(connection) => each!(connection, Sqlite),
        Connection::Postgres(connection) => each!(connection, Postgres),
    }
    pass(&mut sum, &mut piece, sink).await?;
    Ok(sum.of(shape.head.part, &shape.head.table))
}

/// What every table of a store holds, in short.
pub(crate) async fn sums(connection: &mut Connection, part: Part) -> Result<Vec<TableSum>, StoreError> {
    let mut sums = Vec::new();
    for shape in shapes(connection, part).await? {
        sums.push(rows(connection, &shape, None).await?);
    }
    Ok(sums)
}

async fn pass(
    sum: &mut Sum,
    piece: &mut Vec<u8>,
    sink: Option<&mpsc::Sender<Vec<u8>>>,
) -> Result<(), StoreError> {
    if piece.is_empty() {
        return Ok(());
    }
    sum.hasher.update(piece);
    let rows = std::mem::take(piece);
    match sink {
        Some(sink) => send(sink, Frame::Rows(rows)).await,
        None => Ok(()),
    }
}
