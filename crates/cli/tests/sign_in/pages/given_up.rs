//! Work that was given up, as pages show it, and an upload that is asked for.

use std::time::Duration;

use metsuke_engine::connectors::{ConnectorEdit, JupiterOneUpload};
use metsuke_engine::identity::Role;
use metsuke_model::audit::Actor;
use metsuke_model::{Clock as _, JobId};
use metsuke_store::{Claim, JobStatus, NewJob, Settled};
use serde_json::json;

use super::estate::Estate;
use crate::house::MINUTE;

impl Estate {
    /// Gives an export up.
    async fn give_up(&self, chance: u8, why: &str) -> JobId {
        let store = self.house.installation.estate(self.connector).await.unwrap();
        let (now, clock) = (self.house.clock.now(), &*self.house.clock);
        let id = JobId::new(now, [chance; 10]);
        let document = json!({ "version": 90 + chance });
        let new = NewJob { id, kind: "errand", dedup: None, document, run_at: now, created_at: now };
        store.insert_job(&new).await.unwrap();
        let lease = Duration::from_secs(9);
        let job = store.claim_job(&["errand"], "test", lease, clock).await.unwrap().unwrap();
        let claim = Claim { job: job.id, fence: job.fence, lease };
        store.settle_job(&claim, &Settled::Dead { why: why.into() }, now).await.unwrap();
        id
    }
}

#[tokio::test]
async fn work_that_was_given_up_is_shown_to_whoever_runs_things_and_tried_again_by_a_form() {
    let estate = Estate::new().await;
    let mut operator = estate.browser(Role::Operator).await;
    assert!(!operator.get("/connectors").await.body.contains("given up"));
    let first = estate.give_up(1, "no room for <b>files</b>").await;
    let second = estate.give_up(2, "no room").await;
    let page = operator.get("/connectors").await;
    assert!(page.body.contains("Work that was given up") && page.body.contains("Errand"), "{}", page.body);
    assert!(page.body.contains("no room for &lt;b&gt;files"), "{}", page.body);
    let own = format!("/connectors/{}", estate.connector);
    assert!(operator.get(&own).await.body.contains("Work that was given up"));

    let csrf = operator.csrf.clone();
    let form = [("csrf_token", csrf.as_str()), ("next", own.as_str())];
    let retry = format!("/jobs/{first}/retry?connector={}", estate.connector);
    assert!(page.body.contains(&format!("action=\"{retry}\"")), "{}", page.body);
    let retried = operator.submit(&retry, &form).await;
    assert_eq!((retried.status, retried.header("location")), (303, own.as_str()), "{}", retried.body);
    let store = estate.house.installation.estate(estate.connector).await.unwrap();
    assert_eq!(store.job(first).await.unwrap().unwrap().status, JobStatus::Waiting);
    assert_eq!(operator.submit(&retry, &form).await.status, 409);
    let drop = format!("/jobs/{second}/drop?connector={}", estate.connector);
    let outside = [("csrf_token", csrf.as_str()), ("next", "//evil.example")];
    let dropped = operator.submit(&drop, &outside).await;
    assert_eq!((dropped.status, dropped.header("location")), (303, "/connectors"), "{}", dropped.body);
    assert_eq!(store.job(second).await.unwrap(), None);
    assert!(!operator.get("/connectors").await.body.contains("given up"));
}

#[tokio::test]
async fn whoever_may_not_run_things_sees_no_form_and_is_refused() {
    let estate = Estate::new().await;
    let job = estate.give_up(1, "no room").await;
    let mut auditor = estate.browser(Role::Auditor).await;
    let page = auditor.get("/connectors").await;
    assert!(page.body.contains("no room") && !page.body.contains("Retry"), "{}", page.body);
    let mut viewer = estate.browser(Role::Viewer).await;
    assert!(!viewer.get("/connectors").await.body.contains("no room"));
    for browser in [&mut auditor, &mut viewer] {
        let csrf = browser.csrf.clone();
        for form in [format!("/jobs/{job}/retry"), format!("/jobs/{job}/drop")] {
            let answer = browser.submit(&form, &[("csrf_token", csrf.as_str())]).await;
            assert_eq!(answer.status, 403, "{form}");
        }
    }
}

#[tokio::test]
async fn an_upload_is_asked_for_where_the_connector_has_somewhere_to_upload_to() {
    let estate = Estate::new().await;
    let mut operator = estate.browser(Role::Operator).await;
    let place = format!("/connectors/{}", estate.connector);
    assert!(!operator.get(&place).await.body.contains("Upload to JupiterOne"));
    let csrf = operator.csrf.clone();
    let form = [("csrf_token", csrf.as_str())];
    let refused = operator.submit(&format!("{place}/upload"), &form).await;
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("name no account of JupiterOne"), "{}", refused.body);
    let mut settings = estate.house.installation.connector(estate.connector).await.unwrap().settings;
    settings.after_sync.jupiterone = Some(JupiterOneUpload {
        account: "acme".into(),
        instance: Some("i1".into()),
        scope: None,
        api_url: Some("http://127.0.0.1:9".into()),
    });
    let edit = ConnectorEdit {
        settings: Some(settings),
        jupiterone_key: Some("a-key".into()),
        ..ConnectorEdit::default()
    };
    estate.house.installation.edit(&Actor::operator("test"), estate.connector, None, edit).await.unwrap();
    // The jobs that the version brought with it came before.
    estate.house.pass(MINUTE);
    let asked = operator.submit(&format!("{place}/upload"), &form).await;
    assert_eq!(asked.status, 303, "{}", asked.body);
    let page = operator.get(asked.header("location")).await;
    assert!(page.body.contains("on its way to JupiterOne") && page.body.contains("waits"), "{}", page.body);
}
