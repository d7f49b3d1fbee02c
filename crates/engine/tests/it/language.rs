//! `docs/j1ql.md`: what it shows is understood, and what the catalogue has stands in it.

use std::fmt::Write as _;
use std::path::Path;

use metsuke_engine::query::{self, Settings};
use metsuke_j1ql::check::{MOST_HOPS, Surroundings, check};
use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;
use metsuke_model::graph::{Metadata, ValueType};
use metsuke_simulator::{Options, Size};

use crate::house::House;

const PAGE: &str = include_str!("../../../../docs/j1ql.md");
const BEGIN: &str = "<!-- catalogue -->\n";
const END: &str = "<!-- end of catalogue -->\n";

/// The tables of the page, made of the catalogue.
fn catalogue() -> String {
    let mut text = String::from("\n### Entities\n\n| type | class | is |\n|---|---|---|\n");
    for entity in &ENTITY_TYPES {
        let mark = if entity.original { " °" } else { "" };
        let _infallible =
            writeln!(text, "| `{}`{mark} | `{}` | {} |", entity.name, entity.class, entity.description);
    }
    text.push_str("\n### Their properties\n\n| type | texts | times | flags | numbers | lists |\n|---|---|---|---|---|---|\n");
    for entity in &ENTITY_TYPES {
        let of = |wanted: ValueType| {
            let such = entity.properties.iter().filter(|property| property.value_type == wanted);
            such.map(|property| format!("`{}`", property.name)).collect::<Vec<_>>().join(" ")
        };
        let sorts = [ValueType::Text, ValueType::Time, ValueType::Flag, ValueType::Number, ValueType::Texts];
        let _infallible = writeln!(text, "| `{}` | {} |", entity.name, sorts.map(of).join(" | "));
    }
    text.push_str("\n### Relationships\n\n| from | verb | to | properties | says |\n|---|---|---|---|---|\n");
    for known in &RELATIONSHIP_TYPES {
        let mark = if known.original { " °" } else { "" };
        let properties: Vec<String> =
            known.properties.iter().map(|property| format!("`{}`", property.name)).collect();
        let _infallible = writeln!(
            text,
            "| `{}` | `{}`{mark} | `{}` | {} | {} |",
            known.from,
            known.verb,
            known.to,
            properties.join(" "),
            known.description
        );
    }
    text.push_str(
        "\nThe `_type` of a relationship is made of all three: `heroku_team_owns_application`.\n\n",
    );
    text
}

#[test]
fn the_tables_are_those_of_the_catalogue() {
    let (_, rest) = PAGE.split_once(BEGIN).unwrap();
    let (shown, _) = rest.split_once(END).unwrap();
    let wanted = catalogue();
    if shown != wanted {
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("j1ql-catalogue.md");
        std::fs::write(&made, wanted).unwrap();
        panic!("docs/j1ql.md is behind the catalogue: put {} between the two marks", made.display());
    }
}

#[test]
fn metadata_and_limits_stand_in_the_page() {
    for (name, ..) in Metadata::ALL {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
    }
    assert!(PAGE.contains(&format!("included | {MOST_HOPS} |")));
}

fn examples() -> Vec<&'static str> {
    PAGE.split("```j1ql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn every_example_is_understood_without_a_warning() {
    assert!(examples().len() >= 20, "{}", examples().len());
    for example in examples() {
        let query = metsuke_j1ql::parse(example).unwrap_or_else(|errors| panic!("{example}{errors}"));
        let plan =
            check(&query, &Surroundings::default()).unwrap_or_else(|errors| panic!("{example}{errors}"));
        assert_eq!(plan.warnings, Vec::<String>::new(), "{example}");
    }
}

async fn every_example_has_an_answer(house: House) {
    house.sync().await;
    let settings = Settings::at(house.snapshot(None).await.sync().finished_at);
    let folder = tempfile::tempdir().unwrap();
    // There is no earlier version yet.
    for example in examples().into_iter().filter(|example| !example.contains("AS OF")) {
        let answer = query::run(&house.store, example, &settings, folder.path()).await;
        answer.unwrap_or_else(|error| panic!("{example}{error}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_has_an_answer_on_sqlite() {
    every_example_has_an_answer(House::on_sqlite(Options::of(Size::Small).seed(5)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_has_an_answer_on_postgres() {
    every_example_has_an_answer(House::on_postgres(Options::of(Size::Small).seed(5)).await).await;
}
