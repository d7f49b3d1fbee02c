//! One synchronization job: what it brought, how far it is, and how it is told.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::graph::Changed;
use super::text;

/// One event that a client told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// What happened, in words.
    pub description: String,
}

/// A job, for tests to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobReport {
    /// Its id.
    pub id: String,
    /// Its status, as the API spells it.
    pub status: String,
    /// The integration instance or scope that it brings objects for.
    pub owner: String,
    /// The types that the finalizing client called partial.
    pub partial: Vec<String>,
    /// Why it was aborted.
    pub reason: Option<String>,
    /// What the client told, in order.
    pub events: Vec<Event>,
    /// Entities that were uploaded.
    pub entities: u64,
    /// Relationships that were uploaded.
    pub relationships: u64,
    /// Relationships whose ends are missing.
    pub relationship_errors: u64,
}

#[derive(Debug, Default)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) instance: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) status: Status,
    pub(super) whole: bool,
    pub(super) ignores_duplicates: bool,
    pub(super) entities: Vec<Value>,
    pub(super) relationships: Vec<Value>,
    pub(super) keys: HashSet<String>,
    pub(super) correlations: HashSet<String>,
    pub(super) uploaded: (u64, u64),
    pub(super) changed: (Changed, Changed),
    pub(super) partial: Vec<String>,
    pub(super) reason: Option<String>,
    pub(super) events: Vec<Event>,
}

/// How far a job is. A look at it moves one that is being finalized on by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Status {
    #[default]
    AwaitingUploads,
    FinalizePending,
    FinalizingEntities,
    FinalizingRelationships,
    Finished,
    Aborted,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingUploads => "AWAITING_UPLOADS",
            Self::FinalizePending => "FINALIZE_PENDING",
            Self::FinalizingEntities => "FINALIZING_ENTITIES",
            Self::FinalizingRelationships => "FINALIZING_RELATIONSHIPS",
            Self::Finished => "FINISHED",
            Self::Aborted => "ABORTED",
        }
    }
}

impl Job {
    /// Whom it brings objects for.
    pub(super) fn owner(&self) -> String {
        self.instance.clone().or_else(|| self.scope.clone()).unwrap_or_default()
    }

    /// Moves on, as time does.
    pub(super) fn advance(&mut self) {
        self.status = match self.status {
            Status::FinalizePending => Status::FinalizingEntities,
            Status::FinalizingEntities => Status::FinalizingRelationships,
            Status::FinalizingRelationships => Status::Finished,
            other => other,
        };
    }

    /// Takes an upload; the message of a refusal with its code otherwise.
    pub(super) fn upload(
        &mut self,
        entities: Vec<Value>,
        relationships: Vec<Value>,
        correlation: Option<&str>,
    ) -> Result<(), (&'static str, String)> {
        if correlation.is_some_and(|correlation| self.correlations.contains(correlation)) {
            // The same upload once more: its answer was lost.
            return Ok(());
        }
        let mut keys = HashSet::new();
        for object in entities.iter().chain(&relationships) {
            for name in ["_key", "_type"] {
                if text(object, name).is_none() {
                    return Err(("INVALID_OBJECT", format!("an object has no {name}")));
                }
            }
            if object.get("_class").is_none() {
                return Err(("INVALID_OBJECT", "an object has no _class".into()));
            }
            let key = text(object, "_key").unwrap_or_default();
            if !self.ignores_duplicates && (self.keys.contains(key) || !keys.insert(key.to_owned())) {
                return Err(("DUPLICATE_KEY_DETECTED", format!("duplicate _key: {key}")));
            }
        }
        for relationship in &relationships {
            let ends = ["_fromEntityKey", "_toEntityKey"].iter().all(|end| text(relationship, end).is_some());
            if !ends && relationship.get("_mapping").is_none() {
                return Err(("INVALID_OBJECT", "a relationship has no ends".into()));
            }
        }
        self.keys.extend(keys);
        self.correlations.extend(correlation.map(ToOwned::to_owned));
        self.uploaded.0 += entities.len() as u64;
        self.uploaded.1 += relationships.len() as u64;
        self.entities.extend(entities);
        self.relationships.extend(relationships);
        Ok(())
    }

    /// The job as the API answers it.
    pub(super) fn body(&self) -> Value {
        let (entities, relationships) = self.changed;
        json!({ "job": {
            "id": self.id,
            "source": self.source,
            "scope": self.scope,
            "integrationInstanceId": self.instance,
            "integrationJobId": self.instance.as_ref().map(|_| &self.id),
            "status": self.status.as_str(),
            "startTimestamp": 1_700_000_000_000_u64,
            "numEntitiesUploaded": self.uploaded.0,
            "numEntitiesCreated": entities.created,
            "numEntitiesUpdated": entities.updated,
            "numEntitiesDeleted": entities.deleted,
            "numRelationshipsUploaded": self.uploaded.1,
            "numRelationshipsCreated": relationships.created,
            "numRelationshipsUpdated": relationships.updated,
            "numRelationshipsDeleted": relationships.deleted,
            "numRelationshipCreateErrors": relationships.errors,
        } })
    }

    pub(super) fn report(&self) -> JobReport {
        JobReport {
            id: self.id.clone(),
            status: self.status.as_str().into(),
            owner: self.owner(),
            partial: self.partial.clone(),
            reason: self.reason.clone(),
            events: self.events.clone(),
            entities: self.uploaded.0,
            relationships: self.uploaded.1,
            relationship_errors: self.changed.1.errors,
        }
    }
}
