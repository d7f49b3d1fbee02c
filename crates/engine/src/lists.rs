//! Lists of what a version holds, one line an object, with the names of what the object refers to.
//!
//! Who may do what with these objects is [`access`](crate::access)'s to say; nothing here is derived.
//!
//! Invariant: a list is sorted by name (case apart), then by id, and holds each object once.

mod browse;
mod line;
mod page;

use std::collections::{BTreeSet, HashMap};

use metsuke_model::record::{
    AddOn, App, Attachment, EnterpriseAccount, Invitation, Space, Team, UnresolvedMember, User,
};
use metsuke_model::{HerokuId, Record};
use metsuke_store::{AccessSelect, Select, Snapshot, Stored};

pub use browse::{BrowsedLine, Narrowing, PersonLine, Rank};
pub use page::{ListedLine, Wanted, page};

pub use line::{
    AddOnLine, AppLine, EnterpriseAccountLine, InvitationLine, TeamLine, UnresolvedLine, UserLine,
};

use crate::EngineError;
use line::Text;

/// Objects that are rather read one by one than all.
const FEW: usize = 100;

/// People.
///
/// # Errors
///
/// What the database said; so for every list here.
pub async fn users(snapshot: &mut Snapshot) -> Result<Vec<UserLine>, EngineError> {
    let users = snapshot.columns::<User>(&Select::All).await?;
    Ok(sorted(user_lines(users), |line| (line.email.as_deref(), &line.id)))
}

fn user_lines(users: Vec<Stored<User>>) -> Vec<UserLine> {
    let line = |user: User| UserLine {
        id: user.id,
        email: user.email,
        name: user.name,
        two_factor: user.two_factor,
        federated: user.federated,
        last_login: user.last_login,
        own_account: user.own_account == Some(true),
    };
    users.into_iter().map(|stored| line(stored.record)).collect()
}

/// Member rows that name no user.
///
/// # Errors
///
/// What the database said.
pub async fn unresolved(snapshot: &mut Snapshot) -> Result<Vec<UnresolvedLine>, EngineError> {
    let members = snapshot.columns::<UnresolvedMember>(&Select::All).await?;
    let lines = unresolved_lines(snapshot, members).await?;
    Ok(sorted(lines, |line: &UnresolvedLine| (line.team.as_deref(), &line.id)))
}

async fn unresolved_lines(
    snapshot: &mut Snapshot,
    members: Vec<Stored<UnresolvedMember>>,
) -> Result<Vec<UnresolvedLine>, EngineError> {
    let teams = names::<Team>(snapshot, |team| &team.name).await?;
    let line = |member: UnresolvedMember| UnresolvedLine {
        id: member.id,
        email: member.email,
        team: named(&teams, member.team.as_ref()),
        team_id: member.team,
        role: member.role.unwrap_or_else(|| "unknown".into()),
    };
    Ok(members.into_iter().map(|stored| line(stored.record)).collect())
}

/// Listed teams; those that only an app names are left out.
///
/// # Errors
///
/// What the database said.
pub async fn teams(snapshot: &mut Snapshot) -> Result<Vec<TeamLine>, EngineError> {
    let mut teams = snapshot.columns::<Team>(&Select::All).await?;
    teams.retain(is_listed);
    let lines = team_lines(snapshot, teams, &Select::All).await?;
    Ok(sorted(lines, |line| (line.name.as_deref(), &line.id)))
}

fn is_listed(team: &Stored<Team>) -> bool {
    team.record.listed == Some(true)
}

