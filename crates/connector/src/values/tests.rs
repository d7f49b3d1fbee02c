use secrecy::ExposeSecret as _;

use super::*;

fn from(pairs: &[(&'static str, &str)]) -> BTreeMap<&'static str, Raw> {
    pairs.iter().map(|(name, word)| (*name, Raw::One((*word).to_owned()))).collect()
}

/// The values of flags, variables and a file.
fn values(
    flags: &[(&'static str, &str)],
    variables: &[(&'static str, &str)],
    file: &str,
) -> Result<Values, Failure> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.yaml");
    std::fs::write(&path, file).unwrap();
    let environment =
        Environment { variables: from(variables), config_path: Some(path), ..Environment::default() };
    Values::gather(&from(flags), &environment)
}

fn complaint(flags: &[(&'static str, &str)], file: &str) -> String {
    match values(flags, &[], file).and_then(|values| values.check()) {
        Ok(()) => String::new(),
        Err(failure) => failure.to_string(),
    }
}

#[test]
fn a_flag_beats_a_variable_which_beats_the_file_which_beats_the_default() {
    let file = "file: of-file.c1z\nworkers: 4\nlog-level: error\n";
    let all =
        values(&[("file", "of-flag.c1z")], &[("file", "of-variable.c1z"), ("workers", "3")], file).unwrap();
    assert_eq!(all.text("file"), "of-flag.c1z");
    assert_eq!(all.number("workers"), 3);
    assert_eq!(all.text("log-level"), "error");
    assert_eq!(all.text("expand"), "auto");
    assert_eq!(all.number("task-concurrency"), 3);
}

#[test]
fn an_empty_value_counts_as_absent() {
    let none = values(&[], &[("file", "")], "client-id: \"\"\nclient-secret: ~\n").unwrap();
    assert_eq!(none.text("file"), "sync.c1z");
    assert!(!none.is_set("client-id") && !none.is_set("client-secret"));
}

#[test]
fn a_list_is_split_at_commas_or_is_a_list_already() {
    for (flags, file) in [
        (&[("sync-resource-types", "user, team")][..], ""),
        (&[][..], "sync-resource-types: [user, team]"),
        (&[][..], "sync-resource-types:\n  - user\n  - team\n"),
        (&[][..], "sync-resource-types: user,team"),
    ] {
        let list = values(flags, &[], file).unwrap();
        assert_eq!(list.list("sync-resource-types"), ["user", "team"], "{file}");
    }
    let path = values(&[], &[], "log-path: [\"a,b\"]").unwrap();
    assert_eq!(path.list("log-path"), ["a,b"], "an element of a list is not split");
}

#[test]
fn a_file_may_quote_name_again_and_hold_what_others_use() {
    let file = "# for all\nlog-level: &level \"warn\"\nPROVISIONING: yes-no\nbase-url: x\n";
    assert!(
        values(&[], &[], file).unwrap_err().to_string().contains("`provisioning` of the configuration file")
    );
    let file = "api-token: 'HRKU-1'\nlog-level: &level debug\nlog-format: json\nbase-url: *level\nother: {a: [b, {c: d}]}\n";
    let read = values(&[], &[], file).unwrap();
    assert_eq!(read.strangers(), ["base-url", "other"]);
    assert_eq!(read.secret("api-token").unwrap().expose_secret(), "HRKU-1");
}

#[test]
fn a_file_that_is_no_mapping_of_words_is_refused_by_its_line_alone() {
    for (file, line) in [
        ("- HRKU-secret", 1),
        ("log-level: info\napi-token: {a: HRKU-secret}", 2),
        ("api-token: \"HRKU-secret", 1),
        ("file: a\nfile: HRKU-secret", 2),
        ("HRKU-secret", 1),
    ] {
        let told = complaint(&[], file);
        assert!(told.contains(&format!("line {line}")), "{file}: {told}");
        assert!(!told.contains("HRKU"), "{told}");
    }
}

#[test]
fn a_named_file_must_be_there_and_end_like_yaml() {
    for path in ["missing.yaml", "baton.json"] {
        let environment = Environment { config_path: Some(path.into()), ..Environment::default() };
        assert!(Values::gather(&BTreeMap::new(), &environment).is_err(), "{path}");
    }
}

#[test]
fn numbers_have_bounds_and_words_have_choices() {
    for (flags, told) in [
        (("task-concurrency", "0"), "--task-concurrency takes a whole number from 1 to 100"),
        (("workers", "many"), "--workers takes a whole number from -1 to 1000"),
        (("log-level", "loud"), "--log-level takes one of debug, info, warn, error"),
        (
            ("api-token", "TOKEN HRKU-1"),
            "--api-token takes a secret alone, without quotes, a name in front, or a second line",
        ),
        (("provisioning", "maybe"), "--provisioning takes `true` or `false`"),
    ] {
        assert_eq!(complaint(&[flags], ""), told);
    }
}

#[test]
fn what_belongs_together_is_asked_for_together() {
    let token = ("api-token", "HRKU-1");
    for (flags, told) in [
        (vec![], "required flag(s) \"api-token\" not set"),
        (vec![token, ("client-id", "x@y/z")], "--client-id needs --client-secret beside"),
        (vec![token, ("grant-entitlement", "x")], "--grant-entitlement needs --grant-principal beside"),
        (
            vec![token, ("revoke-grant", "x"), ("event-feed", "1")],
            "--revoke-grant and --event-feed shut each other out",
        ),
        (vec![token, ("skip-grants", "true")], "--skip-grants needs --sync-resources"),
        (vec![token, ("health-check-port", "9")], "--health-check-port needs --health-check"),
        (vec![token, ("create-ticket", "true")], "--create-ticket is not supported: Heroku has no tickets"),
        (vec![token, ("create-ticket", "false"), ("ticketing", "true")], ""),
    ] {
        assert_eq!(complaint(&flags, ""), told);
    }
}

#[test]
fn no_value_shows_in_a_debug_print() {
    let secret =
        values(&[("api-token", "HRKU-1")], &[("client-secret", "HRKU-2")], "log-path: HRKU-3").unwrap();
    assert!(!format!("{:?}", secret.secret("api-token")).contains("HRKU"));
    assert!(!format!("{:?}", Raw::One("HRKU-1".into())).contains("HRKU"));
}
