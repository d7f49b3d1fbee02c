//! The library's questions, each against SQL for the same answer that an expert would write by hand.
//!
//! The twins stand in `library/*.sql`. Both sides have to give the same rows before anything is measured.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use metsuke_engine::query::{Answer, Cell, Data, Prepared, Settings, Variable, answered};
use metsuke_engine::questions::{self, Question};
use metsuke_model::Version;
use metsuke_model::graph::Value;
use metsuke_store::Store;
use rusqlite::types::{ToSqlOutput, Value as Sql, ValueRef};

use crate::questions::{percentile, settings};
use crate::report::{Report, median};

/// How often each is compiled and, at least, asked; the first time warms up.
const REPEATS: usize = 8;

/// Those that take seconds are asked so often.
const FEW_REPEATS: usize = 4;

/// Those that are quick are asked until this time is over, for a middle that another program on the machine does not move.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// But not more often than so.
const MANY_REPEATS: usize = 100;

const TWINS: [&str; 7] = [
    include_str!("../library/access.sql"),
    include_str!("../library/people.sql"),
    include_str!("../library/employees.sql"),
    include_str!("../library/teams.sql"),
    include_str!("../library/apps.sql"),
    include_str!("../library/addons.sql"),
    include_str!("../library/changes.sql"),
];

/// What the twins call by a short word: `{word}`.
const WORDS: [(&str, &str); 4] = [
    // The names of the permissions in `m`.
    (
        "{permissions}",
        "'[' || substr(CASE WHEN m & 1 THEN ',\"collaborator\"' ELSE '' END || CASE WHEN m & 2 THEN ',\"view\"' ELSE '' END \
         || CASE WHEN m & 4 THEN ',\"deploy\"' ELSE '' END || CASE WHEN m & 8 THEN ',\"operate\"' ELSE '' END \
         || CASE WHEN m & 16 THEN ',\"manage\"' ELSE '' END, 2) || ']'",
    ),
    // The role in the row of access `x` on a team.
    (
        "{role}",
        "CASE WHEN x.mask & 1 THEN 'admin' WHEN x.mask & 2 THEN 'member' WHEN x.mask & 4 THEN 'viewer' \
         WHEN x.mask & 8 THEN 'collaborator' WHEN x.mask & 16 THEN 'owner' END",
    ),
    // What the row of access `x` gives on an app, whose team is `t` if it has one.
    (
        "{direct}",
        "(x.mask | CASE WHEN x.mask & 28 THEN 2 ELSE 0 END | CASE WHEN x.mask & 1 AND CASE WHEN t.id IS NULL THEN 1 \
         WHEN t.listed = 1 THEN NOT (t.type = 'enterprise' OR t.enterprise_account IS NOT NULL) \
         ELSE x.mask & 30 = 0 END THEN 14 ELSE 0 END)",
    ),
    // Whether the team `t` is one of Heroku Enterprise.
    ("{enterprise}", "(t.listed = 1 AND (t.type = 'enterprise' OR t.enterprise_account IS NOT NULL))"),
];

/// One question and its twin.
struct Pair {
    question: &'static Question,
    twin: Vec<String>,
    settings: Settings,
    text: String,
}

/// What one question came to.
struct Measured {
    id: &'static str,
    /// Reading and compiling.
    compiling: f64,
    /// The answer of what was compiled.
    ours: f64,
    theirs: f64,
    /// The middle of what each two, asked one after the other, had to each other: both sides prepared, as by hand it
    /// is, and compiling has a goal of its own.
    ratio: f64,
    rows: usize,
}

impl Measured {
    const fn ratio(&self) -> f64 {
        self.ratio
    }

    fn ratio_with_compiling(&self) -> f64 {
        (self.compiling + self.ours) / self.theirs
    }
}

