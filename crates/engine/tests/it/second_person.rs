//! Rule R7 against the simulated Heroku, on both databases: what a second person has to approve is not applied without, and
//! nobody is their own second person. What reached Heroku is the judge.

use std::time::Duration;

use metsuke_engine::EngineError;
use metsuke_engine::access::provision::{
    Applied, Ask, On, Outcome, Planned, Provisioner, Sabotage, Settings, Standing, approve, cancel, verdicts,
};
use metsuke_model::approval::{Approval, Demand, Party};
use metsuke_model::audit::{Actor, ActorKind, EventCode};
use metsuke_model::plan::{Plan, PlanStatus};
use metsuke_model::{Clock as _, FixedClock, SystemClock};
use metsuke_simulator::{Options, Size};
use metsuke_store::Store;

use crate::house::House;

const ANN: &str = "ann@ops.example";
const BOB: &str = "Bob@Ops.example";

fn settings(approval: Demand) -> Settings {
    Settings {
        allow_writes: true,
        approval,
        late_window: Duration::from_millis(300),
        verify_patience: Duration::from_secs(3),
        poll: Duration::from_millis(20),
        ..Settings::default()
    }
}

/// A house with somebody who may become admin of their team.
struct Scene {
    house: House,
    team: String,
    someone: String,
}

impl Scene {
    async fn of(house: House) -> Self {
        house.sync().await;
        let found = house.simulator.edit(|world| {
            let teams = world.enterprise_team_names();
            let team = teams.into_iter().find(|team| world.members_of(team).len() > 4)?;
            let mut people = world.members_of(&team).into_iter();
            let (someone, _) = people.find(|(_, role)| role.as_deref() == Some("member"))?;
            Some((team, someone))
        });
        let (team, someone) = found.unwrap().unwrap();
        Self { house, team, someone }
    }

    async fn on_sqlite() -> Self {
        Self::of(House::on_sqlite(Options::of(Size::Enterprise).seed(3)).await).await
    }

    async fn both() -> [Self; 2] {
        let postgres = House::on_postgres(Options::of(Size::Enterprise).seed(3)).await;
        [Self::on_sqlite().await, Self::of(postgres).await]
    }

    /// The store, for a person.
    fn store(&self, who: &str) -> Store {
        self.house
            .store
            .clone()
            .acting_as(Actor { kind: ActorKind::Person, name: format!("{who} (1)").into() })
    }

    fn role(&self, role: &str) -> Ask {
        let on = On::Team { team: self.team.clone(), role: role.into() };
        Ask::Grant { user: self.someone.clone(), on }
    }

    async fn plan(&self, who: &Party, ask: &Ask) -> Plan {
        let heroku = self.house.heroku(self.house.simulator.token());
        let store = self.store(&who.to_string());
        let settings = settings(Demand::None);
        let provisioner = Provisioner::new(&heroku, &store, settings, &SystemClock, &()).unwrap();
        match provisioner.on_behalf_of(who.clone()).plan(ask, None).await.unwrap() {
            Planned::Plan(plan) => *plan,
            other => panic!("{other:?}"),
        }
    }

    async fn apply_with(&self, settings: Settings, who: &Party, plan: &Plan) -> Applied {
        let heroku = self.house.heroku(self.house.simulator.token());
        let store = self.store(&who.to_string());
        let provisioner = Provisioner::new(&heroku, &store, settings, &SystemClock, &()).unwrap();
        provisioner.on_behalf_of(who.clone()).apply(&plan.id(), None).await.unwrap()
    }

    async fn apply(&self, demand: Demand, who: &Party, plan: &Plan) -> Applied {
        self.apply_with(settings(demand), who, plan).await
    }

    async fn approve(&self, who: &Party, plan: &Plan) -> Result<Approval, EngineError> {
        approve(&self.store(&who.to_string()), who, &plan.id(), &plan.hash(), &SystemClock).await
    }

    async fn status(&self, plan: &Plan) -> PlanStatus {
        self.house.store.plan(&plan.id()).await.unwrap().unwrap().status
    }

    fn held(&self) -> Option<String> {
        self.house.simulator.edit(|world| world.role_in(&self.team, &self.someone)).unwrap()
    }

    fn writes(&self) -> usize {
        self.house.simulator.journal().writes.len()
    }

