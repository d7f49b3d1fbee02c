//! What is written reads as the same query.

use metsuke_j1ql::ast::Query;
use metsuke_j1ql::parse::parse;
use metsuke_j1ql::render::render;
use metsuke_testkit::{Chance, setting};
use proptest::prelude::{any, proptest};

use crate::placeless::placeless;
use crate::random;

fn reads_back(query: &Query) {
    let text = query.to_string();
    match parse(&text) {
        Ok(again) => assert_eq!(placeless(again), placeless(query.clone()), "{text}"),
        Err(errors) => panic!("{}", render(&text, &errors)),
    }
}

proptest! {
    #[test]
    fn a_random_query_reads_back_as_itself(seed in any::<u64>(), deep in 0_usize..5) {
        reads_back(&random::query(&mut Chance::new(seed), deep));
    }
}

#[test]
fn many_random_queries_read_back_as_themselves() {
    let times: u64 = setting("METSUKE_FUZZ", 1);
    for seed in 0..2_000 * times {
        reads_back(&random::query(&mut Chance::new(seed), 3));
    }
}

#[test]
fn a_column_keeps_the_text_that_names_it() {
    let query = parse("find User as u return count( u ), u . name as \"Full name\", (1+2)*3").unwrap();
    assert_eq!(query.to_string(), "FIND User AS u RETURN count( u ), u . name AS 'Full name', (1+2)*3");
    reads_back(&query);
}
