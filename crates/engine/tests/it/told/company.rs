//! The small company of the language's cases, as a sync would have read it.
//!
//! Invariant: as a graph it is `metsuke_j1ql::evaluate::cases::graph()`, but for effective access.

use metsuke_model::access::Access;
use metsuke_model::graph::Employee;
use metsuke_model::record::{
    AddOn, App, Attachment, Coupling, EnterpriseAccount, Invitation, Pipeline, Space, Team, UnresolvedMember,
    User,
};
use metsuke_model::{AccessRow, Estate, HerokuId, Moment, ResourceType};

use super::Told;

type Text = Option<Box<str>>;

fn id(text: &str) -> HerokuId {
    HerokuId::new(text)
}

#[expect(clippy::unnecessary_wraps, reason = "the fields that it fills may all be empty")]
fn some(text: &str) -> Text {
    Some(text.into())
}

#[expect(clippy::unnecessary_wraps, reason = "the fields that it fills may all be empty")]
fn time(text: &str) -> Option<Moment> {
    Some(Moment::parse(text).unwrap())
}

/// Everything about it.
pub(super) fn company() -> Told {
    use ResourceType::{App as OfApp, EnterpriseAccount as OfAccount, Space as OfSpace, Team as OfTeam};
    let mut told = Told { estate: things(), employees: employees() };
    told.name_holders();
    for (resource_type, on, who, slugs) in [
        (OfAccount, "acme", "ann", &["view", "manage"][..]),
        (OfAccount, "acme", "bob", &["view"]),
        (OfTeam, "core", "ann", &["admin"]),
        (OfTeam, "core", "bob", &["member"]),
        (OfTeam, "side", "cat", &["admin"]),
        (OfTeam, "side", "ann", &["collaborator"]),
        (OfApp, "api", "bob", &["view", "deploy"]),
        (OfApp, "api", "cat", &["view"]),
        (OfApp, "blog", "cat", &["collaborator"]),
        (OfApp, "web", "dan", &["view"]),
        (OfSpace, "eu", "bob", &["create_apps"]),
    ] {
        let estate = &mut told.estate;
        let resource = estate
            .resources
            .iter()
            .position(|known| known.resource_type == resource_type && known.id == id(on))
            .unwrap();
        let principal = estate.principals.iter().position(|known| *known == id(who)).unwrap();
        let mask = Access::from_slugs(resource_type, slugs.iter().copied()).mask;
        let (resource, principal) = (u32::try_from(resource).unwrap(), u32::try_from(principal).unwrap());
        estate.access.push(AccessRow { resource, principal, mask });
    }
    told
}

