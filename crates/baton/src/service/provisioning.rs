//! Grants and revokes as the contract asks for them.
//!
//! Nothing but ids is relied upon: the entitlement's id tells resource and slug, the principal's the person; what else a
//! request says may be missing, and must not disagree. What is allowed, and the calls themselves, are the engine's.
//!
//! Invariant: nothing is changed unless provisioning is switched on, and what follows from something else is never called
//! revoked while it is still held.

use std::future::Future;

use metsuke_engine::connector::{At, Granted, Revoked, Source, Target, View};
use metsuke_engine::{EngineError, ErrorKind};
use metsuke_model::grant::PrincipalKind;
use metsuke_model::{HerokuId, ResourceType};
use prost_types::Any;

use super::failure::{Code, Failure};
use super::listing::{brief, key, target};
use super::{Connector, rules};
use crate::any::pack;
use crate::id::{self, ResourceKey};
use crate::proto::connector::{
    Entitlement, Grant, GrantAlreadyExists, GrantAlreadyRevoked, GrantManagerServiceGrantRequest,
    GrantManagerServiceGrantResponse, GrantManagerServiceRevokeRequest, GrantManagerServiceRevokeResponse,
    GrantMetadata, GrantReplaced, Resource,
};
use crate::shape::{Type, direct_grant};

/// So often a change is asked for where Heroku cannot be reached.
const TRIES: u32 = 3;
/// The longest wait between two of them.
const LONGEST_PAUSE: std::time::Duration = std::time::Duration::from_mins(1);
/// What the audit trail tells of who asked.
const REASON: &str = "asked for through the connector";

/// What is to be changed.
struct Wanted<'a> {
    kind: Type,
    held: ResourceType,
    resource: ResourceKey,
    slug: &'a str,
    user: ResourceKey,
}

impl Connector {
    /// Gives somebody an entitlement.
    ///
    /// # Errors
    ///
    /// [`Code::FailedPrecondition`] where provisioning is off or a rule forbids it, [`Code::InvalidArgument`] for a request
    /// that breaks a rule or contradicts itself, [`Code::Unimplemented`] for what this connector gives nobody, and what
    /// Heroku said.
    pub async fn grant(
        &self,
        request: &GrantManagerServiceGrantRequest,
    ) -> Result<GrantManagerServiceGrantResponse, Failure> {
        rules::asked(request)?;
        self.enabled()?;
        let wanted = wanted(request.entitlement.as_ref(), request.principal.as_ref())?;
        let resource = (wanted.held, HerokuId::new(&wanted.resource.resource));
        let user = wanted.user.resource.as_str();
        let granted = self.change(|| self.estate.grant(&resource, wanted.slug, user, Some(REASON))).await?;
        let answer = match granted {
            Granted::AlreadyExists => GrantManagerServiceGrantResponse {
                annotations: vec![pack(&GrantAlreadyExists {})],
                grants: Vec::new(),
            },
            Granted::Done { added, replaced, pending } => GrantManagerServiceGrantResponse {
                annotations: notes(&wanted, replaced.as_deref(), pending),
                grants: added.iter().filter_map(message).collect(),
            },
        };
        rules::answered(&answer)?;
        Ok(answer)
    }

    /// Takes an entitlement from somebody.
    ///
    /// # Errors
    ///
    /// As [`grant`](Self::grant); [`Code::FailedPrecondition`] also where it follows from something else that is held.
    pub async fn revoke(
        &self,
        request: &GrantManagerServiceRevokeRequest,
    ) -> Result<GrantManagerServiceRevokeResponse, Failure> {
        rules::asked(request)?;
        self.enabled()?;
        let grant = request.grant.as_ref();
        let principal = grant.and_then(|grant| grant.principal.as_ref());
        let entitlement = grant.and_then(|grant| grant.entitlement.as_ref());
        inheritance(principal)?;
        let wanted = wanted(entitlement, principal)?;
        let resource = (wanted.held, HerokuId::new(&wanted.resource.resource));
        let user = wanted.user.resource.as_str();
        let revoked = self.change(|| self.estate.revoke(&resource, wanted.slug, user, Some(REASON))).await?;
        if revoked == Revoked::AlreadyRevoked {
            self.holds_no_more(&wanted).await?;
            return Ok(GrantManagerServiceRevokeResponse {
                annotations: vec![pack(&GrantAlreadyRevoked {})],
            });
        }
        Ok(GrantManagerServiceRevokeResponse::default())
    }

