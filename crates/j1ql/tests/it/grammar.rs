//! Each rule of the grammar with a text that uses it, and how the same query is written canonically.

use metsuke_j1ql::parse::parse;
use metsuke_j1ql::render::render;

#[track_caller]
fn reads(text: &str, canonical: &str) {
    match parse(text) {
        Ok(query) => assert_eq!(query.to_string(), canonical),
        Err(errors) => panic!("{}", render(text, &errors)),
    }
}

#[test]
fn find_may_be_left_out_and_keywords_have_any_case() {
    reads("User", "FIND User");
    reads("find unique User return tree", "FIND UNIQUE User RETURN TREE");
    reads("\"acme prod\" with _class = 'User'", "FIND 'acme prod' WITH _class = 'User'");
    reads("FIND unique", "FIND unique");
    reads("FIND User RETURN Graph", "FIND User RETURN TREE");
}

#[test]
fn alternatives_are_flattened_and_blanks_do_not_matter() {
    reads("FIND ( User | (heroku_team|*) )", "FIND (User|heroku_team|*)");
    reads("FIND User|Person", "FIND (User|Person)");
    reads("FIND my-type-2b", "FIND my-type-2b");
}

#[test]
fn smart_classes_may_be_narrowed() {
    reads("FIND #CriticalAsset THAT HAS Alert", "FIND #CriticalAsset THAT HAS Alert");
    reads("FIND #Production Application AS a", "FIND #Production Application AS a");
    reads("FIND #Production (A|B)", "FIND (#Production A|#Production B)");
    reads("FIND #Production (THAT HAS A)?", "FIND #Production (THAT HAS A)?");
}

#[test]
fn the_condition_stands_before_or_behind_the_name() {
    reads("FIND User AS u WITH a = 1", "FIND User WITH a = 1 AS u");
    reads("FIND User WITH a = 1 AS u AND b = 2", "FIND User WITH a = 1 AND b = 2 AS u");
    reads("FIND User WITH a = 1 AND WITH b = 2", "FIND User WITH a = 1 AND b = 2");
    reads(
        "FIND Find WITH limit = 1 OR order = 2 AND to = 3",
        "FIND Find WITH [limit] = 1 OR [order] = 2 AND to = 3",
    );
}

#[test]
fn a_direction_stands_on_any_side_of_the_verb_and_its_name() {
    for text in ["THAT HAS >> B", "THAT >> HAS B", "THAT HAS TO >> B"] {
        reads(&format!("FIND A {text}"), "FIND A THAT HAS >> B");
    }
    for text in ["THAT HAS << AS h B", "THAT HAS AS h << B", "THAT << HAS AS h B"] {
        reads(&format!("FIND A {text}"), "FIND A THAT HAS << AS h B");
    }
}

#[test]
fn verbs_are_upper_cased_and_to_behind_them_is_noise() {
    reads("FIND A that assigned to B", "FIND A THAT ASSIGNED B");
    reads("FIND A that (has | owns to|uses) B", "FIND A THAT (HAS|OWNS|USES) B");
    reads("FIND A that relates to B that relates C", "FIND A THAT RELATES TO B THAT RELATES TO C");
    reads("FIND A that (has|relates to) B", "FIND A THAT RELATES TO B");
}

#[test]
fn a_step_is_denied_before_the_verb_or_the_parenthesis() {
    reads("FIND A THAT !HAS B THAT ! (HAS|OWNS) C", "FIND A THAT !HAS B THAT !(HAS|OWNS) C");
    reads("FIND A THAT (!HAS) B THAT NOT OWNS C", "FIND A THAT !HAS B THAT !OWNS C");
    reads("FIND A THAT !RELATES TO B", "FIND A THAT !RELATES TO B");
}

#[test]
fn groups_may_be_left_out_nested_named_and_filtered() {
    reads(
        "FIND User (that IS Person (THAT OWNS Device)? where Person.x = 1 ) ? AS p THAT HAS X",
        "FIND User (THAT IS Person (THAT OWNS Device)? WHERE Person.x = 1)? AS p THAT HAS X",
    );
    reads("FIND U WITH encrypted=true (that HAS x)?", "FIND U WITH encrypted = true (THAT HAS x)?");
    reads("FIND U WITH a = count (that HAS x)?", "FIND U WITH a = count (THAT HAS x)?");
    reads("FIND U ((THAT HAS a)? THAT HAS b)?", "FIND U ((THAT HAS a)? THAT HAS b)?");
}

