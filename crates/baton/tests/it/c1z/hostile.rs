//! Files that are meant to harm, or broken: refused early, with little memory, and nothing of them is run.

use std::io::Write as _;
use std::process::Command;

use metsuke_baton::c1z::{C1z, C1zError, ReadOptions};
use zstd::stream::raw::CParameter;

use super::estate::{House, encoded, names, small};

/// Says to the test that it is to open this file with little memory.
const OPEN: &str = "METSUKE_TEST_OPEN_C1Z";

fn refused(house: &House) -> C1zError {
    let before = house.bytes();
    let error = C1z::open(&house.file, &ReadOptions::default()).unwrap_err();
    assert!(house.write(9, &small()).is_err(), "nothing is added to it either");
    assert_eq!(house.bytes(), before);
    error
}

/// A frame of a stream, without its length at its head unless it is given.
fn frame(window_log: u32, chunks: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(b"C1ZF\0".to_vec(), 1).unwrap();
    encoder.set_parameter(CParameter::WindowLog(window_log)).unwrap();
    for chunk in chunks {
        encoder.write_all(&chunk).unwrap();
    }
    encoder.finish().unwrap()
}

/// The most memory that this process ever had, in kB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn a_gibibyte_of_zeros_is_refused_early_and_with_little_memory() {
    if let Some(file) = std::env::var_os(OPEN) {
        let scratch = tempfile::tempdir().unwrap();
        let options = ReadOptions { temp_dir: Some(scratch.path().to_owned()), ..ReadOptions::default() };
        let begun = std::time::Instant::now();
        let error = C1z::open(file.as_ref(), &options).unwrap_err();
        println!("{error}; {} ms; {} kB", begun.elapsed().as_millis(), peak());
        assert!(matches!(error, C1zError::TooLarge { .. }), "{error:?}");
        assert!(peak() < 128 * 1024, "{} kB", peak());
        assert!(names(scratch.path()).is_empty());
        println!("it was refused");
        return;
    }
    let house = House::new();
    let zeros = || std::iter::repeat_n(vec![0; 1 << 20], 1 << 10);
    // Once with a large window and without a length, once with a length, once in many frames.
    let streamed = frame(27, zeros());
    let mut told = b"C1ZF\0".to_vec();
    let mut encoder = zstd::stream::write::Encoder::new(&mut told, 1).unwrap();
    encoder.set_pledged_src_size(Some(1 << 30)).unwrap();
    zeros().for_each(|chunk| encoder.write_all(&chunk).unwrap());
    encoder.finish().unwrap();
    let one = zstd::stream::encode_all(&vec![0; 1 << 20][..], 1).unwrap();
    let many = [b"C1ZF\0".to_vec(), one.repeat(1 << 10)].concat();
    for (what, bytes) in [("streamed", streamed), ("told", told), ("many frames", many)] {
        std::fs::write(&house.file, bytes).unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "c1z::hostile::a_gibibyte_of_zeros_is_refused_early_and_with_little_memory"])
            .arg("--nocapture")
            .env(OPEN, &house.file)
            .output()
            .unwrap();
        let told = format!("{output:?}");
        assert!(told.contains("it was refused"), "{what}: {told}");
    }
}

#[test]
fn a_window_of_more_than_128_mebibytes_is_refused() {
    let house = House::new();
    let bytes = frame(28, std::iter::once(vec![7; 100]));
    std::fs::write(&house.file, bytes).unwrap();
    let error = refused(&house);
    let C1zError::TooLarge { what, .. } = error else { panic!("{error:?}") };
    assert_eq!(what, "it needs a window of 268435456 bytes, and 134217728 are allowed");
}

#[test]
fn a_second_frame_may_not_have_a_larger_window_either() {
    let house = House::with(&small());
    let second = frame(28, std::iter::once(vec![7; 100]));
    std::fs::write(&house.file, [house.bytes(), second[5..].to_vec()].concat()).unwrap();
    assert!(matches!(refused(&house), C1zError::Invalid { .. }));
}

#[test]
fn a_window_of_128_mebibytes_is_read() {
    let house = House::with(&small());
    let inside = super::estate::decoded(&house.bytes());
    std::fs::write(&house.file, frame(27, std::iter::once(inside))).unwrap();
    assert_eq!(house.rows(), small());
    let container = house.open().container().clone();
    assert_eq!((container.window_bytes, container.declared_bytes), (1 << 27, None));
}

#[test]
fn more_than_is_allowed_is_refused() {
    let house = House::with(&small());
    let least = house.open().container().decoded_bytes;
    let open = |most| {
        let options = ReadOptions { max_decoded_bytes: most, ..ReadOptions::default() };
        C1z::open(&house.file, &options)
    };
    assert!(open(least).is_ok());
    assert!(matches!(open(least - 1), Err(C1zError::TooLarge { .. })));
}

