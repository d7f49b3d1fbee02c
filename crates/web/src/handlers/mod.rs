//! What each operation does: reads the words, asks the engine, gives the answer.
//!
//! Invariant: [`handle`] names every operation, so that one without a handler does not compile.

mod accounts;
mod alerts;
mod audit;
mod changes;
mod channels;
mod connectors;
mod employees;
mod estate;
mod export;
mod findings;
mod jobs;
mod judging;
mod plans;
pub(crate) mod query;
mod questions;
mod rules;
mod runs;
mod service;
mod session;
mod sign_in;
mod switches;
mod syncs;
mod tiles;
mod tokens;
mod upkeep;
mod webhooks;

use std::future::Future;
use std::pin::Pin;

use metsuke_engine::identity::Operation;

use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::mcp;

pub(crate) use audit::{EVENTS, outcome};
pub(crate) use employees::{EMPLOYEES, OPEN};
pub(crate) use estate::{ACCOUNTS, APPS, TEAMS};
pub(crate) use findings::FINDINGS;
pub(crate) use plans::PLANS;
pub(crate) use query::MOST_ROWS;
pub(crate) use questions::QUESTIONS;
pub(crate) use rules::RULES;

type Handling = Pin<Box<dyn Future<Output = Result<Answer, ApiError>> + Send>>;

