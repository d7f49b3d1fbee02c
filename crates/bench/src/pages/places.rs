//! Where the pages are: of each list its address, of each sort of object a large one and one like most others.
//!
//! Invariant: a route without an address here ends the measurement, so that no page goes unmeasured.

use anyhow::Context as _;

use super::ground::Ground;
use super::plain;

/// What a route shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A list, which is walked through.
    List,
    /// Anything else.
    Object,
}

/// A route and the addresses at which it is asked.
pub(super) struct Place {
    pub(super) pattern: &'static str,
    pub(super) sort: Sort,
    /// What each is called, and the address.
    pub(super) addresses: Vec<(String, String)>,
}

/// Lists, and where each begins.
const LISTS: [(&str, &str); 11] = [
    ("/people", "/people"),
    ("/teams", "/teams"),
    ("/apps", "/apps"),
    ("/enterprise-accounts", "/enterprise-accounts"),
    ("/changes", "/changes"),
    ("/findings", "/findings"),
    ("/provisioning", "/provisioning"),
    ("/audit", "/audit"),
    ("/settings/accounts", "/settings/accounts"),
    ("/settings/tokens", "/settings/tokens"),
    ("/matrix", "/matrix"),
];

/// Pages of which there is one.
const SINGLE: [&str; 21] = [
    "/",
    "/people/employees/add",
    "/graph",
    "/query",
    "/query/catalogue",
    "/query/questions",
    "/query/questions/add",
    "/rules",
    "/rules/add",
    "/rules/channels",
    "/rules/channels/add",
    "/provisioning/add",
    "/connectors",
    "/connectors/add",
    "/connectors/add/heroku",
    "/setup/heroku",
    "/settings",
    "/settings/owners",
    "/settings/sign-in",
    "/settings/installation",
    "/styleguide",
];

/// Objects that are found on a list: the route, the list, and what comes behind the object.
const FOUND: [(&str, &str, &str); 10] = [
    ("/enterprise-accounts/{id}", "/enterprise-accounts", ""),
    ("/changes/{id}", "/changes", ""),
    ("/findings/{id}", "/findings", ""),
    ("/provisioning/{id}", "/provisioning?state=waiting", ""),
    ("/connectors/{id}", "/connectors", ""),
    ("/connectors/{id}/settings", "/connectors", "/settings"),
    ("/rules/channels/{id}", "/rules/channels", ""),
    ("/query/questions/{id}", "/query/questions?only=own", ""),
    ("/query/questions/{id}/edit", "/query/questions?only=own", "/edit"),
    ("/settings/accounts/{id}", "/settings/accounts", ""),
];

