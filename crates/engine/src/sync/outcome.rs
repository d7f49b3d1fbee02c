//! Sums up what was read: the estate, and how far absence from it can be trusted.
//!
//! Invariant: access that may be implicit and could not be settled counts as unread, not as a grant.

use std::collections::{BTreeSet, HashMap};

use metsuke_model::access::Mask;
use metsuke_model::record::App;
use metsuke_model::{Coverage, Estate, HerokuId, Kind, Outcome, Resource, ResourceType};

use super::collect::{Gather, TeamListing};
use super::listing::Listing;
use super::plan::{self, Outcomes};
use super::settle::{self, Evidence};
use super::{Settings, Skip};

/// What a sync has to commit.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) estate: Estate,
    pub(super) coverage: Coverage,
    /// Teams whose listing could not be settled, by name: their app access counts as unread.
    pub(super) unsettled: Vec<String>,
}

struct Judged<'a> {
    gather: &'a mut Gather,
    outcomes: &'a Outcomes,
    coverage: Coverage,
    unsettled: Vec<String>,
    manners: Vec<(HerokuId, Mask)>,
}

/// Turns what was gathered into an estate and its coverage. `gaps`: something asked for could not be read.
pub(super) fn conclude(
    mut gather: Gather,
    outcomes: &Outcomes,
    known_manners: &HashMap<HerokuId, Mask>,
    settings: &Settings,
    gaps: bool,
) -> Reading {
    let mut judged = Judged {
        gather: &mut gather,
        outcomes,
        coverage: Coverage::default(),
        unsettled: Vec::new(),
        manners: Vec::new(),
    };
    let hints = judged.judge_missing_apps();
    judged.judge_listings(known_manners);
    judged.cover();
    let Judged { mut coverage, unsettled, manners, .. } = judged;
    if !gaps && unsettled.is_empty() && settings.skip.iter().all(|skip| *skip == Skip::AddOns) {
        coverage.cover_kind(Kind::User);
    }
    let principals = gather.people.ids();
    let estate = Estate {
        users: gather.people.into_users().into(),
        enterprise_accounts: gather.enterprise_accounts.into_values().collect(),
        teams: gather.teams.into_values().collect(),
        apps: gather.apps.into_list(),
        hinted_apps: hints.into(),
        spaces: gather.spaces.into_values().collect(),
        addons: gather.addons,
        attachments: gather.attachments.into(),
        pipelines: gather.pipelines.into(),
        couplings: gather.couplings.into(),
        invitations: gather.invitations.into(),
        unresolved_members: gather.unresolved_members.into(),
        authorizations: gather.authorizations.into(),
        keys: gather.keys.into(),
        resources: gather.access.resources,
        principals,
        access: gather.access.rows,
        other_access: gather.access.other,
        listing_manners: manners,
    };
    Reading { estate, coverage, unsettled }
}

