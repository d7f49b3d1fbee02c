//! Small estates by chance: whatever Heroku can send, odd names and gaps included.
//!
//! Invariant: the same chance gives the same estate.

use metsuke_model::access::Mask;
use metsuke_model::graph::Employee;
use metsuke_model::record::{
    AddOn, App, Attachment, Authorization, Coupling, EnterpriseAccount, Invitation, Key, Pipeline, Record,
    Space, Team, UnresolvedMember, User,
};
use metsuke_model::{AccessRow, Estate, HerokuId, Moment, ResourceType};
use metsuke_testkit::Chance;

use super::Told;

type Text = Option<Box<str>>;

const EMAILS: [&str; 9] = [
    "ann@acme.com",
    "Ann@Acme.com",
    "bob@acme.com",
    "cat.o'hara@else.org",
    "dan \"q\" \\ %_@else.org",
    "ünï-名前@☂.example",
    "",
    "eve@acme.com",
    "fay@acme.com",
];
const NAMES: [&str; 8] = ["core", "core-2", "side", "O'Hara \"q\"; --", "Ünï ☂ 名前", "%_\\", "a b", ""];
const SLUGS: [&str; 3] = ["debug", "audit", "ünbekannt"];

fn id(kind: &str, number: usize) -> HerokuId {
    match number {
        0 => {
            let sum: usize = kind.bytes().map(usize::from).sum();
            HerokuId::new(&format!("0123{sum:04}-89ab-4def-8123-456789abcdef"))
        }
        _ => HerokuId::new(&format!("{kind}-{number}")),
    }
}

fn ids(kind: &str, count: usize) -> Vec<HerokuId> {
    (0..count).map(|number| id(kind, number)).collect()
}

fn text(chance: &mut Chance, from: &[&str]) -> Text {
    if chance.percent(18) { None } else { Some((*chance.one_of(from)).into()) }
}

fn flag(chance: &mut Chance) -> Option<bool> {
    if chance.percent(30) { None } else { Some(chance.percent(50)) }
}

fn size(chance: &mut Chance) -> Option<i64> {
    if chance.percent(30) { None } else { Some(*chance.one_of(&[0, 1, 500, 1000, 1000, 123_456_789_012])) }
}

fn time(chance: &mut Chance) -> Option<Moment> {
    let days = i64::try_from(chance.below(700)).unwrap();
    let micros = *chance.one_of(&[0, 1, 999_999]);
    // From November 2023 on; a few of them are in time with `date(2023-11-14T22:13:20Z)`.
    let days = if chance.percent(20) { 0 } else { days };
    if chance.percent(20) {
        None
    } else {
        Some(Moment(1_700_000_000_000_000 + days * 86_400_000_000 + micros))
    }
}

/// One of these, or nothing; now and then one that is not there.
fn reference(chance: &mut Chance, from: &[HerokuId]) -> Option<HerokuId> {
    match chance.below(100) {
        0..=14 => None,
        15..=17 => Some(HerokuId::new("gone-for-ever")),
        _ => chance.pick(from).cloned(),
    }
}

fn document(chance: &mut Chance, parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|_| chance.percent(60)).collect();
    format!("{{{}}}", parts.join(","))
}

