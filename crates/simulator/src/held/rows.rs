//! Turns the estate's own structs into wire rows.
//!
//! Not a decision about who may see them: `sight`.
//!
//! Invariant: a row shows e-mails as its own list spells them, and ids as they are everywhere.

use super::{AddOn, App, Attachment, Collaborator, Coupling, Enterprise, EnterpriseMember, Invitation};
use super::{Member, Owner, Person, Pipeline, Space, Team, World};
use crate::catalogue::{self, id_from, manager, service_at};
use crate::value::Id;
use crate::wire;

fn named(id: Id, name: &str) -> wire::Named<'_> {
    wire::Named { id, name: name.into() }
}

impl World {
    pub(crate) fn account_row(&self, person: &Person) -> wire::Account<'_> {
        let own = self.people.get(&person.id);
        let provider = self.own_enterprises().find_map(|enterprise| {
            let id = enterprise.provider.filter(|_| person.federated)?;
            let name = || wire::OnlyName { name: enterprise.name.as_str().into() };
            let owner = wire::Holder {
                id: enterprise.id,
                name: Some(enterprise.name.as_str().into()),
                kind: "enterprise-account",
            };
            let label = format!("{}-sso", enterprise.name).into();
            Some(wire::AccountProvider { id, name: label, organization: name(), team: name(), owner })
        });
        wire::Account {
            allow_tracking: true,
            beta: false,
            email: person.email.clone().into(),
            federated: person.federated,
            id: person.id,
            identity_provider: provider,
            last_login: person.last_login,
            name: own.and_then(|own| own.name.as_deref()).map(Into::into),
            sms_number: None,
            two_factor_authentication: person.two_factor,
            verified: true,
            created_at: person.created,
            updated_at: person.created,
            suspended_at: None,
            country_of_residence: None,
            default_organization: None,
            default_team: None,
            delinquent_at: None,
        }
    }

    pub(crate) fn enterprise_row<'a>(&'a self, enterprise: &'a Enterprise) -> wire::Enterprise<'a> {
        let own = enterprise.members.values().find(|member| member.user == Some(self.caller));
        wire::Enterprise {
            id: enterprise.id,
            created_at: enterprise.created,
            name: enterprise.name.as_str().into(),
            updated_at: enterprise.updated,
            permissions: own
                .into_iter()
                .flat_map(|own| &own.permissions)
                .map(|p| p.as_str().into())
                .collect(),
            trial: enterprise.trial,
            identity_provider: provider(enterprise, None),
        }
    }

    pub(crate) fn enterprise_member_row<'a>(
        &'a self,
        enterprise: &'a Enterprise,
        member: &'a EnterpriseMember,
        sdk: bool,
    ) -> wire::EnterpriseMember<'a> {
        let person = member.user.and_then(|user| self.people.get(&user));
        wire::EnterpriseMember {
            enterprise_account: named(enterprise.id, &enterprise.name),
            id: member.id,
            permissions: member
                .permissions
                .iter()
                .map(|p| wire::Permission::enterprise(p.as_str()))
                .collect(),
            user: member.user.map(|id| wire::Mail { email: member.email.as_str().into(), id }),
            two_factor_authentication: person.is_some_and(|person| person.two_factor && !person.federated),
            identity_provider: person
                .filter(|person| person.federated)
                .and_then(|_| provider(enterprise, Some(false))),
            last_login: sdk.then(|| person.and_then(|person| person.last_login)),
        }
    }

    pub(crate) fn team_row<'a>(&'a self, team: &'a Team) -> wire::Team<'a> {
        let enterprise = team.enterprise.and_then(|id| self.enterprises.get(&id));
        wire::Team {
            id: team.id,
            created_at: team.created,
            credit_card_collections: enterprise.is_none(),
            default: false,
            enterprise_account: enterprise.map(|enterprise| named(enterprise.id, &enterprise.name)),
            identity_provider: enterprise.and_then(|enterprise| provider(enterprise, None)),
            membership_limit: if enterprise.is_none() { Some(25) } else { None },
            name: team.name.as_str().into(),
            provisioned_licenses: enterprise.is_some(),
            role: self.own_role(team).map(Into::into),
            kind: if enterprise.is_some() { "enterprise" } else { "team" },
            updated_at: team.updated,
        }
    }

    pub(crate) fn member_row<'a>(&'a self, team: &'a Team, member: &'a Member) -> wire::Member<'a> {
        let person = member.user.and_then(|user| self.people.get(&user));
        let enterprise = team.enterprise.and_then(|id| self.enterprises.get(&id));
        let federated = person.is_some_and(|person| person.federated);
        wire::Member {
            id: member.id,
            created_at: member.created,
            email: member.email.as_str().into(),
            federated,
            identity_provider: enterprise.filter(|_| federated).and_then(|e| provider(e, Some(false))),
            role: member.role.as_deref().map(Into::into),
            two_factor_authentication: person.is_some_and(|person| person.two_factor && !person.federated),
            updated_at: member.updated,
            user: person.map(|person| wire::Person {
                email: member.email.as_str().into(),
                id: person.id,
                name: person.name.as_deref().map(Into::into),
            }),
        }
    }

    pub(crate) fn invitation_row<'a>(
        &'a self,
        team: &'a Team,
        invitation: &'a Invitation,
    ) -> wire::Invitation<'a> {
        let person = |id: Id, email: Option<&'a str>| {
            let known = self.people.get(&id);
            wire::Person {
                email: email.or(known.map(|known| known.email.as_str())).unwrap_or_default().into(),
                id,
                name: known.and_then(|known| known.name.as_deref()).map(Into::into),
            }
        };
        wire::Invitation {
            created_at: invitation.created,
            id: invitation.id,
            invited_by: person(invitation.by, None),
            team: named(team.id, &team.name),
            role: invitation.role.as_deref().map(Into::into),
            updated_at: invitation.updated,
            user: person(invitation.user, Some(&invitation.email)),
        }
    }

    pub(crate) fn app_row<'a>(&'a self, app: &'a App, sdk: bool) -> wire::App<'a> {
        let team = app.team().and_then(|team| self.teams.get(&team));
        let owner = match app.owner {
            Owner::Team(id) => team.map(|team| wire::Mail { email: manager(&team.name).into(), id }),
            Owner::Person(id) => {
                self.people.get(&id).map(|person| wire::Mail { email: person.email.as_str().into(), id })
            }
            Owner::Nobody(_) => None,
        };
        let space = app.space.and_then(|space| self.spaces.get(&space));
        let parts = wire::AppParts {
            id: app.id,
            name: app.name.as_str().into(),
            owner,
            team: team.map(|team| named(team.id, &team.name)),
            space: space.map(|space| wire::AppSpace {
                id: space.id,
                name: space.name.as_str().into(),
                shield: space.shield,
            }),
            created_at: app.created,
            updated_at: app.updated,
            archived_at: app.archived,
            locked: app.locked,
            joined: self.joined(app),
            plain: app.id.0.is_multiple_of(7),
            sdk,
        };
        parts.row()
    }

    pub(crate) fn collaborator_row<'a>(
        &'a self,
        app: &'a App,
        row: &'a Collaborator,
    ) -> wire::Collaborator<'a> {
        wire::Collaborator {
            app: named(app.id, &app.name),
            created_at: row.created,
            id: row.id,
            permissions: row.permissions.iter().map(|p| wire::Permission::app(p.as_str())).collect(),
            role: row.role.as_deref().map(Into::into),
            updated_at: row.updated,
            user: wire::CollaboratorUser {
                email: row.email.as_str().into(),
                federated: self.people.get(&row.user).is_some_and(|person| person.federated),
                id: row.user,
            },
        }
    }

    /// The row of role `owner`: the team's pseudo-user, or the person whose app it is.
    pub(crate) fn owner_row<'a>(&'a self, app: &'a App) -> Option<wire::Collaborator<'a>> {
        let (id, email) = match app.owner {
            Owner::Team(id) => (id, manager(&self.teams.get(&id)?.name).into()),
            Owner::Person(id) => (id, self.people.get(&id)?.email.as_str().into()),
            Owner::Nobody(_) => return None,
        };
        Some(wire::Collaborator {
            app: named(app.id, &app.name),
            created_at: app.created,
            id: id_from("owner", app.id),
            permissions: catalogue::app_permissions(),
            role: Some("owner".into()),
            updated_at: app.created,
            user: wire::CollaboratorUser { email, federated: false, id },
        })
    }

    pub(crate) fn addon_row<'a>(&'a self, addon: &'a AddOn, expanded: bool) -> Option<wire::AddOn<'a>> {
        let app = self.apps.get(&addon.app)?;
        let service = service_at(addon.service);
        let (plan, price) = service.plan(addon.plan, expanded);
        let holder = match app.team().and_then(|team| self.teams.get(&team)) {
            Some(team) => wire::Holder { id: team.id, name: Some(team.name.as_str().into()), kind: "team" },
            None => wire::Holder { id: app.id, name: Some(app.name.as_str().into()), kind: "app" },
        };
        Some(wire::AddOn {
            actions: service.actions(),
            app: named(app.id, &app.name),
            config_vars: vec![format!("{}_URL", service.variable).into()],
            created_at: addon.created,
            id: addon.id,
            name: addon.name.as_str().into(),
            addon_service: service.named(),
            plan,
            billing_entity: holder,
            provider_id: addon.id.0.wrapping_rem(100_000_000).to_string().into(),
            state: "provisioned",
            updated_at: addon.created,
            web_url: service
                .page
                .then(|| format!("https://addons-sso.heroku.com/apps/{}/addons/{}", app.id, addon.id).into()),
            billed_price: addon.priced.then_some(price),
        })
    }

    pub(crate) fn attachment_row<'a>(&'a self, attachment: &'a Attachment) -> Option<wire::Attachment<'a>> {
        let addon = self.addons.get(&attachment.addon)?;
        let holder = self.apps.get(&addon.app)?;
        let app = self.apps.get(&attachment.app)?;
        let page = service_at(addon.service).page;
        Some(wire::Attachment {
            addon: wire::AttachedAddOn {
                id: addon.id,
                name: addon.name.as_str().into(),
                app: named(holder.id, &holder.name),
            },
            app: named(app.id, &app.name),
            created_at: attachment.created,
            id: attachment.id,
            name: attachment.name.as_str().into(),
            namespace: None,
            updated_at: attachment.created,
            web_url: page
                .then(|| format!("https://addons-sso.heroku.com/apps/{}/addons/{}", app.id, addon.id).into()),
            log_input_url: None,
        })
    }

    pub(crate) fn coupling_row<'a>(&'a self, coupling: &'a Coupling) -> Option<wire::Coupling<'a>> {
        let pipeline = self.pipelines.get(&coupling.pipeline)?;
        Some(wire::Coupling {
            app: wire::OnlyId { id: coupling.app },
            created_at: coupling.created,
            id: coupling.id,
            pipeline: named(pipeline.id, &pipeline.name),
            stage: coupling.stage,
            updated_at: coupling.created,
        })
    }

    pub(crate) fn space_row<'a>(&'a self, space: &'a Space) -> Option<wire::Space<'a>> {
        let team = self.teams.get(&space.team)?;
        Some(wire::Space {
            created_at: space.created,
            id: space.id,
            name: space.name.as_str().into(),
            organization: wire::OnlyName { name: team.name.as_str().into() },
            team: named(team.id, &team.name),
            region: named(wire::REGION, "virginia"),
            shield: space.shield,
            state: "allocated",
            updated_at: space.created,
            cidr: "10.0.0.0/16",
            data_cidr: "10.1.0.0/16",
            generation: named(wire::CEDAR, "cedar"),
        })
    }

    pub(crate) fn space_member_row<'a>(
        &'a self,
        space: &'a Space,
        (id, user, permissions): &'a (Id, Id, Vec<String>),
    ) -> Option<wire::SpaceMember<'a>> {
        let person = self.people.get(user)?;
        Some(wire::SpaceMember {
            space: named(space.id, &space.name),
            created_at: space.created,
            id: *id,
            permissions: permissions
                .iter()
                .map(|name| wire::Permission { description: "Can create apps.", name: name.as_str().into() })
                .collect(),
            updated_at: space.created,
            user: wire::Mail { email: person.email.as_str().into(), id: person.id },
        })
    }
}

pub(crate) fn pipeline_row(pipeline: &Pipeline) -> wire::Pipeline<'_> {
    let owner = pipeline.owner.map(|owner| match owner {
        Owner::Team(id) | Owner::Nobody(id) => wire::Holder { id, name: None, kind: "team" },
        Owner::Person(id) => wire::Holder { id, name: None, kind: "user" },
    });
    wire::Pipeline {
        created_at: pipeline.created,
        id: pipeline.id,
        name: pipeline.name.as_str().into(),
        owner,
        updated_at: pipeline.created,
        generation: named(wire::CEDAR, "cedar"),
    }
}

fn provider(enterprise: &Enterprise, redacted: Option<bool>) -> Option<wire::Provider<'_>> {
    enterprise.provider.map(|id| catalogue::provider(id, enterprise.id, &enterprise.name, redacted))
}