/// The lines of teams; `apps` covers their apps.
async fn team_lines(
    snapshot: &mut Snapshot,
    teams: Vec<Stored<Team>>,
    apps: &Select,
) -> Result<Vec<TeamLine>, EngineError> {
    let accounts = names::<EnterpriseAccount>(snapshot, |account| &account.name).await?;
    let people = people(snapshot, &teams).await?;
    let apps = tally(snapshot, &teams, apps, |app: App| app.team).await?;
    let line = |team: Team| TeamLine {
        people: people.get(&team.id).copied().unwrap_or_default(),
        apps: apps.get(&team.id).copied().unwrap_or_default(),
        enterprise_account: named(&accounts, team.enterprise_account.as_ref()),
        enterprise_account_id: team.enterprise_account,
        id: team.id,
        name: team.name,
        team_type: team.team_type,
        created_at: team.created_at,
    };
    Ok(teams.into_iter().map(|stored| line(stored.record)).collect())
}

/// Apps, of teams and of people.
///
/// # Errors
///
/// What the database said.
pub async fn apps(snapshot: &mut Snapshot) -> Result<Vec<AppLine>, EngineError> {
    let apps = snapshot.columns::<App>(&Select::All).await?;
    let lines = app_lines(snapshot, apps, &Select::All).await?;
    Ok(sorted(lines, |line| (line.name.as_deref(), &line.id)))
}

/// The lines of apps; `addons` covers their add-ons.
async fn app_lines(
    snapshot: &mut Snapshot,
    apps: Vec<Stored<App>>,
    addons: &Select,
) -> Result<Vec<AppLine>, EngineError> {
    let teams: BTreeSet<&HerokuId> = apps.iter().filter_map(|app| app.record.team.as_ref()).collect();
    let teams = names_of::<Team>(snapshot, teams, |team| &team.name).await?;
    let owners: BTreeSet<&HerokuId> = apps.iter().filter_map(|app| app.record.owner.as_ref()).collect();
    let owners = names_of::<User>(snapshot, owners, |user| &user.email).await?;
    let spaces = names::<Space>(snapshot, |space| &space.name).await?;
    let addons = tally(snapshot, &apps, addons, |addon: AddOn| addon.app).await?;
    let line = |app: App| AppLine {
        team: named(&teams, app.team.as_ref()),
        owner: named(&owners, app.owner.as_ref()),
        space: named(&spaces, app.space.as_ref()),
        addons: addons.get(&app.id).copied().unwrap_or_default(),
        id: app.id,
        name: app.name,
        team_id: app.team,
        owner_id: app.owner,
        locked: app.locked,
        maintenance: app.maintenance,
        created_at: app.created_at,
        released_at: app.released_at,
        archived_at: app.archived_at,
    };
    Ok(apps.into_iter().map(|stored| line(stored.record)).collect())
}

/// Enterprise accounts.
///
/// # Errors
///
/// What the database said.
pub async fn enterprise_accounts(snapshot: &mut Snapshot) -> Result<Vec<EnterpriseAccountLine>, EngineError> {
    let accounts = snapshot.columns::<EnterpriseAccount>(&Select::All).await?;
    let lines = account_lines(snapshot, accounts, &Select::All).await?;
    Ok(sorted(lines, |line| (line.name.as_deref(), &line.id)))
}

/// The lines of Enterprise accounts; `teams` covers their teams.
async fn account_lines(
    snapshot: &mut Snapshot,
    accounts: Vec<Stored<EnterpriseAccount>>,
    teams: &Select,
) -> Result<Vec<EnterpriseAccountLine>, EngineError> {
    let people = people(snapshot, &accounts).await?;
    let mut listed = snapshot.columns::<Team>(teams).await?;
    listed.retain(is_listed);
    let mut teams: HashMap<HerokuId, u64> = HashMap::new();
    for account in listed.into_iter().filter_map(|team| team.record.enterprise_account) {
        *teams.entry(account).or_default() += 1;
    }
    let line = |account: EnterpriseAccount| EnterpriseAccountLine {
        people: people.get(&account.id).copied().unwrap_or_default(),
        teams: teams.get(&account.id).copied().unwrap_or_default(),
        id: account.id,
        name: account.name,
        created_at: account.created_at,
    };
    Ok(accounts.into_iter().map(|stored| line(stored.record)).collect())
}

