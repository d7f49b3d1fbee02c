//! A large estate in memory: 100 000 apps in 1 000 Enterprise teams, 20 000 people, 1.5 M direct grants; or a part of it.

use std::sync::Arc;

use metsuke_model::access::{Entitlement, Mask};
use metsuke_model::record::{AddOn, App, Team, User};
use metsuke_model::{AccessRow, Coverage, Estate, HerokuId, Kind, Moment, Resource, ResourceType};

/// How many of each.
pub(crate) const TEAMS: u32 = 1_000;
pub(crate) const APPS: u32 = 100_000;
pub(crate) const PEOPLE: u32 = 20_000;
pub(crate) const ADDONS: u32 = 80_000;
/// How many of each there are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) teams: u32,
    pub(crate) apps: u32,
    pub(crate) people: u32,
    pub(crate) addons: u32,
}

impl Size {
    /// One part of so many of the large estate.
    pub(crate) const fn part(of: u32) -> Self {
        Self { teams: TEAMS / of, apps: APPS / of, people: PEOPLE / of, addons: ADDONS / of }
    }
}

/// People named on each app; three entitlements each on average make 1.5 M grants with the team roles.
const NAMED: u32 = 4;

/// A spread-out number, the same for the same input.
pub(crate) fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

pub(crate) fn id(kind: u8, number: u32) -> HerokuId {
    let high = mixed(u64::from(kind) << 40 | u64::from(number));
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&high.to_be_bytes());
    bytes[8..].copy_from_slice(&mixed(high).to_be_bytes());
    HerokuId::from_bytes(&bytes)
}

#[expect(clippy::unnecessary_wraps, reason = "every time column may be empty")]
pub(crate) fn moment(number: u64) -> Option<Moment> {
    let seconds = 1_400_000_000 + i64::try_from(mixed(number) % 360_000_000).unwrap_or(0);
    Some(Moment(seconds * 1_000_000))
}

#[expect(clippy::unnecessary_wraps, reason = "every text column may be empty")]
pub(crate) fn text(text: String) -> Option<Box<str>> {
    Some(text.into())
}

/// What Heroku tells of an app beyond the columns; only a few documents differ.
fn app_properties() -> Vec<Arc<str>> {
    let mut documents = Vec::new();
    for region in ["us", "eu", "tokyo", "frankfurt"] {
        for stack in ["heroku-22", "heroku-24", "container"] {
            for language in ["Ruby", "Node.js", "Python", "Go", "Java"] {
                documents.push(
                    serde_json::json!({
                        "acm": true, "build_stack": stack, "stack": stack, "region": region, "joined": false,
                        "buildpack_provided_description": language, "internal_routing": false,
                        "generation": {"id": "1ab25f2c-6c5f-4c8f-9d0c-7d0f6f2f71aa", "name": "cedar"},
                    })
                    .to_string()
                    .into(),
                );
            }
        }
    }
    documents
}

fn pick<T: Clone>(choices: &[T], number: u32) -> T {
    let place = usize::try_from(mixed(u64::from(number)) >> 1).unwrap_or(0) % choices.len();
    choices[place].clone()
}

/// The estate; `generation` moves one hundredth of the access for each step.
pub(crate) fn build(generation: u32) -> (Estate, Coverage) {
    build_part(Size::part(1), generation)
}

