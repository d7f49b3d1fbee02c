//! Grants and revokes against the simulated Heroku: its own state is the judge, and the store must agree with it
//! without a new sync.

use std::collections::BTreeSet;
use std::time::Duration;

use metsuke_clients::heroku::Heroku;
use metsuke_engine::EngineError;
use metsuke_engine::access::GrantFilter;
use metsuke_engine::access::provision::{
    Applied, Ask, Caps, On, Outcome, Planned, Provisioner, Settings, Standing, cancel, verdicts,
};
use metsuke_model::grant::PrincipalKind;
use metsuke_model::plan::PlanStatus;
use metsuke_model::{Clock as _, FixedClock, SyncStatus, SystemClock};
use metsuke_simulator::{Delay, Options, Size};

use crate::house::House;

fn settings() -> Settings {
    Settings {
        allow_writes: true,
        late_window: Duration::from_millis(300),
        verify_patience: Duration::from_secs(3),
        poll: Duration::from_millis(20),
        ..Settings::default()
    }
}

fn role(user: &str, team: &str, role: &str) -> (String, On) {
    (user.into(), On::Team { team: team.into(), role: role.into() })
}

fn app(user: &str, app: &str, permissions: &[&str]) -> (String, On) {
    let permissions = permissions.iter().map(|name| (*name).to_owned()).collect();
    (user.into(), On::App { app: app.into(), permissions })
}

fn grant((user, on): (String, On)) -> Ask {
    Ask::Grant { user, on }
}

fn revoke((user, on): (String, On)) -> Ask {
    Ask::Revoke { user, on }
}

/// What came of asking and, where there was a plan, of applying it.
#[derive(Debug)]
enum Came {
    Unchanged,
    Refused(String),
    Applied(Applied),
}

async fn try_with(
    house: &House,
    heroku: &Heroku,
    settings: Settings,
    ask: &Ask,
) -> Result<Came, EngineError> {
    let provisioner = Provisioner::new(heroku, &house.store, settings, &SystemClock, &())?;
    Ok(match provisioner.plan(ask, Some("a test")).await? {
        Planned::Unchanged(_) => Came::Unchanged,
        Planned::Refused(refusal) => {
            Came::Refused(format!("{} {} {:?}", refusal.rule.unwrap_or("-"), refusal.reason, refusal.hint))
        }
        Planned::Plan(plan) => Came::Applied(provisioner.apply(&plan.id(), None).await?),
    })
}

async fn with(house: &House, settings: Settings, ask: &Ask) -> Came {
    let heroku = house.heroku(house.simulator.token());
    try_with(house, &heroku, settings, ask).await.unwrap()
}

async fn done(house: &House, ask: &Ask) -> Applied {
    match with(house, settings(), ask).await {
        Came::Applied(applied) if applied.outcome == Outcome::Applied => applied,
        other => panic!("{ask:?}: {other:?}"),
    }
}

async fn refused(house: &House, ask: &Ask) -> String {
    match with(house, settings(), ask).await {
        Came::Refused(reason) => reason,
        Came::Applied(applied) if applied.outcome == Outcome::RefusedByRule => applied.reason.unwrap(),
        other => panic!("{ask:?}: {other:?}"),
    }
}

/// The store says what a new sync would say.
async fn agrees(house: &House) {
    assert_eq!(house.direct(None).await, house.truth());
    let changes = house.sync().await.changes;
    assert_eq!((changes.added, changes.removed), (0, 0), "a new sync finds the same");
}

fn writes(house: &House) -> usize {
    house.simulator.journal().writes.len()
}

async fn synced(size: Size, seed: u64) -> House {
    let house = House::on_sqlite(Options::of(size).seed(seed)).await;
    house.sync().await;
    house
}

/// An Enterprise team, its first app and two of its people who are no admins.
struct Cast {
    team: String,
    app: String,
    people: Vec<String>,
}

