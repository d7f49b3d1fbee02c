//! Evaluates a rule on a version: what it found, how bad that is, and what would be told of it.
//!
//! Keeping findings, schedules and sending are not done here.
//!
//! Invariant: what could not be judged is a state of its own, and never no finding.

mod act;
mod ground;
mod input;
mod subject;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use metsuke_model::Version;
use serde::Serialize;
use serde_json::{Map, Value as Json};

pub use act::Rendered;
pub use ground::{Ground, Limits, Since};
pub use subject::Subject;

use super::change;
use super::instance::Instance;
use super::level::Level;
use super::memory::Asked;
use super::template::{Budget, Scope, text_of};
use act::Work;
use subject::{Subjects, fingerprint};

/// How often the further questions of a rule's actions may lead to others.
const MOST_PASSES: usize = 4;

/// What came of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// One of its operations' conditions held.
    Fired,
    /// None did.
    Clear,
    /// The product does not read what it needs, or was not given it.
    NotObservable {
        /// Why.
        why: String,
    },
    /// A parameter has no value.
    Unsettled {
        /// Which, and what it stands for.
        why: String,
    },
    /// It could not be evaluated.
    Failed {
        /// Why.
        why: String,
    },
}

/// What came of evaluating a rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// The rule's id, else its name.
    pub rule: String,
    /// Its name.
    pub name: String,
    /// What came of it.
    #[serde(flatten)]
    pub state: State,
    /// The version that was looked at.
    pub version: Version,
    /// Changes after this version counted; none for a rule that looks for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Version>,
    /// Everything of the version was read, and all rows were seen: what is not among the subjects is no more.
    pub complete: bool,
    /// How bad it is, where the rule says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// What it found.
    pub subjects: Vec<Subject>,
    /// The values that the rule keeps, by how they are written.
    pub outputs: Map<String, Json>,
    /// What would be done.
    pub actions: Vec<Rendered>,
    /// What is to be said of it.
    pub notes: Vec<String>,
}

