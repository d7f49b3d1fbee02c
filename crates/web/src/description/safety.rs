//! What the kill switch, protected people, interrupted plans and the audit trail's proof take and give.

use metsuke_engine::identity::Operation;
use metsuke_model::plan::StepStatus;
use serde_json::json;

use super::operations::Spec;
use super::schemas::Named;
use super::words::{
    anything, count, flag, list, meaning, moment, named, object, one_of, only, or_null, text, with,
};

/// What an operation takes and gives.
pub(super) fn describe(operation: Operation) -> Spec {
    let protected = || object([("person", text()), ("protected", flag()), ("changed", flag())]);
    match operation {
        Operation::ReconcilePlans => {
            let statuses = [
                StepStatus::Planned,
                StepStatus::Intent,
                StepStatus::Sent,
                StepStatus::Confirmed,
                StepStatus::Refused,
                StepStatus::Unknown,
                StepStatus::Verified,
                StepStatus::Superseded,
            ];
            let status = one_of(&statuses.map(StepStatus::as_str));
            let step = object([("plan", text()), ("step", count()), ("status", status)]);
            Spec::new(200, "How each open step stands.", object([("steps", list(step))]))
                .may_say(named("OfConnector"))
                .more(&[404, 424, 429])
        }
        Operation::GetKillSwitch => {
            let spec = Spec::thing("Whether it is on everywhere, and where.", named("KillSwitch"));
            Spec { parameters: &["connector"], ..spec }.more(&[404, 422])
        }
        Operation::SetKillSwitch => Spec::new(200, "How it stands now.", named("KillSwitch"))
            .body(named("KillSwitchTurn"))
            .more(&[404]),
        Operation::ListProtected => {
            Spec::list("People who are never changed.", "ProtectedPerson", &["connector"]).more(&[404])
        }
        Operation::Protect => {
            Spec::new(200, "Whether that is new.", protected()).body(named("NewProtection")).more(&[404])
        }
        Operation::Unprotect => {
            let spec = Spec::new(200, "Whether it was so before.", protected()).more(&[404]);
            Spec { parameters: &["connector"], ..spec }
        }
        Operation::VerifyAudit => Spec::new(200, "What was found.", named("AuditVerdict"))
            .may_say(named("Verification"))
            .more(&[404]),
        Operation::SignAudit => {
            let signed = object([("size", count()), ("note", text()), ("public_key", text())]);
            Spec::new(200, "The checkpoint, to be kept elsewhere.", signed)
                .may_say(named("OfConnector"))
                .more(&[404])
        }
        _ => {
            let spec = Spec::file("The trail.", &["application/jsonl"]).more(&[404, 409, 422]);
            Spec { parameters: &["connector"], ..spec }
        }
    }
}

/// The schemas.
pub(super) fn all() -> Named {
    let connector = || ("connector", or_null(text()));
    let none = || json!({ "type": "object", "properties": {} });
    let turned = object([
        connector(),
        ("on", flag()),
        ("turned_at", or_null(moment())),
        ("turned_by", or_null(text())),
    ]);
    let switch = object([("on", flag()), ("estates", list(turned))]);
    let turn = with(object([("on", flag())]), [connector()]);
    let person = || meaning("The person's e-mail address or Heroku id.");
    let verdict = object([
        ("clean", flag()),
        ("events", count()),
        ("root", text()),
        ("confirmed", count()),
        ("confirmed_elsewhere", count()),
        ("public_key", or_null(text())),
        ("key_source", text()),
        ("findings", list(anything())),
        ("unlisted", count()),
        ("caveats", list(text())),
    ]);
    let ask = with(
        none(),
        [
            connector(),
            ("public_key", or_null(meaning("The public key, as it was kept elsewhere."))),
            ("checkpoints", list(meaning("A checkpoint that was kept elsewhere."))),
        ],
    );
    vec![
        ("KillSwitch", switch),
        ("KillSwitchTurn", only(turn)),
        ("ProtectedPerson", object([connector(), ("person", text()), ("added_at", moment())])),
        ("NewProtection", only(with(object([("person", person())]), [connector()]))),
        ("AuditVerdict", verdict),
        ("Verification", only(ask)),
    ]
}
