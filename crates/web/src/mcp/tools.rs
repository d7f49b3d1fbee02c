//! Every tool: its name, what an assistant is told of it, and the operations that it asks.
//!
//! What a tool does stands in [`run`](super::run), what it takes and gives in [`schemas`](super::schemas).
//!
//! Invariant: a tool that changes anything says so, and none of them names an operation that reaches Heroku's access.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use metsuke_engine::identity::Operation;
use serde_json::{Value, json};

use super::schemas;

/// What a tool does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Query,
    GraphTypes,
    WhoCanAccess,
    WhatPersonReaches,
    Search,
    People,
    Teams,
    Apps,
    Changes,
    Findings,
    Finding,
    Questions,
    AskQuestion,
    Connectors,
    ProposePlan,
    Plan,
}

/// One tool.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    description: &'static str,
    pub(super) deed: Deed,
    /// The operations that it asks.
    pub(super) needs: &'static [Operation],
}

static TOOLS: &[Tool] = &[
    tool(
        "query",
        "Ask in J1QL",
        Deed::Query,
        &[Operation::Query],
        "Answers a question in J1QL, JupiterOne's query language, about people, teams, apps, add-ons and who reaches what. \
         Example: FIND heroku_account_member WITH mfaEnabled = false AS u THAT ACCESSES AS a heroku_application AS app \
         RETURN u.email, app.name, a.permissions. Comparison: = != > < >= <=, ~= contains, ^= begins with, $= ends with; upper and \
         lower case differ. graph_types tells which types and properties there are; list_questions has ready questions. An error tells \
         line and column of each mistake. A truncated answer has `truncated: true`.",
    ),
    tool(
        "graph_types",
        "Types of the graph",
        Deed::GraphTypes,
        &[Operation::Query],
        "Lists the types of entities and relationships that query knows, with their properties. Read it before writing J1QL.",
    ),
    tool(
        "who_can_access",
        "Who can access it",
        Deed::WhoCanAccess,
        &[Operation::ListAccess],
        "Lists everybody with effective access to one app, team or Enterprise account, each line with the entitlement and the path by \
         which it follows (empty where Heroku has the grant itself). Give exactly one of app, team and enterprise_account, by name \
         or id. `entitlement` narrows it, for example to deploy, operate, manage or admin.",
    ),
    tool(
        "what_person_reaches",
        "What a person reaches",
        Deed::WhatPersonReaches,
        &[Operation::ListAccess],
        "Lists everything that one person can do, directly or through teams and accounts, each line with its path. \
         `person` is an e-mail address or Heroku's id; search finds it.",
    ),
    tool(
        "search",
        "Find by part of a name",
        Deed::Search,
        &[Operation::Query],
        "Finds people, teams or apps whose name or e-mail address contains a text; upper and lower case differ. Gives ids and names for the other tools.",
    ),
    tool(
        "list_people",
        "People",
        Deed::People,
        &[Operation::ListPeople],
        "Lists people with Heroku accounts: second factor, federated sign-in, last login. `email` is the exact address or id; search finds parts.",
    ),
    tool(
        "list_teams",
        "Teams",
        Deed::Teams,
        &[Operation::ListTeams],
        "Lists teams with their Enterprise account and how many people and apps they have. `name` is the exact name or id.",
    ),
    tool(
        "list_apps",
        "Apps",
        Deed::Apps,
        &[Operation::ListApps],
        "Lists apps with team, owner, space, state and when they were released. `name` is the exact name or id; `team` lists one team's apps.",
    ),
    tool(
        "list_changes",
        "Changes",
        Deed::Changes,
        &[Operation::ListChanges],
        "Lists what was added, removed or changed between readings, oldest first: grants, and properties of objects with their values before and \
         after. `since` and `until` are versions or times such as 2026-11-20T00:00:00Z; without `since` it begins with the first reading, \
         so give one for what is recent. `kind` is grant, or the kind of an object such as app, team or user; `change` is added, removed or changed.",
    ),
    tool(
        "list_findings",
        "Findings",
        Deed::Findings,
        &[Operation::ListFindings],
        "Lists what the rules found, newest first: rule, level, subject, since when, and what people decided. `state` is one or several of \
         open, acknowledged, accepted, resolved, with commas between; without it all are listed.",
    ),
    tool(
        "get_finding",
        "One finding",
        Deed::Finding,
        &[Operation::GetFinding],
        "Shows one finding with everything that happened to it and the evidence of its rule.",
    ),
    tool(
        "list_questions",
        "Ready questions",
        Deed::Questions,
        &[Operation::Query],
        "Lists ready questions on access, leavers, second factors, production apps, cost and more: id, title, what the answer means, and what \
         has to be filled in. `words` keeps those in which every word occurs, `tag` those with a tag.",
    ),
    tool(
        "ask_question",
        "Ask a ready question",
        Deed::AskQuestion,
        &[Operation::Query],
        "Answers one of the ready questions by its id, with values for what it leaves open in `variables`.",
    ),
    tool(
        "list_connectors",
        "Connectors and what they read",
        Deed::Connectors,
        &[Operation::ListConnectors, Operation::ListRuns, Operation::GetRun],
        "Lists the Heroku accounts that are read, with state, last reading, next reading, and of the newest version every listing that could not be read. \
         Look here before you say that something does not exist or that somebody has no access: what was not read is unknown, not absent.",
    ),
    tool(
        "propose_plan",
        "Propose a change of access",
        Deed::ProposePlan,
        &[Operation::CreatePlan],
        "Writes down a plan to grant or revoke access: the steps, and who would gain or lose what. It changes nothing on Heroku, and \
         there is no tool that applies it: a person reviews the plan in Metsuke and applies it, or lets it expire. `action` is grant, revoke or remove \
         (remove takes everything from a person). For a team give `team` and `role`; for an app `app` and either `permissions` (view, deploy, \
         operate, manage) or `collaborator: true`. Give the `reason` in the words of the person you act for. \
         Tell them the plan's id afterwards. The state is read from Heroku first.",
    ),
    tool(
        "get_plan",
        "One plan",
        Deed::Plan,
        &[Operation::GetPlan],
        "Shows a plan: its steps, its effects, and how far it has come.",
    ),
];

