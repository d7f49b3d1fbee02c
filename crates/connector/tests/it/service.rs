//! Service mode against the stand-in for C1, over TLS.

use std::time::Duration;

use metsuke_baton::c1z::{Row, Rows as _};
use metsuke_simulator::Size;
use metsuke_simulator::c1::proto::connector::{Entitlement, Grant, Resource, ResourceId};
use metsuke_simulator::c1::proto::tasks::task::{GrantTask, RevokeTask, SyncFullTask, TaskType};
use metsuke_simulator::c1::{C1, C1Options, Finished};
use tokio::process::{Child, Command};

use crate::house::{House, bare, open, run};

const LONG: Duration = Duration::from_mins(1);

fn command(house: &House, c1: &C1, arguments: &[&str]) -> Command {
    std::fs::write(house.file("roots.pem"), c1.authority()).unwrap();
    let mut command = house.command(arguments);
    command
        .env("SSL_CERT_FILE", house.file("roots.pem"))
        .env("BATON_CLIENT_ID", c1.client_id())
        .env("BATON_CLIENT_SECRET", c1.client_secret())
        .env("BATON_HOST_ID", "pod-1")
        .stderr(std::process::Stdio::piped());
    command
}

async fn finished(c1: &C1, count: usize) -> Vec<Finished> {
    let done = c1.until(LONG, |c1| c1.finished().len() >= count).await;
    assert!(done, "{:?} of {count}; {:?}", c1.finished(), c1.violations());
    c1.finished()
}

/// Stops it by SIGTERM; gives its exit code and what it logged.
async fn stop(child: Child) -> (Option<i32>, String) {
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").arg(pid).status().await.unwrap().success());
    let ended =
        tokio::time::timeout(Duration::from_secs(20), child.wait_with_output()).await.unwrap().unwrap();
    (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
}

fn resource(kind: &str, id: &str) -> Resource {
    let id = ResourceId { resource_type: kind.to_owned(), resource: id.to_owned(), ..ResourceId::default() };
    Resource { id: Some(id), ..Resource::default() }
}

fn entitlement(app: &str, slug: &str) -> Entitlement {
    Entitlement {
        id: format!("app:{app}:{slug}"),
        resource: Some(resource("app", app)),
        ..Entitlement::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_a_grant_and_a_revocation_are_done_as_tasks() {
    let (house, c1) = (House::of(Size::Small).await, C1::local(C1Options::default()).await.unwrap());
    let child = command(&house, &c1, &["--provisioning"]).spawn().unwrap();
    c1.give(TaskType::SyncFull(SyncFullTask { skip_expand_grants: true, ..SyncFullTask::default() }));
    assert_eq!(finished(&c1, 1).await[0].code, 0, "{:?}", c1.finished());
    std::fs::write(house.file("task.c1z"), &c1.uploads()[0].bytes).unwrap();
    let file = open(&house.file("task.c1z"));
    let mut rows: Vec<Row> = Vec::new();
    file.rows(&file.syncs()[0].id).visit(&mut rows).unwrap();
    house.done(&["-f", "own.c1z", "--expand", "never"]).await;
    assert_eq!(rows, house.rows("own.c1z"), "a task's file is that of a one-shot run");

    let grants = house.heroku.truth().grant_set();
    // The connector's own account, an admin, is never changed.
    let is_admin =
        |user: &str| grants.iter().any(|grant| grant.principal_id == user && grant.entitlement == "admin");
    let mut deploys =
        grants.iter().filter(|grant| grant.resource_type == "app" && grant.entitlement == "deploy");
    let held = deploys.find(|grant| !is_admin(&grant.principal_id)).unwrap();
    let (app, user) = (held.resource_id.as_str(), held.principal_id.as_str());
    let grant = GrantTask {
        entitlement: Some(entitlement(app, "deploy")),
        principal: Some(resource("user", user)),
        ..GrantTask::default()
    };
    c1.give(TaskType::Grant(grant));
    let done = finished(&c1, 2).await;
    assert_eq!(done[1].code, 0, "it is there already: {done:?}");
    let revoke = Grant {
        id: format!("app:{app}:deploy:user:{user}"),
        entitlement: Some(entitlement(app, "deploy")),
        principal: Some(resource("user", user)),
        ..Grant::default()
    };
    c1.give(TaskType::Revoke(RevokeTask { grant: Some(revoke), ..RevokeTask::default() }));
    let done = finished(&c1, 3).await;
    assert_eq!(done[2].code, 0, "{done:?}");
    let left = house.heroku.truth().grant_set();
    assert!(!left.contains(held));
    let (code, logged) = stop(child).await;
    assert_eq!(code, Some(0), "{logged}");
    assert_eq!(c1.violations(), Vec::<String>::new());
    assert!(house.is_tidy());
    for secret in [c1.client_secret(), house.heroku.token()] {
        assert!(!logged.contains(secret), "{logged}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_provisioning_a_grant_is_refused() {
    let (house, c1) = (House::of(Size::Small).await, C1::local(C1Options::default()).await.unwrap());
    let child = command(&house, &c1, &[]).spawn().unwrap();
    let (entitlement, principal) = (Some(entitlement("a", "deploy")), Some(resource("user", "u")));
    c1.give(TaskType::Grant(GrantTask { entitlement, principal, ..GrantTask::default() }));
    let done = finished(&c1, 1).await;
    assert_eq!(done[0].code, 9, "{done:?}");
    assert_eq!(stop(child).await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_served_and_asked_for() {
    let (house, c1) = (House::of(Size::Small).await, C1::local(C1Options::default()).await.unwrap());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let child = command(&house, &c1, &["--health-check", "--health-check-port", &port]).spawn().unwrap();
    assert!(c1.until(LONG, |c1| !c1.hellos().is_empty()).await);
    for endpoint in ["ready", "health", "live"] {
        let asked = ["health-check", "--health-check-port", &port, "--endpoint", endpoint];
        let mut ran = run(bare(house.folder.path(), &asked)).await;
        // C1 is greeted a moment before the connector calls itself ready.
        for _ in 0..50 {
            if ran.code == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            ran = run(bare(house.folder.path(), &asked)).await;
        }
        assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{endpoint}: {ran:?}");
    }
    house.heroku.faults().add("unauthorized-401@/account".parse().unwrap());
    let ran = run(bare(house.folder.path(), &["health-check", "--health-check-port", &port])).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("503"), "{ran:?}");
    assert_eq!(stop(child).await.0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_c1_does_not_know_ends_with_16() {
    let (house, c1) = (House::of(Size::Small).await, C1::local(C1Options::default()).await.unwrap());
    let stranger = C1::local(C1Options::default()).await.unwrap();
    let mut command = command(&house, &c1, &[]);
    command.env("BATON_CLIENT_SECRET", stranger.client_secret());
    let ran = run(command).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (16, ""), "{ran:?}");
    assert!(house.is_tidy());
}
