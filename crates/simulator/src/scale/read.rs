//! Answers the reads of the large estate, a page at a time.
//!
//! Not the manners around them, which are the same as for the estate held in memory.
//!
//! Invariant: no list is ever built in full; what is ordered otherwise than by id is refused when it is long.

use super::rows::number;
use super::{Scale, Series};
use crate::call::Call;
use crate::catalogue;
use crate::page::{Answer, Sheet};
use crate::range::{Field, Range};
use crate::refusal::Refusal;
use crate::routes::Route;
use crate::value::Id;
use crate::wire::{self, Row};

/// The longest list that is sorted in memory for an order other than by id.
const SORTABLE: u64 = 20_000;
/// What a row takes at most times, so that a page's buffer need not grow.
const ROW_BYTES: usize = 1_200;

/// The page of `count` rows whose ids grow with the index.
fn page<T: Row>(
    range: &Range,
    count: u64,
    id: impl Fn(u64) -> Id,
    row: impl Fn(u64) -> T,
) -> Result<Answer, Refusal> {
    if range.field != Field::Id {
        return if count <= SORTABLE {
            Answer::page((0..count).map(row).collect(), range)
        } else {
            Err(Refusal::unsortable())
        };
    }
    let place = |at: u64| if range.descending { count - 1 - at } else { at };
    let from = first(0, count, |at| range.admits_start(&id(place(at)).to_string()));
    let to = first(from, count, |at| !range.admits_end(&id(place(at)).to_string()));
    let max = u64::try_from(range.max).unwrap_or(u64::MAX);
    let end = to.min(from.saturating_add(max));
    let rows = usize::try_from(end - from).unwrap_or(0);
    let mut sheet = Sheet::with_room(Field::Id, rows * ROW_BYTES);
    for at in from..end {
        sheet.push(&row(place(at)))?;
    }
    Ok(Answer::Page(sheet.finish(range, end < to)))
}