    fn enabled(&self) -> Result<(), Failure> {
        if self.options.provisioning { Ok(()) } else { Err(disabled()) }
    }

    /// Asks for a change; again after a while where it could not be made for want of an answer.
    async fn change<T, F>(&self, ask: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, EngineError>>,
    {
        let mut tries = 0;
        loop {
            let error = match Box::pin(ask()).await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            tries += 1;
            let failure = self.failed(&error);
            if failure.code() != Code::Unavailable || tries == TRIES {
                return Err(failure);
            }
            let pause = error.retry_after().unwrap_or(self.options.pause.saturating_mul(tries));
            tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
        }
    }

    /// Refuses to call revoked what somebody holds because of something else.
    async fn holds_no_more(&self, wanted: &Wanted<'_>) -> Result<(), Failure> {
        if wanted.kind != Type::App {
            return Ok(());
        }
        let app = target(wanted.kind, &wanted.resource.resource);
        let refreshed = Box::pin(self.estate.refresh(&app)).await;
        let Some(app) = refreshed.map_err(|error| self.failed(&error))? else { return Ok(()) };
        let team = match team_of(&app, wanted) {
            Some(team) => match Box::pin(self.estate.refresh(&Target::Team(team))).await {
                Ok(team) => team,
                // Who may not see the team's people knows of their roles what was known before.
                Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => None,
                Err(error) => return Err(self.failed(&error)),
            },
            None => None,
        };
        let path = path(&app, team.as_ref().unwrap_or(&app), wanted);
        path.map_or(Ok(()), |path| Err(Failure::declined(path, Some("take that away instead".into()))))
    }
}

/// What managers answer while provisioning is off.
pub(super) fn disabled() -> Failure {
    Failure::new(Code::FailedPrecondition, "provisioning is not enabled")
}

fn notes(wanted: &Wanted<'_>, replaced: Option<&str>, pending: bool) -> Vec<Any> {
    let mut notes = Vec::new();
    if let Some(role) = replaced {
        let replaced_grant_id = direct_grant(&wanted.resource, role, &wanted.user).id;
        notes.push(pack(&GrantReplaced { replaced_grant_id }));
    }
    if pending {
        let yes = prost_types::Value { kind: Some(prost_types::value::Kind::BoolValue(true)) };
        let metadata = prost_types::Struct { fields: [("invitation_pending".to_owned(), yes)].into() };
        notes.push(pack(&GrantMetadata { metadata: Some(metadata) }));
    }
    notes
}

/// A grant of a person as a message; none for an invitation, which is no access yet.
fn message(grant: &metsuke_model::Grant) -> Option<Grant> {
    let kind = Type::of(grant.resource.resource_type)?;
    let resource = ResourceKey::new(kind.as_str(), &grant.resource.id.to_string());
    let user = ResourceKey::new(Type::User.as_str(), &grant.principal.id.to_string());
    let is_user = grant.principal.kind == PrincipalKind::User;
    is_user.then(|| direct_grant(&resource, &grant.entitlement, &user))
}

fn wanted<'a>(
    entitlement: Option<&'a Entitlement>,
    principal: Option<&Resource>,
) -> Result<Wanted<'a>, Failure> {
    let missing = |what: &str| invalid(format!("`{what}` is required"));
    let entitlement = entitlement.ok_or_else(|| missing("entitlement"))?;
    let (resource, slug) =
        id::parse_entitlement(&entitlement.id).map_err(|error| invalid(error.to_string()))?;
    let named = entitlement.resource.as_ref().and_then(|resource| resource.id.as_ref()).map(key);
    if named.is_some_and(|named| named != resource) {
        return Err(invalid("`entitlement.resource` is not the one that `entitlement.id` names"));
    }
    if !entitlement.slug.is_empty() && entitlement.slug != slug {
        return Err(invalid("`entitlement.slug` is not the one that `entitlement.id` names"));
    }
    let kind = Type::parse(&resource.resource_type).filter(|kind| kind.is_provisioned());
    let Some((kind, held)) = kind.and_then(|kind| Some((kind, kind.held()?))) else {
        let message = format!("grants on a {} are not made or taken here", brief(&resource.resource_type));
        return Err(Failure::new(Code::Unimplemented, message));
    };
    let principal = principal.ok_or_else(|| missing("principal"))?;
    let user = principal.id.as_ref().ok_or_else(|| missing("principal.id"))?;
    if principal.baton_resource || user.baton_resource {
        return Err(invalid("`principal` belongs to another connector"));
    }
    if user.resource_type != Type::User.as_str() {
        let message =
            format!("`principal` is a {}; only users are given anything", brief(&user.resource_type));
        return Err(invalid(message));
    }
    Ok(Wanted { kind, held, resource, slug, user: key(user) })
}

