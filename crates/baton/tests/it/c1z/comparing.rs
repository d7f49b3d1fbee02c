//! What differs between two syncs.

use metsuke_baton::any;
use metsuke_baton::c1z::{self, Change, Changes, DiffCounts, Difference, Row};
use metsuke_baton::proto::connector::GrantMetadata;

use super::estate::{House, entitlement, grant, is_grant_to, passed_on, resource, small, without};

/// What differs between the two newest syncs of one file, and of two files; both are the same.
fn differing(before: &[Row], after: &[Row]) -> (DiffCounts, Vec<Difference>) {
    let house = House::with(before);
    house.write(2, after).unwrap();
    let file = house.open();
    let (one, other) = file.newest_two().unwrap();
    let mut found = Vec::new();
    let take = |difference| {
        found.push(difference);
        Ok(())
    };
    let counts = c1z::diff((&file, &one.id), (&file, &other.id), take).unwrap();
    let (first, second) = (House::with(before), House::with(after));
    let (first, second) = (first.open(), second.open());
    let mut again = Vec::new();
    let (one, other) = (&first.newest().unwrap().id, &second.newest().unwrap().id);
    let take = |difference| {
        again.push(difference);
        Ok(())
    };
    assert_eq!(c1z::diff((&first, one), (&second, other), take).unwrap(), counts);
    assert_eq!(again, found);
    (counts, found)
}

const fn changes(added: u64, removed: u64, changed: u64) -> Changes {
    Changes { added, removed, changed }
}

#[test]
fn nothing_differs_between_the_same() {
    assert_eq!(differing(&small(), &small()), (DiffCounts::default(), Vec::new()));
}

#[test]
fn order_and_time_make_no_difference() {
    let mut other = small();
    other[4..10].reverse();
    other[13..].reverse();
    assert_eq!(differing(&small(), &other).0, DiffCounts::default());
}

#[test]
fn what_came_and_what_went_is_told() {
    let mut after = without(&small(), |row| is_grant_to(row, "bob") || *row == resource("user", "bob", None));
    after.insert(4, resource("user", "zoe", None));
    after.push(grant(("app", "web", "deploy"), ("user", "zoe")));
    let place = after.iter().position(|row| matches!(row, Row::Grant(_))).unwrap();
    after.insert(place, entitlement("app", "web", "view"));
    let (counts, found) = differing(&small(), &after);
    assert_eq!(
        counts,
        DiffCounts { resources: changes(1, 1, 0), entitlements: changes(1, 0, 0), grants: changes(1, 1, 0) }
    );
    let told: Vec<(&str, bool)> = found
        .iter()
        .map(|difference| (difference.id.as_str(), matches!(difference.change, Change::Added(_))))
        .collect();
    assert_eq!(
        told,
        [
            ("user:bob", false),
            ("user:zoe", true),
            ("app:web:view", true),
            ("app:api:deploy:user:bob", false),
            ("app:web:deploy:user:zoe", true),
        ]
    );
}

#[test]
fn what_changed_is_told_as_it_was_and_as_it_is() {
    let mut after = small();
    for row in &mut after {
        match row {
            Row::Resource(row) if row.display_name == "app web" => row.display_name = "app renamed".into(),
            Row::Entitlement(row) if row.id == "team:core:admin" => row.description = "told".into(),
            // An annotation more, and nothing else.
            Row::Grant(row) if row.id == "app:api:deploy:user:bob" => {
                row.annotations.push(any::pack(&GrantMetadata::default()));
            }
            _ => {}
        }
    }
    let (counts, found) = differing(&small(), &after);
    assert_eq!(
        counts,
        DiffCounts { resources: changes(0, 0, 1), entitlements: changes(0, 0, 1), grants: changes(0, 0, 1) }
    );
    let Change::Changed(rows) = &found[0].change else { panic!("{found:?}") };
    let (Row::Resource(before), Row::Resource(after)) = &**rows else { panic!("{rows:?}") };
    assert_eq!((before.display_name.as_str(), after.display_name.as_str()), ("app web", "app renamed"));
}

#[test]
fn what_passes_a_grant_on_counts() {
    let rows = |from: &[&str]| {
        let mut rows = without(&small(), |row| is_grant_to(row, "core"));
        let place = rows.iter().position(|row| matches!(row, Row::Grant(_))).unwrap();
        rows.insert(place, entitlement("team", "core", "member"));
        rows.push(match from {
            [] => grant(("app", "api", "deploy"), ("team", "core")),
            from => passed_on(("app", "api", "deploy"), ("team", "core"), from),
        });
        rows
    };
    let (counts, _) = differing(&rows(&["team:core:admin"]), &rows(&["team:core:member"]));
    assert_eq!(counts.grants, changes(0, 0, 1));
    let (counts, _) = differing(&rows(&["team:core:admin"]), &rows(&[]));
    assert_eq!(counts.grants, changes(0, 0, 1));
}

#[test]
fn one_sync_alone_is_not_compared() {
    assert!(House::with(&small()).open().newest_two().is_err());
}
