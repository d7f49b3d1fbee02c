//! What the evaluator answers: the cases of the rules, and what our company does not have.

use super::cases::{self, cases};
use super::*;
use crate::parse::parse;

fn ask(text: &str, graph: &Graph, surroundings: &Surroundings) -> Option<Answer> {
    let query = parse(text).ok()?;
    evaluate(&query, graph, surroundings).ok()
}

#[test]
fn every_case_of_the_rules_has_its_answer() {
    let (graph, surroundings) = (cases::graph(), cases::surroundings());
    let wrong: Vec<String> = cases()
        .filter_map(|case| case.check(ask(case.query, &graph, &surroundings).as_ref()).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Letters in a row, each with an arrow `NEXT` to the next; `a` also bears tags, `d` is deleted.
fn letters() -> Graph {
    let entities = ["a", "b", "c", "d"].map(|key| {
        let mut entity =
            Entity { key: key.to_owned(), entity_type: "letter".to_owned(), ..Entity::default() };
        entity.properties.insert("name".to_owned(), key.into());
        entity
    });
    let mut entities = Vec::from(entities);
    entities[0].properties.insert("tags".to_owned(), Value::List(vec!["Vowel".into(), "First".into()]));
    entities[1].properties.insert("tag.First".to_owned(), true.into());
    entities[1].properties.insert("size".to_owned(), 2.0.into());
    entities[3].metadata.insert("_deleted".to_owned(), true.into());
    let next = |(from, to, verb): (usize, usize, &str)| Relationship {
        key: format!("{from}{verb}{to}"),
        relationship_type: format!("letter_{verb}_letter"),
        verb: verb.to_owned(),
        from,
        to,
        computed: verb == "FOLLOWS",
        ..Relationship::default()
    };
    let arrows =
        [(0, 1, "NEXT"), (1, 2, "NEXT"), (2, 3, "NEXT"), (2, 2, "LIKES"), (0, 2, "FOLLOWS"), (0, 1, "LIKES")];
    Graph::new(entities, arrows.map(next).into()).unwrap()
}

/// The answer in one line: keys, or cells of rows.
fn told(text: &str, include_deleted: bool) -> String {
    let surroundings = Surroundings { include_deleted, ..Surroundings::default() };
    let query = parse(text).unwrap_or_else(|errors| panic!("{text}: {errors}"));
    match evaluate(&query, &letters(), &surroundings) {
        Ok(Answer::List(keys)) => keys.join(" "),
        Ok(Answer::Tree { vertices, edges }) => format!("{vertices:?} {edges:?}"),
        Ok(Answer::Table { rows, .. }) => {
            let cell = |cell: &Cell| match cell {
                Cell::Value(Value::Text(text)) => text.to_string(),
                Cell::Value(value) => value.to_json().to_string(),
                Cell::Entity(key) | Cell::Relationship(key) => format!("{key:?}"),
            };
            let row = |row: &Vec<Cell>| row.iter().map(cell).collect::<Vec<_>>().join(",");
            rows.iter().map(row).collect::<Vec<_>>().join(" ")
        }
        Err(refusal) => format!("refused: {refusal}"),
    }
}

macro_rules! tells {
    ($($name:ident: $($text:literal => $answer:literal),+;)+) => {
        $(#[test]
        fn $name() {
            $(assert_eq!(told($text, false), $answer, "{}", $text);)+
        })+
    };
}

tells! {
    each_parallel_relationship_is_a_path_of_its_own:
        "FIND letter WITH name='a' THAT (NEXT|LIKES) letter AS x RETURN x.name" => "b b";
    a_loop_is_gone_once_in_either_direction:
        "FIND letter THAT LIKES letter AS x WHERE x.name='c' RETURN x.name" => "c";
    a_path_may_come_back:
        "FIND letter WITH name='a' THAT NEXT letter THAT NEXT letter AS x RETURN x.name ORDER BY x.name" => "a c";
    computed_relationships_are_followed_by_name_only:
        "FIND UNIQUE letter WITH name='a' THAT RELATES TO letter AS x RETURN x.name" => "b",
        "FIND letter WITH name='a' THAT FOLLOWS letter AS x RETURN x.name" => "c";
    tags_narrow_a_smart_class:
        "FIND #First letter" => "a b",
        "FIND #Vowel letter" => "a",
        "FIND #Last letter" => "",
        "FIND #First" => "a b";
    numbers_are_no_words:
        "FIND \"2\"" => "";
    an_own_alias_may_stand_before_an_own_property:
        "FIND letter AS l WITH l.name='b'" => "b",
        "FIND letter WITH letter.name='b'" => "b",
        "FIND letter WITH tag.First=true" => "b",
        "FIND letter WITH name=name AND size!=name" => "a b c";
    a_negated_step_within_what_must_not_be:
        "FIND letter THAT !NEXT >> letter THAT !NEXT >> letter" => "a c";
    a_relationship_can_be_returned:
        "FIND letter THAT LIKES AS l letter AS x WHERE x.name='c' RETURN l, l._class, count(l)" => "Some(\"2LIKES2\"),[\"LIKES\"],1";
    what_stands_beside_an_aggregate_groups:
        "FIND letter AS l RETURN count(l) * l.size AS x ORDER BY x" => "2 null";
    a_condition_on_groups_follows_grouping:
        "FIND letter AS l THAT (NEXT|LIKES) >> letter AS x RETURN l.name, count(*) AS n HAVING n > 1" => "a,2",
        "FIND letter AS l THAT (NEXT|LIKES) >> letter AS x RETURN l.name HAVING count(*) > 1" => "a",
        "FIND letter AS l RETURN l.name HAVING l.size = 2" => "b",
        "FIND letter HAVING letter.size = 2" => "refused: HAVING looks at columns, and RETURN names none",
        "FIND UNIQUE letter AS l RETURN l.name HAVING l.size = 2" => "refused: HAVING looks at what is no column and no aggregate";
    a_tree_holds_what_was_taken:
        "FIND letter WITH name='a' (THAT LIKES letter)? RETURN TREE" => "{\"a\", \"b\"} {\"0LIKES1\"}",
        "FIND letter WITH name='a' THAT !NEXT << letter RETURN TREE" => "{\"a\"} {}";
    sorting_needs_what_is_known:
        "FIND letter THAT NEXT letter AS x ORDER BY x.name" => "refused: without RETURN only the starting entity's properties sort",
        "FIND UNIQUE letter AS x RETURN x._id ORDER BY x._key DESC" => "c b a",
        "FIND letter ORDER BY name DESC" => "c b a",
        "FIND letter ORDER BY letter.name LIMIT 1" => "a",
        "FIND letter RETURN letter.name ORDER BY name" => "refused: `name` names nothing; there are: letter",
        "FIND letter AS l RETURN l.name ORDER BY count(l)" => "refused: this aggregate is no column",
        "FIND letter AS l RETURN l.name, count(*) ORDER BY count(*), l.name DESC" => "c,1 b,1 a,1",
        "FIND letter AS l RETURN l ORDER BY l DESC LIMIT 1" => "Some(\"c\")",
        "FIND letter AS l RETURN l.name AS 'The name' ORDER BY 'The name' DESC LIMIT 1" => "c";
    a_name_is_given_once:
        "FIND letter AS l THAT NEXT letter AS l" => "refused: two things are called `l`";
    a_whole_entity_is_no_value:
        "FIND letter AS l WHERE l = 'a'" => "refused: a property must be named here",
        "FIND letter AS l RETURN sum(l)" => "refused: a property must be named here",
        "FIND letter AS l RETURN l.tag.*" => "refused: `.*` stands directly behind a name";
    values_to_choose_from_are_of_one_type:
        "FIND * AS u RETURN coalesce(u.name, 1)" => "refused: the arguments of `coalesce` are of several types",
        "FIND letter WITH name='b' AS u RETURN coalesce(u.nothing, 1)" => "1";
    aggregates_stand_side_by_side_only:
        "FIND letter AS l RETURN sum(count(l))" => "refused: `count` cannot be used here: it looks at many paths",
        "FIND letter AS l WHERE count(l) = 1" => "refused: `count` cannot be used here: it looks at many paths";
    lengths_of_time_stand_beside_times:
        "FIND letter WITH size > 2 days" => "refused: a length of time is only added to a time or taken from one";
    placeholders_are_refused:
        "FIND letter WITH name='{{x}}'" => "",
        "FIND letter WITH name={{x}}" => "refused: a placeholder was not replaced";
}

#[test]
fn deleted_entities_count_where_they_are_asked_for() {
    assert_eq!(told("FIND letter", false), "a b c");
    assert_eq!(told("FIND letter", true), "a b c d");
    assert_eq!(told("FIND letter THAT NEXT << letter AS x RETURN x.name", false), "a b");
    assert_eq!(told("FIND letter THAT NEXT << letter AS x RETURN x.name", true), "a b c");
}

#[test]
fn too_much_to_walk_is_refused() {
    let steps = " THAT RELATES TO *".repeat(40);
    assert_eq!(
        told(&format!("FIND *{steps}"), false),
        "refused: the graph has too many paths for this query"
    );
}

fn judged(text: &str, keys: &[&str]) -> bool {
    let ranked = ranked(&parse(text).unwrap(), &letters(), &Surroundings::default()).unwrap();
    ranked.admits(&Answer::List(keys.iter().map(|key| (*key).to_owned()).collect())).is_ok()
}

#[test]
fn rows_that_tie_may_stand_in_any_order() {
    assert!(judged("FIND letter", &["c", "a", "b"]));
    assert!(!judged("FIND letter", &["a", "b"]));
    assert!(!judged("FIND letter", &["a", "b", "b"]));
    assert!(judged("FIND letter AS l ORDER BY l.size", &["b", "c", "a"]));
    assert!(!judged("FIND letter AS l ORDER BY l.size", &["a", "b", "c"]));
}

#[test]
fn any_rows_of_a_tie_may_be_cut_away() {
    assert!(judged("FIND letter LIMIT 2", &["c", "a"]));
    assert!(!judged("FIND letter LIMIT 2", &["c", "d"]));
    assert!(judged("FIND letter AS l ORDER BY l.size SKIP 1 LIMIT 1", &["c"]));
    assert!(!judged("FIND letter AS l ORDER BY l.size SKIP 1 LIMIT 1", &["b"]));
    assert!(judged("FIND letter SKIP 9", &[]));
}

#[test]
fn numbers_may_differ_in_their_last_digits() {
    let query = parse("FIND letter WITH name='b' AS l RETURN l.size / 3").unwrap();
    let ranked = ranked(&query, &letters(), &Surroundings::default()).unwrap();
    let table = |number: f64| Answer::Table {
        columns: vec!["l.size / 3".to_owned()],
        rows: vec![vec![Cell::Value(Value::Number(number))]],
    };
    assert!(ranked.admits(&table(2.0 / 3.0 + 1e-12)).is_ok());
    assert!(ranked.admits(&table(0.667)).is_err());
}
