//! What people of rosters, and their accounts, take and give.

use metsuke_engine::identity::Operation;
use serde_json::json;

use super::operations::{Body, Spec};
use super::schemas::Named;
use super::words::{
    anything, count, flag, list, meaning, moment, named, object, one_of, only, or_null, text, with,
};

/// What an operation on people of rosters takes and gives.
pub(super) fn describe(operation: Operation) -> Spec {
    let said = || object([("account", text()), ("changed", flag())]);
    match operation {
        Operation::ListEmployees => {
            Spec::list("People, by name.", "Employee", &["connector", "leavers", "unmatched"]).more(&[404])
        }
        Operation::ListUnmatched => {
            Spec::list("Accounts, then people.", "Unmatched", &["connector"]).more(&[404])
        }
        Operation::ImportRoster => {
            let taken = object([("estates", list(named("RosterTaken")))]);
            let mut spec = Spec::new(200, "What it came to in each estate.", taken).more(&[404, 409]);
            spec.parameters = &["connector", "accept_missing"];
            spec.body = Some(Body { schema: text(), required: true, media: "text/csv" });
            spec
        }
        Operation::FetchRoster => {
            let taken = object([("estates", list(named("RosterTaken")))]);
            Spec::new(200, "What it came to in each estate.", taken)
                .body(named("RosterSource"))
                .more(&[404, 409, 424])
        }
        Operation::MatchAccount => {
            Spec::new(200, "Whether anything was said that was not said before.", said())
                .body(named("Match"))
                .more(&[404, 409])
        }
        _ => {
            let spec = Spec::new(200, "Whether anything was said.", said()).more(&[404, 409]);
            Spec { parameters: &["connector"], ..spec }
        }
    }
}

/// The schemas.
pub(super) fn all() -> Named {
    let connector = || ("connector", or_null(text()));
    let account = object([("id", text()), ("email", or_null(text())), ("matched_by", or_null(text()))]);
    let employee = object([
        connector(),
        ("key", text()),
        ("name", text()),
        ("first_name", or_null(text())),
        ("last_name", or_null(text())),
        ("emails", list(text())),
        ("aliases", list(text())),
        ("username", or_null(text())),
        ("title", or_null(text())),
        ("department", or_null(text())),
        ("manager_email", or_null(text())),
        ("employee_id", or_null(text())),
        ("employee_type", or_null(text())),
        ("active", flag()),
        ("missing_since", or_null(moment())),
        ("roster", text()),
        ("accounts", list(account)),
    ]);
    let open = object([
        connector(),
        ("what", one_of(&["account", "person"])),
        ("id", text()),
        ("email", or_null(text())),
        ("name", or_null(text())),
        ("unsure_by", or_null(text())),
        ("candidates", list(anything())),
    ]);
    let taken = object([
        connector(),
        ("roster", text()),
        ("kind", one_of(&["csv", "scim", "okta"])),
        ("people", count()),
        ("added", count()),
        ("changed", count()),
        ("missing", count()),
        (
            "accounts",
            object(["matched", "unsure", "unknown", "nobody", "changed"].map(|name| (name, count()))),
        ),
    ]);
    let ask = with(
        json!({ "type": "object", "properties": {} }),
        [
            (
                "employee",
                or_null(meaning("The person's key, employee id, e-mail address, user name or alias.")),
            ),
            ("nobody", flag()),
            ("connector", or_null(text())),
        ],
    );
    let url = json!({
        "type": "string",
        "format": "uri",
        "description": "https, and not within a private network unless the server's settings allow it.",
    });
    let secret = json!({ "type": "string", "minLength": 1, "maxLength": 1000, "pattern": "^[!-~]+$", "writeOnly": true });
    let source = with(
        object([("url", url), ("token", secret)]),
        [("connector", or_null(text())), ("accept_missing", flag())],
    );
    vec![
        ("RosterSource", only(source)),
        ("Employee", employee),
        ("Unmatched", open),
        ("RosterTaken", taken),
        ("Match", only(ask)),
    ]
}
