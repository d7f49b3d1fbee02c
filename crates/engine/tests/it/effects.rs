//! What turning rows would change, in words, and what to think about before.

use std::collections::BTreeSet;

use metsuke_engine::EngineError;
use metsuke_engine::access::{AppRow, Effects, Turn, TurnOf, Warning, effects, warnings};
use metsuke_model::record::{App, Team, User};
use metsuke_model::{Access, HerokuId, ResourceType};
use metsuke_simulator::{Options, Size};
use metsuke_store::Select;

use crate::house::House;

/// A house with an Enterprise team, a standard team and a personal app, in which everybody is at `x.io`.
async fn forge() -> House {
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(1)).await;
    house.simulator.edit(|world| {
        let enterprise = world.enterprise_names().remove(0);
        world.add_team(Some(&enterprise), "core");
        world.set_member("core", "ada@x.io", Some("admin"));
        world.set_member("core", "max@x.io", Some("member"));
        for name in ["api", "web", "jobs", "mail"] {
            world.add_app(Some("core"), name);
        }
        world.set_collaborator("api", "max@x.io", &["view", "deploy"]);
        world.lock_app("mail", true);
        world.add_team(None, "studio");
        world.set_member("studio", "mia@x.io", Some("member"));
        world.add_app(Some("studio"), "site");
        world.add_app(None, "notes");
        world.set_collaborator("notes", "max@x.io", &[]);
    });
    house.sync().await;
    house
}

/// A turn by names: `after` holds the slugs.
async fn turn(house: &House, email: &str, what: ResourceType, name: &str, after: &[&str]) -> Turn {
    let mut snapshot = house.snapshot(None).await;
    let users = snapshot.objects::<User>(&Select::Named(email.into())).await.unwrap();
    let principal = match users.first() {
        Some(user) => TurnOf::Known(user.record.id.clone()),
        None => TurnOf::New { email: email.into() },
    };
    let named = Select::Named(name.into());
    let resource = if what == ResourceType::Team {
        snapshot.objects::<Team>(&named).await.unwrap().remove(0).record.id
    } else {
        snapshot.objects::<App>(&named).await.unwrap().remove(0).record.id
    };
    Turn { principal, resource_type: what, resource, after: Access::from_slugs(what, after.iter().copied()) }
}

async fn told(house: &House, turns: &[Turn]) -> (Effects, Vec<Warning>) {
    let mut snapshot = house.snapshot(None).await;
    let effects = effects(&mut snapshot, turns).await.unwrap();
    let warnings = warnings(&mut snapshot, turns, &effects).await.unwrap();
    (effects, warnings)
}

