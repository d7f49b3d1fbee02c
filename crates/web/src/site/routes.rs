//! Every page and every form of a page, one row each: where it is, the operation whose policy judges it, and what answers.
//!
//! Invariant: a form's row names the operation that it does, so that a page can do nothing that the API would refuse.

use metsuke_engine::identity::{Method, Operation};
use metsuke_model::AsOf;

use super::asked::Asked;
use super::settings::{accounts, installation, own, tokens};
use super::{
    Answering, Route, app, apps, audit, changes, connector, connector_add, connector_settings, connectors,
    employees, enterprise, findings, given_up, graph, matrix, overview, people, person, provisioning, query,
    rules, settings, styleguide, teams, tiles,
};
use crate::call::Call;
use crate::error::ApiError;

const fn get(path: &'static str, operation: Operation, answer: fn(Call) -> Answering) -> Route {
    Route { method: Method::Get, path, operation, answer }
}

const fn post(path: &'static str, operation: Operation, answer: fn(Call) -> Answering) -> Route {
    Route { method: Method::Post, path, operation, answer }
}

/// All of them.
pub(crate) static ROUTES: &[Route] = &[
    get("/", Operation::WhoAmI, |call| Box::pin(overview::page(call))),
    get("/people", Operation::ListPeople, |call| Box::pin(people::page(call))),
    get("/people/employees", Operation::ListEmployees, |call| Box::pin(employees::page(call))),
    get("/people/employees/add", Operation::ImportRoster, |call| Box::pin(employees::add(call))),
    post("/people/employees/add", Operation::ImportRoster, |call| Box::pin(employees::import(call))),
    post("/people/employees/add/fetch", Operation::FetchRoster, |call| Box::pin(employees::fetch(call))),
    post("/people/employees/{id}", Operation::MatchAccount, |call| Box::pin(employees::settle(call))),
    post("/people/employees/{id}/undo", Operation::UnmatchAccount, |call| Box::pin(employees::undo(call))),
    get("/people/{id}", Operation::ListAccess, |call| Box::pin(person::page(call))),
    get("/people/{id}/apps", Operation::ListAccess, |call| Box::pin(person::apps(call))),
    get("/teams", Operation::ListTeams, |call| Box::pin(teams::page(call))),
    get("/teams/{id}", Operation::ListAccess, |call| Box::pin(teams::one(call))),
    get("/apps", Operation::ListApps, |call| Box::pin(apps::page(call))),
    get("/apps/{id}", Operation::ListAccess, |call| Box::pin(app::page(call))),
    get("/enterprise-accounts", Operation::ListEnterpriseAccounts, |call| Box::pin(enterprise::page(call))),
    get("/enterprise-accounts/{id}", Operation::ListAccess, |call| Box::pin(enterprise::one(call))),
    get("/matrix", Operation::ListAccess, |call| Box::pin(matrix::page(call))),
    get("/graph", Operation::ListAccess, |call| Box::pin(graph::page(call))),
    get("/query", Operation::Query, |call| Box::pin(query::page(call))),
    get("/query/catalogue", Operation::Query, |_| Box::pin(async { query::catalogue() })),
    get("/query/questions", Operation::ListQuestions, |call| Box::pin(query::questions(call))),
    get("/query/questions/add", Operation::CreateQuestion, |call| Box::pin(query::add(call))),
    post("/query/questions/add", Operation::CreateQuestion, |call| Box::pin(query::create(call))),
    get("/query/questions/{id}", Operation::GetQuestion, |call| Box::pin(query::question(call))),
    get("/query/questions/{id}/edit", Operation::EditQuestion, |call| Box::pin(query::edit(call))),
    post("/query/questions/{id}/edit", Operation::EditQuestion, |call| Box::pin(query::save(call))),
    post("/query/questions/{id}/share", Operation::EditQuestion, |call| Box::pin(query::share(call))),
    post("/query/questions/{id}/remove", Operation::RemoveQuestion, |call| Box::pin(query::remove(call))),
    post("/query/questions/{id}/tile", Operation::ArrangeTiles, |call| Box::pin(tiles::arrange(call))),
    get("/changes", Operation::ListChanges, |call| Box::pin(changes::page(call))),
    get("/changes/{id}", Operation::ListChanges, |call| Box::pin(changes::one(call))),
    get("/findings", Operation::ListFindings, |call| Box::pin(findings::page(call))),
    get("/findings/{id}", Operation::GetFinding, |call| Box::pin(findings::one(call))),
    post("/findings/{id}/acknowledge", Operation::AcknowledgeFinding, |call| {
        Box::pin(findings::acknowledge(call))
    }),
    post("/findings/{id}/accept", Operation::AcceptFinding, |call| Box::pin(findings::accept(call))),
    post("/findings/{id}/reopen", Operation::ReopenFinding, |call| Box::pin(findings::reopen(call))),
    get("/rules", Operation::ListRules, |call| Box::pin(rules::page(call))),
    get("/rules/add", Operation::CreateRule, |call| Box::pin(rules::add(call))),
    post("/rules/add", Operation::CreateRule, |call| Box::pin(rules::create(call))),
    post("/rules/import", Operation::ImportRules, |call| Box::pin(rules::import(call))),
    get("/rules/channels", Operation::ListChannels, |call| Box::pin(rules::channels(call))),
    get("/rules/channels/add", Operation::CreateChannel, |call| Box::pin(rules::add_channel(call))),
    post("/rules/channels/add", Operation::CreateChannel, |call| Box::pin(rules::create_channel(call))),
    get("/rules/channels/{id}", Operation::GetChannel, |call| Box::pin(rules::channel(call))),
    post("/rules/channels/{id}", Operation::ReplaceChannel, |call| Box::pin(rules::save_channel(call))),
    post("/rules/channels/{id}/test", Operation::TestChannel, |call| Box::pin(rules::test_channel(call))),
    post("/rules/channels/{id}/remove", Operation::RemoveChannel, |call| {
        Box::pin(rules::remove_channel(call))
    }),
    get("/rules/{id}", Operation::GetRule, |call| Box::pin(rules::one(call))),
    get("/rules/{id}/edit", Operation::ReplaceRule, |call| Box::pin(rules::edit(call))),
    post("/rules/{id}/edit", Operation::ReplaceRule, |call| Box::pin(rules::save(call))),
    post("/rules/{id}/switch", Operation::SetRule, |call| Box::pin(rules::switch(call))),
    post("/rules/{id}/parameters", Operation::SetRule, |call| Box::pin(rules::parameters(call))),
    post("/rules/{id}/evaluate", Operation::EvaluateFindings, |call| Box::pin(rules::evaluate(call))),
    post("/rules/{id}/remove", Operation::RemoveRule, |call| Box::pin(rules::remove(call))),
    get("/provisioning", Operation::ListPlans, |call| Box::pin(provisioning::page(call))),
    get("/provisioning/add", Operation::CreatePlan, |call| Box::pin(provisioning::add(call))),
    post("/provisioning/add", Operation::CreatePlan, |call| Box::pin(provisioning::create(call))),
    post("/provisioning/kill-switch", Operation::SetKillSwitch, |call| Box::pin(provisioning::turn(call))),
    post("/provisioning/reconcile", Operation::ReconcilePlans, |call| {
        Box::pin(provisioning::reconcile(call))
    }),
    post("/provisioning/protected", Operation::Protect, |call| Box::pin(provisioning::protect(call))),
    post("/provisioning/protected/{person}/remove", Operation::Unprotect, |call| {
        Box::pin(provisioning::unprotect(call))
    }),
    get("/provisioning/{id}", Operation::GetPlan, |call| Box::pin(provisioning::one(call))),
    post("/provisioning/{id}/approve", Operation::ApprovePlan, |call| Box::pin(provisioning::approve(call))),
    post("/provisioning/{id}/apply", Operation::ApplyPlan, |call| Box::pin(provisioning::apply(call))),
    post("/provisioning/{id}/cancel", Operation::CancelPlan, |call| Box::pin(provisioning::cancel(call))),
    get("/connectors", Operation::ListConnectors, |call| Box::pin(connectors::page(call))),
    get("/connectors/add", Operation::CreateConnector, |call| Box::pin(connector_add::kinds(call))),
    get("/connectors/add/heroku", Operation::CreateConnector, |call| Box::pin(connector_add::add(call))),
    post("/connectors/add/heroku", Operation::CreateConnector, |call| Box::pin(connector_add::create(call))),
    get("/setup/heroku", Operation::CreateConnector, |call| Box::pin(connector_add::add(call))),
    post("/setup/heroku", Operation::CreateConnector, |call| Box::pin(connector_add::create(call))),
    get("/connectors/{id}", Operation::GetConnector, |call| Box::pin(connector::page(call))),
    get("/connectors/{id}/settings", Operation::EditConnector, |call| {
        Box::pin(connector_settings::page(call))
    }),
    post("/connectors/{id}/settings", Operation::EditConnector, |call| {
        Box::pin(connector_settings::save(call))
    }),
    get("/connectors/{id}/versions/{version}", Operation::GetRun, |call| Box::pin(connector::version(call))),
    post("/connectors/{id}/sync", Operation::SyncConnector, |call| Box::pin(connector::sync(call))),
    post("/connectors/{id}/cancel", Operation::CancelSync, |call| Box::pin(connector::cancel(call))),
    post("/connectors/{id}/test", Operation::TestConnector, |call| Box::pin(connector::test(call))),
    post("/connectors/{id}/upload", Operation::UploadConnector, |call| Box::pin(connector::upload(call))),
    post("/connectors/{id}/pause", Operation::PauseConnector, |call| Box::pin(connector::pause(call))),
    post("/connectors/{id}/resume", Operation::ResumeConnector, |call| Box::pin(connector::resume(call))),
    post("/connectors/{id}/token", Operation::RotateToken, |call| Box::pin(connector::rotate(call))),
    post("/connectors/{id}/remove", Operation::DeleteConnector, |call| Box::pin(connector::remove(call))),
    post("/jobs/{id}/retry", Operation::RetryJob, |call| Box::pin(given_up::act(call))),
    post("/jobs/{id}/drop", Operation::DropJob, |call| Box::pin(given_up::act(call))),
    post("/alerts/{id}/retry", Operation::RetryAlert, |call| Box::pin(given_up::act(call))),
    get("/audit", Operation::ListEvents, |call| Box::pin(audit::page(call))),
    post("/audit/verify", Operation::VerifyAudit, |call| Box::pin(audit::verify(call))),
    post("/audit/sign", Operation::SignAudit, |call| Box::pin(audit::sign(call))),
    get("/audit/{trail}/{number}", Operation::ListEvents, |call| Box::pin(audit::one(call))),
    get("/settings", Operation::WhoAmI, |call| Box::pin(own::page(call))),
    post("/settings/password", Operation::ChangePassword, |call| Box::pin(own::password(call))),
    post("/settings/second-factor", Operation::OfferSecondFactor, |call| Box::pin(own::offer_factor(call))),
    post("/settings/second-factor/confirm", Operation::ConfirmSecondFactor, |call| {
        Box::pin(own::confirm_factor(call))
    }),
    post("/settings/second-factor/off", Operation::RemoveSecondFactor, |call| {
        Box::pin(own::factor_off(call))
    }),
    post("/settings/other-sessions/end", Operation::EndOtherSessions, |call| Box::pin(own::end_others(call))),
    post("/settings/sessions/{id}/end", Operation::EndOwnSession, |call| Box::pin(own::end_session(call))),
    get("/settings/tokens", Operation::ListTokens, |call| Box::pin(tokens::page(call))),
    post("/settings/tokens", Operation::CreateToken, |call| Box::pin(tokens::create(call))),
    post("/settings/tokens/{id}/revoke", Operation::RevokeToken, |call| Box::pin(tokens::revoke(call))),
    get("/settings/accounts", Operation::ListAccounts, |call| Box::pin(accounts::page(call))),
    post("/settings/accounts", Operation::CreateAccount, |call| Box::pin(accounts::create(call))),
    get("/settings/accounts/{id}", Operation::GetAccount, |call| Box::pin(accounts::one(call))),
    post("/settings/accounts/{id}", Operation::EditAccount, |call| Box::pin(accounts::edit(call))),
    post("/settings/accounts/{id}/password", Operation::ResetPassword, |call| {
        Box::pin(accounts::password(call))
    }),
    post("/settings/accounts/{id}/second-factor/reset", Operation::ResetSecondFactor, |call| {
        Box::pin(accounts::factor(call))
    }),
    post("/settings/accounts/{id}/sessions/end", Operation::EndSessions, |call| {
        Box::pin(accounts::sessions(call))
    }),
    get("/settings/owners", Operation::ListConnectors, |call| Box::pin(installation::owners(call))),
    get("/settings/sign-in", Operation::GetInstallation, |call| Box::pin(installation::sign_in(call))),
    get("/settings/installation", Operation::GetInstallation, |call| Box::pin(installation::page(call))),
    post("/settings/theme", Operation::WhoAmI, |call| Box::pin(async move { Ok(settings::theme(&call)) })),
    get("/styleguide", Operation::WhoAmI, |call| Box::pin(styleguide::page(call))),
];

/// Where the pages are: the path of each, in which `{id}` and its like stand for an object's.
#[must_use]
pub fn page_routes() -> Vec<&'static str> {
    ROUTES.iter().filter(|route| route.method == Method::Get).map(|route| route.path).collect()
}

/// The date that a page is asked for.
pub(super) fn as_of(asked: &Asked) -> Result<Option<AsOf>, ApiError> {
    let read = |text: &str| text.parse().map_err(|wrong: String| ApiError::invalid("as_of", wrong));
    asked.get("as_of").map(read).transpose()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use metsuke_engine::identity::Policy;

    use super::*;

    #[test]
    fn a_page_reads_a_form_may_write_and_nothing_is_for_everybody() {
        let mut seen = BTreeSet::new();
        for route in ROUTES {
            assert!(seen.insert((route.method, route.path)), "{} twice", route.path);
            assert!(route.operation.policy() != Policy::Public, "{}", route.path);
            // The page of a form is for whoever may do what the form does.
            let form = ROUTES.iter().any(|other| {
                let does = other.method == Method::Post && other.operation == route.operation;
                does && other.path.starts_with(route.path)
            });
            assert!(route.method == Method::Post || form || !route.operation.writes(), "{}", route.path);
        }
    }
}
