//! The add-on services, app permissions and team features that exist.
//!
//! Not estate data: these are the same for everybody.
//!
//! Invariant: ids here are derived from names, so they never depend on a seed.

use crate::value::{EPOCH, Id, Stamp, fingerprint};
use crate::wire::{Action, Feature, Holder, Named, Permission, Plan, Price, Provider};

/// One add-on service with its plans, dearer ones later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) short: &'static str,
    pub(crate) variable: &'static str,
    pub(crate) plans: [(&'static str, u32); 3],
    /// False for services without a page of their own.
    pub(crate) page: bool,
}

pub(crate) const SERVICES: [Service; 8] = [
    service(
        "heroku-postgresql",
        "postgresql",
        "DATABASE",
        [("essential-0", 500), ("standard-0", 5_000), ("premium-2", 35_000)],
        true,
    ),
    service(
        "heroku-redis",
        "redis",
        "REDIS",
        [("mini", 300), ("premium-0", 1_500), ("premium-3", 20_000)],
        true,
    ),
    service(
        "papertrail",
        "papertrail",
        "PAPERTRAIL",
        [("choklad", 0), ("fixa", 700), ("liatorp", 6_500)],
        true,
    ),
    service(
        "scheduler",
        "scheduler",
        "SCHEDULER",
        [("standard", 0), ("standard", 0), ("standard", 0)],
        false,
    ),
    service("sendgrid", "sendgrid", "SENDGRID", [("starter", 0), ("bronze", 1_495), ("silver", 8_995)], true),
    service("newrelic", "newrelic", "NEW_RELIC", [("wayne", 0), ("standard", 9_900), ("pro", 29_900)], true),
    service(
        "heroku-kafka",
        "kafka",
        "KAFKA",
        [("basic-0", 10_000), ("standard-0", 150_000), ("private-1", 300_000)],
        true,
    ),
    service("memcachier", "memcachier", "MEMCACHIER", [("dev", 0), ("100", 1_500), ("1000", 8_200)], true),
];

const fn service(
    name: &'static str,
    short: &'static str,
    variable: &'static str,
    plans: [(&'static str, u32); 3],
    page: bool,
) -> Service {
    Service { name, short, variable, plans, page }
}

/// A service by number, any number.
pub(crate) fn service_at(at: usize) -> Service {
    let [first, ..] = SERVICES;
    SERVICES.get(at % SERVICES.len()).copied().unwrap_or(first)
}

impl Service {
    /// `{id, name}` of the service.
    pub(crate) fn named(&self) -> Named<'static> {
        Named { id: id_of("service", self.name), name: self.name.into() }
    }

    /// One of its plans, and the price, which `expanded` plans carry themselves too.
    pub(crate) fn plan(&self, at: usize, expanded: bool) -> (Plan<'static>, Price) {
        let (plan, cents) = self.plans.get(at % 3).copied().unwrap_or(("standard", 0));
        let name = format!("{}:{plan}", self.name);
        let price = Price { cents, contract: false, unit: "month" };
        let shown = expanded.then(|| price.clone());
        (Plan { id: id_of("plan", &name), name: name.into(), price: shown }, price)
    }

    /// The add-on's menu, as full of nulls as in the recordings.
    pub(crate) fn actions(&self) -> Vec<Action> {
        if !self.page {
            return Vec::new();
        }
        let id = id_of("action", self.name);
        vec![Action { id, label: "Dashboard", action: Some("dashboard"), url: None, requires_owner: None }]
    }
}

/// An id that depends on a kind and a name only.
pub(crate) fn id_of(kind: &str, name: &str) -> Id {
    Id::from_bits(fingerprint(format!("{kind}/{name}").as_bytes()))
}

/// An id that depends on a kind and another id only.
pub(crate) fn id_from(kind: &str, id: Id) -> Id {
    id_of(kind, &id.to_string())
}

/// `GET /teams/permissions`.
pub(crate) fn app_permissions() -> Vec<Permission<'static>> {
    ["deploy", "manage", "operate", "view"].map(Permission::app).into()
}

/// The features of a team; the first decides which endpoints the official command line uses.
pub(crate) fn features(team: Id, enterprise: bool, wants_invitations: bool) -> Vec<Feature> {
    let feature = |name, display_name, enabled| Feature {
        created_at: Stamp(EPOCH.0 - 300_000_000),
        description: "Simulated.",
        doc_url: "https://devcenter.heroku.com/",
        enabled,
        id: id_from(name, team),
        name,
        state: "general",
        updated_at: Stamp(EPOCH.0 - 200_000_000),
        display_name,
        feedback_email: "feedback@example.com",
    };
    vec![
        feature("org-access-controls", "Fine-grained app permissions", enterprise),
        feature("team-invite-acceptance", "Membership by invitation", wants_invitations),
    ]
}

/// The identity provider of an enterprise account.
pub(crate) fn provider(id: Id, enterprise: Id, name: &str, redacted: Option<bool>) -> Provider<'_> {
    let owner = Holder { id: enterprise, name: Some(name.into()), kind: "enterprise-account" };
    Provider { id, name: format!("{name}-sso").into(), redacted, owner }
}

/// The address of the pseudo-user to which a team's apps belong.
pub(crate) fn manager(team: &str) -> String {
    format!("{team}@herokumanager.com")
}
