//! What a parent is told while something of the estate cannot be read.

use metsuke_simulator::Fault;
use tonic::Code;

use super::house::{House, company, options, serve};
use super::listing::resources_of;

#[tokio::test]
async fn a_listing_that_fails_ends_the_sync_until_it_works() {
    let house = House::new(company(), options()).await;
    let fault: Fault = "server-error-500@/teams/*/members".parse().unwrap();
    house.simulator.faults().add(fault);
    serve(&house, async |parent| {
        let refused = parent.resources().list_resources(resources_of("team", 0)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        assert!(refused.message().contains("/members could not be read"), "{}", refused.message());

        house.simulator.faults().clear();
        let answer = parent.resources().list_resources(resources_of("team", 0)).await.unwrap();
        assert!(!answer.into_inner().list.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_heroku_does_not_show_to_the_token_is_no_failure() {
    let house = House::new(company(), options()).await;
    let fault: Fault = "forbidden-403@/teams/*/members".parse().unwrap();
    house.simulator.faults().add(fault);
    serve(&house, async |parent| {
        assert!(parent.resources().list_resources(resources_of("team", 0)).await.is_ok());
    })
    .await;
}
