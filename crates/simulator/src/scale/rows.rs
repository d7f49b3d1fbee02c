//! Makes one wire row from an index.
//!
//! Not a choice of rows: `read`.
//!
//! Invariant: the same index gives the same row, whatever was asked before.

use super::access::Holder;
use super::{Scale, Series};
use crate::catalogue::{self, id_from, manager, service_at};
use crate::value::{EPOCH, Id, Stamp, mix};
use crate::wire::{self, Named, Text};

const FIRST: [&str; 16] = [
    "ada", "bram", "clara", "diego", "elif", "farid", "greta", "hugo", "ines", "jonas", "katya", "leila",
    "marco", "nadia", "omar", "priya",
];
const LAST: [&str; 16] = [
    "adeyemi", "becker", "costa", "demir", "eriksen", "fischer", "garcia", "hansen", "ito", "jansen",
    "keller", "larsen", "mensah", "novak", "okafor", "patel",
];
const WORK: [&str; 16] = [
    "payments", "identity", "search", "checkout", "ledger", "catalog", "stock", "shipping", "pricing",
    "loyalty", "support", "growth", "billing", "fraud", "media", "maps",
];
const PART: [&str; 8] = ["api", "web", "worker", "admin", "gateway", "jobs", "hooks", "feed"];

fn pick<'a>(from: &[&'a str], at: u64) -> &'a str {
    let at = usize::try_from(at % (from.len() as u64).max(1)).unwrap_or(0);
    from.get(at).copied().unwrap_or_default()
}

/// The number at the end of a made-up name, before an `@` if there is one.
pub(super) fn number(name: &str) -> Option<u64> {
    let name = name.split('@').next().unwrap_or(name);
    name.rsplit(['-', '.']).next()?.parse().ok()
}

impl Scale {
    pub(super) fn email(&self, user: u64) -> String {
        let salt = mix(self.seed, user);
        format!("{}.{}.{user}@scale.example", pick(&FIRST, salt), pick(&LAST, salt >> 8))
    }

    pub(super) fn person_name(&self, user: u64) -> String {
        let salt = mix(self.seed, user);
        format!("{} {}", pick(&FIRST, salt), pick(&LAST, salt >> 8))
    }

    fn created(&self, index: u64) -> Stamp {
        Stamp(EPOCH.0 - mix(self.seed ^ 0x0c4e, index) % 315_000_000)
    }

    fn federated(&self, user: u64) -> bool {
        user != 0 && mix(self.seed ^ 0xfed, user).is_multiple_of(2)
    }

    pub(super) fn team_name(&self, team: u64) -> String {
        format!("scale-{}-{team}", pick(&WORK, mix(self.seed ^ 0x7ea, team)))
    }

    pub(super) fn app_name(&self, app: u64) -> String {
        let salt = mix(self.seed ^ 0xa6, app);
        format!("{}-{}-{app}", pick(&WORK, salt), pick(&PART, salt >> 8))
    }

    fn account_name(account: u64) -> String {
        format!("scale-group-{account}")
    }

