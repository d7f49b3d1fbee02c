//! What goes wrong while a file is written: the old one stays, byte by byte, and nothing is left beside it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use metsuke_baton::c1z::{self, C1zError, Row, Rows, Sink, SyncType, WriteOptions};

use super::estate::{House, grant, head, names, small, without};

/// Says to the test that it runs with a limit, and on which file.
const WITHIN: &str = "METSUKE_TEST_FULL_DISK_C1Z";

/// Rows whose source fails after so many.
struct Failing(Vec<Row>, usize);

impl Rows for Failing {
    fn visit(&mut self, sink: &mut dyn Sink) -> Result<(), C1zError> {
        self.0.truncate(self.1);
        self.0.visit(sink)?;
        Err(C1zError::source_failed("the estate went away"))
    }
}

#[test]
fn a_source_that_fails_leaves_the_old_file() {
    let house = House::with(&small());
    let before = house.bytes();
    for rows in [0, 3, 9, 14] {
        let options = WriteOptions::of(head(2, SyncType::Full));
        let error = c1z::write(&house.file, &mut Failing(small(), rows), &options).unwrap_err();
        let C1zError::Source(source) = &error else { panic!("{error:?}") };
        assert_eq!(source.to_string(), "the estate went away");
        assert!(house.bytes() == before && house.names() == ["sync.c1z"]);
    }
}

#[test]
fn rows_that_do_not_fit_leave_the_old_file() {
    let house = House::with(&small());
    let before = house.bytes();
    let rows = without(&small(), |row| matches!(row, Row::Entitlement(_)));
    house.write(2, &rows).unwrap_err();
    assert!(house.bytes() == before && house.names() == ["sync.c1z"]);
}

/// Many rows, whose names do not compress well.
fn many() -> Vec<Row> {
    let mut rows = small();
    let mixed = |number: u64| number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let people: Vec<String> = (0..8_000).map(|number| format!("{:016x}", mixed(number))).collect();
    let place = rows.iter().position(|row| matches!(row, Row::Entitlement(_))).unwrap();
    let users = people.iter().map(|name| super::estate::resource("user", name, None));
    rows.splice(place..place, users.collect::<Vec<_>>());
    rows.extend(people.iter().map(|name| grant(("app", "api", "deploy"), ("user", name))));
    rows
}

#[test]
fn a_full_disk_leaves_the_old_file() {
    if let Some(file) = std::env::var_os(WITHIN) {
        let mut options = WriteOptions::of(head(2, SyncType::Full));
        options.temp_dir = std::env::var_os("METSUKE_TEST_SCRATCH").map(PathBuf::from);
        let error = c1z::write(&PathBuf::from(file), &mut many(), &options).unwrap_err();
        assert!(matches!(error, C1zError::Io { .. }), "{error:?}");
        println!("it was full");
        return;
    }
    let house = House::with(&small());
    let before = house.bytes();
    // From no room for anything to nearly enough: it breaks off in another place each time.
    for kibibytes in [1_u64, 50, 300, 600] {
        let script = r#"trap "" XFSZ; ulimit -f "$1"; exec "$2" --exact "$3" --nocapture --test-threads 1"#;
        let output = Command::new("bash")
            .args(["-c", script, "bash", &kibibytes.to_string()])
            .arg(std::env::current_exe().unwrap())
            .arg("c1z::interrupted::a_full_disk_leaves_the_old_file")
            .env(WITHIN, &house.file)
            .output()
            .unwrap();
        let told = format!("{output:?}");
        assert!(told.contains("it was full"), "with {kibibytes} KiB: {told}");
        assert!(house.bytes() == before && house.names() == ["sync.c1z"], "{:?}", house.names());
    }
    house.write(2, &many()).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_to_is_told() {
    let house = House::with(&small());
    let before = house.bytes();
    let folder = house.folder.path();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o500)).unwrap();
    let told = house.write(2, &small());
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    // Whoever may do everything may write there too.
    if let Err(error) = told {
        assert!(matches!(error, C1zError::Io { .. }), "{error:?}");
        assert_eq!(house.bytes(), before);
    }
    let nowhere = house.folder.path().join("not/there.c1z");
    let error = c1z::write(&nowhere, &mut small(), &WriteOptions::of(head(1, SyncType::Full))).unwrap_err();
    assert!(matches!(error, C1zError::Io { .. }), "{error:?}");
}

#[test]
fn nothing_is_left_where_keys_wait_to_be_sorted() {
    let (house, scratch) = (House::new(), tempfile::tempdir().unwrap());
    let options = WriteOptions {
        temp_dir: Some(scratch.path().to_owned()),
        ..WriteOptions::of(head(1, SyncType::Full))
    };
    house.write_as(&options, &small()).unwrap();
    assert!(names(scratch.path()).is_empty() && house.names() == ["sync.c1z"]);
}

#[test]
fn what_an_ended_process_left_is_taken_away_and_what_another_writes_is_not() {
    let house = House::with(&small());
    let beside = |name: &str| house.folder.path().join(name);
    std::fs::write(beside(".sync.c1z.ended1.tmp"), b"C1ZF").unwrap();
    std::fs::write(beside(".other.c1z.ended.tmp"), b"C1ZF").unwrap();
    let written = std::fs::File::create(beside(".sync.c1z.writes.tmp")).unwrap();
    written.lock().unwrap();
    house.write(2, &small()).unwrap();
    assert_eq!(house.names(), [".other.c1z.ended.tmp", ".sync.c1z.writes.tmp", "sync.c1z"]);
}

#[test]
fn a_link_is_followed() {
    let house = House::with(&small());
    let link = house.folder.path().join("link.c1z");
    std::os::unix::fs::symlink(&house.file, &link).unwrap();
    c1z::write(&link, &mut small(), &WriteOptions::of(head(2, SyncType::Full))).unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(house.open().syncs().len(), 2);
}
