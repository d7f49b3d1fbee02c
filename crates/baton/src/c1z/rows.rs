//! The rows of one sync, handed over one by one.
//!
//! Neither side keeps them: a source may reuse its messages, and a sink takes what it needs from a borrowed one.
//!
//! Invariant: kinds come in the order of [`RowKind`], so that what a row names was there before it.

use std::fmt;

use super::C1zError;
use crate::proto::connector::{Entitlement, Grant, Resource, ResourceType};

/// The four kinds of rows, in the order in which they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// `user`, `team`, `enterprise_account` or `app`, and others in files from elsewhere.
    ResourceType,
    /// One user, one team, one app.
    Resource,
    /// What a resource offers.
    Entitlement,
    /// Who holds it.
    Grant,
}

impl RowKind {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::ResourceType, Self::Resource, Self::Entitlement, Self::Grant];

    /// Its name, in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ResourceType => "resource type",
            Self::Resource => "resource",
            Self::Entitlement => "entitlement",
            Self::Grant => "grant",
        }
    }
}

impl fmt::Display for RowKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One row, whole.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// A resource type.
    ResourceType(ResourceType),
    /// A resource.
    Resource(Resource),
    /// An entitlement.
    Entitlement(Entitlement),
    /// A grant.
    Grant(Box<Grant>),
}

/// Where rows come from.
pub trait Rows {
    /// Hands over every row of the sync once: resource types, resources, entitlements, grants.
    ///
    /// Within a kind any order will do; by ascending id is the quickest. The same sync in the same order becomes the same
    /// bytes.
    ///
    /// # Errors
    ///
    /// What the sink says ends the visit; errors of the source itself become [`C1zError::Source`].
    fn visit(&mut self, sink: &mut dyn Sink) -> Result<(), C1zError>;
}

/// Where rows go.
pub trait Sink {
    /// Takes a resource type.
    ///
    /// # Errors
    ///
    /// When it cannot be taken; nothing may be handed over after that.
    fn resource_type(&mut self, row: &ResourceType) -> Result<(), C1zError>;

    /// Takes a resource.
    ///
    /// # Errors
    ///
    /// When it cannot be taken; nothing may be handed over after that.
    fn resource(&mut self, row: &Resource) -> Result<(), C1zError>;

    /// Takes an entitlement.
    ///
    /// # Errors
    ///
    /// When it cannot be taken; nothing may be handed over after that.
    fn entitlement(&mut self, row: &Entitlement) -> Result<(), C1zError>;

    /// Takes a grant, whose `GrantExpandable` is still among its annotations.
    ///
    /// # Errors
    ///
    /// When it cannot be taken; nothing may be handed over after that.
    fn grant(&mut self, row: &Grant) -> Result<(), C1zError>;
}

/// Rows that are in memory, in order; for small syncs.
impl Rows for Vec<Row> {
    fn visit(&mut self, sink: &mut dyn Sink) -> Result<(), C1zError> {
        self.iter().try_for_each(|row| match row {
            Row::ResourceType(row) => sink.resource_type(row),
            Row::Resource(row) => sink.resource(row),
            Row::Entitlement(row) => sink.entitlement(row),
            Row::Grant(row) => sink.grant(row),
        })
    }
}

/// Gathers them all; for small syncs.
impl Sink for Vec<Row> {
    fn resource_type(&mut self, row: &ResourceType) -> Result<(), C1zError> {
        self.push(Row::ResourceType(row.clone()));
        Ok(())
    }

    fn resource(&mut self, row: &Resource) -> Result<(), C1zError> {
        self.push(Row::Resource(row.clone()));
        Ok(())
    }

    fn entitlement(&mut self, row: &Entitlement) -> Result<(), C1zError> {
        self.push(Row::Entitlement(row.clone()));
        Ok(())
    }

    fn grant(&mut self, row: &Grant) -> Result<(), C1zError> {
        self.push(Row::Grant(Box::new(row.clone())));
        Ok(())
    }
}
