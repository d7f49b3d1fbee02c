//! Files that are not what they say, and files that mean harm.

use std::fs;

use metsuke_simulator::Size;
use tempfile::TempDir;

use super::foreign::{entitlement, grant, resource, resource_type, write};
use crate::house::{House, bare, run, starting};

const HOSTILE: &str = "app\u{1b}[2J\u{202e}\n=1+1";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_is_one_error_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("good.c1z"), vec![resource_type("app"), resource("app", "a", "a")]);
    let good = fs::read(folder.path().join("good.c1z")).unwrap();
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    for (name, bytes, said) in [
        ("text.c1z", &b"dear diary"[..], "instead of `C1ZF`"),
        ("newer.c1z", b"C1Z3\0\0\0\0\0", "version 3 of the format"),
        ("bare.c1z", b"C1ZF\0", "no zstd frame"),
        ("short.c1z", &good[..good.len() - 9], "c1z: invalid file"),
        ("empty.c1z", b"", "there is no file"),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
        for arguments in
            [&["c1z", "inspect", name][..], &["c1z", "diff", name], &["c1z", "diff", "good.c1z", name]]
        {
            let mut command = bare(&folder, arguments);
            command.env("TMPDIR", &temporary);
            let ran = run(command).await;
            assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{name}: {ran:?}");
            assert_eq!(starting(&ran.stderr, "error: ").len(), 1, "{name}: {ran:?}");
            assert!(ran.stderr.contains(said), "{name}: {ran:?}");
        }
    }
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
}

async fn inspect(folder: &TempDir, arguments: &[&str]) -> crate::house::Ran {
    run(bare(folder, &[&["c1z", "inspect", "big.c1z"], arguments].concat())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_may_become_as_large_as_was_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = vec![resource_type("app")];
    rows.extend((0..20_000).map(|number| resource("app", &number.to_string(), "x")));
    write(&folder.path().join("big.c1z"), rows);
    let ran = inspect(&folder, &["--max-decoded-size", "1MB"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(ran.stderr.contains("more than 1000000 bytes"), "{ran:?}");
    assert!(ran.stderr.contains("hint: if you trust whoever made it, allow more with --max-decoded-size"));
    assert_eq!(inspect(&folder, &["--max-decoded-size", "100MB"]).await.code, 0);
    assert_eq!(inspect(&folder, &[]).await.code, 0);
    assert_eq!(inspect(&folder, &["--max-decoded-size", "1"]).await.code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_a_file_cannot_fool_a_terminal_or_a_spreadsheet() {
    let house = House::synced(Size::Small).await;
    let path = |name: &str| house.folder.path().join(name);
    let rows = |id: &str| {
        vec![
            resource_type("app"),
            resource("app", id, HOSTILE),
            resource("user", "=cmd()", HOSTILE),
            entitlement("app", id, HOSTILE),
            grant(("app", id, HOSTILE), "=cmd()"),
        ]
    };
    let with_types = |id: &str| [vec![resource_type("user")], rows(id)].concat();
    write(&path("one.c1z"), with_types("one"));
    write(&path("two.c1z"), with_types("two"));
    for arguments in [
        &["c1z", "inspect", "one.c1z"][..],
        &["c1z", "diff", "one.c1z", "two.c1z"],
        &["import", "c1z", "one.c1z"],
    ] {
        for format in ["table", "json", "jsonl", "csv"] {
            let ran = house.run(&[&["--format", format], arguments].concat()).await;
            assert_eq!(ran.code, 0, "{ran:?}");
            let told = format!("{}{}", ran.stdout, ran.stderr);
            if format == "table" {
                assert!(!told.contains(['\u{1b}', '\u{202e}']), "{arguments:?}");
            }
            if format == "csv" {
                let cells = ran.stdout.split(['\n', ',']);
                assert!(cells.clone().all(|cell| !cell.starts_with("=cmd")), "{arguments:?}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_changes_nothing_that_is_no_file_of_its_kind() {
    let house = House::synced(Size::Small).await;
    let file = house.folder.path().join("diary.c1z");
    fs::write(&file, "dear diary").unwrap();
    let ran = house.run(&["export", "c1z", "--out", "diary.c1z"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(ran.stderr.contains("hint: move it away, or name another file; it was not changed"), "{ran:?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "dear diary");
    let ran = house.run(&["export", "c1z", "--out", "no/such/folder.c1z"]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
}
