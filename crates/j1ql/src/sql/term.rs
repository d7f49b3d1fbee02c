//! A value inside of a statement: its text, and what it is.

use metsuke_model::ResourceType;
use metsuke_model::access::Entitlement;
use metsuke_model::graph::{Value, ValueType};

use super::branch::Branch;
use super::dialect::Sort;
use super::from::{self, Bits};
use super::writer::Writer;

/// A value inside of a statement.
#[derive(Clone, Debug)]
pub(super) enum Term {
    /// None, ever.
    Absent,
    /// A text.
    Text(String),
    /// A number; milliseconds where it is a time.
    Number(String),
    /// Yes (not zero) or no.
    Flag(String),
    /// Heroku's id of an object: the object's alias, and its table.
    Id(String, &'static str),
    /// Heroku's id of the object that a column refers to: the column, and the table of the object.
    Reference(String, &'static str),
    /// An e-mail address, for which there is an index over small letters.
    Email(String),
    /// The one role of a row of access.
    Role(Mask),
    /// A list of texts.
    List(List),
}

/// A list of texts.
#[derive(Clone, Debug)]
pub(super) enum List {
    /// The same for all.
    Fixed(Vec<&'static str>),
    /// One text, or no list where there is none.
    One(String),
    /// JSON in a column.
    Json(String),
    /// Entitlements.
    Mask(Mask),
}

/// A set of entitlements.
#[derive(Clone, Debug)]
pub(super) struct Mask {
    /// Which.
    pub(super) bits: Bits,
    /// What they mean.
    pub(super) resource: ResourceType,
    /// Where entitlements stand that have no bit: expressions of resource and user.
    pub(super) other: Option<(String, String)>,
}

impl Mask {
    /// The rows of the entitlements that have no bit, from `FROM` on; only where the set has such.
    pub(super) fn other_rows(&self) -> Option<String> {
        self.other.as_ref().map(|(resource, principal)| {
            format!("FROM access_other o WHERE o.resource_id = {resource} AND o.principal_id = {principal}")
        })
    }
}

impl Mask {
    /// The one role of a row: the first known one in the order of the bits, else the first of the others.
    pub(super) fn role(&self) -> String {
        let bits = self.bits.sql();
        let roles = self.resource.entitlements().iter().filter(|role| **role != Entitlement::UNKNOWN);
        let known: Vec<String> = roles
            .map(|role| format!("WHEN ({bits} & {}) <> 0 THEN '{}'", role.mask().0, role.slug()))
            .collect();
        let other = self.other_rows().map_or_else(String::new, |rows| {
            format!(" WHEN ({bits} & {OTHER}) <> 0 THEN (SELECT min(o.slug) {rows})")
        });
        format!("CASE {}{other} END", known.join(" "))
    }

    /// Whether the one role of a row is this one, which has a bit.
    pub(super) fn is_role(&self, role: Entitlement) -> String {
        let bit = role.mask().0;
        format!("({} & {}) = {bit}", self.bits.sql(), bit | (bit - 1))
    }
}

/// Set beside the known bits where there are others.
pub(super) const OTHER: u32 = metsuke_model::access::Mask::OTHER.0;

impl Term {
    /// A fixed value.
    pub(super) fn constant(writer: &mut Writer<'_>, value: &Value) -> Self {
        match value {
            Value::Absent | Value::List(_) => Self::Absent,
            Value::Flag(flag) => Self::Flag(if *flag { "1" } else { "0" }.to_owned()),
            Value::Number(number) => Self::Number(writer.number(*number)),
            Value::Text(text) => Self::Text(writer.text(text)),
        }
    }

    /// A column that [`column`](Self::column) wrote.
    pub(super) fn of_column(column: String, value_type: Option<ValueType>) -> Self {
        match value_type {
            Some(ValueType::Text) => Self::Text(column),
            Some(ValueType::Number | ValueType::Time) => Self::Number(column),
            Some(ValueType::Flag) => Self::Flag(column),
            Some(ValueType::Texts) => Self::List(List::Json(column)),
            None => Self::Absent,
        }
    }

    /// The expression of one column: texts, numbers, flags as 0 and 1, lists as JSON.
    pub(super) fn column(&self, writer: &mut Writer<'_>) -> Option<String> {
        let dialect = writer.dialect;
        Some(match self {
            Self::Absent => return None,
            Self::Text(text) | Self::Email(text) => text.clone(),
            Self::Number(number) => dialect.real(number),
            Self::Flag(flag) => flag.clone(),
            Self::Id(alias, _) => dialect.id_text(&format!("{alias}.uuid")),
            Self::Reference(column, table) => referred(dialect, column, table),
            Self::Role(mask) => mask.role(),
            Self::List(List::Fixed(values)) => {
                let json: serde_json::Value = values.iter().copied().collect();
                writer.text(&json.to_string())
            }
            Self::List(List::One(text)) => dialect.list_of(text),
            Self::List(List::Json(column)) => column.clone(),
            Self::List(List::Mask(mask)) => mask_json(writer, mask),
        })
    }

    /// The dense id of the object whose id it is, and the object's table.
    pub(super) fn object(&self, branch: &Branch<'_>) -> Option<(String, &'static str)> {
        match self {
            Self::Id(alias, table) => Some((from::known_id(branch, alias), table)),
            Self::Reference(column, table) => Some((column.clone(), table)),
            _ => None,
        }
    }

    /// Its text, where it is one.
    pub(super) fn text(&self, writer: &Writer<'_>) -> Option<String> {
        match self {
            Self::Text(text) | Self::Email(text) => Some(text.clone()),
            Self::Id(alias, _) => Some(writer.dialect.id_text(&format!("{alias}.uuid"))),
            Self::Reference(column, table) => Some(referred(writer.dialect, column, table)),
            Self::Role(mask) => Some(mask.role()),
            Self::Absent | Self::Number(_) | Self::Flag(_) | Self::List(_) => None,
        }
    }
}

/// Heroku's id of the object that a column refers to.
fn referred(dialect: super::Dialect, column: &str, table: &str) -> String {
    format!("(SELECT {} FROM {table} r WHERE r.id = {column})", dialect.id_text("r.uuid"))
}

/// A set of entitlements as the number of its mask; where others are among them, as a text of that and the JSON list of
/// these.
pub(super) fn mask_number(writer: &mut Writer<'_>, mask: &Mask) -> String {
    let bits = mask.bits.sql();
    let (Some(rows), Some(row)) = (mask.other_rows(), &mask.bits.row) else { return bits };
    let others = writer.dialect.quoted_slugs(&rows);
    format!(
        "CASE WHEN ({row} & {OTHER}) = 0 THEN {bits} ELSE ({bits}) || '[' || COALESCE({others}, '') || ']' END"
    )
}

fn mask_json(writer: &mut Writer<'_>, mask: &Mask) -> String {
    let bits = mask.bits.sql();
    let mut parts: Vec<String> = mask
        .resource
        .entitlements()
        .iter()
        .map(|entitlement| {
            let (bit, slug) = (entitlement.mask().0, entitlement.slug());
            format!("CASE WHEN ({bits} & {bit}) <> 0 THEN ',\"{slug}\"' ELSE '' END")
        })
        .collect();
    if let Some(rows) = mask.other_rows() {
        let quoted = writer.dialect.quoted_slugs(&rows);
        parts.push(format!(
            "CASE WHEN ({bits} & {OTHER}) <> 0 THEN COALESCE(',' || {quoted}, '') ELSE '' END"
        ));
    }
    format!("CASE WHEN {bits} IS NOT NULL THEN '[' || substr({}, 2) || ']' END", parts.join(" || "))
}

/// What a column of values of this type holds.
pub(super) fn sort(value_type: Option<ValueType>) -> Sort {
    match value_type {
        Some(ValueType::Text | ValueType::Texts) | None => Sort::Text,
        Some(ValueType::Number | ValueType::Time) => Sort::Number,
        Some(ValueType::Flag) => Sort::Int,
    }
}
