//! The checks that ask Heroku: token, address, account, scope, what can be read, budget.
//!
//! It looks at first pages only; reading an estate is a sync's work.

use std::fmt::Display;
use std::time::Duration;

use metsuke_clients::heroku::{Endpoint, Heroku, Row, endpoint, wire};
use metsuke_clients::{ClientError, ErrorKind};
use metsuke_engine::desk::{Check, Fitness, Patient};

use super::{checked, fail, ok, warn};
use crate::args::HerokuArgs;
use crate::context::{Context, brief};
use crate::text::{count, length, listed, number};

const MAKE: &str =
    "make one on a service account with `heroku authorizations:create --description metsuke --scope global`";
/// How long a connector's Heroku may keep a server's answer waiting.
const PATIENCE: Duration = Duration::from_secs(5);
/// A pool with fewer requests than this makes a sync wait.
const LOW: u32 = 900;

/// All checks that need no database.
pub(super) async fn check(context: &Context, args: &HerokuArgs) -> Vec<Check> {
    let mut checks = Vec::new();
    let address = match context.config.heroku_url(args.heroku_url.as_ref()) {
        Ok(url) => url,
        Err(failure) => return vec![fail("address", &failure.into())],
    };
    let token = match context.config.token(args.token_file.as_deref()) {
        Ok(token) => token,
        Err(failure) => return vec![fail("token", &failure.into())],
    };
    checks.push(ok("token", format!("there is one, from {}", token.from)));
    let mut settings = metsuke_clients::heroku::Settings::new(address.value, token.value);
    settings.attempts = 2;
    settings.request_timeout = Duration::from_secs(20);
    settings.idle_timeout = Duration::from_secs(10);
    let host = settings.base_url.host_str().unwrap_or_default().to_owned();
    match Heroku::new(settings) {
        Ok(heroku) => ask(&heroku, &host, &address.from, &mut checks).await,
        Err(error) => checks.push(fail("address", &error.into())),
    }
    checks
}

/// All checks of a connector: its token is kept, and its address is its own.
pub(super) async fn of_connector(patient: Patient) -> Vec<Check> {
    let Patient { name, host, heroku } = patient;
    let mut checks = Vec::new();
    match heroku {
        Ok(heroku) => {
            let asked = ask(&heroku, &host, "the connector's settings", &mut checks);
            if tokio::time::timeout(PATIENCE, asked).await.is_err() {
                let told = format!("{host} did not answer everything within {} seconds", PATIENCE.as_secs());
                let hint = "look again in a moment; what was not asked yet stands nowhere here";
                checks.push(Check { hint: Some(hint.into()), ..checked("answers", Fitness::Fail, told) });
            }
        }
        Err(error) => checks.push(fail("account", &error.into())),
    }
    for check in &mut checks {
        check.connector = Some(name.clone());
    }
    checks
}

async fn ask(heroku: &Heroku, host: &str, from: &str, checks: &mut Vec<Check>) {
    let account = heroku.account().await;
    let reached = || ok("address", format!("{host} answers (from {from})"));
    match account {
        Ok(account) => {
            checks.push(reached());
            checks.push(own(&account));
            checks.push(sign_in(&account));
        }
        Err(error) => match error.kind() {
            ErrorKind::Unauthorized => {
                checks.push(reached());
                let refused = anyhow::Error::from(error).context("Heroku does not accept the token");
                checks.push(fail("account", &refused));
                return;
            }
            ErrorKind::Forbidden { .. } => {
                checks.push(reached());
                let told = "the token's scope does not show its own account; a sync goes on without it";
                checks.push(warn("account", told, MAKE));
            }
            _ => {
                checks.push(fail("address", &error.into()));
                return;
            }
        },
    }
    checks.extend(heroku.scopes().map(|scopes| scope(&scopes)));
    checks.push(first_page(heroku, "Enterprise accounts", endpoint::enterprise_accounts()).await.0);
    let (check, teams) = first_page(heroku, "teams", endpoint::teams()).await;
    checks.push(check);
    checks.push(first_page(heroku, "apps", endpoint::apps()).await.0);
    if let Some(team) = teams.iter().find(|team| team.role.is_some()) {
        checks.push(members(heroku, team).await);
    }
    checks.push(budget(heroku));
}

