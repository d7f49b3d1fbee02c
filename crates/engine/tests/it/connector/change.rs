//! Grants and revokes through a connector: what the server holds afterwards is the judge.

use metsuke_engine::access::GrantFilter;
use metsuke_engine::connector::{At, Connector, Granted, Revoked};
use metsuke_engine::{EngineError, ErrorKind};
use metsuke_model::{HerokuId, ResourceType};
use metsuke_simulator::{Options, Size};

use super::{connector, settings};
use crate::house::House;

/// An Enterprise team, one of its apps, and two of its people who are plain members: ids and addresses.
struct Cast {
    team: (ResourceType, HerokuId),
    app: (ResourceType, HerokuId),
    team_name: String,
    app_name: String,
    people: Vec<(String, String)>,
}

async fn cast(house: &House) -> Cast {
    let (team_name, app_name, emails) = house
        .simulator
        .edit(|world| {
            let teams = world.enterprise_team_names();
            let team = teams
                .into_iter()
                .find(|team| !world.app_names(Some(team)).is_empty() && world.members_of(team).len() > 4)
                .unwrap();
            let app = world.app_names(Some(&team)).remove(0);
            let people = world.members_of(&team).into_iter();
            let people: Vec<String> = people
                .filter(|(email, role)| {
                    role.as_deref() == Some("member") && world.permissions_on(&app, email).is_none()
                })
                .map(|(email, _)| email)
                .collect();
            (team, app, people)
        })
        .unwrap();
    let view = connector(house).view(None).await.unwrap().unwrap();
    let team = view.teams().iter().find(|team| team.name.as_deref() == Some(&team_name)).unwrap();
    let app = view.apps().iter().find(|app| app.name.as_deref() == Some(&app_name)).unwrap();
    let people = emails.into_iter().map(|email| {
        let place = view.users_named(&email).next().unwrap();
        (view.users()[place].id.to_string(), email)
    });
    Cast {
        team: (ResourceType::Team, team.id.clone()),
        app: (ResourceType::App, app.id.clone()),
        people: people.collect(),
        team_name,
        app_name,
    }
}

async fn synced(size: Size, seed: u64) -> House {
    let house = House::on_sqlite(Options::of(size).seed(seed)).await;
    house.sync().await;
    house
}

fn role(house: &House, team: &str, email: &str) -> Option<String> {
    house.simulator.edit(|world| world.role_in(team, email)).unwrap()
}

fn permissions(house: &House, app: &str, email: &str) -> Option<Vec<String>> {
    house.simulator.edit(|world| world.permissions_on(app, email)).unwrap()
}

async fn holds(connector: &Connector, resource: &(ResourceType, HerokuId), user: &str) -> Vec<String> {
    let view = connector.view(None).await.unwrap().unwrap();
    let at: At = view.find(resource.0, &resource.1).unwrap();
    let user = view.user(&HerokuId::new(user));
    view.direct(at).filter(|row| Some(row.0) == user).map(|row| row.1.to_owned()).collect()
}

#[tokio::test]
async fn a_role_replaces_the_one_before_and_says_which() {
    let house = synced(Size::Enterprise, 3).await;
    let Cast { team, team_name, people, .. } = cast(&house).await;
    let (id, email) = &people[0];
    let connector = connector(&house);
    let granted = connector.grant(&team, "viewer", id, Some("a review")).await.unwrap();
    let Granted::Done { added, replaced, pending } = granted else { panic!("{granted:?}") };
    assert_eq!((replaced.as_deref(), pending, added.len()), (Some("member"), false, 1));
    assert_eq!((&*added[0].entitlement, added[0].principal.id.to_string()), ("viewer", id.clone()));
    assert_eq!(role(&house, &team_name, email).as_deref(), Some("viewer"));
    assert_eq!(holds(&connector, &team, id).await, ["viewer"], "without a new sync");
    assert_eq!(connector.grant(&team, "viewer", email, None).await.unwrap(), Granted::AlreadyExists);
    assert_eq!(connector.revoke(&team, "member", id, None).await.unwrap(), Revoked::AlreadyRevoked);
    let revoked = connector.revoke(&team, "viewer", id, None).await.unwrap();
    assert!(
        matches!(&revoked, Revoked::Done { removed } if &*removed[0].entitlement == "viewer"),
        "{revoked:?}"
    );
    assert_eq!(role(&house, &team_name, email), None);
    assert_eq!(connector.revoke(&team, "viewer", id, None).await.unwrap(), Revoked::AlreadyRevoked);
}

