//! Which index of a reference SQLite is led to, where a question asks whether what is referred to answers another question.

use metsuke_j1ql::check::{Surroundings, check};
use metsuke_j1ql::parse;
use metsuke_j1ql::sql::{Dialect, emit};

/// The statement of a question; with `among`, of these entities in its first place alone.
fn sql(text: &str, among: Option<&[i64]>, dialect: Dialect) -> String {
    let surroundings = Surroundings::default();
    let mut plan = check(&parse(text).unwrap(), &surroundings).unwrap();
    plan.slots[0].among = among.map(Into::into);
    emit(&plan, &surroundings, dialect).unwrap().sql
}

const OF_LISTED: &str = "FIND heroku_application WITH teamId = (FIND heroku_team WITH listed = true AS t RETURN t.id) AS a RETURN a.name";
const OF_ONE: &str = "FIND heroku_application WITH teamId = (FIND heroku_team WITH name = 'core' AS t RETURN t.id) AS a RETURN a.name";

#[test]
fn an_index_of_references_finds_what_refers_to_few() {
    assert!(sql(OF_ONE, None, Dialect::Sqlite).contains(" n0.team IN ("));
}

#[test]
fn it_is_not_looked_into_where_nearly_everything_is_referred_to() {
    assert!(sql(OF_LISTED, None, Dialect::Sqlite).contains("+n0.team IN ("));
}

#[test]
fn it_is_not_looked_into_where_a_question_is_about_few_already() {
    for text in [OF_ONE, OF_LISTED] {
        assert!(sql(text, Some(&[1, 2]), Dialect::Sqlite).contains("+n0.team IN ("), "{text}");
    }
}

#[test]
fn postgresql_decides_by_itself() {
    for (text, among) in [(OF_ONE, None), (OF_LISTED, None), (OF_LISTED, Some(&[1, 2][..]))] {
        assert!(!sql(text, among, Dialect::Postgres).contains("+n0.team"), "{text}");
    }
}
