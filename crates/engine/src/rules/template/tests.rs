//! Cases of the language, and its laws on random expressions and damaged texts.

use metsuke_testkit::{Chance, seed, setting};
use serde_json::{Map, Value as Json, json};

use super::*;

const OPERATORS: [Operator; 16] = Operator::ALL;

fn inputs() -> Map<String, Json> {
    let rows = json!([
        { "id": "1", "entity": { "_type": ["heroku_team"] }, "properties": { "name": "core", "size": 3 } },
        { "id": "2", "entity": { "_type": ["heroku_team"] }, "properties": { "name": "pay", "size": 12 } },
        { "u.email": "ann@example.com", "name": "core", "tags": ["a", "b"] },
    ]);
    let Json::Object(inputs) = json!({
        "queries": { "query0": { "total": 3, "data": rows, "query": "FIND heroku_team" } },
        "alertLevel": "HIGH",
        "zero": 0,
        "more": [["x"], ["y"]],
    }) else {
        unreachable!()
    };
    inputs
}

fn templates() -> Templates {
    let named = [
        ("row", "{{itemIndex + 1}}/{{itemCount}} {{item.name}}"),
        ("bare", "{{item.size}}"),
        ("again", "{{item|mapTemplate('again')}}"),
    ];
    named.into_iter().map(|(name, text)| (name.to_owned(), Template::parse(text).unwrap())).collect()
}

fn evaluated(text: &str) -> Result<Json, TemplateError> {
    let (inputs, templates, budget) = (inputs(), templates(), Budget::default());
    Template::parse(text)?.evaluate(&Scope::new(&inputs, &templates, &budget))
}

#[track_caller]
fn gives(text: &str, value: Json) {
    assert_eq!(evaluated(text), Ok(value), "{text}");
}

#[track_caller]
fn refused(text: &str, at: usize, why: &str) {
    let error = evaluated(text).unwrap_err();
    assert!(error.at == at && error.why.contains(why), "{text}: {error}");
}

#[test]
fn a_text_that_is_one_expression_keeps_its_type_and_any_other_is_a_text() {
    gives("{{queries.query0.total}}", json!(3));
    gives("{{ queries.query0.total > 0 }}", json!(true));
    gives(" {{queries.query0.total}}", json!(" 3"));
    gives("{{queries.query0.total}}{{alertLevel}}", json!("3HIGH"));
    gives("no expression } here {", json!("no expression } here {"));
    gives("{{ {a: {b: [1, 'x']}} }}", json!({ "a": { "b": [1, "x"] } }));
    gives("<{{nobody}}>", json!("<>"));
}

#[test]
fn operators_bind_as_in_jexl() {
    gives("{{1 + 2 * 3}}", json!(7));
    gives("{{(1 + 2) * 3}}", json!(9));
    gives("{{10 - 3 - 2}}", json!(5));
    gives("{{7 // 2 + 7 % 4}}", json!(6));
    gives("{{2 * 3 ^ 2}}", json!(18));
    gives("{{-2 ^ 2}}", json!(4));
    gives("{{true || false && false}}", json!(false));
    gives("{{1 + 1 == 2 && !(3 < 2)}}", json!(true));
    gives("{{zero ?: 'none'}}", json!("none"));
    gives("{{zero ? 1 : alertLevel ? 2 : 3}}", json!(2));
    gives("{{1 / 0}}", Json::Null);
    gives("{{'a' - 1}}", Json::Null);
    gives("{{'1' + 2}}", json!("12"));
    gives("{{'3' * '4'}}", json!(12));
}

#[test]
fn values_compare_as_numbers_unless_both_are_texts() {
    gives("{{'10' == 10}}", json!(true));
    gives("{{'10' < '9'}}", json!(true));
    gives("{{'10' < 9}}", json!(false));
    gives("{{nobody == 0}}", json!(false));
    gives("{{nobody == nobody}}", json!(true));
    gives("{{[1, 2] == [1.0, 2]}}", json!(true));
    gives("{{'ore' in 'core'}}", json!(true));
    gives("{{2 in [1, 2]}}", json!(true));
    gives("{{'2' in [1, 2]}}", json!(false));
    gives("{{2 in nobody}}", json!(false));
}

