//! The lists of the Heroku Platform API that we read: path, variant, and the row that comes back.
//!
//! It sends nothing; [`Heroku::walk`](super::Heroku::walk) does.
//!
//! Invariant: whatever text stands in for an id or a name, it stays one segment of the path.

use std::marker::PhantomData;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::wire;
use crate::http::Ask;

/// What is asked of every ranged list: the safe order and the largest page.
///
/// Source: <https://devcenter.heroku.com/articles/platform-api-reference#ranges>
pub(super) const FIRST_RANGE: &str = "id ..; max=1000";

/// Everything but the characters that need no encoding in a URL.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One list of the API, whose rows are `T`.
#[derive(Debug)]
pub struct Endpoint<T> {
    method: &'static str,
    path: String,
    pub(super) variant: Option<&'static str>,
    body: Option<String>,
    pub(super) ranged: bool,
    /// The rows may stand in an object under `data`.
    pub(super) wrapped: bool,
    /// The rows hold secrets: nothing of a body is shown, whatever it is.
    pub(super) secret: bool,
    pub(super) expected: &'static str,
    rows: PhantomData<fn() -> T>,
}

impl<T> Clone for Endpoint<T> {
    fn clone(&self) -> Self {
        Self {
            method: self.method,
            path: self.path.clone(),
            variant: self.variant,
            body: self.body.clone(),
            ranged: self.ranged,
            wrapped: self.wrapped,
            secret: self.secret,
            expected: self.expected,
            rows: PhantomData,
        }
    }
}

impl<T> Endpoint<T> {
    /// A list read by `GET`; the path is percent-encoded already.
    fn get(path: impl Into<String>, expected: &'static str) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            variant: None,
            body: None,
            ranged: true,
            wrapped: false,
            secret: false,
            expected,
            rows: PhantomData,
        }
    }

    fn variant(self, variant: &'static str) -> Self {
        Self { variant: Some(variant), ..self }
    }

    /// `GET` or `POST`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// The path below the base URL, percent-encoded.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Makes the list go on at a cursor that came with a page's body.
    pub(super) fn go_on_at(&mut self, cursor: &str) {
        let start = self.path.find("&cursor=").unwrap_or(self.path.len());
        self.path.truncate(start);
        self.path.push_str("&cursor=");
        self.path.push_str(&segment(cursor));
    }

    /// The request for one page: the first one, or the one at `cursor`.
    pub(super) fn ask<'a>(
        &'a self,
        cursor: Option<&'a str>,
        without_variant: bool,
        without_range: bool,
    ) -> Ask<'a> {
        let first = (self.ranged && !without_range).then_some(FIRST_RANGE);
        Ask {
            method: self.method,
            path: &self.path,
            accept: accept(self.variant.filter(|_| !without_variant)),
            range: cursor.or(first),
            body: self.body.as_deref(),
            log_path: &self.path,
        }
    }
}

/// The `Accept` header of version 3, or of a variant of it.
pub(super) fn accept(variant: Option<&str>) -> String {
    match variant {
        Some(variant) => format!("application/vnd.heroku+json; version=3.{variant}"),
        None => "application/vnd.heroku+json; version=3".to_owned(),
    }
}

/// The text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    match text {
        // A URL parser would take these, encoded or not, for steps in the path.
        "." => "%252E".to_owned(),
        ".." => "%252E%252E".to_owned(),
        _ => utf8_percent_encode(text, SEGMENT).to_string(),
    }
}

/// The authorizations of the token's own account, with their tokens; needs the scope `global`.
#[must_use]
pub fn authorizations() -> Endpoint<wire::Authorization> {
    let list = Endpoint::get("/oauth/authorizations", "a list of authorizations");
    Endpoint { ranged: false, secret: true, ..list }
}

/// The SSH keys of the token's own account.
#[must_use]
pub fn keys() -> Endpoint<wire::Key> {
    Endpoint { ranged: false, ..Endpoint::get("/account/keys", "a list of keys") }
}

/// The enterprise accounts of which the token's user is a member.
#[must_use]
pub fn enterprise_accounts() -> Endpoint<wire::EnterpriseAccount> {
    Endpoint::get("/enterprise-accounts", "a list of enterprise accounts")
}

/// The members of an enterprise account, with `last_login` where the server knows the variant `sdk`.
#[must_use]
pub fn enterprise_members(enterprise_account: &str) -> Endpoint<wire::EnterpriseMember> {
    let path = format!("/enterprise-accounts/{}/members", segment(enterprise_account));
    Endpoint::get(path, "a list of enterprise account members").variant("sdk")
}

/// The audit trail of an enterprise account: the events of one UTC day, such as `2026-11-21`; needs the permission
/// `manage`.
///
/// Heroku: events come late and in no order, and in an object under `data`.
///
/// Source: <https://devcenter.heroku.com/articles/platform-api-reference#audit-trail-event>
#[must_use]
pub fn enterprise_events(enterprise_account: &str, day: &str) -> Endpoint<wire::AuditTrailEvent> {
    let path = format!("/enterprise-accounts/{}/events?day={}", segment(enterprise_account), segment(day));
    Endpoint { wrapped: true, ..Endpoint::get(path, "a list of audit trail events") }
}

/// The teams of an enterprise account; `role` is null where the token's user is not in the team.
#[must_use]
pub fn enterprise_teams(enterprise_account: &str) -> Endpoint<wire::Team> {
    let path = format!("/enterprise-accounts/{}/teams", segment(enterprise_account));
    Endpoint::get(path, "a list of teams")
}

