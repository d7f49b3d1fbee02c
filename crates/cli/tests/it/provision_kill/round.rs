//! One wish, killed on its way and carried out afterwards.
//!
//! What is right is for `judge` to say.
//!
//! Invariant: when a round is over nothing is under way at the simulated Heroku, and no plan is open.

use std::collections::BTreeSet;
use std::fs::File;
use std::time::{Duration, Instant};

use metsuke_engine::access::provision::Point;
use metsuke_model::plan::StepStatus;
use metsuke_simulator::{Delay, Options, Size};
use metsuke_store::PlanRow;
use metsuke_testkit::Chance;
use serde_json::Value;
use tokio::process::Command;
use tokio::time::{sleep, timeout};

use super::judge::{Ledger, When, Wrong, judge};
use super::wish::{Wish, joiners, mistreat};
use crate::house::House;

/// Limits of the program, shortened: an effect may be late by less than the window beyond the time limit.
const FLAGS: [&str; 9] = [
    "--request-timeout=800ms",
    "--late-window=900ms",
    "--verify-patience=200ms",
    "--reserve=0",
    "--attempts=5",
    "--allow-writes",
    "--quiet",
    "--format",
    "json",
];
/// How long a call in doubt takes at most, with its time limit and the window.
const IN_DOUBT: Duration = Duration::from_millis(2_600);
/// How long reads lag behind writes in some estates; below the patience of reading back.
const SETTLING: Duration = Duration::from_millis(120);

/// An estate with a database, and what a command on it usually takes.
pub(super) struct Estate {
    pub(super) house: House,
    known: BTreeSet<String>,
    usual: Duration,
    settling: Duration,
    sabotage: Option<&'static str>,
}

/// What a round came to.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// What was asked for and what was done to it, to be told where something is wrong.
    pub(super) story: Vec<String>,
    /// Where each kill struck.
    pub(super) kills: Vec<String>,
    /// Steps that were open, of which nobody knew whether they had taken effect.
    pub(super) open: usize,
    /// Processes that ended by saying so.
    pub(super) unknown: usize,
    /// Open steps that reading settled.
    pub(super) reconciled: usize,
    pub(super) wrong: Vec<Wrong>,
}

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Aim {
    Never,
    After(Duration),
    /// When it reaches this point for the so-many-th time.
    At(Point, u32),
}

/// How a process ended.
pub(super) struct Ended {
    pub(super) killed: bool,
    pub(super) code: i32,
    pub(super) told: Value,
    stderr: String,
    took: Duration,
}

impl Estate {
    /// A synced estate of this seed.
    pub(super) async fn new(seed: u64, sabotage: Option<&'static str>) -> Self {
        let settling = if seed.is_multiple_of(3) { SETTLING } else { Duration::ZERO };
        let mut options = Options::of(Size::Small).seed(seed).settling(Delay::up_to(settling));
        options.rate_limit = false;
        let house = House::new(options).await;
        house.heroku.edit(|world| {
            let caller = world.caller_email();
            world.set_two_factor(&caller, true);
            for joiner in joiners() {
                world.add_person(&joiner);
            }
        });
        let ran = house.run(&["sync", "--quiet"]).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        Self { house, known: BTreeSet::new(), usual: Duration::from_millis(250), settling, sabotage }
    }

    pub(super) fn command(&self, arguments: &[String]) -> Command {
        let words: Vec<&str> = arguments.iter().map(String::as_str).chain(FLAGS).collect();
        let mut command = self.house.command(&words);
        if let Some(sabotage) = self.sabotage {
            command.env("METSUKE_TEST_SABOTAGE", sabotage);
        }
        command
    }