#[tokio::test]
async fn permissions_are_a_set_that_grows_and_shrinks() {
    let house = synced(Size::Enterprise, 3).await;
    let Cast { app, app_name, people, .. } = cast(&house).await;
    let (id, email) = &people[0];
    let connector = connector(&house);
    let granted = connector.grant(&app, "deploy", id, None).await.unwrap();
    let Granted::Done { added, replaced: None, pending: false } = granted else { panic!("{granted:?}") };
    let mut slugs: Vec<&str> = added.iter().map(|grant| &*grant.entitlement).collect();
    slugs.sort_unstable();
    assert_eq!(slugs, ["collaborator", "deploy", "view"]);
    connector.grant(&app, "operate", id, None).await.unwrap();
    assert_eq!(permissions(&house, &app_name, email).unwrap(), ["view", "deploy", "operate"]);
    assert_eq!(connector.grant(&app, "collaborator", id, None).await.unwrap(), Granted::AlreadyExists);
    let revoked = connector.revoke(&app, "deploy", id, None).await.unwrap();
    assert!(matches!(&revoked, Revoked::Done { removed } if removed.len() == 1), "{revoked:?}");
    assert_eq!(permissions(&house, &app_name, email).unwrap(), ["view", "operate"]);
    assert_eq!(connector.revoke(&app, "deploy", id, None).await.unwrap(), Revoked::AlreadyRevoked);
    let revoked = connector.revoke(&app, "view", id, None).await.unwrap();
    assert!(
        matches!(&revoked, Revoked::Done { removed } if removed.len() == 3),
        "all of it went: {revoked:?}"
    );
    assert_eq!(permissions(&house, &app_name, email), None);
    let repeated = connector.revoke(&app, "collaborator", id, None).await.unwrap();
    assert_eq!(repeated, Revoked::AlreadyRevoked);
    assert_eq!(house.direct(None).await, house.truth());
}

#[tokio::test]
async fn a_team_that_invites_leaves_the_grant_pending() {
    let house = synced(Size::Standard, 4).await;
    let name = house.simulator.edit(|world| world.standard_team_names().remove(0)).unwrap();
    let view = connector(&house).view(None).await.unwrap().unwrap();
    let team = view.teams().iter().find(|team| team.name.as_deref() == Some(&name)).unwrap();
    let team = (ResourceType::Team, team.id.clone());
    let connector = connector(&house);
    let granted = connector.grant(&team, "member", "new.comer@example.com", None).await.unwrap();
    assert!(matches!(&granted, Granted::Done { pending: true, replaced: None, .. }), "{granted:?}");
    let repeated = connector.grant(&team, "member", "new.comer@example.com", None).await.unwrap();
    assert_eq!(repeated, Granted::AlreadyExists);
    let revoked = connector.revoke(&team, "member", "new.comer@example.com", None).await.unwrap();
    assert!(matches!(revoked, Revoked::Done { .. }));
    assert_eq!(role(&house, &name, "new.comer@example.com"), None);
}

#[tokio::test]
async fn a_rule_refuses_with_its_reason_and_sends_nothing() {
    let house = synced(Size::Enterprise, 3).await;
    let Cast { team, app, people, .. } = cast(&house).await;
    let (id, _) = &people[0];
    let own = house.simulator.edit(|world| world.caller_email()).unwrap();
    let connector = connector(&house);
    let account = (ResourceType::EnterpriseAccount, HerokuId::new("whatever"));
    for (resource, slug, user, word) in [
        (&team, "collaborator", id.as_str(), "follows from being named"),
        (&team, "owner", id, "not changed through roles"),
        (&team, "king", id, "is no role"),
        (&app, "fly", id, "is no permission"),
        (&team, "viewer", &own, "R2"),
        (&account, "manage", id, "read only"),
    ] {
        let error = connector.grant(resource, slug, user, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert!(error.to_string().contains(word) && error.retry_after().is_none(), "{error}");
    }
    let mut closed = settings(std::sync::Arc::new(metsuke_model::SystemClock));
    closed.provision.allow_writes = false;
    let heroku = house.heroku(house.simulator.token());
    let closed = Connector::new(house.store.clone(), heroku, closed);
    let error = closed.grant(&app, "deploy", id, None).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Refused && error.to_string().starts_with("R10"), "{error}");
    assert!(!closed.allows_writes() && connector.allows_writes());
    assert_eq!(house.simulator.journal().writes.len(), 0);
}

#[tokio::test]
async fn the_last_admin_is_judged_on_what_heroku_shows_now() {
    let house = synced(Size::Enterprise, 3).await;
    let name = house
        .simulator
        .edit(|world| {
            let enterprise = world.enterprise_names().remove(0);
            world.add_team(Some(&enterprise), "forge");
            world.set_member("forge", "ada@example.com", Some("admin"));
            let own = world.caller_email();
            world.set_role("forge", &own, Some("member"));
            "forge"
        })
        .unwrap();
    house.sync().await;
    let view = connector(&house).view(None).await.unwrap().unwrap();
    let team = view.teams().iter().find(|team| team.name.as_deref() == Some(name)).unwrap();
    let team = (ResourceType::Team, team.id.clone());
    let error = connector(&house).revoke(&team, "admin", "ada@example.com", None).await.unwrap_err();
    assert!(error.kind() == ErrorKind::Refused && error.to_string().contains("last admin"), "{error}");
    assert_eq!(role(&house, name, "ada@example.com").as_deref(), Some("admin"));
}

