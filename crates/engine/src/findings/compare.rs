//! Compares what rules find with the findings that are known: what is new, worse, back, and gone.
//!
//! Nothing is read or written here.
//!
//! Invariant: comparing again with what came of it gives nothing.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use metsuke_model::finding::{AlertStatus, FindingEvent, FindingState};
use metsuke_model::{Moment, Version};
use metsuke_store::{Document, Evaluated, FindingGround, FindingRow, Happened, RuleStateRow, Said};
use serde_json::Value as Json;

use super::ends;
use super::evidence::Evidence;
use super::failing;
use super::standing::{same_but_edition, same_but_version, state};
use super::touch;
use super::watched::Watched;
use crate::rules::{Evaluation, Level, State, Subject};

/// A rule that was evaluated, with the changes that it was to look at.
#[derive(Debug)]
pub(super) struct Judged<'j> {
    pub(super) rule: &'j Watched,
    pub(super) evaluation: Evaluation,
    pub(super) log: Arc<touch::Log>,
    /// The subjects of which it tells, by their fingerprints; none where it tells of all.
    pub(super) touched: Option<HashSet<String>>,
    pub(super) part: Part,
}

/// Which part it is of all that a rule found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    All,
    /// The first of several.
    First,
    /// One of the others; `acted`: the rule has done already what it does when it finds something.
    Further { acted: bool },
}

/// What is compared: of which version, when, and whether it is all that was evaluated.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    /// The rules that are watched.
    pub(super) watched: &'a HashSet<&'a str>,
    pub(super) version: Version,
    pub(super) now: Moment,
    /// Nothing more of the version follows.
    pub(super) last: bool,
}

impl Judged<'_> {
    /// The subjects that are findings.
    fn subjects(&self) -> &[Subject] {
        let judged = matches!(self.evaluation.state, State::Fired | State::Clear);
        // A condition that does not hold finds nothing, unless it only speaks of what is new.
        let holds = self.evaluation.state == State::Fired || self.rule.new_only();
        if judged && holds { &self.evaluation.subjects } else { &[] }
    }

    /// Whether it tells of more than so many subjects, each of which is a finding for itself: a rule that looks for what is
    /// new, or at changes, has to be stored at once to look at the same again.
    pub(super) fn is_told_in_parts(&self, most: usize) -> bool {
        let each_for_itself =
            self.touched.is_none() && !self.rule.new_only() && !self.rule.looks_at_changes();
        each_for_itself && self.subjects().len() > most
    }

    /// What is said of findings that it may have.
    pub(super) fn said(&self) -> impl Iterator<Item = (&str, Said<'_>)> {
        self.subjects().iter().map(|subject| {
            let said = Said {
                rule_name: self.rule.name(),
                subject: &subject.name,
                level: self.rule.level(&self.evaluation, subject).as_str(),
                print: self.evidence(subject).print(),
            };
            (&*subject.fingerprint, said)
        })
    }

    fn evidence(&self, subject: &Subject) -> Evidence {
        let rule = self.rule;
        Evidence {
            of_change: subject.found_by.iter().any(|name| **name == *"changes"),
            title: rule.title().to_owned(),
            explanation: rule.explanation().to_owned(),
            fix: rule.fix().to_owned(),
            command: rule.command(subject),
            controls: rule.controls(),
            rows: subject.rows.iter().map(Document::to_json).collect(),
            ..Evidence::default()
        }
    }
}

/// What came of comparing.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) evaluated: Evaluated,
    /// What is news: places in the list of findings, and what happened.
    pub(super) news: Vec<(usize, FindingEvent)>,
    /// Rules whose actions are to be carried out: places in the list of what was judged.
    pub(super) acting: Vec<usize>,
}

