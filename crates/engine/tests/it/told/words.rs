//! A statement read again, word by word: nothing of a question's text may stand in it.

use std::collections::BTreeSet;

use metsuke_engine::query::{Prepared, Settings, Variable};
use metsuke_j1ql::evaluate::{cases, random};
use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;
use metsuke_model::graph::{EdgeSource, RelationSource, Source};
use metsuke_model::{Kind, Moment, ResourceType};
use metsuke_testkit::{Chance, setting};

use super::{Library, company};

/// Words of SQL, and of the store's tables that no catalogue names.
const SQL: &str = "select distinct from where and or not exists in is null as union all case when then else end coalesce \
    cast text real bigint double precision integer numeric bytea uuid json jsonb count sum avg min max abs sqrt ceil floor \
    round power nullif lower substr hex length instr strpos left right translate encode convert_from trunc regexp true false \
    group by order desc asc nulls last limit offset collate having json_each json_type json_extract json_quote json_array \
    group_concat string_agg jsonb_typeof jsonb_array_elements jsonb_array_elements_text to_json to_jsonb json_build_array value \
    jsonb_agg json_agg slug id uuid key since begun edition gone mask resource_id principal_id document properties sync \
    finished_at held access access_other listed type enterprise_account locked team owner user_id employee_id name \
    employee_match x unknown cross join on d document";

/// Texts that the compiler itself writes.
const TEXTS: &str = ", : - 1 '' | 0000 true false text integer real string number boolean hex UTF8 \\x0000 [ ] [] enterprise \
    heroku roster integration-managed ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyz C";

/// Everything that a statement may be made of.
struct Known {
    words: BTreeSet<String>,
    texts: BTreeSet<String>,
}

impl Known {
    fn new() -> Self {
        let mut words: BTreeSet<String> = SQL.split_whitespace().map(str::to_lowercase).collect();
        let mut texts: BTreeSet<String> = TEXTS.split_whitespace().map(str::to_owned).collect();
        texts.extend([String::new(), ",".into()]);
        for kind in Kind::ALL {
            words.insert(kind.table().into());
            words.extend(kind.columns().iter().map(|column| column.name.to_owned()));
        }
        words.extend(["employee".into(), "matched_by".into(), "paths".into()]);
        for resource in
            [ResourceType::Team, ResourceType::EnterpriseAccount, ResourceType::App, ResourceType::Space]
        {
            for entitlement in resource.entitlements() {
                texts.extend([entitlement.slug().to_owned(), format!(",\"{}\"", entitlement.slug())]);
            }
        }
        for entity in &ENTITY_TYPES {
            for property in entity.properties {
                source(&property.source, &mut words, &mut texts);
            }
        }
        for relationship in &RELATIONSHIP_TYPES {
            texts.insert(format!("|{}|", relationship.verb.to_lowercase()));
            if let RelationSource::Effective = relationship.source {
                let ways = metsuke_j1ql::sql::Way::ALL.iter().filter_map(|way| way.word());
                texts.extend(ways.flat_map(|word| [word.to_owned(), format!("|{word}")]));
            }
            for property in relationship.properties {
                if let EdgeSource::Column(column) = property.source {
                    words.insert(column.into());
                }
            }
        }
        Self { words, texts }
    }

    /// The first piece that is not known.
    fn stranger(&self, sql: &str) -> Option<String> {
        let mut rest = sql;
        while let Some(first) = rest.chars().next() {
            let end = match first {
                '\'' => {
                    let end = rest[1..].find('\'')? + 2;
                    let text = &rest[1..end - 1];
                    if !self.texts.contains(text) {
                        return Some(format!("text {text:?}"));
                    }
                    end
                }
                '"' => rest[1..].find('"')? + 2,
                _ if first.is_alphabetic() || first == '_' => {
                    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
                    let word = rest[..end].to_lowercase();
                    let numbered = word.trim_end_matches(|c: char| c.is_ascii_digit());
                    let alias = ["n", "e", "t", "c", "o", "q", "r", "s", "h", "v", "w", "j", "m", "u", "i"];
                    if !self.words.contains(&word) && !alias.contains(&numbered) {
                        return Some(format!("word {word}"));
                    }
                    end
                }
                _ => first.len_utf8(),
            };
            rest = &rest[end..];
        }
        None
    }
}

fn source(source_of: &Source, words: &mut BTreeSet<String>, texts: &mut BTreeSet<String>) {
    match source_of {
        Source::Column(column) | Source::JsonList(column) | Source::Reference(column, _) => {
            _ = words.insert((*column).into());
        }
        Source::Referred(column, _, there) => words.extend([(*column).to_owned(), (*there).to_owned()]),
        Source::Document(path) => {
            texts.insert(format!("$.{}", path.join(".")));
            texts.insert(format!("{{{}}}", path.join(",")));
        }
        Source::Suffixed(inner, suffix) => {
            texts.insert((*suffix).into());
            source(inner, words, texts);
        }
        Source::One(inner) => source(inner, words, texts),
        Source::FirstOf(sources) => sources.iter().for_each(|inner| source(inner, words, texts)),
        Source::Id | Source::Text(_) | Source::Texts(_) | Source::EnterpriseAccount => {}
    }
}

#[tokio::test]
async fn no_text_of_a_question_comes_into_its_statement() {
    let told = company::company();
    let at = Moment(1_719_831_600_000_000);
    let libraries = [Library::on_sqlite(&told, at).await, Library::on_postgres(&told, at).await];
    let known = Known::new();
    let graph = cases::graph();
    let first = setting("METSUKE_WORDS_SEED", 1_u64);
    let mut read = 0;
    for number in 0..setting("METSUKE_WORDS", 3_000_u64) {
        let mut chance = Chance::new(first.wrapping_add(number));
        let mut roll = |limit: usize| chance.below(limit);
        let mut settings = Settings::at(at);
        settings.variables = random::variables(&graph, &mut roll)
            .into_iter()
            .map(|(name, value)| (name, Variable::One(value)))
            .collect();
        let text = random::query(&graph, &mut roll);
        for library in &libraries {
            let Ok(prepared) = Prepared::new(&text, &settings, &library.store) else { continue };
            read += 1;
            let stranger = known.stranger(&prepared.statement.sql);
            assert_eq!(stranger, None, "{text}\n{}", prepared.statement.sql);
        }
    }
    assert!(read > 3_000, "too few statements were read: {read}");
}

#[tokio::test]
async fn a_text_that_closes_a_quote_stays_a_value() {
    let told = company::company();
    let library = Library::on_sqlite(&told, Moment(1_719_831_600_000_000)).await;
    let known = Known::new();
    let settings = Settings::at(Moment(1_719_831_600_000_000));
    for hostile in ["x' OR 1=1 --", "'; DROP TABLE app; --", "$1", "\\'", "\u{0}", "%' UNION SELECT 1"] {
        let quoted = hostile.replace('\\', "\\\\").replace('\'', "\\'");
        for text in [
            format!("FIND heroku_application WITH name = '{quoted}'"),
            format!("FIND '{quoted}'"),
            format!(
                "FIND heroku_application AS a RETURN concat(a.name, '{quoted}') AS \"{}\"",
                hostile.replace('\\', "")
            ),
            format!("FIND heroku_application WITH [{}] ~= '{quoted}'", hostile.replace(']', "")),
        ] {
            let Ok(prepared) = Prepared::new(&text, &settings, &library.store) else { continue };
            assert_eq!(known.stranger(&prepared.statement.sql), None, "{text}\n{}", prepared.statement.sql);
        }
    }
}