#[test]
fn a_file_that_ends_too_early_is_refused() {
    let whole = House::with(&small()).bytes();
    for length in [5, 6, 9, 20, whole.len() / 2, whole.len() - 1] {
        let house = House::new();
        std::fs::write(&house.file, &whole[..length]).unwrap();
        let error = refused(&house);
        assert!(matches!(error, C1zError::Invalid { .. }), "{length}: {error:?}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn a_checksum_that_is_wrong_is_refused() {
    let house = House::with(&small());
    let mut bytes = house.bytes();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&house.file, bytes).unwrap();
    assert!(matches!(refused(&house), C1zError::Invalid { .. }));
}

#[test]
fn what_holds_no_database_is_refused() {
    for inside in [&b""[..], b"hello", &[0; 4096], b"SQLite format 3\0"] {
        let house = House::new();
        house.put(inside);
        assert!(matches!(refused(&house), C1zError::Invalid { .. }));
    }
}

#[test]
fn what_could_be_run_is_refused() {
    for (sql, what) in [
        ("CREATE VIEW v AS SELECT 1", "it brings a view, `v`"),
        ("CREATE TRIGGER t AFTER INSERT ON v1_grants BEGIN SELECT 1; END", "it brings a trigger, `t`"),
        ("CREATE VIRTUAL TABLE f USING fts5(x)", "it brings a virtual table, `f`"),
        (
            "ALTER TABLE v1_grants ADD COLUMN c AS (hex(zeroblob(1000000))) VIRTUAL",
            "it brings a column that is computed, `c` of `v1_grants`",
        ),
        (
            "DROP TABLE v1_grants; CREATE VIEW v1_grants AS SELECT * FROM v1_resources",
            "it brings a view, `v1_grants`",
        ),
        ("DROP TABLE v1_sync_runs", "it has no table `v1_sync_runs`"),
        ("ALTER TABLE v1_sync_runs DROP COLUMN sync_token; ALTER TABLE v1_grants RENAME data TO other", ""),
    ] {
        let house = House::with(&small());
        let database = house.database();
        database.execute_batch(sql).unwrap();
        drop(database);
        house.put(&std::fs::read(house.folder.path().join("inside.db")).unwrap());
        if what.is_empty() {
            assert!(house.write(2, &small()).is_err());
            continue;
        }
        let error = refused(&house).to_string();
        assert!(error.ends_with(what), "{error}");
    }
}

/// Pages that are reached twice would be read without end.
#[test]
fn damage_is_found_wherever_it_is() {
    let house = House::with(&small());
    let whole = super::estate::decoded(&house.bytes());
    let (mut refused, mut read) = (0, 0);
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for _ in 0..400 {
        let mut inside = whole.clone();
        for _ in 0..=random(4) {
            let place = random(inside.len());
            inside[place] = u8::try_from(random(256)).unwrap();
        }
        house.put(&inside);
        // Whatever is in it, it is read or refused.
        match C1z::open(&house.file, &ReadOptions::default()) {
            Ok(file) => {
                for run in file.syncs() {
                    use metsuke_baton::c1z::Rows as _;
                    file.rows(&run.id).visit(&mut Vec::new()).ok();
                }
                read += 1;
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 0 && read > 0, "{refused} refused, {read} read");
}

#[test]
fn a_page_that_is_its_own_child_is_refused() {
    let house = House::with(&small());
    let database = house.database();
    let root: i64 = database
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'v1_grants'", [], |row| row.get(0))
        .unwrap();
    drop(database);
    let mut inside = super::estate::decoded(&house.bytes());
    let start = usize::try_from(root - 1).unwrap() * 4096;
    let number = u32::try_from(root).unwrap().to_be_bytes();
    // An interior page with one cell, both of whose children it is itself.
    inside[start..start + 4096].fill(0);
    inside[start..start + 8].copy_from_slice(&[5, 0, 0, 0, 1, 0x0f, 0xfb, 0]);
    inside[start + 8..start + 12].copy_from_slice(&number);
    inside[start + 12..start + 14].copy_from_slice(&[0x0f, 0xfb]);
    inside[start + 4091..start + 4095].copy_from_slice(&number);
    inside[start + 4095] = 1;
    house.put(&inside);
    assert!(matches!(refused(&house), C1zError::Invalid { .. }));
}

#[test]
fn what_was_decoded_is_gone_as_soon_as_it_is_open() {
    let house = House::with(&small());
    let scratch = tempfile::tempdir().unwrap();
    let odd = scratch.path().join("a?b#c%20d");
    std::fs::create_dir(&odd).unwrap();
    let options = ReadOptions { temp_dir: Some(odd.clone()), ..ReadOptions::default() };
    let file = C1z::open(&house.file, &options).unwrap();
    assert!(names(&odd).is_empty());
    assert_eq!(file.syncs().len(), 1);
    assert!(file.find_grant("app:api:deploy:user:bob").is_ok());
}

#[test]
fn a_file_that_was_compressed_by_others_is_read() {
    let house = House::with(&small());
    let inside = super::estate::decoded(&house.bytes());
    std::fs::write(&house.file, encoded(&inside)).unwrap();
    assert_eq!(house.rows(), small());
}
