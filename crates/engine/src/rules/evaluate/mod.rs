//! Evaluates a rule on a version: what it found, how bad that is, and what would be told of it.
//!
//! Keeping findings, schedules and sending are not done here.
//!
//! Invariant: what could not be judged is a state of its own, and never no finding.

mod act;
mod ground;
mod input;
mod prints;
mod subject;
mod together;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use metsuke_model::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

pub use act::Rendered;
pub use ground::{Ground, Limits, Since};
pub use subject::Subject;

use super::change;
use super::instance::{Instance, NamedQuery};
use super::level::Level;
use super::memory::{Asked, Held};
use super::template::{Budget, Scope, text_of};
use crate::log::MOST_ENTRIES;
use act::Work;
pub(crate) use subject::Print;
use subject::{Subjects, fingerprint, print};

/// How often the further questions of a rule's actions may lead to others.
const MOST_PASSES: usize = 4;

/// What came of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    match evaluated(rule, ground, previous, None).await {
        Ok(Done { evaluation, .. }) => evaluation,
        Err(state) => Evaluation::only((rule.key(), &rule.name), ground, state),
    }
}

/// What came of evaluating a rule once more.
#[derive(Clone, Debug)]
pub enum Again {
    /// A run that is remembered worked it out, and none of its answers is another by now: it found the same then, and
    /// nothing is new.
    Same,
    /// Some rows of its answers came or went. The evaluation tells only of the subjects that these are about, named here
    /// by their fingerprints whether they are still found or not; every other is as it was.
    Touched(Evaluation, HashSet<String>),
    /// It was worked out from all rows.
    Whole(Evaluation),
}

/// As [`evaluate`], as far as it is not known from a run that is remembered.
pub async fn evaluate_again(rule: &Instance, ground: &Ground, previous: Option<&BTreeSet<String>>) -> Again {
    let Some((before, fired)) = ground.memory().evaluation(rule, ground.limits) else {
        return Again::Whole(evaluate(rule, ground, previous).await);
    };
    if holds(ground, &before).await {
        ground.memory().unchanged();
        return Again::Same;
    }
    // What is new can only be told of all; and where no condition held, there are no findings that may stay.
    if !rule.counts_only_new() && fired {
        match evaluated(rule, ground, previous, Some(&before)).await {
            Ok(Done { evaluation, touched: Some(touched) }) if evaluation.state == State::Fired => {
                return Again::Touched(evaluation, touched.iter().map(fingerprint).collect());
            }
            Ok(Done { evaluation, touched: None }) => return Again::Whole(evaluation),
            Ok(_) | Err(_) => ground.memory().forget_evaluation(rule),
        }
    }
    Again::Whole(evaluate(rule, ground, previous).await)
}

/// Whether the questions of an evaluation are answered as they were.
async fn holds(ground: &Ground, asked: &[Asked]) -> bool {
    for Asked { question, number, .. } in asked {
        if ground.memory().still_is(question, *number) {
            continue;
        }
        match ground.ask(&question.0, question.1).await {
            Ok(held) if held.number == *number => {}
            _ => return false,
        }
    }
    true
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
    asked: Vec<Asked>,
    /// The subjects that were looked at, where not all were.
    touched: Option<HashSet<Print>>,
}

/// An evaluation that was worked out.
struct Done {
    evaluation: Evaluation,
    /// The subjects that it tells of, where that is not all.
    touched: Option<HashSet<Print>>,
}

/// Works a rule out; `before`: what an evaluation asked that is remembered, so that only what is not as it was is looked
/// at, where that can be told.
async fn evaluated(
    rule: &Instance,
    ground: &Ground,
    previous: Option<&BTreeSet<String>>,
    before: Option<&[Asked]>,
) -> Result<Done, State> {
    if rule.queries.is_empty() && rule.change.is_none() {
        return Err(State::NotObservable { why: "its question stands in JupiterOne".to_owned() });
    }
    let previous = previous.filter(|_| !rule.ignore_previous_results);
    match worked_out(rule, ground, previous, before).await {
        Ok((done, asked)) => {
            let fired = done.evaluation.state == State::Fired;
            ground.memory().keep_evaluation(rule, ground.limits, (asked, fired), done.touched.is_some());
            Ok(done)
        }
        Err(why) => {
            ground.memory().forget_evaluation(rule);
            Err(State::Failed { why })
        }
    }
}

