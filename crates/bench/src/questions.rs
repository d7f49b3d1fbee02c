//! Questions in J1QL on the large estate: the library's, and chosen ones against SQL that an expert would write by hand.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use metsuke_engine::people;
use metsuke_engine::query::{Prepared, Settings, answered};
use metsuke_model::people::RosterKind;
use metsuke_model::{Clock, Moment, SystemClock, Version};
use metsuke_store::{OpenMode, Store};

use crate::report::{Report, median};
use crate::store::done;
use crate::{estate, further, library};

/// How often each is asked; the first time warms up.
const REPEATS: usize = 7;

/// Microseconds.
const DAY: i64 = 86_400_000_000;

/// A question with a name in it, the same by hand, and how many hops it has.
struct Pair {
    what: &'static str,
    j1ql: &'static str,
    sql: &'static str,
    sort: Sort,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// It names one thing and goes up to three hops from there.
    Selective,
    /// It names one thing and goes four hops from there.
    Far,
    /// It counts over everything.
    Count,
}

/// `?1` and `${name}` are an app, a person or a team; each repeat takes another.
const PAIRS: &[Pair] = &[
    Pair {
        what: "an app by its name",
        j1ql: "FIND heroku_application WITH name = ${app} AS a RETURN a.name, a.createdOn",
        sql: "SELECT name, created_at FROM app WHERE name = ?1 AND gone IS NULL",
        sort: Sort::Selective,
    },
    Pair {
        what: "who is named on an app",
        j1ql: "FIND heroku_application WITH name = ${app} THAT ASSIGNED AS e User AS u RETURN u.email, e.permissions",
        sql: "SELECT p.email, x.mask FROM app a JOIN access x ON x.resource_id = a.id JOIN person p ON p.id = x.principal_id
              WHERE a.name = ?1 AND a.gone IS NULL AND p.gone IS NULL",
        sort: Sort::Selective,
    },
    Pair {
        what: "who can deploy to an app, by every way",
        j1ql: "FIND heroku_application WITH name = ${app} THAT ACCESSES AS e User AS u WHERE e.permissions = 'deploy' RETURN u.email, e.via",
        sql: "SELECT p.email, 'direct' FROM app a JOIN access x ON x.resource_id = a.id JOIN person p ON p.id = x.principal_id
               WHERE a.name = ?1 AND a.gone IS NULL AND p.gone IS NULL AND x.mask & 4
              UNION ALL
              SELECT p.email, 'team' FROM app a JOIN team t ON t.id = a.team JOIN access x ON x.resource_id = t.id
                JOIN person p ON p.id = x.principal_id
               WHERE a.name = ?1 AND a.gone IS NULL AND t.gone IS NULL AND p.gone IS NULL AND x.mask & 1",
        sort: Sort::Selective,
    },
    Pair {
        what: "apps that name a person",
        j1ql: "FIND User WITH email = ${person} THAT ASSIGNED heroku_application AS a RETURN a.name",
        sql: "SELECT a.name FROM person p JOIN held h ON h.principal_id = p.id JOIN app a ON a.id = h.resource_id
              WHERE lower(p.email) = lower(?1) AND p.gone IS NULL AND a.gone IS NULL",
        sort: Sort::Selective,
    },
    Pair {
        what: "apps with an app's team, asked from the far end",
        j1ql: "FIND heroku_application THAT OWNS heroku_team THAT HAS User WITH email = ${person}",
        sql: "SELECT a.id FROM person p JOIN held h ON h.principal_id = p.id JOIN team t ON t.id = h.resource_id JOIN app a ON a.team = t.id
              WHERE lower(p.email) = lower(?1) AND p.gone IS NULL AND t.gone IS NULL AND a.gone IS NULL",
        sort: Sort::Selective,
    },
    Pair {
        what: "add-ons of the apps that name a person",
        j1ql: "FIND User WITH email = ${person} THAT ASSIGNED heroku_application AS a THAT HAS heroku_addon AS d RETURN a.name, d.service",
        sql: "SELECT a.name, d.addon_service FROM person p JOIN held h ON h.principal_id = p.id JOIN app a ON a.id = h.resource_id
                JOIN addon d ON d.app = a.id
              WHERE lower(p.email) = lower(?1) AND p.gone IS NULL AND a.gone IS NULL AND d.gone IS NULL",
        sort: Sort::Selective,
    },
    Pair {
        what: "services of the apps of a team, counted",
        j1ql: "FIND heroku_team WITH name = ${team} THAT OWNS heroku_application THAT HAS heroku_addon AS d RETURN d.service, count(d)",
        sql: "SELECT d.addon_service, count(*) FROM team t JOIN app a ON a.team = t.id JOIN addon d ON d.app = a.id
              WHERE t.name = ?1 AND t.gone IS NULL AND a.gone IS NULL AND d.gone IS NULL GROUP BY 1",
        sort: Sort::Selective,
    },
    Pair {
        what: "teams of the people whom a person's apps name",
        j1ql: "FIND UNIQUE User WITH email = ${person} THAT ASSIGNED heroku_application THAT ASSIGNED User AS u THAT HAS heroku_team AS t
               THAT OWNS heroku_application RETURN t.name",
        sql: "SELECT DISTINCT t.name FROM person p JOIN held h ON h.principal_id = p.id JOIN app a ON a.id = h.resource_id
                JOIN access x ON x.resource_id = a.id JOIN person u ON u.id = x.principal_id
                JOIN held g ON g.principal_id = u.id JOIN team t ON t.id = g.resource_id
              WHERE lower(p.email) = lower(?1) AND p.gone IS NULL AND a.gone IS NULL AND u.gone IS NULL AND t.gone IS NULL
                AND EXISTS (SELECT 1 FROM app b WHERE b.team = t.id AND b.gone IS NULL)",
        sort: Sort::Far,
    },
    Pair {
        what: "how many apps there are",
        j1ql: "FIND heroku_application AS a RETURN count(a)",
        sql: "SELECT count(*) FROM app WHERE gone IS NULL",
        sort: Sort::Count,
    },
    Pair {
        what: "how many people any app names",
        j1ql: "FIND User AS u THAT ASSIGNED heroku_application RETURN count(u)",
        sql: "SELECT count(*) FROM person p WHERE gone IS NULL AND EXISTS (SELECT 1 FROM held h JOIN app a ON a.id = h.resource_id
               WHERE h.principal_id = p.id AND a.gone IS NULL)",
        sort: Sort::Count,
    },
    Pair {
        what: "how many apps use each service",
        j1ql: "FIND heroku_application AS a THAT HAS heroku_addon AS d RETURN d.service, count(a)",
        sql: "SELECT d.addon_service, count(DISTINCT a.id) FROM addon d JOIN app a ON a.id = d.app
              WHERE d.gone IS NULL AND a.gone IS NULL GROUP BY 1",
        sort: Sort::Count,
    },
    Pair {
        what: "how many rows of access on apps there are",
        j1ql: "FIND User THAT ASSIGNED AS e heroku_application RETURN count(*)",
        sql: "SELECT count(*) FROM access x JOIN app a ON a.id = x.resource_id JOIN person p ON p.id = x.principal_id
              WHERE a.gone IS NULL AND p.gone IS NULL",
        sort: Sort::Count,
    },
];