/// Measures them all.
pub(crate) async fn run(
    report: &mut Report,
    store: &Store,
    reader: &rusqlite::Connection,
    only: Option<&str>,
) -> anyhow::Result<()> {
    let twins = twins()?;
    let (mut measured, mut wrong) = (Vec::new(), Vec::new());
    for question in questions::all() {
        if only.is_some_and(|only| only != "all" && !only.split(',').any(|id| *id == *question.id)) {
            continue;
        }
        let Some(twin) = twins.get(&*question.id) else { anyhow::bail!("{} has no twin", question.id) };
        let mut settings = settings();
        settings.variables =
            question.settle(&given(question)).map_err(|wrong| anyhow::anyhow!("{wrong:?}"))?;
        settings.include_deleted = question.include_deleted;
        let pair = Pair { question, twin: twin.clone(), settings, text: question.text() };
        let found = match pair.measure(store, reader).await {
            Ok(found) => found,
            Err(error) => {
                println!("{}: {error:#}", question.id);
                wrong.push(format!("{}: {error:#}", question.id));
                continue;
            }
        };
        if only.is_some() {
            println!(
                "{}: {:.3} ms, {:.3} by hand, {:.2} ×, {:.2} × with {:.3} of compiling, {} rows",
                found.id,
                found.ours,
                found.theirs,
                found.ratio(),
                found.ratio_with_compiling(),
                found.compiling,
                found.rows
            );
        }
        measured.push(found);
    }
    tell(report, measured);
    anyhow::ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

fn tell(report: &mut Report, mut measured: Vec<Measured>) {
    let compiling: Vec<f64> = measured.iter().map(|one| one.compiling).collect();
    report.row(
        "reading and compiling a question of the library",
        format!("median {:.3} ms, most {:.2} ms", median(&compiling), percentile(&compiling, 100)),
        "≤ 1 ms",
        format!("each question's median of {REPEATS}; n={}", compiling.len()),
    );
    let ratios: Vec<f64> = measured.iter().map(Measured::ratio).collect();
    let kept = ratios.iter().filter(|ratio| **ratio <= 2.0).count();
    let with_compiling = measured.iter().filter(|one| one.ratio_with_compiling() <= 2.0).count();
    measured.sort_by(|left, right| right.ratio().total_cmp(&left.ratio()));
    let each: Vec<String> = measured
        .iter()
        .map(|one| {
            format!(
                "{} {:.2} × ({:.2} ms by hand, {:.2} ours, {} rows)",
                one.id,
                one.ratio(),
                one.theirs,
                one.ours,
                one.rows
            )
        })
        .collect();
    report.row(
        "the library's questions against SQL by hand",
        format!(
            "{kept} of {} ≤ 2 × ({with_compiling} with reading and compiling); median {:.2} ×, most {:.2} ×",
            ratios.len(),
            median(&ratios),
            percentile(&ratios, 100)
        ),
        "each ≤ 2 ×",
        each.join("; "),
    );
}

impl Pair {
    async fn measure(&self, store: &Store, reader: &rusqlite::Connection) -> anyhow::Result<Measured> {
        let (prepared, compiling) = self.compiled(store)?;
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let mut rows = 0;
        let whole = Instant::now();
        for repeat in 0..MANY_REPEATS {
            // In turns: whoever is second may find the caches of the processor warm, or its clock slowed.
            let (took, by_hand) = if repeat % 2 == 0 {
                let (answer, took) = self.asked(store, &prepared).await?;
                let (found, by_hand) = self.timed_by_hand(reader)?;
                if repeat == 0 {
                    rows = found.len();
                    self.compare(&answer, &found)?;
                }
                (took, by_hand)
            } else {
                let (_, by_hand) = self.timed_by_hand(reader)?;
                let (_, took) = self.asked(store, &prepared).await?;
                (took, by_hand)
            };
            if repeat > 0 {
                ours.push(took.as_secs_f64() * 1000.0);
                theirs.push(by_hand.as_secs_f64() * 1000.0);
                ratios.push(took.as_secs_f64() / by_hand.as_secs_f64());
            }
            let enough = if (took + by_hand).as_secs() > 0 { FEW_REPEATS } else { REPEATS };
            if repeat + 1 >= enough && whole.elapsed() > PATIENCE {
                break;
            }
        }
        let (ours, theirs, ratio) = (median(&ours), median(&theirs), median(&ratios));
        Ok(Measured { id: &self.question.id, compiling, ours, theirs, ratio, rows })
    }

    async fn asked(&self, store: &Store, prepared: &Prepared) -> anyhow::Result<(Answer, Duration)> {
        let begun = Instant::now();
        let answer = answered(store, prepared, &self.settings, Version(1)).await?;
        Ok((answer, begun.elapsed()))
    }

    fn timed_by_hand(&self, reader: &rusqlite::Connection) -> anyhow::Result<(Vec<Vec<Sql>>, Duration)> {
        let begun = Instant::now();
        let found = self.by_hand(reader)?;
        Ok((found, begun.elapsed()))
    }

    /// The question compiled, and how many milliseconds that took: before anything is asked, so that giving back the
    /// memory of a long answer is not taken for it.
    fn compiled(&self, store: &Store) -> anyhow::Result<(Prepared, f64)> {
        let mut took = Vec::new();
        loop {
            let begun = Instant::now();
            let prepared = Prepared::new(&self.text, &self.settings, store)
                .map_err(|errors| anyhow::anyhow!("{errors}"))?;
            took.push(begun.elapsed().as_secs_f64() * 1000.0);
            if took.len() >= REPEATS {
                if std::env::var_os("METSUKE_BENCH_SHOW").is_some() {
                    println!("{}\n{:?}", prepared.statement.sql, prepared.statement.binds);
                    println!("by hand:\n{}", self.twin.join(";\n"));
                }
                return Ok((prepared, median(&took)));
            }
        }
    }

    /// Every row with all its columns.
    fn by_hand(&self, reader: &rusqlite::Connection) -> anyhow::Result<Vec<Vec<Sql>>> {
        let mut found = Vec::new();
        for sql in &self.twin {
            let mut statement = reader.prepare_cached(sql)?;
            let columns = statement.column_count();
            for place in 1..=statement.parameter_count() {
                let name = statement
                    .parameter_name(place)
                    .unwrap_or_default()
                    .get(1..)
                    .unwrap_or_default()
                    .to_owned();
                let value = self.value(&name)?;
                statement.raw_bind_parameter(place, value)?;
            }
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next()? {
                let cells = (0..columns).map(|column| row.get(column)).collect::<Result<Vec<Sql>, _>>()?;
                found.push(cells);
            }
        }
        Ok(found)
    }

    fn value(&self, name: &str) -> anyhow::Result<ToSqlOutput<'_>> {
        Ok(match (name, self.settings.variables.get(name)) {
            ("now", _) => ToSqlOutput::Owned(Sql::Integer(self.settings.now.0 / 1000)),
            (_, Some(Variable::One(Value::Text(text)))) => {
                ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
            }
            (_, Some(Variable::One(Value::Number(number)))) => ToSqlOutput::Owned(Sql::Real(*number)),
            _ => anyhow::bail!("the twin of {} wants a `{name}`", self.question.id),
        })
    }

    /// Both sides have the same rows, in whatever order; lists and trees the same things.
    fn compare(&self, answer: &Answer, found: &[Vec<Sql>]) -> anyhow::Result<()> {
        let (mut ours, mut theirs): (Vec<String>, Vec<String>) = match &answer.data {
            Data::Table { rows, .. } => (
                rows.iter().map(|row| row.iter().map(shown).collect::<Vec<_>>().join("\u{1}")).collect(),
                found.iter().map(|row| row.iter().map(written).collect::<Vec<_>>().join("\u{1}")).collect(),
            ),
            Data::List(entities) => (
                entities.iter().map(|entity| entity.key.clone()).collect(),
                found.iter().filter_map(|row| row.first()).map(written).collect(),
            ),
            Data::Tree { vertices, edges } => (
                vertices
                    .iter()
                    .map(|entity| entity.key.clone())
                    .chain(edges.iter().map(|edge| edge.key.clone()))
                    .collect(),
                found.iter().filter_map(|row| row.first()).map(written).collect(),
            ),
        };
        ours.sort_unstable();
        theirs.sort_unstable();
        if ours != theirs {
            let first = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
            anyhow::bail!(
                "{} has {} rows, its twin {}; the first that differ: {first:?}",
                self.question.id,
                ours.len(),
                theirs.len()
            );
        }
        Ok(())
    }
}

