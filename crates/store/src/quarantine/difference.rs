//! What a commit would change of the version before it, packed: lines of JSON, compressed as they come.
//!
//! Lines and not one document, so that writing and reading hold one of them beside the compressed whole.
//!
//! Invariant: what was packed reads back, or is said to be damaged (the compressed form has a checksum).

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::sync::Arc;

use metsuke_model::access::Mask;
use metsuke_model::{
    AccessRow, Cell, ColumnType, Estate, HerokuId, Kind, Record, Records, Resource, ResourceType, Value,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use zstd::stream::{read::Decoder, write::Encoder};

use crate::StoreError;

/// Fast, and within a few per cent of the slowest level on this data.
const ZSTD_LEVEL: i32 = 3;

/// One thing that differs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Line {
    /// An object that came or changed, with its fingerprint.
    Object { kind: Kind, id: HerokuId, fingerprint: u64, cells: Vec<Json>, properties: Box<str> },
    /// An object that went.
    Gone(Kind, HerokuId),
    /// A resource that later lines name by its place.
    Resource(ResourceType, HerokuId),
    /// A user whom later lines name by their place.
    Principal(HerokuId),
    /// What is held after the change, by places: resource, principal, mask; 0 where nothing is.
    Access(u32, u32, u32),
    /// An entitlement without a bit that came (`true`) or went.
    Other(u32, u32, Box<str>, bool),
    /// What was settled about a team's permissions listing.
    Manner(HerokuId, u32),
}

/// Packs line by line.
pub(crate) struct Packer(BufWriter<Encoder<'static, Vec<u8>>>);

impl Packer {
    pub(crate) fn new() -> Result<Self, StoreError> {
        let mut encoder = Encoder::new(Vec::new(), ZSTD_LEVEL).map_err(failed)?;
        encoder.include_checksum(true).map_err(failed)?;
        Ok(Self(BufWriter::new(encoder)))
    }

    pub(crate) fn line(&mut self, line: &Line) -> Result<(), StoreError> {
        serde_json::to_writer(&mut self.0, line).map_err(failed)?;
        self.0.write_all(b"\n").map_err(failed)
    }

    /// An object that came or changed.
    pub(crate) fn object<T: Record>(&mut self, record: &T, fingerprint: u64) -> Result<(), StoreError> {
        let cells = record.cells().into_iter().map(|cell| match cell {
            Cell::Null => Json::Null,
            Cell::Int(number) => number.into(),
            Cell::Text(text) => text.into(),
            Cell::Reference(id) => id.to_string().into(),
        });
        self.line(&Line::Object {
            kind: T::KIND,
            id: record.id().clone(),
            fingerprint,
            cells: cells.collect(),
            properties: (&**record.properties()).into(),
        })
    }

    pub(crate) fn finish(self) -> Result<Vec<u8>, StoreError> {
        let encoder = self.0.into_inner().map_err(|error| failed(error.into_error()))?;
        encoder.finish().map_err(failed)
    }
}

fn failed(source: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { what: format!("packing a difference: {source}") }
}

/// A difference that was unpacked.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    /// What came or changed, with access as it is afterwards; a mask of nothing is access that went.
    pub(crate) estate: Estate,
    /// What went.
    pub(crate) gone: HashMap<Kind, Vec<HerokuId>>,
    /// Entitlements without a bit that went, beside those in the estate, which came.
    pub(crate) other_gone: Vec<(u32, u32, Box<str>)>,
}

/// Reads what a [`Packer`] wrote.
pub(crate) fn unpack(packed: &[u8]) -> Result<Difference, StoreError> {
    let damaged = || StoreError::Damaged { what: "a quarantined sync cannot be read".into() };
    let mut lines = BufReader::new(Decoder::new(packed).map_err(|_| damaged())?);
    let mut difference = Difference::default();
    let mut shared: HashMap<Box<str>, Arc<str>> = HashMap::new();
    let mut text = String::new();
    while lines.read_line(&mut text).map_err(|_| damaged())? > 0 {
        let line: Line = serde_json::from_str(&text).map_err(|_| damaged())?;
        difference.take(line, &mut shared);
        text.clear();
    }
    Ok(difference)
}

impl Difference {
    fn take(&mut self, line: Line, shared: &mut HashMap<Box<str>, Arc<str>>) {
        let estate = &mut self.estate;
        match line {
            Line::Object { kind, id, fingerprint, cells, properties } => {
                let properties =
                    Arc::clone(shared.entry(properties).or_insert_with_key(|text| Arc::from(&**text)));
                let object = Object { id, fingerprint, cells, properties };
                match kind {
                    Kind::User => object.add_to(&mut estate.users),
                    Kind::EnterpriseAccount => object.add_to(&mut estate.enterprise_accounts),
                    Kind::Team => object.add_to(&mut estate.teams),
                    Kind::App => object.add_to(&mut estate.apps),
                    Kind::Space => object.add_to(&mut estate.spaces),
                    Kind::AddOn => object.add_to(&mut estate.addons),
                    Kind::Attachment => object.add_to(&mut estate.attachments),
                    Kind::Pipeline => object.add_to(&mut estate.pipelines),
                    Kind::Coupling => object.add_to(&mut estate.couplings),
                    Kind::Invitation => object.add_to(&mut estate.invitations),
                    Kind::UnresolvedMember => object.add_to(&mut estate.unresolved_members),
                    Kind::Authorization => object.add_to(&mut estate.authorizations),
                    Kind::Key => object.add_to(&mut estate.keys),
                }
            }
            Line::Gone(kind, id) => self.gone.entry(kind).or_default().push(id),
            Line::Resource(resource_type, id) => estate.resources.push(Resource { resource_type, id }),
            Line::Principal(id) => estate.principals.push(id),
            Line::Access(resource, principal, mask) => {
                estate.access.push(AccessRow { resource, principal, mask: Mask(mask) });
            }
            Line::Other(resource, principal, slug, true) => {
                estate.other_access.push((resource, principal, slug));
            }
            Line::Other(resource, principal, slug, false) => {
                self.other_gone.push((resource, principal, slug));
            }
            Line::Manner(team, roles) => estate.listing_manners.push((team, Mask(roles))),
        }
    }
}

struct Object {
    id: HerokuId,
    fingerprint: u64,
    cells: Vec<Json>,
    properties: Arc<str>,
}

impl Object {
    fn add_to<T: Record>(self, records: &mut Records<T>) {
        let columns = T::KIND.columns().iter();
        let values = columns.zip(self.cells).map(|(column, cell)| match (column.column_type, cell) {
            (ColumnType::Text, Json::String(text)) => Value::Text(text.into()),
            (ColumnType::Reference(_), Json::String(id)) => Value::Reference(HerokuId::new(&id)),
            (_, Json::Number(number)) => number.as_i64().map_or(Value::Null, Value::Int),
            _ => Value::Null,
        });
        let record = T::from_values(self.id, values.collect(), self.properties);
        records.push_known(record, self.fingerprint);
    }
}