/// Measures them all. `METSUKE_BENCH_ESTATE` names a file in which the estate stays for the next time, and
/// `METSUKE_BENCH_ONLY` the questions of the library that are of interest.
pub(crate) async fn run(report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let kept = std::env::var_os("METSUKE_BENCH_ESTATE").map(PathBuf::from);
    let file = kept.unwrap_or_else(|| folder.path().join("ours.db"));
    let new = !file.exists();
    let store = Store::open(&format!("sqlite:{}", file.display()), OpenMode::Create).await?;
    if new {
        fill(&store).await?;
    }
    let reader = rusqlite::Connection::open(&file)?;
    reader.execute_batch("PRAGMA mmap_size = 1073741824; PRAGMA cache_size = -131072;")?;
    reader.set_prepared_statement_cache_capacity(256);
    let only = std::env::var_os("METSUKE_BENCH_ONLY").and_then(|only| only.into_string().ok());
    if only.is_none() {
        let names = |table: &str, column: &str| -> rusqlite::Result<Vec<String>> {
            let sql = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY id");
            reader.prepare(&sql)?.query_map([], |row| row.get(0))?.collect()
        };
        let (apps, people, teams) =
            (names("app", "name")?, names("person", "email")?, names("team", "name")?);
        pairs(report, &store, &reader, [&apps, &people, &teams]).await?;
    }
    library::run(report, &store, &reader, only.as_deref()).await
}

