//! Direct access, one step along the edges, and what is given besides are the effective access, line by line.

use std::collections::BTreeSet;

use metsuke_engine::access::{GrantFilter, grants};
use metsuke_engine::connector::{At, Because, Source, Target, View, document};
use metsuke_model::grant::PrincipalKind;
use metsuke_model::{AsOf, Entitlement, Grant, Moment, Record, ResourceType};
use metsuke_simulator::{Manners, Options, Size};
use metsuke_store::Store;
use metsuke_testkit::Chance;

use super::connector;
use crate::house::{House, Line, line};
use crate::told::Library;
use crate::told::estates::random;

async fn lines(store: &Store, effective: bool, as_of: Option<AsOf>) -> Vec<Grant> {
    let mut snapshot = store.snapshot(as_of).await.unwrap().unwrap();
    let mut lines = Vec::new();
    let mut take = |grant: &Grant| {
        if grant.principal.kind == PrincipalKind::User {
            lines.push(grant.clone());
        }
        Ok(())
    };
    let filter = GrantFilter { effective, ..GrantFilter::default() };
    grants(&mut snapshot, &filter, &mut take).await.unwrap().unwrap();
    lines
}

fn words(view: &View, at: At, slug: &str, user: usize) -> Line {
    let id = view.id(at).unwrap().to_string();
    (at.resource_type().as_str().into(), id, slug.into(), view.users()[user].id.to_string())
}

fn direct(view: &View) -> Vec<Line> {
    let rows = view.resources().flat_map(|at| view.direct(at).map(move |(user, slug)| (at, user, slug)));
    rows.map(|(at, user, slug)| words(view, at, slug, user)).collect()
}

/// What comes up in an estate, so that a test can say that nothing was left untried.
#[derive(Debug, Default)]
struct Tried {
    by_team: usize,
    by_own: usize,
    by_unknown: usize,
    owners: usize,
    collaborators: usize,
}

/// What one step along the edges gives, and what is given besides, without what is held directly.
fn derived(view: &View, tried: &mut Tried) -> BTreeSet<Line> {
    let mut followed = BTreeSet::new();
    let held: BTreeSet<Line> = direct(view).into_iter().collect();
    for app in 0..view.apps().len() {
        let at = At::App(app);
        for edge in view.edges(app) {
            let (source, slug) = match edge.source {
                Source::Team(team, role) => (At::Team(team), role),
                Source::Own(slug) => (at, slug),
            };
            for (user, _) in view.direct(source).filter(|(_, held)| *held == slug) {
                followed.insert(words(view, at, edge.target.slug(), user));
                match source {
                    At::Team(_) => tried.by_team += 1,
                    _ if ResourceType::App.entitlement(slug).is_none() => tried.by_unknown += 1,
                    _ => tried.by_own += 1,
                }
            }
        }
        for given in view.given(app) {
            let line = words(view, at, given.entitlement.slug(), given.user);
            assert!(!held.contains(&line), "{line:?} is held directly");
            assert!(followed.insert(line), "what an edge gives is not given besides");
            match given.because {
                Because::Owner => tried.owners += 1,
                Because::Collaborator => tried.collaborators += 1,
            }
        }
    }
    followed.difference(&held).cloned().collect()
}

async fn the_law_holds(store: &Store, as_of: Option<AsOf>, tried: &mut Tried) {
    let view = View::read(&mut store.snapshot(as_of).await.unwrap().unwrap()).await.unwrap();
    let shown = direct(&view);
    let told: Vec<Line> = lines(store, false, as_of).await.iter().map(line).collect();
    assert_eq!(shown.len(), told.len(), "every grant once");
    assert_eq!(view.grants(), shown.len());
    let told: BTreeSet<Line> = told.into_iter().collect();
    assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), told);
    let effective = lines(store, true, as_of).await;
    let expected: BTreeSet<Line> = effective.iter().filter(|grant| !grant.direct).map(line).collect();
    assert_eq!(derived(&view, tried), expected);
    in_order(&view);
    for at in view.resources() {
        let slugs = view.slugs(at);
        assert!(view.direct(at).all(|(_, slug)| slugs.contains(&slug)), "what is held is offered");
        assert_eq!(slugs.iter().collect::<BTreeSet<_>>().len(), slugs.len(), "each once");
    }
    one_by_one(store, as_of, &view).await;
}

fn in_order(view: &View) {
    fn sorted<T: Record>(list: &[T]) -> bool {
        list.is_sorted_by(|left, right| left.id() < right.id())
    }
    assert!(sorted(view.users()) && sorted(view.teams()) && sorted(view.apps()));
    assert!(sorted(view.enterprise_accounts()) && sorted(view.spaces()));
    for at in view.resources() {
        let order = view.slugs(at);
        let place = |slug: &str| order.iter().position(|known| *known == slug);
        let rows: Vec<_> = view.direct(at).map(|(user, slug)| (user, place(slug))).collect();
        assert!(rows.is_sorted(), "{at:?}: {rows:?}");
        assert_eq!(view.find(at.resource_type(), view.id(at).unwrap()), Some(at));
    }
}

