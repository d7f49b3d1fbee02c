//! What looking after the installation takes and gives, and uploads and comparisons of versions.

use metsuke_engine::desk::Fitness;
use metsuke_engine::identity::Operation;
use serde_json::json;

use super::operations::{Body, Spec};
use super::schemas::Named;
use super::words::{
    anything, count, flag, list, meaning, moment, named, object, one_of, only, or_null, text, with,
};

/// What an operation takes and gives.
pub(super) fn describe(operation: Operation) -> Spec {
    match operation {
        Operation::Examine => {
            let checks = object([("data", list(named("Check")))]);
            let spec = Spec::new(200, "What was looked at, and how it was found.", checks).more(&[404, 422]);
            Spec { parameters: &["connector"], ..spec }
        }
        Operation::Prune => {
            let told = "The job that removes: a new one, or the one that waits or removes. Its result tells what went.";
            Spec::new(202, told, named("Job")).more(&[422])
        }
        Operation::MakeBackup => {
            let told = "The copy, encrypted in the format of age. `X-About` tells what is in it.";
            Spec::file(told, &["application/octet-stream"]).body(named("BackupAsk"))
        }
        Operation::UploadVersion => Spec::new(200, "What JupiterOne made of it.", named("Upload"))
            .body(named("UploadAsk"))
            .more(&[404, 424]),
        _ => {
            let mut spec =
                Spec::new(200, "What is only there, only here, or in both.", named("FileCompared"))
                    .more(&[404]);
            let file = json!({ "type": "string", "format": "binary" });
            spec.body = Some(Body { schema: file, required: true, media: "application/octet-stream" });
            Spec { parameters: &["connector", "as_of", "sync"], ..spec }
        }
    }
}

/// The schemas.
pub(super) fn all() -> Named {
    let check = object([
        ("connector", or_null(text())),
        ("check", text()),
        ("status", one_of(&Fitness::ALL.map(Fitness::as_str))),
        ("detail", text()),
        ("hint", or_null(text())),
    ]);
    let backup = with(
        object([]),
        [
            (
                "recipient",
                or_null(meaning("The public key of whoever may open it, as `age-keygen -y` writes it.")),
            ),
            ("passphrase", or_null(meaning("What opens it, of at least 12 characters."))),
        ],
    );
    let ask = with(
        object([
            ("account_id", meaning("The JupiterOne account.")),
            ("api_key", meaning("A key of its API; it is not kept.")),
        ]),
        [
            ("connector", or_null(text())),
            ("as_of", or_null(text())),
            (
                "integration_instance_id",
                or_null(meaning("The integration instance whose objects these are.")),
            ),
            ("scope", or_null(meaning("A scope that belongs to no integration."))),
            ("profile", or_null(one_of(&["classic", "current"]))),
            ("account_name", or_null(text())),
            ("tag_production", flag()),
            ("only_original", flag()),
            ("effective", flag()),
        ],
    );
    let brought =
        || object([("uploaded", count()), ("created", count()), ("updated", count()), ("deleted", count())]);
    let upload = object([
        ("version", count()),
        ("job", text()),
        ("status", text()),
        ("entities", brought()),
        ("relationships", with(brought(), [("failed", count())])),
        ("shortened", count()),
        ("skipped", list(text())),
        ("partial", list(text())),
    ]);
    let of_kind = || {
        object([
            ("only_there", count()),
            ("only_here", count()),
            ("both", count()),
            ("by_name", count()),
            ("otherwise", count()),
        ])
    };
    let compared = object([
        ("resources", of_kind()),
        ("entitlements", of_kind()),
        ("grants", of_kind()),
        ("is_expanded", flag()),
        ("types", list(anything())),
        ("differences", list(anything())),
    ]);
    let file = object([
        ("sync", text()),
        ("ended_at", or_null(moment())),
        ("version", count()),
        ("compared", compared),
        ("left_out", count()),
    ]);
    vec![
        ("Check", check),
        ("BackupAsk", only(backup)),
        ("UploadAsk", only(ask)),
        ("Upload", upload),
        ("FileCompared", file),
    ]
}
