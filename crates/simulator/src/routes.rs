//! The table of endpoints: method, path, the scopes that each accepts, and what it can be ordered by.
//!
//! Not what they answer: that is the estate's.
//!
//! Invariant: fixed words come before parameters, so `/teams/permissions` is never a team's name.

use percent_encoding::percent_decode_str;

use crate::range::Field;

/// Which scopes may call an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Accepts {
    Identity,
    Read,
    Write,
    Global,
}

impl Accepts {
    /// As `Oauth-Scope-Accepted` spells it.
    pub(crate) const fn header(self) -> &'static str {
        match self {
            Self::Identity => "global identity",
            Self::Read => "global read read-protected write write-protected",
            Self::Write => "global write write-protected",
            Self::Global => "global",
        }
    }

    pub(crate) fn admits(self, scopes: &[&str]) -> bool {
        scopes.iter().any(|scope| self.header().split(' ').any(|accepted| accepted == *scope))
    }
}

/// One endpoint.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) route: Route,
    pub(crate) accepts: Accepts,
    /// Empty for lists that are not paged, and for everything that is not a list.
    pub(crate) fields: &'static [Field],
}

macro_rules! routes {
    ($($route:ident $method:ident $path:literal $accepts:ident [$($field:ident)*]),* $(,)?) => {
        /// An endpoint by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub(crate) enum Route { $($route),* }

        static RULES: &[Rule] = &[$(Rule {
            method: stringify!($method),
            path: $path,
            route: Route::$route,
            accepts: Accepts::$accepts,
            fields: &[$(Field::$field),*],
        }),*];
    };
}

