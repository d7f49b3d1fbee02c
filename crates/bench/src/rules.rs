//! A thousand rules after a change of one hundredth: with what is remembered of the run before, against asking all of
//! their questions one by one.
//!
//! The rules are the shipped detections, and what teams would want to be told of: such as find little on most days.

use std::time::{Duration, Instant};

use metsuke_engine::query::{Prepared, Settings, answered};
use metsuke_engine::rules::shipped::{self, Values};
use metsuke_engine::rules::{Ground, Instance, Limits, Memory, Since, evaluate_again};
use metsuke_model::{Clock as _, SystemClock, Version};
use metsuke_store::{OpenMode, Store};
use serde_json::json;

use crate::estate::{self, Size};
use crate::report::{Report, median};
use crate::store::done;

const RULES: usize = 1_000;
/// How often the estate changes.
const CHANGES: u32 = 3;

/// What a team wants to know of itself.
const OF_A_TEAM: [&str; 8] = [
    "FIND heroku_team WITH name = '@' THAT HAS AS h >> heroku_account_member AS u WHERE h.role = 'admin' RETURN u.id, u.email",
    "FIND heroku_team WITH name = '@' THAT HAS >> heroku_account_member WITH email !$= '@example.com' AS u RETURN u.id, u.email",
    "FIND heroku_team WITH name = '@' THAT HAS >> heroku_account_member WITH mfaEnabled = false AND federated != true AS u RETURN u.email",
    "FIND heroku_team WITH name = '@' THAT OWNS >> heroku_application AS app THAT ASSIGNED << heroku_account_member WITH email !$= '@example.com' AS u RETURN app.name, u.email",
    "FIND heroku_team WITH name = '@' THAT OWNS >> heroku_application AS app THAT ACCESSES AS a << heroku_account_member WITH email !$= '@example.com' AS u WHERE a.permissions = 'manage' RETURN app.name, u.email, a.via",
    "FIND heroku_team WITH name = '@' THAT OWNS >> heroku_application WITH locked = true OR maintenance = true AS app RETURN app.name",
    "FIND heroku_team WITH name = '@' THAT OWNS >> heroku_application WITH releasedOn < date.now - 365 days AS app RETURN app.name",
    "FIND heroku_team WITH name = '@' THAT OWNS >> heroku_application AS app THAT HAS >> heroku_addon WITH service = 'heroku-postgresql' AS d RETURN app.name, d.name",
];

/// Measures both.
pub(crate) async fn run(report: &mut Report, part: u32) -> anyhow::Result<()> {
    let size = Size::part(part.max(1));
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}", folder.path().join("ours.db").display());
    let store = Store::open(&url, OpenMode::Create).await?;
    commit(&store, size, 0).await?;
    let rules = rules(size)?;
    let first = ours(&store, &rules, Memory::default(), folder.path()).await?;
    let (mut memory, mut ratios, mut details) = (first.1, Vec::new(), Vec::new());
    details.push(format!("first run {:.2} s, {:?}", first.0.as_secs_f64(), memory.recall()));
    for change in 1..=CHANGES {
        commit(&store, size, change).await?;
        let theirs = one_by_one(&store, &rules).await?;
        let (took, remembered) = ours(&store, &rules, memory, folder.path()).await?;
        memory = remembered;
        ratios.push(took.as_secs_f64() / theirs.as_secs_f64());
        details.push(format!(
            "{:.2} s against {:.2} s, {:?}",
            took.as_secs_f64(),
            theirs.as_secs_f64(),
            memory.recall()
        ));
    }
    report.row(
        &format!("{} rules after a change of 1 %, estate of {} apps", rules.len(), size.apps),
        format!("{:.3} ×", median(&ratios)),
        "≤ 0.1 × their SQL one by one",
        details.join("; "),
    );
    Ok(())
}

async fn commit(store: &Store, size: Size, generation: u32) -> anyhow::Result<()> {
    let (estate, coverage) = estate::build_part(size, generation);
    store.commit(estate, &coverage, &done(), &SystemClock).await?;
    store.settle().await;
    Ok(())
}

/// Detections once each, and so many rules of teams that there are enough.
fn rules(size: Size) -> anyhow::Result<Vec<Instance>> {
    let values = Values::from([("domains".to_owned(), json!("example.com"))]);
    let mut rules: Vec<Instance> = shipped::all()
        .iter()
        .filter(|detection| detection.not_observable.is_none())
        .filter_map(|detection| detection.rule(&values).ok())
        .collect();
    let wanted = RULES.saturating_sub(rules.len());
    let each = wanted.div_ceil(OF_A_TEAM.len());
    for number in 0..wanted {
        let (shape, place) = (number / each, number % each);
        let team = place * usize::try_from(size.teams)? / each;
        let text = OF_A_TEAM.get(shape).copied().unwrap_or_default();
        let text = text.replace("name = '@'", &format!("name = 'team-{team:04}'"));
        rules.push(rule(&format!("team {team} {shape} {place}"), &text)?);
    }
    Ok(rules)
}

fn rule(name: &str, question: &str) -> anyhow::Result<Instance> {
    let document = json!({
        "name": name,
        "question": { "queries": [{ "query": question }] },
        "operations": [{
            "when": { "type": "FILTER", "condition": ["queries.query0.total", ">", 0] },
            "actions": [{ "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "LOW" }, { "type": "CREATE_ALERT" }],
        }],
    });
    Instance::read(&document).map_err(|mistakes| anyhow::anyhow!("{name}: {mistakes:?}"))
}

fn settings() -> Settings {
    let limits = Limits::default();
    let usual = Settings::at(SystemClock.now());
    Settings { time_limit: Duration::from_mins(5), most_rows: limits.most_rows, ..usual }
}

/// Every rule, with what is remembered.
async fn ours(
    store: &Store,
    rules: &[Instance],
    memory: Memory,
    folder: &std::path::Path,
) -> anyhow::Result<(Duration, Memory)> {
    let begun = Instant::now();
    let ground = Ground::open(store, settings(), Since::Before, Limits::default(), folder).await?;
    let ground = ground.remembering(memory).await?;
    for rule in rules {
        std::hint::black_box(evaluate_again(rule, &ground, None).await);
    }
    Ok((begun.elapsed(), ground.into_memory()))
}

/// Every question of every rule, and nothing else.
async fn one_by_one(store: &Store, rules: &[Instance]) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let settings = settings();
    for query in rules.iter().flat_map(|rule| &rule.queries) {
        let prepared =
            Prepared::new(&query.text, &settings, store).map_err(|errors| anyhow::anyhow!("{errors}"))?;
        std::hint::black_box(answered(store, &prepared, &settings, Version(0)).await?);
    }
    Ok(begun.elapsed())
}
