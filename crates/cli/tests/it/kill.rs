//! `kill -9` at any moment of a sync: the database opens, and its last version is whole.
//!
//! A version is compared with what the simulated Heroku has, not with what the program said of it.
//!
//! Invariant: only copies are looked into, so every sync meets the files exactly as the kill left them.

mod checker;
mod quarantined;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use metsuke_model::Version;
use metsuke_simulator::{Options, Size, World};
use metsuke_testkit::{Chance, seed, setting};
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use crate::house::House;
use checker::{State, check, judge};

/// What an undisturbed sync takes.
#[derive(Clone, Copy, Debug, Default)]
struct Usual {
    requests: u64,
    whole: Duration,
    /// From the last answer to the end of the process.
    tail: Duration,
}

/// A database, and the version that it must still have.
struct Subject {
    file: PathBuf,
    before: Option<(Version, State)>,
    usual: Usual,
}

/// When the kill comes.
#[derive(Clone, Copy)]
enum Aim {
    Never,
    At(Duration),
    /// So long after the last answer of Heroku: while the program compares and commits.
    AfterReading(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    BeforeAnyRequest,
    Reading,
    AfterTheLastRequest,
    AfterTheLastRequestAndCommitted,
    FinishedByItself,
}

struct Ran {
    finished: bool,
    requests: u64,
    answered: u64,
    took: Duration,
}

fn answered(house: &House) -> u64 {
    house.heroku.stats().by_status.values().sum()
}

fn spawn(house: &House, file: &Path) -> Child {
    // Whatever the edits take away is to come through: a run in quarantine would be no version to judge.
    let brake_off = ["--brake-percent", "100", "--brake-from", "1000000"];
    let arguments = [&["sync", "--format", "json", "--quiet"][..], &brake_off].concat();
    let mut command = house.command(&arguments);
    command.env("METSUKE_DATABASE_URL", format!("sqlite:{}", file.display()));
    let stderr = std::fs::File::create(house.folder.path().join("stderr")).unwrap();
    command.stdout(Stdio::null()).stderr(stderr).spawn().unwrap()
}

/// One sync by the real program, killed as aimed unless it was faster.
async fn sync(house: &House, subject: &Subject, aim: Aim) -> Ran {
    house.heroku.reset_stats();
    let started = Instant::now();
    let mut child = spawn(house, &subject.file);
    let patience = match aim {
        Aim::Never => Duration::from_mins(1),
        Aim::At(delay) => delay,
        Aim::AfterReading(delay) => {
            while answered(house) < subject.usual.requests && child.try_wait().unwrap().is_none() {
                sleep(Duration::from_micros(300)).await;
            }
            delay
        }
    };
    // The timer of the runtime counts whole milliseconds; a commit is over within a few of them.
    let patience = patience.saturating_sub(Duration::from_millis(1));
    if timeout(patience, child.wait()).await.is_err() {
        child.start_kill().unwrap();
    }
    let status = child.wait().await.unwrap();
    let finished = status.code().is_some();
    let told = std::fs::read_to_string(house.folder.path().join("stderr")).unwrap();
    assert!(!finished || status.success(), "{status}: {told}");
    let took = started.elapsed();
    Ran { finished, requests: house.heroku.stats().requests, answered: answered(house), took }
}

/// Measures what a sync of this database usually takes, and leaves it with a version.
async fn measure(house: &House, subject: &mut Subject, fresh: bool) {
    let mut usual = Usual::default();
    for _ in 0..3 {
        if fresh {
            remove(&subject.file);
        }
        house.heroku.reset_stats();
        let started = Instant::now();
        let mut child = spawn(house, &subject.file);
        let (mut last, mut seen) = (started, 0);
        while child.try_wait().unwrap().is_none() {
            let now = answered(house);
            if now > seen {
                (last, seen) = (Instant::now(), now);
            }
            sleep(Duration::from_micros(300)).await;
        }
        usual.requests = seen;
        usual.whole = usual.whole.max(started.elapsed());
        usual.tail = usual.tail.max(last.elapsed());
    }
    subject.usual = usual;
    let observed = check(&subject.file).await.unwrap().unwrap();
    subject.before = Some((observed.version, observed.state));
}

fn remove(file: &Path) {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let path = PathBuf::from(format!("{}{ending}", file.display()));
        if path.exists() {
            std::fs::remove_file(path).unwrap();
        }
    }
}