/// Add-ons.
///
/// # Errors
///
/// What the database said.
pub async fn addons(snapshot: &mut Snapshot) -> Result<Vec<AddOnLine>, EngineError> {
    let addons = snapshot.columns::<AddOn>(&Select::All).await?;
    let lines = addon_lines(snapshot, addons).await?;
    Ok(sorted(lines, |line: &AddOnLine| (line.name.as_deref(), &line.id)))
}

async fn addon_lines(
    snapshot: &mut Snapshot,
    addons: Vec<Stored<AddOn>>,
) -> Result<Vec<AddOnLine>, EngineError> {
    let teams = names::<Team>(snapshot, |team| &team.name).await?;
    let mut apps = HashMap::new();
    for app in snapshot.columns::<App>(&Select::All).await? {
        apps.insert(app.record.id, (app.record.name, named(&teams, app.record.team.as_ref())));
    }
    let mut attached: HashMap<HerokuId, Vec<Box<str>>> = HashMap::new();
    for Attachment { addon, app, .. } in
        snapshot.columns(&Select::All).await?.into_iter().map(|stored| stored.record)
    {
        let name = app.as_ref().and_then(|app| apps.get(app)).and_then(|(name, _)| name.clone());
        if let (Some(addon), Some(name)) = (addon, name) {
            attached.entry(addon).or_default().push(name);
        }
    }
    let line = |addon: AddOn| {
        let mut attached_to = attached.get(&addon.id).cloned().unwrap_or_default();
        attached_to.sort_unstable();
        attached_to.dedup();
        let (app, team) = addon.app.as_ref().and_then(|app| apps.get(app)).cloned().unwrap_or_default();
        AddOnLine {
            id: addon.id,
            name: addon.name,
            service: addon.service,
            app,
            app_id: addon.app,
            team,
            attached_to,
            created_at: addon.created_at,
        }
    };
    Ok(addons.into_iter().map(|stored| line(stored.record)).collect())
}

/// Pending invitations.
///
/// # Errors
///
/// What the database said.
pub async fn invitations(snapshot: &mut Snapshot) -> Result<Vec<InvitationLine>, EngineError> {
    let invitations = snapshot.columns::<Invitation>(&Select::All).await?;
    let lines = invitation_lines(snapshot, invitations).await?;
    Ok(sorted(lines, |line: &InvitationLine| (line.email.as_deref(), &line.id)))
}

/// Pending invitations to a team, by its dense id.
pub(crate) async fn invitations_to(
    snapshot: &mut Snapshot,
    team: i64,
) -> Result<Vec<InvitationLine>, EngineError> {
    let invitations = snapshot.columns::<Invitation>(&Select::Within(vec![team])).await?;
    let lines = invitation_lines(snapshot, invitations).await?;
    Ok(sorted(lines, |line: &InvitationLine| (line.email.as_deref(), &line.id)))
}

async fn invitation_lines(
    snapshot: &mut Snapshot,
    invitations: Vec<Stored<Invitation>>,
) -> Result<Vec<InvitationLine>, EngineError> {
    let teams: BTreeSet<&HerokuId> = invitations.iter().filter_map(|one| one.record.team.as_ref()).collect();
    let teams = names_of::<Team>(snapshot, teams, |team| &team.name).await?;
    let people: BTreeSet<&HerokuId> =
        invitations.iter().filter_map(|one| one.record.invited_by.as_ref()).collect();
    let people = names_of::<User>(snapshot, people, |user| &user.email).await?;
    let line = |invitation: Invitation| InvitationLine {
        team: named(&teams, invitation.team.as_ref()),
        invited_by: named(&people, invitation.invited_by.as_ref()),
        id: invitation.id,
        email: invitation.email,
        team_id: invitation.team,
        role: invitation.role.unwrap_or_else(|| "unknown".into()),
        created_at: invitation.created_at,
    };
    Ok(invitations.into_iter().map(|stored| line(stored.record)).collect())
}

