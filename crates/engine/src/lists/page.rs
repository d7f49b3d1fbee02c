//! Lists in pages, for estates that are too large for one answer.
//!
//! What a line says is the same as in the whole lists; only order and length differ.
//!
//! Invariant: a page is in order of Heroku's ids and costs no more the deeper it lies.

use std::future::Future;

use metsuke_model::record::{AddOn, App, EnterpriseAccount, Invitation, Team, UnresolvedMember, User};
use metsuke_model::{HerokuId, Record};
use metsuke_store::{Select, Snapshot, Stored};
use serde::Serialize;

use super::{
    AddOnLine, AppLine, EnterpriseAccountLine, InvitationLine, TeamLine, UnresolvedLine, UserLine,
    account_lines, addon_lines, app_lines, invitation_lines, is_listed, team_lines, unresolved_lines,
    user_lines,
};
use crate::EngineError;
use crate::access::find_team;

/// Which objects are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Those of this name, or of this e-mail address.
    pub name: Option<String>,
    /// Those of this team, by name or id: apps alone.
    pub team: Option<String>,
    /// Those whom nobody asks for a second factor, as far as Heroku shows it: people alone.
    pub without_second_factor: bool,
}

/// A line of a list that comes in pages.
pub trait ListedLine: Serialize + Send + Sized {
    /// The objects that it tells of.
    type Object: Record + Send;

    /// Heroku's id of the object.
    fn id(&self) -> &HerokuId;

    /// Whether an object stands in the list.
    fn is_listed(_object: &Stored<Self::Object>) -> bool {
        true
    }

    /// Whether an object is wanted, beyond its name and team.
    fn suits(_object: &Stored<Self::Object>, _wanted: &Wanted) -> bool {
        true
    }

    /// The lines of objects, in their order.
    fn lines(
        snapshot: &mut Snapshot,
        objects: Vec<Stored<Self::Object>>,
    ) -> impl Future<Output = Result<Vec<Self>, EngineError>> + Send;
}

/// At most `count` lines behind the object with the id `after`, in order of their ids.
///
/// # Errors
///
/// [`EngineError::NotFound`] for a team that is not there, and what the database said.
pub async fn page<L: ListedLine>(
    snapshot: &mut Snapshot,
    wanted: &Wanted,
    after: Option<&HerokuId>,
    count: u32,
) -> Result<Vec<L>, EngineError> {
    let objects = match chosen(snapshot, wanted).await? {
        Some(select) => few::<L>(snapshot, wanted, &select, after, count).await?,
        None => walked::<L>(snapshot, wanted, after, count).await?,
    };
    L::lines(snapshot, objects).await
}

/// What a filter leaves over; none where it leaves all.
async fn chosen(snapshot: &mut Snapshot, wanted: &Wanted) -> Result<Option<Select>, EngineError> {
    Ok(match (&wanted.team, &wanted.name) {
        (Some(team), _) => Some(Select::Within(vec![find_team(snapshot, team).await?.dense])),
        (None, Some(name)) => Some(Select::Named(name.clone())),
        (None, None) => None,
    })
}

async fn few<L: ListedLine>(
    snapshot: &mut Snapshot,
    wanted: &Wanted,
    select: &Select,
    after: Option<&HerokuId>,
    count: u32,
) -> Result<Vec<Stored<L::Object>>, EngineError> {
    let after = after.map(HerokuId::to_bytes);
    let mut objects = snapshot.columns::<L::Object>(select).await?;
    if let (Some(_), Some(name)) = (&wanted.team, &wanted.name) {
        let named = snapshot.columns::<L::Object>(&Select::Named(name.clone())).await?;
        objects.retain(|object| named.iter().any(|named| named.dense == object.dense));
    }
    objects.retain(|object| after.as_ref().is_none_or(|after| object.record.id().to_bytes() > *after));
    objects.retain(|object| L::is_listed(object) && L::suits(object, wanted));
    objects.sort_by_cached_key(|object| object.record.id().to_bytes());
    objects.truncate(count as usize);
    Ok(objects)
}