async fn worked_out(
    rule: &Instance,
    ground: &Ground,
    previous: Option<&BTreeSet<String>>,
    before: Option<&[Asked]>,
) -> Result<(Done, Vec<Asked>), String> {
    let is_new = |fingerprint: &str| is_new(previous, fingerprint);
    let mut seen = ask(rule, ground, before, &is_new).await?;
    look(rule, ground, &mut seen, &is_new)?;
    let Seen { inputs, subjects, cut, mut notes, mut asked, touched } = seen;
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
            let held = ground.ask(&text, false).await;
            let held = held.map_err(|error| format!("a query of its actions: {error}"))?;
            let rows = input::rows(&held.told, ground.limits.most_shown);
            let seen = input::query(&text, held.told.total(), &rows);
            asked.push(Asked {
                question: (text.clone(), false),
                number: held.number,
                prints: Arc::default(),
            });
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
    let evaluation = Evaluation {
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
    };
    Ok((Done { evaluation, touched }, asked))
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
    before: Option<&[Asked]>,
    is_new: &impl Fn(&str) -> bool,
) -> Result<Seen, String> {
    let mut held = Vec::with_capacity(rule.queries.len());
    for query in &rule.queries {
        let answer = ground.ask(&query.text, query.include_deleted).await;
        held.push(answer.map_err(|error| format!("the query `{}`: {error}", query.name))?);
    }
    let (asked, touched) = prints::of(rule, &held, before);
    let (inputs, subjects) = (about(rule), Subjects::default());
    let mut seen = Seen { inputs, subjects, cut: false, notes: Vec::new(), asked, touched };
    let mut queries = Map::new();
    for (place, (query, held)) in rule.queries.iter().zip(&held).enumerate() {
        let data = seen.take(rule, ground, (place, query), (held, is_new))?;
        queries.insert(query.name.to_string(), data);
    }
    seen.inputs.insert("queries".into(), Json::Object(queries));
    Ok(seen)
}

impl Seen {
    /// Takes the subjects of one query's rows, and gives what expressions see of it.
    fn take(
        &mut self,
        rule: &Instance,
        ground: &Ground,
        (place, query): (usize, &NamedQuery),
        (held, is_new): (&Held, &impl Fn(&str) -> bool),
    ) -> Result<Json, String> {
        let answer = &held.told.answer;
        self.notes
            .extend(answer.warnings.iter().map(|warning| format!("the query `{}`: {warning}", query.name)));
        if answer.truncated {
            self.cut = true;
            let most = ground.limits.most_rows;
            self.notes
                .push(format!("the query `{}` has more than {most} rows; the rest was not seen", query.name));
        }
        let prints = self.asked.get(place).map(|asked| Arc::clone(&asked.prints)).unwrap_or_default();
        let rows = held.told.rows();
        let budget = Budget::default();
        let scope = Scope::new(&self.inputs, &rule.templates, &budget);
        let (mut counted, mut total) = (Vec::new(), 0);
        for (at, print) in prints.iter().enumerate() {
            let looked_at = self.touched.as_ref().is_none_or(|touched| touched.contains(print));
            let fingerprint =
                if looked_at || rule.counts_only_new() { fingerprint(print) } else { String::new() };
            let new = is_new(&fingerprint);
            let counts = new || !rule.counts_only_new();
            let shown = counts && counted.len() < ground.limits.most_shown;
            total += usize::from(counts);
            if !looked_at && !shown {
                continue;
            }
            let row = rows.at(at);
            if looked_at {
                let taken = self.subjects.take(rule, &query.name, (&fingerprint, new), &row, &scope);
                taken.map_err(|error| format!("the subject's name: {error}"))?;
            }
            if shown {
                counted.push(row);
            }
        }
        Ok(input::query(&query.text, total, &counted))
    }
}

/// The changes that a rule looks for, as its queries are answered of the ground's version: the version that each came with, and
/// what it is about.
///
/// # Errors
///
/// What is wrong with a condition or a name, in words.
pub(crate) async fn changes_found(
    rule: &Instance,
    ground: &Ground,
) -> Result<Vec<(Version, String)>, String> {
    let Some(wanted) = &rule.change else { return Ok(Vec::new()) };
    let (Seen { inputs, .. }, budget) = (ask(rule, ground, None, &|_| true).await?, Budget::default());
    let scope = Scope::new(&inputs, &rule.templates, &budget);
    let mut found = Vec::new();
    for change in ground.changes.iter().filter(|change| wanted.looks_at(change, &ground.own)) {
        let (row, budget) = (change::row(change), Budget::default());
        let fires = wanted.fires(&row, &scope.spending(&budget));
        if fires.map_err(|error| format!("the condition of the change: {error}"))? {
            let name = subject::name(rule, &row, &scope);
            found.push((change.version, name.map_err(|error| format!("the subject's name: {error}"))?));
        }
    }
    Ok(found)
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
    seen.notes.extend(ground.large.iter().map(|version| {
        format!("version {version} made more than {MOST_ENTRIES} changes, too many to look at each: none of them was")
    }));
    let mut counted = Vec::new();
    let mut total = 0;
    let whole = Budget::default();
    let scope = Scope::new(&seen.inputs, &rule.templates, &whole);
    for change in ground.changes.iter().filter(|change| wanted.looks_at(change, &ground.own)) {
        let row = change::row(change);
        let budget = Budget::default();
        let fires = wanted.fires(&row, &scope.spending(&budget));
        if !fires.map_err(|error| format!("the condition of the change: {error}"))? {
            continue;
        }
        let fingerprint = fingerprint(&print(rule, &row));
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