/// `same`: rules that find what is stored of them.
pub(super) fn compare(
    (judged, same_rules): (&[Judged<'_>], &[&Watched]),
    ground: &FindingGround,
    about: About<'_>,
) -> Outcome {
    let About { watched, version, now, last } = about;
    let mut outcome = Outcome::default();
    (outcome.evaluated.edition, outcome.evaluated.at) = (ground.standing.edition, Some(now));
    let states: HashMap<&str, &RuleStateRow> =
        ground.standing.rules.iter().map(|state| (&*state.rule, state)).collect();
    let mut by_rule: HashMap<&str, Vec<&FindingRow>> = HashMap::new();
    for finding in &ground.findings {
        by_rule.entry(&finding.rule).or_default().push(finding);
    }
    let mut seen = HashSet::new();
    for (place, one) in judged.iter().enumerate() {
        let known = by_rule.get(one.rule.key()).map(Vec::as_slice).unwrap_or_default();
        let before = states.get(one.rule.key()).copied();
        let standing = left_alone(one, known, ground);
        let same = &ground.same;
        let mut work =
            Work { one, now, outcome: &mut outcome, opened: false, standing, same, seen: &mut seen };
        work.findings(known);
        let (opened, standing) = (work.opened, work.standing);
        let state = state(one, before, (opened, standing), (now, ground.standing.edition + 1));
        let begins = state.alert == AlertStatus::Active && before.is_none_or(|was| was.alert != state.alert);
        if (opened || begins) && one.part != (Part::Further { acted: true }) {
            outcome.acting.push(place);
        }
        if before.is_none_or(|was| !same_but_edition(was, &state)) {
            let updated_at =
                if before.is_some_and(|was| same_but_version(was, &state)) { state.updated_at } else { now };
            outcome.evaluated.rules.push(RuleStateRow { updated_at, ..state });
        }
    }
    let evaluated = |rule: &&Watched| states.get(rule.key()).filter(|was| was.version != version).copied();
    let on = same_rules.iter().filter_map(evaluated).map(|was| RuleStateRow { version, ..was.clone() });
    outcome.evaluated.rules.extend(on);
    failing::tell(&mut outcome, judged, ground, (version, now));
    if last {
        ends::retire(&mut outcome, ground, watched, now);
        ends::lapse(&mut outcome, ground, &seen, now);
        outcome.evaluated.version = Some(version).filter(|_| ground.standing.evaluated != Some(version));
    }
    outcome
}

/// How many findings of a rule stand of which its evaluation tells nothing.
fn left_alone(one: &Judged<'_>, known: &[&FindingRow], ground: &FindingGround) -> usize {
    let touched = |finding: &&&FindingRow| {
        one.touched.as_ref().is_some_and(|touched| touched.contains(&*finding.fingerprint))
    };
    let told = known.iter().filter(touched).filter(|finding| finding.state != FindingState::Resolved).count();
    let same = one.touched.iter().flatten().filter(|print| ground.same.contains(*print)).count();
    let told = told + same;
    match (&one.touched, ground.standing.open.get(one.rule.key())) {
        (Some(_), Some(open)) => open.count.saturating_sub(told),
        _ => 0,
    }
}

/// The work on one rule.
struct Work<'w, 'j> {
    one: &'w Judged<'j>,
    now: Moment,
    outcome: &'w mut Outcome,
    /// A finding came, or came back.
    opened: bool,
    /// How many findings are there.
    standing: usize,
    /// Findings that are as they were.
    same: &'w HashSet<String>,
    /// Findings that were written already.
    seen: &'w mut HashSet<String>,
}

impl Work<'_, '_> {
    fn findings(&mut self, known: &[&FindingRow]) {
        let judged = matches!(self.one.evaluation.state, State::Fired | State::Clear);
        let subjects = self.one.subjects();
        let places: HashMap<&str, &&FindingRow> =
            known.iter().map(|finding| (&*finding.fingerprint, finding)).collect();
        for subject in subjects {
            match places.get(&*subject.fingerprint) {
                None if self.same.contains(&subject.fingerprint) => self.standing += 1,
                Some(finding) => self.again(finding, subject),
                None => self.open(None, subject),
            }
        }
        let found: HashSet<&str> = subjects.iter().map(|subject| &*subject.fingerprint).collect();
        for finding in known.iter().filter(|finding| finding.state != FindingState::Resolved) {
            let told =
                self.one.touched.as_ref().is_none_or(|touched| touched.contains(&*finding.fingerprint));
            if told && !found.contains(&*finding.fingerprint) {
                self.absent(finding, judged);
            }
        }
    }

    /// A subject that is not known, or that was resolved.
    fn open(&mut self, before: Option<&FindingRow>, subject: &Subject) {
        let (rule, version) = (self.one.rule, self.one.evaluation.version);
        let evidence = self.one.evidence(subject);
        let row = FindingRow {
            fingerprint: subject.fingerprint.clone(),
            number: before.map_or(0, |before| before.number),
            rule: rule.key().to_owned(),
            rule_name: rule.name().to_owned(),
            subject: subject.name.clone(),
            state: FindingState::Open,
            level: rule.level(&self.one.evaluation, subject).as_str().to_owned(),
            opened_at: self.now,
            opened: version,
            changed_at: self.now,
            seen: version,
            missing: None,
            times: before.map_or(0, |before| before.times) + 1,
            until: None,
            reason: None,
            person: None,
            print: evidence.print(),
            document: evidence.to_document(),
        };
        self.opened = true;
        let undone = self.undone(&evidence);
        let event = if before.is_some() { FindingEvent::Reopened } else { FindingEvent::Opened };
        let mut events = vec![(event, None)];
        if undone {
            // It came and went between two versions: both are news.
            events.push((FindingEvent::Resolved, Some("it was undone".to_owned())));
        } else {
            self.standing += 1;
        }
        let state = if undone { FindingState::Resolved } else { FindingState::Open };
        self.write(FindingRow { state, ..row }, events, true);
    }

    /// A subject that is known.
    fn again(&mut self, before: &FindingRow, subject: &Subject) {
        let evidence = self.one.evidence(subject);
        if before.state == FindingState::Resolved {
            let newest = evidence.rows.iter().filter_map(|row| row["version"].as_i64()).max();
            // The same entry of the log, looked at a second time, is no news.
            if !evidence.of_change || newest.is_some_and(|newest| newest > before.seen.0) {
                self.open(Some(before), subject);
            }
            return;
        }
        self.standing += 1;
        let level = self.one.rule.level(&self.one.evaluation, subject);
        let worse = before.level.parse::<Level>().is_ok_and(|was| level > was);
        let kept = Evidence::read(&before.document);
        let print = evidence.print();
        let row = FindingRow {
            rule_name: self.one.rule.name().to_owned(),
            subject: subject.name.clone(),
            level: level.as_str().to_owned(),
            missing: None,
            ..before.clone()
        };
        if row == *before && print == before.print {
            return;
        }
        let merged = Evidence { who: kept.who, path: kept.path, changes: kept.changes, ..evidence };
        let document = if print == before.print { before.document.clone() } else { merged.to_document() };
        let seen = self.one.evaluation.version;
        let row = FindingRow { changed_at: self.now, seen, print, document, ..row };
        let events = if worse {
            vec![(FindingEvent::Changed, Some(format!("was {}", before.level)))]
        } else {
            Vec::new()
        };
        self.write(row, events, worse);
    }

    /// A finding that is not among the subjects.
    fn absent(&mut self, before: &FindingRow, judged: bool) {
        let evidence = Evidence::read(&before.document);
        let evaluation = &self.one.evaluation;
        let why = if evidence.of_change {
            self.undone(&evidence).then_some("it was undone")
        } else if !judged {
            None
        } else if evaluation.complete {
            Some("it is not there any more")
        } else {
            // Not everything was read. What was not read stays as it was, so that what is gone has an entry.
            let cut = evaluation.notes.iter().any(|note| note.ends_with("the rest was not seen"));
            let texts = touch::texts(&evidence.rows);
            let touched = !cut && !self.one.log.about(&texts).is_empty();
            touched.then_some("it is not there any more")
        };
        let version = evaluation.version;
        if let Some(why) = why {
            let (state, until) = (FindingState::Resolved, None);
            let row = FindingRow {
                state,
                until,
                missing: None,
                changed_at: self.now,
                seen: version,
                ..before.clone()
            };
            return self.write(row, vec![(FindingEvent::Resolved, Some(why.to_owned()))], true);
        }
        self.standing += 1;
        if judged && !evidence.of_change && before.missing.is_none() {
            let row = FindingRow { missing: Some(version), changed_at: self.now, ..before.clone() };
            self.write(row, Vec::new(), false);
        }
    }

    /// Whether the log shows that the change was taken back.
    fn undone(&self, evidence: &Evidence) -> bool {
        let last = evidence.rows.iter().max_by_key(|row| row["version"].as_i64());
        let undone = |row: &Json| self.one.log.undoes(row);
        evidence.of_change && last.is_some_and(undone)
    }

    fn write(&mut self, row: FindingRow, events: Vec<(FindingEvent, Option<String>)>, news: bool) {
        let place = self.outcome.evaluated.findings.len();
        self.seen.insert(row.fingerprint.clone());
        for (what, reason) in events {
            let version = Some(self.one.evaluation.version);
            let fingerprint = row.fingerprint.clone();
            self.outcome.evaluated.happened.push(Happened {
                fingerprint,
                what,
                version,
                person: None,
                reason,
            });
            if news {
                self.outcome.news.push((place, what));
            }
        }
        self.outcome.evaluated.findings.push(row);
    }
}
