//! A further sync in a file: which of the old ones stay, and that they stay as they were.

use std::num::NonZeroUsize;

use metsuke_baton::c1z::{C1zError, Keep, Rows as _, SyncId, SyncType, WriteOptions};

use super::estate::{House, head, is_grant_to, small, without};

fn ids(house: &House) -> Vec<SyncId> {
    house.open().syncs().iter().map(|run| run.id.clone()).collect()
}

fn full(version: i64) -> SyncId {
    head(version, SyncType::Full).id
}

fn write(house: &House, version: i64, sync_type: SyncType, keep: Keep) {
    let rows = small();
    house.write_as(&WriteOptions { keep, ..WriteOptions::of(head(version, sync_type)) }, &rows).unwrap();
}

#[test]
fn the_newest_two_stay() {
    let house = House::new();
    for version in 1..=3 {
        house.write(version, &small()).unwrap();
    }
    let written = house.write(4, &small()).unwrap();
    assert_eq!(ids(&house), [full(3), full(4)]);
    assert_eq!((written.kept, written.dropped), (vec![full(3)], vec![full(2)]));
    let told: String = house.database().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(told, "ok");
}

#[test]
fn what_stays_is_as_it_was() {
    let house = House::with(&small());
    house.write(2, &without(&small(), |row| is_grant_to(row, "bob"))).unwrap();
    let file = house.open();
    let mut rows = Vec::new();
    file.rows(&full(1)).visit(&mut rows).unwrap();
    assert_eq!(rows, small());
    assert_eq!(house.rows(), without(&small(), |row| is_grant_to(row, "bob")));
}

#[test]
fn the_same_version_takes_its_own_place() {
    let house = House::with(&small());
    house.write(2, &small()).unwrap();
    let before = house.bytes();
    house.write(2, &small()).unwrap();
    assert_eq!(house.bytes(), before);
}

#[test]
fn as_many_stay_as_are_asked_for() {
    let house = House::new();
    let three = Keep::Newest(NonZeroUsize::new(3).unwrap());
    for version in 1..=5 {
        write(&house, version, SyncType::Full, three);
    }
    assert_eq!(ids(&house), [full(3), full(4), full(5)]);
    write(&house, 6, SyncType::Full, Keep::All);
    assert_eq!(ids(&house).len(), 4);
    write(&house, 7, SyncType::Full, Keep::Newest(NonZeroUsize::MIN));
    assert_eq!(ids(&house), [full(7)]);
}

#[test]
fn a_part_leaves_one_whole_sync_and_goes_with_the_whole_before_it() {
    let house = House::new();
    let part = |version| head(version, SyncType::Partial).id;
    write(&house, 1, SyncType::Full, Keep::default());
    write(&house, 2, SyncType::Full, Keep::default());
    write(&house, 3, SyncType::Partial, Keep::default());
    assert_eq!(ids(&house), [full(2), part(3)]);
    write(&house, 4, SyncType::Full, Keep::default());
    assert_eq!(ids(&house), [full(2), part(3), full(4)]);
    write(&house, 5, SyncType::Full, Keep::default());
    assert_eq!(ids(&house), [full(4), full(5)], "the part ended before the oldest that stays");
}

#[test]
fn only_the_new_one_is_written_without_reading_the_old() {
    let house = House::new();
    std::fs::write(&house.file, b"C1ZF\0 and no frame").unwrap();
    assert!(matches!(house.write(1, &small()), Err(C1zError::Invalid { .. })));
    write(&house, 1, SyncType::Full, Keep::OnlyNew);
    assert_eq!(ids(&house), [full(1)]);
}

#[test]
fn an_empty_file_is_a_new_one() {
    let house = House::new();
    std::fs::write(&house.file, b"").unwrap();
    house.write(1, &small()).unwrap();
    assert_eq!(house.rows(), small());
}

#[test]
fn something_else_is_never_written_over() {
    for (bytes, found) in [
        (
            &b"C1Z3\0rest"[..],
            "it begins with `C1Z3`, version 3 of the format, and only version 1 can be read",
        ),
        (b"PK\x03\x04", "it begins with `PK\\x03\\x04` instead of `C1ZF`"),
        (b"C1Z", "it begins with `C1Z` instead of `C1ZF`"),
    ] {
        let house = House::new();
        std::fs::write(&house.file, bytes).unwrap();
        for keep in [Keep::default(), Keep::OnlyNew] {
            let options = WriteOptions { keep, ..WriteOptions::of(head(1, SyncType::Full)) };
            let error = house.write_as(&options, &small()).unwrap_err();
            let expected = format!("c1z: invalid file `{}`: {found}", house.file.display());
            assert_eq!(error.to_string(), expected);
            assert_eq!(house.bytes(), bytes);
        }
    }
    let house = House::new();
    std::fs::create_dir(&house.file).unwrap();
    assert!(matches!(house.write(1, &small()), Err(C1zError::Invalid { .. } | C1zError::Io { .. })));
}