    /// How many events of this code tell of the plan.
    async fn told(&self, code: EventCode, plan: &Plan) -> usize {
        let rows = self.house.store.audit_rows_before(None, 1_000).await.unwrap();
        let word = format!("\"{}\"", code.as_str());
        rows.iter().filter(|row| row.text.contains(&word) && row.text.contains(&plan.id())).count()
    }
}

fn person(email: &str) -> Party {
    Party::person(email)
}

fn waits(applied: &Applied) -> &str {
    assert_eq!((applied.outcome, applied.calls), (Outcome::Unapproved, 0), "{applied:?}");
    let reason = applied.reason.as_deref().unwrap();
    assert!(reason.starts_with("R7: "), "{reason}");
    reason
}

#[tokio::test]
async fn a_plan_waits_for_a_second_person_and_is_applied_then() {
    for scene in Scene::both().await {
        let (ann, bob) = (person(ANN), person(BOB));
        let plan = scene.plan(&ann, &scene.role("admin")).await;
        let applied = scene.apply(Demand::Sensitive, &ann, &plan).await;
        assert!(waits(&applied).contains("somebody else than ann@ops.example"), "{applied:?}");
        assert!(applied.hint.as_deref().unwrap().contains("plans approve"), "{applied:?}");
        assert_eq!((scene.status(&plan).await, scene.writes()), (PlanStatus::Planned, 0));
        let own = scene.approve(&ann, &plan).await.unwrap_err();
        assert!(
            matches!(&own, EngineError::NotSecondPerson { reason, .. } if reason.contains("asked for the plan"))
        );
        // Another token, or another way to write the address, is the same person.
        assert!(scene.approve(&person(" ANN@ops.Example "), &plan).await.is_err());
        waits(&scene.apply(Demand::Sensitive, &ann, &plan).await);
        assert_eq!((scene.told(EventCode::PlanApproved, &plan).await, scene.writes()), (0, 0));
        let first = scene.approve(&bob, &plan).await.unwrap();
        assert_eq!(scene.approve(&bob, &plan).await.unwrap(), first, "twice is the same answer");
        assert_eq!(scene.told(EventCode::PlanApproved, &plan).await, 1);
        let stored = scene.house.store.plan(&plan.id()).await.unwrap().unwrap();
        assert_eq!((stored.status, stored.approvals), (PlanStatus::Planned, vec![first]));
        let applied = scene.apply(Demand::Sensitive, &ann, &plan).await;
        assert_eq!((applied.outcome, applied.calls), (Outcome::Applied, 1), "{applied:?}");
        assert_eq!((scene.held().as_deref(), scene.writes()), (Some("admin"), 1));
        assert_eq!(
            (scene.told(EventCode::PlanApproved, &plan).await, scene.told(EventCode::PlanBegun, &plan).await),
            (1, 1)
        );
        assert!(matches!(scene.approve(&bob, &plan).await, Err(EngineError::Refused { .. })), "it has ended");
    }
}

#[tokio::test]
async fn whom_a_plan_is_about_neither_approves_nor_applies_nor_asks() {
    for scene in Scene::both().await {
        let (ann, bob, meant) = (person(ANN), person(BOB), person(&scene.someone.to_uppercase()));
        let plan = scene.plan(&ann, &scene.role("admin")).await;
        assert!(matches!(scene.approve(&meant, &plan).await, Err(EngineError::NotSecondPerson { .. })));
        scene.approve(&bob, &plan).await.unwrap();
        let applied = scene.apply(Demand::Sensitive, &meant, &plan).await;
        assert!(waits(&applied).contains("the plan changes the access of"), "{applied:?}");
        assert_eq!((scene.status(&plan).await, scene.writes()), (PlanStatus::Planned, 0));
        // The second person applies it as well as the first.
        assert_eq!(scene.apply(Demand::Sensitive, &bob, &plan).await.outcome, Outcome::Applied);
        let own = scene.plan(&meant, &scene.role("viewer")).await;
        assert!(matches!(scene.approve(&bob, &own).await, Err(EngineError::NotSecondPerson { .. })));
        waits(&scene.apply(Demand::Every, &bob, &own).await);
        assert_eq!((scene.held().as_deref(), scene.writes()), (Some("admin"), 1));
    }
}