/// Sorts lines by name, then by id.
fn sorted<L>(mut lines: Vec<L>, key: impl Fn(&L) -> (Option<&str>, &HerokuId)) -> Vec<L> {
    lines.sort_by_cached_key(|line| {
        let (name, id) = key(line);
        // What has no name stands last.
        (name.is_none(), name.map(str::to_lowercase), id.clone())
    });
    lines
}

/// The name of every object of a kind.
async fn names<T: Record>(
    snapshot: &mut Snapshot,
    name: impl Fn(&T) -> &Text,
) -> Result<HashMap<HerokuId, Box<str>>, EngineError> {
    let objects = snapshot.columns::<T>(&Select::All).await?;
    let pair = |stored: Stored<T>| Some((stored.record.id().clone(), name(&stored.record).clone()?));
    Ok(objects.into_iter().filter_map(pair).collect())
}

/// The names of these objects of a kind; few are read one by one.
async fn names_of<T: Record>(
    snapshot: &mut Snapshot,
    ids: BTreeSet<&HerokuId>,
    name: impl Fn(&T) -> &Text,
) -> Result<HashMap<HerokuId, Box<str>>, EngineError> {
    if ids.len() > FEW {
        return names(snapshot, name).await;
    }
    let mut found = HashMap::new();
    for id in ids {
        for stored in snapshot.columns::<T>(&Select::Id(id.clone())).await? {
            found.extend(name(&stored.record).clone().map(|name| (id.clone(), name)));
        }
    }
    Ok(found)
}

/// The name of what is referred to; the id where it has none.
fn named(names: &HashMap<HerokuId, Box<str>>, id: Option<&HerokuId>) -> Text {
    id.map(|id| names.get(id).cloned().unwrap_or_else(|| id.to_string().into()))
}

/// How many objects belong to each of these; `select` covers them.
async fn tally<P: Record, T: Record>(
    snapshot: &mut Snapshot,
    parents: &[Stored<P>],
    select: &Select,
    parent: impl Fn(T) -> Option<HerokuId>,
) -> Result<HashMap<HerokuId, u64>, EngineError> {
    let of = if let Select::Within(ids) = select { Some(&ids[..]) } else { None };
    if let Some(counts) = snapshot.tally::<T>(of).await? {
        return Ok(keyed(parents, &counts));
    }
    let mut counts = HashMap::new();
    for stored in snapshot.columns::<T>(select).await? {
        if let Some(parent) = parent(stored.record) {
            *counts.entry(parent).or_default() += 1;
        }
    }
    Ok(counts)
}

/// What was counted by dense ids, by Heroku's.
fn keyed<T: Record>(objects: &[Stored<T>], counts: &HashMap<i64, u64>) -> HashMap<HerokuId, u64> {
    let count = |stored: &Stored<T>| Some((stored.record.id().clone(), *counts.get(&stored.dense)?));
    objects.iter().filter_map(count).collect()
}

/// How many people directly hold something on each of these resources.
async fn people<T: Record>(
    snapshot: &mut Snapshot,
    resources: &[Stored<T>],
) -> Result<HashMap<HerokuId, u64>, EngineError> {
    let ids: HashMap<i64, &HerokuId> =
        resources.iter().map(|stored| (stored.dense, stored.record.id())).collect();
    let dense: Vec<i64> = ids.keys().copied().collect();
    if let Some(counts) = snapshot.holders(&dense).await? {
        return Ok(keyed(resources, &counts));
    }
    let mut counts = HashMap::new();
    for entry in snapshot.access(&AccessSelect::On(dense)).await? {
        if let Some(id) = ids.get(&entry.resource) {
            *counts.entry((*id).clone()).or_default() += 1;
        }
    }
    Ok(counts)
}
