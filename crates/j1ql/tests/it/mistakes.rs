//! What is refused, with place, explanation and suggestion.

use metsuke_j1ql::parse::{DEEPEST, LONGEST, parse};
use metsuke_j1ql::render::{line_and_column, render};

/// The first mistake's message without its beginning, its explanation and its suggestion.
fn refusal(text: &str) -> String {
    let errors = parse(text).unwrap_err();
    let first = errors.first();
    let message = first.message.strip_prefix("Error parsing query. ").unwrap();
    let mut told = message.to_owned();
    for part in [&first.explanation, &first.suggestion].into_iter().flatten() {
        told.push_str(" / ");
        told.push_str(part);
    }
    told
}

#[track_caller]
fn refuses(text: &str, parts: &[&str]) {
    let told = refusal(text);
    for part in parts {
        assert!(told.contains(part), "{text}\n{told}\nlacks {part}");
    }
}

#[test]
fn a_message_names_token_line_and_column() {
    refuses(
        "FIND User\n  WIHT a = 1",
        &["Unexpected token \"WIHT\" at line 2 column 3.", "did you mean WITH?"],
    );
    refuses("FIND User THAT", &["Unexpected end of query at line 1 column 15.", "a verb such as HAS"]);
    refuses("FIND Ü WITH 'ü' == 1", &["\"==\" at line 1 column 17.", "did you mean =?"]);
}

#[test]
fn operators_of_other_languages_are_translated() {
    for (operator, meant) in
        [("==", "="), ("<>", "!="), ("=>", ">="), ("=~", "~="), ("LIKE", "~="), ("NOT LIKE", "!~=")]
    {
        refuses(&format!("FIND A WITH a {operator} 1"), &[&format!("did you mean {meant}?")]);
    }
    refuses("FIND A WITH a = 1 && b = 2", &["did you mean AND?"]);
    refuses("FIND A WITH a = 1 || b = 2", &["did you mean OR?"]);
    refuses("FIND A WITH a IN ('x', 'y')", &["= ('a' OR 'b')"]);
    refuses("FIND A WITH a = ('x', 'y')", &["separated by OR or AND"]);
    refuses("FIND A WITH a IS NOT NULL", &["did you mean !=?"]);
}

#[test]
fn clauses_of_other_languages_are_explained() {
    refuses("SELECT * FROM users", &["\"*\""]);
    refuses("FIND A RETURN A.x GROUP BY A.x", &["J1QL has no GROUP BY", "no aggregates"]);
    refuses("FIND A ORDER A.x", &["did you mean ORDER BY?"]);
    refuses("FIND A LIMIT 5 OFFSET 2", &["did you mean SKIP?"]);
    refuses("FIND A THAT HAS B WITH x = 1 WITH y = 2", &["WITH stands twice"]);
    refuses("FIND A HAS B", &["THAT HAS"]);
    refuses("FIND A THAT HAS B AND THAT HAS C", &["leave the word before THAT out"]);
    refuses("FIND A WHERE x = 1 WHERE y = 2", &["WHERE stands twice"]);
    refuses("FIND A; FIND B", &["another begins"]);
}

#[test]
fn what_is_opened_and_never_closed_is_named_where_it_opens() {
    refuses("FIND A WITH a = 'x", &["\"'\" at line 1 column 17", "no closing '"]);
    refuses("FIND A WITH (a = 1 OR b = 2", &["\"(\" at line 1 column 13", "no closing `)`"]);
    refuses("FIND A /* x", &["at line 1 column 8", "no closing `*/`"]);
    refuses("FIND A WITH [a = 1", &["no closing `]`"]);
    refuses("FIND A WITH a = /x", &["no closing `/`"]);
    refuses("FIND A WITH a = {{x", &["no closing `}}`"]);
}

#[test]
fn words_of_the_language_are_no_names() {
    for word in ["find", "HAS", "from", "count", "null"] {
        refuses(&format!("FIND User AS {word}"), &["is a word of the language"]);
    }
    refuses("FIND User AS my-user", &["AS my_user"]);
}

#[test]
fn conditions_need_a_comparison() {
    refuses("FIND A WITH active", &["a condition compares", "active = true"]);
    refuses("FIND A WITH a = 1 b = 2", &["AND b"]);
    refuses("FIND A WITH a =", &["a value or a property is missing"]);
    refuses("FIND A WITH", &["end of query"]);
    refuses("FIND A WITH a = 1 AND", &["end of query"]);
}

