//! Single rows of the newest sync, as they are asked for before something is granted or revoked.

use metsuke_baton::c1z::{C1z, C1zError, ReadOptions, Row, RowKind, SyncType, WriteOptions};
use metsuke_baton::id::ResourceKey;

use super::estate::{House, grant_of, head, is_grant_to, resource, resource_type, small, without};

#[test]
fn rows_are_found_by_their_ids() {
    let house = House::with(&small());
    let file = house.open();
    let entitlement = file.find_entitlement("app:api:deploy").unwrap();
    assert_eq!(entitlement.slug, "deploy");
    let user = file.find_resource(&ResourceKey::new("user", "ann")).unwrap();
    assert_eq!(user.display_name, "user ann");
    let grant = file.find_grant("app:api:deploy:user:bob").unwrap();
    assert_eq!(grant, grant_of(("app", "api", "deploy"), ("user", "bob")));
}

#[test]
fn the_newest_whole_sync_is_asked() {
    let house = House::with(&small());
    house.write(2, &without(&small(), |row| is_grant_to(row, "bob"))).unwrap();
    let part = [resource_type("user"), resource("user", "new", None)];
    house.write_as(&WriteOptions::of(head(3, SyncType::Partial)), &part).unwrap();
    let file = house.open();
    assert!(matches!(file.find_grant("app:api:deploy:user:bob"), Err(C1zError::NoRow { .. })));
    assert!(file.find_resource(&ResourceKey::new("user", "new")).is_err());
    assert!(file.find_resource(&ResourceKey::new("user", "bob")).is_ok());
}

#[test]
fn what_is_not_there_is_told() {
    let house = House::with(&small());
    let file = house.open();
    let error = file.find_entitlement("app:api:fly").unwrap_err();
    assert!(matches!(&error, C1zError::NoRow { kind: RowKind::Entitlement, id, .. } if id == "app:api:fly"));
    assert_eq!(error.to_string(), format!("`{}` holds no entitlement `app:api:fly`", house.file.display()));
    let nowhere = house.folder.path().join("nowhere.c1z");
    for make in [false, true] {
        if make {
            std::fs::write(&nowhere, b"").unwrap();
        }
        let error = C1z::open(&nowhere, &ReadOptions::default()).unwrap_err();
        assert!(matches!(error, C1zError::Missing { .. }), "{error:?}");
    }
    let rows: Vec<Row> = Vec::new();
    let empty = House::with(&rows);
    assert!(matches!(empty.open().find_grant("x"), Err(C1zError::NoRow { .. })));
}
