//! What add-ons, invitations, syncs, one app's or person's access, ready questions and files look like.

use metsuke_engine::desk::MOST_TILES;
use metsuke_engine::identity::Operation;
use metsuke_engine::questions::Source;
use metsuke_model::SyncStatus;
use serde_json::{Value, json};

use super::operations::Spec;
use super::schemas::Named;
use super::words::{anything, count, flag, list, moment, named, object, one_of, only, or_null, text, with};

const OF: &[&str] = &["connector", "as_of"];

/// What an operation on the estate takes and gives.
pub(super) fn describe(operation: Operation) -> Spec {
    let named_list = &["connector", "as_of", "name"];
    let addressed = &["connector", "as_of", "email"];
    match operation {
        Operation::ListAddOns => Spec::list("Add-ons.", "AddOn", named_list).more(&[404]),
        Operation::ListInvitations => Spec::list("Invitations.", "Invitation", addressed).more(&[404]),
        Operation::ListUnresolved => Spec::list("Rows.", "UnresolvedMember", addressed).more(&[404]),
        Operation::GetAppAccess => access("Everybody's access to the app.", "AppAccess"),
        Operation::GetPersonAccess => access("What the person can do.", "PersonAccess"),
        Operation::ExplainQuery => {
            let told = object([("sql", text()), ("binds", list(text())), ("steps", list(text()))]);
            Spec::new(200, "The statement, and the database's steps.", told)
                .body(named("Question"))
                .more(&[404])
        }
        Operation::ListQuestions => {
            let told = "Questions: one's own, then those that others share, by title, then the library.";
            Spec::list(told, "ReadyQuestion", &["source", "tag", "text"])
        }
        Operation::GetQuestion => Spec::thing("The question.", named("ReadyQuestion")).more(&[404]),
        Operation::CreateQuestion => {
            Spec::new(201, "The question.", named("ReadyQuestion")).body(named("NewQuestion"))
        }
        Operation::EditQuestion => Spec::new(200, "The question as it is now.", named("ReadyQuestion"))
            .body(named("QuestionEdit"))
            .more(&[404, 409]),
        Operation::RemoveQuestion => {
            Spec::new(200, "The question as it was.", named("ReadyQuestion")).more(&[404, 409])
        }
        Operation::ListTiles => Spec::thing("The tiles.", named("Tiles")),
        Operation::ArrangeTiles => {
            Spec::new(200, "The tiles as they stand now.", named("Tiles")).body(named("TileOrder"))
        }
        Operation::ListSyncs => Spec::list("Syncs, newest first.", "Sync", &["connector"]).more(&[404]),
        Operation::GetSync => {
            let spec = Spec::thing("The sync.", named("SyncWithScopes")).more(&[404, 422]);
            Spec { parameters: &["connector"], ..spec }
        }
        Operation::AcceptSync => {
            let spec = Spec::new(200, "The version that it is now.", named("SyncWithScopes")).more(&[404]);
            Spec { parameters: &["connector"], ..spec }
        }
        Operation::ExportGraph => {
            let media =
                &["application/json", "application/jsonl", "application/graphml+xml", "text/vnd.graphviz"];
            let spec = Spec::file("The graph.", media).more(&[404, 422]);
            Spec { parameters: &["connector", "as_of", "form", "effective"], ..spec }
        }
        Operation::ExportC1z => {
            let spec = Spec::file("The file.", &["application/octet-stream"]).more(&[404, 422]);
            Spec { parameters: &["connector", "as_of", "expand"], ..spec }
        }
        _ => {
            let spec = Spec::file("The archive.", &["application/x-tar"]).more(&[404, 422]);
            let parameters = &[
                "connector",
                "as_of",
                "profile",
                "account_name",
                "tag_production",
                "only_original",
                "effective",
            ];
            Spec { parameters, ..spec }
        }
    }
}

fn access(description: &'static str, schema: &str) -> Spec {
    let spec = Spec::thing(description, named(schema)).more(&[404, 409, 422]);
    Spec { parameters: OF, ..spec }
}

/// The schemas.
pub(super) fn all() -> Named {
    let connector = || ("connector", or_null(text()));
    let version = || ("version", count());
    let addon = object([
        connector(),
        version(),
        ("id", text()),
        ("name", or_null(text())),
        ("service", or_null(text())),
        ("app", or_null(text())),
        ("app_id", or_null(text())),
        ("team", or_null(text())),
        ("attached_to", list(text())),
        ("created_at", or_null(moment())),
    ]);
    let member = || {
        [
            connector(),
            version(),
            ("id", text()),
            ("email", or_null(text())),
            ("team", or_null(text())),
            ("team_id", or_null(text())),
            ("role", text()),
        ]
    };
    let invited = [("invited_by", or_null(text())), ("created_at", or_null(moment()))];
    let mut all = vec![
        ("AddOn", addon),
        ("Invitation", with(object(member()), invited)),
        ("UnresolvedMember", object(member())),
    ];
    all.extend(questions());
    all.extend(accesses());
    all.extend(syncs());
    all
}