#[test]
fn clauses_stand_in_any_order() {
    reads(
        "FIND User AS u LIMIT 2 ORDER BY u.x DESC, u.y ASC SKIP 1 RETURN u.x WHERE u.y = 1;",
        "FIND User AS u WHERE u.y = 1 RETURN u.x ORDER BY u.x DESC, u.y SKIP 1 LIMIT 2",
    );
    reads("FIND A AS a WHERE a.x = 1 THAT HAS B", "FIND A AS a THAT HAS B WHERE a.x = 1");
    reads("FIND A RETURN count(A) AS n HAVING n > 5", "FIND A RETURN count(A) AS n HAVING n > 5");
}

#[test]
fn and_binds_closer_than_or_and_parentheses_closer_than_both() {
    reads("FIND A WITH a=1 or b=2 and c=3", "FIND A WITH a = 1 OR b = 2 AND c = 3");
    reads("FIND A WITH (a=1 or b=2) and !(c=3)", "FIND A WITH (a = 1 OR b = 2) AND !(c = 3)");
    reads("FIND A WITH not (a=1) and not b=2 and not=3", "FIND A WITH !(a = 1) AND !(b = 2) AND [not] = 3");
    reads("FIND A WITH ((a))=1 AND ((b)+1)*2 > 3", "FIND A WITH a = 1 AND (b + 1) * 2 > 3");
}

#[test]
fn value_lists_nest_and_one_value_is_no_list() {
    reads("FIND A WITH a = ('x' or 'y' or 'z')", "FIND A WITH a = ('x' OR 'y' OR 'z')");
    reads("FIND A WITH a !~= ('x' and ('y' or 'z'))", "FIND A WITH a !~= ('x' AND ('y' OR 'z'))");
    reads("FIND A WITH a ~= ('x')", "FIND A WITH a ~= 'x'");
    reads("FIND A WITH a = ('x' or 'y' and 'z')", "FIND A WITH a = ('x' OR ('y' AND 'z'))");
    reads("FIND A WITH a > (1 + 2) * 3 and b = (1)", "FIND A WITH a > (1 + 2) * 3 AND b = 1");
}

#[test]
fn a_subquery_stands_behind_an_operator() {
    reads(
        "FIND A WITH id = (find unique B as b return b.id limit 5) and x = 1",
        "FIND A WITH id = (FIND UNIQUE B AS b RETURN b.id LIMIT 5) AND x = 1",
    );
}

#[test]
fn a_slash_is_a_regular_expression_only_where_a_value_begins() {
    reads("FIND A WITH a = /adm[/]\\/x/i", "FIND A WITH a = /adm[/]\\/x/i");
    reads("FIND A WITH a ~= (/x/ or /y/)", "FIND A WITH a ~= (/x/ OR /y/)");
    reads("FIND A RETURN a.x / 2 / 3", "FIND A RETURN a.x / 2 / 3");
}

#[test]
fn dates_go_with_lengths_of_time_of_any_spelling() {
    reads("FIND A WITH a > date.now-24hours", "FIND A WITH a > date.now - 24 hours");
    reads("FIND A WITH a > date.now - 1 Day", "FIND A WITH a > date.now - 1 days");
    reads("FIND A WITH a < date.now + 2mos", "FIND A WITH a < date.now + 2 months");
    reads("FIND A WITH date.now() - 90 d > a", "FIND A WITH date.now - 90 days > a");
    reads("FIND A WITH a = date( '2024-01-31T10:00Z' )", "FIND A WITH a = date(2024-01-31T10:00Z)");
    reads("FIND A WITH date = 1 AND u.date.now = 2", "FIND A WITH [date] = 1 AND u.date.now = 2");
}