static TOLD: LazyLock<BTreeMap<&'static str, Value>> =
    LazyLock::new(|| Tool::all().map(|tool| (tool.name, told(tool))).collect());

const fn tool(
    name: &'static str,
    title: &'static str,
    deed: Deed,
    needs: &'static [Operation],
    description: &'static str,
) -> Tool {
    Tool { name, title, description, deed, needs }
}

impl Tool {
    /// Every tool, in the order in which they are told.
    pub(super) fn all() -> impl Iterator<Item = &'static Self> {
        TOOLS.iter()
    }

    /// The tool of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        TOOLS.iter().find(|tool| tool.name == name)
    }

    /// Whether it writes anything.
    fn writes(deed: Deed) -> bool {
        deed == Deed::ProposePlan
    }

    /// What a client is told of it.
    pub(super) fn description_for_clients(&self) -> &Value {
        TOLD.get(self.name).unwrap_or(&Value::Null)
    }

    /// What it takes.
    pub(super) fn input(&self) -> &Value {
        &self.description_for_clients()["inputSchema"]
    }
}

fn told(tool: &Tool) -> Value {
    let Tool { name, title, description, deed, .. } = *tool;
    let writes = Tool::writes(deed);
    json!({
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": schemas::input(deed),
        "outputSchema": schemas::output(deed),
        "annotations": {
            "title": title,
            "readOnlyHint": !writes,
            "destructiveHint": false,
            "idempotentHint": !writes,
            // A plan is made of what Heroku says at this moment.
            "openWorldHint": writes,
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_one_operation_that_writes_is_the_one_that_plans() {
        for tool in Tool::all() {
            for operation in tool.needs {
                let plans = *operation == Operation::CreatePlan;
                assert_eq!(operation.writes(), plans, "{} asks {operation}", tool.name);
                assert_eq!(
                    tool.description_for_clients()["annotations"]["readOnlyHint"],
                    !plans,
                    "{}",
                    tool.name
                );
            }
            assert!(!tool.needs.contains(&Operation::ApplyPlan));
        }
    }

    #[test]
    fn names_are_told_once_and_fit_every_client() {
        let mut names = BTreeSet::new();
        for tool in Tool::all() {
            assert!(names.insert(tool.name), "{}", tool.name);
            assert!(tool.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", tool.name);
            assert!(std::ptr::eq(Tool::named(tool.name).unwrap(), tool));
            assert!(tool.description.len() > 60 && tool.description.ends_with('.'), "{}", tool.name);
        }
    }
}
