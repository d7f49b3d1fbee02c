//! What the things of the API look like.
//!
//! Invariant: what is said here of an answer is what the types behind it write; tests hold the two against each other.

use metsuke_engine::identity::{Area, Role, Scope};
use metsuke_model::plan::{PlanStatus, StepStatus};
use serde_json::{Map, Value, json};

use super::words::{
    anything, count, flag, list, meaning, moment, named, object, one_of, only, or_null, text, with,
};
use crate::handlers::MOST_ROWS;

/// Every named schema.
pub(super) fn all() -> Value {
    let mut all = Map::new();
    for (name, schema) in service()
        .into_iter()
        .chain(super::connectors::all())
        .chain(estate())
        .chain(access())
        .chain(super::alerts::all())
        .chain(rules())
        .chain(plans())
        .chain(tokens())
        .chain(super::estate::all())
        .chain(super::employees::all())
        .chain(super::jobs::all())
        .chain(super::judging::all())
        .chain(super::safety::all())
        .chain(super::upkeep::all())
        .chain(super::webhooks::all())
        .chain(super::session::all())
    {
        all.insert(name.to_owned(), schema);
    }
    Value::Object(all)
}

pub(super) type Named = Vec<(&'static str, Value)>;

fn roles() -> Value {
    one_of(&Role::ALL.map(Role::as_str))
}

fn service() -> Named {
    let field = with(
        object([("name", text()), ("message", text())]),
        [
            ("line", count()),
            ("column", count()),
            ("start", count()),
            ("end", count()),
            ("suggestion", text()),
        ],
    );
    let error =
        with(object([("code", text()), ("message", text())]), [("hint", text()), ("fields", list(field))]);
    let areas: Vec<&str> = Area::ALL.iter().map(|area| area.as_str()).collect();
    let identity = object([
        ("token_id", or_null(text())),
        ("account_id", or_null(text())),
        ("name", text()),
        ("role", roles()),
        ("scopes", list(text())),
        ("person", or_null(text())),
    ]);
    vec![
        ("Error", object([("error", error), ("request_id", text())])),
        ("Identity", identity),
        ("Area", one_of(&areas)),
    ]
}

fn connector() -> (&'static str, Value) {
    ("connector", or_null(text()))
}

fn version() -> (&'static str, Value) {
    ("version", count())
}

fn estate() -> Named {
    let person = object([
        connector(),
        version(),
        ("id", text()),
        ("email", or_null(text())),
        ("name", or_null(text())),
        ("two_factor", or_null(flag())),
        ("federated", or_null(flag())),
        ("last_login", or_null(moment())),
        ("own_account", flag()),
    ]);
    let team = object([
        connector(),
        version(),
        ("id", text()),
        ("name", or_null(text())),
        ("type", or_null(text())),
        ("enterprise_account", or_null(text())),
        ("enterprise_account_id", or_null(text())),
        ("people", count()),
        ("apps", count()),
        ("created_at", or_null(moment())),
    ]);
    let app = object([
        connector(),
        version(),
        ("id", text()),
        ("name", or_null(text())),
        ("team", or_null(text())),
        ("team_id", or_null(text())),
        ("owner", or_null(text())),
        ("owner_id", or_null(text())),
        ("space", or_null(text())),
        ("locked", or_null(flag())),
        ("maintenance", or_null(flag())),
        ("addons", count()),
        ("created_at", or_null(moment())),
        ("released_at", or_null(moment())),
        ("archived_at", or_null(moment())),
    ]);
    let account = object([
        connector(),
        version(),
        ("id", text()),
        ("name", or_null(text())),
        ("people", count()),
        ("teams", count()),
        ("created_at", or_null(moment())),
    ]);
    vec![("Person", person), ("Team", team), ("App", app), ("EnterpriseAccount", account)]
}

fn access() -> Named {
    let resource = object([
        ("type", one_of(&["team", "enterprise_account", "app", "space"])),
        ("id", text()),
        ("name", text()),
    ]);
    let step = object([
        ("type", one_of(&["team", "enterprise_account", "app", "space"])),
        ("id", text()),
        ("name", text()),
        ("entitlement", text()),
    ]);
    let principal =
        object([("kind", one_of(&["user", "invitation"])), ("id", text()), ("email", or_null(text()))]);
    let grant = object([
        connector(),
        version(),
        ("principal", named("Principal")),
        ("resource", named("Resource")),
        ("entitlement", text()),
        ("direct", flag()),
        ("path", list(named("PathStep"))),
    ]);
    vec![
        ("Resource", resource),
        ("PathStep", step),
        ("Principal", principal),
        ("Grant", grant),
        ("Change", super::changes::change()),
        ("EffectiveAccess", super::changes::line()),
        ("Question", question()),
        ("Answer", answer()),
    ]
}

fn question() -> Value {
    let value = json!({ "type": ["string", "number", "boolean"] });
    let variable = json!({ "anyOf": [value, { "type": "array", "items": value }] });
    only(with(
        object([]),
        [
            (
                "query",
                json!({ "type": "string", "maxLength": 65536, "description": "The question, in J1QL.", "examples": ["FIND heroku_application"] }),
            ),
            ("question", json!({ "type": "string", "description": "The id of a ready question, instead." })),
            (
                "as_of",
                json!({ "type": ["string", "integer", "null"], "description": "The version to ask: a number, a date or a time." }),
            ),
            ("connector", or_null(meaning("Which connector's estate; needed where there are several."))),
            ("variables", json!({ "type": "object", "additionalProperties": variable })),
            ("account_name", or_null(meaning("The account name that entities are tagged with."))),
            ("include_deleted", flag()),
            (
                "max_rows",
                json!({ "type": ["integer", "null"], "minimum": 1, "maximum": MOST_ROWS, "default": 1000 }),
            ),
        ],
    ))
}

fn answer() -> Value {
    let tree = object([("vertices", list(anything())), ("edges", list(anything()))]);
    let told = object([
        ("type", one_of(&["list", "table", "tree"])),
        ("data", json!({ "anyOf": [list(anything()), tree] })),
        ("totalCount", count()),
        version(),
        ("truncated", flag()),
        ("warnings", list(text())),
        ("durationMs", count()),
    ]);
    with(told, [("columns", list(text()))])
}

fn rules() -> Named {
    let rule = object([
        ("id", text()),
        ("kind", one_of(&["shipped", "own"])),
        ("name", text()),
        ("title", or_null(text())),
        ("severity", or_null(text())),
        ("enabled", flag()),
        ("revision", count()),
        ("updated_at", or_null(moment())),
        ("parameters", anything()),
        ("document", anything()),
    ]);
    let written = only(with(
        object([(
            "rule",
            json!({ "type": "object", "description": "A rule instance, as JupiterOne has them." }),
        )]),
        [("enabled", flag())],
    ));
    let watched = json!({ "allOf": [named("Rule"), object([
        ("interval", text()),
        ("looks_for", one_of(&["question", "change"])),
        ("open_findings", count()),
        ("state", or_null(text())),
        ("why", or_null(text())),
        ("evaluated_version", or_null(count())),
        ("evaluated_at", or_null(moment())),
        ("next_at", or_null(moment())),
    ])] });
    let none = json!({ "type": "object", "properties": {} });
    let setting = only(with(none, [("enabled", or_null(flag())), ("parameters", or_null(anything()))]));
    vec![
        ("Rule", rule),
        ("WatchedRule", watched),
        ("WrittenRule", written),
        ("RuleSetting", setting),
        ("ImportedRules", object([("rules", list(named("Rule"))), ("notes", list(text()))])),
        ("ExportedRules", object([("rules", list(anything())), ("left_out", list(text()))])),
    ]
}

fn plans() -> Named {
    let status = one_of(&PLAN_STATUSES.map(PlanStatus::as_str));
    let line = object([
        connector(),
        ("id", text()),
        ("status", status.clone()),
        ("title", text()),
        ("actor", text()),
        ("created_at", moment()),
        ("expires_at", moment()),
        ("steps", count()),
        ("done", count()),
        ("waits_for_approval", flag()),
        ("reason", or_null(text())),
    ]);
    let plan = object([
        ("title", text()),
        ("reason", or_null(text())),
        ("actor", text()),
        ("created_at", moment()),
        ("expires_at", moment()),
        version(),
        ("steps", list(anything())),
        ("effects", json!({})),
        ("warnings", list(text())),
    ]);
    let plan = with(plan, [("asked_by", party())]);
    let approval = object([
        ("needed", flag()),
        ("why", or_null(text())),
        ("missing", count()),
        ("approvals", list(object([("by", text()), ("at", moment())]))),
    ]);
    let progress = object([
        ("step", count()),
        ("status", one_of(&STEP_STATUSES.map(StepStatus::as_str))),
        ("attempts", count()),
        ("http_status", or_null(count())),
        ("request_id", or_null(text())),
        ("told", or_null(text())),
    ]);
    let shown = object([
        connector(),
        ("id", text()),
        ("hash", text()),
        ("status", status),
        ("confirm_count", count()),
        ("approval", approval),
        ("plan", plan),
        ("progress", list(progress)),
        ("reason", or_null(text())),
    ]);
    let target =
        "`grant` and `revoke` take `team` and `role`, or `app` and either `permissions` or `collaborator`.";
    let ask = only(with(
        object([
            ("action", one_of(&["grant", "revoke", "remove"])),
            ("user", meaning("The person's e-mail address or id.")),
        ]),
        [
            ("connector", or_null(meaning("Whose estate; needed where there are several."))),
            ("team", or_null(meaning(target))),
            ("role", or_null(meaning("admin, member or viewer."))),
            ("app", or_null(meaning(target))),
            ("permissions", list(meaning("view, deploy, operate or manage."))),
            ("collaborator", flag()),
            ("reason", or_null(text())),
        ],
    ));
    let planned = object([
        ("outcome", one_of(&["planned", "unchanged"])),
        ("reason", or_null(text())),
        ("plan", or_null(named("Plan"))),
    ]);
    let applied = object([
        ("outcome", one_of(&["applied", "unchanged", "planned", "unknown"])),
        ("reason", or_null(text())),
        ("hint", or_null(text())),
        ("grants_added", list(anything())),
        ("grants_removed", list(anything())),
        ("calls", count()),
        ("plan", named("Plan")),
    ]);
    let release = with(json!({ "type": "object", "properties": {} }), [("confirm_count", or_null(count()))]);
    vec![
        ("PlanLine", line),
        ("Plan", shown),
        ("JudgedPlan", judged_plan()),
        ("NewPlan", ask),
        ("Planned", planned),
        ("Applied", applied),
        ("Release", only(release)),
        ("Event", event()),
        ("Installation", installation()),
    ]
}

/// Which person asked for a plan; left out where nobody knows.
fn party() -> Value {
    let person = object([("is", one_of(&["person"])), ("email", text())]);
    let login = object([("is", one_of(&["login"])), ("user", text()), ("number", or_null(count()))]);
    json!({ "anyOf": [person, login] })
}

/// A plan, and what each rule says of it.
fn judged_plan() -> Value {
    let verdict = object([
        ("rule", text()),
        ("title", text()),
        ("standing", one_of(&["kept", "broken", "over", "asked"])),
        ("told", or_null(text())),
    ]);
    json!({ "allOf": [named("Plan"), object([("rules", list(verdict))])] })
}

const PLAN_STATUSES: [PlanStatus; 10] = [
    PlanStatus::Planned,
    PlanStatus::Frozen,
    PlanStatus::Applying,
    PlanStatus::Applied,
    PlanStatus::Refused,
    PlanStatus::Stopped,
    PlanStatus::Unknown,
    PlanStatus::Superseded,
    PlanStatus::Expired,
    PlanStatus::Cancelled,
];

const STEP_STATUSES: [StepStatus; 8] = [
    StepStatus::Planned,
    StepStatus::Intent,
    StepStatus::Sent,
    StepStatus::Confirmed,
    StepStatus::Refused,
    StepStatus::Unknown,
    StepStatus::Verified,
    StepStatus::Superseded,
];

fn tokens() -> Named {
    let token = object([
        ("id", text()),
        ("name", text()),
        ("role", text()),
        ("scopes", list(text())),
        ("person", or_null(text())),
        ("created_at", moment()),
        ("created_by", text()),
        ("expires_at", or_null(moment())),
        ("revoked_at", or_null(moment())),
        ("last_used_at", or_null(moment())),
    ]);
    let scopes: Vec<String> = Scope::all().map(|scope| scope.to_string()).collect();
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let name =
        json!({ "type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[!-~]([ -~]*[!-~])?$" });
    let address = json!({ "type": ["string", "null"], "format": "email", "maxLength": 254 });
    let ask = only(with(
        object([("name", name), ("role", roles())]),
        [("scopes", list(one_of(&scopes))), ("person", address), ("expires_at", or_null(moment()))],
    ));
    vec![("Token", token), ("NewToken", ask)]
}

fn installation() -> Value {
    let setting = object([
        ("name", text()),
        ("value", or_null(text())),
        ("secret", flag()),
        ("from", or_null(text())),
        ("help", text()),
    ]);
    object([
        ("version", text()),
        ("engine", text()),
        ("database", text()),
        ("sealing_key", text()),
        ("audit_key", or_null(text())),
        ("file", or_null(text())),
        ("settings", list(setting)),
    ])
}

fn event() -> Value {
    object([
        connector(),
        ("sequence", count()),
        ("at", or_null(moment())),
        ("code", or_null(text())),
        ("outcome", or_null(text())),
        ("actor", or_null(object([("kind", text()), ("name", text())]))),
        ("subject", anything()),
        ("details", anything()),
        ("text", or_null(text())),
    ])
}
