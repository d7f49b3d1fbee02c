//! The listings that a sync reads: what each asks, what it is called, and one page of it.
//!
//! What the rows mean is [`collect`](super::collect)'s business.

use std::time::Instant;

use metsuke_clients::ClientError;
use metsuke_clients::heroku::{Heroku, Page, Walk, endpoint, wire};
use metsuke_model::HerokuId;

use super::Credentials;

/// One listing, with the parent that it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Listing {
    EnterpriseAccounts,
    EnterpriseMembers(HerokuId),
    EnterpriseTeams(HerokuId),
    Teams,
    TeamMembers(HerokuId),
    TeamPermissions(HerokuId),
    TeamApps(HerokuId),
    TeamInvitations(HerokuId),
    Apps,
    /// Apps by id: the place of the chunk in the list of missing apps.
    FilteredApps(Vec<HerokuId>),
    AddOns,
    Attachments,
    Pipelines,
    Couplings,
    Spaces,
    SpaceMembers(HerokuId),
    /// Of the own account.
    Authorizations,
    /// Of the own account.
    Keys,
    Collaborators(HerokuId),
    /// One app of a team, listed to settle whether the team's permissions listing shows implicit access.
    Settling {
        team: HerokuId,
        app: HerokuId,
    },
}

impl Listing {
    /// Long walks go first, so that they do not end last.
    pub(super) const fn urgency(&self) -> u8 {
        match self {
            Self::EnterpriseAccounts | Self::Teams | Self::EnterpriseTeams(_) => 0,
            Self::Apps | Self::AddOns | Self::Attachments => 1,
            Self::FilteredApps(_) => 2,
            _ => 3,
        }
    }

    /// Method and path for people; `parent` is the parent's name.
    pub(super) fn label(&self, parent: &str) -> String {
        match self {
            Self::EnterpriseAccounts => "GET /enterprise-accounts".into(),
            Self::EnterpriseMembers(_) => format!("GET /enterprise-accounts/{parent}/members"),
            Self::EnterpriseTeams(_) => format!("GET /enterprise-accounts/{parent}/teams"),
            Self::Teams => "GET /teams".into(),
            Self::TeamMembers(_) => format!("GET /teams/{parent}/members"),
            Self::TeamPermissions(_) => format!("GET /teams/{parent}/permissions"),
            Self::TeamApps(_) => format!("GET /teams/{parent}/apps"),
            Self::TeamInvitations(_) => format!("GET /teams/{parent}/invitations"),
            Self::Apps => "GET /apps".into(),
            Self::FilteredApps(_) => "POST /filters/apps".into(),
            Self::AddOns => "GET /addons".into(),
            Self::Attachments => "GET /addon-attachments".into(),
            Self::Pipelines => "GET /pipelines".into(),
            Self::Couplings => "GET /pipeline-couplings".into(),
            Self::Spaces => "GET /spaces".into(),
            Self::SpaceMembers(_) => format!("GET /spaces/{parent}/members"),
            Self::Authorizations => Credentials::Authorizations.scope().into(),
            Self::Keys => Credentials::Keys.scope().into(),
            Self::Collaborators(_) | Self::Settling { .. } => format!("GET /apps/{parent}/collaborators"),
        }
    }

    /// The object that the listing is asked for.
    pub(super) const fn parent(&self) -> Option<&HerokuId> {
        match self {
            Self::EnterpriseMembers(id)
            | Self::EnterpriseTeams(id)
            | Self::TeamMembers(id)
            | Self::TeamPermissions(id)
            | Self::TeamApps(id)
            | Self::TeamInvitations(id)
            | Self::SpaceMembers(id)
            | Self::Collaborators(id)
            | Self::Settling { app: id, .. } => Some(id),
            _ => None,
        }
    }
}

/// One page of a listing.
#[derive(Debug)]
pub(super) enum Rows {
    EnterpriseAccounts(Vec<wire::EnterpriseAccount>),
    EnterpriseMembers(Vec<wire::EnterpriseMember>),
    Teams(Vec<wire::Team>),
    TeamMembers(Vec<wire::TeamMember>),
    Permissions(Vec<wire::PermissionEntity>),
    Apps(Vec<wire::App>),
    Invitations(Vec<wire::Invitation>),
    AddOns(Vec<wire::AddOn>),
    Attachments(Vec<wire::Attachment>),
    Pipelines(Vec<wire::Pipeline>),
    Couplings(Vec<wire::PipelineCoupling>),
    Spaces(Vec<wire::Space>),
    SpaceMembers(Vec<wire::SpaceMember>),
    Authorizations(Vec<wire::Authorization>),
    Keys(Vec<wire::Key>),
    Collaborators(Vec<wire::Collaborator>),
}

/// A walk through one listing's pages.
#[derive(Debug)]
enum Pages {
    EnterpriseAccounts(Walk<wire::EnterpriseAccount>),
    EnterpriseMembers(Walk<wire::EnterpriseMember>),
    Teams(Walk<wire::Team>),
    TeamMembers(Walk<wire::TeamMember>),
    Permissions(Walk<wire::PermissionEntity>),
    Apps(Walk<wire::App>),
    Invitations(Walk<wire::Invitation>),
    AddOns(Walk<wire::AddOn>),
    Attachments(Walk<wire::Attachment>),
    Pipelines(Walk<wire::Pipeline>),
    Couplings(Walk<wire::PipelineCoupling>),
    Spaces(Walk<wire::Space>),
    SpaceMembers(Walk<wire::SpaceMember>),
    Authorizations(Walk<wire::Authorization>),
    Keys(Walk<wire::Key>),
    Collaborators(Walk<wire::Collaborator>),
}