/// The first of `from..to` for which `holds`, which is false up to there and true from there.
fn first(from: u64, to: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

impl Scale {
    fn find(series: Series, key: &str, name: impl Fn(u64) -> String) -> Option<u64> {
        match Id::parse(key) {
            Some(id) => series.index(id),
            None => number(key).filter(|at| *at < series.count && name(*at) == key),
        }
    }

    fn team(&self, key: &str) -> Result<u64, Refusal> {
        Self::find(self.teams, key, |at| self.team_name(at)).ok_or(Refusal::not_found("team"))
    }

    fn app(&self, key: &str) -> Result<u64, Refusal> {
        Self::find(self.apps, key, |at| self.app_name(at)).ok_or(Refusal::not_found("app"))
    }

    fn account(&self, key: &str) -> Result<u64, Refusal> {
        let name = |at| self.enterprise_row(at).name.into_owned();
        Self::find(self.accounts, key, name).ok_or(Refusal::not_found("enterprise account"))
    }

    /// The answer to a call that reads.
    pub(crate) fn read(&self, generation: u64, call: &Call) -> Result<Answer, Refusal> {
        let range = &call.range;
        let first = call.param(0);
        match call.route {
            Route::Account | Route::OwnAccount => Answer::one(200, &self.account_row(), None),
            Route::OtherAccount | Route::OtherApps => {
                Err(Refusal::forbidden("You do not have access to the user."))
            }
            Route::Enterprises => {
                page(range, self.enterprises, |at| self.accounts.id(at), |at| self.enterprise_row(at))
            }
            Route::Enterprise => Answer::row(&self.enterprise_row(self.account(first)?)),
            Route::EnterpriseMembers => {
                let account = self.account(first)?;
                let rows = self.account_rows(account);
                let row = |at| self.enterprise_member_row(account, at, call.sdk());
                page(range, rows.count, |at| rows.id(at), row)
            }
            Route::EnterpriseTeams => {
                let account = self.account(first)?;
                let team = |at: u64| account + at * self.enterprises;
                let count = (self.teams.count - account).div_ceil(self.enterprises);
                page(range, count, |at| self.teams.id(team(at)), |at| self.team_row(team(at)))
            }
            Route::EnterpriseEvents => {
                self.account(first)?;
                Answer::one(200, &serde_json::json!({ "data": [] }), None)
            }
            Route::PermissionNames => Answer::whole(&catalogue::app_permissions()),
            Route::Teams => page(range, self.teams.count, |at| self.teams.id(at), |at| self.team_row(at)),
            Route::Apps => {
                let row = |at| self.app_row(at, generation, call.sdk());
                page(range, self.apps.count, |at| self.apps.id(at), row)
            }
            Route::FilterApps => {
                let wanted = call.filter_ids()?.into_iter().filter_map(|id| self.apps.index(id));
                Answer::page(wanted.map(|at| self.app_row(at, generation, call.sdk())).collect(), range)
            }
            Route::App | Route::TeamApp => {
                Answer::row(&self.app_row(self.app(first)?, generation, call.sdk()))
            }
            Route::Collaborators | Route::TeamAppCollaborators => {
                Answer::page(self.collaborator_rows(self.app(first)?, generation), range)
            }
            Route::Collaborator | Route::TeamAppCollaborator => {
                let key = call.param(1);
                let rows = self.collaborator_rows(self.app(first)?, generation);
                let wanted = Id::parse(key);
                let row = rows.iter().find(|row| {
                    Some(row.id) == wanted || Some(row.user.id) == wanted || row.user.email == key
                });
                Answer::row(row.ok_or(Refusal::not_found("user"))?)
            }
            _ => self.read_team(generation, call),
        }
    }

    fn read_team(&self, generation: u64, call: &Call) -> Result<Answer, Refusal> {
        let range = &call.range;
        let key = call.param(0);
        match call.route {
            Route::Team => Answer::row(&self.team_row(self.team(key)?)),
            Route::Features => {
                Answer::whole(&catalogue::features(self.teams.id(self.team(key)?), true, false))
            }
            Route::Preferences => {
                self.team(key)?;
                let preferences =
                    serde_json::json!({ "default-permission": "member", "addons-controls": false });
                Answer::one(200, &preferences, None)
            }
            Route::Members => {
                let team = self.team(key)?;
                let rows = self.member_rows(team);
                page(range, rows.count, |at| rows.id(at), |at| self.member_row(team, at, generation))
            }
            Route::MemberApps => self.member_apps(self.team(key)?, call, generation),
            Route::Permissions | Route::TeamApps => {
                let apps = self.apps_of(self.team(key)?);
                let app = |at: u64| {
                    usize::try_from(at).ok().and_then(|at| apps.get(at)).copied().map_or(0, u64::from)
                };
                let (count, id) = (apps.len() as u64, |at| self.apps.id(app(at)));
                if call.route == Route::TeamApps {
                    return page(range, count, id, |at| self.app_row(app(at), generation, call.sdk()));
                }
                let whole = Range { max: usize::MAX, ..Range::absent() };
                let range = if range.explicit { range } else { &whole };
                page(range, count, id, |at| self.entity_row(app(at), generation))
            }
            Route::TeamAddOns => {
                let apps = self.apps_of(self.team(key)?).iter().copied().map(u64::from);
                let addons = apps.map(|app| self.addon_home.undo(app)).filter(|at| *at < self.addons.count);
                Answer::page(addons.map(|at| self.addon_row(at, call.expands_plan())).collect(), range)
            }
            Route::Invitations | Route::TeamSpaces | Route::TeamCouplings | Route::IdentityProviders => {
                self.team(key)?;
                Answer::whole::<wire::OnlyId>(&[])
            }
            _ => self.read_extras(call),
        }
    }

    fn member_apps(&self, team: u64, call: &Call, generation: u64) -> Result<Answer, Refusal> {
        let key = call.param(1);
        let place = match Id::parse(key) {
            Some(id) => self.member_rows(team).index(id),
            None => number(key).filter(|user| *user < self.people).and_then(|user| self.place(team, user)),
        };
        let place = place.ok_or(Refusal::not_found("member"))?;
        let apps = self.apps_of(team).iter().copied().map(u64::from);
        let on = |app: &u64| self.app_users(*app, generation).iter().any(|holder| holder.place == place);
        let rows = apps.filter(on).map(|app| self.app_row(app, generation, call.sdk()));
        Answer::whole(&rows.collect::<Vec<_>>())
    }

    fn read_extras(&self, call: &Call) -> Result<Answer, Refusal> {
        let range = &call.range;
        let key = call.param(0);
        match call.route {
            Route::AddOns => page(
                range,
                self.addons.count,
                |at| self.addons.id(at),
                |at| self.addon_row(at, call.expands_plan()),
            ),
            Route::AddOn => {
                let name = |at| self.addon_row(at, false).name.into_owned();
                let addon = Self::find(self.addons, key, name).ok_or(Refusal::not_found("add-on"))?;
                Answer::row(&self.addon_row(addon, call.expands_plan()))
            }
            Route::AppAddOns => {
                let addon = self.addon_home.undo(self.app(key)?);
                let found = (addon < self.addons.count).then(|| self.addon_row(addon, call.expands_plan()));
                Answer::page(found.into_iter().collect(), range)
            }
            Route::AppAttachments => {
                let rows = self.attached_to(self.app(key)?).into_iter().map(|at| self.attachment_row(at));
                Answer::page(rows.collect(), range)
            }
            Route::Attachments => {
                let series = self.attachments;
                page(range, series.count, |at| series.id(at), |at| self.attachment_row(at))
            }
            Route::Pipelines => {
                let series = self.pipelines;
                page(range, series.count, |at| series.id(at), |at| self.pipeline_row(at))
            }
            Route::AppCouplings => {
                let coupling = self.coupled.undo(self.app(key)?);
                let found = (coupling < self.couplings.count).then(|| self.coupling_row(coupling));
                Answer::row(&found.ok_or(Refusal::not_found("pipeline coupling"))?)
            }
            Route::Couplings => {
                let series = self.couplings;
                page(range, series.count, |at| series.id(at), |at| self.coupling_row(at))
            }
            Route::Spaces | Route::OwnApps | Route::OwnAddOns | Route::OwnCouplings => {
                Answer::whole::<wire::OnlyId>(&[])
            }
            _ => Err(Refusal::no_such_route()),
        }
    }
}