#[tokio::test]
async fn an_approval_is_bound_to_the_hash_and_to_no_plan_that_is_like_it() {
    for scene in Scene::both().await {
        let (ann, bob) = (person(ANN), person(BOB));
        let plan = scene.plan(&ann, &scene.role("admin")).await;
        let store = scene.store(BOB);
        for hash in ["", &plan.id(), &plan.hash().replace(|one: char| one.is_ascii_digit(), "a")] {
            let wrong = approve(&store, &bob, &plan.id(), hash, &SystemClock).await;
            assert!(matches!(wrong, Err(EngineError::OtherHash { .. })), "{hash}: {wrong:?}");
        }
        scene.approve(&bob, &plan).await.unwrap();
        let again = scene.plan(&ann, &scene.role("admin")).await;
        assert_ne!(plan.hash(), again.hash());
        waits(&scene.apply(Demand::Sensitive, &ann, &again).await);
        assert_eq!(scene.writes(), 0);
        // Somebody writes an approval of another plan's hash past the door.
        let stolen = Approval { by: "bob".into(), party: bob, hash: plan.hash(), at: SystemClock.now() };
        let event = store.event(SystemClock.now(), EventCode::PlanApproved);
        let kept = store.approve_plan(&again.id(), &stolen, event).await.unwrap();
        assert_eq!(kept, metsuke_store::Approved::Gone);
        waits(&scene.apply(Demand::Sensitive, &ann, &again).await);
        assert_eq!(scene.writes(), 0);
    }
}

#[tokio::test]
async fn what_has_ended_or_is_too_old_is_not_approved() {
    for scene in Scene::both().await {
        let (ann, bob) = (person(ANN), person(BOB));
        let plan = scene.plan(&ann, &scene.role("admin")).await;
        let late = FixedClock::at(SystemClock.now());
        late.advance(24 * 3_600_000_000 + 1_000_000);
        let store = scene.store(BOB);
        let old = approve(&store, &bob, &plan.id(), &plan.hash(), &late).await.unwrap_err();
        assert!(old.to_string().contains("older than 24 hours"), "{old}");
        cancel(&scene.store(ANN), &plan.id(), None, &SystemClock).await.unwrap();
        let gone = scene.approve(&bob, &plan).await.unwrap_err();
        assert!(gone.to_string().contains("is cancelled"), "{gone}");
        assert!(matches!(
            approve(&store, &bob, "0123456789ab", "x", &SystemClock).await,
            Err(EngineError::NoPlan { .. })
        ));
        assert_eq!(scene.told(EventCode::PlanApproved, &plan).await, 0);
    }
}

#[tokio::test]
async fn a_token_that_belongs_to_nobody_is_nobodys_second_person() {
    for scene in Scene::both().await {
        let (ann, bob) = (person(ANN), person(BOB));
        let plan = scene.plan(&Party::Nobody, &scene.role("admin")).await;
        assert!(matches!(
            scene.approve(&Party::Nobody, &plan).await,
            Err(EngineError::NotSecondPerson { .. })
        ));
        assert!(waits(&scene.apply(Demand::Every, &Party::Nobody, &plan).await).contains("two people"));
        scene.approve(&ann, &plan).await.unwrap();
        // Whoever has the token may be Ann.
        assert!(waits(&scene.apply(Demand::Every, &ann, &plan).await).contains("another person"));
        assert_eq!(scene.writes(), 0);
        scene.approve(&bob, &plan).await.unwrap();
        assert_eq!(scene.apply(Demand::Every, &Party::Nobody, &plan).await.outcome, Outcome::Applied);
    }
}

#[tokio::test]
async fn what_nobody_asks_for_is_applied_as_before() {
    let scene = Scene::on_sqlite().await;
    let ann = person(ANN);
    let plan = scene.plan(&ann, &scene.role("admin")).await;
    assert_eq!(scene.apply(Demand::None, &ann, &plan).await.outcome, Outcome::Applied);
    assert_eq!(
        (scene.told(EventCode::PlanApproved, &plan).await, scene.told(EventCode::PlanBegun, &plan).await),
        (1, 0)
    );
    // Sensitive is what gives power; to lose it is not, and neither is another role.
    let plan = scene.plan(&ann, &scene.role("viewer")).await;
    assert_eq!(scene.apply(Demand::Sensitive, &ann, &plan).await.outcome, Outcome::Applied);
    let plan = scene.plan(&ann, &scene.role("member")).await;
    waits(&scene.apply(Demand::Every, &ann, &plan).await);
    let leave = Ask::Remove { user: scene.someone.clone() };
    let plan = scene.plan(&ann, &leave).await;
    assert_eq!(scene.apply(Demand::Sensitive, &ann, &plan).await.outcome, Outcome::Applied);
}

