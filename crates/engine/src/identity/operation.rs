//! Everything that can be asked of a server, one row each: method, path, area, and the policy that judges it.
//!
//! What an operation does is the doors' and the use cases' business.
//!
//! Invariant: an operation has exactly one row, and no row can be written without a policy.

use std::fmt;

use super::policy::{self, Policy};

/// What a request does by HTTP's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// Read.
    Get,
    /// Do or make something.
    Post,
    /// Replace.
    Put,
    /// Change parts of something.
    Patch,
    /// Take something away.
    Delete,
}

impl Method {
    /// HTTP's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

macro_rules! areas {
    ($($(#[doc = $meaning:literal])+ $name:ident = $word:literal,)+) => {
        /// What an operation is about; scopes name it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Area {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Area {
            /// Every area.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The area's word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// One sentence on what it holds.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($meaning),+).trim_ascii(),)+ }
            }
        }
    };
}

areas! {
    /// Whether the server is alive, and what it offers.
    Service = "service",
    /// Connectors to Heroku accounts, their runs and logs.
    Connectors = "connectors",
    /// What was read: people, teams, apps, grants, changes, and questions about them.
    Estate = "estate",
    /// People of rosters, and whose account is whose.
    Employees = "employees",
    /// Rules: what is looked for in each version.
    Rules = "rules",
    /// What rules found, and what people say of it.
    Findings = "findings",
    /// Where alerts go.
    Channels = "channels",
    /// Plans to change access, and their application.
    Plans = "plans",
    /// The audit trail.
    Audit = "audit",
    /// Tokens of programs.
    Tokens = "tokens",
    /// Webhooks of Heroku apps, and their deliveries.
    Webhooks = "webhooks",
    /// The installation itself: whether it is fit, what it keeps, and copies of it.
    Upkeep = "upkeep",
    /// Signing in and out, and one's own account.
    Session = "session",
    /// Accounts of people who sign in.
    Accounts = "accounts",
}

/// Declares the operations once. One row gives the variant, its id, its route, its area, whether it writes, and its policy:
/// `/// List the tokens` `ListTokens = "listTokens", Get "/api/v1/tokens", Tokens reads, policy::administering;`
macro_rules! operations {
    ($($(#[doc = $meaning:literal])+ $name:ident = $id:literal, $method:ident $path:literal,
       $area:ident $access:ident, $policy:path;)+) => {
        /// What can be asked of a server.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $($(#[doc = $meaning])+ $name,)+
        }

        impl Operation {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The id by which the API's description names it.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)+ }
            }

            /// The method of its route.
            #[must_use]
            pub const fn method(self) -> Method {
                match self { $(Self::$name => Method::$method,)+ }
            }

            /// The path of its route; `{id}` stands for one segment.
            #[must_use]
            pub const fn path(self) -> &'static str {
                match self { $(Self::$name => $path,)+ }
            }

            /// What it is about.
            #[must_use]
            pub const fn area(self) -> Area {
                match self { $(Self::$name => Area::$area,)+ }
            }

            /// Whether it changes something.
            #[must_use]
            pub const fn writes(self) -> bool {
                match self { $(Self::$name => access::$access,)+ }
            }

            /// Who may ask for it.
            #[must_use]
            pub const fn policy(self) -> Policy {
                match self { $(Self::$name => $policy,)+ }
            }

            /// What it does, in a few words.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($meaning),+).trim_ascii(),)+ }
            }
        }
    };
}

/// Words of the rows.
mod access {
    #![expect(non_upper_case_globals, reason = "they are words of the table")]
    pub(super) const reads: bool = false;
    pub(super) const writes: bool = true;
}

