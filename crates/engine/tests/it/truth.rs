//! What a sync stores is what Heroku has: nothing missing, nothing extra, in the fewest requests.

use std::collections::BTreeSet;

use metsuke_engine::access::GrantFilter;
use metsuke_engine::sync::SyncSummary;
use metsuke_model::grant::PrincipalKind;
use metsuke_model::record::{App, Authorization, User};
use metsuke_model::{Changes, Outcome, SyncStatus};
use metsuke_simulator::{Denial, Fault, FaultKind, Manners, Options, Size};
use metsuke_store::Select;

use crate::house::{House, Line, line};

async fn agrees(house: &House) {
    let summary = house.sync().await;
    let gaps: Vec<_> = summary.report.scopes.iter().filter(|scope| scope.gap).collect();
    let (stored, truth) = (house.direct(None).await, house.truth());
    let missing: Vec<_> = truth.difference(&stored).take(5).collect();
    let extra: Vec<_> = stored.difference(&truth).take(5).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing {missing:?}, extra {extra:?}, gaps {gaps:?}");
    assert_eq!(summary.counts.grants, truth.len() as u64);
    let truth = house.simulator.truth();
    let lines = house.lines(&GrantFilter::default(), None).await;
    let invitations: BTreeSet<String> = lines
        .iter()
        .filter(|grant| grant.principal.kind == PrincipalKind::Invitation)
        .map(|grant| grant.principal.id.to_string())
        .collect();
    assert_eq!(invitations, truth.invitations().map(|invitation| invitation.invitation_id).collect());
    let mut snapshot = house.snapshot(None).await;
    let users: BTreeSet<String> = snapshot
        .objects::<User>(&Select::All)
        .await
        .unwrap()
        .iter()
        .map(|stored| stored.record.id.to_string())
        .collect();
    assert_eq!(users, truth.users().collect());
    let apps = snapshot.objects::<App>(&Select::All).await.unwrap();
    let apps: BTreeSet<String> = apps.iter().map(|stored| stored.record.id.to_string()).collect();
    assert_eq!(apps, truth.apps().collect());
    assert_eq!(summary.counts.addons, truth.addons().count() as u64);
}

/// Every listing that a sync may ask for once.
const LISTS: [&str; 9] = [
    "/account",
    "/enterprise-accounts",
    "/teams",
    "/apps",
    "/addons",
    "/addon-attachments",
    "/pipelines",
    "/pipeline-couplings",
    "/spaces",
];

/// The listings that a token of the scope `global` alone shows.
const CREDENTIALS: [&str; 2] = ["GET /oauth/authorizations", "GET /account/keys"];

/// Every listing that it may ask for once for each parent, whatever else it knows.
const CHILDREN: [(&str, &str); 6] = [
    ("enterprise-accounts", "members"),
    ("enterprise-accounts", "teams"),
    ("teams", "members"),
    ("teams", "permissions"),
    ("teams", "invitations"),
    ("spaces", "members"),
];

/// The sum of the pages of all listings that the log shows, each listing at least one.
fn pages(house: &House) -> u64 {
    let log = house.simulator.stats().log;
    let lists: BTreeSet<(&str, &str)> = log.iter().map(|seen| (&*seen.method, &*seen.path)).collect();
    let walked =
        log.iter().filter(|seen| seen.range.as_deref().is_some_and(|range| range.contains(']'))).count();
    (lists.len() + walked) as u64
}

#[tokio::test]
async fn every_seed_of_every_estate_is_read_exactly() {
    for size in [Size::Enterprise, Size::Standard, Size::Personal, Size::Mixed, Size::Awkward] {
        for seed in 1..=4 {
            let house = House::on_sqlite(Options::of(size).seed(seed)).await;
            agrees(&house).await;
        }
    }
}

#[tokio::test]
async fn postgres_stores_the_same() {
    for size in [Size::Mixed, Size::Awkward] {
        let house = House::on_postgres(Options::of(size).seed(5)).await;
        agrees(&house).await;
        assert_eq!(house.sync().await.changes, Changes::default());
    }
}

