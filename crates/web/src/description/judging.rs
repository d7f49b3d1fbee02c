//! What running rules, evaluating versions, and alerts take and give.

use metsuke_engine::identity::Operation;
use metsuke_model::finding::DeliveryState;
use serde_json::{Value, json};

use super::operations::Spec;
use super::schemas::Named;
use super::words::{anything, count, flag, list, moment, named, object, one_of, only, or_null, text, with};

/// What an operation takes and gives.
pub(super) fn describe(operation: Operation) -> Spec {
    match operation {
        Operation::CheckRules => {
            let read = object([("rules", list(anything())), ("notes", list(text()))]);
            Spec::new(200, "The rules as they are understood, and what is odd about them.", read)
                .body(json!({ "type": ["array", "object"] }))
        }
        Operation::RunRules => {
            let told = object([("data", list(named("Evaluation")))]);
            Spec::new(200, "What each rule came to.", told).may_say(named("RulesTrial")).more(&[404])
        }
        Operation::ReplayRule => Spec::new(200, "How often it would have fired.", named("Replay"))
            .body(named("RuleToReplay"))
            .more(&[404]),
        Operation::EvaluateFindings => {
            let unjudged = object([("rule", text()), ("reason", text())]);
            let told = with(
                object([("version", count()), ("unjudged", list(unjudged))]),
                ["rules", "opened", "resolved", "standing", "deliveries"].map(|name| (name, count())),
            );
            Spec::new(200, "What it came to.", told).may_say(named("ToEvaluate")).more(&[404])
        }
        Operation::ListAlerts => {
            Spec::list("Alerts, newest first.", "Alert", &["connector", "channel", "state"]).more(&[404])
        }
        _ => {
            let retried = object([("id", text()), ("retried", flag())]);
            Spec::new(200, "It is tried once more.", retried).more(&[404])
        }
    }
}

/// The schemas.
pub(super) fn all() -> Named {
    let alert = object([
        ("connector", or_null(text())),
        ("id", text()),
        ("sequence", count()),
        ("channel", text()),
        ("subject", text()),
        ("rule", text()),
        ("version", count()),
        ("state", one_of(&DeliveryState::ALL.iter().map(|state| state.as_str()).collect::<Vec<_>>())),
        ("attempts", count()),
        ("created_at", moment()),
        ("due_at", moment()),
        ("sent_at", or_null(moment())),
        ("told", or_null(text())),
        ("document", json!({})),
    ]);
    let none = || json!({ "type": "object", "properties": {} });
    let version =
        || -> Value { or_null(json!({ "type": "string", "description": "A number, a date or a time." })) };
    let trial = with(
        none(),
        [
            ("connector", or_null(text())),
            ("ids", list(text())),
            ("rules", json!({ "type": ["array", "object", "null"] })),
            ("parameters", anything()),
            ("as_of", version()),
            ("since", version()),
        ],
    );
    let evaluation = with(
        object([("rule", text()), ("name", text()), ("version", count()), ("subjects", list(anything()))]),
        [("title", text()), ("severity", text())],
    );
    let seen = object([
        ("version", count()),
        ("at", moment()),
        ("found", or_null(count())),
        ("new", count()),
        ("names", list(text())),
        ("why", or_null(text())),
    ]);
    let replay = object([
        ("days", count()),
        ("since", moment()),
        ("kept", count()),
        ("looked_at", count()),
        ("most", or_null(count())),
        ("out_of_time", flag()),
        ("fired", count()),
        ("at_first", count()),
        ("versions", list(seen)),
        ("why", or_null(text())),
    ]);
    let days = json!({ "type": ["integer", "null"], "minimum": 1, "maximum": 365 });
    let rule = json!({ "type": ["object", "null"], "description": "A rule instance that need not be kept." });
    let to_replay = with(
        none(),
        [("connector", or_null(text())), ("id", or_null(text())), ("rule", rule), ("days", days)],
    );
    let to_evaluate = with(none(), [("connector", or_null(text())), ("rules", list(text()))]);
    vec![
        ("Replay", replay),
        ("RuleToReplay", only(to_replay)),
        ("ToEvaluate", only(to_evaluate)),
        ("Alert", alert),
        ("RulesTrial", only(trial)),
        ("Evaluation", evaluation),
        ("OfConnector", only(with(none(), [("connector", or_null(text()))]))),
    ]
}
