//! Resources: people, Enterprise accounts, teams and apps as messages.
//!
//! Invariant: each carries the trait of its type, a name that shows something, and its id as Heroku spells it; what
//! newer readers look for on the resource and older ones in the trait stands in both.

use metsuke_engine::connector::document;
use metsuke_model::record::{App, EnterpriseAccount, Team, User};
use metsuke_model::{HerokuId, Moment, Record};
use prost_types::{Any, Struct};

use super::profile::{Profile, timestamp};
use super::text::{clean, dashboard, is_email, name};
use super::{Place, Shape, Type, resource_id};
use crate::any::pack;
use crate::proto::connector::app_trait::AppFlag;
use crate::proto::connector::status::ResourceStatus;
use crate::proto::connector::user_trait::{
    AccountType, Email, MfaStatus, SsoStatus, Status as UserStatus, status,
};
use crate::proto::connector::{AppTrait, ExternalLink, GroupTrait, RawId, Resource, Status, UserTrait};

/// A resource; none for a place behind the end.
pub(super) fn resource(shape: Shape<'_>, place: Place) -> Option<Resource> {
    let view = shape.view();
    let draft = match place.kind {
        Type::User => user(view.users().get(place.at)?),
        Type::EnterpriseAccount => enterprise_account(view.enterprise_accounts().get(place.at)?),
        Type::Team => team(shape, place.at, view.teams().get(place.at)?),
        Type::App => app(shape, place.at, view.apps().get(place.at)?),
    };
    let mut annotations = vec![draft.trait_of, pack(&RawId { id: shape.heroku_id(place)?.to_string() })];
    annotations.extend(draft.link.map(|url| pack(&ExternalLink { url })));
    Some(Resource {
        annotations,
        description: draft.description,
        profile: Some(draft.profile),
        status: Some(draft.status),
        created_at: draft.created_at.and_then(timestamp),
        ..reference(shape, place)?
    })
}

/// A resource as it stands inside entitlements, of which there are many: ids and name.
pub(super) fn reference(shape: Shape<'_>, place: Place) -> Option<Resource> {
    Some(Resource {
        id: Some(resource_id(&shape.key(place)?)),
        parent_resource_id: shape
            .parent(place)
            .and_then(|parent| shape.key(parent))
            .map(|key| resource_id(&key)),
        display_name: display_name(shape, place)?,
        ..Resource::default()
    })
}

/// What a resource is called.
pub(super) fn display_name(shape: Shape<'_>, place: Place) -> Option<String> {
    let view = shape.view();
    let id = shape.heroku_id(place)?.to_string();
    let (first, second) = match place.kind {
        Type::User => {
            let user = view.users().get(place.at)?;
            (&user.name, user.email.as_deref())
        }
        Type::EnterpriseAccount => (&view.enterprise_accounts().get(place.at)?.name, None),
        Type::Team => (&view.teams().get(place.at)?.name, None),
        Type::App => (&view.apps().get(place.at)?.name, None),
    };
    Some(name([first.as_deref(), second, Some(&id)]))
}

/// What differs between types.
struct Draft {
    trait_of: Any,
    profile: Struct,
    status: Status,
    created_at: Option<Moment>,
    link: Option<String>,
    description: String,
}

impl Draft {
    fn new(trait_of: Any, profile: Struct) -> Self {
        let status = Status { status: ResourceStatus::Enabled.into(), details: String::new() };
        Self { trait_of, profile, status, created_at: None, link: None, description: String::new() }
    }
}

// What `deprecated` marks is where readers before 2026 look.
#[expect(deprecated, reason = "older readers look in the trait, newer ones on the resource")]
fn user(user: &User) -> Draft {
    let address = user.email.as_deref().unwrap_or_default();
    let emails = is_email(address).then(|| Email { address: address.to_owned(), is_primary: true });
    // Heroku: for people who sign in elsewhere it tells of no second factor; their provider has it.
    let second_factor = user.two_factor.filter(|_| user.federated != Some(true));
    let document = document(user);
    let profile = Profile::default()
        .text("id", Some(&user.id.to_string()))
        .text("email", user.email.as_deref())
        .text("name", user.name.as_deref())
        .flag("federated", user.federated)
        .flag("two_factor_authentication", user.two_factor)
        .time("last_login", user.last_login)
        .flag("own_account", user.own_account)
        .text("identity_provider", document.get("identity_provider").and_then(|value| value.as_str()))
        .into_struct();
    let trait_of = UserTrait {
        emails: emails.into_iter().collect(),
        status: Some(UserStatus { status: status::Status::Enabled.into(), details: String::new() }),
        profile: Some(profile.clone()),
        account_type: AccountType::Human.into(),
        login: clean(address),
        last_login: user.last_login.and_then(timestamp),
        mfa_status: second_factor.map(|mfa_enabled| MfaStatus { mfa_enabled }),
        sso_status: user.federated.map(|sso_enabled| SsoStatus { sso_enabled }),
        ..UserTrait::default()
    };
    Draft::new(pack(&trait_of), profile)
}

