//! What the database knows of every object, in short: its dense id, its content's hash, whether it is still there.

use std::collections::HashMap;

use metsuke_model::{HerokuId, Kind};

use crate::StoreError;
use crate::connection::{Bind, Connection};

/// One object's line.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) id: i64,
    pub(super) kind: Kind,
    pub(super) hash: i64,
    /// The version since which it is no more; 0: only ever referred to.
    pub(super) gone: Option<i64>,
    /// This sync listed it.
    pub(super) seen: bool,
}

/// Every object's line, found by kind and Heroku's id.
#[derive(Debug, Default)]
pub(super) struct Heads {
    places: HashMap<(Kind, HerokuId), usize>,
    pub(super) list: Vec<Head>,
    next_id: i64,
}

impl Heads {
    /// Reads all lines.
    pub(super) async fn load(connection: &mut Connection) -> Result<Self, StoreError> {
        let mut heads = Self { next_id: 1, ..Self::default() };
        connection
            .each("reading known objects", "SELECT id, kind, uuid, hash, gone FROM object", &[], |row| {
                let number = row.number(1)?;
                let kind = Kind::from_number(number)
                    .ok_or_else(|| StoreError::Damaged { what: format!("an object of kind {number}") })?;
                let uuid = HerokuId::from_bytes(&row.bytes(2)?.unwrap_or_default());
                let head =
                    Head { id: row.number(0)?, kind, hash: row.number(3)?, gone: row.int(4)?, seen: false };
                heads.next_id = heads.next_id.max(head.id + 1);
                heads.places.insert((kind, uuid), heads.list.len());
                heads.list.push(head);
                Ok(())
            })
            .await?;
        Ok(heads)
    }

    pub(super) fn place(&self, kind: Kind, id: &HerokuId) -> Option<usize> {
        self.places.get(&(kind, id.clone())).copied()
    }

    /// The dense id of an object that is known, listed or not.
    pub(super) fn dense(&self, kind: Kind, id: &HerokuId) -> Option<i64> {
        self.place(kind, id).and_then(|place| self.list.get(place)).map(|head| head.id)
    }

    /// Gives a new object the next dense id.
    pub(super) fn add(&mut self, kind: Kind, id: HerokuId, hash: i64, gone: Option<i64>) -> i64 {
        let dense = self.next_id;
        self.next_id += 1;
        self.places.insert((kind, id), self.list.len());
        self.list.push(Head { id: dense, kind, hash, gone, seen: gone.is_none() });
        dense
    }

    /// Heroku's ids of all objects of a kind, by dense id.
    pub(super) fn heroku_ids(&self, kind: Kind) -> HashMap<i64, &HerokuId> {
        self.places
            .iter()
            .filter(|((of, _), _)| *of == kind)
            .filter_map(|((_, id), place)| self.list.get(*place).map(|head| (head.id, id)))
            .collect()
    }

    /// Dense ids of the objects of a kind that are there.
    pub(super) fn present(&self, kind: Kind) -> impl Iterator<Item = &Head> {
        self.list.iter().filter(move |head| head.kind == kind && head.gone.is_none())
    }
}

/// The line of an object as the `object` table takes it.
pub(super) fn row(head: &Head, uuid: &HerokuId, since: i64) -> Vec<Bind> {
    vec![
        head.id.into(),
        head.kind.number().into(),
        Bind::Bytes(uuid.to_bytes()),
        head.hash.into(),
        since.into(),
        Bind::Int(head.gone),
    ]
}