#[test]
fn a_row_is_read_through_its_parts_and_a_list_through_its_first_element() {
    gives("{{queries.query0.data[1].name}}", json!("pay"));
    gives("{{queries.query0.data.name}}", json!("core"));
    gives("{{queries.query0.data[0]._type[0]}}", json!("heroku_team"));
    gives("{{queries.query0.data[2]['u.email']}}", json!("ann@example.com"));
    gives("{{queries.query0.data[9].name}}", Json::Null);
    gives("{{queries.query0.data[.size > 5].name}}", json!("pay"));
    gives("{{queries.query0.data[.name == 'core' && .size]|length}}", json!(1));
    gives("{{alertLevel.name.more}}", Json::Null);
}

#[test]
fn pipes_make_texts_and_lists_of_rows() {
    gives("{{queries.query0.data|mapTemplate('row')|join('; ')}}", json!("1/3 core; 2/3 pay; 3/3 core"));
    gives("{{queries.query0.data|mapTemplate('bare')}}", json!([3, 12, null]));
    gives("{{queries.query0.data|mapProperty('name')|join}}", json!("core,pay,core"));
    gives("{{[queries.query0.data[1]]|mapProperty('id', 'size')}}", json!([{ "id": "2", "size": 12 }]));
    gives("{{queries.query0.data|uniquePropertyValues('name')}}", json!(["core", "pay"]));
    gives("{{more[0]|merge(more[1], 'z', nobody)}}", json!(["x", "y", "z"]));
    gives("{{nobody|mapProperty('x')|length}}", json!(0));
    gives("{{'héllo'|length + 1}}", json!(6));
    gives("{{'a\\'b\\n'}}", json!("a'b\n"));
}

#[test]
fn a_mistake_is_named_with_its_place() {
    refused("ab {{ 1 + }}", 11, "a value is missing");
    refused("{{ x|sort }}", 6, "there is no pipe `sort`");
    refused("{{ x|join(1, 2) }}", 6, "takes 0 to 1");
    refused("é {{ x", 3, "no closing `}}`");
    refused("{{ .x }}", 4, "stands only in brackets");
    refused("{{ 'x }}", 4, "no closing '");
    refused("{{ a b }}", 6, "should end here");
    refused("{{ {a} }}", 6, "`:` is missing");
    refused("{{ x # }}", 6, "has no meaning");
    refused("{{}}", 3, "no expression");
    refused(
        "x{{ x|mapTemplate('rows') }}",
        2,
        "there is no template `rows`: there are `again`, `bare`, `row`",
    );
}

#[test]
fn what_would_not_end_is_refused() {
    refused("{{'x'|mapTemplate('again')}}", 1, "too deeply");
    let too_much = |text: String, why: &str| {
        let error = evaluated(&text).unwrap_err();
        assert!(error.at > 30 && error.why.contains(why), "{error}");
    };
    too_much(format!("{{{{{}1{}}}}}", "(".repeat(500), ")".repeat(500)), "nested deeper");
    too_much(format!("{{{{1{}}}}}", "+1".repeat(500)), "nested deeper");
    too_much(format!("{{{{{}1}}}}", "!".repeat(500)), "nested deeper");
    too_much(format!("{{{{[{}1]}}}}", "1,".repeat(3_000)), "more than 2000 parts");
    assert!(Template::parse(&"x".repeat(LONGEST + 1)).is_err());
    let doubled = "|merge(queries.query0.data)".repeat(40);
    assert!(evaluated(&format!("{{{{queries.query0.data{doubled}|length}}}}")).is_ok());
    let row = "queries.query0.data";
    let squared = format!("{{{{{row}|merge({})|mapTemplate('row')|join}}}}", [row; 16].join(","));
    assert!(evaluated(&squared).is_ok());
}

/// A random expression.
fn random(chance: &mut Chance, depth: usize, relative: bool) -> Expr {
    if depth == 0 || chance.one_in(6) {
        return leaf(chance, relative);
    }
    let (kind, operator, pipe) = (chance.below(11), *chance.one_of(&OPERATORS), *chance.one_of(&Pipe::ALL));
    let mut inner = || Box::new(random(chance, depth - 1, relative));
    match kind {
        0 => Expr::Not(inner()),
        1 => Expr::Negative(inner()),
        2 => Expr::Member(inner(), "name".into()),
        3 => Expr::Index(inner(), Box::new(Expr::Literal(json!("u.email")))),
        4 => Expr::Index(inner(), Box::new(Expr::Literal(json!(1)))),
        5 => Expr::Choice(inner(), Some(inner()), inner()),
        6 => Expr::Choice(inner(), None, inner()),
        7 => Expr::List(vec![*inner(), *inner()]),
        8 => Expr::Object(vec![("a b".into(), *inner()), ("c".into(), *inner())]),
        9 => {
            let given = (0..pipe.takes().0).map(|_| Expr::Literal(json!("name"))).collect();
            Expr::Pipe(inner(), pipe, given)
        }
        _ => Expr::Binary(operator, inner(), inner()),
    }
}

