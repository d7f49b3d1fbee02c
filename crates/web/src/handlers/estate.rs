//! Lists of what was read: people, teams, apps, add-ons, grants and the rest; and the access of one app or person.

use metsuke_engine::access::GrantFilter;
use metsuke_engine::desk::{Estate, Grants, Lines, Listing, page};
use metsuke_engine::lists::{
    AddOnLine, AppLine, EnterpriseAccountLine, InvitationLine, ListedLine, TeamLine, UnresolvedLine,
    UserLine, Wanted,
};
use metsuke_model::AsOf;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::call::{Call, Paging};
use crate::error::ApiError;
use crate::table::Columns;

/// The parameters of lists of objects.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListOf {
    connector: Option<String>,
    as_of: Option<String>,
    name: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// The parameters of lists of what has an e-mail address.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddressedOf {
    connector: Option<String>,
    as_of: Option<String>,
    email: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// The parameters of the list of apps.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct AppsOf {
    connector: Option<String>,
    as_of: Option<String>,
    name: Option<String>,
    team: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// The parameters of one app's or one person's access.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct OneOf {
    connector: Option<String>,
    as_of: Option<String>,
}

/// The parameters of the list of people.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeopleOf {
    connector: Option<String>,
    as_of: Option<String>,
    email: Option<String>,
    #[serde(default)]
    without_second_factor: bool,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// The parameters of grants and access.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantsOf {
    connector: Option<String>,
    as_of: Option<String>,
    user: Option<String>,
    team: Option<String>,
    app: Option<String>,
    enterprise_account: Option<String>,
    entitlement: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn people(call: Call) -> Result<Answer, ApiError> {
    let PeopleOf { connector, as_of, email, without_second_factor, limit, cursor } = call.parameters()?;
    let wanted = Wanted { name: email, without_second_factor, ..Wanted::default() };
    objects::<UserLine>(&call, connector, as_of, wanted, Paging { limit, cursor }, PEOPLE).await
}

pub(super) async fn teams(call: Call) -> Result<Answer, ApiError> {
    named::<TeamLine>(&call, TEAMS).await
}

pub(super) async fn apps(call: Call) -> Result<Answer, ApiError> {
    let AppsOf { connector, as_of, name, team, limit, cursor } = call.parameters()?;
    let wanted = Wanted { name, team, ..Wanted::default() };
    objects::<AppLine>(&call, connector, as_of, wanted, Paging { limit, cursor }, APPS).await
}

pub(super) async fn enterprise_accounts(call: Call) -> Result<Answer, ApiError> {
    named::<EnterpriseAccountLine>(&call, ACCOUNTS).await
}

pub(super) async fn addons(call: Call) -> Result<Answer, ApiError> {
    named::<AddOnLine>(&call, ADDONS).await
}

pub(super) async fn invitations(call: Call) -> Result<Answer, ApiError> {
    addressed::<InvitationLine>(&call, INVITATIONS).await
}

pub(super) async fn unresolved(call: Call) -> Result<Answer, ApiError> {
    addressed::<UnresolvedLine>(&call, UNRESOLVED).await
}

/// A list whose lines are found by name.
async fn named<L: ListedLine>(call: &Call, columns: Columns) -> Result<Answer, ApiError> {
    let ListOf { connector, as_of, name, limit, cursor } = call.parameters()?;
    let wanted = Wanted { name, ..Wanted::default() };
    objects::<L>(call, connector, as_of, wanted, Paging { limit, cursor }, columns).await
}

/// A list whose lines are found by e-mail address.
async fn addressed<L: ListedLine>(call: &Call, columns: Columns) -> Result<Answer, ApiError> {
    let AddressedOf { connector, as_of, email, limit, cursor } = call.parameters()?;
    let wanted = Wanted { name: email, ..Wanted::default() };
    objects::<L>(call, connector, as_of, wanted, Paging { limit, cursor }, columns).await
}

pub(super) async fn app_access(call: Call) -> Result<Answer, ApiError> {
    let OneOf { connector, as_of } = call.parameters()?;
    let as_of = version("as_of", as_of)?;
    Answer::ok(&call.state.desk.app_access(connector.as_deref(), call.segment("id"), as_of).await?)
}

