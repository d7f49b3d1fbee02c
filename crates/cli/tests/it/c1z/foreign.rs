//! Files of somebody else's connector, whose ids are its own.

use std::path::Path;

use metsuke_baton::any;
use metsuke_baton::c1z::{self, Row, SyncHead, SyncType, WriteOptions};
use metsuke_baton::proto::connector::grant_sources::GrantSource;
use metsuke_baton::proto::connector::user_trait::Email;
use metsuke_baton::proto::connector::{
    Entitlement, Grant, GrantSources, Resource, ResourceId, ResourceType, UserTrait,
};
use metsuke_model::{Moment, Version};
use metsuke_simulator::Size;
use serde_json::{Value, json};

use crate::house::House;

pub(super) fn resource_type(id: &str) -> Row {
    Row::ResourceType(ResourceType { id: id.into(), display_name: id.into(), ..ResourceType::default() })
}

pub(super) fn bare(kind: &str, id: &str) -> Resource {
    let id = ResourceId { resource_type: kind.into(), resource: id.into(), ..ResourceId::default() };
    Resource { id: Some(id), ..Resource::default() }
}

pub(super) fn resource(kind: &str, id: &str, name: &str) -> Row {
    Row::Resource(Resource { display_name: name.into(), ..bare(kind, id) })
}

fn user(id: &str, email: &str) -> Row {
    let emails = vec![Email { address: email.into(), is_primary: true }];
    let user = UserTrait { emails, ..UserTrait::default() };
    Row::Resource(Resource {
        display_name: "Somebody".into(),
        annotations: vec![any::pack(&user)],
        ..bare("user", id)
    })
}

pub(super) fn entitlement(kind: &str, id: &str, slug: &str) -> Row {
    let (resource, id) = (Some(bare(kind, id)), format!("{kind}:{id}:{slug}"));
    Row::Entitlement(Entitlement { resource, id, slug: slug.into(), ..Entitlement::default() })
}

pub(super) fn grant(on: (&str, &str, &str), user: &str) -> Row {
    let entitlement = format!("{}:{}:{}", on.0, on.1, on.2);
    Row::Grant(Box::new(Grant {
        id: format!("{entitlement}:user:{user}"),
        entitlement: Some(Entitlement {
            resource: Some(bare(on.0, on.1)),
            id: entitlement,
            ..Entitlement::default()
        }),
        principal: Some(bare("user", user)),
        ..Grant::default()
    }))
}

