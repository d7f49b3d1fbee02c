//! Answers against Heroku's own published schema, where it lies beside the project.
//!
//! Not a general validator: only the parts of JSON hyper-schema that Heroku's document uses.
//!
//! Invariant: every deviation that is let through is named below with what shows it on the real service.

use std::path::Path;

use metsuke_simulator::{Options, Size};
use reqwest::Method;
use serde_json::{Value, json};

use crate::house::House;
use crate::probe::{Probe, text};

/// Where the real service is known to differ: the resource, the place, and what is there.
const DEVIATIONS: [(&str, &str, &str); 18] = [
    // The recordings of `/teams/{t}/apps` and the command line's reading of `/apps` show these.
    ("app", "/joined", "extra"),
    ("app", "/legacy_id", "extra"),
    ("app", "/locked", "extra"),
    ("team-app", "/acm", "extra"),
    ("team-app", "/joined", "extra"),
    ("team-app", "/legacy_id", "extra"),
    ("team-app", "/organization", "extra"),
    ("team-app", "/generation", "extra"),
    ("team-app", "/team/id", "extra"),
    ("team-app", "/space/shield", "extra"),
    // Facts 11: null owner of an app; null `user` of somebody who has not accepted.
    ("app", "/owner", "null"),
    ("team-member", "/user", "null"),
    ("enterprise-account-member", "/user", "null"),
    // The recording of `/apps/{a}/addons` shows these nulls in every action.
    ("add-on", "/actions/action", "null"),
    ("add-on", "/actions/url", "null"),
    ("add-on", "/actions/requires_owner", "null"),
    // The command line reads the name of the pipeline from a coupling.
    ("pipeline-coupling", "/pipeline/name", "extra"),
    // `viewer` exists for enterprise teams, and roles are open (facts 7).
    ("*", "/role", "enum"),
];

pub(crate) struct Schema {
    root: Value,
}

impl Schema {
    pub(crate) fn load() -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/heroku-schema/schema.json");
        let text = std::fs::read_to_string(path).ok()?;
        Some(Self { root: serde_json::from_str(&text).expect("the schema is JSON") })
    }

    /// Everything in which a row differs from the schema, but for the known deviations.
    pub(crate) fn differences(&self, resource: &str, row: &Value) -> Vec<String> {
        let definition = &self.root["definitions"][resource];
        assert!(definition.is_object(), "{resource} is in the schema");
        let mut wrong = Vec::new();
        self.check(resource, definition, row, "", &mut wrong);
        wrong
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => {
                let pointer = reference.trim_start_matches('#');
                self.resolve(
                    self.root.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere")),
                )
            }
            None => schema,
        }
    }

    fn check(&self, resource: &str, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        let schema = self.resolve(schema);
        let mut report = |kind: &str, detail: String| {
            let known = DEVIATIONS
                .iter()
                .any(|(of, place, what)| (*of == resource || *of == "*") && *place == at && *what == kind);
            if !known {
                wrong.push(format!("{resource}{at}: {kind}: {detail}"));
            }
        };
        if let Some(options) = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()) {
            let fits = options.iter().any(|option| {
                let mut inner = Vec::new();
                self.check(resource, option, value, at, &mut inner);
                inner.is_empty()
            });
            if !fits {
                report("anyOf", value.to_string());
            }
        }
        let types: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let fits = |kind: &&str| match *kind {
            "null" => value.is_null(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => true,
        };
        if !types.is_empty() && !types.iter().any(fits) {
            report(if value.is_null() { "null" } else { "type" }, format!("{value} is not {types:?}"));
            return;
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !value.is_null()
            && !allowed.contains(value)
        {
            report("enum", format!("{value} is not in {allowed:?}"));
        }
        if let (Some(format), Some(value)) = (schema["format"].as_str(), value.as_str())
            && !has_format(format, value)
        {
            report("format", format!("{value} is not {format}"));
        }
        if let Some(object) = value.as_object() {
            self.check_object(resource, schema, object, at, wrong);
        }
        if let Some(list) = value.as_array() {
            for one in list {
                self.check(resource, &schema["items"], one, at, wrong);
            }
        }
    }

    fn check_object(
        &self,
        resource: &str,
        schema: &Value,
        object: &serde_json::Map<String, Value>,
        at: &str,
        wrong: &mut Vec<String>,
    ) {
        for (key, value) in object {
            let place = format!("{at}/{key}");
            match schema["properties"].get(key) {
                Some(inner) => self.check(resource, inner, value, &place, wrong),
                None if schema["properties"].is_object() => {
                    let known = DEVIATIONS
                        .iter()
                        .any(|(of, path, what)| *of == resource && *path == place && *what == "extra");
                    if !known {
                        wrong.push(format!("{resource}{place}: extra: {value}"));
                    }
                }
                None => {}
            }
        }
        for key in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(key) {
                wrong.push(format!("{resource}{at}/{key}: missing"));
            }
        }
    }
}