fn cast(house: &House) -> Cast {
    house
        .simulator
        .edit(|world| {
            let teams = world.enterprise_team_names();
            let team = teams
                .into_iter()
                .find(|team| !world.app_names(Some(team)).is_empty() && world.members_of(team).len() > 4)
                .unwrap();
            let app = world.app_names(Some(&team)).first().unwrap().clone();
            let people = world.members_of(&team);
            let people = people.into_iter().filter(|(_, role)| role.as_deref() == Some("member"));
            let people = people.map(|(email, _)| email).collect();
            Cast { team, app, people }
        })
        .unwrap()
}

async fn every_operation_leaves_the_server_as_wished(house: House) {
    let Cast { team, app: name, people } = cast(&house);
    let someone = people.first().unwrap().as_str();
    let newcomer = "Newcomer@Example.com";
    let role_in = |house: &House, email: &str| {
        let email = email.to_owned();
        house.simulator.edit(|world| world.role_in(&team, &email)).unwrap()
    };
    let permissions = |house: &House, email: &str| {
        let email = email.to_owned();
        house.simulator.edit(|world| world.permissions_on(&name, &email)).unwrap()
    };

    done(&house, &grant(role(someone, &team, "viewer"))).await;
    assert_eq!(role_in(&house, someone).as_deref(), Some("viewer"));
    agrees(&house).await;
    done(&house, &grant(role(newcomer, &team, "member"))).await;
    assert_eq!(role_in(&house, newcomer).as_deref(), Some("member"));
    agrees(&house).await;
    done(&house, &grant(app(newcomer, &name, &["deploy", "manage"]))).await;
    assert_eq!(permissions(&house, newcomer).unwrap(), ["view", "deploy", "manage"]);
    done(&house, &grant(app(newcomer, &name, &["operate"]))).await;
    assert_eq!(permissions(&house, newcomer).unwrap().len(), 4, "the merged list was written");
    agrees(&house).await;
    done(&house, &revoke(app(newcomer, &name, &["deploy", "operate", "manage"]))).await;
    assert_eq!(permissions(&house, newcomer).unwrap(), ["view"], "view stays");
    done(&house, &revoke(app(newcomer, &name, &["view"]))).await;
    assert_eq!(permissions(&house, newcomer), None, "the last one takes the row");
    done(&house, &grant(app(newcomer, &name, &[]))).await;
    agrees(&house).await;
    let applied = done(&house, &revoke(role(newcomer, &team, "member"))).await;
    assert_eq!(role_in(&house, newcomer), None);
    assert_eq!(applied.calls, 1);
    agrees(&house).await;
}

#[tokio::test]
async fn every_operation_leaves_the_server_as_wished_on_sqlite() {
    every_operation_leaves_the_server_as_wished(synced(Size::Enterprise, 3).await).await;
}

#[tokio::test]
async fn every_operation_leaves_the_server_as_wished_on_postgres() {
    let house = House::on_postgres(Options::of(Size::Enterprise).seed(3)).await;
    house.sync().await;
    every_operation_leaves_the_server_as_wished(house).await;
}

#[tokio::test]
async fn what_is_finished_is_unchanged_and_sends_no_write() {
    let house = synced(Size::Enterprise, 5).await;
    let Cast { team, app: name, people } = cast(&house);
    let someone = people.first().unwrap();
    done(&house, &grant(app(someone, &name, &["deploy"]))).await;
    let before = writes(&house);
    for ask in [
        grant(app(someone, &name, &["deploy"])),
        grant(app(someone, &name, &["view"])),
        grant(app(someone, &name, &[])),
        revoke(app(someone, &name, &["manage"])),
        grant(role(someone, &team, "member")),
        revoke(role(someone, &team, "admin")),
        revoke(role("nobody@example.com", &team, "member")),
        revoke(app("nobody@example.com", &name, &[])),
    ] {
        assert!(matches!(with(&house, settings(), &ask).await, Came::Unchanged), "{ask:?}");
    }
    assert_eq!(writes(&house), before);
}

