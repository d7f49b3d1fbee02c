//! What each operation takes and gives.
//!
//! Invariant: [`describe`] names every operation, so that one without a description does not compile.

use metsuke_engine::identity::{Method, Operation, Policy};
use serde_json::{Value, json};

use super::words::{anything, list, named, object, one_of, only, or_null, text, with};
use super::{employees, estate, jobs, judging, safety, session};
use super::{upkeep, webhooks};

/// The usual type of a body.
pub(super) const JSON: &str = "application/json";

/// What an operation takes and gives.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Spec {
    /// Parameters of the query, without those of every list.
    pub(super) parameters: &'static [&'static str],
    /// Whether it is a list that comes in pages.
    pub(super) listed: bool,
    /// Whether it has a tag, so that `If-None-Match` is heeded.
    pub(super) tagged: bool,
    /// Whether its answer tells the thing's tag, though it is not read with it.
    pub(super) has_tag: bool,
    /// Whether `If-Match` is heeded.
    pub(super) matched: bool,
    pub(super) body: Option<Body>,
    pub(super) answer: Answer,
    /// The answer 200 of what otherwise makes something.
    pub(super) unchanged: Option<(&'static str, Value)>,
    /// Statuses that it has beside those of its kind.
    pub(super) more: &'static [u16],
}

/// The body of a request.
pub(super) struct Body {
    pub(super) schema: Value,
    pub(super) required: bool,
    pub(super) media: &'static str,
}

/// The answer where all is well.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) description: &'static str,
    pub(super) content: Vec<(&'static str, Value)>,
}

impl Spec {
    pub(super) fn new(status: u16, description: &'static str, schema: Value) -> Self {
        let content = vec![("application/json", schema)];
        Self {
            parameters: &[],
            listed: false,
            tagged: false,
            has_tag: false,
            matched: false,
            body: None,
            answer: Answer { status, description, content },
            unchanged: None,
            more: &[],
        }
    }

    /// One thing that can be shown again.
    pub(super) fn thing(description: &'static str, schema: Value) -> Self {
        Self { tagged: true, ..Self::new(200, description, schema) }
    }