/// An estate with its roster.
pub(crate) fn random(chance: &mut Chance) -> Told {
    let accounts = ids("account", 1 + chance.below(3));
    let teams = ids("team", chance.below(6));
    let users = ids("user", 1 + chance.below(8));
    let spaces = ids("space", chance.below(3));
    let apps = ids("app", 1 + chance.below(12));
    let addons = ids("addon", chance.below(6));
    let pipelines = ids("pipeline", chance.below(3));
    let mut told = Told::default();
    let estate = &mut told.estate;
    estate.users = users.iter().map(|id| user(chance, id)).collect();
    estate.enterprise_accounts = accounts.iter().map(|id| account(chance, id)).collect();
    estate.teams = teams.iter().map(|id| team(chance, id, &accounts)).collect();
    estate.spaces = spaces.iter().map(|id| space(chance, id, &teams)).collect();
    estate.apps = apps.iter().map(|id| app(chance, id, (&teams, &users, &spaces))).collect();
    estate.addons = addons.iter().map(|id| addon(chance, id, &apps)).collect();
    estate.attachments = ids("attachment", chance.below(8))
        .iter()
        .map(|id| attachment(chance, id, (&apps, &addons)))
        .collect();
    estate.pipelines = pipelines.iter().map(|id| pipeline(chance, id, &teams)).collect();
    estate.couplings =
        ids("coupling", chance.below(6)).iter().map(|id| coupling(chance, id, (&apps, &pipelines))).collect();
    estate.invitations = ids("invitation", chance.below(4))
        .iter()
        .map(|id| invitation(chance, id, (&teams, &users)))
        .collect();
    estate.unresolved_members =
        ids("member", chance.below(3)).iter().map(|id| unresolved(chance, id, &teams)).collect();
    estate.authorizations =
        ids("authorization", chance.below(3)).iter().map(|id| authorization(chance, id, &users)).collect();
    estate.keys = ids("key", chance.below(3)).iter().map(|id| key(chance, id, &users)).collect();
    told.employees = employees(chance);
    told.name_holders();
    hold(chance, &mut told.estate);
    told
}

fn user(chance: &mut Chance, id: &HerokuId) -> User {
    let mut user = User::new(id.clone());
    (user.email, user.name) = (text(chance, &EMAILS), text(chance, &NAMES));
    (user.federated, user.two_factor) = (flag(chance), flag(chance));
    (user.last_login, user.own_account) = (time(chance), chance.percent(15).then_some(true));
    user
}