impl Judged<'_> {
    fn complete(&self, listing: &Listing) -> bool {
        self.outcomes.get(listing) == Some(&Outcome::Complete)
    }

    /// Every listing of this sort was complete.
    fn all_complete(&self, sort: impl Fn(&Listing) -> bool) -> bool {
        self.outcomes
            .iter()
            .filter(|(listing, _)| sort(listing))
            .all(|(_, outcome)| *outcome == Outcome::Complete)
    }

    /// Apps that only permissions listings name: gone meanwhile, or known by name alone.
    fn judge_missing_apps(&mut self) -> Vec<App> {
        let asked: BTreeSet<HerokuId> = self
            .outcomes
            .iter()
            .filter(|(_, outcome)| **outcome == Outcome::Complete)
            .filter_map(
                |(listing, _)| if let Listing::FilteredApps(ids) = listing { Some(ids) } else { None },
            )
            .flatten()
            .cloned()
            .collect();
        let missing = plan::missing_apps(self.gather);
        let mut hints = Vec::new();
        for id in missing {
            for (team, listing) in &mut self.gather.listed {
                let Some(app) = listing.apps.get(&id) else { continue };
                if asked.contains(&id) {
                    let resource = app.resource;
                    listing.rows.retain(|row| row.resource != resource);
                    listing.apps.remove(&id);
                } else {
                    let mut hint = App::new(id.clone());
                    hint.name.clone_from(&app.name);
                    hint.team = Some(team.clone());
                    hints.push(hint);
                }
                break;
            }
        }
        hints
    }

    /// Decides which rows of the permissions listings are direct grants.
    fn judge_listings(&mut self, known: &HashMap<HerokuId, Mask>) {
        let roles = settle::roles(self.gather);
        let probes: HashMap<HerokuId, HerokuId> = self
            .outcomes
            .keys()
            .filter_map(|listing| match listing {
                Listing::Settling { team, app } if self.complete(listing) => {
                    Some((team.clone(), app.clone()))
                }
                _ => None,
            })
            .collect();
        for (team, listing) in std::mem::take(&mut self.gather.listed) {
            let members = plan::members(self.gather, self.outcomes, &roles, &team);
            let settled = probes
                .get(&team)
                .and_then(|app| settle::verdict(self.gather, &listing, app, members.as_ref()));
            if let Some(manner) = settled {
                self.manners.push((team.clone(), manner));
            }
            let manner = settled.or_else(|| known.get(&team).copied());
            let complete = self.complete(&Listing::TeamPermissions(team.clone()));
            let rows = match (manner, members) {
                (Some(Mask::NONE), _) => Some(listing.rows.clone()),
                (manner, Some(members)) => match settle::evidence(self.gather, &listing, &members) {
                    Evidence::Explicit => Some(listing.rows.clone()),
                    Evidence::Open { roles, .. } => {
                        manner.map(|_| settle::direct_rows(self.gather, &listing, &members, roles))
                    }
                },
                (_, None) if listing.rows.is_empty() => Some(Vec::new()),
                (_, None) => None,
            };
            if let Some(rows) = rows {
                self.gather.access.rows.extend(rows);
                if complete {
                    self.cover_listing(&listing);
                }
            } else {
                let dropped: BTreeSet<u32> = listing.apps.values().map(|app| app.resource).collect();
                self.gather.access.other.retain(|(resource, _, _)| !dropped.contains(resource));
                self.unsettled.push(self.gather.name_of(&Listing::TeamPermissions(team)));
            }
        }
    }

    fn cover_listing(&mut self, listing: &TeamListing) {
        for id in listing.apps.keys() {
            self.coverage.cover_access(Resource { resource_type: ResourceType::App, id: id.clone() });
        }
    }

    /// Says what was read to its end.
    fn cover(&mut self) {
        let enterprise_teams = self.all_complete(|listing| matches!(listing, Listing::EnterpriseTeams(_)));
        let accounts = self.complete(&Listing::EnterpriseAccounts);
        for (kind, proved) in [
            (Kind::EnterpriseAccount, accounts),
            (Kind::Team, accounts && enterprise_teams && self.complete(&Listing::Teams)),
            (Kind::Space, self.complete(&Listing::Spaces)),
            (Kind::AddOn, self.complete(&Listing::AddOns)),
            (Kind::Attachment, self.complete(&Listing::Attachments)),
            (Kind::Pipeline, self.complete(&Listing::Pipelines)),
            (Kind::Coupling, self.complete(&Listing::Couplings)),
            (Kind::Authorization, self.complete(&Listing::Authorizations)),
            (Kind::Key, self.complete(&Listing::Keys)),
        ] {
            if proved {
                self.coverage.cover_kind(kind);
            }
        }
        for kind in [Kind::Invitation, Kind::UnresolvedMember] {
            self.coverage.cover_orphans(kind);
        }
        let apps = self.complete(&Listing::Apps)
            && self.all_complete(|listing| matches!(listing, Listing::FilteredApps(_)));
        if apps {
            self.coverage.cover_children(Kind::App, None);
            self.coverage.cover_orphans(Kind::App);
        }
        for (id, team) in &self.gather.teams {
            let listed = team.listed == Some(true);
            let team_apps = Listing::TeamApps(id.clone());
            let all_apps = if self.outcomes.contains_key(&team_apps) {
                self.complete(&team_apps)
            } else {
                self.complete(&Listing::TeamPermissions(id.clone())) || !listed
            };
            if apps && all_apps {
                self.coverage.cover_children(Kind::App, Some(id.clone()));
            }
            if listed && team.team_type.as_deref() != Some("team") {
                self.coverage.cover_children(Kind::Invitation, Some(id.clone()));
            }
        }
        let outcomes = self.outcomes;
        for (listing, _) in outcomes.iter().filter(|(_, outcome)| **outcome == Outcome::Complete) {
            let Some(id) = listing.parent() else { continue };
            let resource_type = match listing {
                Listing::EnterpriseMembers(_) => ResourceType::EnterpriseAccount,
                Listing::TeamMembers(_) => ResourceType::Team,
                Listing::SpaceMembers(_) => ResourceType::Space,
                Listing::Collaborators(_) => ResourceType::App,
                Listing::TeamInvitations(_) => {
                    self.coverage.cover_children(Kind::Invitation, Some(id.clone()));
                    continue;
                }
                _ => continue,
            };
            if resource_type == ResourceType::Team {
                self.coverage.cover_children(Kind::UnresolvedMember, Some(id.clone()));
            }
            self.coverage.cover_access(Resource { resource_type, id: id.clone() });
        }
    }
}