/// What the questions leave open, as this estate has it.
fn given(question: &Question) -> Vec<(String, Variable)> {
    question
        .variables
        .iter()
        .filter_map(|parameter| {
            let value = match &*parameter.name {
                "app" => "service-004242",
                "email" => "person.01234@example.com",
                "team" => "team-0500",
                "addon" => "heroku-postgresql-curved-21300",
                "domain" => "@example.com",
                _ => return None,
            };
            Some((parameter.name.to_string(), Variable::One(value.into())))
        })
        .collect()
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Value(Value::Flag(flag)) => u8::from(*flag).to_string(),
        Cell::Value(Value::Text(text)) => text.to_string(),
        Cell::Value(value) => value.to_json().to_string(),
        Cell::Entity(_) | Cell::Relationship(_) => "whole".to_owned(),
    }
}

fn written(value: &Sql) -> String {
    match value {
        Sql::Null => "null".to_owned(),
        Sql::Integer(number) => number.to_string(),
        Sql::Real(number) => Value::Number(*number).to_json().to_string(),
        Sql::Text(text) => text.clone(),
        Sql::Blob(_) => "bytes".to_owned(),
    }
}

/// The twins by the questions' ids; a tree has several statements.
fn twins() -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut twins = BTreeMap::new();
    for file in TWINS {
        for part in file.split("-- ").filter(|part| !part.trim().is_empty()) {
            let Some((id, sql)) = part.split_once('\n') else { anyhow::bail!("`{part}` is no twin") };
            let statements = sql.split(';').map(|statement| spelled(statement.trim())).collect();
            twins.insert(id.trim().to_owned(), statements);
        }
    }
    Ok(twins)
}