#[tokio::test]
async fn teams_that_invite_get_invitations_which_are_taken_back_again() {
    let house = synced(Size::Standard, 4).await;
    let team = house.simulator.edit(|world| world.standard_team_names().first().cloned()).flatten().unwrap();
    let newcomer = "someone.new@example.com";
    let applied = done(&house, &grant(role(newcomer, &team, "member"))).await;
    assert_eq!(applied.added.first().unwrap().principal.kind, PrincipalKind::Invitation);
    assert_eq!(house.direct(None).await, house.truth(), "an invitation is no access");
    let pending = house.lines(&GrantFilter::default(), None).await;
    assert!(
        pending.iter().any(|line| line.principal.email.as_deref() == Some(newcomer)),
        "it is shown pending"
    );
    assert!(matches!(
        with(&house, settings(), &grant(role(newcomer, &team, "member"))).await,
        Came::Unchanged
    ));
    done(&house, &grant(role(newcomer, &team, "admin"))).await;
    done(&house, &revoke(role(newcomer, &team, "admin"))).await;
    assert_eq!(house.direct(None).await, house.truth());
    assert!(
        house
            .lines(&GrantFilter::default(), None)
            .await
            .iter()
            .all(|line| { line.principal.email.as_deref() != Some(newcomer) })
    );
}

#[tokio::test]
async fn roles_and_permissions_that_cannot_be_given_are_refused_with_the_right_way() {
    let house = synced(Size::Mixed, 3).await;
    let Cast { team, app: name, people } = cast(&house);
    let someone = people.first().unwrap();
    let standard =
        house.simulator.edit(|world| world.standard_team_names().first().cloned()).flatten().unwrap();
    let plain =
        house.simulator.edit(|world| world.app_names(Some(&standard)).first().cloned()).flatten().unwrap();
    let before = writes(&house);
    for (ask, word) in [
        (grant(role(someone, &team, "collaborator")), "--collaborator"),
        (grant(role(someone, &team, "owner")), "transfer"),
        (grant(role(someone, &team, "king")), "admin, member and viewer"),
        (grant(role(someone, &standard, "viewer")), "Enterprise"),
        (grant(app(someone, &name, &["fly"])), "view, deploy, operate and manage"),
        (grant(app(someone, &plain, &["deploy"])), "--collaborator"),
    ] {
        let reason = refused(&house, &ask).await;
        assert!(reason.contains(word), "{ask:?}: {reason}");
    }
    assert_eq!(writes(&house), before);
}

#[tokio::test]
async fn one_plan_takes_everything_from_a_person() {
    let house = synced(Size::Mixed, 3).await;
    let Cast { team, app: name, people } = cast(&house);
    let someone = people.first().unwrap();
    done(&house, &grant(app(someone, &name, &["deploy"]))).await;
    let ask = Ask::Remove { user: someone.clone() };
    let Came::Applied(applied) = with(&house, settings(), &ask).await else { panic!("a plan") };
    assert_eq!(applied.outcome, Outcome::Applied, "{applied:?}");
    assert_eq!(house.simulator.edit(|world| world.role_in(&team, someone)).unwrap(), None);
    agrees(&house).await;
    let left = house.lines(&GrantFilter::default(), None).await;
    let left: Vec<_> = left
        .iter()
        .filter(|line| {
            line.principal.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(someone))
        })
        .filter(|line| line.resource.resource_type.as_str() != "enterprise_account")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// An app of the team names somebody who is invited to the team as well: the row must not hide the invitation.
#[tokio::test]
async fn an_invitation_behind_the_row_of_a_collaborator_is_taken_back() {
    let house = synced(Size::Standard, 4).await;
    let (team, app_name) = house
        .simulator
        .edit(|world| {
            let team = world.standard_team_names().first().cloned().unwrap();
            let app = world.app_names(Some(&team)).first().cloned().unwrap();
            (team, app)
        })
        .unwrap();
    for first in [true, false] {
        let newcomer = "works.on.apps@example.com";
        done(&house, &grant(role(newcomer, &team, "member"))).await;
        done(&house, &grant(app(newcomer, &app_name, &[]))).await;
        let invited = |house: &House| {
            let invitations = house.simulator.edit(|world| world.invitations_of(&team)).unwrap();
            invitations.iter().any(|(email, _)| email.eq_ignore_ascii_case(newcomer))
        };
        assert!(invited(&house));
        if first {
            done(&house, &revoke(role(newcomer, &team, "member"))).await;
            assert!(!invited(&house));
            let role = house.simulator.edit(|world| world.role_in(&team, newcomer)).unwrap();
            assert_eq!(role.as_deref(), Some("collaborator"), "the app's row is another matter");
        }
        let ask = Ask::Remove { user: newcomer.to_owned() };
        let Came::Applied(applied) = with(&house, settings(), &ask).await else { panic!("a plan") };
        assert_eq!(applied.outcome, Outcome::Applied, "{applied:?}");
        assert!(!invited(&house));
        assert_eq!(house.simulator.edit(|world| world.role_in(&team, newcomer)).unwrap(), None);
        // The person holds nothing any more, and a sync would find them gone; what is held is known without it.
        assert_eq!(house.direct(None).await, house.truth());
    }
}