#[tokio::test]
async fn a_second_sync_of_an_unchanged_estate_changes_nothing() {
    for size in [Size::Mixed, Size::Awkward] {
        let house = House::on_sqlite(Options::of(size).seed(9)).await;
        house.sync().await;
        assert_eq!(house.sync().await.changes, Changes::default());
    }
}

#[tokio::test]
async fn implicit_listings_are_settled_once_and_lose_only_what_a_role_repeats() {
    for seed in 1..=4 {
        let manners = Manners { implicit_listing: true, ..Manners::default() };
        let house = House::on_sqlite(Options::of(Size::Enterprise).seed(seed).manners(manners)).await;
        let first = house.sync().await;
        let (stored, truth) = (house.direct(None).await, house.truth());
        let extra: Vec<_> = stored.difference(&truth).take(5).collect();
        assert!(extra.is_empty(), "seed {seed}: {extra:?}");
        // A direct row that says just what the role implies cannot be told from an implicit one: it is derived.
        let effective = GrantFilter { effective: true, ..GrantFilter::default() };
        let held: BTreeSet<Line> = house.lines(&effective, None).await.iter().map(line).collect();
        for missing in truth.difference(&stored) {
            let named = missing.2 == "collaborator";
            assert!(missing.0 == "app" && (named || held.contains(missing)), "seed {seed}: lost {missing:?}");
        }
        let second = house.sync().await;
        assert!(second.report.requests < first.report.requests, "settled once");
        assert_eq!(second.changes, Changes::default());
    }
}

#[tokio::test]
async fn large_teams_hidden_apps_and_refused_or_empty_listings_are_read_exactly() {
    for denial in [Denial::Forbidden, Denial::NotFound, Denial::Empty] {
        let manners = Manners {
            unjoined_hidden: true,
            standard_permissions: denial,
            large_team: denial == Denial::Empty,
            ..Manners::default()
        };
        let house = House::on_sqlite(Options::of(Size::Mixed).seed(3).manners(manners)).await;
        agrees(&house).await;
    }
}

#[tokio::test]
async fn a_sync_asks_for_each_page_once_and_for_single_apps_only_where_no_team_listing_serves() {
    for size in [Size::Enterprise, Size::Standard, Size::Personal, Size::Mixed] {
        let house = House::on_sqlite(Options::of(size).seed(2)).await;
        house.sync().await;
        house.simulator.reset_stats();
        let summary = house.sync().await;
        assert_eq!(summary.report.requests, house.simulator.stats().requests);
        assert_eq!(summary.report.requests, pages(&house), "{size:?}");
        assert!(house.simulator.stats().max_in_flight <= 8);
        let log = house.simulator.stats().log;
        let listed: BTreeSet<String> = log
            .iter()
            .filter(|seen| seen.status < 300)
            .filter_map(|seen| {
                seen.path.strip_prefix("/teams/")?.strip_suffix("/permissions").map(Into::into)
            })
            .collect();
        let apps = house.snapshot(None).await.objects::<App>(&Select::All).await.unwrap();
        for path in log.iter().map(|seen| seen.path.as_str()) {
            let words: Vec<&str> = path.split('/').skip(1).collect();
            match words.as_slice() {
                ["teams", team, "apps"] => assert!(!listed.contains(*team), "{path}"),
                ["apps", id, "collaborators"] => {
                    let app = apps.iter().find(|app| app.record.id.to_string() == *id).unwrap();
                    let team = app.record.team.as_ref().map(ToString::to_string);
                    assert!(team.is_none_or(|team| !listed.contains(&team)), "{path}");
                }
                [_] => assert!(LISTS.contains(&path), "{path}"),
                ["filters", "apps"] | ["oauth", "authorizations"] | ["account", "keys"] => {}
                [parent, _, children] => assert!(CHILDREN.contains(&(*parent, *children)), "{path}"),
                _ => panic!("nothing calls for {path}"),
            }
        }
    }
}