    fn account_named(&self, account: u64) -> Named<'static> {
        Named { id: self.accounts.id(account), name: Self::account_name(account).into() }
    }

    pub(super) fn team_named(&self, team: u64) -> Named<'static> {
        Named { id: self.teams.id(team), name: self.team_name(team).into() }
    }

    pub(super) fn app_named(&self, app: u64) -> Named<'static> {
        Named { id: self.apps.id(app), name: self.app_name(app).into() }
    }

    fn provider(&self, account: u64, redacted: Option<bool>) -> wire::Provider<'static> {
        let id = self.accounts.id(account);
        let name = Self::account_name(account);
        let owner = wire::Holder { id, name: Some(name.clone().into()), kind: "enterprise-account" };
        wire::Provider { id: id_from("provider", id), name: format!("{name}-sso").into(), redacted, owner }
    }

    pub(super) fn account_row(&self) -> wire::Account<'static> {
        wire::Account {
            allow_tracking: true,
            beta: false,
            email: self.email(0).into(),
            federated: false,
            id: self.users.id(0),
            identity_provider: None,
            last_login: Some(EPOCH),
            name: Some(self.person_name(0).into()),
            sms_number: None,
            two_factor_authentication: true,
            verified: true,
            created_at: self.created(0),
            updated_at: EPOCH,
            suspended_at: None,
            country_of_residence: None,
            default_organization: None,
            default_team: None,
            delinquent_at: None,
        }
    }

    pub(super) fn enterprise_row(&self, account: u64) -> wire::Enterprise<'static> {
        wire::Enterprise {
            id: self.accounts.id(account),
            created_at: self.created(account),
            name: Self::account_name(account).into(),
            updated_at: EPOCH,
            permissions: self.account_permissions(0).into_iter().map(Into::into).collect(),
            trial: false,
            identity_provider: Some(self.provider(account, None)),
        }
    }

    pub(super) fn account_rows(&self, account: u64) -> Series {
        Series::new(mix(self.seed ^ 0xacc, account), self.account_size(account))
    }

    pub(super) fn enterprise_member_row(
        &self,
        account: u64,
        at: u64,
        sdk: bool,
    ) -> wire::EnterpriseMember<'static> {
        let user = self.account_member(account, at);
        let salt = mix(self.seed ^ 0x106, user);
        let permissions = self.account_permissions(user).into_iter().map(wire::Permission::enterprise);
        wire::EnterpriseMember {
            enterprise_account: self.account_named(account),
            id: self.account_rows(account).id(at),
            permissions: permissions.collect(),
            user: Some(wire::Mail { email: self.email(user).into(), id: self.users.id(user) }),
            two_factor_authentication: !self.federated(user) && salt % 10 < 7,
            identity_provider: self.federated(user).then(|| self.provider(account, Some(false))),
            last_login: sdk.then(|| (!salt.is_multiple_of(9)).then(|| Stamp(EPOCH.0 - salt % 30_000_000))),
        }
    }

    pub(super) fn team_row(&self, team: u64) -> wire::Team<'static> {
        let account = team % self.enterprises;
        wire::Team {
            id: self.teams.id(team),
            created_at: self.created(team),
            credit_card_collections: false,
            default: false,
            enterprise_account: Some(self.account_named(account)),
            identity_provider: Some(self.provider(account, None)),
            membership_limit: None,
            name: self.team_name(team).into(),
            provisioned_licenses: true,
            role: Some("admin".into()),
            kind: "enterprise",
            updated_at: EPOCH,
        }
    }

    pub(super) fn member_rows(&self, team: u64) -> Series {
        Series::new(mix(self.seed ^ 0x3e3, team), self.member_count(team))
    }

    pub(super) fn member_row(&self, team: u64, at: u64, generation: u64) -> wire::Member<'static> {
        let user = self.member(team, at);
        let email: Text<'static> = self.email(user).into();
        let federated = self.federated(user);
        wire::Member {
            id: self.member_rows(team).id(at),
            created_at: self.created(user),
            email: email.clone(),
            federated,
            identity_provider: federated.then(|| self.provider(team % self.enterprises, Some(false))),
            role: Some(self.role(team, at, generation).into()),
            two_factor_authentication: !federated && !user.is_multiple_of(3),
            updated_at: EPOCH,
            user: Some(wire::Person {
                email,
                id: self.users.id(user),
                name: Some(self.person_name(user).into()),
            }),
        }
    }

    pub(super) fn app_row(&self, app: u64, generation: u64, sdk: bool) -> wire::App<'static> {
        let team = self.team_named(self.team_of(app));
        let parts = wire::AppParts {
            id: self.apps.id(app),
            name: self.app_name(app).into(),
            owner: Some(wire::Mail { email: manager(&team.name).into(), id: team.id }),
            team: Some(team),
            space: None,
            created_at: self.created(app),
            updated_at: Stamp(EPOCH.0 - mix(self.seed ^ 0x0bda, app) % 5_000_000),
            archived_at: None,
            locked: self.locked(app),
            joined: self.app_users(app, generation).iter().any(|holder| holder.user == 0),
            plain: app.is_multiple_of(7),
            sdk,
        };
        parts.row()
    }

    pub(super) fn entity_row(&self, app: u64, generation: u64) -> wire::Entity<'static> {
        let users = self.app_users(app, generation).into_iter().map(|holder| wire::EntityUser {
            email: self.email(holder.user).into(),
            id: self.users.id(holder.user),
            permissions: holder.permissions.into_iter().map(Into::into).collect(),
        });
        wire::Entity {
            id: self.apps.id(app),
            name: self.app_name(app).into(),
            team_id: self.teams.id(self.team_of(app)),
            kind: "app",
            users: users.collect(),
        }
    }

    /// Everybody on an app, and the team's pseudo-user as its owner.
    pub(super) fn collaborator_rows(&self, app: u64, generation: u64) -> Vec<wire::Collaborator<'static>> {
        let team = self.team_of(app);
        let created_at = self.created(app);
        let named = self.app_named(app);
        let row = |holder: Holder| wire::Collaborator {
            app: named.clone(),
            created_at,
            id: Series::new(mix(self.seed ^ 0xc01, app), self.people).id(holder.user),
            permissions: holder.permissions.into_iter().map(wire::Permission::app).collect(),
            role: Some(self.role(team, holder.place, generation).into()),
            updated_at: created_at,
            user: wire::CollaboratorUser {
                email: self.email(holder.user).into(),
                federated: self.federated(holder.user),
                id: self.users.id(holder.user),
            },
        };
        let mut rows: Vec<_> = self.app_users(app, generation).into_iter().map(row).collect();
        let email = manager(&self.team_name(team)).into();
        rows.push(wire::Collaborator {
            app: named.clone(),
            created_at,
            id: id_from("owner", named.id),
            permissions: catalogue::app_permissions(),
            role: Some("owner".into()),
            updated_at: created_at,
            user: wire::CollaboratorUser { email, federated: false, id: self.teams.id(team) },
        });
        rows
    }

    fn addon_name(&self, addon: u64) -> String {
        let service = service_at(usize::try_from(mix(self.seed ^ 0xadd, addon) % 8).unwrap_or(0));
        format!("{}-calm-{addon}", service.short)
    }

    pub(super) fn addon_row(&self, addon: u64, expanded: bool) -> wire::AddOn<'static> {
        let salt = mix(self.seed ^ 0xadd, addon);
        let service = service_at(usize::try_from(salt % 8).unwrap_or(0));
        let (plan, price) = service.plan(usize::try_from(salt >> 8 & 0xff).unwrap_or(0), expanded);
        let app = self.addon_home.at(addon);
        let team = self.team_named(self.team_of(app));
        let (id, app) = (self.addons.id(addon), self.app_named(app));
        wire::AddOn {
            actions: service.actions(),
            config_vars: vec![format!("{}_URL", service.variable).into()],
            created_at: self.created(addon),
            id,
            name: self.addon_name(addon).into(),
            addon_service: service.named(),
            plan,
            billing_entity: wire::Holder { id: team.id, name: Some(team.name), kind: "team" },
            provider_id: addon.to_string().into(),
            state: "provisioned",
            updated_at: self.created(addon),
            web_url: service
                .page
                .then(|| format!("https://addons-sso.heroku.com/apps/{}/addons/{id}", app.id).into()),
            billed_price: (!salt.is_multiple_of(11)).then_some(price),
            app,
        }
    }

    /// Attachments come in blocks of 21: twenty add-ons on their own apps, and the first of them on another.
    pub(super) fn attachment_row(&self, attachment: u64) -> wire::Attachment<'static> {
        let (block, at) = (attachment / 21, attachment % 21);
        let addon = if at == 20 { block * 20 } else { block * 20 + at };
        let home = self.addon_home.at(addon);
        let app = if at == 20 { (home + self.apps.count / 2) % self.apps.count } else { home };
        let id: Id = self.addons.id(addon);
        let app = self.app_named(app);
        wire::Attachment {
            addon: wire::AttachedAddOn { id, name: self.addon_name(addon).into(), app: self.app_named(home) },
            created_at: self.created(attachment),
            id: self.attachments.id(attachment),
            name: if at == 20 { "SHARED" } else { "MAIN" }.into(),
            namespace: None,
            updated_at: self.created(attachment),
            web_url: Some(format!("https://addons-sso.heroku.com/apps/{}/addons/{id}", app.id).into()),
            log_input_url: None,
            app,
        }
    }

    /// The attachments on one app, by index.
    pub(super) fn attached_to(&self, app: u64) -> Vec<u64> {
        let own = self.addon_home.undo(app);
        let guest = self.addon_home.undo((app + self.apps.count - self.apps.count / 2) % self.apps.count);
        let mut found = Vec::new();
        if own < self.addons.count {
            found.push(own / 20 * 21 + own % 20);
        }
        if guest.is_multiple_of(20) && guest / 20 < self.addons.count / 20 {
            found.push(guest / 20 * 21 + 20);
        }
        found
    }

    fn pipeline_name(pipeline: u64) -> Text<'static> {
        format!("line-{pipeline}").into()
    }

    pub(super) fn pipeline_row(&self, pipeline: u64) -> wire::Pipeline<'static> {
        let team = self.teams.id(self.team_of(self.coupled.at(pipeline * 2)));
        let owner = wire::Holder { id: team, name: None, kind: "team" };
        wire::Pipeline {
            created_at: self.created(pipeline),
            id: self.pipelines.id(pipeline),
            name: Self::pipeline_name(pipeline),
            owner: (!pipeline.is_multiple_of(10)).then_some(owner),
            updated_at: self.created(pipeline),
            generation: Named { id: wire::CEDAR, name: "cedar".into() },
        }
    }

    pub(super) fn coupling_row(&self, coupling: u64) -> wire::Coupling<'static> {
        wire::Coupling {
            app: wire::OnlyId { id: self.apps.id(self.coupled.at(coupling)) },
            created_at: self.created(coupling),
            id: self.couplings.id(coupling),
            pipeline: Named { id: self.pipelines.id(coupling / 2), name: Self::pipeline_name(coupling / 2) },
            stage: if coupling.is_multiple_of(2) { "production" } else { "staging" },
            updated_at: self.created(coupling),
        }
    }
}