fn account(chance: &mut Chance, id: &HerokuId) -> EnterpriseAccount {
    let mut account = EnterpriseAccount::new(id.clone());
    account.name = text(chance, &NAMES);
    (account.created_at, account.updated_at) = (time(chance), time(chance));
    account.properties = document(chance, &[r#""identity_provider":"okta""#, r#""trial":false"#]).into();
    account
}

fn team(chance: &mut Chance, id: &HerokuId, accounts: &[HerokuId]) -> Team {
    let mut team = Team::new(id.clone());
    team.name = text(chance, &NAMES);
    if chance.percent(60) {
        (team.team_type, team.enterprise_account) = (Some("enterprise".into()), reference(chance, accounts));
    } else {
        team.team_type = text(chance, &["team"]);
    }
    team.listed = Some(chance.percent(85));
    (team.created_at, team.updated_at) = (time(chance), time(chance));
    team
}

fn space(chance: &mut Chance, id: &HerokuId, teams: &[HerokuId]) -> Space {
    let mut space = Space::new(id.clone());
    (space.name, space.team) = (text(chance, &NAMES), reference(chance, teams));
    (space.state, space.created_at) = (text(chance, &["allocated", "deleting"]), time(chance));
    space.properties =
        document(chance, &[r#""region":"dublin""#, r#""shield":true"#, r#""cidr":"10.0.0.0/16""#]).into();
    space
}

fn app(chance: &mut Chance, id: &HerokuId, of: (&[HerokuId], &[HerokuId], &[HerokuId])) -> App {
    let (teams, users, spaces) = of;
    let mut app = App::new(id.clone());
    app.name = text(chance, &NAMES);
    match chance.below(10) {
        0..=6 => app.team = reference(chance, teams),
        7 | 8 => app.owner = reference(chance, users),
        _ => {}
    }
    app.space = if chance.percent(30) { reference(chance, spaces) } else { None };
    (app.locked, app.maintenance, app.archived_at) =
        (flag(chance), flag(chance), chance.percent(10).then_some(Moment(0)));
    (app.created_at, app.released_at, app.updated_at) = (time(chance), time(chance), time(chance));
    (app.repo_size, app.slug_size) = (size(chance), size(chance));
    app.web_url = text(chance, &["https://core.example.com/", "https://side.example.com/"]);
    app.properties = document(
        chance,
        &[
            r#""acm":true"#,
            r#""build_stack":"heroku-22""#,
            r#""generation":{"name":"cedar"}"#,
            r#""region":"eu""#,
            r#""stack":"heroku-24""#,
        ],
    )
    .into();
    app
}

fn addon(chance: &mut Chance, id: &HerokuId, apps: &[HerokuId]) -> AddOn {
    let mut addon = AddOn::new(id.clone());
    (addon.name, addon.app) = (text(chance, &NAMES), reference(chance, apps));
    addon.service = text(chance, &["heroku-postgresql", "heroku-redis", "papertrail"]);
    (addon.provider_id, addon.web_url) =
        (text(chance, &["a", "b"]), text(chance, &["https://addons.example.com/"]));
    (addon.created_at, addon.updated_at) = (time(chance), time(chance));
    let price = format!(r#""billed_price":{{"cents":{},"unit":"month"}}"#, chance.one_of(&[0, 1500, 5000]));
    addon.properties =
        document(chance, &[&price, r#""plan":"standard-0""#, r#""state":"provisioned""#]).into();
    addon
}

fn attachment(chance: &mut Chance, id: &HerokuId, (apps, addons): (&[HerokuId], &[HerokuId])) -> Attachment {
    let mut attachment = Attachment::new(id.clone());
    (attachment.app, attachment.addon) = (reference(chance, apps), reference(chance, addons));
    attachment.name = text(chance, &["DATABASE", "REDIS", "Ünï"]);
    attachment
}

fn pipeline(chance: &mut Chance, id: &HerokuId, teams: &[HerokuId]) -> Pipeline {
    let mut pipeline = Pipeline::new(id.clone());
    pipeline.name = text(chance, &NAMES);
    pipeline.owner = reference(chance, teams).map(|id| id.to_string().into());
    pipeline.owner_type = text(chance, &["team", "user"]);
    pipeline
}

fn coupling(chance: &mut Chance, id: &HerokuId, (apps, pipelines): (&[HerokuId], &[HerokuId])) -> Coupling {
    let mut coupling = Coupling::new(id.clone());
    (coupling.app, coupling.pipeline) = (reference(chance, apps), reference(chance, pipelines));
    coupling.stage = text(chance, &["staging", "production"]);
    coupling
}

fn invitation(chance: &mut Chance, id: &HerokuId, (teams, users): (&[HerokuId], &[HerokuId])) -> Invitation {
    let mut invitation = Invitation::new(id.clone());
    (invitation.email, invitation.team) = (text(chance, &EMAILS), reference(chance, teams));
    (invitation.role, invitation.invited_by) = (text(chance, &["admin", "member"]), reference(chance, users));
    (invitation.created_at, invitation.updated_at) = (time(chance), time(chance));
    invitation
}

fn unresolved(chance: &mut Chance, id: &HerokuId, teams: &[HerokuId]) -> UnresolvedMember {
    let mut member = UnresolvedMember::new(id.clone());
    (member.email, member.team) = (text(chance, &EMAILS), reference(chance, teams));
    member.role = text(chance, &["admin", "viewer"]);
    member
}

fn authorization(chance: &mut Chance, id: &HerokuId, users: &[HerokuId]) -> Authorization {
    let mut authorization = Authorization::new(id.clone());
    (authorization.name, authorization.account) = (text(chance, &NAMES), reference(chance, users));
    (authorization.scope, authorization.client) =
        (text(chance, &["global", "read write"]), text(chance, &NAMES));
    (authorization.global, authorization.never_expires) = (flag(chance), flag(chance));
    (authorization.own_token, authorization.created_at) = (flag(chance), time(chance));
    authorization
}

fn key(chance: &mut Chance, id: &HerokuId, users: &[HerokuId]) -> Key {
    let mut key = Key::new(id.clone());
    (key.name, key.account) = (text(chance, &NAMES), reference(chance, users));
    (key.fingerprint, key.created_at) = (text(chance, &["aa:bb", "SHA256:x"]), time(chance));
    key
}

fn employees(chance: &mut Chance) -> Vec<Employee> {
    let lower = |email: &str| -> Box<str> { email.to_lowercase().into() };
    let one = |chance: &mut Chance| lower(chance.pick(&EMAILS).copied().unwrap_or_default());
    (0..chance.below(6))
        .map(|number| {
            let mut person = Employee {
                key: format!("employee:hr:{number}").into(),
                name: (*chance.one_of(&NAMES)).into(),
                active: chance.percent(75),
                ..Employee::default()
            };
            for _ in 0..chance.below(3) {
                let email = one(chance);
                if !email.is_empty() && !person.emails.contains(&email) {
                    person.emails.push(email);
                }
            }
            (person.title, person.department) = (text(chance, &["CTO", "Engineer"]), text(chance, &NAMES));
            person.manager_email = text(chance, &EMAILS).map(|email| lower(&email));
            (person.employee_type, person.employee_id) =
                (text(chance, &["contractor"]), text(chance, &["7", "8"]));
            person.aliases = if chance.percent(30) { vec!["dan".into(), "core".into()] } else { Vec::new() };
            person
        })
        .collect()
}

fn hold(chance: &mut Chance, estate: &mut Estate) {
    for resource in 0..u32::try_from(estate.resources.len()).unwrap() {
        for principal in 0..u32::try_from(estate.principals.len()).unwrap() {
            if chance.percent(30) {
                hold_one(chance, estate, (resource, principal));
            }
        }
    }
}

/// Gives one of the principals something on one of the resources, or nothing.
pub(super) fn hold_one(chance: &mut Chance, estate: &mut Estate, (resource, principal): (u32, u32)) {
    let resource_type = estate.resources[usize::try_from(resource).unwrap()].resource_type;
    let known = resource_type.entitlements();
    let mut mask = Mask::NONE;
    if resource_type == ResourceType::Team {
        // A person holds one role in a team, perhaps one that is not known here.
        if chance.percent(94) {
            mask = mask.with(chance.one_of(known).mask());
        } else {
            mask = mask.with(Mask::OTHER);
            estate.other_access.push((resource, principal, SLUGS[0].into()));
        }
    } else {
        for entitlement in known.iter().filter(|_| chance.percent(45)) {
            mask = mask.with(entitlement.mask());
        }
    }
    let others = if resource_type == ResourceType::Team { 0 } else { SLUGS.len() };
    for slug in SLUGS.into_iter().take(others).filter(|_| chance.percent(5)) {
        mask = mask.with(Mask::OTHER);
        estate.other_access.push((resource, principal, slug.into()));
    }
    if !mask.is_empty() {
        estate.access.push(AccessRow { resource, principal, mask });
    }
}

/// Every kind of object comes up, so that no type of the graph stays untried.
#[test]
fn every_kind_of_object_comes_up() {
    fn count<T: Record>(records: &[T], seen: &mut usize) {
        *seen += records.len();
    }
    let mut seen = [0; 13];
    for seed in 0..20 {
        let Told { estate, .. } = random(&mut Chance::new(seed));
        count(&estate.users, &mut seen[0]);
        count(&estate.enterprise_accounts, &mut seen[1]);
        count(&estate.teams, &mut seen[2]);
        count(&estate.apps, &mut seen[3]);
        count(&estate.spaces, &mut seen[4]);
        count(&estate.addons, &mut seen[5]);
        count(&estate.attachments, &mut seen[6]);
        count(&estate.pipelines, &mut seen[7]);
        count(&estate.couplings, &mut seen[8]);
        count(&estate.invitations, &mut seen[9]);
        count(&estate.unresolved_members, &mut seen[10]);
        count(&estate.authorizations, &mut seen[11]);
        count(&estate.keys, &mut seen[12]);
    }
    assert!(seen.iter().all(|&times| times > 5), "{seen:?}");
}