/// Puts in what the short words stand for.
fn spelled(sql: &str) -> String {
    let mut sql = WORDS.iter().fold(sql.to_owned(), |sql, (word, meaning)| sql.replace(word, meaning));
    while let Some((before, rest)) = sql.split_once('{') {
        let Some((word, after)) = rest.split_once('}') else { break };
        let (name, alias) = word.split_once(' ').unwrap_or_default();
        let meaning = match name {
            "key" => {
                let bytes = format!("hex({alias}.uuid)");
                format!(
                    "lower(substr({bytes}, 1, 8) || '-' || substr({bytes}, 9, 4) || '-' || substr({bytes}, 13, 4) || '-' \
                     || substr({bytes}, 17, 4) || '-' || substr({bytes}, 21))"
                )
            }
            // What every entity and relationship tells of the syncs that saw it.
            _ if alias == "x" => {
                "(SELECT finished_at / 1000 FROM sync WHERE id = x.since), (SELECT finished_at / 1000 FROM sync WHERE id = x.since)"
                    .to_owned()
            }
            _ => format!(
                "(SELECT finished_at / 1000 FROM sync WHERE id = {alias}.since), \
                 (SELECT finished_at / 1000 FROM sync WHERE id = CASE {alias}.begun WHEN 0 THEN {alias}.since ELSE {alias}.begun END), \
                 {alias}.edition"
            ),
        };
        sql = format!("{before}{meaning}{after}");
    }
    sql
}