fn leaf(chance: &mut Chance, relative: bool) -> Expr {
    match chance.below(if relative { 6 } else { 5 }) {
        0 => Expr::Literal(json!(chance.below(20))),
        1 => Expr::Literal(json!(0.25)),
        2 => Expr::Literal(json!(*chance.one_of(&["", "core", "a'b\\", "}}", "{{", "é\n\t", "12"]))),
        3 => Expr::Literal(json!(chance.one_in(2))),
        4 => Expr::Name((*chance.one_of(&["queries", "alertLevel", "nobody", "more", "zero"])).into()),
        _ => Expr::Relative((*chance.one_of(&["name", "size"])).into()),
    }
}

#[test]
fn an_expression_that_was_printed_reads_as_itself() {
    let mut chance = Chance::new(seed("METSUKE_FUZZ_SEED"));
    for _ in 0..3_000 {
        let depth = chance.below(6);
        let mut expr = random(&mut chance, depth, false);
        if chance.one_in(3) {
            let held = Expr::Binary(
                *chance.one_of(&OPERATORS),
                Box::new(Expr::Relative("size".into())),
                Box::new(random(&mut chance, 2, true)),
            );
            expr = Expr::Filter(Box::new(expr), Box::new(held));
        }
        let printed = format!("{{{{ {expr} }}}}");
        let read = Template::parse(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"));
        assert_eq!(read.parts, [Part::Expr(0, expr)], "{printed}");
        assert_eq!(read.to_string(), printed);
        // It ends in a value, or in an error that names its place.
        let (inputs, templates, budget) = (inputs(), templates(), Budget::default());
        drop(read.evaluate(&Scope::new(&inputs, &templates, &budget)));
    }
}

const PIECES: [&str; 32] = [
    "{{",
    "}}",
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "|",
    "||",
    "&&",
    "'",
    "\"",
    "\\",
    ".",
    "..",
    "?",
    ":",
    "?:",
    ",",
    "in",
    "!",
    "-",
    "//",
    "^",
    "|join",
    "|mapTemplate('row')",
    "[.name == 'core']",
    "1e9",
    "\u{0}",
    "é",
    "🦀",
];

#[test]
fn no_damaged_text_makes_it_panic() {
    let mut chance = Chance::new(seed("METSUKE_FUZZ_SEED"));
    let texts: Vec<Vec<char>> = [
        "{{queries.query0.total > 0 && alertLevel == 'HIGH' ? {a: [1, 2]} : more[0]|merge(more[1])}}",
        "Teams: {{queries.query0.data[.size > 5]|mapTemplate('row')|join('\\n')}} of {{zero ?: 'none'}}",
        "{{ -(1 + 2) * 3 // 4 % 5 ^ 6 - 'x'|length in [1, 2.5, \"q\"] }}",
    ]
    .map(|text| text.chars().collect())
    .to_vec();
    for _ in 0..20_000 * setting("METSUKE_FUZZ", 1) {
        let mut letters = chance.one_of(&texts).clone();
        for _ in 0..=chance.below(5) {
            let at = chance.below(letters.len() + 1);
            let to = (at + chance.below(10)).min(letters.len());
            match chance.below(4) {
                0 => drop(letters.drain(at..to)),
                1 => drop(letters.splice(at..at, chance.one_of(&PIECES).chars())),
                2 => drop(letters.splice(at..to, chance.one_of(&PIECES).chars())),
                _ => {
                    let piece = letters[at..to].to_vec();
                    letters.splice(at..at, piece);
                }
            }
        }
        let text: String = letters.into_iter().collect();
        match Template::parse(&text) {
            Err(error) => assert!(error.at <= text.chars().count() + 1 && !error.why.is_empty(), "{text}"),
            Ok(template) => {
                let (inputs, templates, budget) = (inputs(), templates(), Budget::default());
                let scope = Scope::new(&inputs, &templates, &budget);
                drop(template.evaluate(&scope));
                let again = Template::parse(&template.to_string()).unwrap();
                assert_eq!(again.evaluate(&scope).ok(), template.evaluate(&scope).ok(), "{text}");
            }
        }
    }
}
