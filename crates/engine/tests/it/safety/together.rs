//! Two workers on one database who want the last two admins of a team out at the same time.

use metsuke_engine::access::provision::{Ask, On, Outcome, Planned, Provisioner};
use metsuke_simulator::Size;
use metsuke_store::{OpenMode, Store};

use super::checker::Checker;
use super::scene::{Scene, client};
use super::script::settings;

const TEAM: &str = "more-0";
const TWO: [&str; 2] = ["left@example.com", "right@example.com"];

/// How a worker's operation ended: the rule that refused it, if one did.
async fn wants_out(
    scene: &Scene,
    store: &Store,
    user: &str,
    demoted: bool,
    meet: &tokio::sync::Barrier,
) -> Option<String> {
    let heroku = client(&scene.simulator, scene.simulator.token());
    let mut settings = settings(scene);
    settings.caps.team_removals = 1_000;
    let provisioner = Provisioner::new(&heroku, store, settings, &scene.clock, &()).unwrap();
    let on = |role: &str| On::Team { team: TEAM.into(), role: role.into() };
    let ask = if demoted {
        Ask::Grant { user: user.into(), on: on("member") }
    } else {
        Ask::Revoke { user: user.into(), on: on("admin") }
    };
    let planned = provisioner.plan(&ask, None).await.unwrap();
    // Both plans are made while both are admin.
    meet.wait().await;
    let plan = match planned {
        Planned::Plan(plan) => plan,
        other => panic!("{user}: {other:?}"),
    };
    let applied = provisioner.apply(&plan.id(), None).await.unwrap();
    match applied.outcome {
        Outcome::Applied => None,
        Outcome::RefusedByRule => applied.reason,
        other => panic!("{user}: {other:?}, {:?}", applied.reason),
    }
}

async fn one_of_two_is_refused(url: Option<&str>, rounds: usize) {
    let mut scene = Scene::new(Size::Small, 5, &mut Checker::default()).await;
    if let Some(url) = url {
        scene.store = Store::open(url, OpenMode::Create).await.unwrap();
        scene.sync().await;
    }
    let url = url.map_or_else(|| scene.url.clone(), ToOwned::to_owned);
    let stores = [
        Store::open(&url, OpenMode::Create).await.unwrap(),
        Store::open(&url, OpenMode::Create).await.unwrap(),
    ];
    let caller = scene.untouchable.connector.1.clone();
    for round in 0..rounds {
        scene.clock.advance(7_200_000_000);
        scene.simulator.edit(|world| {
            for (email, _) in world.members_of(TEAM) {
                world.set_role(TEAM, &email, Some("member"));
            }
            // The connector may write, and does not sign in safely: it does not count beside others who do.
            world.set_role(TEAM, &caller, Some("admin"));
            world.set_two_factor(&caller, false);
            for email in TWO {
                world.set_member(TEAM, email, Some("admin"));
                world.set_two_factor(email, true);
            }
        });
        scene.simulator.reset_journal();
        let meet = tokio::sync::Barrier::new(2);
        let demoted = round % 2 == 1;
        let (left, right) = tokio::join!(
            wants_out(&scene, &stores[0], TWO[0], demoted, &meet),
            wants_out(&scene, &stores[1], TWO[1], demoted, &meet)
        );
        let told = format!("round {round}: {left:?}, {right:?}");
        let refused: Vec<&String> = left.iter().chain(&right).collect();
        assert!(refused.len() == 1 && refused[0].starts_with("R1"), "{told}");
        let admins = |email: &&&str| {
            scene.simulator.edit(|world| world.role_in(TEAM, email)).flatten().as_deref() == Some("admin")
        };
        assert_eq!(TWO.iter().filter(admins).count(), 1, "{told}");
        assert_eq!(scene.simulator.journal().writes.len(), 1, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_workers_who_want_the_last_admins_out_one_is_refused_on_sqlite() {
    Box::pin(one_of_two_is_refused(None, 40)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_workers_who_want_the_last_admins_out_one_is_refused_on_postgres() {
    let database = metsuke_testkit::fresh_database();
    Box::pin(one_of_two_is_refused(Some(&database.url), 40)).await;
}
