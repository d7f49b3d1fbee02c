//! Rows that do not fit together: no file is made of them, and the message names them.

use metsuke_baton::c1z::{C1zError, Row, SyncType, WriteOptions};
use metsuke_baton::proto::connector::{Entitlement, Grant};

use super::estate::{
    House, bare, entitlement, grant, grant_of, head, passed_on, resource, resource_type, small, without,
};

/// What is said of the small estate with these rows added, or instead of what it has.
fn told(rows: &[Row]) -> String {
    let house = House::new();
    let error = house.write(1, rows).unwrap_err();
    assert!(matches!(error, C1zError::Unfit(_)), "{error:?}");
    assert!(house.names().is_empty(), "{:?}", house.names());
    error.to_string()
}

/// The small estate and a row more, among those of its kind.
fn with(row: Row) -> Vec<Row> {
    let place = |row: &Row| match row {
        Row::ResourceType(_) => 0,
        Row::Resource(_) => 1,
        Row::Entitlement(_) => 2,
        Row::Grant(_) => 3,
    };
    let mut rows = small();
    rows.push(row);
    rows.sort_by_key(place);
    rows
}

#[test]
fn ids_are_there_once() {
    let twice = |what: &str| format!("the rows do not fit together: {what} is there twice");
    assert_eq!(told(&with(resource_type("user"))), twice("resource type `user`"));
    assert_eq!(told(&with(resource("user", "ann", None))), twice("resource `user:ann`"));
    assert_eq!(told(&with(entitlement("app", "api", "deploy"))), twice("entitlement `app:api:deploy`"));
    let grant = grant(("app", "api", "deploy"), ("user", "bob"));
    assert_eq!(told(&with(grant)), twice("grant `app:api:deploy:user:bob`"));
}

#[test]
fn what_is_named_is_there() {
    assert_eq!(
        told(
            &with(resource("space", "s", None))
                .into_iter()
                .filter(|row| *row != resource_type("space"))
                .collect::<Vec<_>>()
        ),
        "the rows do not fit together: resource `space:s` names resource type `space`, which is not there"
    );
    assert_eq!(
        told(&with(entitlement("app", "x", "deploy"))),
        "the rows do not fit together: entitlement `app:x:deploy` names resource `app:x`, which is not there"
    );
    assert_eq!(
        told(&with(grant(("app", "api", "view"), ("user", "ann")))),
        "the rows do not fit together: grant `app:api:view:user:ann` names entitlement `app:api:view`, which is not there"
    );
    assert_eq!(
        told(&with(grant(("app", "api", "deploy"), ("user", "dan")))),
        "the rows do not fit together: grant `app:api:deploy:user:dan` names resource `user:dan`, which is not there"
    );
}

#[test]
fn a_grant_names_the_resource_of_its_entitlement() {
    let mut row = grant_of(("app", "api", "deploy"), ("user", "ann"));
    row.entitlement = Some(Entitlement { resource: Some(bare("app", "web")), ..row.entitlement.unwrap() });
    assert_eq!(
        told(&with(Row::Grant(Box::new(row)))),
        "the rows do not fit together: grant `app:api:deploy:user:ann` names resource `app:web`, which is not there"
    );
}

#[test]
fn what_passes_a_grant_on_is_its_principals() {
    let web = ("app", "web", "deploy");
    assert_eq!(
        told(&with(passed_on(web, ("team", "core"), &["team:core:owner"]))),
        "the rows do not fit together: grant `app:web:deploy:team:core` names entitlement `team:core:owner`, which is not there"
    );
    assert_eq!(
        told(&with(passed_on(web, ("team", "core"), &["app:api:deploy"]))),
        "the rows do not fit together: grant `app:web:deploy:team:core` is passed on from `app:api:deploy`, which its principal does not offer"
    );
}

#[test]
fn every_part_that_readers_need_is_there() {
    let lacking = |grant: Grant| told(&with(Row::Grant(Box::new(grant))));
    let whole = || grant_of(("app", "api", "deploy"), ("user", "ann"));
    let lacks =
        |part: &str| format!("the rows do not fit together: grant `app:api:deploy:user:ann` has no {part}");
    assert_eq!(lacking(Grant { entitlement: None, ..whole() }), lacks("entitlement"));
    assert_eq!(lacking(Grant { principal: None, ..whole() }), lacks("principal"));
    let without_resource = Some(Entitlement { resource: None, ..whole().entitlement.unwrap() });
    assert_eq!(
        lacking(Grant { entitlement: without_resource, ..whole() }),
        lacks("resource of its entitlement")
    );
    assert_eq!(
        lacking(Grant { id: String::new(), ..whole() }),
        "the rows do not fit together: a grant has no id"
    );
    let long = told(&with(resource("user", &"x".repeat(1_020), None)));
    assert!(
        long.starts_with("the rows do not fit together: the id of resource `user:xx")
            && long.ends_with("` is too long")
    );
}

#[test]
fn the_first_few_are_named_and_the_others_counted() {
    let rows = without(&small(), |row| matches!(row, Row::Entitlement(_)));
    let mut rows = rows;
    for name in ["a", "b", "c", "d"] {
        rows.push(grant(("app", "api", name), ("user", "ann")));
    }
    let told = told(&rows);
    assert!(told.ends_with("; and 4 more"), "{told}");
    assert_eq!(told.matches("which is not there").count(), 5);
}

#[test]
fn a_part_may_name_what_only_the_whole_has() {
    let house = House::new();
    let rows = [
        resource_type("app"),
        resource("app", "api", Some(("team", "core"))),
        entitlement("app", "api", "deploy"),
        grant(("app", "api", "deploy"), ("user", "ann")),
        passed_on(("app", "api", "deploy"), ("team", "core"), &["team:core:admin"]),
    ];
    house.write_as(&WriteOptions::of(head(1, SyncType::Partial)), &rows).unwrap();
    assert_eq!(house.rows(), rows);
    let missing = without(&rows, |row| matches!(row, Row::Entitlement(_)));
    assert!(house.write_as(&WriteOptions::of(head(2, SyncType::Partial)), &missing).is_err());
}

#[test]
fn kinds_come_in_their_order() {
    let house = House::new();
    let mut rows = small();
    rows.push(resource_type("late"));
    let error = house.write(1, &rows).unwrap_err();
    assert!(matches!(error, C1zError::Source(_)), "{error:?}");
    assert!(house.names().is_empty());
}
