//! Where settings come from: flags, environment, file.

use metsuke_simulator::Size;

use crate::house::House;

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_beats_a_variable_which_beats_the_file() {
    let house = House::of(Size::Small).await;
    std::fs::write(house.file(".baton.yaml"), "file: of-file.c1z\n").unwrap();
    house.done(&[]).await;
    assert!(house.file("of-file.c1z").exists());
    let mut command = house.command(&[]);
    command.env("BATON_FILE", "of-variable.c1z");
    assert_eq!(crate::house::run(command).await.code, 0);
    assert!(house.file("of-variable.c1z").exists());
    let mut command = house.command(&["-f", "of-flag.c1z"]);
    command.env("BATON_FILE", "unused.c1z");
    assert_eq!(crate::house::run(command).await.code, 0);
    assert!(house.file("of-flag.c1z").exists() && !house.file("unused.c1z").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_and_the_address_may_come_from_a_named_file() {
    let house = House::of(Size::Small).await;
    let settings = format!(
        "# settings\napi-token: {}\nheroku-url: {}\nsync-resource-types: [user, team]\nother: {{nested: 1}}\n",
        house.heroku.token(),
        house.heroku.url()
    );
    std::fs::write(house.file("own.yml"), settings).unwrap();
    let mut command = crate::house::bare(house.folder.path(), &[]);
    command.env("BATON_CONFIG_PATH", house.file("own.yml"));
    let ran = crate::house::run(command).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!house.resources("sync.c1z", "team").is_empty());
    assert!(house.resources("sync.c1z", "app").is_empty());
    assert!(ran.stderr.contains("\"setting\":\"other\""), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_json_lines_on_stderr_or_in_a_file() {
    let house = House::of(Size::Small).await;
    let ran = house.done(&["--ticketing"]).await;
    for line in ran.stderr.lines() {
        let line: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["ts"].is_f64() && line["level"].is_string() && line["caller"].is_string(), "{line}");
    }
    assert!(ran.stderr.contains("\"setting\":\"ticketing\""), "{ran:?}");
    let ran = house.done(&["--log-path", "run.log", "--log-format", "console"]).await;
    assert_eq!(ran.stderr, "");
    assert!(std::fs::read_to_string(house.file("run.log")).unwrap().contains("\tINFO\t"));
    let ran = house.done(&["--log-level", "error"]).await;
    assert_eq!(ran.stderr, "");
}