/// Declines to take away what tells of inheritance: it is no row that could go.
fn inheritance(principal: Option<&Resource>) -> Result<(), Failure> {
    let of = principal.and_then(|principal| principal.id.as_ref()).map_or("", |id| id.resource_type.as_str());
    match Type::parse(of) {
        Some(Type::Team) => Err(Failure::declined(
            "the grant says what everybody with a role in the team holds on the app",
            Some("change the role of a member instead".into()),
        )),
        Some(Type::App) => Err(Failure::declined(
            "the grant says what another permission on the same app brings with it",
            Some("take that permission away instead".into()),
        )),
        Some(Type::User | Type::EnterpriseAccount) | None => Ok(()),
    }
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(Code::InvalidArgument, format!("invalid request: {}", message.into()))
}

/// The team of the app.
fn team_of(view: &View, wanted: &Wanted<'_>) -> Option<HerokuId> {
    let At::App(app) = view.find(wanted.held, &HerokuId::new(&wanted.resource.resource))? else {
        return None;
    };
    view.teams().get(view.team_of(app)?).map(|team| team.id.clone())
}

/// Why somebody still holds an entitlement on an app that no row gives them; none where they do not. Roles in the app's
/// team are looked for in a view of their own.
fn path(view: &View, of_team: &View, wanted: &Wanted<'_>) -> Option<String> {
    let user = HerokuId::new(&wanted.user.resource);
    let at = view.find(wanted.held, &HerokuId::new(&wanted.resource.resource))?;
    let At::App(app) = at else { return None };
    let edges = view.edges(app);
    let mut sources = edges.iter().filter(|edge| edge.target.slug() == wanted.slug).map(|edge| edge.source);
    let because = sources.find_map(|source| match source {
        Source::Team(team, role) => {
            let team = view.teams().get(team)?;
            let held = of_team.find(ResourceType::Team, &team.id)?;
            let name = team.name.as_deref().unwrap_or("?");
            holds(of_team, held, &user, role).then(|| format!("the role `{role}` in team `{name}`"))
        }
        Source::Own(slug) => holds(view, at, &user, slug).then(|| format!("`{slug}` on the same app")),
    });
    let given = || {
        let place = view.user(&user)?;
        let given = view.given(app);
        let given =
            given.iter().find(|given| given.user == place && given.entitlement.slug() == wanted.slug)?;
        Some(format!("being the app's {}", given.because.as_str()))
    };
    let because = because.or_else(given)?;
    let name = view.apps().get(app).and_then(|app| app.name.as_deref()).unwrap_or("?");
    Some(format!("`{}` on app `{name}` follows from {because}", wanted.slug))
}

/// Whether somebody directly holds this.
fn holds(view: &View, at: At, user: &HerokuId, slug: &str) -> bool {
    view.user(user).is_some_and(|user| view.direct(at).any(|held| held == (user, slug)))
}