impl Evaluation {
    /// One that came to nothing but this.
    pub(super) fn only(rule: (&str, &str), ground: &Ground, state: State) -> Self {
        Self {
            rule: rule.0.to_owned(),
            name: rule.1.to_owned(),
            state,
            version: ground.version,
            since: None,
            complete: false,
            level: None,
            subjects: Vec::new(),
            outputs: Map::new(),
            actions: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Evaluates a rule. `previous` are the fingerprints that the evaluation before found, for rules that count only what is
/// new; none where there was no evaluation before.
pub async fn evaluate(rule: &Instance, ground: &Ground, previous: Option<&BTreeSet<String>>) -> Evaluation {
    let ended = |state| Evaluation::only((rule.key(), &rule.name), ground, state);
    if rule.queries.is_empty() && rule.change.is_none() {
        let why = "its question stands in JupiterOne".to_owned();
        return ended(State::NotObservable { why });
    }
    let previous = previous.filter(|_| !rule.ignore_previous_results);
    let mut asked = Vec::new();
    match evaluated(rule, ground, previous, &mut asked).await {
        Ok(evaluation) => {
            ground.memory().keep_evaluation(rule, ground.limits, asked, &evaluation);
            evaluation
        }
        Err(why) => ended(State::Failed { why }),
    }
}

/// As [`evaluate`]; `None` where a run that is remembered worked the rule out already, and none of the answers of which it
/// did is another by now: it found the same then, and nothing is new.
pub async fn evaluate_if_changed(
    rule: &Instance,
    ground: &Ground,
    previous: Option<&BTreeSet<String>>,
) -> Option<Evaluation> {
    let unchanged = ground.memory().unchanged(rule, ground.limits);
    if unchanged { None } else { Some(evaluate(rule, ground, previous).await) }
}

fn is_new(previous: Option<&BTreeSet<String>>, fingerprint: &str) -> bool {
    previous.is_none_or(|known| !known.contains(fingerprint))
}

/// What was found, as expressions and as subjects see it.
struct Seen {
    inputs: Map<String, Json>,
    subjects: Subjects,
    /// A query had more rows than were seen.
    cut: bool,
    notes: Vec<String>,
}

async fn evaluated(
    rule: &Instance,
    ground: &Ground,
    previous: Option<&BTreeSet<String>>,
    asked: &mut Vec<Asked>,
) -> Result<Evaluation, String> {
    let mut seen = Seen { inputs: about(rule), subjects: Subjects::default(), cut: false, notes: Vec::new() };
    let is_new = |fingerprint: &str| is_new(previous, fingerprint);
    ask(rule, ground, (&mut seen, asked), &is_new).await?;
    look(rule, ground, &mut seen, &is_new)?;
    let Seen { inputs, subjects, cut, mut notes } = seen;
    let mut answers = BTreeMap::new();
    let mut passes = 0;
    let (fired, budget, inputs, rendered) = loop {
        let budget = Budget::default();
        let mut work = Work::new(rule, &budget, &answers, inputs.clone());
        let fired = work.operations()?;
        let Work { inputs, rendered, notes: told, wanted, .. } = work;
        if wanted.is_empty() {
            notes.extend(told);
            break (fired, budget, inputs, rendered);
        }
        passes += 1;
        if passes > MOST_PASSES {
            return Err("its actions ask questions about the answers to questions too often".to_owned());
        }
        for text in wanted {
            let answer = ground.ask(&text, false).await;
            let answer = answer.map_err(|error| format!("a query of its actions: {error}"))?;
            asked.push(((text.clone(), false), Arc::clone(&answer)));
            let mut rows = input::rows(&answer);
            let total = rows.len();
            rows.truncate(ground.limits.most_shown);
            let seen = input::query(&text, total, &rows);
            answers.insert(text, seen);
        }
    };
    let level = inputs.get("alertLevel").and_then(|level| text_of(level).parse().ok());
    let mut outputs = Map::new();
    let scope = Scope::new(&inputs, &rule.templates, &budget);
    for output in &rule.outputs {
        let value =
            output.evaluate(&scope).map_err(|error| format!("the output `{}`: {error}", output.source()))?;
        outputs.insert(output.source().to_owned(), value);
    }
    Ok(Evaluation {
        rule: rule.key().to_owned(),
        name: rule.name.to_string(),
        state: if fired { State::Fired } else { State::Clear },
        version: ground.version,
        since: rule.change.is_some().then_some(ground.since),
        complete: ground.complete && !cut,
        level,
        subjects: subjects.into_list(),
        outputs,
        actions: rendered,
        notes,
    })
}

/// What expressions know of the rule itself.
fn about(rule: &Instance) -> Map<String, Json> {
    let mut inputs = Map::new();
    inputs.insert("alertRuleName".into(), (*rule.name).into());
    inputs.insert("alertRuleId".into(), rule.key().into());
    inputs.insert("alertRuleDescription".into(), rule.description.as_deref().unwrap_or_default().into());
    inputs.insert("alertWebLink".into(), "".into());
    inputs.insert("queries".into(), Json::Object(Map::new()));
    inputs
}

/// Asks the rule's queries.
async fn ask(
    rule: &Instance,
    ground: &Ground,
    (seen, asked): (&mut Seen, &mut Vec<Asked>),
    is_new: &impl Fn(&str) -> bool,
) -> Result<(), String> {
    let mut queries = Map::new();
    for query in &rule.queries {
        let answer = ground.ask(&query.text, query.include_deleted).await;
        let answer = answer.map_err(|error| format!("the query `{}`: {error}", query.name))?;
        asked.push(((query.text.to_string(), query.include_deleted), Arc::clone(&answer)));
        seen.notes
            .extend(answer.warnings.iter().map(|warning| format!("the query `{}`: {warning}", query.name)));
        if answer.truncated {
            seen.cut = true;
            let most = ground.limits.most_rows;
            seen.notes
                .push(format!("the query `{}` has more than {most} rows; the rest was not seen", query.name));
        }
        let mut counted = Vec::new();
        let budget = Budget::default();
        let scope = Scope::new(&seen.inputs, &rule.templates, &budget);
        for row in input::rows(&answer) {
            let fingerprint = fingerprint(rule, &row);
            let new = is_new(&fingerprint);
            let taken = seen.subjects.take(rule, &query.name, (&fingerprint, new), &row, &scope);
            taken.map_err(|error| format!("the subject's name: {error}"))?;
            if new || !rule.counts_only_new() {
                counted.push(row);
            }
        }
        let total = counted.len();
        counted.truncate(ground.limits.most_shown);
        queries.insert(query.name.to_string(), input::query(&query.text, total, &counted));
    }
    seen.inputs.insert("queries".into(), Json::Object(queries));
    Ok(())
}

/// Looks for changes.
fn look(
    rule: &Instance,
    ground: &Ground,
    seen: &mut Seen,
    is_new: &impl Fn(&str) -> bool,
) -> Result<(), String> {
    let Some(wanted) = &rule.change else { return Ok(()) };
    if !ground.has_before() {
        seen.notes.push("the first version has no changes: everything in it came with it".to_owned());
    }
    let mut counted = Vec::new();
    let mut total = 0;
    let whole = Budget::default();
    let scope = Scope::new(&seen.inputs, &rule.templates, &whole);
    for change in &ground.changes {
        let row = change::row(change);
        let budget = Budget::default();
        let fires = wanted.fires(change, &row, &ground.own, &scope.spending(&budget));
        if !fires.map_err(|error| format!("the condition of the change: {error}"))? {
            continue;
        }
        let fingerprint = fingerprint(rule, &row);
        let new = is_new(&fingerprint);
        let taken = seen.subjects.take(rule, "changes", (&fingerprint, new), &row, &scope);
        taken.map_err(|error| format!("the subject's name: {error}"))?;
        if new || !rule.counts_only_new() {
            total += 1;
            if counted.len() < ground.limits.most_shown {
                counted.push(row);
            }
        }
    }
    seen.inputs.insert("changes".into(), input::changes(total, &counted));
    Ok(())
}