pub(super) fn write(file: &Path, rows: Vec<Row>) {
    let began = Moment(1_790_000_000_000_000);
    let head = SyncHead::of(Version(9), began, Moment(began.0 + 1), SyncType::Full);
    let mut rows = rows;
    c1z::write(file, &mut rows, &WriteOptions::of(head)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn other_ids_are_found_by_address_and_name() {
    let house = House::of(Size::Small).await;
    let team = house.heroku.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.set_member(&team, "ann@example.com", Some("admin")).unwrap();
        world.set_member(&team, "bob@example.com", Some("member")).unwrap();
        team
    });
    let team = team.unwrap();
    house.run(&["sync", "--quiet"]).await;
    let rows = vec![
        resource_type("space"),
        resource_type("team"),
        resource_type("user"),
        user("u-1", "Ann@Example.com"),
        user("u-2", "bob@example.com"),
        user("u-3", "nobody@example.com"),
        resource("team", "t-1", &team),
        resource("space", "s-1", "desert"),
        entitlement("team", "t-1", "Admin"),
        entitlement("team", "t-1", "janitor"),
        entitlement("space", "s-1", "member"),
        grant(("team", "t-1", "Admin"), "u-1"),
        grant(("team", "t-1", "Admin"), "u-2"),
        grant(("space", "s-1", "member"), "u-1"),
    ];
    write(&house.folder.path().join("theirs.c1z"), rows);
    let told = house.json(&["import", "c1z", "theirs.c1z"]).await;
    let compared = &told["compared"];
    let there = |kind: &str| {
        let count = &compared[kind];
        [&count["both"], &count["by_name"], &count["only_there"]].map(|count| count.as_u64().unwrap())
    };
    assert_eq!(there("resources"), [3, 3, 2], "{compared}");
    assert_eq!(there("entitlements"), [1, 1, 2], "{compared}");
    assert_eq!(there("grants"), [1, 1, 2], "{compared}");
    let types = compared["types"].as_array().unwrap();
    let space = types.iter().find(|lone| lone["id"] == "space").unwrap();
    assert_eq!(
        space,
        &json!({"where": "there", "id": "space", "resources": 1, "entitlements": 1, "grants": 1})
    );
    assert!(types.iter().any(|lone| lone["id"] == "app" && lone["where"] == "here"));
    let wrong = |one: &&Value| one["kind"] == "grant" && one["principal"]["name"] == "bob@example.com";
    let differences = compared["differences"].as_array().unwrap();
    let there: Vec<&Value> = differences.iter().filter(wrong).filter(|one| one["where"] == "there").collect();
    assert_eq!(there.len(), 1, "{compared}");
    assert_eq!(there[0]["entitlement"], "Admin");
    let table = house.run(&["import", "c1z", "theirs.c1z"]).await.stdout;
    assert!(table.contains("Type `space` is only there: 1 resource, 1 entitlement, 1 grant."), "{table}");
    assert!(table.contains("not written out in the file, and not compared"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_direct_here_and_inherited_there_is_told() {
    let house = House::of(Size::Small).await;
    let team = house.heroku.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.set_member(&team, "ann@example.com", Some("admin")).unwrap();
        team
    });
    house.run(&["sync", "--quiet"]).await;
    let source = ("group:g:member".to_owned(), GrantSource { is_direct: true });
    let Row::Grant(held) = grant(("team", "t-1", "admin"), "u-1") else { unreachable!() };
    let sources = Some(GrantSources { sources: [source].into() });
    let rows = vec![
        resource_type("team"),
        resource_type("user"),
        user("u-1", "ann@example.com"),
        resource("team", "t-1", &team.unwrap()),
        entitlement("team", "t-1", "admin"),
        Row::Grant(Box::new(Grant { sources, ..*held })),
    ];
    write(&house.folder.path().join("theirs.c1z"), rows);
    let told = house.json(&["import", "c1z", "theirs.c1z"]).await;
    let compared = &told["compared"];
    assert_eq!((&compared["grants"]["both"], &compared["grants"]["otherwise"]), (&json!(1), &json!(1)));
    assert_eq!(compared["is_expanded"], json!(true));
    let differences = compared["differences"].as_array().unwrap();
    let both: Vec<&Value> = differences.iter().filter(|one| one["where"] == "both").collect();
    assert_eq!(both.len(), 1, "{compared}");
    assert_eq!(both[0]["manners"], json!(["inherited", "direct"]));
    let table = house.run(&["import", "c1z", "theirs.c1z"]).await.stdout;
    assert!(table.contains("inherited there, direct here"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_fits_several_finds_none() {
    let house = House::of(Size::Small).await;
    let app = house.heroku.edit(|world| world.app_names(None).remove(0)).unwrap();
    house.run(&["sync", "--quiet"]).await;
    let rows = vec![resource_type("app"), resource("app", "a-1", &app), resource("app", "a-2", &app)];
    write(&house.folder.path().join("theirs.c1z"), rows);
    let told = house.json(&["import", "c1z", "theirs.c1z"]).await;
    let resources = &told["compared"]["resources"];
    assert_eq!((&resources["both"], &resources["only_there"]), (&json!(0), &json!(2)), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_leaves_the_database_as_it_was() {
    let house = House::synced(Size::Small).await;
    write(&house.folder.path().join("theirs.c1z"), vec![resource_type("app"), resource("app", "a", "a")]);
    let before = house.lines(&["syncs"]).await;
    let ran = house.run(&["import", "c1z", "theirs.c1z"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(house.lines(&["syncs"]).await, before);
    assert_eq!(house.lines(&["changes"]).await, Vec::<Value>::new());
}
