//! The detections as they stand in their files.

use std::collections::HashSet;

use super::super::instance::import;
use super::*;

fn values() -> Values {
    Values::from([("domains".to_owned(), json!(["northwind.example", "northwind-group.example"]))])
}

#[test]
fn there_are_28_and_an_id_or_a_name_finds_one() {
    let ids: Vec<String> = (1..=28).map(|number| format!("D{number:02}")).collect();
    assert_eq!(all().iter().map(|detection| &*detection.id).collect::<Vec<_>>(), ids);
    let names: HashSet<&str> = all().iter().map(|detection| &*detection.name).collect();
    assert_eq!(names.len(), 28);
    assert!(std::ptr::eq(find("d07").unwrap(), find("leaver-with-access").unwrap()));
    assert!(find("D29").is_none() && nearest("leaver-with-acces") == Some("leaver-with-access"));
}

#[test]
fn every_detection_is_told_in_full_and_is_a_rule() {
    for detection in all() {
        let Detection { id, explanation, false_positives, fix, controls, .. } = detection;
        for text in [explanation, false_positives, &fix.words] {
            assert!(text.len() > 20 && text.ends_with(['.', ')']), "{id}: {text}");
        }
        assert!(
            !controls.soc2.is_empty() && !controls.iso27001.is_empty() && !controls.cis.is_empty(),
            "{id}"
        );
        for argument in &fix.command {
            Template::parse(argument).unwrap();
        }
        if detection.not_observable.is_some() {
            assert!(detection.queries.is_empty() && detection.change.is_none(), "{id}");
            continue;
        }
        let rule = detection.rule(&values()).unwrap_or_else(|why| panic!("{id}: {why}"));
        assert!(rule.queries.len() + usize::from(rule.change.is_some()) > 0, "{id}");
        assert!(!rule.subject.from.is_empty() || rule.subject.name.is_some(), "{id}");
        assert_eq!(
            detection.needs.contains(&Need::Changes),
            detection.change.is_some() && &**id != "D26",
            "{id}"
        );
    }
}

#[test]
fn every_query_is_understood_without_a_warning_and_every_parameter_is_used() {
    for detection in all() {
        for parameter in &detection.parameters {
            let marker = format!("${{{}}}", parameter.name);
            assert!(detection.queries().any(|(_, text)| text.contains(&marker)), "{} {marker}", detection.id);
        }
        let Ok(rule) = detection.rule(&values()) else { continue };
        for query in &rule.queries {
            let read = metsuke_j1ql::parse(&query.text).unwrap_or_else(|error| panic!("{error}"));
            let plan = metsuke_j1ql::check::check(&read, &metsuke_j1ql::check::Surroundings::default());
            assert_eq!(plan.unwrap().warnings, Vec::<String>::new(), "{}", detection.id);
        }
    }
}

#[test]
fn what_goes_to_jupiterone_comes_back_as_the_same_rule() {
    let rules: Vec<Instance> = all()
        .iter()
        .filter(|detection| detection.not_observable.is_none())
        .map(|detection| detection.rule(&values()).unwrap())
        .collect();
    let exported = super::super::instance::export(&rules);
    let back = import(&exported.document.to_string()).unwrap();
    assert!(back.notes.is_empty(), "{:?}", back.notes);
    assert_eq!(back.rules.len() + exported.left_out.len(), rules.len());
    for rule in &back.rules {
        let before = rules.iter().find(|known| known.name == rule.name).unwrap();
        assert_eq!((&rule.queries, &rule.operations), (&before.queries, &before.operations));
        assert!(rule.change.is_none() && rule.document().get("subject").is_none());
    }
}

#[test]
fn a_name_in_a_command_cannot_be_a_second_command() {
    assert_eq!(quoted("ann+x@example.com"), "ann+x@example.com");
    assert_eq!(quoted("a'; rm -rf $HOME `x`"), "'a'\\''; rm -rf $HOME `x`'");
}
