//! The audit trail: one day at a time, in an object, for those who manage the enterprise account.

use metsuke_simulator::{Options, Size};
use serde_json::Value;

use crate::probe::{Probe, text};

async fn events(probe: &Probe, query: &str) -> Vec<Value> {
    let account = probe.all("/enterprise-accounts").await.remove(0);
    let path = format!("/enterprise-accounts/{}/events?{query}", text(&account, "name"));
    probe.one(&path).await["data"].as_array().cloned().unwrap_or_default()
}

/// 2027-03-10T00:00:00Z
const DAY: u64 = 1_804_636_800;

#[tokio::test]
async fn a_day_holds_its_events_and_no_others_and_can_be_narrowed_down() {
    let probe = Probe::new(Options::of(Size::Enterprise)).await;
    probe.simulator.edit(|world| {
        let enterprise = world.enterprise_names().remove(0);
        let team = world.enterprise_team_names().remove(0);
        for (second, action) in [(0, "create"), (86_399, "destroy"), (86_400, "update")] {
            let what = ("team_membership", action);
            world.tell_event(&enterprise, DAY + second, what, (Some(&team), None));
        }
        world.tell_event(&enterprise, DAY + 5, ("app", "create"), (Some(&team), None));
    });
    assert_eq!(events(&probe, "day=2027-03-10").await.len(), 3);
    assert_eq!(events(&probe, "day=2027-03-11").await.len(), 1);
    assert_eq!(events(&probe, "day=2027-03-12").await.len(), 0);
    let narrow = events(&probe, "day=2027-03-10&type=team_membership&action=destroy").await;
    assert_eq!(narrow.len(), 1);
    assert_eq!(narrow[0]["created_at"], "2027-03-10T23:59:59Z");
    assert!(narrow[0]["team"].is_object() && narrow[0].get("app").is_none());
}

#[tokio::test]
async fn what_a_write_did_is_in_the_trail_of_today() {
    let probe = Probe::new(Options::of(Size::Enterprise)).await;
    let before = events(&probe, "").await.len();
    let team = probe.simulator.edit(|world| world.enterprise_team_names().remove(0)).unwrap();
    let body = serde_json::json!({"email": "new@example.com", "role": "member"});
    let (status, _) = probe.write(reqwest::Method::PUT, &format!("/teams/{team}/members"), &body).await;
    assert_eq!(status, 201);
    let now = events(&probe, "").await;
    assert_eq!(now.len(), before + 1);
    assert!(now.iter().any(|event| event["type"] == "team_membership" && event["action"] == "create"));
}

#[tokio::test]
async fn only_who_manages_the_account_reads_its_trail() {
    let probe = Probe::new(Options::of(Size::Enterprise)).await;
    let name = probe.simulator.edit(|world| {
        let (own, enterprise) = (world.caller_email(), world.enterprise_names().remove(0));
        world.set_enterprise_member(&enterprise, &own, &["view", "billing"]);
        enterprise
    });
    let path = format!("/enterprise-accounts/{}/events", name.unwrap());
    assert_eq!(probe.status(&path).await, 403);
    assert_eq!(probe.status("/enterprise-accounts/nowhere/events").await, 404);
}
