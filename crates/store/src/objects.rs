//! Reads objects back as typed records, now or as they were.
//!
//! Invariant: every statement is made of the catalogue's words and literals; values are always bound.

use std::collections::HashMap;
use std::sync::Arc;

use metsuke_model::{ColumnType, HerokuId, Kind, Moment, Record, Value, Version};
use serde_json::{Map, Value as Json};

use crate::connection::{Connection, Row};
use crate::{StoreError, dense};

/// Which objects of a kind are meant.
#[derive(Clone, Debug)]
pub enum Select {
    /// All of them.
    All,
    /// Those with these dense ids.
    Dense(Vec<i64>),
    /// The one with Heroku's id.
    Id(HerokuId),
    /// Those with Heroku's ids.
    Ids(Vec<HerokuId>),
    /// Those of this name, or of this e-mail address whatever its case.
    Named(String),
    /// Those that belong to these objects: a team's apps, an app's add-ons.
    Within(Vec<i64>),
    /// The personal apps of these users.
    OwnedBy(Vec<i64>),
}

/// A record with what the store knows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<T> {
    /// Its dense id in this database.
    pub dense: i64,
    /// The version that it first came with.
    pub since: Version,
    /// The object.
    pub record: T,
}

/// A row before its references are looked up.
struct Raw {
    dense: i64,
    uuid: HerokuId,
    since: Version,
    pub(crate) gone: Option<i64>,
    values: Vec<Value>,
    references: Vec<(usize, i64)>,
    properties: i64,
}

/// A record and whether it is there now.
pub(crate) struct Found<T> {
    pub(crate) stored: Stored<T>,
    pub(crate) present: bool,
}

/// The column that says what an object belongs to.
pub(crate) fn parent_column(kind: Kind) -> &'static str {
    match kind {
        Kind::Team => "enterprise_account",
        Kind::AddOn | Kind::Attachment | Kind::Coupling => "app",
        Kind::Authorization | Kind::Key => "account",
        _ => "team",
    }
}

/// The column that people know an object by.
pub(crate) fn name_column(kind: Kind) -> &'static str {
    match kind {
        Kind::User | Kind::Invitation | Kind::UnresolvedMember => "email",
        Kind::Coupling => "stage",
        _ => "name",
    }
}

/// Reads the records with these dense ids, those that are gone included.
pub(crate) async fn read<T: Record>(
    connection: &mut Connection,
    ids: &[i64],
) -> Result<Vec<Stored<T>>, StoreError> {
    let found = find::<T>(connection, &Select::Dense(ids.to_vec()), false).await?;
    Ok(found.into_iter().map(|found| found.stored).collect())
}

/// Reads records of a kind; `present` leaves out those that are gone.
pub(crate) async fn find<T: Record>(
    connection: &mut Connection,
    select: &Select,
    present: bool,
) -> Result<Vec<Found<T>>, StoreError> {
    find_with(connection, select, present, true).await
}

/// The same, without what Heroku sent beyond the columns unless `whole`.
pub(crate) async fn find_with<T: Record>(
    connection: &mut Connection,
    select: &Select,
    present: bool,
    whole: bool,
) -> Result<Vec<Found<T>>, StoreError> {
    let kind = T::KIND;
    let columns: Vec<&str> = kind.columns().iter().map(|column| column.name).collect();
    let columns = columns.join(", ");
    let base = format!(
        "SELECT id, uuid, since, gone, properties, {columns} FROM {} WHERE {}",
        kind.table(),
        if present { "gone IS NULL" } else { "(gone IS NULL OR gone <> 0)" },
    );
    let doing = "reading objects";
    let mut raws = Vec::new();
    let mut take = |row: Row<'_>| {
        raws.push(raw(kind, row)?);
        Ok(())
    };
    match select {
        Select::All => connection.each_of(doing, &base, take).await?,
        Select::Dense(ids) => {
            connection.each_in(doing, (&format!("{base} AND id IN ("), ")"), ids, &mut take).await?;
        }
        Select::Within(ids) => {
            let head = format!("{base} AND {} IN (", parent_column(kind));
            connection.each_in(doing, (&head, ")"), ids, &mut take).await?;
        }
        Select::OwnedBy(owners) => {
            let head = format!("{base} AND owner IN (");
            connection.each_in(doing, (&head, ")"), owners, &mut take).await?;
        }
        Select::Id(id) => {
            let head = format!("{base} AND uuid = (");
            connection.each_bytes(doing, (&head, ")"), &[id.to_bytes()], &mut take).await?;
        }
        Select::Ids(ids) => {
            let head = format!("{base} AND uuid IN (");
            let ids: Vec<Vec<u8>> = ids.iter().map(HerokuId::to_bytes).collect();
            connection.each_bytes(doing, (&head, ")"), &ids, &mut take).await?;
        }
        // SQLite's lower() knows ASCII only: other addresses are compared here.
        Select::Named(name) if name_column(kind) == "email" && !name.is_ascii() => {
            connection.each_of(doing, &base, take).await?;
            let place = kind.columns().iter().position(|column| column.name == "email");
            let wanted = name.to_lowercase();
            raws.retain(|raw| match place.and_then(|place| raw.values.get(place)) {
                Some(Value::Text(text)) => text.to_lowercase() == wanted,
                _ => false,
            });
        }
        Select::Named(name) => {
            let column = name_column(kind);
            let head = if column == "email" {
                format!("{base} AND lower(email) = lower(")
            } else {
                format!("{base} AND {column} = (")
            };
            connection.each_text(doing, (&head, ")"), name, &mut take).await?;
        }
    }
    resolve(connection, raws, whole).await
}