fn own(account: &wire::Account) -> Check {
    let email = account.email.as_deref().unwrap_or(&account.id);
    if let Some(since) = &account.suspended_at {
        let hint = "Heroku's support can tell why; use the token of another account until then";
        return Check {
            hint: Some(hint.into()),
            ..checked("account", Fitness::Fail, format!("{email} is suspended since {since}"))
        };
    }
    if let Some(since) = &account.delinquent_at {
        let told = format!("{email} is behind with a payment since {since}, and Heroku may refuse it");
        return warn("account", told, "settle the payment, or use the token of another account");
    }
    ok("account", email)
}

fn sign_in(account: &wire::Account) -> Check {
    match (account.federated, account.two_factor_authentication) {
        (Some(true), _) => warn(
            "sign-in",
            "the account is federated: it signs in through an identity provider, and such an account cannot keep a \
             lasting token",
            "invite a service account that signs in with password and second factor, give it the roles that are to be \
             seen, and make the token there",
        ),
        (_, Some(false)) => warn(
            "sign-in",
            "the account has a password and no second factor",
            "whoever learns its password holds all that the token can do; turn the second factor on",
        ),
        (_, Some(true)) => ok("sign-in", "password and second factor, not federated: the token can last"),
        (_, None) => ok("sign-in", "not federated, as far as Heroku says: the token can last"),
    }
}

fn scope(scopes: &[String]) -> Check {
    let named = listed(scopes);
    if scopes.iter().any(|scope| scope == "global") {
        return ok("scope", format!("{named}: reads and writes all that the account's roles allow"));
    }
    let has = |words: &[&str]| scopes.iter().any(|scope| words.contains(&scope.as_str()));
    let reads_apps = has(&["read", "read-protected", "write", "write-protected"]);
    let mut can = Vec::new();
    if has(&["identity"]) {
        can.push("its own account");
    }
    if reads_apps {
        can.push("teams, apps, add-ons, pipelines and spaces");
    }
    let can = if can.is_empty() { "nothing that matters here".into() } else { can.join(", ") };
    let writes = if has(&["write", "write-protected"]) { "apps" } else { "nothing" };
    let told = format!(
        "{named}: reads {can}; writes {writes}; cannot read the members of teams and of Enterprise accounts, and \
         invitations, so a sync stays partial"
    );
    Check {
        hint: Some(format!("a scope of `global` is needed; {MAKE}")),
        ..checked("scope", if reads_apps { Fitness::Warn } else { Fitness::Fail }, told)
    }
}

/// Reads the first page of a list and tells how much stands on it.
async fn first_page<T: Row>(heroku: &Heroku, what: &'static str, endpoint: Endpoint<T>) -> (Check, Vec<T>) {
    match heroku.walk(endpoint).next().await {
        Ok(page) => {
            let rows = number(length(&page.rows));
            let more = if page.last { "" } else { " on the first page, and there are more" };
            let told = format!("can be read: {rows}{more}");
            let check = if page.rows.is_empty() && what == "teams" {
                warn(
                    what,
                    "the account is in no team",
                    "a personal estate is read all the same; otherwise let an admin add the account to the teams that are to be seen",
                )
            } else {
                ok(what, told)
            };
            (check, page.rows)
        }
        Err(error) => (refused(what, format!("{what} cannot be read"), &error), Vec::new()),
    }
}

async fn members(heroku: &Heroku, team: &wire::Team) -> Check {
    let name = team.name.as_deref().unwrap_or(&team.id);
    match heroku.walk(endpoint::team_members(&team.id)).next().await {
        Ok(page) => {
            let members = count(length(&page.rows), "row", "rows");
            let more = if page.last { "" } else { " on the first page" };
            ok("members", format!("of team `{name}` can be read: {members}{more}"))
        }
        Err(error) => refused("members", format!("of team `{name}` cannot be read"), &error),
    }
}

fn refused(check: &'static str, what: impl Display, error: &ClientError) -> Check {
    Check {
        hint: error.hint(),
        ..checked(check, Fitness::Warn, format!("{what}: {}", brief(&error.to_string())))
    }
}

fn budget(heroku: &Heroku) -> Check {
    match heroku.usage().remaining {
        None => ok("budget", "Heroku did not say how many requests are left"),
        Some(left) if left < LOW => warn(
            "budget",
            format!("{} requests are left in the account's pool", number(left.into())),
            "other tools use the same account; a sync waits where it must, 75 requests come back a minute",
        ),
        Some(left) => {
            ok("budget", format!("{} requests are left in the account's pool", number(left.into())))
        }
    }
}
