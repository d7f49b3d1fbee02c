//! What webhooks, and their deliveries, take and give.

use metsuke_engine::identity::Operation;
use serde_json::json;

use super::operations::{Body, JSON, Spec};
use super::schemas::Named;
use super::words::{anything, meaning, moment, named, object, one_of, only, or_null, text, with};

/// What an operation on webhooks takes and gives.
pub(super) fn describe(operation: Operation) -> Spec {
    match operation {
        Operation::ReceiveDelivery => {
            let outcome = |words: &[&str]| object([("outcome", one_of(words))]);
            let taken = "What it is about is read again.";
            let mut spec = Spec::new(202, taken, outcome(&["taken"])).more(&[401, 422]);
            spec.parameters = &["connector", "hook"];
            spec.unchanged = Some((
                "Nothing is done: it was taken before, is too old, or says nothing that can be read.",
                outcome(&["again", "stale", "unreadable"]),
            ));
            spec.body = Some(Body { schema: anything(), required: true, media: JSON });
            spec
        }
        Operation::ListWebhooks => {
            Spec::list("Webhooks, by the app's name.", "Webhook", &["connector"]).more(&[404])
        }
        Operation::AddWebhook => {
            Spec::new(201, "The webhook; that of before, if there is one.", named("Webhook"))
                .body(named("NewWebhook"))
                .more(&[404, 424, 429])
        }
        Operation::GetWebhook => Spec::thing("The webhook.", named("Webhook")).more(&[404]),
        _ => Spec::new(200, "The webhook as it was.", named("Webhook")).more(&[404, 409, 424, 429]),
    }
}

/// The schemas.
pub(super) fn all() -> Named {
    let hook = object([
        ("connector", or_null(text())),
        ("id", text()),
        ("app", text()),
        ("app_name", text()),
        ("url", text()),
        ("heroku_id", or_null(text())),
        ("state", one_of(&["asked", "active", "leaving"])),
        ("created_at", moment()),
        ("heard_at", or_null(moment())),
    ]);
    let url = "Where Heroku reaches this server: https, or http on this machine; else its public address.";
    let ask = with(
        object([("app", meaning("The app, by name or id."))]),
        [
            ("connector", or_null(meaning("Whose estate; needed where there are several."))),
            ("url", or_null(json!({ "type": "string", "format": "uri", "description": url }))),
        ],
    );
    vec![("Webhook", hook), ("NewWebhook", only(ask))]
}
