//! `metsuke backup`, `metsuke restore`, `metsuke prune` and `metsuke config`.

use metsuke_simulator::Size;

use crate::connectors::added;
use crate::house::{House, bare, run};

const PHRASE: &str = "correct horse battery staple\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_restored_and_heroku_is_left_alone_until_it_was_read() {
    let house = House::synced(Size::Small).await;
    std::fs::write(house.folder.path().join("phrase"), PHRASE).unwrap();
    let made = house.run(&["backup", "--out", "one.age", "--passphrase-file", "phrase"]).await;
    assert_eq!(made.code, 0, "{made:?}");
    assert!(made.stdout.starts_with("`one.age` of ") && made.stderr.contains("the sealing key"), "{made:?}");
    let versions = house.run(&["syncs", "--format", "json"]).await.stdout;
    let grants = house.run(&["grants", "--format", "jsonl"]).await.stdout;

    let other = ["--database", "sqlite:two.db"];
    let restore = ["restore", "one.age", "--passphrase-file", "phrase"];
    let restored = house.run(&[&restore[..], &other[..]].concat()).await;
    assert_eq!(restored.code, 0, "{restored:?}");
    assert_eq!(house.run(&[&["syncs", "--format", "json"], &other[..]].concat()).await.stdout, versions);
    assert_eq!(house.run(&[&["grants", "--format", "jsonl"], &other[..]].concat()).await.stdout, grants);

    let app = house
        .heroku
        .edit(|world| {
            let teams = world.enterprise_team_names();
            teams.iter().find_map(|team| world.app_names(Some(team)).first().cloned()).unwrap()
        })
        .unwrap();
    let grant = [
        "grant",
        "--user",
        "new@example.com",
        "--app",
        &app,
        "--permission",
        "deploy",
        "--yes",
        "--allow-writes",
    ];
    let refused = house.run(&[&grant[..], &other[..]].concat()).await;
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(format!("{refused:?}").contains("restored from a backup"), "{refused:?}");
    let told = house.run(&[&["doctor"], &other[..]].concat()).await;
    assert!(told.stdout.contains("warn  restored: from a backup of"), "{told:?}");
    assert!(house.run(&[&["sync", "--quiet"], &other[..]].concat()).await.code != 1);
    let done = house.run(&[&grant[..], &other[..]].concat()).await;
    assert_eq!(done.code, 0, "{done:?}");
    let told = house.run(&[&["doctor"], &other[..]].concat()).await;
    assert!(!told.stdout.contains("restored:"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_over_something_and_a_backup_without_a_key_are_refused() {
    let house = House::synced(Size::Small).await;
    let open = house.run(&["backup", "--out", "one.age"]).await;
    assert_eq!(open.code, 2, "{open:?}");
    assert!(!house.folder.path().join("one.age").exists());
    std::fs::write(house.folder.path().join("phrase"), PHRASE).unwrap();
    house.run(&["backup", "--out", "one.age", "--passphrase-file", "phrase"]).await;
    let over = house.run(&["restore", "one.age", "--passphrase-file", "phrase"]).await;
    assert_eq!(over.code, 1, "{over:?}");
    assert!(over.stderr.contains("is not empty: the file is there"), "{over:?}");
    let unnamed = house.run(&["restore", "one.age", "--passphrase-file", "phrase", "--force"]).await;
    assert_eq!(unnamed.code, 2, "{unnamed:?}");
    let forced =
        ["restore", "one.age", "--passphrase-file", "phrase", "--force", "--database", "sqlite:metsuke.db"];
    let forced = house.run(&forced).await;
    assert_eq!(forced.code, 0, "{forced:?}");
    assert!(forced.stderr.contains("metsuke.db.before-restore-"), "{forced:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connector_is_in_the_backup_and_the_doctor_names_those_that_were_not_read_since() {
    let house = House::of(Size::Small).await;
    for name in ["core", "shop"] {
        added(&house, name).await;
        assert_eq!(house.run(&["connectors", "sync", name]).await.code, 0);
    }
    let grants = house.run(&["grants", "--connector", "shop", "--format", "jsonl"]).await.stdout;
    std::fs::write(house.folder.path().join("phrase"), PHRASE).unwrap();
    let made = house.run(&["backup", "--out", "one.age", "--passphrase-file", "phrase"]).await;
    assert_eq!(made.code, 0, "{made:?}");
    assert!(made.stdout.contains("2 connectors"), "{made:?}");

    let other = ["--database", "sqlite:two.db"];
    let restored =
        house.run(&[&["restore", "one.age", "--passphrase-file", "phrase"], &other[..]].concat()).await;
    assert_eq!(restored.code, 0, "{restored:?}");
    let shop = ["grants", "--connector", "shop", "--format", "jsonl"];
    assert_eq!(house.run(&[&shop[..], &other[..]].concat()).await.stdout, grants);
    let doctor = [&["doctor", "--format", "json"], &other[..]].concat();
    let told = house.run(&doctor).await.stdout;
    assert!(told.contains("through `core` and `shop` yet"), "{told}");
    assert!(told.contains("metsuke connectors sync"), "{told}");
    // The key lies beside both databases, so their tokens open.
    for name in ["core", "shop"] {
        assert_eq!(house.run(&[&["connectors", "sync", name], &other[..]].concat()).await.code, 0);
    }
    let told = house.run(&doctor).await.stdout;
    assert!(told.contains("plans reconcile") && !told.contains("metsuke connectors sync"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_told_with_where_they_came_from_and_without_secrets() {
    let house = House::of(Size::Small).await;
    let path = |name: &str| house.folder.path().join(name);
    std::fs::write(path("token"), "HRKU-canary\n").unwrap();
    let text = "[database]\nurl = \"postgres://ann:canary@db/x\"\n[heroku]\ntoken_file = \"token\"\n[log]\nlevel = \"info\"\n";
    std::fs::write(path("metsuke.toml"), text).unwrap();
    let mut command = bare(&house.folder, &["config", "check"]);
    command.env("METSUKE_LOG_LEVEL", "error");
    let ran = run(command).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!format!("{ran:?}").contains("canary"), "{ran:?}");
    let from = |setting: &str| ran.stdout.lines().find(|line| line.starts_with(setting)).unwrap().to_owned();
    assert!(from("database.url").contains("postgres://ann@db/x"), "{ran:?}");
    assert!(from("database.url").contains("metsuke.toml:2"), "{ran:?}");
    assert!(from("heroku.token").contains("metsuke.toml:4"), "{ran:?}");
    assert!(
        from("log.level").contains("METSUKE_LOG_LEVEL") && from("log.level").contains("error"),
        "{ran:?}"
    );
    let flag = run(bare(&house.folder, &["config", "check", "--database", "sqlite:x.db"])).await;
    assert!(flag.stdout.contains("--database"), "{flag:?}");

    std::fs::write(path("metsuke.toml"), "[heroku]\ntokn = 1\n").unwrap();
    let wrong = run(bare(&house.folder, &["config", "check"])).await;
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(
        wrong.stderr.contains("metsuke.toml:2: there is no setting `heroku.tokn`; `heroku.token` is one"),
        "{wrong:?}"
    );
    std::fs::write(path("metsuke.toml"), "[server]\nproxies = \"one\"\npublic_url = \"http://a.example\"\n")
        .unwrap();
    let wrong = run(bare(&house.folder, &["config", "check"])).await;
    assert!(
        wrong
            .stderr
            .contains("metsuke.toml:2: `server.proxies` takes a whole number, 0 or more, and not \"one\""),
        "{wrong:?}"
    );
    std::fs::write(path("metsuke.toml"), "[server]\npublic_url = \"http://a.example\"\n").unwrap();
    let mut command = bare(&house.folder, &["config", "check"]);
    command.env("METSUKE_ALLOW_PRIVATE", "10.0.0.0/99").env("METSUKE_OIDC_ISSUER", "http://id.example");
    let wrong = run(command).await;
    assert_eq!(wrong.code, 2, "{wrong:?}");
    for part in ["metsuke.toml:2: the public address is not https", "METSUKE_ALLOW_PRIVATE: "] {
        assert!(wrong.stderr.contains(part), "{part}: {wrong:?}");
    }
    let example = run(bare(&house.folder, &["--config", "/dev/null", "config", "example"])).await;
    std::fs::write(path("metsuke.toml"), &example.stdout).unwrap();
    assert_eq!(run(bare(&house.folder, &["config", "check"])).await.code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_by_file_is_used_and_one_that_is_given_twice_is_refused() {
    let house = House::of(Size::Small).await;
    std::fs::write(house.folder.path().join("token"), format!("{}\n", house.heroku.token())).unwrap();
    let mut command = house.command(&["sync", "--quiet"]);
    command.env_remove("METSUKE_HEROKU_TOKEN").env("METSUKE_HEROKU_TOKEN_FILE", "token");
    let ran = run(command).await;
    assert!([0, 4].contains(&ran.code), "{ran:?}");
    let mut command = house.command(&["sync", "--quiet"]);
    command.env("METSUKE_HEROKU_TOKEN_FILE", "token");
    let ran = run(command).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("are both set"), "{ran:?}");
    let mut command = house.command(&["syncs"]);
    command.env("METSUKE_DATABASE_URL_FILE", "nowhere");
    let ran = run(command).await;
    assert_eq!(ran.code, 2, "an address that cannot be read is not the default one: {ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_others_may_write_is_not_taken_from_the_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::of(Size::Small).await;
    let file = house.folder.path().join("metsuke.toml");
    std::fs::write(&file, "[heroku]\nurl = \"https://elsewhere.example\"\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o666)).unwrap();
    let ran = house.run(&["config", "check"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("others may write it"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_to_be_kept_goes() {
    let house = House::synced(Size::Small).await;
    let kept = house.run(&["prune"]).await;
    assert_eq!(kept.code, 0, "{kept:?}");
    assert!(kept.stderr.contains("nothing is older"), "{kept:?}");
    let mut command = house.command(&["prune"]);
    command.env("METSUKE_KEEP_VERSIONS_DAYS", "many");
    let ran = run(command).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    let mut command = house.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("METSUKE_KEEP_VERSIONS_DAYS", "many");
    assert_eq!(run(command).await.code, 2, "a server does not guess how long to keep things");
}
