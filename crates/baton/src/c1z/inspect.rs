//! What a file holds, counted anew, and what is wrong with it.
//!
//! Nothing is judged here but the fit of the rows; whether the access is right is for people.
//!
//! Invariant: counts are of the rows that are there, whatever the file says of them.

use std::collections::BTreeMap;
use std::path::Path;

use prost_types::Any;

use super::known::{Integrity, expansion};
use super::{
    C1z, C1zError, Container, Offence, Offences, ReadOptions, RowKind, Rows as _, Sink, Stats, SyncRun,
};
use crate::proto::connector::{Entitlement, Grant, Resource, ResourceType};

/// Types of annotations that readers of 2025 know; others break their JSON output and their comparison.
const KNOWN_IN_2025: [&str; 41] = [
    "AppTrait",
    "BatonID",
    "ChildResourceType",
    "ETag",
    "ETagMatch",
    "ETagMetadata",
    "EntitlementImmutable",
    "ExternalLink",
    "ExternalResourceMatch",
    "ExternalResourceMatchAll",
    "ExternalResourceMatchID",
    "ExternalTicketRef",
    "ExternalTicketSettings",
    "GrantAlreadyExists",
    "GrantAlreadyRevoked",
    "GrantExpandable",
    "GrantImmutable",
    "GrantMetadata",
    "GroupTrait",
    "InsertResourceGrants",
    "Aliases",
    "Issue",
    "RateLimitDescription",
    "RawId",
    "RequestId",
    "ResourceDoesNotExist",
    "RiskFactor",
    "RiskScore",
    "RoleScopeCondition",
    "RoleScopeConditions",
    "RoleTrait",
    "ScopeBindingTrait",
    "SecretTrait",
    "SecurityInsightTrait",
    "SkipEntitlements",
    "SkipEntitlementsAndGrants",
    "SkipGrants",
    "UserTrait",
    "V1Identifier",
    "CapabilityPermission",
    "CapabilityPermissions",
];

/// What a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// Its outside.
    pub container: Container,
    /// Its syncs, the oldest first.
    pub syncs: Vec<SyncInspection>,
}

/// What a sync of a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncInspection {
    /// What the file says of it.
    pub run: SyncRun,
    /// How many rows there are.
    pub stats: Stats,
    /// Whether the counts that the file has written down are those.
    pub stats_agree: bool,
    /// Rows that do not fit together.
    pub offences: Offences,
    /// Types of annotations that readers of 2025 do not know, and how often each is there.
    pub unknown_annotations: BTreeMap<String, u64>,
}

/// Opens a file and counts everything in it.
///
/// # Errors
///
/// As [`C1z::open`]; rows that do not fit together are told and are no error.
pub fn inspect(path: &Path, options: &ReadOptions) -> Result<Inspection, C1zError> {
    let file = C1z::open(path, options)?;
    let syncs = file.syncs().iter().map(|run| of_sync(&file, run)).collect::<Result<_, _>>()?;
    Ok(Inspection { container: file.container().clone(), syncs })
}

fn of_sync(file: &C1z, run: &SyncRun) -> Result<SyncInspection, C1zError> {
    let mut counting = Counting {
        integrity: Integrity::of(&run.sync_type),
        stats: Stats { assets: file.count_assets(&run.id)?, ..Stats::default() },
        unknown: BTreeMap::new(),
    };
    file.rows(&run.id).visit(&mut counting)?;
    let Counting { mut integrity, stats, unknown } = counting;
    for id in file.grants_twice(&run.id)? {
        integrity.add(Offence::Twice(RowKind::Grant, id));
    }
    Ok(SyncInspection {
        stats_agree: run.stats.as_ref().is_some_and(|told| told.agrees(&stats)),
        run: run.clone(),
        stats,
        offences: integrity.into_offences(),
        unknown_annotations: unknown,
    })
}

/// Looks at rows and forgets them.
struct Counting {
    integrity: Integrity,
    stats: Stats,
    unknown: BTreeMap<String, u64>,
}

impl Counting {
    fn annotations(&mut self, packed: &[Any]) {
        for any in packed {
            let name = any.type_url.rsplit('/').next().unwrap_or_default();
            let short = name.strip_prefix("c1.connector.v2.").filter(|short| KNOWN_IN_2025.contains(short));
            if short.is_none() && !name.starts_with("google.protobuf.") {
                Stats::count(&mut self.unknown, name);
            }
        }
    }
}

impl Sink for Counting {
    fn resource_type(&mut self, row: &ResourceType) -> Result<(), C1zError> {
        self.stats.add_type(&row.id);
        self.annotations(&row.annotations);
        self.integrity.resource_type(row)
    }

    fn resource(&mut self, row: &Resource) -> Result<(), C1zError> {
        self.stats.resources += 1;
        self.annotations(&row.annotations);
        if let Some(id) = self.integrity.resource(row)? {
            Stats::count(&mut self.stats.resources_by_resource_type, &id.resource_type);
        }
        Ok(())
    }

    fn entitlement(&mut self, row: &Entitlement) -> Result<(), C1zError> {
        self.stats.entitlements += 1;
        self.annotations(&row.annotations);
        if let Some(id) = self.integrity.entitlement(row)? {
            Stats::count(&mut self.stats.entitlements_by_resource_type, &id.resource_type);
        }
        Ok(())
    }

    fn grant(&mut self, row: &Grant) -> Result<(), C1zError> {
        self.stats.grants += 1;
        self.annotations(&row.annotations);
        if let Some(granted) = self.integrity.grant(row, expansion(row).as_ref())? {
            Stats::count(&mut self.stats.grants_by_resource_type, &granted.resource.resource_type);
        }
        Ok(())
    }
}