#[tokio::test]
async fn a_read_token_gives_a_partial_version_that_names_its_gaps() {
    let house = House::on_sqlite(Options::of(Size::Enterprise).seed(1)).await;
    let summary = house.sync_with(&house.simulator.token_with("read")).await.unwrap();
    assert_eq!(summary.report.status, SyncStatus::Partial);
    let gaps: Vec<&str> =
        summary.report.scopes.iter().filter(|scope| scope.gap).map(|scope| &*scope.scope).collect();
    assert!(gaps.contains(&"GET /account"), "{gaps:?}");
    assert!(gaps.iter().any(|scope| scope.ends_with("/members")), "{gaps:?}");
    let stored = house.direct(None).await;
    assert!(stored.is_subset(&house.truth()));
}

#[tokio::test]
async fn what_the_tokens_scope_does_not_show_of_credentials_is_a_limit_and_any_other_refusal_a_gap() {
    let house = House::on_sqlite(Options::of(Size::Personal).seed(1)).await;
    let told = |summary: &SyncSummary| {
        let scopes = summary.report.scopes.iter().filter(|scope| CREDENTIALS.contains(&&*scope.scope));
        scopes.map(|scope| (scope.outcome, scope.gap)).collect::<Vec<_>>()
    };
    let whole = house.sync().await;
    assert_eq!(told(&whole), [(Outcome::Complete, false); 2]);
    let narrow = house.sync_with(&house.simulator.token_with("identity-read")).await.unwrap();
    assert_eq!(
        (narrow.report.status, told(&narrow)),
        (SyncStatus::Complete, vec![(Outcome::Refused, false); 2])
    );
    assert_eq!(narrow.changes, Changes::default(), "what is not shown is not gone");
    let why = narrow.report.scopes.iter().find(|scope| *scope.scope == *CREDENTIALS[0]).unwrap();
    let why = why.reason.as_deref().unwrap();
    insta::assert_snapshot!(why, @"not readable with this token's scope: it is `identity read`, and `global` is needed");
    house.simulator.faults().add(Fault::always(FaultKind::Forbidden403).on("/oauth/authorizations"));
    house.simulator.faults().add(Fault::always(FaultKind::ServerError500).on("/account/keys"));
    let broken = house.sync().await;
    assert_eq!(broken.report.status, SyncStatus::Partial);
    assert!(told(&broken).iter().all(|(outcome, gap)| *outcome != Outcome::Complete && *gap));
}

#[tokio::test]
async fn no_token_of_an_authorization_is_kept() {
    let house = House::on_sqlite(Options::of(Size::Personal).seed(2)).await;
    let other = house.simulator.edit(|world| world.add_authorization("laptop", "global", None)).unwrap();
    house.sync().await;
    let kept = house.snapshot(None).await.objects::<Authorization>(&Select::All).await.unwrap();
    let own: Vec<Option<bool>> = kept.iter().map(|stored| stored.record.own_token).collect();
    assert_eq!(own.iter().filter(|own| **own == Some(true)).count(), 1, "{own:?}");
    let laptop = kept.iter().find(|stored| stored.record.id.to_string() == other.to_string()).unwrap();
    assert_eq!((laptop.record.own_token, laptop.record.never_expires), (Some(false), Some(true)));
    assert_eq!(&*laptop.record.properties, "{}");
    let told = format!("{kept:?}");
    assert!(!told.contains("HRKU"), "{told}");
}

#[tokio::test]
async fn a_wrong_token_is_one_error_and_leaves_the_last_version() {
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(1)).await;
    house.sync().await;
    let before = house.direct(None).await;
    let failure = house.sync_with("HRKU-wrong").await.unwrap_err();
    insta::assert_snapshot!(failure.error, @"Heroku does not accept the token");
    assert_eq!(house.direct(None).await, before);
}
