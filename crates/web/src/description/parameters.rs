//! Parameters of operations: of the path, of the query, and headers.

use metsuke_engine::identity::Operation;
use metsuke_model::audit::EventOutcome;
use serde_json::{Value, json};

use super::operations::Spec;
use super::words::one_of;
use crate::call::MOST;

/// All parameters of an operation.
pub(super) fn of(operation: Operation, spec: &Spec) -> Vec<Value> {
    let mut all = Vec::new();
    let segments = operation.path().split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    for name in segments {
        // A person is an address, which may be long.
        let most = if matches!(name, "person" | "id") { 254 } else { 64 };
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": most });
        all.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
    }
    all.extend(spec.parameters.iter().map(|name| parameter(name)));
    if spec.listed {
        all.extend(["limit", "cursor"].map(parameter));
    }
    if spec.tagged {
        let told = "Answers 304 where the answer still has this tag.";
        all.push(header("If-None-Match", told));
    }
    if spec.matched {
        all.push(header("If-Match", "Does it only where the thing still has this tag."));
    }
    if operation.takes_key() && operation.method().as_str() == "POST" {
        let told =
            "The same key with the same request does it once, and gives the same answer for thirty days.";
        all.push(header("Idempotency-Key", told));
    }
    all
}

fn header(name: &str, description: &str) -> Value {
    let schema = json!({ "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" });
    json!({ "name": name, "in": "header", "description": description, "schema": schema })
}

/// One parameter of the query.
fn parameter(name: &str) -> Value {
    let text = || json!({ "type": "string", "minLength": 1 });
    let (schema, description) = match name {
        "connector" => (text(), "Only of this connector, by id; without it, of all."),
        "sync" => (text(), "The sync in the file; by default its newest full one that is finished."),
        "as_of" => (text(), "The version to read: a number, a date or a time; by default the newest."),
        "since" => (text(), "Only what is newer: a date or a time; for changes also a version's number."),
        "until" => (text(), "Only up to this: a date or a time; for changes also a version's number."),
        "name" => (text(), "Only of this name."),
        "email" => (text(), "Only of this e-mail address, whatever its case."),
        "team" => (text(), "Only of this team, by name or id."),
        "app" => (text(), "Only on this app, by name or id."),
        "enterprise_account" => (text(), "Only on this Enterprise account, by name or id."),
        "user" => (text(), "Only what this person holds: an e-mail address or an id."),
        "entitlement" => (text(), "Only this entitlement, as Heroku spells it."),
        "kind" => {
            (text(), "Only of this kind. Of changes: `grant`, or that of an object; several with commas.")
        }
        "change" => (text(), "Only what was added, removed or changed; several with commas."),
        "resource" => (text(), "Only about this thing, or access to it: a name or an id."),
        "principal" => (text(), "Only about this person, or their access: an e-mail address or an id."),
        "by" => (text(), "Only what this person did: an e-mail address, an id, an operator, or a plan."),
        "text" => (text(), "Only with this text in a name, an address or a value, whatever its case."),
        "code" => (
            text(),
            "For events: only those of this code, or of codes that begin with it and a dot. From a provider: what it gave.",
        ),
        "actor" => {
            (text(), "Only by an actor with this text in the name, or of this kind, whatever its case.")
        }
        "subject" => (text(), "Only about something with this text in its id, or of this kind."),
        "outcome" => (one_of(&EventOutcome::ALL.map(EventOutcome::as_str)), "Only what this came of."),
        "next" => (text(), "Where to go on, within this server."),
        "link" => (text(), "What the log's link holds."),
        "iss" => (text(), "Which provider answers."),
        "error" => (text(), "Why the provider has let nobody in."),
        "state" => (
            text(),
            "Only in this state. Of findings: open, acknowledged, accepted or resolved; several with commas. From a provider: which question is answered.",
        ),
        "rule" => (text(), "Only of this rule, by id."),
        "person" => (text(), "Only about the person of this e-mail address."),
        "level" => (text(), "Only of this level: INFO, LOW, MEDIUM, HIGH or CRITICAL."),
        "without_second_factor" => (
            json!({ "type": "boolean" }),
            "Only people without a second factor at Heroku, and without a provider that asks for one.",
        ),
        "leavers" => (json!({ "type": "boolean" }), "Only people who left and still have an account."),
        "unmatched" => (json!({ "type": "boolean" }), "Only active people without an account."),
        "accept_missing" => {
            (json!({ "type": "boolean" }), "Import it although more than half of its people are missing.")
        }
        "source" => (text(), "Only from there: own, shared (by others) or library; several with commas."),
        "tag" => (text(), "Only with this tag; several with commas."),
        "channel" => (text(), "Only for this channel, by id."),
        "effective" => (json!({ "type": "boolean" }), "Also effective access: who can do what on which app."),
        "tag_production" => {
            (json!({ "type": "boolean" }), "Tag every entity as production, as `tag.Production`.")
        }
        "only_original" => {
            (json!({ "type": "boolean" }), "Leave out what JupiterOne's own integration never had.")
        }
        "form" => (one_of(&["json", "jsonl", "graphml", "dot"]), "In which form."),
        "expand" => (
            one_of(&["auto", "always", "never"]),
            "Whether to write out grants that follow from others; `auto` does where there are not too many.",
        ),
        "profile" => (one_of(&["classic", "current"]), "Whose idea of the properties."),
        "account_name" => (text(), "The account name with which every entity is tagged."),
        "hook" => {
            (text(), "The webhook that the delivery is of; it stands in the address that Heroku was given.")
        }
        "run" => (text(), "Only lines of this run, by id."),
        "after" => (json!({ "type": "integer", "minimum": 0 }), "Only lines with higher numbers."),
        "limit" => {
            let schema = json!({ "type": "integer", "minimum": 1, "maximum": MOST, "default": 100 });
            (schema, "The most rows.")
        }
        "cursor" => (text(), "Where the page begins: the `next_cursor` of the one before."),
        _ => (text(), ""),
    };
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}
