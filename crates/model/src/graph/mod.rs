//! The estate as entities and relationships: what the graph calls things, and where each property comes from.
//!
//! The typed tables hold the facts; an entity or a relationship is only a name for a row of them. This catalogue says
//! which row, and which property is which column. Queries, exports and the graph in memory all read it here.
//!
//! Source: the five original entity types and relationship types, their keys and their properties are those of
//! JupiterOne's Heroku integration; everything else follows its conventions (camelCase properties, its classes and verbs).
//!
//! Invariant: a property name means values of one type, whatever entity bears it.

pub mod catalogue;
pub mod employee;
pub mod entities;
pub mod relationships;
pub mod value;

pub use catalogue::{
    EdgeProperty, EdgeSource, End, EntityType, Metadata, Property, RelationSource, RelationshipType, Source,
    Table, ValueType,
};
pub use employee::Employee;
pub use value::Value;