/// A view of one resource says of it what the view of everything says.
async fn one_by_one(store: &Store, as_of: Option<AsOf>, whole: &View) {
    for at in whole.resources().step_by(7) {
        let id = whole.id(at).unwrap().clone();
        let target = match at {
            At::Team(_) => Target::Team(id.clone()),
            At::EnterpriseAccount(_) => Target::EnterpriseAccount(id.clone()),
            At::App(_) => Target::App(id.clone()),
        };
        let mut snapshot = store.snapshot(as_of).await.unwrap().unwrap();
        let one = View::read_one(&mut snapshot, &target).await.unwrap().unwrap();
        let there = one.find(at.resource_type(), &id).unwrap();
        let rows = |view: &View, at: At| -> Vec<Line> {
            view.direct(at).map(|(user, slug)| words(view, at, slug, user)).collect()
        };
        assert_eq!(rows(&one, there), rows(whole, at));
        assert_eq!(one.slugs(there), whole.slugs(at));
        if let (At::App(place), At::App(all)) = (there, at) {
            let of = |lines: BTreeSet<Line>| -> BTreeSet<Line> {
                lines.into_iter().filter(|line| line.1 == id.to_string()).collect()
            };
            let mut ignored = Tried::default();
            assert_eq!(of(derived(&one, &mut ignored)), of(derived_of(whole, all)));
            assert_eq!(one.edges(place).len(), whole.edges(all).len());
        }
    }
}

fn derived_of(view: &View, app: usize) -> BTreeSet<Line> {
    let id = view.apps()[app].id.to_string();
    derived(view, &mut Tried::default()).into_iter().filter(|line| line.1 == id).collect()
}

#[tokio::test]
async fn estates_by_chance_are_shown_line_by_line() {
    let mut tried = Tried::default();
    for seed in 0..40 {
        let told = random(&mut Chance::new(seed));
        let library = Library::on_sqlite(&told, Moment(1_800_000_000_000_000)).await;
        the_law_holds(&library.store, None, &mut tried).await;
    }
    let Tried { by_team, by_own, by_unknown, owners, collaborators } = tried;
    let all = [by_team, by_own, by_unknown, owners, collaborators];
    assert!(all.iter().all(|times| *times > 0), "nothing is left untried: {all:?}");
}

#[tokio::test]
async fn simulated_estates_are_shown_line_by_line_in_every_version() {
    for (size, seed, implicit) in [
        (Size::Mixed, 5, false),
        (Size::Awkward, 6, true),
        (Size::Standard, 7, false),
        (Size::Personal, 8, false),
    ] {
        let manners = Manners { implicit_listing: implicit, ..Manners::default() };
        let house = House::on_sqlite(Options { manners, ..Options::of(size).seed(seed) }).await;
        let first = house.sync().await.version;
        house.simulator.edit(|world| {
            if let Some(team) = world.team_names().first().cloned() {
                world.set_member(&team, "late@example.com", Some("auditor"));
                world.set_role(&team, "late@example.com", None);
            }
            if let Some(app) = world.app_names(None).first().cloned() {
                world.set_collaborator(&app, "late@example.com", &["fly"]);
            }
        });
        house.sync().await;
        let mut tried = Tried::default();
        the_law_holds(&house.store, None, &mut tried).await;
        the_law_holds(&house.store, Some(AsOf::Version(first)), &mut tried).await;
    }
}

#[tokio::test]
async fn a_role_without_a_name_is_offered_where_it_is_held_only() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(9)).await;
    let team = house.simulator.edit(|world| world.enterprise_team_names().remove(0)).unwrap();
    house.simulator.edit(|world| {
        world.set_member(&team, "null@example.com", None);
        world.set_member(&team, "new@example.com", Some("auditor"));
    });
    house.sync().await;
    let view = connector(&house).view(None).await.unwrap().unwrap();
    for (place, shown) in view.teams().iter().enumerate() {
        let slugs = view.slugs(At::Team(place));
        let five = ["admin", "member", "viewer", "collaborator", "owner"];
        let all = [&five[..], &["unknown", "auditor"]].concat();
        let expected = if shown.name.as_deref() == Some(&team) { all } else { five.to_vec() };
        assert_eq!(slugs, expected);
    }
    let unknown = Entitlement::UNKNOWN.slug();
    assert!(view.resources().any(|at| view.direct(at).any(|(_, slug)| slug == unknown)));
}

#[tokio::test]
async fn a_version_with_gaps_names_them() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(2)).await;
    house.sync().await;
    let shown = connector(&house).view(None).await.unwrap().unwrap();
    let missing = house.lines(&GrantFilter::default(), None).await.len();
    assert!(missing > 0 && !shown.sync().complete, "one team cannot be read in this estate");
    assert!(shown.sync().gaps.iter().all(|gap| gap.gap));
    assert_eq!(connector(&house).version(None).await.unwrap().as_ref(), Some(shown.sync()));
    assert!(shown.sync().started_at <= shown.sync().finished_at);
}

#[tokio::test]
async fn all_that_heroku_tells_of_an_object_is_shown() {
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(5)).await;
    house.sync().await;
    let view = connector(&house).view(None).await.unwrap().unwrap();
    let own = view.users().iter().find(|user| user.own_account == Some(true)).unwrap();
    let shown = document(own);
    assert_eq!(shown["email"], own.email.as_deref().unwrap());
    assert!(shown.contains_key("created_at"), "{shown:?}");
    let app = view.apps().iter().find(|app| app.team.is_some()).unwrap();
    let shown = document(app);
    assert!(shown.contains_key("region") && shown.contains_key("stack") && shown.contains_key("web_url"));
    let named: Vec<usize> = view.users_named(&own.email.as_deref().unwrap().to_uppercase()).collect();
    assert_eq!(named, [view.user(&own.id).unwrap()]);
}

#[tokio::test]
async fn an_empty_database_shows_nothing() {
    let house = House::on_sqlite(Options::of(Size::Small)).await;
    let connector = connector(&house);
    assert!(connector.view(None).await.unwrap().is_none());
    assert!(connector.version(None).await.unwrap().is_none());
}