// `Apps GET "/apps" Read [Id Name]` becomes the variant `Route::Apps` and a `Rule` holding the other four.
routes! {
    Account GET "/account" Identity [],
    RateLimits GET "/account/rate-limits" Identity [],
    OwnAddOns GET "/users/~/addons" Read [Id Name],
    OwnCouplings GET "/users/~/pipeline-couplings" Read [Id],
    OwnApps GET "/users/~/apps" Read [Id Name UpdatedAt],
    OwnAccount GET "/users/~" Identity [],
    OtherAccount GET "/users/{}" Global [],
    OtherApps GET "/users/{}/apps" Read [Id Name UpdatedAt],
    Authorizations GET "/oauth/authorizations" Global [],
    Keys GET "/account/keys" Global [],
    Enterprises GET "/enterprise-accounts" Read [Id Name UpdatedAt],
    Enterprise GET "/enterprise-accounts/{}" Read [],
    EnterpriseMembers GET "/enterprise-accounts/{}/members" Global [Id],
    EnterpriseTeams GET "/enterprise-accounts/{}/teams" Read [Id Name],
    EnterpriseEvents GET "/enterprise-accounts/{}/events" Global [],
    AddEnterpriseMember POST "/enterprise-accounts/{}/members" Global [],
    ChangeEnterpriseMember PATCH "/enterprise-accounts/{}/members/{}" Global [],
    RemoveEnterpriseMember DELETE "/enterprise-accounts/{}/members/{}" Global [],
    PermissionNames GET "/teams/permissions" Read [],
    Teams GET "/teams" Read [Id Name UpdatedAt],
    TeamApp GET "/teams/apps/{}" Read [],
    ChangeTeamApp PATCH "/teams/apps/{}" Write [],
    TeamAppCollaborators GET "/teams/apps/{}/collaborators" Read [Id],
    TeamAppCollaborator GET "/teams/apps/{}/collaborators/{}" Read [],
    AddTeamAppCollaborator POST "/teams/apps/{}/collaborators" Write [],
    ChangeTeamAppCollaborator PATCH "/teams/apps/{}/collaborators/{}" Write [],
    RemoveTeamAppCollaborator DELETE "/teams/apps/{}/collaborators/{}" Write [],
    Team GET "/teams/{}" Read [],
    Features GET "/teams/{}/features" Read [],
    Feature GET "/teams/{}/features/{}" Read [],
    Preferences GET "/teams/{}/preferences" Read [],
    Members GET "/teams/{}/members" Global [Email Id],
    MemberApps GET "/teams/{}/members/{}/apps" Global [],
    PutMember PUT "/teams/{}/members" Global [],
    AddMember POST "/teams/{}/members" Global [],
    ChangeMember PATCH "/teams/{}/members" Global [],
    RemoveMember DELETE "/teams/{}/members/{}" Global [],
    Invitations GET "/teams/{}/invitations" Global [Id],
    PutInvitation PUT "/teams/{}/invitations" Global [],
    RemoveInvitation DELETE "/teams/{}/invitations/{}" Global [],
    Permissions GET "/teams/{}/permissions" Read [Id Name],
    TeamApps GET "/teams/{}/apps" Read [Id Name UpdatedAt],
    TeamAddOns GET "/teams/{}/addons" Read [Id Name],
    TeamSpaces GET "/teams/{}/spaces" Read [Id Name],
    TeamCouplings GET "/teams/{}/pipeline-couplings" Read [Id],
    IdentityProviders GET "/teams/{}/identity-providers" Global [],
    Apps GET "/apps" Read [Id Name UpdatedAt],
    FilterApps POST "/filters/apps" Read [Id Name UpdatedAt],
    App GET "/apps/{}" Read [],
    Collaborators GET "/apps/{}/collaborators" Read [Id],
    Collaborator GET "/apps/{}/collaborators/{}" Read [],
    AddCollaborator POST "/apps/{}/collaborators" Write [],
    RemoveCollaborator DELETE "/apps/{}/collaborators/{}" Write [],
    AppAddOns GET "/apps/{}/addons" Read [Id Name],
    AppAttachments GET "/apps/{}/addon-attachments" Read [Id Name],
    Webhooks GET "/apps/{}/webhooks" Read [],
    Webhook GET "/apps/{}/webhooks/{}" Read [],
    AddWebhook POST "/apps/{}/webhooks" Write [],
    RemoveWebhook DELETE "/apps/{}/webhooks/{}" Write [],
    AppCouplings GET "/apps/{}/pipeline-couplings" Read [],
    AddOns GET "/addons" Read [Id Name],
    AddOn GET "/addons/{}" Read [],
    AddOnAttachments GET "/addons/{}/addon-attachments" Read [Id Name],
    Attachments GET "/addon-attachments" Read [Id Name],
    Pipelines GET "/pipelines" Read [Id Name],
    Pipeline GET "/pipelines/{}" Read [],
    PipelineCouplings GET "/pipelines/{}/pipeline-couplings" Read [Id],
    Couplings GET "/pipeline-couplings" Read [Id],
    Spaces GET "/spaces" Read [Id Name],
    Space GET "/spaces/{}" Read [],
    SpaceMembers GET "/spaces/{}/members" Read [],
}

/// True for a request that would change something, known or not.
pub(crate) fn changes(method: &str, path: &str) -> bool {
    let asks = matches!(method, "GET" | "HEAD" | "OPTIONS");
    !asks && find(method, path).is_none_or(|(rule, _)| rule.route != Route::FilterApps)
}

/// Finds the endpoint for a method and a path, and the decoded parameters.
pub(crate) fn find(method: &str, path: &str) -> Option<(&'static Rule, Vec<String>)> {
    let path = path.trim_end_matches('/');
    RULES.iter().filter(|rule| rule.method == method).find_map(|rule| Some((rule, capture(rule.path, path)?)))
}

fn capture(pattern: &str, path: &str) -> Option<Vec<String>> {
    let mut words = path.split('/');
    let mut found = Vec::new();
    for expected in pattern.split('/') {
        let word = words.next()?;
        if expected == "{}" {
            if word.is_empty() {
                return None;
            }
            found.push(percent_decode_str(word).decode_utf8_lossy().into_owned());
        } else if expected != word && !(expected == "~" && word == "%7E") {
            return None;
        }
    }
    words.next().is_none().then_some(found)
}