#[tokio::test]
async fn what_heroku_says_no_to_keeps_its_meaning() {
    let house = synced(Size::Enterprise, 3).await;
    let Cast { app, people, .. } = cast(&house).await;
    let (id, _) = &people[0];
    for (fault, kind) in [
        ("forbidden-403@/teams/apps", ErrorKind::Forbidden),
        ("not-found-404@/teams/apps", ErrorKind::NotFound),
        ("rate-limit-429@/teams/apps", ErrorKind::RateLimited),
        ("write-dropped-500@/teams/apps", ErrorKind::InDoubt),
    ] {
        house.simulator.faults().add(fault.parse().unwrap());
        let error = connector(&house).grant(&app, "deploy", id, None).await.unwrap_err();
        house.simulator.faults().clear();
        assert_eq!(error.kind(), kind, "{fault}: {error}");
        let passes = matches!(kind, ErrorKind::RateLimited | ErrorKind::InDoubt);
        assert_eq!(error.retry_after().is_some(), passes, "{fault}: {error}");
    }
}

#[tokio::test]
async fn a_wrong_token_is_told_apart_and_a_small_one_is_no_error() {
    let house = synced(Size::Enterprise, 3).await;
    let account = connector(&house).validate().await.unwrap();
    let own = house.simulator.edit(|world| world.caller_email()).unwrap();
    assert_eq!(account.email.as_deref(), Some(own.as_str()));
    assert!(account.id.is_some() && account.scopes.iter().any(|scope| scope == "global"));
    let wrong = super::over(&house.store, house.heroku("HRKU-nobody"));
    let error = wrong.validate().await.unwrap_err();
    assert!(matches!(error, EngineError::WrongToken { .. }));
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    let rate = connector(&house).rate();
    assert_eq!((rate.limit, rate.remaining), (4_500, None));
    let known = connector(&house);
    known.validate().await.unwrap();
    let rate = known.rate();
    assert!(rate.remaining.is_some_and(|left| left < 4_500) && rate.full_at > metsuke_model::Moment(0));
}

#[tokio::test]
async fn nothing_is_done_for_a_resource_that_heroku_does_not_show() {
    let house = synced(Size::Enterprise, 3).await;
    let Cast { people, .. } = cast(&house).await;
    let nowhere = (ResourceType::App, HerokuId::new("01234567-89ab-4def-8123-456789abcdef"));
    let error = connector(&house).grant(&nowhere, "view", &people[0].0, None).await.unwrap_err();
    assert!(matches!(error, EngineError::NotAtHeroku { what: "app", .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(!house.lines(&GrantFilter::default(), None).await.is_empty());
}

#[tokio::test]
async fn changes_of_one_row_at_the_same_time_all_arrive() {
    let house = synced(Size::Enterprise, 3).await;
    let Cast { app, app_name, people, .. } = cast(&house).await;
    let (id, email) = &people[0];
    let (one, other) = (connector(&house), connector(&house));
    let came = tokio::join!(
        one.grant(&app, "deploy", id, None),
        one.grant(&app, "operate", id, None),
        other.grant(&app, "manage", id, None),
        other.grant(&app, "view", id, None),
    );
    for granted in [came.0, came.1, came.2, came.3] {
        granted.unwrap();
    }
    let held = permissions(&house, &app_name, email).unwrap();
    assert_eq!(held, ["view", "deploy", "operate", "manage"]);
    assert_eq!(house.direct(None).await, house.truth());
}

#[tokio::test]
async fn a_sync_that_read_before_a_change_does_not_take_it_back() {
    let house = synced(Size::Enterprise, 3).await;
    let Cast { team, app, app_name, people, .. } = cast(&house).await;
    let (id, email) = &people[0];
    let connector = connector(&house);
    let cancel = tokio_util::sync::CancellationToken::new();
    house.simulator.reset_stats();
    house.simulator.faults().add("slow-drip=1200@/addons#1".parse().unwrap());
    let listing = format!("/teams/{}/permissions", team.1);
    let change = async {
        // What the team's people hold is read by then, and the sync is not over.
        let read = |seen: &metsuke_simulator::Seen| seen.path == listing && seen.status != 0;
        while !house.simulator.stats().log.iter().any(read) {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        connector.grant(&app, "deploy", id, None).await.unwrap();
    };
    let (summary, ()) = tokio::join!(connector.sync(&(), &cancel), change);
    summary.unwrap();
    assert!(permissions(&house, &app_name, email).is_some());
    assert_eq!(house.direct(None).await, house.truth());
    assert!(holds(&connector, &app, id).await.contains(&"deploy".to_owned()));
}