    /// Runs a command, and kills it as aimed unless it was faster.
    pub(super) async fn run(&self, arguments: &[String], aim: Aim) -> Ended {
        let mut command = self.command(arguments);
        if let Aim::At(point, times) = aim {
            command.env("METSUKE_TEST_ABORT_AT", format!("{}:{times}", point.as_str()));
        }
        let path = |name| self.house.folder.path().join(name);
        command.stdout(File::create(path("stdout")).unwrap()).stderr(File::create(path("stderr")).unwrap());
        let started = Instant::now();
        let mut child = command.spawn().unwrap();
        let patience = if let Aim::After(delay) = aim { delay } else { Duration::from_mins(2) };
        if timeout(patience, child.wait()).await.is_err() {
            child.start_kill().unwrap();
        }
        let status = child.wait().await.unwrap();
        let text = |name| std::fs::read_to_string(path(name)).unwrap();
        Ended {
            killed: status.code().is_none(),
            code: status.code().unwrap_or(-1),
            told: serde_json::from_str(&text("stdout")).unwrap_or_default(),
            stderr: text("stderr"),
            took: started.elapsed(),
        }
    }

    /// A database that no process has open.
    pub(super) async fn ledger(&self) -> Ledger {
        Ledger::copied(&self.house.database()).await.unwrap()
    }

    /// The plans of this round.
    pub(super) async fn plans(&self) -> Vec<PlanRow> {
        self.ledger().await.plans(&self.known).await.unwrap()
    }

    /// Waits until nothing is under way at Heroku, and reads show it.
    pub(super) async fn settled(&self) {
        self.house.heroku.settled().await;
        sleep(self.settling).await;
    }

    fn aim(&self, chance: &mut Chance) -> Aim {
        let times = if chance.one_in(4) { 2 } else { 1 };
        match chance.below(10) {
            0..=5 => chance.pick(&Point::ALL).map_or(Aim::Never, |point| Aim::At(*point, times)),
            6..=8 => Aim::After(chance.within(self.usual * 23 / 20)),
            _ => Aim::After(chance.within(self.usual + IN_DOUBT)),
        }
    }

    /// Runs a command that may be killed, and notes where it was.
    async fn endanger(&mut self, arguments: &[String], chance: &mut Chance, round: &mut Round) {
        let aim = self.aim(chance);
        let ended = self.run(arguments, aim).await;
        round.story.push(format!(
            "{}: {aim:?}: {} {}",
            arguments.join(" "),
            ended.code,
            ended.told["outcome"]
        ));
        round.unknown += usize::from(ended.told["outcome"] == "unknown");
        if !ended.killed {
            self.usual = self.usual * 9 / 10 + ended.took.min(self.usual * 2) / 10;
            return;
        }
        let ledger = self.ledger().await;
        if let Err(error) = ledger.sound().await {
            round.wrong.push(Wrong::Other(error));
        }
        round.kills.push(match aim {
            Aim::At(point, _) => format!("at {}", point.as_str()),
            _ => format!("any time, {}", furthest(&ledger.plans(&self.known).await.unwrap())),
        });
    }

    /// Asks for something, kills who does it, and carries it out.
    pub(super) async fn round(&mut self, chance: &mut Chance) -> Round {
        let mut round = Round::default();
        let wish = self
            .house
            .heroku
            .edit(|world| std::iter::repeat_with(|| Wish::pick(world, chance)).take(50).flatten().next());
        let Some(wish) = wish.flatten() else { return round };
        self.house.heroku.reset_journal();
        let faults = self.house.heroku.faults();
        if let Some(fault) = mistreat(chance) {
            round.story.push(format!("{fault}"));
            faults.add(fault);
        }
        let arguments = if let Some(confirm) = wish.confirm.filter(|_| chance.one_in(2)) {
            at_once(&wish, confirm)
        } else {
            let planned = self.run(&with(&wish.arguments, &["--plan-only".into()]), Aim::Never).await;
            let plan = &planned.told["plan"];
            let (Some(id), Some(confirm)) = (plan["id"].as_str(), plan["confirm_count"].as_u64()) else {
                round.story.push(format!("{:?}: {} {}", wish, planned.told, planned.stderr));
                faults.clear();
                round.wrong.extend(judge(&self.house.heroku, &[], When::Reconciled));
                return round;
            };
            apply(id, confirm)
        };
        round.story.push(wish.arguments.join(" "));
        self.endanger(&arguments, chance, &mut round).await;
        while round.kills.len() < 3 && chance.one_in(3) {
            let again = if chance.one_in(2) { reconcile() } else { arguments.clone() };
            self.endanger(&again, chance, &mut round).await;
        }
        self.house.heroku.faults().clear();
        self.finish(&wish, chance, &mut round).await;
        round
    }