fn raw(kind: Kind, row: Row<'_>) -> Result<Raw, StoreError> {
    let mut values = Vec::with_capacity(kind.columns().len());
    let mut references = Vec::new();
    for (index, column) in kind.columns().iter().enumerate() {
        let place = index + 5;
        values.push(match column.column_type {
            ColumnType::Text => row.text(place)?.map_or(Value::Null, |text| Value::Text(text.into())),
            ColumnType::Reference(_) => {
                if let Some(dense) = row.int(place)? {
                    references.push((index, dense));
                }
                Value::Null
            }
            _ => row.int(place)?.map_or(Value::Null, Value::Int),
        });
    }
    Ok(Raw {
        dense: row.number(0)?,
        uuid: HerokuId::from_bytes(&row.bytes(1)?.unwrap_or_default()),
        since: Version(row.number(2)?),
        gone: row.int(3)?,
        values,
        references,
        properties: row.number(4)?,
    })
}

/// Looks up what rows refer to, and makes records of them.
async fn resolve<T: Record>(
    connection: &mut Connection,
    raws: Vec<Raw>,
    whole: bool,
) -> Result<Vec<Found<T>>, StoreError> {
    let mut wanted: Vec<i64> = raws.iter().flat_map(|raw| raw.references.iter().map(|(_, id)| *id)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let ids = heroku_ids(connection, &wanted).await?;
    let mut wanted: Vec<i64> = raws.iter().filter(|_| whole).map(|raw| raw.properties).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let mut documents: HashMap<i64, Arc<str>> = HashMap::new();
    let select = ("SELECT id, document FROM properties WHERE id IN (", ")");
    connection
        .each_in("reading properties", select, &wanted, |row| {
            documents.insert(row.number(0)?, row.text(1)?.unwrap_or_default().into());
            Ok(())
        })
        .await?;
    let empty: Arc<str> = "{}".into();
    Ok(raws
        .into_iter()
        .map(|mut raw| {
            for (index, dense) in raw.references {
                if let (Some(value), Some(id)) = (raw.values.get_mut(index), ids.get(&dense)) {
                    *value = Value::Reference(id.clone());
                }
            }
            let properties = Arc::clone(documents.get(&raw.properties).unwrap_or(&empty));
            let record = T::from_values(raw.uuid, raw.values, properties);
            Found {
                present: raw.gone.is_none(),
                stored: Stored { dense: raw.dense, since: raw.since, record },
            }
        })
        .collect())
}

/// Heroku's ids of objects, by dense ids.
pub(crate) async fn heroku_ids(
    connection: &mut Connection,
    ids: &[i64],
) -> Result<HashMap<i64, HerokuId>, StoreError> {
    let mut found = HashMap::with_capacity(ids.len());
    for kind in Kind::ALL {
        let ids: Vec<i64> = ids.iter().copied().filter(|id| dense::kind(*id) == Some(kind)).collect();
        let head = format!("SELECT id, uuid FROM {} WHERE id IN (", kind.table());
        connection
            .each_in("looking up ids", (&head, ")"), &ids, |row| {
                found.insert(row.number(0)?, HerokuId::from_bytes(&row.bytes(1)?.unwrap_or_default()));
                Ok(())
            })
            .await?;
    }
    Ok(found)
}

/// Every property of a record under Heroku's name: what the change log compares.
#[must_use]
pub fn document<T: Record>(record: &T) -> Map<String, Json> {
    let mut document = serde_json::from_str::<Map<String, Json>>(record.properties()).unwrap_or_default();
    for (column, cell) in T::KIND.columns().iter().zip(record.cells()) {
        let value = match cell {
            metsuke_model::Cell::Null => Json::Null,
            metsuke_model::Cell::Text(text) => text.into(),
            metsuke_model::Cell::Reference(id) => id.to_string().into(),
            metsuke_model::Cell::Int(number) => match column.column_type {
                ColumnType::Flag => (number != 0).into(),
                ColumnType::Time => Moment(number).to_string().into(),
                _ => number.into(),
            },
        };
        document.insert(column.name.into(), value);
    }
    document
}

/// The record with some of its properties as they were.
pub(crate) fn patched<T: Record>(record: &T, before: &Map<String, Json>) -> T {
    let mut document = document(record);
    for (name, value) in before {
        document.insert(name.clone(), value.clone());
    }
    let values = T::KIND
        .columns()
        .iter()
        .map(|column| {
            let value = document.remove(column.name).unwrap_or_default();
            match (column.column_type, value) {
                (ColumnType::Text, Json::String(text)) => Value::Text(text.into()),
                (ColumnType::Reference(_), Json::String(text)) => Value::Reference(HerokuId::new(&text)),
                (ColumnType::Time, Json::String(text)) => {
                    Moment::parse(&text).map_or(Value::Null, |moment| Value::Int(moment.0))
                }
                (ColumnType::Flag, Json::Bool(flag)) => Value::Int(i64::from(flag)),
                (ColumnType::Number, Json::Number(number)) => number.as_i64().map_or(Value::Null, Value::Int),
                _ => Value::Null,
            }
        })
        .collect();
    document.retain(|name, value| !(value.is_null() && before.contains_key(name)));
    let properties = Json::Object(document).to_string();
    T::from_values(record.id().clone(), values, properties.into())
}