#[test]
fn values_are_checked_for_their_form() {
    refuses("FIND A WITH a > date(2024-13)", &["date(2024-01-31)"]);
    refuses("FIND A WITH a > date.now - 3 dyas", &["cannot go on"]);
    refuses("FIND A WITH a > date.now - 3dyas", &["did you mean days?"]);
    refuses("FIND A WITH a = /x/g", &["only flag"]);
    refuses("FIND A RETURN cuont(A)", &["did you mean count?"]);
    refuses("FIND A RETURN sum(*)", &["`*` can be counted"]);
    refuses("FIND A LIMIT ten", &["a whole number"]);
    refuses("FIND A LIMIT 1.5", &["a whole number"]);
    refuses("FIND A AS OF 1.5", &["a version is a whole number"]);
    refuses("FIND A AS OF 'yesterday'", &["AS OF takes"]);
    refuses("FIND A THAT HAS >> AS x << B", &["the other direction"]);
    refuses("FIND A THAT IS? B", &["(THAT IS Person)?"]);
    refuses("FIND A (THAT IS B)", &["ends in `)?`"]);
}

#[test]
fn several_mistakes_are_told_at_once_and_none_twice() {
    let text = "FIND A WITH a == 1 THAT B WHERE c LIKE 'x' RETURN cuont(A), A., A.x LIMIT ten";
    let errors = parse(text).unwrap_err();
    let places: Vec<&str> =
        errors.problems().map(|problem| &text[problem.span.start..problem.span.end]).collect();
    assert_eq!(places, ["==", "WHERE", "LIKE", "cuont", ",", "ten"]);
}

#[test]
fn an_unclosed_text_is_the_only_mistake_that_is_told() {
    assert_eq!(parse("FIND A WITH a == 1 AND b = 'x").unwrap_err().problems().count(), 1);
    assert_eq!(parse("FIND A WITH (a == 1").unwrap_err().problems().count(), 2);
}

#[test]
fn long_and_deep_texts_are_refused() {
    refuses(&format!("FIND A WITH a = '{}'", "x".repeat(LONGEST)), &["too long"]);
    for (open, inside, close) in
        [("(", "a = 1", ")"), ("!", "a = 1", ""), ("a = (FIND A WITH ", "a = 1", ")"), ("-", "a = 1", "")]
    {
        let text = |deep: usize| format!("FIND A WITH {}{inside}{}", open.repeat(deep), close.repeat(deep));
        let _ = parse(&text(DEEPEST / 4)).unwrap_or_else(|errors| panic!("{errors}"));
        refuses(&text(5_000), &["nested more than 64 levels deep"]);
    }
    refuses(&format!("FIND A {}", "(THAT HAS B ".repeat(5_000)), &["levels deep"]);
    refuses(&format!("FIND {}", "(".repeat(50_000)), &["levels deep"]);
    refuses(&format!("FIND {}A", "#a ".repeat(5_000)), &["levels deep"]);
    refuses(&format!("FIND A RETURN 1{}", "+1".repeat(5_000)), &["more than 128 operators"]);
    refuses(&format!("FIND A RETURN 1{}", "^1".repeat(5_000)), &["levels deep"]);
    refuses(&format!("FIND A RETURN {}", "abs(".repeat(5_000)), &["levels deep"]);
    refuses(&format!("FIND A WITH a = {}", "(".repeat(50_000)), &["levels deep"]);
}

#[test]
fn a_long_chain_is_no_deep_one() {
    let steps = "THAT HAS B ".repeat(5_000);
    assert_eq!(parse(&format!("FIND A {steps}")).unwrap().chain.len(), 5_000);
    let conditions = "a = 1 AND ".repeat(5_000);
    assert!(parse(&format!("FIND A WITH {conditions} b = 2")).is_ok());
}

#[test]
fn a_picture_shows_the_line_and_the_place() {
    let text = "FIND User\nWITH actve == true\nRETURN TREE";
    let picture = render(text, &parse(text).unwrap_err());
    let expected = "\
error: Error parsing query. Unexpected token \"==\" at line 2 column 12.
  |
2 | WITH actve == true
  |            ^^ == is no operator of J1QL
  |
  = help: did you mean =?";
    assert_eq!(picture, expected);
}

#[test]
fn lines_and_columns_count_characters_from_one() {
    assert_eq!(line_and_column("äb\nc", 0), (1, 1));
    assert_eq!(line_and_column("äb\nc", 2), (1, 2));
    assert_eq!(line_and_column("äb\nc", 1), (1, 1), "inside a character");
    assert_eq!(line_and_column("äb\nc", 4), (2, 1));
    assert_eq!(line_and_column("", 7), (1, 1));
}
