//! Which version answers which of the parent's syncs.

use std::time::Duration;

use metsuke_baton::proto::connector as v2;
use metsuke_baton::proto::rpc;
use metsuke_baton::service::Options;
use metsuke_simulator::{Fault, FaultKind, Options as Company, Size};
use prost::Message as _;
use tonic::Code;

use super::house::{House, Parent, company, options, serve};
use super::listing::{resources_of, walk};

fn apps(sync: &str) -> v2::ResourcesServiceListResourcesRequest {
    v2::ResourcesServiceListResourcesRequest { active_sync_id: sync.to_owned(), ..resources_of("app", 0) }
}

async fn names(parent: &Parent<'_>, sync: &str) -> Vec<String> {
    let apps = walk!(parent, resources.list_resources, apps(sync));
    apps.into_iter().map(|app| app.display_name).collect()
}

fn detail<M: prost::Message + prost::Name + Default>(status: &tonic::Status) -> Option<M> {
    let packed = rpc::Status::decode(status.details()).unwrap();
    metsuke_baton::any::find(&packed.details)
}

#[tokio::test]
async fn each_sync_sees_one_version_whatever_happens_meanwhile() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| {
        let before = names(parent, "first").await;
        house.edit(|world| world.add_app(None, "quite-new")).unwrap();
        let paged = v2::ResourcesServiceListResourcesRequest { page_size: 2, ..apps("first") };
        let page = parent.resources().list_resources(paged.clone()).await.unwrap().into_inner();
        let after = names(parent, "second").await;
        assert!(after.contains(&"quite-new".to_owned()));
        assert_eq!(names(parent, "first").await, before, "the first goes on with what it saw");
        let rest = v2::ResourcesServiceListResourcesRequest { page_token: page.next_page_token, ..paged };
        let rest = walk!(parent, resources.list_resources, rest);
        assert_eq!(page.list.len() + rest.len(), before.len(), "and with its pages");
        assert_eq!(house.readings(), 2);
    })
    .await;
}

#[tokio::test]
async fn calls_at_the_same_time_share_one_reading() {
    let house = House::new(company().latency(Duration::from_millis(5)), options()).await;
    serve(&house, async |parent| {
        let calls = (0..12).map(|_| names(parent, "same"));
        let all = futures::future::join_all(calls).await;
        assert!(all.iter().all(|names| !names.is_empty() && *names == all[0]));
        assert_eq!(house.readings(), 1);
    })
    .await;
}

#[tokio::test]
async fn two_syncs_at_the_same_time_both_end() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| {
        let both = async |sync: &str| {
            for _ in 0..5 {
                assert!(!names(parent, sync).await.is_empty());
            }
        };
        tokio::join!(both("one"), both("two"), both("three"));
        assert_eq!(house.readings(), 3, "each was read once; the rest came from the database");
    })
    .await;
}

#[tokio::test]
async fn a_listing_of_no_sync_reads_anew_after_each_validation() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| {
        let validate = async || {
            let request = v2::ConnectorServiceValidateRequest {};
            parent.connector().validate(request).await.unwrap().into_inner()
        };
        validate().await;
        let before = names(parent, "").await;
        house.edit(|world| world.add_app(None, "quite-new")).unwrap();
        assert_eq!(names(parent, "").await, before);
        let answer = validate().await;
        assert_eq!(answer.sdk_version, "0.4.3");
        assert!(metsuke_baton::any::find::<v2::RateLimitDescription>(&answer.annotations).is_some());
        assert!(names(parent, "").await.contains(&"quite-new".to_owned()));
        assert_eq!(house.readings(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_long_reading_asks_to_come_again_and_goes_on() {
    let options = Options { patience: Duration::from_millis(50), ..options() };
    let house = House::new(company().latency(Duration::from_millis(60)), options).await;
    serve(&house, async |parent| {
        let status = parent.failed(parent.resources().list_resources(apps("slow")).await);
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        let limit: v2::RateLimitDescription = detail(&status).unwrap();
        assert_eq!((limit.remaining, limit.status()), (0, v2::rate_limit_description::Status::Overlimit));
        assert!(limit.reset_at.is_some());
        loop {
            match parent.resources().list_resources(apps("slow")).await {
                Ok(answer) => break assert!(!answer.into_inner().list.is_empty()),
                Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
            }
        }
        assert_eq!(house.readings(), 1, "all of them waited for the same one");
    })
    .await;
}

#[tokio::test]
async fn a_reading_that_failed_tells_why_and_the_next_call_tries_again() {
    let house = House::new(company(), options()).await;
    serve(&house, async |parent| {
        for (kind, code) in [
            (FaultKind::Unauthorized401, Code::Unauthenticated),
            (FaultKind::ServerError500, Code::Unavailable),
        ] {
            house.simulator.faults().add(Fault::always(kind));
            let status = parent.failed(parent.resources().list_resources(apps("first")).await);
            assert_eq!(status.code(), code, "{status}");
            let status =
                parent.failed(parent.connector().validate(v2::ConnectorServiceValidateRequest {}).await);
            assert_eq!(status.code(), code, "{status}");
            let wait: Option<v2::RateLimitDescription> = detail(&status);
            assert_eq!(wait.is_some(), code == Code::Unavailable);
            house.simulator.faults().clear();
        }
        assert!(!names(parent, "first").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_was_cleaned_up_is_read_anew() {
    let house = House::new(Company::of(Size::Small), options()).await;
    serve(&house, async |parent| {
        let before = names(parent, "first").await;
        house.edit(|world| world.add_app(None, "quite-new")).unwrap();
        let cleanup = |sync: &str| v2::ConnectorServiceCleanupRequest {
            active_sync_id: sync.to_owned(),
            ..Default::default()
        };
        parent.connector().cleanup(cleanup("another")).await.unwrap();
        assert_eq!(names(parent, "first").await, before);
        parent.connector().cleanup(cleanup("first")).await.unwrap();
        assert!(names(parent, "first").await.contains(&"quite-new".to_owned()));
    })
    .await;
}
