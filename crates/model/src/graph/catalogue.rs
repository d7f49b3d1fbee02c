//! The words in which the catalogue of the graph is written.
//!
//! The lists themselves are [`entities`](super::entities) and [`relationships`](super::relationships).

use crate::{Kind, ResourceType};

/// One type of entity.
#[derive(Debug)]
pub struct EntityType {
    /// Its `_type`.
    pub name: &'static str,
    /// Its `_class`; one word.
    pub class: &'static str,
    /// The table whose rows are its entities.
    pub table: Table,
    /// Its properties; `_key` and the other metadata are not among them.
    pub properties: &'static [Property],
    /// JupiterOne's own integration has it.
    pub original: bool,
    /// What it is, in a sentence.
    pub description: &'static str,
}

/// A table whose rows are entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// Objects that Heroku has.
    Objects(Kind),
    /// People of a roster.
    Employees,
}

impl Table {
    /// The bits of a dense id that hold [`number`](Self::number).
    pub const NUMBER_BITS: i64 = 63;

    /// The number in the lowest six bits of its rows' dense ids.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Objects(kind) => kind.number(),
            Self::Employees => 12,
        }
    }

    /// Whether Heroku has what stands in it.
    #[must_use]
    pub const fn is_heroku(self) -> bool {
        matches!(self, Self::Objects(_))
    }

    /// What the database calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Objects(kind) => kind.table(),
            Self::Employees => "employee",
        }
    }
}

/// One property of an entity.
#[derive(Debug)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub value_type: ValueType,
    /// Where it comes from.
    pub source: Source,
}

/// What a property holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// A text.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
    /// A point in time, milliseconds since 1970; tables keep microseconds.
    Time,
    /// Several texts.
    Texts,
}

/// Where an entity's property comes from.
#[derive(Debug)]
pub enum Source {
    /// Heroku's id (column `uuid`), as text; of an employee the column `key`.
    Id,
    /// A column of the table.
    Column(&'static str),
    /// Heroku's id of the object that the column refers to.
    Reference(&'static str, Kind),
    /// A column of the object that a column refers to: column here, kind there, column there.
    Referred(&'static str, Kind, &'static str),
    /// A place in the JSON object of everything that has no column.
    Document(&'static [&'static str]),
    /// A column that holds a JSON list of texts.
    JsonList(&'static str),
    /// A text source with a fixed ending; absent where the source is.
    Suffixed(&'static Source, &'static str),
    /// The first that is not absent.
    FirstOf(&'static [Source]),
    /// A list with this one value; absent where the value is.
    One(&'static Source),
    /// The same text for all.
    Text(&'static str),
    /// The same list for all.
    Texts(&'static [&'static str]),
    /// Of a user: the id of an Enterprise account that has them as a member, the first one known.
    EnterpriseAccount,
}

/// Metadata that every entity and relationship bears beside its properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metadata {
    /// `_id` and `_key`: Heroku's id, or a relationship's key.
    Key,
    /// `_type`.
    Type,
    /// `_class`, a list of one.
    Class,
    /// `_createdOn`: when the sync ended that first saw it.
    CreatedOn,
    /// `_beginOn`: when the sync ended that saw it as it is now.
    BeginOn,
    /// `_endOn`: when the sync ended that saw it no more.
    EndOn,
    /// `_deleted`.
    Deleted,
    /// `_version`, from 1, one more for each change of its properties.
    Version,
    /// `_integrationType`: `heroku`; of employees `roster`.
    IntegrationType,
    /// `_integrationName`: the account name that the caller gives.
    IntegrationName,
    /// `_source`: `integration-managed`.
    Source,
}

impl Metadata {
    /// Every metadata property by its name; `_id` and `_key` are one.
    pub const ALL: [(&'static str, Self, ValueType); 12] = [
        ("_id", Self::Key, ValueType::Text),
        ("_key", Self::Key, ValueType::Text),
        ("_type", Self::Type, ValueType::Texts),
        ("_class", Self::Class, ValueType::Texts),
        ("_createdOn", Self::CreatedOn, ValueType::Time),
        ("_beginOn", Self::BeginOn, ValueType::Time),
        ("_endOn", Self::EndOn, ValueType::Time),
        ("_deleted", Self::Deleted, ValueType::Flag),
        ("_version", Self::Version, ValueType::Number),
        ("_integrationType", Self::IntegrationType, ValueType::Text),
        ("_integrationName", Self::IntegrationName, ValueType::Text),
        ("_source", Self::Source, ValueType::Text),
    ];
}

/// One type of relationship.
#[derive(Debug)]
pub struct RelationshipType {
    /// Its `_type`.
    pub name: &'static str,
    /// Its `_class`, upper-case.
    pub verb: &'static str,
    /// The type of the entity that it points from.
    pub from: &'static str,
    /// The type of the entity that it points to.
    pub to: &'static str,
    /// The rows that are its relationships.
    pub source: RelationSource,
    /// Its properties, metadata aside.
    pub properties: &'static [EdgeProperty],
    /// JupiterOne's own integration has it.
    pub original: bool,
    /// It follows from others, and is exported only when asked for.
    pub computed: bool,
    /// What it says, in a sentence.
    pub description: &'static str,
}

/// One end of a relationship.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The one that it points from.
    From,
    /// The one that it points to.
    To,
}

/// The rows that are relationships.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationSource {
    /// A column of the entity at one end refers to the entity at the other.
    Refers {
        /// The end that has the column.
        holder: End,
        /// The column.
        column: &'static str,
    },
    /// Rows of direct access: a user, and a resource at the named end.
    Access {
        /// The type of the resource.
        resource: ResourceType,
        /// The end at which the resource stands; the user stands at the other.
        at: End,
    },
    /// Rows of a table between the two, present ones: its kind, and its columns for both ends.
    Junction {
        /// The kind of the rows.
        kind: Kind,
        /// The column that refers to the entity that it points from.
        from: &'static str,
        /// The column that refers to the entity that it points to.
        to: &'static str,
    },
    /// Effective access of a user to an app: one relationship for each way by which they came to it.
    Effective,
    /// Users matched with employees: rows of `employee_match`, columns `user_id` and `employee_id`.
    Matched,
}

/// One property of a relationship.
#[derive(Debug)]
pub struct EdgeProperty {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub value_type: ValueType,
    /// Where it comes from.
    pub source: EdgeSource,
}

/// Where a relationship's property comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdgeSource {
    /// The one role of a row of access: the first known entitlement in order of the bits, else the first unknown slug; absent for the role that Heroku sent as null.
    Role,
    /// All entitlements of a row of access, the known ones in order of their bits, then the others in order of their texts; of effective access the permissions that this way gives.
    Entitlements,
    /// The word for the way by which effective access came about.
    Via,
    /// A column of the row between the two.
    Column(&'static str),
}