/// So many days before now.
#[derive(Debug)]
struct Ago(i64);

impl Clock for Ago {
    fn now(&self) -> Moment {
        Moment(SystemClock.now().0 - self.0 * DAY)
    }
}

/// Two versions, so that there is something to tell of what changed, and a roster.
async fn fill(store: &Store) -> anyhow::Result<()> {
    for (generation, days) in [(0, 100), (1, 0)] {
        let (mut estate, mut coverage) = estate::build(generation);
        further::add(&mut estate, &mut coverage, generation);
        store.commit(estate, &coverage, &done(), &Ago(days)).await?;
    }
    people::import(store, ("hr", RosterKind::Csv), further::roster(), false, &SystemClock).await?;
    store.settle().await;
    Ok(())
}

async fn pairs(
    report: &mut Report,
    store: &Store,
    reader: &rusqlite::Connection,
    [apps, people, teams]: [&[String]; 3],
) -> anyhow::Result<()> {
    for (sort, name, goal) in [
        (Sort::Selective, "selective questions, up to 3 hops", "p95 ≤ 50 ms"),
        (Sort::Far, "a selective question of 4 hops", "p95 ≤ 300 ms"),
        (Sort::Count, "counts over everything", "≤ 300 ms"),
    ] {
        let (mut all, mut details) = (Vec::new(), Vec::new());
        for pair in PAIRS.iter().filter(|pair| pair.sort == sort) {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for repeat in 0..=REPEATS * 3 {
                let pick =
                    |list: &[String]| list.get(repeat * 7919 % list.len()).cloned().unwrap_or_default();
                let (app, person, team) = (pick(apps), pick(people), pick(teams));
                let mut settings = settings();
                for (name, value) in [("app", &app), ("person", &person), ("team", &team)] {
                    let value = metsuke_engine::query::Variable::One(value.as_str().into());
                    settings.variables.insert(name.into(), value);
                }
                let took = ask(store, pair.j1ql, &settings).await?;
                let argument = if pair.j1ql.contains("${app}") {
                    app
                } else if pair.j1ql.contains("${team}") {
                    team
                } else {
                    person
                };
                let by_hand = by_hand(reader, pair.sql, &argument)?;
                if repeat > 0 {
                    ours.push(took.as_secs_f64() * 1000.0);
                    theirs.push(by_hand.as_secs_f64() * 1000.0);
                }
            }
            let ratio = median(&ours) / median(&theirs);
            details.push(format!(
                "{}: {:.2} ms, {ratio:.1} × by hand ({:.2} ms)",
                pair.what,
                median(&ours),
                median(&theirs)
            ));
            all.extend(ours);
        }
        report.row(
            name,
            format!("p95 {:.1} ms, median {:.2} ms", percentile(&all, 95), median(&all)),
            goal,
            details.join("; "),
        );
    }
    Ok(())
}

pub(crate) fn settings() -> Settings {
    Settings { time_limit: Duration::from_mins(2), ..Settings::at(SystemClock.now()) }
}

async fn ask(store: &Store, text: &str, settings: &Settings) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let prepared = Prepared::new(text, settings, store).map_err(|errors| anyhow::anyhow!("{errors}"))?;
    answered(store, &prepared, settings, Version(1)).await?;
    Ok(begun.elapsed())
}

/// Runs SQL and reads every column of every row.
fn by_hand(reader: &rusqlite::Connection, sql: &str, argument: &str) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let mut statement = reader.prepare_cached(sql)?;
    let columns = statement.column_count();
    let mut rows = if sql.contains("?1") { statement.query([argument])? } else { statement.query([])? };
    let mut cells = 0;
    while let Some(row) = rows.next()? {
        for column in 0..columns {
            let value: rusqlite::types::Value = row.get(column)?;
            cells += usize::from(value != rusqlite::types::Value::Null);
        }
    }
    std::hint::black_box(cells);
    Ok(begun.elapsed())
}

pub(crate) fn percentile(figures: &[f64], percent: usize) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}
