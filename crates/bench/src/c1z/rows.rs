//! The rows of a large estate: 100 000 apps in 1 000 teams, 20 000 people, 1.5 M grants; in the order of their ids.

use metsuke_baton::any;
use metsuke_baton::c1z::{C1zError, Rows, Sink};
use metsuke_baton::proto::connector::{
    Entitlement, Grant, GrantExpandable, GrantImmutable, RawId, Resource, ResourceId, ResourceType,
    resource_type,
};

use crate::estate::{APPS, PEOPLE, TEAMS, id, mixed};

const SLUGS: [&str; 5] = ["collaborator", "deploy", "manage", "operate", "view"];
const ROLES: [&str; 4] = ["admin", "collaborator", "member", "viewer"];
/// People on each entitlement of an app, besides the team.
const NAMED: u32 = 3;

/// Makes the rows anew each time; keeps only the ids.
pub(crate) struct Estate {
    users: Vec<String>,
    teams: Vec<String>,
    apps: Vec<String>,
}

impl Estate {
    pub(crate) fn new() -> Self {
        let ids = |kind, count| {
            let mut ids: Vec<String> = (0..count).map(|number| id(kind, number).to_string()).collect();
            ids.sort_unstable();
            ids
        };
        Self { users: ids(1, PEOPLE), teams: ids(3, TEAMS), apps: ids(4, APPS) }
    }

    fn team_of(&self, app: usize) -> &str {
        pick(&self.teams, mixed(app as u64))
    }

    fn resources(&self, sink: &mut dyn Sink) -> Result<(), C1zError> {
        let all = [("app", &self.apps), ("team", &self.teams), ("user", &self.users)];
        for (kind, ids) in all {
            for (place, id) in ids.iter().enumerate() {
                let parent = (kind == "app").then(|| resource_id("team", self.team_of(place)));
                sink.resource(&Resource {
                    id: Some(resource_id(kind, id)),
                    parent_resource_id: parent,
                    display_name: format!("{kind}-{place:06}"),
                    annotations: vec![any::pack(&RawId { id: id.clone() })],
                    ..Resource::default()
                })?;
            }
        }
        Ok(())
    }

    fn entitlements(&self, sink: &mut dyn Sink) -> Result<(), C1zError> {
        for (kind, ids, slugs) in [("app", &self.apps, &SLUGS[..]), ("team", &self.teams, &ROLES)] {
            for (id, slug) in ids.iter().flat_map(|id| slugs.iter().map(move |slug| (id, slug))) {
                sink.entitlement(&Entitlement {
                    resource: Some(bare(kind, id)),
                    id: format!("{kind}:{id}:{slug}"),
                    display_name: (*slug).to_owned(),
                    description: format!("What `{slug}` allows"),
                    slug: (*slug).to_owned(),
                    ..Entitlement::default()
                })?;
            }
        }
        Ok(())
    }

    fn grants(&self, sink: &mut dyn Sink) -> Result<(), C1zError> {
        for (place, app) in self.apps.iter().enumerate() {
            for (number, slug) in SLUGS.iter().enumerate() {
                // The team's members see the app; otherwise it is named people.
                let people = if matches!(*slug, "collaborator" | "view") { NAMED - 1 } else { NAMED };
                if *slug == "view" {
                    sink.grant(&passed_on(app, self.team_of(place)))?;
                }
                let seed = (place as u64) << 8 | number as u64;
                let mut named: Vec<usize> = (0..people)
                    .map(|one| spread(mixed(seed << 4 | u64::from(one)), self.users.len()))
                    .collect();
                named.sort_unstable();
                named.dedup();
                for user in named {
                    sink.grant(&grant("app", app, slug, "user", &self.users[user]))?;
                }
            }
        }
        for (place, team) in self.teams.iter().enumerate() {
            for (user, role) in self.users.iter().skip(place % 200).step_by(200).zip(ROLES.iter().cycle()) {
                sink.grant(&grant("team", team, role, "user", user))?;
            }
        }
        Ok(())
    }
}

impl Rows for Estate {
    fn visit(&mut self, sink: &mut dyn Sink) -> Result<(), C1zError> {
        let traits = [
            ("app", resource_type::Trait::App),
            ("team", resource_type::Trait::Group),
            ("user", resource_type::Trait::User),
        ];
        for (id, one) in traits {
            let (id, display_name) = (id.to_owned(), id.to_owned());
            sink.resource_type(&ResourceType {
                id,
                display_name,
                traits: vec![one.into()],
                ..ResourceType::default()
            })?;
        }
        self.resources(sink)?;
        self.entitlements(sink)?;
        self.grants(sink)
    }
}

fn spread(number: u64, below: usize) -> usize {
    usize::try_from(number % (below as u64)).unwrap_or(0)
}

fn pick(ids: &[String], number: u64) -> &str {
    &ids[spread(number, ids.len())]
}

fn resource_id(kind: &str, id: &str) -> ResourceId {
    ResourceId { resource_type: kind.to_owned(), resource: id.to_owned(), baton_resource: false }
}

fn bare(kind: &str, id: &str) -> Resource {
    Resource { id: Some(resource_id(kind, id)), ..Resource::default() }
}

/// A grant on an app that the members of its team inherit.
fn passed_on(app: &str, team: &str) -> Grant {
    let expansion = GrantExpandable {
        entitlement_ids: vec![format!("team:{team}:member")],
        shallow: true,
        resource_type_ids: vec!["user".to_owned()],
    };
    let annotations = vec![any::pack(&GrantImmutable::default()), any::pack(&expansion)];
    Grant { annotations, ..grant("app", app, "view", "team", team) }
}

fn grant(kind: &str, on: &str, slug: &str, principal_kind: &str, principal: &str) -> Grant {
    let entitlement = format!("{kind}:{on}:{slug}");
    Grant {
        id: format!("{entitlement}:{principal_kind}:{principal}"),
        entitlement: Some(Entitlement {
            resource: Some(bare(kind, on)),
            id: entitlement,
            ..Entitlement::default()
        }),
        principal: Some(bare(principal_kind, principal)),
        ..Grant::default()
    }
}