operations! {
    /// Tell that the process runs
    Health = "getHealth", Get "/healthz", Service reads, policy::PUBLIC;
    /// Tell whether requests can be answered
    Ready = "getReadiness", Get "/readyz", Service reads, policy::PUBLIC;
    /// Figures in Prometheus' text format
    Metrics = "getMetrics", Get "/metrics", Service reads, policy::PUBLIC;
    /// The description of this API
    Description = "getDescription", Get "/api/v1/openapi.json", Service reads, policy::PUBLIC;
    /// Show how the installation was set up
    GetInstallation = "getInstallation", Get "/api/v1/installation", Service reads, policy::AUDITING;
    /// Who the token says one is
    WhoAmI = "getIdentity", Get "/api/v1/me", Service reads, policy::SEEING;
    /// Answer an assistant by the Model Context Protocol; its tools ask other operations
    Assist = "assist", Post "/mcp", Service reads, policy::SEEING;

    /// List the connectors
    ListConnectors = "listConnectors", Get "/api/v1/connectors", Connectors reads, policy::SEEING;
    /// Create a connector and start its first sync
    CreateConnector = "createConnector", Post "/api/v1/connectors", Connectors writes, policy::ADMINISTERING;
    /// Show a connector
    GetConnector = "getConnector", Get "/api/v1/connectors/{id}", Connectors reads, policy::SEEING;
    /// Change a connector's settings
    EditConnector = "editConnector", Patch "/api/v1/connectors/{id}", Connectors writes, policy::ADMINISTERING_OR_OWNING;
    /// Uninstall a connector
    DeleteConnector = "deleteConnector", Delete "/api/v1/connectors/{id}", Connectors writes, policy::ADMINISTERING;
    /// Sync now
    SyncConnector = "syncConnector", Post "/api/v1/connectors/{id}/sync", Connectors writes, policy::OPERATING_OR_OWNING;
    /// Stop the sync that runs
    CancelSync = "cancelSync", Post "/api/v1/connectors/{id}/cancel", Connectors writes, policy::OPERATING_OR_OWNING;
    /// Try the token and the way to Heroku
    TestConnector = "testConnector", Post "/api/v1/connectors/{id}/test", Connectors writes, policy::OPERATING_OR_OWNING;
    /// Stop syncing on schedule
    PauseConnector = "pauseConnector", Post "/api/v1/connectors/{id}/pause", Connectors writes, policy::OPERATING_OR_OWNING;
    /// Sync on schedule again
    ResumeConnector = "resumeConnector", Post "/api/v1/connectors/{id}/resume", Connectors writes, policy::OPERATING_OR_OWNING;
    /// Replace a connector's API token
    RotateToken = "rotateConnectorToken", Put "/api/v1/connectors/{id}/token", Connectors writes, policy::ADMINISTERING_OR_OWNING;
    /// List a connector's runs, newest first
    ListRuns = "listConnectorRuns", Get "/api/v1/connectors/{id}/runs", Connectors reads, policy::SEEING;
    /// Show one run with what each scope came to
    GetRun = "getConnectorRun", Get "/api/v1/connectors/{id}/runs/{run}", Connectors reads, policy::SEEING;
    /// Read a connector's log, or follow it as server-sent events
    ListLogs = "listConnectorLogs", Get "/api/v1/connectors/{id}/logs", Connectors reads, policy::TRACING;

    /// Upload the newest version to JupiterOne now
    UploadConnector = "uploadConnector", Post "/api/v1/connectors/{id}/upload", Connectors writes, policy::OPERATING_OR_OWNING;
    /// List what is done in the background, newest first
    ListJobs = "listJobs", Get "/api/v1/jobs", Connectors reads, policy::FOLLOWING;
    /// Show a job
    GetJob = "getJob", Get "/api/v1/jobs/{id}", Connectors reads, policy::FOLLOWING;
    /// Put a job that was given up back into the queue
    RetryJob = "retryJob", Post "/api/v1/jobs/{id}/retry", Connectors writes, policy::OPERATING;
    /// Strike a job that was given up
    DropJob = "dropJob", Delete "/api/v1/jobs/{id}", Connectors writes, policy::OPERATING;

    /// List direct grants
    ListGrants = "listGrants", Get "/api/v1/grants", Estate reads, policy::SEEING;
    /// List effective access, each line with its path
    ListAccess = "listAccess", Get "/api/v1/access", Estate reads, policy::SEEING;
    /// Answer a question in J1QL
    Query = "query", Post "/api/v1/query", Estate reads, policy::SEEING;
    /// List changes between versions, newest first, or follow them as server-sent events
    ListChanges = "listChanges", Get "/api/v1/changes", Estate reads, policy::SEEING;
    /// List people with Heroku accounts
    ListPeople = "listPeople", Get "/api/v1/people", Estate reads, policy::SEEING;
    /// List teams
    ListTeams = "listTeams", Get "/api/v1/teams", Estate reads, policy::SEEING;
    /// List apps
    ListApps = "listApps", Get "/api/v1/apps", Estate reads, policy::SEEING;
    /// List Enterprise accounts
    ListEnterpriseAccounts = "listEnterpriseAccounts", Get "/api/v1/enterprise-accounts", Estate reads, policy::SEEING;
    /// List add-ons
    ListAddOns = "listAddOns", Get "/api/v1/addons", Estate reads, policy::SEEING;
    /// List pending invitations
    ListInvitations = "listInvitations", Get "/api/v1/invitations", Estate reads, policy::SEEING;
    /// List member rows in which Heroku names no user
    ListUnresolved = "listUnresolvedMembers", Get "/api/v1/unresolved-members", Estate reads, policy::SEEING;
    /// Tell who can do what on one app, and why
    GetAppAccess = "getAppAccess", Get "/api/v1/apps/{id}/access", Estate reads, policy::SEEING;
    /// Tell what one person can do, and why
    GetPersonAccess = "getPersonAccess", Get "/api/v1/people/{id}/access", Estate reads, policy::SEEING;
    /// Tell how a question would be answered
    ExplainQuery = "explainQuery", Post "/api/v1/query/explain", Estate reads, policy::SEEING;
    /// List questions that are ready to be asked: one's own, those that others share, and the library
    ListQuestions = "listQuestions", Get "/api/v1/questions", Estate reads, policy::SEEING;
    /// Show a ready question
    GetQuestion = "getQuestion", Get "/api/v1/questions/{id}", Estate reads, policy::SEEING;
    /// Keep a question, for oneself or shared with everybody
    CreateQuestion = "createQuestion", Post "/api/v1/questions", Estate writes, policy::ONESELF;
    /// Change a question of one's own, share it or share it no more
    EditQuestion = "editQuestion", Patch "/api/v1/questions/{id}", Estate writes, policy::ONESELF;
    /// Remove a question of one's own
    RemoveQuestion = "removeQuestion", Delete "/api/v1/questions/{id}", Estate writes, policy::ONESELF;
    /// Tell which questions stand on one's own overview, in their order
    ListTiles = "listTiles", Get "/api/v1/overview/tiles", Estate reads, policy::SEEING;
    /// Arrange the questions on one's own overview
    ArrangeTiles = "arrangeTiles", Put "/api/v1/overview/tiles", Estate writes, policy::ONESELF;
    /// List syncs of estates, newest first
    ListSyncs = "listSyncs", Get "/api/v1/syncs", Estate reads, policy::SEEING;
    /// Show one sync with what each listing came to
    GetSync = "getSync", Get "/api/v1/syncs/{version}", Estate reads, policy::SEEING;
    /// Make the sync that waits in quarantine the newest version
    AcceptSync = "acceptSync", Post "/api/v1/syncs/{version}/accept", Estate writes, policy::OPERATING;
    /// Carry off the whole graph
    ExportGraph = "exportGraph", Get "/api/v1/export/graph", Estate reads, policy::SEEING;
    /// Carry off a version as a c1z file
    ExportC1z = "exportC1z", Get "/api/v1/export/c1z", Estate reads, policy::SEEING;
    /// Carry off the folder of JupiterOne's command line, as an archive
    ExportJupiterOne = "exportJupiterOne", Get "/api/v1/export/jupiterone", Estate reads, policy::SEEING;

    /// Upload a version to JupiterOne, and wait until it was taken
    UploadVersion = "uploadVersion", Post "/api/v1/jupiterone/upload", Estate writes, policy::OPERATING;
    /// Hold a c1z file, by whichever connector, against a version
    CompareC1z = "compareC1z", Post "/api/v1/import/c1z", Estate reads, policy::WATCHING;

    /// List people of rosters with their accounts
    ListEmployees = "listEmployees", Get "/api/v1/employees", Employees reads, policy::SEEING;
    /// List accounts of which it is not known whose they are, and people without one
    ListUnmatched = "listUnmatched", Get "/api/v1/employees/unmatched", Employees reads, policy::SEEING;
    /// Import a roster in place of what it said before
    ImportRoster = "importRoster", Put "/api/v1/rosters/{name}", Employees writes, policy::OPERATING;
    /// Fetch a roster from a server that answers as Okta's users API does, in place of what it said before
    FetchRoster = "fetchRoster", Post "/api/v1/rosters/{name}/fetch", Employees writes, policy::OPERATING;
    /// Say whose an account is, or that it is nobody's
    MatchAccount = "matchAccount", Put "/api/v1/people/{id}/employee", Employees writes, policy::OPERATING;
    /// Take back what was said of an account
    UnmatchAccount = "unmatchAccount", Delete "/api/v1/people/{id}/employee", Employees writes, policy::OPERATING;

    /// List rules: shipped ones, then people's own
    ListRules = "listRules", Get "/api/v1/rules", Rules reads, policy::SEEING;
    /// Keep a rule of one's own
    CreateRule = "createRule", Post "/api/v1/rules", Rules writes, policy::OPERATING;
    /// Keep the rules of a file, in JupiterOne's form
    ImportRules = "importRules", Post "/api/v1/rules/import", Rules writes, policy::OPERATING;
    /// Give people's own rules as JupiterOne takes them
    ExportRules = "exportRules", Get "/api/v1/rules/export", Rules reads, policy::SEEING;
    /// Read rules without keeping them, and name every mistake
    CheckRules = "checkRules", Post "/api/v1/rules/check", Rules reads, policy::SEEING;
    /// Run rules on a version without keeping what they find
    RunRules = "runRules", Post "/api/v1/rules/run", Rules reads, policy::SEEING;
    /// Tell how often a rule would have fired in the last days
    ReplayRule = "replayRule", Post "/api/v1/rules/replay", Rules reads, policy::SEEING;
    /// Show a rule
    GetRule = "getRule", Get "/api/v1/rules/{id}", Rules reads, policy::SEEING;
    /// Write a rule of one's own anew
    ReplaceRule = "replaceRule", Put "/api/v1/rules/{id}", Rules writes, policy::OPERATING;
    /// Turn a rule on or off, or set a shipped one's parameters
    SetRule = "setRule", Patch "/api/v1/rules/{id}", Rules writes, policy::OPERATING;
    /// Remove a rule of one's own, or forget what is set of a shipped one
    RemoveRule = "removeRule", Delete "/api/v1/rules/{id}", Rules writes, policy::OPERATING;

    /// List findings, newest first
    ListFindings = "listFindings", Get "/api/v1/findings", Findings reads, policy::SEEING;
    /// Evaluate the newest version as after a sync
    EvaluateFindings = "evaluateFindings", Post "/api/v1/findings/evaluate", Findings writes, policy::OPERATING;
    /// Show a finding and what happened to it
    GetFinding = "getFinding", Get "/api/v1/findings/{id}", Findings reads, policy::SEEING;
    /// Say that a finding was seen
    AcknowledgeFinding = "acknowledgeFinding", Post "/api/v1/findings/{id}/acknowledge", Findings writes, policy::DECIDING;
    /// Take the risk of a finding until a date
    AcceptFinding = "acceptFinding", Post "/api/v1/findings/{id}/accept", Findings writes, policy::DECIDING;
    /// Take back what was said of a finding
    ReopenFinding = "reopenFinding", Post "/api/v1/findings/{id}/reopen", Findings writes, policy::DECIDING;

    /// List the channels for alerts
    ListChannels = "listChannels", Get "/api/v1/channels", Channels reads, policy::WATCHING;
    /// Make a channel
    CreateChannel = "createChannel", Post "/api/v1/channels", Channels writes, policy::ADMINISTERING;
    /// Show a channel
    GetChannel = "getChannel", Get "/api/v1/channels/{id}", Channels reads, policy::WATCHING;
    /// Write a channel anew
    ReplaceChannel = "replaceChannel", Put "/api/v1/channels/{id}", Channels writes, policy::ADMINISTERING;
    /// Remove a channel, and give up what waits for it
    RemoveChannel = "removeChannel", Delete "/api/v1/channels/{id}", Channels writes, policy::ADMINISTERING;
    /// Send a word to a channel, to try it
    TestChannel = "testChannel", Post "/api/v1/channels/{id}/test", Channels writes, policy::OPERATING;

    /// List alerts, newest first
    ListAlerts = "listAlerts", Get "/api/v1/alerts", Channels reads, policy::WATCHING;
    /// Try an alert that was given up once more
    RetryAlert = "retryAlert", Post "/api/v1/alerts/{id}/retry", Channels writes, policy::OPERATING;

    /// List plans, newest first
    ListPlans = "listPlans", Get "/api/v1/plans", Plans reads, policy::FOLLOWING;
    /// Plan a change of access
    CreatePlan = "createPlan", Post "/api/v1/plans", Plans writes, policy::OPERATING_OR_OWNING;
    /// Show a plan and how far it came
    GetPlan = "getPlan", Get "/api/v1/plans/{id}", Plans reads, policy::FOLLOWING;
    /// Approve a plan as somebody else than who asked for it
    ApprovePlan = "approvePlan", Post "/api/v1/plans/{id}/approve", Plans writes, policy::OPERATING;
    /// Apply a plan
    ApplyPlan = "applyPlan", Post "/api/v1/plans/{id}/apply", Plans writes, policy::OPERATING;
    /// Call a plan off, so that nobody applies it any more
    CancelPlan = "cancelPlan", Post "/api/v1/plans/{id}/cancel", Plans writes, policy::OPERATING;

    /// Settle what interrupted plans left open, by reading Heroku
    ReconcilePlans = "reconcilePlans", Post "/api/v1/plans/reconcile", Plans writes, policy::OPERATING;
    /// Tell whether the kill switch is on
    GetKillSwitch = "getKillSwitch", Get "/api/v1/kill-switch", Plans reads, policy::FOLLOWING;
    /// Stop every write to Heroku, or allow them again
    SetKillSwitch = "setKillSwitch", Put "/api/v1/kill-switch", Plans writes, policy::OPERATING;
    /// List people who are never changed
    ListProtected = "listProtected", Get "/api/v1/protected", Plans reads, policy::FOLLOWING;
    /// Protect somebody from every change
    Protect = "protect", Post "/api/v1/protected", Plans writes, policy::ADMINISTERING;
    /// End a protection
    Unprotect = "unprotect", Delete "/api/v1/protected/{person}", Plans writes, policy::ADMINISTERING;

    /// List events of the audit trail, newest first
    ListEvents = "listAuditEvents", Get "/api/v1/audit", Audit reads, policy::AUDITING;

    /// Verify an audit trail
    VerifyAudit = "verifyAudit", Post "/api/v1/audit/verify", Audit reads, policy::AUDITING;
    /// Sign a checkpoint of an audit trail
    SignAudit = "signAudit", Post "/api/v1/audit/checkpoint", Audit writes, policy::ADMINISTERING;
    /// Carry off an audit trail with a new checkpoint, as lines that can be verified without the server
    ExportAudit = "exportAudit", Get "/api/v1/audit/export", Audit reads, policy::AUDITING;

    /// List the tokens of programs
    ListTokens = "listTokens", Get "/api/v1/tokens", Tokens reads, policy::AUDITING;
    /// Make a token, which is shown once
    CreateToken = "createToken", Post "/api/v1/tokens", Tokens writes, policy::ADMINISTERING;
    /// Show a token
    GetToken = "getToken", Get "/api/v1/tokens/{id}", Tokens reads, policy::AUDITING;
    /// Revoke a token
    RevokeToken = "revokeToken", Delete "/api/v1/tokens/{id}", Tokens writes, policy::ADMINISTERING;

    /// Take a delivery of a Heroku webhook, which its signature lets in
    ReceiveDelivery = "receiveHerokuWebhook", Post "/api/v1/webhooks/heroku", Webhooks writes, policy::SIGNED;
    /// List webhooks of Heroku apps
    ListWebhooks = "listWebhooks", Get "/api/v1/webhooks", Webhooks reads, policy::WATCHING;
    /// Make an app tell of its changes
    AddWebhook = "addWebhook", Post "/api/v1/webhooks", Webhooks writes, policy::OPERATING;
    /// Show a webhook
    GetWebhook = "getWebhook", Get "/api/v1/webhooks/{id}", Webhooks reads, policy::WATCHING;
    /// Take a webhook away
    RemoveWebhook = "removeWebhook", Delete "/api/v1/webhooks/{id}", Webhooks writes, policy::OPERATING;

    /// Look the installation over: what each token can read, the budgets, the database, and what holds writes back
    Examine = "examineInstallation", Post "/api/v1/doctor", Upkeep writes, policy::ADMINISTERING;
    /// Remove what the settings say is not to be kept
    Prune = "prune", Post "/api/v1/prune", Upkeep writes, policy::ADMINISTERING;
    /// Carry off an encrypted copy of the whole installation
    MakeBackup = "makeBackup", Post "/api/v1/backup", Upkeep writes, policy::ADMINISTERING;

    /// The page to sign in on
    SignInPage = "getSignInPage", Get "/auth/sign-in", Session reads, policy::PUBLIC;
    /// Sign in by the page's form
    SubmitSignIn = "submitSignIn", Post "/auth/sign-in", Session writes, policy::PUBLIC;
    /// The page on which the first person is set up
    SetupPage = "getSetupPage", Get "/setup", Session reads, policy::PUBLIC;
    /// Set the first person up by the page's form
    SubmitSetup = "submitSetup", Post "/setup", Session writes, policy::PUBLIC;
    /// Go to the provider of identities
    AskProvider = "askProvider", Get "/auth/oidc", Session reads, policy::PUBLIC;
    /// Come back from the provider of identities
    AnswerFromProvider = "answerFromProvider", Get "/auth/oidc/callback", Session reads, policy::PUBLIC;
    /// The page that tells who one is
    AccountPage = "getAccountPage", Get "/auth/account", Session reads, policy::PUBLIC;
    /// Sign out by the page's form
    SubmitSignOut = "submitSignOut", Post "/auth/sign-out", Session writes, policy::ONESELF;
    /// Show the session that one is in
    GetSession = "getSession", Get "/api/v1/session", Session reads, policy::ONESELF;
    /// Sign in
    CreateSession = "createSession", Post "/api/v1/session", Session writes, policy::PUBLIC;
    /// Sign out
    EndSession = "endSession", Delete "/api/v1/session", Session writes, policy::ONESELF;
    /// Change one's own password
    ChangePassword = "changePassword", Put "/api/v1/session/password", Session writes, policy::ONESELF;
    /// Get a second factor to enrol
    OfferSecondFactor = "offerSecondFactor", Post "/api/v1/session/second-factor", Session writes, policy::ONESELF;
    /// Enrol the second factor by a code of it
    ConfirmSecondFactor = "confirmSecondFactor", Put "/api/v1/session/second-factor", Session writes, policy::ONESELF;

    /// Ask for the second factor no more
    RemoveSecondFactor = "removeSecondFactor", Post "/api/v1/session/second-factor/removal", Session writes, policy::ONESELF;
    /// List the sessions that one is in, in whatever browser
    ListOwnSessions = "listOwnSessions", Get "/api/v1/sessions", Session reads, policy::ONESELF;
    /// End every session that one is in but this one
    EndOtherSessions = "endOtherSessions", Delete "/api/v1/sessions", Session writes, policy::ONESELF;
    /// End one of the sessions that one is in
    EndOwnSession = "endOwnSession", Delete "/api/v1/sessions/{id}", Session writes, policy::ONESELF;

    /// List accounts of people who sign in
    ListAccounts = "listAccounts", Get "/api/v1/accounts", Accounts reads, policy::AUDITING;
    /// Make an account
    CreateAccount = "createAccount", Post "/api/v1/accounts", Accounts writes, policy::ADMINISTERING;
    /// Show an account
    GetAccount = "getAccount", Get "/api/v1/accounts/{id}", Accounts reads, policy::AUDITING;
    /// Change an account's name or role, or disable it
    EditAccount = "editAccount", Patch "/api/v1/accounts/{id}", Accounts writes, policy::ADMINISTERING;
    /// Give an account another password
    ResetPassword = "resetPassword", Put "/api/v1/accounts/{id}/password", Accounts writes, policy::ADMINISTERING;
    /// Ask an account for no second factor any more
    ResetSecondFactor = "resetSecondFactor", Delete "/api/v1/accounts/{id}/second-factor", Accounts writes, policy::ADMINISTERING;
    /// End every session of an account
    EndSessions = "endSessions", Delete "/api/v1/accounts/{id}/sessions", Accounts writes, policy::ADMINISTERING;
}