/// Changes a few things behind the program's back, in ways that need no more requests than before.
fn edit(world: &mut World, chance: &mut Chance, round: usize) {
    let teams = world.enterprise_team_names();
    for _ in 0..3 {
        let person = format!("joiner-{}@example.com", chance.below(12));
        let Some(team) = chance.pick(&teams) else { return };
        let apps = world.app_names(Some(team));
        let Some(app) = chance.pick(&apps) else { continue };
        let extra = format!("extra-{}", chance.below(4));
        let edited = match chance.below(6) {
            0 => {
                let role = chance.pick(&["member", "viewer", "auditor"]).copied();
                world.set_member(team, &person, role).is_some()
            }
            1 => world.remove_member(team, &person),
            2 => world.set_collaborator(app, &person, &["view", "deploy", "debug"]).is_some(),
            3 => world.remove_collaborator(app, &person),
            4 if apps.contains(&extra) => world.remove_app(&extra),
            4 => world.add_app(Some(team), &extra).is_some(),
            _ => false,
        };
        if !edited {
            world.rename_app(app, &format!("renamed-{round}"));
        }
    }
    for team in world.standard_team_names() {
        if !world.withdraw_invitation(&team, "guest@example.com") {
            world.invite(&team, "guest@example.com", "member");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_nine_during_sync_leaves_the_last_version_whole() {
    let kills = setting("METSUKE_KILLS", 200_usize);
    let seed = seed("METSUKE_KILL_SEED");
    println!("METSUKE_KILLS={kills}");
    let mut chance = Chance::new(seed);
    let mut options = Options::of(Size::Small).seed(seed).latency(Duration::from_millis(2));
    options.rate_limit = false;
    let house = House::new(options).await;
    let subject =
        |name| Subject { file: house.folder.path().join(name), before: None, usual: Usual::default() };
    let (mut known, mut fresh) = (subject("known.db"), subject("fresh.db"));
    measure(&house, &mut known, false).await;
    measure(&house, &mut fresh, true).await;
    println!("a first sync: {:?}; a later one: {:?}", fresh.usual, known.usual);

    let mut phases: BTreeMap<Phase, usize> = BTreeMap::new();
    let (mut killed, mut first_loads, mut round) = (0, 0, 0);
    while killed < kills {
        round += 1;
        assert!(round < kills * 3 + 30, "kills miss: {phases:?}");
        house.heroku.edit(|world| edit(world, &mut chance, round));
        let truth = State::of_heroku(&house.heroku.truth());
        let subject = if chance.below(5) < 2 { &mut fresh } else { &mut known };
        // Most first loads begin with nothing, some with what a kill left of another one.
        if subject.file.ends_with("fresh.db") && !chance.one_in(4) {
            remove(&subject.file);
            subject.before = None;
        }
        let usual = subject.usual;
        let aim = match chance.below(20) {
            0 | 1 => Aim::Never,
            2..=9 => Aim::At(chance.within(usual.whole * 23 / 20)),
            10..=12 => Aim::AfterReading(chance.within(usual.tail * 11 / 10)),
            _ => Aim::AfterReading(chance.within(usual.tail / 2)),
        };
        let ran = sync(&house, subject, aim).await;
        let told = format!("seed {seed}, round {round}, {}", subject.file.display());
        let observed = check(&subject.file).await.unwrap_or_else(|error| panic!("{told}: {error}"));
        let committed = judge(observed.as_ref(), subject.before.as_ref(), &truth)
            .unwrap_or_else(|error| panic!("{told}: {error}"));
        let phase = match () {
            () if ran.finished => Phase::FinishedByItself,
            () if committed => Phase::AfterTheLastRequestAndCommitted,
            () if ran.requests == 0 => Phase::BeforeAnyRequest,
            () if ran.answered < usual.requests => Phase::Reading,
            () => Phase::AfterTheLastRequest,
        };
        assert!(committed || phase != Phase::FinishedByItself, "{told}: no version came of it");
        *phases.entry(phase).or_default() += 1;
        if ran.finished {
            subject.usual.requests = ran.answered;
            subject.usual.whole = usual.whole * 9 / 10 + ran.took.min(usual.whole * 2) / 10;
        } else {
            killed += 1;
            first_loads += usize::from(subject.before.is_none());
        }
        subject.before = observed.map(|observed| (observed.version, observed.state));
    }
    println!("{killed} kills, {first_loads} of them in a first load: {phases:?}");
    let reached = |phase| phases.get(&phase).copied().unwrap_or(0) * 20 >= kills;
    assert!(kills < 100 || (reached(Phase::Reading) && reached(Phase::AfterTheLastRequest)), "{phases:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checker_of_kills_notices_what_a_torn_commit_would_leave() {
    let house = House::synced(Size::Small).await;
    let truth = State::of_heroku(&house.heroku.truth());
    let good = check(&house.database()).await.unwrap().unwrap();
    let before = Some((good.version, good.state.clone()));
    assert_eq!(judge(Some(&good), None, &truth), Ok(true));
    assert_eq!(judge(Some(&good), before.as_ref(), &truth), Ok(false));
    let spoilt = house.folder.path().join("spoilt.db");
    for statement in [
        "DELETE FROM access WHERE (resource_id, principal_id) IN (SELECT resource_id, principal_id
           FROM access WHERE resource_id & 63 = 4 LIMIT 1)",
        "DELETE FROM held WHERE (principal_id, resource_id) IN (SELECT principal_id, resource_id FROM held LIMIT 1)",
        "UPDATE held SET mask = mask | 16 WHERE (principal_id, resource_id) IN (SELECT principal_id, resource_id
           FROM held WHERE mask & 16 = 0 LIMIT 1)",
        "UPDATE access SET mask = mask | 16 WHERE (resource_id, principal_id) IN (SELECT resource_id, principal_id
           FROM access WHERE resource_id & 63 = 4 AND mask & 16 = 0 LIMIT 1)",
        "UPDATE app SET gone = 1 WHERE id = (SELECT MAX(id) FROM app)",
        "DELETE FROM person WHERE id = (SELECT MIN(id) FROM person)",
        "UPDATE sync SET grants = grants + 1",
        "DELETE FROM scope; DELETE FROM sync",
        "DROP INDEX app_name",
    ] {
        remove(&spoilt);
        std::fs::copy(house.database(), &spoilt).unwrap();
        metsuke_testkit::sqlite(&spoilt, statement).await.unwrap();
        let verdict = match check(&spoilt).await {
            Ok(observed) => judge(observed.as_ref(), before.as_ref(), &truth),
            Err(error) => Err(error),
        };
        assert!(verdict.is_err(), "not noticed: {statement}");
    }
    remove(&spoilt);
    let bytes = std::fs::read(house.database()).unwrap();
    std::fs::write(&spoilt, &bytes[..bytes.len() / 2]).unwrap();
    assert!(check(&spoilt).await.is_err(), "a torn file was not noticed");
}