fn has_format(format: &str, value: &str) -> bool {
    match format {
        "uuid" => metsuke_simulator::Id::parse(value).is_some(),
        "date-time" => value.len() == 20 && value.ends_with('Z') && value.as_bytes()[10] == b'T',
        "email" => value.contains('@'),
        "uri" => value.starts_with("http"),
        _ => true,
    }
}

async fn paths(probe: &Probe) -> Vec<(&'static str, String)> {
    let mut paths: Vec<(&'static str, String)> = [
        ("account", "/account"),
        ("account", "/users/~"),
        ("rate-limit", "/account/rate-limits"),
        ("oauth-authorization", "/oauth/authorizations"),
        ("key", "/account/keys"),
        ("enterprise-account", "/enterprise-accounts"),
        ("team", "/teams"),
        ("team-app-permission", "/teams/permissions"),
        ("app", "/apps"),
        ("app", "/users/~/apps"),
        ("add-on", "/addons"),
        ("add-on-attachment", "/addon-attachments"),
        ("pipeline", "/pipelines"),
        ("pipeline-coupling", "/pipeline-couplings"),
        ("space", "/spaces"),
    ]
    .map(|(kind, path)| (kind, path.to_owned()))
    .into();
    for account in probe.all("/enterprise-accounts").await {
        let id = text(&account, "id");
        paths.push(("enterprise-account", format!("/enterprise-accounts/{id}")));
        paths.push(("enterprise-account-member", format!("/enterprise-accounts/{id}/members")));
        paths.push(("team", format!("/enterprise-accounts/{id}/teams")));
        paths.push(("audit-trail-event", format!("/enterprise-accounts/{id}/events?day=2026-11-01")));
    }
    for team in probe.all("/teams").await {
        let id = text(&team, "id");
        paths.push(("team", format!("/teams/{id}")));
        for (kind, list) in [
            ("team-feature", "features"),
            ("team-preferences", "preferences"),
            ("team-member", "members"),
            ("team-invitation", "invitations"),
            ("permission-entity", "permissions"),
            ("team-app", "apps"),
            ("add-on", "addons"),
            ("space", "spaces"),
            ("pipeline-coupling", "pipeline-couplings"),
            ("identity-provider", "identity-providers"),
        ] {
            paths.push((kind, format!("/teams/{id}/{list}")));
        }
    }
    for (at, app) in probe.all("/apps").await.iter().enumerate().step_by(9) {
        let id = text(app, "id");
        paths.push(("app", format!("/apps/{id}")));
        paths.push(("collaborator", format!("/apps/{id}/collaborators")));
        paths.push(("add-on", format!("/apps/{id}/addons")));
        paths.push(("add-on-attachment", format!("/apps/{id}/addon-attachments")));
        if app["team"].is_object() && at % 2 == 0 {
            paths.push(("team-app", format!("/teams/apps/{id}")));
            paths.push(("team-app-collaborator", format!("/teams/apps/{id}/collaborators")));
        }
    }
    for space in probe.all("/spaces").await {
        paths.push(("space-app-access", format!("/spaces/{}/members", text(&space, "id"))));
    }
    paths
}

