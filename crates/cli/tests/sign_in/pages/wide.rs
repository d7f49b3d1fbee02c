//! Somebody who reaches thousands of apps: the page stays short, counts everything, and leads to what it does not name.

use metsuke_engine::identity::Role;
use metsuke_model::access::Entitlement;
use metsuke_model::record::{App, Team, User};
use metsuke_model::{AccessRow, Coverage, Estate, HerokuId, Moment, Resource, ResourceType};
use metsuke_model::{SyncReport, SyncStatus, SystemClock};

use super::estate::Estate as House;

const TEAMS: u32 = 160;
const APPS: u32 = 40;
/// The most bytes of a page.
const BYTES: usize = 200_000;

fn id(kind: u8, number: u32) -> HerokuId {
    let mut bytes = [kind; 16];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    HerokuId::from_bytes(&bytes)
}

/// Many teams, each of whose apps name the same person, with other rights from app to app.
fn wide() -> (Estate, Coverage) {
    let (mut estate, mut coverage) = (Estate::default(), Coverage::default());
    let mut person = User::new(id(1, 0));
    person.email = Some("wide@example.com".into());
    estate.principals.push(person.id.clone());
    estate.users.push(person);
    let mut access = Vec::new();
    let more = [
        Entitlement::DEPLOY.mask(),
        Entitlement::OPERATE.mask(),
        Entitlement::MANAGE.mask(),
        Entitlement::DEPLOY.mask().with(Entitlement::OPERATE.mask()),
    ];
    for team in 0..TEAMS {
        let mut record = Team::new(id(3, team));
        record.name = Some(format!("team-with-a-name-of-some-length-{team:03}").into());
        (record.team_type, record.listed) = (Some("enterprise".into()), Some(true));
        estate.resources.push(Resource { resource_type: ResourceType::Team, id: record.id.clone() });
        estate.teams.push(record);
        access.push(AccessRow { resource: team, principal: 0, mask: Entitlement::MEMBER.mask() });
    }
    for app in 0..TEAMS * APPS {
        let mut record = App::new(id(4, app));
        record.name = Some(format!("service-of-the-company-{app:05}").into());
        record.team = Some(id(3, app / APPS));
        estate.resources.push(Resource { resource_type: ResourceType::App, id: record.id.clone() });
        estate.apps.push(record);
        let base = Entitlement::COLLABORATOR.mask().with(Entitlement::VIEW.mask());
        let mask = base.with(more[app as usize % more.len()]);
        access.push(AccessRow { resource: TEAMS + app, principal: 0, mask });
    }
    estate.access = access;
    for resource in &estate.resources {
        coverage.cover_access(resource.clone());
    }
    (estate, coverage)
}

#[tokio::test]
async fn the_page_of_somebody_who_reaches_thousands_of_apps_stays_short() {
    let house = House::new().await;
    let (estate, coverage) = wide();
    let report = SyncReport {
        status: SyncStatus::Complete,
        started_at: Moment(0),
        finished_at: Moment(1),
        requests: 0,
        waited_ms: 0,
        error: None,
        scopes: Vec::new(),
    };
    let store = house.house.installation.estate(house.connector).await.unwrap();
    store.commit(estate, &coverage, &report, &SystemClock).await.unwrap();
    let mut browser = house.browser(Role::Operator).await;
    let place = format!("/people/{}", id(1, 0));
    let page = browser.get(&place).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.len() <= BYTES, "{} bytes", page.body.len());
    for text in ["6,400", "3,200 more apps in 80 further teams", "further reasons", "Find an app among these"]
    {
        assert!(page.body.contains(text), "{text} is missing");
    }
    let all = browser.get(&format!("{place}/apps")).await;
    assert!(all.body.len() <= BYTES && all.body.contains("Next page"), "{} bytes", all.body.len());
    let some = browser.get(&format!("{place}/apps?q=company-0012")).await;
    assert!(
        some.body.contains("10 apps") && some.body.contains("service-of-the-company-00129"),
        "{}",
        some.body
    );
    let none = browser.get(&format!("{place}/apps?q=nothing-like-it")).await;
    assert!(none.body.contains("No app of theirs is called so"), "{}", none.body);
    let compared = browser.get(&format!("{place}?compare=1")).await;
    assert!(
        compared.body.len() <= BYTES && compared.body.contains("6300 more differ"),
        "{}",
        compared.body.len()
    );
}