#[tokio::test]
async fn a_plan_that_no_longer_fits_is_superseded_and_one_that_is_old_expires() {
    let house = synced(Size::Enterprise, 3).await;
    let Cast { team, people, .. } = cast(&house);
    let someone = people.first().unwrap();
    let heroku = house.heroku(house.simulator.token());
    let clock = FixedClock::at(SystemClock.now());
    let provisioner = Provisioner::new(&heroku, &house.store, settings(), &clock, &()).unwrap();
    let plan = async |ask: &Ask| match provisioner.plan(ask, None).await.unwrap() {
        Planned::Plan(plan) => plan.id(),
        other => panic!("{other:?}"),
    };
    let id = plan(&grant(role(someone, &team, "admin"))).await;
    house.simulator.edit(|world| world.set_member(&team, someone, Some("viewer")));
    let applied = provisioner.apply(&id, None).await.unwrap();
    assert_eq!(applied.outcome, Outcome::RefusedByRule);
    assert!(applied.reason.unwrap().contains("is viewer now"));
    assert_eq!(house.store.plan(&id).await.unwrap().unwrap().status, PlanStatus::Superseded);
    let id = plan(&grant(role(someone, &team, "member"))).await;
    clock.advance(24 * 3_600_000_000 + 1);
    assert_eq!(provisioner.apply(&id, None).await.unwrap().outcome, Outcome::RefusedByRule);
    assert_eq!(house.store.plan(&id).await.unwrap().unwrap().status, PlanStatus::Expired);
    assert_eq!(writes(&house), 0);
}

#[tokio::test]
async fn a_plan_that_was_called_off_is_never_applied_and_one_in_doubt_is_not_called_off() {
    let house = synced(Size::Enterprise, 3).await;
    let Cast { team, people, .. } = cast(&house);
    let someone = people.first().unwrap();
    let heroku = house.heroku(house.simulator.token());
    let provisioner = Provisioner::new(&heroku, &house.store, settings(), &SystemClock, &()).unwrap();
    let plan = async |role_: &str| match provisioner.plan(&grant(role(someone, &team, role_)), None).await {
        Ok(Planned::Plan(plan)) => plan.id(),
        other => panic!("{other:?}"),
    };
    let id = plan("admin").await;
    cancel(&house.store, &id, Some("not needed"), &SystemClock).await.unwrap();
    let row = house.store.plan(&id).await.unwrap().unwrap();
    assert_eq!(row.status, PlanStatus::Cancelled);
    assert!(row.told.unwrap().ends_with(": not needed"));
    let applied = provisioner.apply(&id, None).await.unwrap();
    assert_eq!((applied.outcome, applied.calls), (Outcome::RefusedByRule, 0));
    assert_eq!(house.store.plan(&id).await.unwrap().unwrap().status, PlanStatus::Cancelled);
    let again = cancel(&house.store, &id, None, &SystemClock).await.unwrap_err();
    assert!(again.to_string().contains("is cancelled"), "{again}");
    assert_eq!(writes(&house), 0);
    // What was applied has ended.
    let id = plan("viewer").await;
    assert_eq!(provisioner.apply(&id, None).await.unwrap().outcome, Outcome::Applied);
    assert!(cancel(&house.store, &id, None, &SystemClock).await.is_err());
    // Of a step that may be on its way, somebody finds out first.
    let id = plan("admin").await;
    let lock = house.store.provisioning_lock(Duration::from_secs(1)).await.unwrap();
    let event = || house.store.event(SystemClock.now(), metsuke_model::audit::EventCode::IntentWritten);
    let wanted =
        house.store.intend(&lock, (&id, 1), SystemClock.now(), "x", |_| true, event()).await.unwrap();
    drop(lock);
    let doubt = cancel(&house.store, &id, None, &SystemClock).await.unwrap_err();
    assert!(wanted && doubt.to_string().contains("not known how far"), "{doubt}");
}

