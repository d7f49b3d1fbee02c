//! Lists are ready as soon as there is a new version, and only those that somebody looks at.

use metsuke_engine::desk::{Browse, Browsed, Desk, Readied};
use metsuke_engine::lists::TeamLine;
use metsuke_model::audit::Actor;

use super::estate::Estate;

#[tokio::test]
async fn what_somebody_browsed_is_made_ready_for_each_new_version_and_once() {
    let estate = Estate::new().await;
    let desk = Desk::new(estate.house.installation.clone());
    let mut readied = Readied::default();
    assert!(!desk.make_ready(&mut readied).await.unwrap(), "nobody has looked at anything");
    let before: Browsed<TeamLine> = desk.browse(&Browse::default(), None, 5).await.unwrap();
    assert!(desk.make_ready(&mut readied).await.unwrap());
    assert!(!desk.make_ready(&mut readied).await.unwrap(), "no version is new");
    let team = before.rows[0].row.name.clone().unwrap();
    estate
        .later(|world| {
            world.set_member(&team, "another.admin@example.com", Some("admin"));
        })
        .await;
    assert!(desk.make_ready(&mut readied).await.unwrap());
    assert!(!desk.make_ready(&mut readied).await.unwrap(), "no version is new");
    let after: Browsed<TeamLine> = desk.browse(&Browse::default(), None, 5).await.unwrap();
    assert!(after.readings[0].version > before.readings[0].version);
    assert_eq!(after.rows[0].row.people, before.rows[0].row.people + 1);
}

#[tokio::test]
async fn the_list_of_a_connector_that_is_gone_keeps_no_other_from_being_made_ready() {
    let estate = Estate::new().await;
    let other = estate.another("Other").await;
    let desk = Desk::new(estate.house.installation.clone());
    let asked = Browse { connector: Some(other.to_string()), ..Browse::default() };
    let _: Browsed<TeamLine> = desk.browse(&asked, None, 5).await.unwrap();
    let _: Browsed<TeamLine> = desk.browse(&Browse::default(), None, 5).await.unwrap();
    estate.house.installation.delete(&Actor::operator("test"), other).await.unwrap();
    let mut readied = Readied::default();
    assert!(desk.make_ready(&mut readied).await.unwrap());
    assert!(!desk.make_ready(&mut readied).await.unwrap(), "no version is new");
}