async fn walked<L: ListedLine>(
    snapshot: &mut Snapshot,
    wanted: &Wanted,
    after: Option<&HerokuId>,
    count: u32,
) -> Result<Vec<Stored<L::Object>>, EngineError> {
    let mut found = Vec::new();
    let mut after = after.cloned();
    while found.len() < count as usize {
        let keys = snapshot.keys::<L::Object>(after.as_ref(), count).await?;
        let Some((_, last)) = keys.last() else { break };
        after = Some(last.clone());
        let dense = keys.iter().map(|(dense, _)| *dense).collect();
        let mut objects = snapshot.columns::<L::Object>(&Select::Dense(dense)).await?;
        objects.retain(|object| L::is_listed(object) && L::suits(object, wanted));
        objects.sort_by_cached_key(|object| object.record.id().to_bytes());
        found.extend(objects);
    }
    found.truncate(count as usize);
    Ok(found)
}

fn within<T>(objects: &[Stored<T>]) -> Select {
    Select::Within(objects.iter().map(|object| object.dense).collect())
}

impl ListedLine for UserLine {
    type Object = User;

    fn id(&self) -> &HerokuId {
        &self.id
    }

    fn suits(object: &Stored<User>, wanted: &Wanted) -> bool {
        let User { two_factor, federated, .. } = &object.record;
        !wanted.without_second_factor || (*two_factor == Some(false) && *federated != Some(true))
    }

    async fn lines(_: &mut Snapshot, objects: Vec<Stored<User>>) -> Result<Vec<Self>, EngineError> {
        Ok(user_lines(objects))
    }
}

impl ListedLine for TeamLine {
    type Object = Team;

    fn id(&self) -> &HerokuId {
        &self.id
    }

    fn is_listed(object: &Stored<Team>) -> bool {
        is_listed(object)
    }

    async fn lines(snapshot: &mut Snapshot, objects: Vec<Stored<Team>>) -> Result<Vec<Self>, EngineError> {
        let apps = within(&objects);
        team_lines(snapshot, objects, &apps).await
    }
}

impl ListedLine for AppLine {
    type Object = App;

    fn id(&self) -> &HerokuId {
        &self.id
    }

    async fn lines(snapshot: &mut Snapshot, objects: Vec<Stored<App>>) -> Result<Vec<Self>, EngineError> {
        let addons = within(&objects);
        app_lines(snapshot, objects, &addons).await
    }
}

impl ListedLine for EnterpriseAccountLine {
    type Object = EnterpriseAccount;

    fn id(&self) -> &HerokuId {
        &self.id
    }

    async fn lines(
        snapshot: &mut Snapshot,
        objects: Vec<Stored<EnterpriseAccount>>,
    ) -> Result<Vec<Self>, EngineError> {
        let teams = within(&objects);
        account_lines(snapshot, objects, &teams).await
    }
}

impl ListedLine for AddOnLine {
    type Object = AddOn;

    fn id(&self) -> &HerokuId {
        &self.id
    }

    async fn lines(snapshot: &mut Snapshot, objects: Vec<Stored<AddOn>>) -> Result<Vec<Self>, EngineError> {
        addon_lines(snapshot, objects).await
    }
}

impl ListedLine for InvitationLine {
    type Object = Invitation;

    fn id(&self) -> &HerokuId {
        &self.id
    }

    async fn lines(
        snapshot: &mut Snapshot,
        objects: Vec<Stored<Invitation>>,
    ) -> Result<Vec<Self>, EngineError> {
        invitation_lines(snapshot, objects).await
    }
}

impl ListedLine for UnresolvedLine {
    type Object = UnresolvedMember;

    fn id(&self) -> &HerokuId {
        &self.id
    }

    async fn lines(
        snapshot: &mut Snapshot,
        objects: Vec<Stored<UnresolvedMember>>,
    ) -> Result<Vec<Self>, EngineError> {
        unresolved_lines(snapshot, objects).await
    }
}