#[tokio::test]
async fn answers_fit_the_published_schema_but_for_the_known_deviations() {
    let Some(schema) = Schema::load() else {
        println!(
            "not run: ../shared/heroku-schema/schema.json is not there, so answers were not compared with it"
        );
        return;
    };
    let scale = Size::Scale { teams: 3, apps: 400, people: 200, grants: 6_000 };
    for size in
        [Size::Small, Size::Enterprise, Size::Standard, Size::Personal, Size::Mixed, Size::Awkward, scale]
    {
        let probe = Probe::new(Options { rate_limit: false, ..Options::of(size) }).await;
        let mut wrong = Vec::new();
        let mut checked = 0;
        for (resource, path) in paths(&probe).await {
            let answer = probe.ranged(&path, "id ..; max=1000").await;
            if !answer.status().is_success() {
                continue;
            }
            let body = crate::probe::json(answer).await;
            let rows = body.get("data").unwrap_or(&body);
            for row in rows.as_array().unwrap_or(&vec![rows.clone()]) {
                wrong.extend(schema.differences(resource, row));
                checked += 1;
            }
        }
        wrong.sort();
        wrong.dedup_by_key(|line| line.split(": ").take(2).collect::<String>());
        assert!(wrong.is_empty(), "{size:?}:\n{}", wrong.join("\n"));
        assert!(checked > 10, "{checked}");
    }
}

#[tokio::test]
async fn answers_to_writes_fit_the_published_schema_too() {
    let Some(schema) = Schema::load() else {
        println!(
            "not run: ../shared/heroku-schema/schema.json is not there, so writes were not compared with it"
        );
        return;
    };
    let house = House::new().await;
    let (team, app) = (format!("/teams/{}", house.team), format!("/teams/apps/{}", house.app));
    let invitations = format!("/teams/{}/invitations", house.standard);
    let member = json!({"email": "new@example.com", "role": "member"});
    let viewer = json!({"email": "new@example.com", "role": "viewer"});
    let collaborator = json!({"user": "dev@example.com", "permissions": ["deploy"], "silent": true});
    let plain = json!({"user": "dev@example.com"});
    let members = format!("{team}/members");
    let locked = house.probe.one(&app).await["locked"].clone();
    let writes = [
        ("team-member", Method::PUT, members.clone(), member.clone(), 201),
        ("team-member", Method::PATCH, members.clone(), viewer, 200),
        ("team-member", Method::DELETE, format!("{members}/new%40example.com"), json!({}), 200),
        ("team-member", Method::POST, members.clone(), member.clone(), 201),
        ("team-invitation", Method::PUT, invitations.clone(), member, 200),
        ("team-invitation", Method::DELETE, format!("{invitations}/new%40example.com"), json!({}), 200),
        ("team-app-collaborator", Method::POST, format!("{app}/collaborators"), collaborator, 201),
        (
            "team-app-collaborator",
            Method::PATCH,
            format!("{app}/collaborators/dev@example.com"),
            json!({"permissions": ["view", "manage"]}),
            200,
        ),
        (
            "team-app-collaborator",
            Method::DELETE,
            format!("{app}/collaborators/dev@example.com"),
            json!({}),
            200,
        ),
        ("collaborator", Method::POST, format!("/apps/{}/collaborators", house.own_app), plain, 201),
        (
            "collaborator",
            Method::DELETE,
            format!("/apps/{}/collaborators/dev@example.com", house.own_app),
            json!({}),
            200,
        ),
        ("team-app", Method::PATCH, app.clone(), json!({"locked": locked}), 200),
    ];
    for (resource, method, path, body, expected) in writes {
        let (status, row) = house.write(method.clone(), &path, body).await;
        assert_eq!(status, expected, "{method} {path}: {row}");
        let wrong = schema.differences(resource, &row);
        assert!(wrong.is_empty(), "{method} {path}:\n{}", wrong.join("\n"));
    }
}