pub(super) async fn user_access(call: Call) -> Result<Answer, ApiError> {
    let OneOf { connector, as_of } = call.parameters()?;
    let as_of = version("as_of", as_of)?;
    Answer::ok(&call.state.desk.user_access(connector.as_deref(), call.segment("id"), as_of).await?)
}

async fn objects<L: ListedLine>(
    call: &Call,
    connector: Option<String>,
    as_of: Option<String>,
    wanted: Wanted,
    paging: Paging,
    columns: Columns,
) -> Result<Answer, ApiError> {
    let as_of = version("as_of", as_of)?;
    let estates = call.state.desk.estates(connector.as_deref()).await?;
    list(call, &Lines::<L>::new(wanted, as_of), estates, &paging, columns).await
}

pub(super) async fn grants(call: Call, effective: bool) -> Result<Answer, ApiError> {
    let asked: GrantsOf = call.parameters()?;
    let filter = GrantFilter {
        user: asked.user,
        team: asked.team,
        app: asked.app,
        enterprise_account: asked.enterprise_account,
        entitlement: asked.entitlement,
        effective,
    };
    let grants = Grants { filter, as_of: version("as_of", asked.as_of)? };
    let paging = Paging { limit: asked.limit, cursor: asked.cursor };
    let estates = call.state.desk.estates(asked.connector.as_deref()).await?;
    list(&call, &grants, estates, &paging, GRANTS).await
}

/// A page of a list of these estates.
pub(super) async fn list<L: Listing>(
    call: &Call,
    listing: &L,
    estates: Vec<Estate>,
    paging: &Paging,
    columns: Columns,
) -> Result<Answer, ApiError>
where
    L::Key: Serialize + DeserializeOwned,
{
    let (count, after) = call.paging(paging)?;
    let page = page(listing, estates, after, count).await?;
    call.page(&page.rows, page.next.as_ref(), columns)
}

/// A version or a time.
pub(super) fn version(name: &str, text: Option<String>) -> Result<Option<AsOf>, ApiError> {
    text.map(|text| text.parse().map_err(|wrong: String| ApiError::invalid(name, wrong))).transpose()
}

pub(crate) const PEOPLE: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("email", "/email"),
    ("name", "/name"),
    ("two_factor", "/two_factor"),
    ("federated", "/federated"),
    ("last_login", "/last_login"),
    ("own_account", "/own_account"),
];

pub(crate) const TEAMS: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("name", "/name"),
    ("type", "/type"),
    ("enterprise_account", "/enterprise_account"),
    ("enterprise_account_id", "/enterprise_account_id"),
    ("people", "/people"),
    ("apps", "/apps"),
    ("created_at", "/created_at"),
];

pub(crate) const APPS: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("name", "/name"),
    ("team", "/team"),
    ("team_id", "/team_id"),
    ("owner", "/owner"),
    ("owner_id", "/owner_id"),
    ("space", "/space"),
    ("locked", "/locked"),
    ("maintenance", "/maintenance"),
    ("addons", "/addons"),
    ("created_at", "/created_at"),
    ("released_at", "/released_at"),
    ("archived_at", "/archived_at"),
];

pub(crate) const ACCOUNTS: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("name", "/name"),
    ("people", "/people"),
    ("teams", "/teams"),
    ("created_at", "/created_at"),
];

const ADDONS: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("name", "/name"),
    ("service", "/service"),
    ("app", "/app"),
    ("app_id", "/app_id"),
    ("team", "/team"),
    ("attached_to", "/attached_to"),
    ("created_at", "/created_at"),
];

const INVITATIONS: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("email", "/email"),
    ("team", "/team"),
    ("team_id", "/team_id"),
    ("role", "/role"),
    ("invited_by", "/invited_by"),
    ("created_at", "/created_at"),
];

const UNRESOLVED: Columns = &[
    ("connector", "/connector"),
    ("id", "/id"),
    ("email", "/email"),
    ("team", "/team"),
    ("team_id", "/team_id"),
    ("role", "/role"),
];

const GRANTS: Columns = &[
    ("connector", "/connector"),
    ("principal_kind", "/principal/kind"),
    ("principal_id", "/principal/id"),
    ("principal_email", "/principal/email"),
    ("entitlement", "/entitlement"),
    ("resource_type", "/resource/type"),
    ("resource_id", "/resource/id"),
    ("resource_name", "/resource/name"),
    ("direct", "/direct"),
    ("path", "/path"),
];