impl Operation {
    /// Whether it is about the session that somebody is in, which a token does not have.
    #[must_use]
    pub fn needs_session(self) -> bool {
        self.area() == Area::Session && self.policy() != policy::PUBLIC
    }

    /// Whether it works on a whole estate, or asks others at length, so that its answer may take minutes.
    #[must_use]
    pub const fn is_lengthy(self) -> bool {
        matches!(
            self,
            Self::ExportGraph
                | Self::ExportC1z
                | Self::ExportJupiterOne
                | Self::UploadVersion
                | Self::CompareC1z
                | Self::Examine
                | Self::MakeBackup
        )
    }

    /// Whether its body is a file, which is not held in memory.
    #[must_use]
    pub const fn takes_file(self) -> bool {
        matches!(self, Self::CompareC1z)
    }

    /// Whether a key says that the same request is to be done once. What signs somebody in is never answered again.
    #[must_use]
    pub fn takes_key(self) -> bool {
        self.writes() && self.area() != Area::Session && self.policy() != policy::SIGNED
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_operations_share_a_route_or_an_id() {
        let routes: BTreeSet<_> = Operation::ALL.iter().map(|one| (one.method(), one.path())).collect();
        let ids: BTreeSet<_> = Operation::ALL.iter().map(|one| one.id()).collect();
        assert_eq!(routes.len(), Operation::ALL.len());
        assert_eq!(ids.len(), Operation::ALL.len());
    }

    #[test]
    fn only_what_is_about_the_service_itself_and_signing_in_is_public() {
        for operation in Operation::ALL {
            let free = matches!(operation.area(), Area::Service | Area::Session);
            assert!(operation.policy() != policy::PUBLIC || free, "{operation}");
            assert!(!operation.writes() || operation.method() != Method::Get, "{operation}");
        }
    }
}
