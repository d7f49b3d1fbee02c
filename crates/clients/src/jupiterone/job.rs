//! A synchronization job, as the API answers it.

use serde::Deserialize;

/// One job.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub status: JobStatus,
    /// The integration's job that it belongs to, whose log shows events; none for a scope.
    #[serde(default)]
    pub integration_job_id: Option<String>,
    /// What it did so far.
    #[serde(flatten)]
    pub counted: Counted,
}

/// How many objects a job took and changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Counted {
    /// Entities that were uploaded.
    pub num_entities_uploaded: u64,
    /// Entities that are new.
    pub num_entities_created: u64,
    /// Entities that changed.
    pub num_entities_updated: u64,
    /// Entities that are gone.
    pub num_entities_deleted: u64,
    /// Relationships that were uploaded.
    pub num_relationships_uploaded: u64,
    /// Relationships that are new.
    pub num_relationships_created: u64,
    /// Relationships that changed.
    pub num_relationships_updated: u64,
    /// Relationships that are gone.
    pub num_relationships_deleted: u64,
    /// Relationships that could not be made, because an end is missing.
    pub num_relationship_create_errors: u64,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum JobStatus {
    /// It takes objects.
    AwaitingUploads,
    /// All objects are there, and nothing has happened yet.
    FinalizePending,
    /// Entities are being compared.
    FinalizingEntities,
    /// Relationships are being compared.
    FinalizingRelationships,
    /// Done.
    Finished,
    /// Given up.
    Aborted,
    /// Another word, which may be one of failure or one of tomorrow.
    Other(Box<str>),
}

impl From<String> for JobStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "AWAITING_UPLOADS" => Self::AwaitingUploads,
            "FINALIZE_PENDING" => Self::FinalizePending,
            "FINALIZING_ENTITIES" => Self::FinalizingEntities,
            "FINALIZING_RELATIONSHIPS" => Self::FinalizingRelationships,
            "FINISHED" => Self::Finished,
            "ABORTED" => Self::Aborted,
            _ => Self::Other(word.into()),
        }
    }
}

impl JobStatus {
    /// The API's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::AwaitingUploads => "AWAITING_UPLOADS",
            Self::FinalizePending => "FINALIZE_PENDING",
            Self::FinalizingEntities => "FINALIZING_ENTITIES",
            Self::FinalizingRelationships => "FINALIZING_RELATIONSHIPS",
            Self::Finished => "FINISHED",
            Self::Aborted => "ABORTED",
            Self::Other(word) => word,
        }
    }

    /// Whether the job is being finalized and not yet done.
    #[must_use]
    pub const fn goes_on(&self) -> bool {
        matches!(self, Self::FinalizePending | Self::FinalizingEntities | Self::FinalizingRelationships)
    }
}