#[test]
fn signs_belong_to_what_stands_behind_them_and_powers_go_from_the_right() {
    reads("FIND A WITH a = -5 and b = - c", "FIND A WITH a = -5 AND b = -(c)");
    reads("FIND A WITH a = 2^3^2 and b = (2^3)^2", "FIND A WITH a = 2 ^ 3 ^ 2 AND b = (2 ^ 3) ^ 2");
    reads("FIND A WITH a = 1-2-3 and b = 1-(2-3)", "FIND A WITH a = 1 - 2 - 3 AND b = 1 - (2 - 3)");
}

#[test]
fn properties_have_dots_brackets_quotes_and_digits() {
    reads("FIND A WITH [tag.cost-center] = 1", "FIND A WITH [tag.cost-center] = 1");
    reads("FIND A WITH @tag.x = 1 AND u.\"x y\" = 2", "FIND A WITH @tag.x = 1 AND u.[x y] = 2");
    reads("FIND A WITH log.2.x = 1 AND u.2fa = 2", "FIND A WITH log.[2].x = 1 AND u.[2fa] = 2");
    reads("FIND A RETURN A.*", "FIND A RETURN A.*");
}

#[test]
fn texts_have_either_quote_and_escapes() {
    reads(r#"FIND A WITH a = "it's" and b = 'say "hi"'"#, r#"FIND A WITH a = 'it\'s' AND b = 'say "hi"'"#);
    reads(r"FIND A WITH a = 'it\'s' and b = 'it''s'", r"FIND A WITH a = 'it\'s' AND b = 'it\'s'");
    reads(r"FIND A WITH a = 'C:\x' and b = 'C:\\x'", r"FIND A WITH a = 'C:\\x' AND b = 'C:\\x'");
    reads("FIND A WITH a = “x y” and b = ‘z’ and c = ''", "FIND A WITH a = 'x y' AND b = 'z' AND c = ''");
}

#[test]
fn columns_are_values_with_names_of_any_kind() {
    reads(
        "FIND A RETURN 'x' as ' ', A as order, A.a as \"Cost in €\",",
        "FIND A RETURN 'x' AS ' ', A AS order, A.a AS 'Cost in €'",
    );
    reads("FIND A RETURN A.a as cost-center, A.b as 2fa", "FIND A RETURN A.a AS 'cost-center', A.b AS '2fa'");
    reads("FIND A RETURN TREE, LIMIT 1", "FIND A RETURN TREE LIMIT 1");
    reads("FIND tree AS tree RETURN tree.name, count(*)", "FIND tree AS tree RETURN tree.name, count(*)");
}

#[test]
fn parameters_and_placeholders_are_values() {
    reads("FIND A WITH a = ${ x } and b = {{ y z }}", "FIND A WITH a = ${x} AND b = {{y z}}");
}

#[test]
fn comments_and_blanks_of_all_kinds_are_passed_over() {
    reads("/* a */ FIND/**/A // b\nWITH\u{a0}a = /* c */ 1 # d", "FIND A WITH a = 1");
    reads("\u{feff}FIND A\u{200b}\r\n\tLIMIT 1 ;; ", "FIND A LIMIT 1");
}

#[test]
fn operators_may_hold_blanks_or_be_single_signs() {
    reads(
        "FIND A WITH a ! = 1 and b > = 2 and c ≠ 3 and d ≤ 4",
        "FIND A WITH a != 1 AND b >= 2 AND c != 3 AND d <= 4",
    );
    reads("FIND A WITH(a!=undefined)AND b=null", "FIND A WITH a != undefined AND b = undefined");
}

#[test]
fn as_of_names_a_version_or_a_time_and_is_otherwise_a_name() {
    reads("FIND User as of 12 RETURN TREE", "FIND User RETURN TREE AS OF 12");
    reads(
        "FIND User RETURN User.x AS OF date.now - 1 day",
        "FIND User RETURN User.x AS OF date.now - 1 days",
    );
    reads("FIND User AS OF \"2026-01-01T00:00:00Z\"", "FIND User AS OF date(2026-01-01T00:00:00Z)");
    reads("FIND User AS of WHERE of.x = 1", "FIND User AS of WHERE of.x = 1");
}