#[tokio::test]
async fn what_the_rules_say_of_a_plan_is_told_before_anybody_applies_it() {
    let house = synced(Size::Enterprise, 3).await;
    let Cast { team, people, .. } = cast(&house);
    let someone = people.first().unwrap();
    let heroku = house.heroku(house.simulator.token());
    let provisioner = Provisioner::new(&heroku, &house.store, settings(), &SystemClock, &()).unwrap();
    let Ok(Planned::Plan(plan)) = provisioner.plan(&grant(role(someone, &team, "admin")), None).await else {
        panic!("a plan")
    };
    let row = house.store.plan(&plan.id()).await.unwrap().unwrap();
    let said = async |settings: &Settings, later: i64| {
        let now = metsuke_model::Moment(SystemClock.now().0 + later);
        let told = verdicts(&house.store, settings, &row, now).await.unwrap();
        let not_kept = told.into_iter().filter(|one| one.standing != Standing::Kept);
        not_kept.map(|one| (one.rule, one.standing)).collect::<Vec<_>>()
    };
    assert_eq!(said(&settings(), 0).await, [("R2", Standing::Asked)]);
    let closed = Settings { allow_writes: false, ..settings() };
    assert_eq!(said(&closed, 0).await, [("R10", Standing::Broken), ("R2", Standing::Asked)]);
    let event = house.store.event(SystemClock.now(), metsuke_model::audit::EventCode::KillSwitchOn);
    house.store.set_kill_switch(true, event).await.unwrap();
    assert_eq!(
        said(&closed, 0).await,
        [("R10", Standing::Broken), ("R11", Standing::Broken), ("R2", Standing::Asked)],
        "each is told, not only the first"
    );
    let event = house.store.event(SystemClock.now(), metsuke_model::audit::EventCode::KillSwitchOff);
    house.store.set_kill_switch(false, event).await.unwrap();
    assert_eq!(
        said(&settings(), 25 * 3_600_000_000).await,
        [("R6", Standing::Broken), ("R2", Standing::Asked)]
    );
    let event =
        house.store.event(SystemClock.now(), metsuke_model::audit::EventCode::ProtectedPrincipalAdded);
    house.store.protect(someone, true, SystemClock.now(), event).await.unwrap();
    let none = Settings { caps: Caps { hour_elevations: 0, ..Caps::default() }, ..settings() };
    assert_eq!(
        said(&none, 0).await,
        [("R2", Standing::Asked), ("R3", Standing::Broken), ("R4", Standing::Over)]
    );
}

#[tokio::test]
async fn the_gaps_of_a_partial_version_are_named_in_the_one_that_a_plan_makes() {
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(3)).await;
    let base = house.sync().await;
    assert_eq!(base.report.status, SyncStatus::Partial);
    let gaps = async |version| {
        let scopes = house.store.scopes(version).await.unwrap().into_iter();
        scopes.filter(|scope| scope.gap).map(|scope| scope.scope).collect::<BTreeSet<_>>()
    };
    let before = gaps(base.version).await;
    let Cast { app: name, people, .. } = cast(&house);
    done(&house, &grant(app(people.first().unwrap(), &name, &["deploy", "manage"]))).await;
    let after = house.snapshot(None).await.sync().clone();
    assert!(after.version > base.version && !before.is_empty());
    assert_eq!((after.status, gaps(after.version).await), (SyncStatus::Partial, before));
}