/// The teams of which the token's user is a member.
#[must_use]
pub fn teams() -> Endpoint<wire::Team> {
    Endpoint::get("/teams", "a list of teams")
}

/// The members of a team, collaborators of its apps included; needs the scope `global`.
#[must_use]
pub fn team_members(team: &str) -> Endpoint<wire::TeamMember> {
    Endpoint::get(format!("/teams/{}/members", segment(team)), "a list of team members")
}

/// The features of a team, switched on or not.
#[must_use]
pub fn team_features(team: &str) -> Endpoint<wire::TeamFeature> {
    Endpoint::get(format!("/teams/{}/features", segment(team)), "a list of team features")
}

/// Every app and space of a team with the users that have permissions on it.
#[must_use]
pub fn team_permissions(team: &str) -> Endpoint<wire::PermissionEntity> {
    Endpoint::get(format!("/teams/{}/permissions", segment(team)), "a list of permissions")
}

/// The apps of a team.
#[must_use]
pub fn team_apps(team: &str) -> Endpoint<wire::App> {
    Endpoint::get(format!("/teams/{}/apps", segment(team)), "a list of apps")
}

/// The pending invitations of a team, which is named by name.
#[must_use]
pub fn team_invitations(team_name: &str) -> Endpoint<wire::Invitation> {
    let path = format!("/teams/{}/invitations", segment(team_name));
    Endpoint::get(path, "a list of team invitations").variant("team-invitations")
}

/// All apps that the token's user can reach.
#[must_use]
pub fn apps() -> Endpoint<wire::App> {
    Endpoint::get("/apps", "a list of apps")
}

/// The apps with the given ids, as far as they can be seen.
#[must_use]
pub fn filter_apps(app_ids: &[String]) -> Endpoint<wire::App> {
    Endpoint {
        method: "POST",
        body: Some(json!({ "in": { "id": app_ids } }).to_string()),
        ..Endpoint::get("/filters/apps", "a list of apps")
    }
}

/// The add-ons of all apps that the token's user can reach.
#[must_use]
pub fn addons() -> Endpoint<wire::AddOn> {
    Endpoint::get("/addons", "a list of add-ons")
}

/// The attachments of add-ons to apps.
#[must_use]
pub fn addon_attachments() -> Endpoint<wire::Attachment> {
    Endpoint::get("/addon-attachments", "a list of add-on attachments")
}

/// The pipelines that the token's user can reach.
#[must_use]
pub fn pipelines() -> Endpoint<wire::Pipeline> {
    Endpoint::get("/pipelines", "a list of pipelines")
}

/// Which app is in which stage of which pipeline.
#[must_use]
pub fn pipeline_couplings() -> Endpoint<wire::PipelineCoupling> {
    Endpoint::get("/pipeline-couplings", "a list of pipeline couplings")
}

/// The private spaces that the token's user can reach.
#[must_use]
pub fn spaces() -> Endpoint<wire::Space> {
    Endpoint::get("/spaces", "a list of spaces")
}

/// The members of a space.
#[must_use]
pub fn space_members(space: &str) -> Endpoint<wire::SpaceMember> {
    Endpoint::get(format!("/spaces/{}/members", segment(space)), "a list of space members")
}

/// The webhooks of one app.
#[must_use]
pub fn webhooks(app: &str) -> Endpoint<wire::AppWebhook> {
    let list = Endpoint::get(format!("/apps/{}/webhooks", segment(app)), "a list of webhooks");
    Endpoint { ranged: false, ..list.variant("webhooks") }
}

/// The collaborators of one app.
#[must_use]
pub fn collaborators(app: &str) -> Endpoint<wire::Collaborator> {
    Endpoint::get(format!("/apps/{}/collaborators", segment(app)), "a list of collaborators")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_one_segment() {
        let path = |id: &str| team_members(id).path().to_owned();
        assert_eq!(path("a/../b?c#d"), "/teams/a%2F..%2Fb%3Fc%23d/members");
        assert_eq!(path("ann+1@example.com"), "/teams/ann%2B1%40example.com/members");
        for id in [".", "..", "%2e%2e"] {
            let url = url::Url::parse(&format!("https://h{}", path(id))).unwrap();
            assert_eq!(url.path_segments().unwrap().count(), 3, "{id}");
        }
    }

    #[test]
    fn the_variant_is_part_of_the_accept_header() {
        let list = enterprise_members("e");
        assert_eq!(list.ask(None, false, false).accept, "application/vnd.heroku+json; version=3.sdk");
        assert_eq!(list.ask(None, true, false).accept, "application/vnd.heroku+json; version=3");
    }

    #[test]
    fn a_cursor_of_a_body_is_one_parameter_that_replaces_the_one_before() {
        let mut list = enterprise_events("acme corp", "2026-11-21");
        list.go_on_at("a&b");
        list.go_on_at("c=/d");
        assert_eq!(list.path(), "/enterprise-accounts/acme%20corp/events?day=2026-11-21&cursor=c%3D%2Fd");
    }

    #[test]
    fn a_cursor_is_sent_as_it_came_even_when_the_first_range_was_refused() {
        let list = apps();
        assert_eq!(list.ask(None, false, false).range, Some("id ..; max=1000"));
        assert_eq!(list.ask(None, false, true).range, None);
        assert_eq!(list.ask(Some("id ]a..; max=200"), false, true).range, Some("id ]a..; max=200"));
    }
}
