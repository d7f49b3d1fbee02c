//! What the library's questions ask for beside people, teams, apps and add-ons, put into the large estate.
//!
//! Only questions are measured on it: loads and their figures keep the plain estate.

use metsuke_model::access::{Entitlement, Mask};
use metsuke_model::graph::Employee;
use metsuke_model::record::{
    App, Attachment, Coupling, EnterpriseAccount, Invitation, Pipeline, Space, Team, UnresolvedMember, User,
};
use metsuke_model::{AccessRow, Coverage, Estate, Kind, Resource, ResourceType};

use crate::estate::{ADDONS, APPS, PEOPLE, TEAMS, id, mixed, moment, text};

const PIPELINES: u32 = 4_000;
/// Apps of each pipeline.
const STAGES: [&str; 5] = ["development", "review", "staging", "production", "production"];
const SPACES: u32 = 100;
const INVITATIONS: u32 = 3_000;
/// These teams are only known from their apps.
const UNLISTED: u32 = 20;

fn below(seed: u32, end: u32) -> u32 {
    u32::try_from(mixed(u64::from(seed)) % u64::from(end)).unwrap_or(0)
}

/// Adds it; from the first generation on a few things are gone.
pub(crate) fn add(estate: &mut Estate, coverage: &mut Coverage, generation: u32) {
    for kind in [
        Kind::Space,
        Kind::Attachment,
        Kind::Pipeline,
        Kind::Coupling,
        Kind::Invitation,
        Kind::UnresolvedMember,
    ] {
        coverage.cover_kind(kind);
    }
    estate.users.edit(|users| (0_u32..).zip(users).for_each(|(number, user)| sign_in(number, user)));
    estate.teams.edit(|teams| (0_u32..).zip(teams).for_each(|(number, team)| place(number, team)));
    estate.apps.edit(|apps| (0_u32..).zip(apps).for_each(|(number, app)| settle(number, app)));
    let unlisted = TEAMS - UNLISTED..TEAMS;
    estate.access.retain(|row| {
        !unlisted.contains(&row.resource) && (row.resource >= TEAMS || row.principal % 15 != 4)
    });
    roles(&mut estate.access);
    accounts_and_spaces(estate, coverage);
    pipelines(estate, if generation == 0 { PIPELINES } else { PIPELINES - 50 });
    attachments(estate);
    for number in 0..if generation == 0 { INVITATIONS } else { INVITATIONS - 300 } {
        let mut invitation = Invitation::new(id(10, number));
        invitation.email = text(format!("guest.{number}@partner.example.net"));
        invitation.team = Some(id(3, below(number, TEAMS - UNLISTED)));
        invitation.role = text("member".into());
        invitation.invited_by = Some(id(1, below(number + 1, PEOPLE)));
        invitation.created_at = moment(u64::from(number));
        estate.invitations.push(invitation);
    }
    for number in 0..60 {
        let mut member = UnresolvedMember::new(id(11, number));
        member.email = text(format!("nobody.{number}@example.com"));
        member.team = Some(id(3, number * 7));
        member.role = text("member".into());
        estate.unresolved_members.push(member);
    }
}

/// Some are in a team as collaborators alone, and some teams have a single admin.
fn roles(access: &mut [AccessRow]) {
    let mut before = None;
    for row in access.iter_mut().take_while(|row| row.resource < TEAMS) {
        if row.principal.is_multiple_of(17) {
            row.mask = Entitlement::TEAM_COLLABORATOR.mask();
        } else if row.resource % 40 == 1 && row.mask == Entitlement::ADMIN.mask() {
            if before == Some(row.resource) {
                row.mask = Entitlement::MEMBER.mask();
            }
            before = Some(row.resource);
        }
    }
}

fn sign_in(number: u32, user: &mut User) {
    if number.is_multiple_of(24) {
        user.two_factor = None;
    }
    if number % 90 == 1 {
        user.federated = Some(false);
    }
    if number.is_multiple_of(37) {
        user.last_login = None;
    }
    if number.is_multiple_of(400) {
        user.email = text(format!("deploy-bot.{number:05}@example.com"));
    }
}

fn place(number: u32, team: &mut Team) {
    if number.is_multiple_of(10) {
        team.team_type = text("team".into());
    } else {
        team.enterprise_account = Some(id(2, number % 2));
    }
    team.listed = Some(number < TEAMS - UNLISTED);
}