#[tokio::test]
async fn what_heroku_shows_late_is_waited_for() {
    let house = synced(Size::Enterprise, 3).await;
    let Cast { team, app: name, people } = cast(&house);
    let someone = people.first().unwrap();
    house.simulator.set_settling(Delay::exactly(Duration::from_millis(400)));
    done(&house, &grant(app(someone, &name, &["deploy"]))).await;
    done(&house, &revoke(app(someone, &name, &["view"]))).await;
    done(&house, &grant(role(someone, &team, "viewer"))).await;
    house.simulator.set_settling(Delay::NONE);
    agrees(&house).await;
}

#[tokio::test]
async fn answers_in_doubt_are_settled_by_reading() {
    for fault in [
        "write-applied-500",
        "write-applied-reset",
        "write-applied-truncated",
        "write-dropped-500",
        "write-dropped-reset",
        "write-late-reset=0..200",
        "write-late-503=0..200",
    ] {
        let house = synced(Size::Enterprise, 3).await;
        let Cast { app: name, people, .. } = cast(&house);
        let someone = people.first().unwrap();
        house.simulator.faults().add(format!("{fault}#1").parse().unwrap());
        done(&house, &grant(app(someone, &name, &["deploy"]))).await;
        house.simulator.settled().await;
        let journal = house.simulator.journal();
        let changed = journal.writes.iter().filter(|write| write.changed()).count();
        assert_eq!(changed, 1, "{fault}: applied once: {journal:?}");
        agrees(&house).await;
    }
}

#[tokio::test]
async fn writes_need_to_be_allowed_and_the_kill_switch_stops_them() {
    let house = synced(Size::Enterprise, 3).await;
    let Cast { team, people, .. } = cast(&house);
    let ask = grant(role(people.first().unwrap(), &team, "viewer"));
    let closed = Settings { allow_writes: false, ..settings() };
    let Came::Applied(applied) = with(&house, closed, &ask).await else { panic!("a plan") };
    assert!(applied.reason.unwrap().starts_with("R10"));
    let now = SystemClock.now();
    let event = house.store.event(now, metsuke_model::audit::EventCode::KillSwitchOn);
    house.store.set_kill_switch(true, event).await.unwrap();
    assert!(refused(&house, &ask).await.starts_with("R11"));
    let event = house.store.event(now, metsuke_model::audit::EventCode::KillSwitchOff);
    house.store.set_kill_switch(false, event).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stop");
    std::fs::write(&file, "").unwrap();
    let stopped = Settings { kill_file: Some(file.clone()), ..settings() };
    let Came::Applied(applied) = with(&house, stopped.clone(), &ask).await else { panic!("a plan") };
    assert!(applied.reason.unwrap().starts_with("R11"));
    assert_eq!(writes(&house), 0);
    std::fs::remove_file(&file).unwrap();
    let Came::Applied(applied) = with(&house, stopped, &ask).await else { panic!("a plan") };
    assert_eq!(applied.outcome, Outcome::Applied);
}

/// A trigger that lets no event of one code be stored.
macro_rules! no_room {
    ($code:literal) => {
        (
            $code,
            concat!(
                "CREATE TRIGGER full BEFORE INSERT ON audit_event WHEN NEW.text LIKE '%",
                $code,
                "%' BEGIN SELECT RAISE(ABORT, 'no room'); END"
            ),
        )
    };
}

#[tokio::test]
async fn when_an_event_cannot_be_stored_the_call_is_not_made() {
    for (code, trigger) in [
        no_room!("plan.created"),
        no_room!("plan.approved"),
        no_room!("intent.written"),
        no_room!("call.sent"),
    ] {
        let house = synced(Size::Enterprise, 3).await;
        let Cast { team, people, .. } = cast(&house);
        let ask = grant(role(people.first().unwrap(), &team, "viewer"));
        metsuke_testkit::sqlite(&house.store.file().unwrap(), trigger).await.unwrap();
        let heroku = house.heroku(house.simulator.token());
        let outcome = try_with(&house, &heroku, settings(), &ask).await;
        assert!(outcome.is_err(), "{code}: {outcome:?}");
        assert_eq!(writes(&house), 0, "{code}");
        metsuke_testkit::sqlite(&house.store.file().unwrap(), "DROP TRIGGER full").await.unwrap();
        done(&house, &ask).await;
        agrees(&house).await;
    }
}