/// Sentences and warnings, as a person reads them.
async fn words(house: &House, turns: &[Turn]) -> String {
    let (effects, warnings) = told(house, turns).await;
    let warnings = warnings.iter().map(|warning| format!("warning: {warning}"));
    effects.sentences().into_iter().chain(warnings).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_role_that_changes_says_what_comes_and_what_goes() {
    let house = forge().await;
    let admin = turn(&house, "max@x.io", ResourceType::Team, "core", &["admin"]).await;
    insta::assert_snapshot!(words(&house, &[admin]).await, @r"
    max@x.io gains admin on team core
    max@x.io gains operate and manage on app api through team core (admin)
    max@x.io gains deploy, operate and manage on apps jobs and web through team core (admin)
    max@x.io gains view, deploy, operate and manage on app mail through team core (admin)
    max@x.io loses member on team core
    max@x.io keeps view on apps jobs and web through team core (admin), so far through team core (member)
    ");
    let viewer = turn(&house, "ada@x.io", ResourceType::Team, "core", &["viewer"]).await;
    insta::assert_snapshot!(words(&house, &[viewer]).await, @r"
    ada@x.io gains viewer on team core
    ada@x.io loses admin on team core
    ada@x.io loses deploy, operate and manage on apps api, jobs and web (no path left)
    ada@x.io loses view, deploy, operate and manage on app mail (no path left)
    ada@x.io keeps view on apps api, jobs and web through team core (viewer), so far through team core (admin)
    ");
    let same = turn(&house, "max@x.io", ResourceType::Team, "core", &["member"]).await;
    let (effects, warnings) = told(&house, &[same]).await;
    assert!(effects.is_empty() && effects.sentences().is_empty() && warnings.is_empty());
}

#[tokio::test]
async fn who_leaves_a_team_may_lose_their_rows_on_its_apps() {
    let house = forge().await;
    let leaves = turn(&house, "max@x.io", ResourceType::Team, "core", &[]).await;
    insta::assert_snapshot!(words(&house, std::slice::from_ref(&leaves)).await, @r"
    max@x.io loses member on team core
    max@x.io loses view on apps jobs and web (no path left)
    max@x.io has rows of their own on app api, which Heroku may take away on leaving team core
    ");
    let (effects, _) = told(&house, std::slice::from_ref(&leaves)).await;
    let elsewhere = turn(&house, "max@x.io", ResourceType::App, "notes", &["collaborator"]).await;
    let (same, _) = told(&house, &[leaves.clone(), elsewhere]).await;
    assert_eq!(same.app_rows, effects.app_rows, "rows on other apps stay");
    let turns: Vec<Turn> = std::iter::once(leaves).chain(effects.app_rows.iter().map(AppRow::gone)).collect();
    insta::assert_snapshot!(words(&house, &turns).await, @r"
    max@x.io loses member on team core
    max@x.io loses collaborator, view and deploy on app api (no path left)
    max@x.io loses view on apps jobs and web (no path left)
    ");
}

#[tokio::test]
async fn a_row_that_goes_says_what_stays_by_another_path() {
    let house = forge().await;
    let gone = turn(&house, "max@x.io", ResourceType::App, "api", &[]).await;
    insta::assert_snapshot!(words(&house, &[gone]).await, @r"
    max@x.io loses collaborator and deploy on app api (no path left)
    max@x.io keeps view on app api through team core (member), so far directly
    ");
    let own = turn(&house, "ada@x.io", ResourceType::App, "api", &["collaborator", "view", "deploy"]).await;
    insta::assert_snapshot!(words(&house, &[own]).await, @r"
    ada@x.io gains collaborator on app api directly
    ada@x.io keeps view and deploy on app api directly, so far through team core (admin)
    ");
}

#[tokio::test]
async fn somebody_new_is_told_to_accept_first() {
    let house = forge().await;
    // One person, however the address is spelled.
    let joins = turn(&house, "new@x.io", ResourceType::Team, "studio", &["member"]).await;
    let again = turn(&house, "New@x.io", ResourceType::App, "notes", &["collaborator"]).await;
    let (effects, _) = told(&house, &[joins.clone(), again.clone()]).await;
    let holders: BTreeSet<_> = effects.gained.iter().map(|grant| grant.principal.clone()).collect();
    assert_eq!(holders.len(), 1);
    insta::assert_snapshot!(words(&house, &[joins, again]).await, @r"
    new@x.io gains member on team studio, once they have accepted
    new@x.io gains collaborator on app notes directly, once they have accepted
    new@x.io gains view, deploy and operate on app notes through collaborator on it, once they have accepted
    new@x.io gains view, deploy and operate on app site through team studio (member), once they have accepted
    ");
}

#[tokio::test]
async fn the_last_admin_and_the_last_holder_are_warned_of() {
    let house = forge().await;
    let caller = house.simulator.edit(|world| world.caller_email()).unwrap();
    let ada = turn(&house, "ada@x.io", ResourceType::Team, "core", &[]).await;
    let (_, alone) = told(&house, std::slice::from_ref(&ada)).await;
    assert!(!alone.iter().any(|warning| matches!(warning, Warning::LastAdmin { .. })), "{alone:?}");
    let own = turn(&house, &caller, ResourceType::Team, "core", &["member"]).await;
    // An invitation that is not accepted is no admin.
    let new = turn(&house, "new@x.io", ResourceType::Team, "core", &["admin"]).await;
    let (_, warnings) = told(&house, &[ada, own, new]).await;
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    nobody known is left as admin of team core
    nobody known is left with manage on 4 apps such as api and jobs
    nobody known is left with deploy on apps jobs, mail and web
    ");
}

#[tokio::test]
async fn the_owner_of_a_personal_app_holds_it_whatever_the_rows_say() {
    let house = forge().await;
    let caller = house.simulator.edit(|world| world.caller_email()).unwrap();
    let own = turn(&house, &caller, ResourceType::App, "notes", &[]).await;
    insta::assert_snapshot!(words(&house, &[own]).await, @r"
    warning: nadia.suzuki@northwind.example owns app notes and holds everything on it, whatever its rows say
    ");
}

#[tokio::test]
async fn a_turn_of_what_is_not_there_is_an_error() {
    let house = forge().await;
    let mut strange = turn(&house, "ada@x.io", ResourceType::App, "api", &[]).await;
    strange.resource = HerokuId::new("no-such-app");
    let error = effects(&mut house.snapshot(None).await, &[strange.clone()]).await.unwrap_err();
    assert!(matches!(error, EngineError::NotFound { what: "app", .. }), "{error}");
    strange.principal = TurnOf::Known(HerokuId::new("nobody"));
    let error = effects(&mut house.snapshot(None).await, &[strange]).await.unwrap_err();
    assert!(matches!(error, EngineError::NotFound { what: "user", .. }), "{error}");
}

#[tokio::test]
async fn effects_and_warnings_are_written_as_json() {
    let house = forge().await;
    let gone = turn(&house, "max@x.io", ResourceType::App, "api", &[]).await;
    let (effects, warnings) = told(&house, &[gone]).await;
    let written = serde_json::to_value((&effects, &warnings)).unwrap();
    assert_eq!(written[0]["lost"][0]["entitlement"], "collaborator");
    assert_eq!(written[0]["kept"][0]["before"]["direct"], true);
    assert_eq!(written[0]["kept"][0]["after"]["path"][0]["name"], "core");
    assert_eq!(written[0]["config"][0]["reads"], false);
}

#[tokio::test]
async fn many_apps_share_a_sentence_and_their_add_ons_a_warning() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(1)).await;
    house.sync().await;
    let team = house.simulator.edit(|world| world.enterprise_team_names().remove(0)).unwrap();
    let admin = turn(&house, "new@x.io", ResourceType::Team, &team, &["admin"]).await;
    insta::assert_snapshot!(words(&house, &[admin]).await, @r"
    new@x.io gains admin on team northwind-payments, once they have accepted
    new@x.io gains view, deploy, operate and manage on 37 apps such as payments-admin-eu and payments-api through team northwind-payments (admin), once they have accepted
    warning: new@x.io comes to read the config vars of 37 apps, with the credentials of 38 add-ons
    ");
    house.simulator.edit(|world| world.set_member(&team, "new@x.io", Some("admin")));
    house.sync().await;
    let leaves = turn(&house, "new@x.io", ResourceType::Team, &team, &[]).await;
    insta::assert_snapshot!(words(&house, &[leaves]).await, @r"
    new@x.io loses admin on team northwind-payments
    new@x.io loses view, deploy, operate and manage on 37 apps such as payments-admin-eu and payments-api (no path left)
    warning: new@x.io no longer reads the config vars of 37 apps, but may know the credentials of 38 add-ons
    ");
}