/// All of them.
pub(super) async fn places(ground: &Ground) -> anyhow::Result<Vec<Place>> {
    let known = metsuke_web::page_routes();
    let mut places = Vec::new();
    for (pattern, address) in LISTS {
        places.push(Place {
            pattern,
            sort: Sort::List,
            addresses: vec![(String::new(), address.to_owned())],
        });
    }
    let object = |pattern, addresses: &[(&str, String)]| Place {
        pattern,
        sort: Sort::Object,
        addresses: addresses.iter().map(|(name, address)| ((*name).to_owned(), address.clone())).collect(),
    };
    for pattern in SINGLE.into_iter().filter(|pattern| known.contains(pattern)) {
        places.push(object(pattern, &[("", pattern.to_owned())]));
    }
    let [wide, everywhere, usual] = ground.people();
    let found = |person: &str| format!("/people/{person}");
    places.push(object(
        "/people/{id}",
        &[
            ("one who reaches very much", found(&wide)),
            ("beside the version before", format!("{}?compare=2", found(&wide))),
            ("an admin of every team", found(&everywhere)),
            ("beside the version before", format!("{}?compare=2", found(&everywhere))),
            ("one like most", found(&usual)),
        ],
    ));
    places.push(object(
        "/people/{id}/apps",
        &[
            ("of one who reaches very much", format!("{}/apps", found(&wide))),
            ("the last of them", format!("{}/apps?from=6000", found(&wide))),
            ("that hold some words", format!("{}/apps?q=service-0003", found(&wide))),
            ("of an admin of every team", format!("{}/apps", found(&everywhere))),
            ("the last of them", format!("{}/apps?from=99000", found(&everywhere))),
            ("of one like most", format!("{}/apps", found(&usual))),
        ],
    ));
    let employees = |only: &str| format!("/people/employees?only={only}");
    places.push(object(
        "/people/employees",
        &[
            ("who left", "/people/employees".to_owned()),
            ("accounts of which nobody knows whose they are", employees("open")),
            ("everybody", employees("all")),
        ],
    ));
    let [large, middling] = ground.teams();
    places.push(object(
        "/teams/{id}",
        &[("the largest", format!("/teams/{large}")), ("one like most", format!("/teams/{middling}"))],
    ));
    let [first, other] = ground.apps();
    places.push(object(
        "/apps/{id}",
        &[
            ("of the largest team", format!("/apps/{first}")),
            ("one like most", format!("/apps/{other}")),
            ("as it was", format!("/apps/{other}?as_of=2")),
        ],
    ));
    for (pattern, list, behind) in FOUND.into_iter().filter(|(pattern, ..)| known.contains(pattern)) {
        let addresses = linked(ground, list, pattern).await?;
        let named = |(name, address): (&str, String)| (name.to_owned(), format!("{address}{behind}"));
        places.push(Place {
            pattern,
            sort: Sort::Object,
            addresses: addresses.into_iter().map(named).collect(),
        });
    }
    places.extend(further(ground, &object).await?);
    Ok(places)
}

/// Those whose addresses no list names.
async fn further(
    ground: &Ground,
    object: &impl Fn(&'static str, &[(&str, String)]) -> Place,
) -> anyhow::Result<Vec<Place>> {
    let connector = &ground.connector;
    let rules = ground.page("/rules?only=own").await?;
    let own = links(&rules, "/rules/")
        .into_iter()
        .find(|link| !link.ends_with("/add") && !link.contains("channels"));
    let own = own.context("there is a rule of one's own")?;
    let trail = links(&ground.page("/audit").await?, "/audit/");
    let entry = trail.first().context("the trail has an entry")?;
    Ok(vec![
        object("/connectors/{id}/versions/{version}", &[("", format!("/connectors/{connector}/versions/1"))]),
        object("/rules/{id}", &[("a shipped one", "/rules/D01".to_owned()), ("an own one", own.clone())]),
        object("/rules/{id}/edit", &[("", format!("{own}/edit"))]),
        object("/audit/{trail}/{number}", &[("", entry.clone())]),
    ])
}

/// The first object that a list leads to, and one in its middle.
async fn linked(ground: &Ground, list: &str, pattern: &str) -> anyhow::Result<Vec<(&'static str, String)>> {
    let below = pattern.split("{id}").next().unwrap_or_default();
    let page = ground.page(list).await?;
    let found = links(&page, below);
    let first = found.first().with_context(|| format!("{list} leads nowhere"))?.clone();
    let middle = found.get(found.len() / 2).filter(|middle| **middle != first).cloned();
    Ok([Some(("the first", first)), middle.map(|middle| ("one in the middle", middle))]
        .into_iter()
        .flatten()
        .collect())
}

/// Links of a page's main part that lead below a path, without what is carried along.
fn links(page: &str, below: &str) -> Vec<String> {
    let main = page.split_once("<main").map_or(page, |(_, main)| main);
    let hrefs = main.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(plain);
    let paths = hrefs.filter_map(|href| Some(href.split(['?', '#']).next()?.to_owned()));
    let lead = paths
        .filter(|path| path.strip_prefix(below).is_some_and(|id| id.len() > 2 && !id.starts_with("add")));
    let mut found: Vec<String> = Vec::new();
    for path in lead {
        if !found.contains(&path) {
            found.push(path);
        }
    }
    found
}