fn things() -> Estate {
    let mut acme = EnterpriseAccount::new(id("acme"));
    (acme.name, acme.created_at) = (some("Acme"), time("2020-02-29T00:00:00Z"));

    let (mut core, mut side) = (Team::new(id("core")), Team::new(id("side")));
    (core.name, core.team_type, core.listed) = (some("core"), some("enterprise"), Some(true));
    (core.enterprise_account, core.created_at) = (Some(id("acme")), time("2021-05-01T00:00:00Z"));
    (side.name, side.team_type, side.listed) = (some("side"), some("team"), Some(true));

    let mut space = Space::new(id("eu"));
    (space.name, space.team, space.properties) =
        (some("eu"), Some(id("core")), r#"{"region":"dublin"}"#.into());

    let mut pipeline = Pipeline::new(id("line"));
    (pipeline.name, pipeline.owner, pipeline.owner_type) = (some("line"), some("core"), some("team"));

    let mut eve = Invitation::new(id("eve"));
    (eve.email, eve.role, eve.team, eve.invited_by) =
        (some("eve@acme.com"), some("member"), Some(id("core")), Some(id("ann")));

    let mut ghost = UnresolvedMember::new(id("ghost"));
    (ghost.email, ghost.role, ghost.team) = (some("ghost@else.org"), some("admin"), Some(id("side")));

    let coupling = |name: &str, app: &str, stage: &str| {
        let mut coupling = Coupling::new(id(name));
        (coupling.app, coupling.pipeline, coupling.stage) = (Some(id(app)), Some(id("line")), some(stage));
        coupling
    };
    let attachment = |name: &str, app: &str, addon: &str| {
        let mut attachment = Attachment::new(id(&format!("{app}-{name}")));
        (attachment.name, attachment.app, attachment.addon) = (some(name), Some(id(app)), Some(id(addon)));
        attachment
    };
    Estate {
        users: people().into(),
        enterprise_accounts: vec![acme].into(),
        teams: vec![core, side].into(),
        apps: apps().into(),
        spaces: vec![space].into(),
        addons: addons().into(),
        attachments: vec![
            attachment("DATABASE", "api", "db"),
            attachment("MAIN_DB", "web", "db"),
            attachment("REDIS", "web", "cache"),
        ]
        .into(),
        pipelines: vec![pipeline].into(),
        couplings: vec![coupling("one", "api", "production"), coupling("two", "web", "staging")].into(),
        invitations: vec![eve].into(),
        unresolved_members: vec![ghost].into(),
        ..Estate::default()
    }
}

fn people() -> Vec<User> {
    let [mut ann, mut bob, mut cat, dan] = ["ann", "bob", "cat", "dan"].map(|name| User::new(id(name)));
    (ann.email, ann.name, ann.two_factor) = (some("ann@acme.com"), some("Ann Lee"), Some(true));
    (ann.federated, ann.last_login) = (Some(false), time("2024-06-30T08:00:00Z"));
    (bob.email, bob.name, bob.two_factor) = (some("bob@acme.com"), some("Bob Roy"), Some(false));
    bob.federated = Some(false);
    cat.email = some("Cat@Else.org");
    vec![ann, bob, cat, dan]
}

fn apps() -> Vec<App> {
    let [mut api, mut web, mut shop, mut blog] = ["api", "web", "shop", "blog"].map(|name| {
        let mut app = App::new(id(name));
        app.name = some(name);
        app
    });
    (api.team, api.space, api.locked, api.maintenance) =
        (Some(id("core")), Some(id("eu")), Some(true), Some(false));
    (api.created_at, api.released_at) = (time("2023-01-10T00:00:00Z"), time("2023-01-20T00:00:00Z"));
    (api.repo_size, api.slug_size, api.web_url) = (Some(1000), Some(300), some("https://api.example.com/"));
    api.properties = r#"{"region":"us"}"#.into();
    (web.team, web.locked, web.created_at) = (Some(id("core")), Some(false), time("2023-06-15T00:00:00Z"));
    (web.repo_size, web.slug_size, web.web_url) = (Some(3000), Some(200), some("https://web.example.com/"));
    (shop.team, shop.created_at) = (Some(id("side")), time("2024-02-01T00:00:00Z"));
    shop.properties = r#"{"region":"eu"}"#.into();
    (blog.owner, blog.locked, blog.repo_size) = (Some(id("bob")), Some(false), Some(500));
    blog.created_at = time("2022-12-31T23:59:59Z");
    vec![api, web, shop, blog]
}

fn addons() -> Vec<AddOn> {
    let [mut db, mut cache, mut logs] = ["db", "cache", "logs"].map(|name| AddOn::new(id(name)));
    (db.name, db.app, db.service) = (some("postgresql-flat-1"), Some(id("api")), some("heroku-postgresql"));
    db.web_url = some("https://addons.example.com/db");
    db.properties =
        r#"{"billed_price":{"cents":5000,"unit":"month"},"plan":"heroku-postgresql:standard-0"}"#.into();
    (cache.name, cache.app, cache.service) = (some("redis-round-2"), Some(id("web")), some("heroku-redis"));
    cache.properties = r#"{"billed_price":{"cents":1500,"unit":"month"}}"#.into();
    (logs.name, logs.app, logs.service) = (some("papertrail-deep-3"), Some(id("api")), some("papertrail"));
    vec![db, cache, logs]
}

fn employees() -> Vec<Employee> {
    let person = |key: &str, name: &str, emails: &[&str]| Employee {
        key: key.into(),
        name: name.into(),
        emails: emails.iter().map(|email| (*email).into()).collect(),
        active: true,
        ..Employee::default()
    };
    let mut ann = person("employee:1", "Ann Lee", &["ann@acme.com", "a.lee@acme.com"]);
    (ann.title, ann.department) = (some("CTO"), some("Engineering"));
    let mut bob = person("employee:2", "Bob Roy", &["bob@acme.com"]);
    (bob.department, bob.active) = (some("Sales"), false);
    let mut zoe = person("employee:3", "Zoe Roy", &["zoe@other.org"]);
    zoe.aliases = vec!["zed".into()];
    vec![ann, bob, zoe]
}