fn enterprise_account(account: &EnterpriseAccount) -> Draft {
    let profile = Profile::default()
        .text("id", Some(&account.id.to_string()))
        .text("name", account.name.as_deref())
        .time("created_at", account.created_at)
        .time("updated_at", account.updated_at)
        .into_struct();
    Draft { created_at: account.created_at, ..Draft::new(group(&profile), profile) }
}

fn team(shape: Shape<'_>, at: usize, team: &Team) -> Draft {
    let view = shape.view();
    let account = view.account_of(at).and_then(|at| view.enterprise_accounts().get(at));
    let profile = Profile::default()
        .text("id", Some(&team.id.to_string()))
        .text("name", team.name.as_deref())
        .text("type", team.team_type.as_deref())
        .text("enterprise_account", account.and_then(|account| account.name.as_deref()))
        .text("enterprise_account_id", id(team.enterprise_account.as_ref()).as_deref())
        .flag("listed", team.listed)
        .time("created_at", team.created_at)
        .time("updated_at", team.updated_at)
        .into_struct();
    let description = match team.listed {
        Some(true) => "",
        _ => "Known only from an app that belongs to it; the token cannot read its members",
    };
    Draft {
        created_at: team.created_at,
        link: team.name.as_deref().and_then(|name| dashboard("teams", name)),
        description: description.to_owned(),
        ..Draft::new(group(&profile), profile)
    }
}

#[expect(deprecated, reason = "older readers look in the trait, newer ones on the resource")]
fn group(profile: &Struct) -> Any {
    pack(&GroupTrait { profile: Some(profile.clone()), ..GroupTrait::default() })
}

#[expect(deprecated, reason = "older readers look in the trait, newer ones on the resource")]
fn app(shape: Shape<'_>, at: usize, app: &App) -> Draft {
    let link = app.name.as_deref().and_then(|name| dashboard("apps", name));
    let profile = app_profile(shape, at, app);
    let flags = app.archived_at.map(|_| AppFlag::Inactive.into());
    let trait_of = AppTrait {
        help_url: link.clone().unwrap_or_default(),
        profile: Some(profile.clone()),
        flags: flags.into_iter().collect(),
        ..AppTrait::default()
    };
    let mut draft = Draft { created_at: app.created_at, link, ..Draft::new(pack(&trait_of), profile) };
    if let Some(archived_at) = app.archived_at {
        let details = format!("archived at {archived_at}");
        draft.status = Status { status: ResourceStatus::Disabled.into(), details };
    }
    draft
}

fn app_profile(shape: Shape<'_>, at: usize, app: &App) -> Struct {
    let view = shape.view();
    let team = view.team_of(at).and_then(|at| view.teams().get(at));
    let owner = view.owner_of(at).and_then(|at| view.users().get(at));
    let space = app.space.as_ref().and_then(|id| {
        let at = view.spaces().binary_search_by(|space| space.id().cmp(id)).ok()?;
        view.spaces().get(at)
    });
    let document = document(app);
    let said = |name: &str| document.get(name).and_then(|value| value.as_str());
    Profile::default()
        .text("id", Some(&app.id.to_string()))
        .text("name", app.name.as_deref())
        .text("team", team.and_then(|team| team.name.as_deref()))
        .text("team_id", id(app.team.as_ref()).as_deref())
        .text("owner", owner.and_then(|owner| owner.email.as_deref()))
        .text("owner_id", id(app.owner.as_ref()).as_deref())
        .text("space", space.and_then(|space| space.name.as_deref()))
        .text("space_id", id(app.space.as_ref()).as_deref())
        .text("region", said("region"))
        .text("stack", said("stack"))
        .flag("locked", app.locked)
        .flag("maintenance", app.maintenance)
        .text("web_url", app.web_url.as_deref())
        .time("archived_at", app.archived_at)
        .time("created_at", app.created_at)
        .time("released_at", app.released_at)
        .time("updated_at", app.updated_at)
        .into_struct()
}

fn id(id: Option<&HerokuId>) -> Option<String> {
    id.map(ToString::to_string)
}
