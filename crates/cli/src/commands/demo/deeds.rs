//! What the demonstration's admin has done in those weeks: a roster, a rule, a channel, somebody protected, and plans in several states.
//!
//! Everything is done as the pages do it, against the simulated Heroku.
//!
//! Invariant: what is planned here and not applied changes nothing.

use metsuke_engine::access::provision::{Ask, On, Planned};
use metsuke_engine::desk::{ChannelAsk, Desk, SingleAsk};
use metsuke_engine::identity::{Caller, Credential, Role};
use metsuke_engine::questions::QuestionEdit;
use metsuke_model::people::RosterKind;
use serde_json::json;

use super::roster;
use super::story::Cast;

/// A contractor of the story, and what of theirs is to be taken.
const CONTRACTOR: &str = "sam.lee@contractor.example";

/// Whoever does it.
fn admin(email: &str) -> Caller {
    Caller {
        credential: Credential::Session,
        token: "demo".into(),
        name: email.into(),
        role: Role::Admin,
        scopes: Vec::new(),
        person: Some(email.into()),
    }
}

/// Sets up what is there from the beginning.
///
/// # Errors
///
/// What the database said.
pub(super) async fn set_up(desk: &Desk, email: &str) -> anyhow::Result<()> {
    let caller = admin(email);
    let rule = json!({
        "name": "contractors-who-deploy",
        "description": "Somebody from outside can change the code of an app",
        "specVersion": 1,
        "pollingInterval": "ONE_DAY",
        "question": { "queries": [{
            "name": "query0",
            "version": "v1",
            "query": "FIND heroku_account_member WITH email $= 'contractor.example' OR email $= 'agency.example' AS u\n  THAT ACCESSES AS way heroku_application AS app\nWHERE way.permissions = 'deploy'\nRETURN u.email AS email, app.name AS app",
        }] },
        "operations": [{
            "when": { "type": "FILTER", "specVersion": 1, "condition": ["AND", ["queries.query0.total", ">", 0]] },
            "actions": [
                { "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "HIGH" },
                { "type": "CREATE_ALERT" },
            ],
        }],
        "outputs": ["queries.query0.total", "alertLevel"],
        "remediationSteps": "Ask their contact in the company whether the work goes on; else take their row.",
    });
    desk.save_rule(&caller, None, &rule, true).await?;
    // It is off: nothing leaves a demonstration.
    let settings = json!({ "way": { "kind": "slack" }, "level": "HIGH" });
    let secret = Some("https://hooks.slack.example/services/made-up".into());
    let channel = ChannelAsk { name: "#security in Slack".into(), settings, enabled: false, secret };
    desk.save_channel(&caller, None, channel).await?;
    keep_questions(desk, &caller).await
}

/// Saves questions, the admin's own and one that somebody else shares, and puts them on the admin's overview.
async fn keep_questions(desk: &Desk, caller: &Caller) -> anyhow::Result<()> {
    let outside = question(
        "How many people from outside can deploy?",
        "FIND heroku_account_member WITH email $= 'contractor.example' OR email $= 'agency.example' AS u\n  THAT ACCESSES AS way heroku_application AS app\nWHERE way.permissions = 'deploy'\nRETURN count(u) AS people",
        "Each of them needs a contact in the company and a date on which it ends.",
        &["access", "outsiders"],
    );
    let empty = question(
        "Which teams have no app?",
        "FIND heroku_team AS team\n  (THAT OWNS heroku_application AS app)?\nWHERE app.id = undefined\nRETURN team.name AS team\nORDER BY team.name",
        "A team without an app is often left over.",
        &["teams", "hygiene"],
    );
    let passwords = question(
        "How many people sign in with a password alone?",
        "FIND heroku_account_member WITH mfaEnabled = false AND federated != true AS person\nRETURN count(person) AS people",
        "It should go down every week until it is nought.",
        &["second-factor"],
    );
    let colleague = admin("morgan.ellis@northwind.example");
    let outside = QuestionEdit { shared: Some(true), ..outside };
    let passwords = QuestionEdit { shared: Some(true), ..passwords };
    let mut tiles = Vec::new();
    for (whose, edit) in [(caller, outside), (&colleague, passwords)] {
        tiles.push(desk.keep_question(whose, None, edit).await?.id);
    }
    desk.keep_question(caller, None, empty).await?;
    tiles.push("admins-without-second-factor".to_owned());
    desk.arrange_tiles(caller, &tiles).await?;
    Ok(())
}

fn question(title: &str, text: &str, explanation: &str, tags: &[&str]) -> QuestionEdit {
    QuestionEdit {
        title: Some(title.into()),
        text: Some(text.into()),
        explanation: Some(explanation.into()),
        tags: Some(tags.iter().map(ToString::to_string).collect()),
        ..QuestionEdit::default()
    }
}

/// Takes the roster in: what the company's people department says of who works there.
///
/// # Errors
///
/// What is wrong with the roster, and what the database said.
pub(super) async fn take_roster(desk: &Desk, email: &str, roster: &[u8]) -> anyhow::Result<()> {
    let named = (roster::NAME, RosterKind::Csv);
    desk.import_roster(&admin(email), None, named, roster, false).await?;
    Ok(())
}

/// Gives somebody a role, and protects somebody else.
///
/// # Errors
///
/// What Heroku or the database said.
pub(super) async fn done_before(desk: &Desk, email: &str, cast: &Cast) -> anyhow::Result<()> {
    let caller = admin(email);
    desk.protect(&caller, None, cast.person(7), true).await?;
    let role = Ask::Grant {
        user: cast.person(90).into(),
        on: On::Team { team: cast.team(5).into(), role: "member".into() },
    };
    if let Some(plan) = planned(desk, &caller, role, "Joins the team for the migration").await? {
        desk.apply(&caller, &plan, None).await?;
    }
    Ok(())
}

/// Plans what waits, and one that is called off.
///
/// # Errors
///
/// What Heroku or the database said.
pub(super) async fn done_lately(desk: &Desk, email: &str, cast: &Cast) -> anyhow::Result<()> {
    let caller = admin(email);
    let admin_role = Ask::Grant {
        user: cast.person(33).into(),
        on: On::Team { team: cast.team(8).into(), role: "admin".into() },
    };
    if let Some(plan) = planned(desk, &caller, admin_role, "Stands in during holidays").await? {
        desk.cancel_plan(&caller, &plan, Some("a member’s role is enough")).await?;
    }
    let leaving = Ask::Remove { user: cast.person(41).into() };
    planned(desk, &caller, leaving, "Last day on Friday").await?;
    let asked = SingleAsk { connector: None, as_of: None, object: CONTRACTOR };
    if let Some(app) = desk.person(asked).await?.found.apps.first() {
        let on = On::App { app: app.app.name.to_string(), permissions: Vec::new() };
        let row = Ask::Revoke { user: CONTRACTOR.into(), on };
        planned(desk, &caller, row, "The contract has ended").await?;
    }
    Ok(())
}

/// The id of a plan; none where there is nothing to plan.
async fn planned(desk: &Desk, caller: &Caller, ask: Ask, why: &str) -> anyhow::Result<Option<String>> {
    match desk.plan(caller, false, None, ask, Some(why.to_owned())).await? {
        Planned::Plan(plan) => Ok(Some(plan.id())),
        Planned::Unchanged(_) | Planned::Refused(_) => Ok(None),
    }
}