fn questions() -> Named {
    let ready = object([
        ("id", text()),
        ("source", one_of(&Source::ALL.map(Source::as_str))),
        ("title", text()),
        ("explanation", text()),
        ("tags", list(text())),
        ("variables", list(anything())),
        ("include_deleted", flag()),
        ("text", text()),
        ("owner", or_null(text())),
        ("shared", flag()),
        ("may_change", flag()),
        ("created_at", or_null(moment())),
        ("updated_at", or_null(moment())),
    ]);
    let told = |most: usize, description: &str| {
        or_null(json!({ "type": "string", "maxLength": most, "description": description }))
    };
    let tags = json!({ "type": "array", "maxItems": 20, "items": { "type": "string", "maxLength": 40 } });
    let settable = |object: Value| {
        with(
            object,
            [
                ("explanation", told(4_000, "What the answer means, and what to do about it.")),
                ("tags", or_null(tags.clone())),
                ("include_deleted", or_null(flag())),
                ("shared", or_null(flag())),
            ],
        )
    };
    let title = json!({ "type": "string", "minLength": 1, "maxLength": 120, "description": "What it asks, in words." });
    let asked = json!({
        "type": "string", "minLength": 1, "maxLength": 65536, "description": "The question, in J1QL.",
        "examples": ["FIND heroku_application"],
    });
    let new = only(settable(object([("title", title.clone()), ("text", asked.clone())])));
    let none = json!({ "type": "object", "properties": {} });
    let edit = only(settable(with(none, [("title", or_null(title)), ("text", or_null(asked))])));
    let place = object([("id", text()), ("question", or_null(named("ReadyQuestion")))]);
    let ids = json!({
        "type": "array", "maxItems": MOST_TILES, "items": text(),
        "description": "The ids of questions that leave nothing open, in the order in which they are to stand.",
    });
    vec![
        ("ReadyQuestion", ready),
        ("NewQuestion", new),
        ("QuestionEdit", edit),
        ("Tiles", object([("tiles", list(place))])),
        ("TileOrder", only(object([("questions", ids)]))),
    ]
}

fn accesses() -> Named {
    let held = object([("entitlement", text()), ("direct", flag()), ("path", list(named("PathStep")))]);
    let base = || [("connector", or_null(text())), ("version", count())];
    let of_app = with(
        object(base()),
        [
            ("app", named("Resource")),
            ("team", or_null(named("Resource"))),
            ("team_type", or_null(text())),
            ("owner", or_null(named("Principal"))),
            ("locked", or_null(flag())),
            (
                "people",
                list(object([
                    ("principal", named("Principal")),
                    ("name", or_null(text())),
                    ("held", list(held.clone())),
                ])),
            ),
            ("addons", list(anything())),
            ("pending", list(anything())),
        ],
    );
    let of_person = with(
        object(base()),
        [
            ("principal", named("Principal")),
            ("name", or_null(text())),
            ("two_factor", or_null(flag())),
            ("federated", or_null(flag())),
            ("last_login", or_null(moment())),
            ("apps", list(anything())),
            ("roles", list(anything())),
            ("pending", list(anything())),
            ("addons", list(anything())),
        ],
    );
    vec![("AppAccess", of_app), ("PersonAccess", of_person)]
}

fn syncs() -> Named {
    let statuses = [SyncStatus::Complete, SyncStatus::Partial, SyncStatus::Quarantined, SyncStatus::Failed];
    let status = || one_of(&statuses.map(SyncStatus::as_str));
    let counts = ["users", "teams", "enterprise_accounts", "apps", "addons", "invitations", "grants"];
    let told = [
        ("version", count()),
        ("status", status()),
        ("started_at", moment()),
        ("finished_at", moment()),
        ("duration_ms", count()),
        ("requests", count()),
        ("waited_ms", count()),
        ("counts", object(counts.map(|name| (name, count())))),
        ("changes", object(["added", "removed", "changed"].map(|name| (name, count())))),
        ("error", or_null(text())),
    ];
    let scope = object([
        ("scope", text()),
        ("outcome", text()),
        ("reason", or_null(text())),
        ("gap", flag()),
        ("pages", count()),
        ("rows", count()),
        ("calls", count()),
        ("duration_ms", count()),
    ]);
    let held = object([("status", status()), ("reasons", list(text())), ("waits", flag())]);
    let one: Value = object(told);
    let listed = json!({ "allOf": [one.clone(), object([("connector", or_null(text()))])] });
    let shown = with(object([("sync", one), ("scopes", list(scope))]), [("quarantine", held)]);
    vec![("Sync", listed), ("SyncWithScopes", shown)]
}