fn settle(number: u32, app: &mut App) {
    app.maintenance = Some(number % 100 == 1);
    if number % 50 == 7 {
        (app.team, app.owner) = (None, Some(id(1, below(number, PEOPLE))));
    } else if number.is_multiple_of(25) {
        app.space = Some(id(5, number / 25 % SPACES));
    }
    if number % 200 == 3 {
        app.archived_at = moment(u64::from(number) + 2);
    }
    if number % 40 == 9 {
        app.properties = app.properties.replace(r#""acm":true"#, r#""acm":false"#).into();
    }
}

fn accounts_and_spaces(estate: &mut Estate, coverage: &mut Coverage) {
    let mut resource = |estate: &mut Estate, resource_type, id| {
        let resource = Resource { resource_type, id };
        coverage.cover_access(resource.clone());
        estate.resources.push(resource);
        u32::try_from(estate.resources.len() - 1).unwrap_or(0)
    };
    for number in 0..2 {
        let mut account = EnterpriseAccount::new(id(2, number));
        account.name = text(format!("enterprise-{number}"));
        account.created_at = moment(u64::from(number));
        let place = resource(estate, ResourceType::EnterpriseAccount, account.id.clone());
        estate.enterprise_accounts.push(account);
        for principal in (0..PEOPLE).filter(|person| person % 12 != 0 && person % 2 == number) {
            let manages =
                if principal % 50 == 1 { Entitlement::ENTERPRISE_MANAGE.mask() } else { Mask::NONE };
            let mask = Entitlement::ENTERPRISE_VIEW.mask().with(manages);
            estate.access.push(AccessRow { resource: place, principal, mask });
        }
    }
    for number in 0..SPACES {
        let mut space = Space::new(id(5, number));
        space.name = text(format!("space-{number:03}"));
        space.team = Some(id(3, number * 9));
        space.state = text("allocated".into());
        space.created_at = moment(u64::from(number));
        let shield = number.is_multiple_of(3);
        space.properties =
            format!(r#"{{"cidr":"10.0.0.0/16","region":"virginia","shield":{shield}}}"#).into();
        let place = resource(estate, ResourceType::Space, space.id.clone());
        estate.spaces.push(space);
        for seed in 0..5 {
            let principal = below(number * 5 + seed, PEOPLE / 5) * 5 + seed;
            estate.access.push(AccessRow {
                resource: place,
                principal,
                mask: Entitlement::CREATE_APPS.mask(),
            });
        }
    }
}

fn pipelines(estate: &mut Estate, count: u32) {
    for number in 0..count {
        let mut pipeline = Pipeline::new(id(8, number));
        pipeline.name = text(format!("pipeline-{number:04}"));
        pipeline.owner = text(id(3, number % TEAMS).to_string());
        pipeline.owner_type = text("team".into());
        estate.pipelines.push(pipeline);
        for (place, stage) in (0_u32..).zip(STAGES) {
            let mut coupling = Coupling::new(id(9, number * 5 + place));
            coupling.pipeline = Some(id(8, number));
            coupling.app = Some(id(4, (number * 25 + place) % APPS));
            coupling.stage = text((*stage).into());
            estate.couplings.push(coupling);
        }
    }
}

/// Nearly every add-on is attached to its own app, and a few to another one.
fn attachments(estate: &mut Estate) {
    let names: Vec<Option<Box<str>>> = estate.addons.iter().map(|addon| addon.service.clone()).collect();
    for (number, name) in (0..ADDONS).zip(names) {
        let mut attach = |place: u32, app: u32| {
            let mut attachment = Attachment::new(id(7, number * 2 + place));
            attachment.name.clone_from(&name);
            (attachment.addon, attachment.app) = (Some(id(6, number)), Some(id(4, app)));
            estate.attachments.push(attachment);
        };
        if number % 100 != 5 {
            attach(0, number);
        }
        if number.is_multiple_of(50) {
            attach(1, below(number, APPS));
        }
    }
}

/// The company's roster: most people by their address, some by their name, some with two accounts.
pub(crate) fn roster() -> Vec<Employee> {
    let employee = |number: u32| {
        let address = |number: u32| -> Box<str> {
            if number.is_multiple_of(400) {
                format!("deploy-bot.{number:05}@example.com").into()
            } else {
                format!("person.{number:05}@example.com").into()
            }
        };
        let mut emails = if number % 40 == 3 { Vec::new() } else { vec![address(number)] };
        if number % 100 == 1 {
            emails.push(address(number + 1));
        }
        Employee {
            key: format!("employee:hr:{number}").into(),
            emails,
            name: format!("Person Number {number}").into(),
            department: text(format!("department {}", number % 40)),
            employee_id: text(number.to_string()),
            employee_type: text(if number % 10 == 4 { "contractor" } else { "employee" }.into()),
            active: number % 60 != 17,
            ..Employee::default()
        }
    };
    (0..PEOPLE).filter(|number| number % 12 != 0 && number % 100 != 2).map(employee).collect()
}