/// Does the same with whichever walk it is: `on_pages!(pages, walk => walk.calls())`.
macro_rules! on_pages {
    ($pages:expr, $walk:ident => $body:expr) => {
        match $pages {
            Pages::EnterpriseAccounts($walk) => $body,
            Pages::EnterpriseMembers($walk) => $body,
            Pages::Teams($walk) => $body,
            Pages::TeamMembers($walk) => $body,
            Pages::Permissions($walk) => $body,
            Pages::Apps($walk) => $body,
            Pages::Invitations($walk) => $body,
            Pages::AddOns($walk) => $body,
            Pages::Attachments($walk) => $body,
            Pages::Pipelines($walk) => $body,
            Pages::Couplings($walk) => $body,
            Pages::Spaces($walk) => $body,
            Pages::SpaceMembers($walk) => $body,
            Pages::Authorizations($walk) => $body,
            Pages::Keys($walk) => $body,
            Pages::Collaborators($walk) => $body,
        }
    };
}

/// A listing that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) listing: Listing,
    /// Parent's name, for people.
    pub(super) parent: String,
    pub(super) started: Option<Instant>,
    pages: Pages,
    /// Knows its own token among others.
    heroku: Heroku,
}

impl Reading {
    /// Gets ready to read; nothing is sent yet. `parent` is the parent's name, which invitations are asked by.
    pub(super) fn new(heroku: &Heroku, listing: Listing, parent: String) -> Self {
        let pages = match &listing {
            Listing::EnterpriseAccounts => {
                Pages::EnterpriseAccounts(heroku.walk(endpoint::enterprise_accounts()))
            }
            Listing::EnterpriseMembers(id) => {
                Pages::EnterpriseMembers(heroku.walk(endpoint::enterprise_members(&id.to_string())))
            }
            Listing::EnterpriseTeams(id) => {
                Pages::Teams(heroku.walk(endpoint::enterprise_teams(&id.to_string())))
            }
            Listing::Teams => Pages::Teams(heroku.walk(endpoint::teams())),
            Listing::TeamMembers(id) => {
                Pages::TeamMembers(heroku.walk(endpoint::team_members(&id.to_string())))
            }
            Listing::TeamPermissions(id) => {
                Pages::Permissions(heroku.walk(endpoint::team_permissions(&id.to_string())))
            }
            Listing::TeamApps(id) => Pages::Apps(heroku.walk(endpoint::team_apps(&id.to_string()))),
            Listing::TeamInvitations(_) => {
                Pages::Invitations(heroku.walk(endpoint::team_invitations(&parent)))
            }
            Listing::Apps => Pages::Apps(heroku.walk(endpoint::apps())),
            Listing::FilteredApps(ids) => {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                Pages::Apps(heroku.walk(endpoint::filter_apps(&ids)))
            }
            Listing::AddOns => Pages::AddOns(heroku.walk(endpoint::addons())),
            Listing::Attachments => Pages::Attachments(heroku.walk(endpoint::addon_attachments())),
            Listing::Pipelines => Pages::Pipelines(heroku.walk(endpoint::pipelines())),
            Listing::Couplings => Pages::Couplings(heroku.walk(endpoint::pipeline_couplings())),
            Listing::Spaces => Pages::Spaces(heroku.walk(endpoint::spaces())),
            Listing::SpaceMembers(id) => {
                Pages::SpaceMembers(heroku.walk(endpoint::space_members(&id.to_string())))
            }
            Listing::Authorizations => Pages::Authorizations(heroku.walk(endpoint::authorizations())),
            Listing::Keys => Pages::Keys(heroku.walk(endpoint::keys())),
            Listing::Collaborators(id) | Listing::Settling { app: id, .. } => {
                Pages::Collaborators(heroku.walk(endpoint::collaborators(&id.to_string())))
            }
        };
        Self { listing, parent, started: None, pages, heroku: heroku.clone() }
    }

    /// Reads the next page.
    pub(super) async fn page(&mut self) -> Result<(Rows, bool), ClientError> {
        self.started.get_or_insert_with(Instant::now);
        /// The page's rows under their name, and whether it was the last page.
        macro_rules! named {
            ($($name:ident),+) => {
                match &mut self.pages {
                    $(Pages::$name(walk) => {
                        let Page { rows, .. } = walk.next().await?;
                        (Rows::$name(rows), walk.finished())
                    })+
                }
            };
        }
        let (mut rows, last) = named!(
            EnterpriseAccounts,
            EnterpriseMembers,
            Teams,
            TeamMembers,
            Permissions,
            Apps,
            Invitations,
            AddOns,
            Attachments,
            Pipelines,
            Couplings,
            Spaces,
            SpaceMembers,
            Authorizations,
            Keys,
            Collaborators
        );
        if let Rows::Authorizations(rows) = &mut rows {
            self.heroku.tell_own(rows);
        }
        Ok((rows, last))
    }

    /// Pages, rows and requests so far.
    pub(super) fn figures(&self) -> (u32, u64, u32) {
        on_pages!(&self.pages, walk => (walk.pages(), walk.rows(), walk.calls()))
    }

    /// Method and path, for people.
    pub(super) fn label(&self) -> String {
        self.listing.label(&self.parent)
    }
}
