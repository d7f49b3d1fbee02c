//! The estate that is made row by row.

use std::collections::BTreeSet;

use metsuke_simulator::{Options, Simulator, Size};

use crate::probe::{Probe, header, json, text};

const MIDDLING: Size = Size::Scale { teams: 30, apps: 2_500, people: 900, grants: 37_000 };

async fn middling() -> Probe {
    Probe::new(Options { rate_limit: false, ..Options::of(MIDDLING) }).await
}

#[tokio::test]
async fn declared_counts_are_what_paging_finds() {
    let probe = middling().await;
    assert_eq!(probe.all("/teams").await.len(), 30);
    assert_eq!(probe.all("/apps").await.len(), 2_500);
    assert_eq!(probe.all("/addons").await.len(), 2_000);
    assert_eq!(probe.all("/addon-attachments").await.len(), 2_100);
    assert_eq!(probe.all("/pipelines").await.len(), 12);
    assert_eq!(probe.all("/pipeline-couplings").await.len(), 24);
    let mut users = BTreeSet::new();
    for account in probe.all("/enterprise-accounts").await {
        for row in probe.all(&format!("/enterprise-accounts/{}/members", text(&account, "id"))).await {
            users.insert(text(&row["user"], "id"));
        }
    }
    assert_eq!(users.len(), 900);
    assert_eq!(users, probe.simulator.truth().users().collect());
}

#[tokio::test]
async fn the_wire_and_the_truth_have_the_same_grants() {
    let probe = middling().await;
    for generation in [0, 3] {
        probe.simulator.set_generation(generation);
        let truth = probe.simulator.truth();
        let set = truth.grant_set();
        assert_eq!((truth.grant_count(), set.len(), truth.grants().count()), (37_000, 37_000, 37_000));
        let mut listed = BTreeSet::new();
        for team in probe.all("/teams").await {
            let id = text(&team, "id");
            for row in probe.all(&format!("/teams/{id}/members")).await {
                let user = text(&row["user"], "id");
                listed.insert(crate::probe::grant("team", &id, &text(&row, "role"), &user));
            }
            for app in probe.all(&format!("/teams/{id}/permissions")).await {
                let app_id = text(&app, "id");
                for user in app["users"].as_array().expect("users") {
                    let user_id = text(user, "id");
                    listed.insert(crate::probe::grant("app", &app_id, "collaborator", &user_id));
                    for name in user["permissions"].as_array().expect("permissions") {
                        let name = name.as_str().expect("a name");
                        listed.insert(crate::probe::grant("app", &app_id, name, &user_id));
                    }
                }
            }
        }
        let expected: BTreeSet<_> =
            set.into_iter().filter(|grant| grant.resource_type != "enterprise_account").collect();
        assert_eq!(listed, expected);
    }
}

#[tokio::test]
async fn collaborator_listings_agree_with_permission_listings() {
    let probe = middling().await;
    let team = text(&probe.all("/teams").await[7], "name");
    let apps = probe.all(&format!("/teams/{team}/permissions")).await;
    for app in apps.iter().take(5) {
        let rows = probe.all(&format!("/apps/{}/collaborators", text(app, "name"))).await;
        let people = rows.iter().filter(|row| row["role"] != "owner").map(|row| text(&row["user"], "id"));
        let listed = app["users"].as_array().expect("users").iter().map(|user| text(user, "id"));
        assert_eq!(people.collect::<BTreeSet<_>>(), listed.collect());
        assert_eq!(rows.iter().filter(|row| row["role"] == "owner").count(), 1);
    }
}

#[tokio::test]
async fn add_ons_and_attachments_of_an_app_are_those_of_the_whole_list() {
    let probe = middling().await;
    let mut by_app: std::collections::BTreeMap<String, BTreeSet<String>> =
        std::collections::BTreeMap::default();
    for row in probe.all("/addon-attachments").await {
        by_app.entry(text(&row["app"], "id")).or_default().insert(text(&row, "id"));
    }
    for app in probe.all("/apps").await.iter().step_by(50) {
        let id = text(app, "id");
        let own: BTreeSet<String> = probe
            .all(&format!("/apps/{id}/addon-attachments"))
            .await
            .iter()
            .map(|row| text(row, "id"))
            .collect();
        assert_eq!(own, by_app.get(&id).cloned().unwrap_or_default());
        for row in probe.all(&format!("/apps/{id}/addons")).await {
            assert_eq!(text(&row["app"], "id"), id);
        }
    }
}

#[tokio::test]
async fn a_generation_changes_about_one_percent_of_the_access() {
    let probe = middling().await;
    let before = probe.simulator.truth().grant_set();
    probe.simulator.set_generation(1);
    let after = probe.simulator.truth().grant_set();
    let changed = before.symmetric_difference(&after).count();
    assert!((400..1_300).contains(&changed), "{changed}");
    probe.simulator.set_generation(0);
    assert_eq!(probe.simulator.truth().grant_set(), before);
}

#[tokio::test]
async fn pages_can_be_walked_downwards_and_found_by_name() {
    let probe = middling().await;
    let rows = probe.all("/apps").await;
    let down = json(probe.ranged("/apps", "id ..; max=3, order=desc").await).await;
    assert_eq!(down[0], rows[2_499]);
    let next = probe.ranged("/apps", &format!("id ]{}..; max=2", text(&rows[10], "id"))).await;
    assert_eq!(header(&next, "next-range"), Some(format!("id ]{}..; max=2", text(&rows[12], "id"))));
    let one = probe.one(&format!("/apps/{}", text(&rows[5], "name"))).await;
    assert_eq!(one, rows[5]);
    assert_eq!(probe.status("/apps/no-such-app").await, 404);
}

#[tokio::test]
async fn sizes_that_contradict_one_another_are_refused() {
    for size in [
        Size::Scale { teams: 10, apps: 100, people: 50, grants: 10 },
        Size::Scale { teams: 10, apps: 10, people: 30, grants: 1_000_000 },
        Size::Scale { teams: 0, apps: 1, people: 100, grants: 1_000 },
    ] {
        assert!(Simulator::local(Options::of(size)).await.is_err(), "{size:?}");
    }
}

#[tokio::test]
async fn a_large_estate_starts_at_once_and_answers_pages_quickly() {
    let started = std::time::Instant::now();
    let probe = Probe::new(Options::of(Size::LARGE)).await;
    let rows = json(probe.ranged("/apps", "id ..; max=1000").await).await;
    assert_eq!(rows.as_array().map(Vec::len), Some(1_000));
    assert_eq!(probe.simulator.truth().grant_count(), 1_500_000);
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}