/// An estate of this size.
pub(crate) fn build_part(size: Size, generation: u32) -> (Estate, Coverage) {
    let mut estate = Estate::default();
    for number in 0..size.people {
        let mut user = User::new(id(1, number));
        let domain = if number % 12 == 0 { "partner.example.net" } else { "example.com" };
        user.email = text(format!("person.{number:05}@{domain}"));
        user.name = text(format!("Person Number {number}"));
        user.federated = Some(number % 12 != 0);
        user.two_factor = Some(number % 9 != 0);
        user.last_login = moment(u64::from(number));
        estate.principals.push(user.id.clone());
        estate.users.push(user);
    }
    let team_properties: Arc<str> = r#"{"role":"admin","provisioned_licenses":true}"#.into();
    for number in 0..size.teams {
        let mut team = Team::new(id(3, number));
        team.name = text(format!("team-{number:04}"));
        team.team_type = text("enterprise".into());
        team.listed = Some(true);
        (team.created_at, team.updated_at) = (moment(u64::from(number) + 7), moment(u64::from(number) + 9));
        team.properties = Arc::clone(&team_properties);
        estate.resources.push(Resource { resource_type: ResourceType::Team, id: team.id.clone() });
        estate.teams.push(team);
    }
    let documents = app_properties();
    for number in 0..size.apps {
        let mut app = App::new(id(4, number));
        let hash = mixed(u64::from(number)) >> 44;
        app.name = text(format!("service-{number:06}"));
        app.team = Some(id(3, team_of(size, number)));
        (app.locked, app.maintenance) = (Some(number % 20 == 0), Some(false));
        app.created_at = moment(u64::from(number));
        app.released_at = moment(u64::from(number) + 1);
        app.updated_at = moment(u64::from(number) + 1 + if changes(number, generation) { 5 } else { 0 });
        app.repo_size = Some(i64::from(number) * 977 % 90_000_000);
        app.slug_size = Some(i64::from(number) * 1_543 % 300_000_000);
        app.web_url = text(format!("https://service-{number:06}-{hash:05x}.herokuapp.com/"));
        app.properties = pick(&documents, number);
        estate.resources.push(Resource { resource_type: ResourceType::App, id: app.id.clone() });
        estate.apps.push(app);
    }
    let services = ["heroku-postgresql", "heroku-redis", "papertrail", "sendgrid", "scheduler", "newrelic"];
    let plans: Vec<Arc<str>> = services
        .iter()
        .flat_map(|service| ["mini", "basic", "standard-0", "premium-0"].map(|plan| (service, plan)))
        .map(|(service, plan)| {
            let document = serde_json::json!({
                "plan": format!("{service}:{plan}"), "state": "provisioned", "billing_entity": "app",
                "config_vars": [format!("{}_URL", service.to_uppercase())],
                "billed_price": {"cents": 5000, "contract": false, "unit": "month"}, "actions": [],
            });
            document.to_string().into()
        })
        .collect();
    for number in 0..size.addons {
        let mut addon = AddOn::new(id(6, number));
        addon.name = text(format!("{}-curved-{number:05}", pick(&services, number)));
        addon.app = Some(id(4, number));
        addon.service = text(pick(&services, number).into());
        addon.provider_id = text(format!("{:016x}", mixed(u64::from(number))));
        (addon.created_at, addon.updated_at) = (moment(u64::from(number) + 3), moment(u64::from(number) + 4));
        addon.properties = pick(&plans, number);
        estate.addons.push(addon);
    }
    estate.access = access(size, generation);
    let mut coverage = Coverage::default();
    for kind in [Kind::User, Kind::Team, Kind::App, Kind::AddOn, Kind::EnterpriseAccount] {
        coverage.cover_kind(kind);
    }
    for resource in &estate.resources {
        coverage.cover_access(resource.clone());
    }
    (estate, coverage)
}

/// Skewed: the first teams own thousands of apps, the last ones a few dozen.
fn team_of(size: Size, app: u32) -> u32 {
    let share = f64::from(app) / f64::from(size.apps);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a thousand")]
    let team = (share * share * f64::from(size.teams)) as u32;
    team.min(size.teams - 1)
}

fn changes(app: u32, generation: u32) -> bool {
    (1..=generation).any(|step| mixed(u64::from(app) << 8 | u64::from(step)).is_multiple_of(100))
}

/// Direct access: team roles, and on each app a few people with `collaborator` and permissions.
fn access(size: Size, generation: u32) -> Vec<AccessRow> {
    let mut rows = Vec::new();
    let roles = [Entitlement::ADMIN, Entitlement::MEMBER, Entitlement::MEMBER, Entitlement::VIEWER];
    for team in 0..size.teams {
        for place in 0..100 {
            let principal = (team * 37 + place * 13) % size.people;
            rows.push(AccessRow { resource: team, principal, mask: pick(&roles, team * 100 + place).mask() });
        }
    }
    let base = Entitlement::COLLABORATOR.mask().with(Entitlement::VIEW.mask());
    let more = [
        Entitlement::DEPLOY.mask(),
        Entitlement::DEPLOY.mask().with(Entitlement::OPERATE.mask()),
        Entitlement::DEPLOY.mask().with(Entitlement::OPERATE.mask()).with(Entitlement::MANAGE.mask()),
        Mask::NONE,
    ];
    for app in 0..size.apps {
        let moved = u32::from(changes(app, generation));
        for place in 0..NAMED {
            let seed = u64::from(app) << 16 | u64::from(place + if place == 0 { moved * 8 } else { 0 });
            let principal = u32::try_from(mixed(seed) % u64::from(size.people)).unwrap_or(0);
            let mask = base.with(pick(&more, app * 8 + place));
            rows.push(AccessRow { resource: size.teams + app, principal, mask });
        }
    }
    rows
}