    /// Settles what is open, carries out what is left, and judges after both.
    async fn finish(&mut self, wish: &Wish, chance: &mut Chance, round: &mut Round) {
        let before = open(&self.plans().await);
        let ended = self.run(&reconcile(), Aim::Never).await;
        self.settled().await;
        let plans = self.plans().await;
        round.story.push(format!("reconcile: {} {}; {}", ended.code, ended.stderr, told(&plans)));
        round.open += before;
        round.reconciled += before.saturating_sub(open(&plans));
        round.wrong.extend(judge(&self.house.heroku, &plans, When::Reconciled));
        let Some(plan) = plans.first() else { return };
        let again = apply(&plan.id, plan.plan.confirm_count() as u64);
        let arguments = match wish.confirm.filter(|_| chance.one_in(4)) {
            Some(confirm) => at_once(wish, confirm),
            None => again,
        };
        let ended = self.run(&arguments, Aim::Never).await;
        self.settled().await;
        let ledger = self.ledger().await;
        let plans = ledger.plans(&self.known).await.unwrap();
        let reason = &ended.told["reason"];
        round.story.push(format!(
            "{}: {} {reason} {}; {}",
            arguments.join(" "),
            ended.code,
            ended.stderr,
            told(&plans)
        ));
        if !ended.told["outcome"].as_str().is_some_and(|word| ["applied", "unchanged"].contains(&word)) {
            round.wrong.push(Wrong::Other(format!("it ended with {}", ended.code)));
        }
        // Where the same wish was met otherwise, the first plan has nothing left to do.
        let when = if ended.told["outcome"] == "applied" { When::Applied } else { When::Reconciled };
        round.wrong.extend(judge(&self.house.heroku, &plans, when));
        if let Some(apart) = ledger.apart(&self.house.heroku).await.unwrap_or_else(Some) {
            round.wrong.push(Wrong::Other(format!("the newest version and Heroku differ: {apart}")));
        }
        if let Err(error) = ledger.sound().await {
            round.wrong.push(Wrong::Other(error));
        }
        self.known.extend(plans.into_iter().map(|plan| plan.id));
    }
}

fn with(words: &[String], more: &[String]) -> Vec<String> {
    words.iter().chain(more).cloned().collect()
}

fn at_once(wish: &Wish, confirm: usize) -> Vec<String> {
    with(&wish.arguments, &["--yes".into(), format!("--confirm-count={confirm}")])
}

pub(super) fn apply(id: &str, confirm: u64) -> Vec<String> {
    vec!["apply".into(), id.into(), format!("--confirm-count={confirm}")]
}

pub(super) fn reconcile() -> Vec<String> {
    vec!["plans".into(), "reconcile".into()]
}

const fn is_open(status: StepStatus) -> bool {
    matches!(status, StepStatus::Intent | StepStatus::Sent | StepStatus::Confirmed | StepStatus::Unknown)
}

fn open(plans: &[PlanRow]) -> usize {
    plans.iter().flat_map(|plan| &plan.steps).filter(|step| is_open(step.status)).count()
}

/// How far the steps had come.
fn furthest(plans: &[PlanRow]) -> &'static str {
    let mut steps = plans.iter().flat_map(|plan| &plan.steps);
    let open = steps.clone().find(|step| is_open(step.status));
    match open.or_else(|| steps.rfind(|step| step.status != StepStatus::Planned)) {
        Some(step) => step.status.as_str(),
        None if plans.is_empty() => "no plan",
        None => "planned",
    }
}

fn told(plans: &[PlanRow]) -> String {
    let one = |plan: &PlanRow| {
        let steps: Vec<_> = plan.steps.iter().map(|step| (step.ordinal, step.status, &step.told)).collect();
        format!("{} {} {steps:?}", plan.id, plan.status.as_str())
    };
    plans.iter().map(one).collect::<Vec<_>>().join(", ")
}
