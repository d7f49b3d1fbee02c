//! Templates of saved questions: a placeholder may stand for nearly anything.

use metsuke_j1ql::parse::{check_template, parse};

#[track_caller]
fn is_template(text: &str) {
    if let Err(errors) = check_template(text) {
        panic!("{text}\n{errors}");
    }
}

#[test]
fn a_placeholder_stands_for_a_value_or_inside_quotes() {
    is_template("FIND User WITH name = {{name}} AND email = '{{email}}' AND active = ${active}");
    is_template("FIND User WITH createdOn > date.now - {{n}} days AND updatedOn > date({{day}})");
}

#[test]
fn a_placeholder_stands_for_a_name_or_a_part_of_one() {
    is_template(
        "FIND {{class}} AS x THAT {{verb}} aws_{{service}}_x AS {{alias}} RETURN x.{{property}} AS {{title}}",
    );
    is_template("FIND (${a}|${b}) THAT (HAS|{{verb}}) * WITH [tag.{{tag}}] = 1");
}

#[test]
fn a_placeholder_stands_for_a_number_a_condition_or_a_clause() {
    is_template("FIND User WITH {{filter}} WHERE {{more}} AND User.x = 1 LIMIT {{n}} SKIP ${m}");
    is_template("FIND User {{steps}} RETURN TREE {{order}}");
    is_template("FIND User AS OF {{when}}");
}

#[test]
fn a_query_takes_placeholders_for_values_only() {
    assert!(parse("FIND User WITH name = {{name}} OR name = ${name}").is_ok());
    for text in [
        "FIND {{class}}",
        "FIND User WITH {{filter}}",
        "FIND User LIMIT {{n}}",
        "FIND User WITH d = date({{d}})",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_template_is_refused_where_a_query_is() {
    for text in [
        "FIND User WITH",
        "FIND User RETURN",
        "FIND User WITH a = {{b",
        "FIND {{}}",
        "FIND User WITH a {{b}} c",
    ] {
        assert!(check_template(text).is_err(), "{text}");
    }
}