/// Does what a request asks for.
#[expect(clippy::too_many_lines, reason = "it is a table, one row for each operation")]
pub(crate) fn handle(call: Call) -> Handling {
    match call.operation {
        Operation::Health => Box::pin(async { service::health() }),
        Operation::Ready => Box::pin(service::ready(call)),
        Operation::Metrics => Box::pin(service::metrics(call)),
        Operation::Description => Box::pin(async { service::description() }),
        Operation::Assist => Box::pin(mcp::answer(call)),
        Operation::GetInstallation => Box::pin(async move { service::installation(&call) }),
        Operation::WhoAmI => Box::pin(async move { service::who(&call) }),
        Operation::ListConnectors => Box::pin(connectors::list(call)),
        Operation::CreateConnector => Box::pin(connectors::create(call)),
        Operation::GetConnector => Box::pin(connectors::get(call)),
        Operation::EditConnector => Box::pin(connectors::edit(call)),
        Operation::DeleteConnector => Box::pin(connectors::delete(call)),
        Operation::SyncConnector => Box::pin(runs::sync(call)),
        Operation::CancelSync => Box::pin(runs::cancel(call)),
        Operation::TestConnector => Box::pin(connectors::test(call)),
        Operation::PauseConnector => Box::pin(connectors::pause(call)),
        Operation::ResumeConnector => Box::pin(connectors::resume(call)),
        Operation::RotateToken => Box::pin(connectors::rotate(call)),
        Operation::ListRuns => Box::pin(runs::list(call)),
        Operation::GetRun => Box::pin(runs::get(call)),
        Operation::ListLogs => Box::pin(runs::logs(call)),
        Operation::UploadConnector => Box::pin(jobs::upload(call)),
        Operation::ListJobs => Box::pin(jobs::list(call)),
        Operation::GetJob => Box::pin(jobs::get(call)),
        Operation::RetryJob => Box::pin(jobs::retry(call)),
        Operation::DropJob => Box::pin(jobs::strike(call)),
        Operation::ListGrants => Box::pin(estate::grants(call, false)),
        Operation::ListAccess => Box::pin(estate::grants(call, true)),
        Operation::Query => Box::pin(query::query(call)),
        Operation::ListChanges => Box::pin(changes::list(call)),
        Operation::ListPeople => Box::pin(estate::people(call)),
        Operation::ListTeams => Box::pin(estate::teams(call)),
        Operation::ListApps => Box::pin(estate::apps(call)),
        Operation::ListEnterpriseAccounts => Box::pin(estate::enterprise_accounts(call)),
        Operation::ListAddOns => Box::pin(estate::addons(call)),
        Operation::ListInvitations => Box::pin(estate::invitations(call)),
        Operation::ListUnresolved => Box::pin(estate::unresolved(call)),
        Operation::GetAppAccess => Box::pin(estate::app_access(call)),
        Operation::GetPersonAccess => Box::pin(estate::user_access(call)),
        Operation::ExplainQuery => Box::pin(query::explain(call)),
        Operation::ListQuestions => Box::pin(questions::list(call)),
        Operation::GetQuestion => Box::pin(questions::get(call)),
        Operation::CreateQuestion => Box::pin(questions::create(call)),
        Operation::EditQuestion => Box::pin(questions::edit(call)),
        Operation::RemoveQuestion => Box::pin(questions::remove(call)),
        Operation::ListTiles => Box::pin(tiles::list(call)),
        Operation::ArrangeTiles => Box::pin(tiles::arrange(call)),
        Operation::ListSyncs => Box::pin(syncs::list(call)),
        Operation::GetSync => Box::pin(syncs::get(call)),
        Operation::AcceptSync => Box::pin(syncs::accept(call)),
        Operation::ExportGraph => Box::pin(export::graph(call)),
        Operation::ExportC1z => Box::pin(export::c1z(call)),
        Operation::ExportJupiterOne => Box::pin(export::jupiterone(call)),
        Operation::UploadVersion => Box::pin(upkeep::upload(call)),
        Operation::CompareC1z => Box::pin(upkeep::compare(call)),
        Operation::ListEmployees => Box::pin(employees::list(call)),
        Operation::ListUnmatched => Box::pin(employees::open(call)),
        Operation::ImportRoster => Box::pin(employees::import(call)),
        Operation::FetchRoster => Box::pin(employees::fetch(call)),
        Operation::MatchAccount => Box::pin(employees::match_account(call)),
        Operation::UnmatchAccount => Box::pin(employees::unmatch(call)),
        Operation::CheckRules => Box::pin(async move { judging::check(&call) }),
        Operation::RunRules => Box::pin(judging::run(call)),
        Operation::ReplayRule => Box::pin(judging::replay(call)),
        Operation::EvaluateFindings => Box::pin(judging::evaluate(call)),
        Operation::ListAlerts => Box::pin(alerts::list(call)),
        Operation::RetryAlert => Box::pin(alerts::retry(call)),
        Operation::ReconcilePlans => Box::pin(plans::reconcile(call)),
        Operation::GetKillSwitch => Box::pin(switches::kill_switch(call)),
        Operation::SetKillSwitch => Box::pin(switches::turn(call)),
        Operation::ListProtected => Box::pin(switches::list(call)),
        Operation::Protect => Box::pin(switches::protect(call)),
        Operation::Unprotect => Box::pin(switches::unprotect(call)),
        Operation::VerifyAudit => Box::pin(audit::verify(call)),
        Operation::SignAudit => Box::pin(audit::sign(call)),
        Operation::ExportAudit => Box::pin(audit::export(call)),
        Operation::ListRules => Box::pin(rules::list(call)),
        Operation::CreateRule => Box::pin(rules::create(call)),
        Operation::ImportRules => Box::pin(rules::import(call)),
        Operation::ExportRules => Box::pin(rules::export(call)),
        Operation::GetRule => Box::pin(rules::get(call)),
        Operation::ReplaceRule => Box::pin(rules::replace(call)),
        Operation::SetRule => Box::pin(rules::set(call)),
        Operation::RemoveRule => Box::pin(rules::remove(call)),
        Operation::ListFindings => Box::pin(findings::list(call)),
        Operation::GetFinding => Box::pin(findings::get(call)),
        Operation::AcknowledgeFinding => Box::pin(findings::acknowledge(call)),
        Operation::AcceptFinding => Box::pin(findings::accept(call)),
        Operation::ReopenFinding => Box::pin(findings::reopen(call)),
        Operation::ListChannels => Box::pin(channels::list(call)),
        Operation::CreateChannel => Box::pin(channels::create(call)),
        Operation::GetChannel => Box::pin(channels::get(call)),
        Operation::ReplaceChannel => Box::pin(channels::replace(call)),
        Operation::RemoveChannel => Box::pin(channels::remove(call)),
        Operation::TestChannel => Box::pin(channels::test(call)),
        Operation::ListPlans => Box::pin(plans::list(call)),
        Operation::CreatePlan => Box::pin(plans::create(call)),
        Operation::ApprovePlan => Box::pin(plans::approve(call)),
        Operation::ApplyPlan => Box::pin(plans::apply(call)),
        Operation::CancelPlan => Box::pin(plans::cancel(call)),
        Operation::GetPlan => Box::pin(plans::get(call)),
        Operation::ListEvents => Box::pin(audit::events(call)),
        Operation::ListTokens => Box::pin(tokens::list(call)),
        Operation::CreateToken => Box::pin(tokens::create(call)),
        Operation::GetToken => Box::pin(tokens::get(call)),
        Operation::RevokeToken => Box::pin(tokens::revoke(call)),
        Operation::ReceiveDelivery => Box::pin(webhooks::receive(call)),
        Operation::ListWebhooks => Box::pin(webhooks::list(call)),
        Operation::AddWebhook => Box::pin(webhooks::add(call)),
        Operation::GetWebhook => Box::pin(webhooks::get(call)),
        Operation::RemoveWebhook => Box::pin(webhooks::remove(call)),
        Operation::Examine => Box::pin(upkeep::examine(call)),
        Operation::Prune => Box::pin(upkeep::prune(call)),
        Operation::MakeBackup => Box::pin(upkeep::backup(call)),
        Operation::SignInPage => Box::pin(sign_in::page(call)),
        Operation::SubmitSignIn => Box::pin(sign_in::submit(call)),
        Operation::SetupPage => Box::pin(sign_in::setup_page(call)),
        Operation::SubmitSetup => Box::pin(sign_in::set_up(call)),
        Operation::AskProvider => Box::pin(sign_in::ask_provider(call)),
        Operation::AnswerFromProvider => Box::pin(sign_in::answer_from_provider(call)),
        Operation::AccountPage => Box::pin(async move { Ok(sign_in::account(&call)) }),
        Operation::SubmitSignOut => Box::pin(sign_in::sign_out(call)),
        Operation::GetSession => Box::pin(async move { session::get(&call) }),
        Operation::CreateSession => Box::pin(session::create(call)),
        Operation::EndSession => Box::pin(session::end(call)),
        Operation::ChangePassword => Box::pin(session::change_password(call)),
        Operation::OfferSecondFactor => Box::pin(session::offer_second_factor(call)),
        Operation::ConfirmSecondFactor => Box::pin(session::confirm_second_factor(call)),
        Operation::RemoveSecondFactor => Box::pin(session::remove_second_factor(call)),
        Operation::ListOwnSessions => Box::pin(session::list_own(call)),
        Operation::EndOtherSessions => Box::pin(session::end_others(call)),
        Operation::EndOwnSession => Box::pin(session::end_own(call)),
        Operation::ListAccounts => Box::pin(accounts::list(call)),
        Operation::CreateAccount => Box::pin(accounts::create(call)),
        Operation::GetAccount => Box::pin(accounts::get(call)),
        Operation::EditAccount => Box::pin(accounts::edit(call)),
        Operation::ResetPassword => Box::pin(accounts::reset_password(call)),
        Operation::ResetSecondFactor => Box::pin(accounts::reset_second_factor(call)),
        Operation::EndSessions => Box::pin(accounts::end_sessions(call)),
    }
}
