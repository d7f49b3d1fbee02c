//! Somebody is taken out, the process is killed, and somebody else puts them back: nobody takes them out again.
//!
//! Whoever put them back may have meant it; a person decides.
//!
//! Invariant: the effect is over before the person is put back, so what follows is no late arrival.

use metsuke_engine::access::provision::Point;
use metsuke_model::plan::PlanStatus;
use metsuke_simulator::{Delay, Fault, FaultKind, Told, WriteFault};

use super::round::{Aim, Estate, apply, reconcile};
use super::wish::LATE;

/// Takes a member out, kills the process at a point, puts the person back, and goes on; what is wrong then.
async fn put_back(point: Point, fault: Option<WriteFault>, other_role: bool) -> Result<(), String> {
    let estate = Estate::new(4, None).await;
    let heroku = &estate.house.heroku;
    let (team, person, role) = heroku
        .edit(|world| {
            let caller = world.caller_email();
            let mut everybody = world.enterprise_team_names().into_iter().flat_map(|team| {
                world.members_of(&team).into_iter().map(move |(email, role)| (team.clone(), email, role))
            });
            everybody.find(|(_, email, role)| *email != caller && role.as_deref() == Some("member"))
        })
        .flatten()
        .unwrap();
    let role = role.unwrap();
    let ask = ["revoke", "--user", &person, "--team", &team, "--role", &role, "--plan-only"];
    let planned = estate.run(&ask.map(str::to_owned), Aim::Never).await;
    let plan = planned.told["plan"]["id"].as_str().unwrap();
    let apply = apply(plan, 1);
    if let Some(fault) = fault {
        heroku.faults().add(Fault::always(FaultKind::Write(fault)).times(1));
    }
    assert!(estate.run(&apply, Aim::At(point, 1)).await.killed);
    heroku.faults().clear();
    estate.settled().await;
    assert_eq!(heroku.edit(|world| world.role_in(&team, &person)), Some(None), "it took effect");
    let role = if other_role { "viewer" } else { &*role };
    heroku.edit(|world| world.set_member(&team, &person, Some(role))).unwrap();

    estate.run(&reconcile(), Aim::Never).await;
    let ended = estate.run(&apply, Aim::Never).await;
    let held = heroku.edit(|world| world.role_in(&team, &person)).flatten();
    let status = estate.plans().await.first().map(|plan| plan.status);
    let outcome = (&ended.told["outcome"], &ended.told["reason"]);
    let told = format!("killed at {}, {fault:?}, back as {role}: {status:?}, {outcome:?}", point.as_str());
    if held.as_deref() != Some(role) {
        return Err(format!("{told}: taken out again"));
    }
    if status != Some(PlanStatus::Superseded) || ended.code != 5 {
        return Err(format!("{told}: not superseded"));
    }
    Ok(())
}

/// Ways in which the effect is there, the process is gone, and its answer was not recorded as a yes.
fn in_doubt() -> Vec<(Point, Option<WriteFault>)> {
    vec![
        (Point::Answered, None),
        (Point::Answered, Some(WriteFault::Applied(Told::Reset))),
        (Point::Recorded, Some(WriteFault::Applied(Told::Error500))),
        (Point::Recorded, Some(WriteFault::Late(Told::Unavailable503, Delay::up_to(LATE)))),
    ]
}

/// Ways in which Heroku's yes is durable.
fn confirmed() -> Vec<(Point, Option<WriteFault>)> {
    vec![(Point::Recorded, None), (Point::Verified, None)]
}

async fn in_every_way(ways: Vec<(Point, Option<WriteFault>)>, other_role: bool) {
    let mut wrong = Vec::new();
    for (point, fault) in ways {
        wrong.extend(put_back(point, fault, other_role).await.err());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn who_is_put_back_with_another_role_after_a_crash_is_not_taken_out_again() {
    in_every_way([in_doubt(), confirmed()].concat(), true).await;
}

#[tokio::test]
async fn who_is_put_back_as_before_after_a_confirmed_removal_is_not_taken_out_again() {
    in_every_way(confirmed(), false).await;
}

#[tokio::test]
async fn who_is_put_back_as_before_after_a_removal_in_doubt_is_not_taken_out_again() {
    in_every_way(in_doubt(), false).await;
}
