//! What jobs take and give.

use metsuke_engine::identity::Operation;
use metsuke_engine::jobs::JobStatus;
use serde_json::{Value, json};

use super::operations::Spec;
use super::schemas::Named;
use super::words::{count, moment, named, object, one_of, or_null, text};

/// What an operation takes and gives.
pub(super) fn describe(operation: Operation) -> Spec {
    let of = |spec: Spec| Spec { parameters: &["connector"], ..spec }.more(&[404]);
    match operation {
        Operation::ListJobs => {
            Spec::list("Jobs, newest first.", "Job", &["connector", "state", "kind"]).more(&[404])
        }
        Operation::GetJob => of(Spec::thing("The job.", named("Job"))).more(&[404, 422]),
        Operation::RetryJob => of(Spec::new(200, "The job, which waits again.", named("Job"))),
        Operation::DropJob => of(Spec::new(200, "The job as it was.", named("Job"))).more(&[404, 409]),
        _ => {
            let told =
                "The job that uploads the newest version: a new one, or the one that waits or uploads.";
            Spec::new(202, told, named("Job")).more(&[404])
        }
    }
}

/// The schema of a job.
pub(super) fn all() -> Named {
    vec![("Job", job())]
}

fn job() -> Value {
    object([
        ("connector", or_null(text())),
        ("id", text()),
        ("kind", text()),
        ("what", text()),
        ("state", one_of(&JobStatus::ALL.map(JobStatus::as_str))),
        ("version", or_null(count())),
        ("attempts", count()),
        ("created_at", moment()),
        ("due_at", moment()),
        ("finished_at", or_null(moment())),
        ("why", or_null(text())),
        ("result", json!({ "type": ["object", "array", "null"] })),
    ])
}