    /// A list in pages, also as CSV.
    pub(super) fn list(description: &'static str, row: &str, parameters: &'static [&'static str]) -> Self {
        let next = or_null(text());
        let page = object([("data", list(named(row))), ("next_cursor", next)]);
        let mut spec = Self::new(200, description, page);
        spec.answer.content.push(("text/csv", text()));
        Self { parameters, listed: true, tagged: true, ..spec }
    }

    pub(super) fn body(mut self, schema: Value) -> Self {
        self.body = Some(Body { schema, required: true, media: JSON });
        self
    }

    /// A body that may be left out.
    pub(super) fn may_say(mut self, schema: Value) -> Self {
        self.body = Some(Body { schema, required: false, media: JSON });
        self
    }

    /// A file to be carried off.
    pub(super) fn file(description: &'static str, media: &'static [&'static str]) -> Self {
        let mut spec = Self::new(200, description, text());
        spec.answer.content = media.iter().map(|media| (*media, text())).collect();
        spec
    }

    pub(super) fn more(mut self, statuses: &'static [u16]) -> Self {
        self.more = statuses;
        self
    }
}

/// What an operation takes and gives.
#[expect(clippy::too_many_lines, reason = "it is a table, one row for each operation")]
pub(super) fn describe(operation: Operation) -> Spec {
    let status = |word| object([("status", one_of(&[word]))]);
    match operation {
        Operation::Health => Spec::thing("It runs.", status("alive")),
        Operation::Ready => Spec::thing("It answers.", status("ready")).more(&[503]),
        Operation::Metrics => {
            let mut spec = Spec::thing("The figures.", text());
            spec.answer.content = vec![("application/openmetrics-text", text())];
            spec
        }
        Operation::Description => Spec::thing("This document.", anything()),
        Operation::Assist => {
            let told = "What came of a message of the Model Context Protocol; one for each, where several were sent.";
            let message = json!({ "type": "object", "properties": { "jsonrpc": { "const": "2.0" } }, "required": ["jsonrpc"] });
            let mut spec = Spec::new(200, told, json!({ "type": ["object", "array"] }));
            spec.answer.content.push(("text/event-stream", text()));
            spec.body(json!({ "anyOf": [message, list(message)] })).more(&[202, 404, 406])
        }
        Operation::GetInstallation => {
            Spec::thing("How the installation was set up; no secret is in it.", named("Installation"))
        }
        Operation::WhoAmI => Spec::thing("Who the token says one is.", named("Identity")),
        Operation::ListConnectors
        | Operation::CreateConnector
        | Operation::GetConnector
        | Operation::EditConnector
        | Operation::DeleteConnector
        | Operation::SyncConnector
        | Operation::CancelSync
        | Operation::TestConnector
        | Operation::PauseConnector
        | Operation::ResumeConnector
        | Operation::RotateToken
        | Operation::ListRuns
        | Operation::GetRun
        | Operation::ListLogs => connector(operation),
        Operation::UploadConnector
        | Operation::ListJobs
        | Operation::GetJob
        | Operation::RetryJob
        | Operation::DropJob => jobs::describe(operation),
        Operation::ListGrants | Operation::ListAccess => {
            Spec::list("Grants.", "Grant", GRANTS).more(&[404, 409])
        }
        Operation::Query => Spec::new(200, "What was found, as JupiterOne answers.", named("Answer"))
            .body(named("Question"))
            .more(&[404]),
        Operation::ListChanges => {
            let mut spec = Spec::list("Changes, newest first.", "Change", CHANGES).more(&[404]);
            spec.answer.content.push(("text/event-stream", text()));
            spec
        }
        Operation::ListPeople => {
            let filters = &["connector", "as_of", "email", "without_second_factor"];
            Spec::list("People.", "Person", filters).more(&[404])
        }
        Operation::ListTeams => Spec::list("Teams.", "Team", &["connector", "as_of", "name"]).more(&[404]),
        Operation::ListApps => {
            Spec::list("Apps.", "App", &["connector", "as_of", "name", "team"]).more(&[404, 409])
        }
        Operation::ListEnterpriseAccounts => {
            Spec::list("Enterprise accounts.", "EnterpriseAccount", &["connector", "as_of", "name"])
                .more(&[404])
        }
        Operation::ListAddOns
        | Operation::ListInvitations
        | Operation::ListUnresolved
        | Operation::GetAppAccess
        | Operation::GetPersonAccess
        | Operation::ExplainQuery
        | Operation::ListQuestions
        | Operation::GetQuestion
        | Operation::CreateQuestion
        | Operation::EditQuestion
        | Operation::RemoveQuestion
        | Operation::ListTiles
        | Operation::ArrangeTiles
        | Operation::ListSyncs
        | Operation::GetSync
        | Operation::AcceptSync
        | Operation::ExportGraph
        | Operation::ExportC1z
        | Operation::ExportJupiterOne => estate::describe(operation),
        Operation::UploadVersion
        | Operation::CompareC1z
        | Operation::Examine
        | Operation::Prune
        | Operation::MakeBackup => upkeep::describe(operation),
        Operation::ListEmployees
        | Operation::ListUnmatched
        | Operation::ImportRoster
        | Operation::FetchRoster
        | Operation::MatchAccount
        | Operation::UnmatchAccount => employees::describe(operation),
        Operation::CheckRules
        | Operation::RunRules
        | Operation::ReplayRule
        | Operation::EvaluateFindings
        | Operation::ListAlerts
        | Operation::RetryAlert => judging::describe(operation),
        Operation::ReconcilePlans
        | Operation::GetKillSwitch
        | Operation::SetKillSwitch
        | Operation::ListProtected
        | Operation::Protect
        | Operation::Unprotect
        | Operation::VerifyAudit
        | Operation::SignAudit
        | Operation::ExportAudit => safety::describe(operation),
        Operation::ListRules => Spec::list("Rules, and how each does.", "WatchedRule", &[]),
        Operation::CreateRule => Spec::new(201, "The rule.", named("Rule")).body(named("WrittenRule")),
        Operation::ImportRules => {
            let told = "The rules that are kept now, and what is odd about them.";
            Spec::new(200, told, named("ImportedRules")).body(json!({ "type": ["array", "object"] }))
        }
        Operation::ExportRules => Spec::thing("The rules, and what does not go out.", named("ExportedRules")),
        Operation::GetRule => Spec::thing("The rule, and how it does.", named("WatchedRule")).more(&[404]),
        Operation::ReplaceRule => Spec::new(200, "The rule as it is now.", named("Rule"))
            .body(named("WrittenRule"))
            .more(&[404, 409]),
        Operation::SetRule => {
            Spec::new(200, "The rule as it is now.", named("Rule")).body(named("RuleSetting")).more(&[404])
        }
        Operation::RemoveRule => Spec::new(200, "The rule as it was.", named("Rule")).more(&[404]),
        Operation::ListFindings => Spec::list(
            "Findings, newest first.",
            "Finding",
            &["connector", "state", "rule", "level", "person"],
        )
        .more(&[404]),
        Operation::GetFinding => Spec::thing("The finding.", named("FindingWithEvents")).more(&[404]),
        Operation::AcknowledgeFinding | Operation::ReopenFinding => {
            let mut spec = Spec::new(200, "The finding as it is now.", named("FindingWithEvents"))
                .more(&[400, 404, 415]);
            spec.body = Some(Body { schema: named("Reason"), required: false, media: JSON });
            spec
        }
        Operation::AcceptFinding => Spec::new(200, "The finding as it is now.", named("FindingWithEvents"))
            .body(named("Acceptance"))
            .more(&[404]),
        Operation::ListChannels => Spec::list("Channels.", "Channel", &[]),
        Operation::CreateChannel => {
            Spec::new(201, "The channel.", named("Channel")).body(named("WrittenChannel"))
        }
        Operation::GetChannel => Spec::thing("The channel.", named("Channel")).more(&[404]),
        Operation::ReplaceChannel => Spec::new(200, "The channel as it is now.", named("Channel"))
            .body(named("WrittenChannel"))
            .more(&[404, 409]),
        Operation::RemoveChannel => {
            let given_up = object([("given_up", json!({ "type": "integer", "minimum": 0 }))]);
            Spec::new(200, "How much was waiting for it, and is given up.", given_up).more(&[404])
        }
        Operation::TestChannel => {
            let tried = object([("ok", json!({ "type": "boolean" })), ("reason", or_null(text()))]);
            Spec::new(200, "Whether it came through.", tried).more(&[404])
        }
        Operation::ListPlans => Spec::list("Plans, newest first.", "PlanLine", &["connector"]).more(&[404]),
        Operation::CreatePlan => {
            let mut spec = Spec::new(201, "The plan, which is stored and not applied.", named("Planned"))
                .body(named("NewPlan"))
                .more(&[404, 424, 429]);
            spec.unchanged = Some(("Everything is as wished: there is nothing to plan.", named("Planned")));
            spec
        }
        Operation::ApplyPlan => {
            let mut spec =
                Spec::new(200, "What came of it.", named("Applied")).more(&[400, 404, 415, 424, 429]);
            spec.body = Some(Body { schema: named("Release"), required: false, media: JSON });
            spec
        }
        Operation::ApprovePlan => {
            let hash = object([("hash", text())]);
            Spec::new(200, "The plan, with everybody who approved it.", named("Plan"))
                .body(only(hash))
                .more(&[404])
        }
        Operation::CancelPlan => {
            let mut spec = Spec::new(200, "The plan, called off.", named("Plan")).more(&[400, 404, 415]);
            spec.body = Some(Body { schema: named("Reason"), required: false, media: JSON });
            spec
        }
        Operation::GetPlan => {
            Spec::thing("The plan, and what the safety rules say of it.", named("JudgedPlan")).more(&[404])
        }
        Operation::ListEvents => Spec::list("Events, newest first.", "Event", EVENTS).more(&[404]),
        Operation::ListTokens => Spec::list("Tokens, oldest first.", "Token", &[]),
        Operation::CreateToken => {
            let made = with(named_object("Token"), [("token", or_null(text()))]);
            Spec::new(201, "The token, shown this once; null where the answer is given again.", made)
                .body(named("NewToken"))
        }
        Operation::GetToken => Spec::thing("The token.", named("Token")).more(&[404]),
        Operation::RevokeToken => Spec::new(200, "The token, revoked.", named("Token")).more(&[404, 409]),
        Operation::ReceiveDelivery
        | Operation::ListWebhooks
        | Operation::AddWebhook
        | Operation::GetWebhook
        | Operation::RemoveWebhook => webhooks::describe(operation),
        Operation::SignInPage
        | Operation::SubmitSignIn
        | Operation::SetupPage
        | Operation::SubmitSetup
        | Operation::AskProvider
        | Operation::AnswerFromProvider
        | Operation::AccountPage
        | Operation::SubmitSignOut
        | Operation::GetSession
        | Operation::CreateSession
        | Operation::EndSession
        | Operation::ChangePassword
        | Operation::OfferSecondFactor
        | Operation::ConfirmSecondFactor
        | Operation::RemoveSecondFactor
        | Operation::ListOwnSessions
        | Operation::EndOtherSessions
        | Operation::EndOwnSession => session::describe(operation),
        Operation::ListAccounts
        | Operation::CreateAccount
        | Operation::GetAccount
        | Operation::EditAccount
        | Operation::ResetPassword
        | Operation::ResetSecondFactor
        | Operation::EndSessions => session::accounts(operation),
    }
}

/// What operations on connectors take and give.
fn connector(operation: Operation) -> Spec {
    let shown = || named("Connector");
    match operation {
        Operation::ListConnectors => Spec::list("Connectors, oldest first.", "Connector", &[]),
        Operation::CreateConnector => {
            let mut spec = Spec::new(201, "The connector, whose first sync has been asked for.", shown());
            spec.has_tag = true;
            spec.body(named("NewConnector"))
        }
        Operation::GetConnector => Spec::thing("The connector.", shown()).more(&[404]),
        Operation::EditConnector => {
            Spec { matched: true, has_tag: true, ..Spec::new(200, "The connector as it is now.", shown()) }
                .body(named("ConnectorEdit"))
                .more(&[404, 409])
        }
        Operation::DeleteConnector => {
            Spec { matched: true, ..Spec::new(200, "What went with it.", named("Removal")) }.more(&[404])
        }
        Operation::SyncConnector => {
            Spec::new(202, "The run: a new one, or the one that waits or reads.", named("Run")).more(&[404])
        }
        Operation::CancelSync => Spec::new(202, "The run that is to end.", named("Run")).more(&[404]),
        Operation::TestConnector => {
            Spec::new(200, "What the token is good for.", named("Probe")).more(&[404])
        }
        Operation::PauseConnector | Operation::ResumeConnector => {
            Spec { has_tag: true, ..Spec::new(200, "The connector.", shown()) }.more(&[404])
        }
        Operation::RotateToken => Spec { has_tag: true, ..Spec::new(200, "The connector.", shown()) }
            .body(named("Rotation"))
            .more(&[404, 409]),
        Operation::ListRuns => Spec::list("Runs, newest first.", "Run", &[]).more(&[404]),
        Operation::GetRun => {
            Spec::thing("The run, and what each scope came to.", named("RunWithScopes")).more(&[404])
        }
        _ => {
            let mut spec = Spec::list("Lines, oldest first.", "LogLine", &["run", "after"]).more(&[404]);
            spec.answer.content.push(("text/event-stream", text()));
            spec
        }
    }
}

const GRANTS: &[&str] = &["connector", "as_of", "user", "team", "app", "enterprise_account", "entitlement"];
const CHANGES: &[&str] =
    &["connector", "since", "until", "kind", "change", "resource", "principal", "by", "text"];
const EVENTS: &[&str] = &["connector", "code", "actor", "subject", "outcome", "since", "until"];

/// A schema of the components and more members.
fn named_object(name: &str) -> Value {
    json!({ "allOf": [named(name)], "type": "object", "properties": {} })
}

/// The statuses with which an operation says no, and what each means.
pub(super) fn errors(operation: Operation, spec: &Spec) -> Vec<(u16, &'static str)> {
    let mut statuses: Vec<u16> = spec.more.to_vec();
    statuses.extend([408, 413, 500, 503]);
    if !matches!(operation, Operation::Health | Operation::Ready) {
        statuses.push(429);
    }
    if operation.path().contains('{') || spec.body.is_some() {
        statuses.push(400);
    }
    if matches!(operation.policy(), Policy::Of { .. }) {
        statuses.extend([401, 403]);
    }
    if spec.body.is_some() {
        statuses.extend([415, 422]);
    }
    if spec.listed {
        statuses.push(422);
    }
    if operation.writes() && operation.method() == Method::Post {
        statuses.extend([409, 422]);
    } else if operation.writes() {
        statuses.push(422);
    }
    if spec.matched {
        statuses.push(412);
    }
    statuses.sort_unstable();
    statuses.dedup();
    statuses.into_iter().map(|status| (status, meaning(status))).collect()
}

const fn meaning(status: u16) -> &'static str {
    match status {
        202 => "It was a message that wants no answer.",
        303 => "The browser is sent on.",
        400 => "The request cannot be read.",
        401 => "There is no token or session, or it is not accepted.",
        403 => {
            "The role, or the token's scopes, do not allow it; or a browser's request is not the person's own."
        }
        404 => "There is no such thing.",
        406 => "The answer is in no form that is accepted.",
        408 => "The body took too long to arrive.",
        409 => "As things stand it cannot be done.",
        412 => "The thing has another tag than `If-Match` says.",
        413 => "The body is too large.",
        415 => "The body is not of the type that is read.",
        422 => "A parameter or a member has a value that cannot be taken.",
        424 => {
            "Heroku, or the provider of identities, cannot be reached or answers nothing of use; or it is not known what Heroku did."
        }
        429 => {
            "There were too many requests or tries, or the Heroku account's requests are used up for now; `Retry-After` says how long to wait."
        }
        503 => "It cannot be answered now; the same may work later.",
        _ => "The server has a fault.",
    }
}
