//! Lists of what was read: people, teams, apps, Enterprise accounts, grants and changes.

use metsuke_engine::access::GrantFilter;
use metsuke_engine::desk::{Changes, Estate, Grants, Lines, Listing, page};
use metsuke_engine::lists::{AppLine, EnterpriseAccountLine, ListedLine, TeamLine, UserLine, Wanted};
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
    email: Option<String>,
    team: Option<String>,
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

/// The parameters of changes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangesOf {
    connector: Option<String>,
    since: Option<String>,
    until: Option<String>,
    kind: Option<String>,
    change: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn people(call: Call) -> Result<Answer, ApiError> {
    let ListOf { connector, as_of, email, limit, cursor, name: None, team: None } = call.parameters()? else {
        return Err(ApiError::invalid("parameters", "people are found by `email`"));
    };
    let wanted = Wanted { name: email, team: None };
    objects::<UserLine>(&call, connector, as_of, wanted, Paging { limit, cursor }, PEOPLE).await
}

pub(super) async fn teams(call: Call) -> Result<Answer, ApiError> {
    let ListOf { connector, as_of, name, limit, cursor, email: None, team: None } = call.parameters()? else {
        return Err(ApiError::invalid("parameters", "teams are found by `name`"));
    };
    let wanted = Wanted { name, team: None };
    objects::<TeamLine>(&call, connector, as_of, wanted, Paging { limit, cursor }, TEAMS).await
}

pub(super) async fn apps(call: Call) -> Result<Answer, ApiError> {
    let ListOf { connector, as_of, name, team, limit, cursor, email: None } = call.parameters()? else {
        return Err(ApiError::invalid("parameters", "apps are found by `name` and `team`"));
    };
    let wanted = Wanted { name, team };
    objects::<AppLine>(&call, connector, as_of, wanted, Paging { limit, cursor }, APPS).await
}

pub(super) async fn enterprise_accounts(call: Call) -> Result<Answer, ApiError> {
    let ListOf { connector, as_of, name, limit, cursor, email: None, team: None } = call.parameters()? else {
        return Err(ApiError::invalid("parameters", "Enterprise accounts are found by `name`"));
    };
    let wanted = Wanted { name, team: None };
    let paging = Paging { limit, cursor };
    objects::<EnterpriseAccountLine>(&call, connector, as_of, wanted, paging, ACCOUNTS).await
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

pub(super) async fn changes(call: Call) -> Result<Answer, ApiError> {
    let asked: ChangesOf = call.parameters()?;
    let changes = Changes {
        since: version("since", asked.since)?,
        until: version("until", asked.until)?,
        kind: asked.kind,
        change: asked.change,
    };
    let paging = Paging { limit: asked.limit, cursor: asked.cursor };
    let estates = call.state.desk.estates(asked.connector.as_deref()).await?;
    list(&call, &changes, estates, &paging, CHANGES).await
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

pub(crate) const GRANTS: Columns = &[
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

pub(crate) const CHANGES: Columns = &[
    ("connector", "/connector"),
    ("version", "/version"),
    ("at", "/at"),
    ("change", "/change"),
    ("kind", "/kind"),
    ("subject_type", "/subject/type"),
    ("subject_id", "/subject/id"),
    ("subject_name", "/subject/name"),
    ("principal_id", "/principal/id"),
    ("principal_email", "/principal/email"),
    ("entitlement", "/entitlement"),
    ("before", "/before"),
    ("after", "/after"),
];