#[tokio::test]
async fn a_plan_that_was_approved_and_interrupted_goes_on() {
    for scene in Scene::both().await {
        let (ann, bob) = (person(ANN), person(BOB));
        let plan = scene.plan(&ann, &scene.role("admin")).await;
        let store = scene.store(ANN);
        let interrupted = async |plan: &Plan| {
            let lock = store.provisioning_lock(Duration::from_secs(1)).await.unwrap();
            let event = || store.event(SystemClock.now(), EventCode::IntentWritten);
            store.mark_plan(&plan.id(), PlanStatus::Applying, None, None).await.unwrap();
            store.intend(&lock, (&plan.id(), 1), SystemClock.now(), "x", |_| true, event()).await.unwrap()
        };
        assert!(interrupted(&plan).await);
        // Nobody approved it: begun or not, it waits.
        waits(&scene.apply(Demand::Sensitive, &ann, &plan).await);
        assert_eq!((scene.status(&plan).await, scene.writes()), (PlanStatus::Applying, 0));
        scene.approve(&bob, &plan).await.unwrap();
        assert!(interrupted(&plan).await);
        assert_eq!(scene.apply(Demand::Sensitive, &ann, &plan).await.outcome, Outcome::Applied);
        assert_eq!((scene.held().as_deref(), scene.writes()), (Some("admin"), 1));
    }
}

#[tokio::test]
async fn what_it_waits_for_is_told_before_anybody_applies_it() {
    let scene = Scene::on_sqlite().await;
    let plan = scene.plan(&person(ANN), &scene.role("admin")).await;
    let said = async |demand: Demand| {
        let row = scene.house.store.plan(&plan.id()).await.unwrap().unwrap();
        let told = verdicts(&scene.house.store, &settings(demand), &row, SystemClock.now()).await.unwrap();
        told.into_iter().find(|one| one.rule == "R7").unwrap()
    };
    assert_eq!(said(Demand::None).await.standing, Standing::Kept);
    let waiting = said(Demand::Sensitive).await;
    assert_eq!(waiting.standing, Standing::Broken);
    assert!(waiting.told.unwrap().contains("it grants the admin role"));
    scene.approve(&person(BOB), &plan).await.unwrap();
    assert_eq!(said(Demand::Every).await.standing, Standing::Kept);
}

#[tokio::test]
async fn an_approval_whose_event_cannot_be_stored_is_none() {
    let scene = Scene::on_sqlite().await;
    let plan = scene.plan(&person(ANN), &scene.role("admin")).await;
    let full = "CREATE TRIGGER full BEFORE INSERT ON audit_event WHEN NEW.text LIKE '%plan.approved%' \
                BEGIN SELECT RAISE(ABORT, 'no room'); END";
    let file = scene.house.store.file().unwrap();
    metsuke_testkit::sqlite(&file, full).await.unwrap();
    assert!(scene.approve(&person(BOB), &plan).await.is_err());
    metsuke_testkit::sqlite(&file, "DROP TRIGGER full").await.unwrap();
    waits(&scene.apply(Demand::Every, &person(ANN), &plan).await);
    assert_eq!(scene.writes(), 0);
}

/// What a checker of R7 says: which writes reached Heroku for plans that nobody else had approved.
async fn unapproved_writes(sabotage: Option<Sabotage>) -> usize {
    let scene = Scene::on_sqlite().await;
    let ann = person(ANN);
    let plan = scene.plan(&ann, &scene.role("admin")).await;
    let settings = Settings { sabotage, ..settings(Demand::Sensitive) };
    scene.apply_with(settings, &ann, &plan).await;
    scene.writes()
}

#[tokio::test]
async fn nothing_is_sent_without_a_second_person() {
    assert_eq!(unapproved_writes(None).await, 0);
}

#[tokio::test]
async fn a_protocol_without_the_approval_is_noticed() {
    assert_eq!(unapproved_writes(Some(Sabotage::SkipTheApproval)).await, 1);
}
