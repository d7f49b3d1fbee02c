//! `metsuke token`: tokens of programs that use the API.
//!
//! How a token is made and kept is the engine's business; here it is shown, once.

use std::sync::Arc;
use std::time::Duration;

use metsuke_clients::server::Content;
use metsuke_engine::identity::{Role, Scope, Token, TokenAsk, Tokens};
use metsuke_model::{Clock as _, Moment, SystemClock};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::context::Context;
use crate::failure::Exit;
use crate::operator::operator;
use crate::remote::Remote;
use crate::rows::{self, Cell, Column};

/// Make, list and revoke tokens for the API
///
/// A token is shown once and kept as a hash. Whoever can write to the database can make one.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Roles: viewer sees the estate; auditor sees everything, the audit trail included; reviewer decides about
findings; operator runs connectors and changes access; admin may do everything.

Examples:
  metsuke token create --role admin --name first
  metsuke token create --role viewer --name dashboard --scope estate:read --expires 90d
  metsuke token list
  metsuke token revoke 019a9d5e-8a30-7c61-9a2e-3f2a9c01d4e7"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a token; it is printed alone on the last line, and never again
    Create(CreateArgs),
    /// List the tokens
    List,
    /// Revoke a token at once
    Revoke {
        /// Its id
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, clap::Args)]
struct CreateArgs {
    /// What it is trusted with: viewer, auditor, reviewer, operator or admin
    #[arg(long, value_name = "ROLE")]
    role: Role,
    /// What it is called
    #[arg(long, value_name = "NAME")]
    name: String,
    /// When it is no longer accepted: a time, a date, or a number of days such as 90d
    #[arg(long, value_name = "TIME|DAYS", value_parser = expiry)]
    expires: Option<Expiry>,
    /// Narrow it down: `read`, `write`, or one of them for an area, as in `connectors:write`; may be repeated
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<Scope>,
    /// The person it acts for: what they own counts as its own
    #[arg(long, value_name = "EMAIL")]
    person: Option<String>,
}

/// When a token is no longer accepted.
#[derive(Clone, Copy, Debug)]
enum Expiry {
    At(Moment),
    In(Duration),
}

fn expiry(text: &str) -> Result<Expiry, String> {
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u64>().ok());
    if let Some(length) = days.and_then(|days| days.checked_mul(24 * 3600)) {
        return Ok(Expiry::In(Duration::from_secs(length)));
    }
    Moment::parse(text).or_else(|| Moment::parse(&format!("{text}T00:00:00Z"))).map(Expiry::At).ok_or_else(
        || format!("`{text}` is neither a time such as 2026-11-21T08:00:00Z nor days such as 90d"),
    )
}

impl Expiry {
    fn moment(self) -> Moment {
        match self {
            Self::At(at) => at,
            Self::In(length) => {
                let length = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
                Moment(SystemClock.now().0.saturating_add(length))
            }
        }
    }
}

impl Args {
    /// Makes, lists or revokes.
    ///
    /// # Errors
    ///
    /// What the engine said, or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.made_database().await?.acting_as(operator());
        let tokens = Tokens::new(store, Arc::new(SystemClock));
        match self.command {
            Command::Create(args) => create(context, &tokens, args).await?,
            Command::List => {
                rows::write(context.output, TOKENS, &tokens.list("", u32::MAX).await?)?;
            }
            Command::Revoke { id } => {
                rows::write(context.output, TOKENS, &[tokens.revoke(&id).await?])?;
            }
        }
        Ok(Exit::Done)
    }
}

impl Args {
    /// Makes, lists or revokes at a server.
    ///
    /// # Errors
    ///
    /// What the server said, or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        match self.command {
            Command::Create(CreateArgs { role, name, expires, scopes, person }) => {
                let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
                let expires = expires.map(Expiry::moment);
                let ask = json!({
                    "name": name, "role": role, "scopes": scopes, "person": person, "expires_at": expires,
                });
                let made: Value = remote.post(&["tokens"], ask).await?;
                let told = |name: &str| made[name].as_str().unwrap_or_default().to_owned();
                context.note(&format!(
                    "note: token {} is shown this once; keep it where only its user can read it",
                    told("id")
                ));
                context.output.print(&format!("{}\n", told("token")))?;
            }
            Command::List => {
                let tokens: Vec<Token> = remote.rows(&["tokens"], Vec::new(), usize::MAX).await?;
                rows::write(context.output, TOKENS, &tokens)?;
            }
            Command::Revoke { id } => {
                let gone = remote.send("DELETE", &["tokens", &id], Vec::new(), Content::Nothing).await?;
                rows::write(context.output, TOKENS, &[gone])?;
            }
        }
        Ok(Exit::Done)
    }
}

async fn create(context: &Context, tokens: &Tokens, args: CreateArgs) -> anyhow::Result<()> {
    let CreateArgs { role, name, expires, scopes, person } = args;
    let ask = TokenAsk { name, role, scopes, person, expires_at: expires.map(Expiry::moment) };
    let made = tokens.create(ask).await?;
    context.note(&format!(
        "note: token {} is shown this once; keep it where only its user can read it",
        made.kept.id
    ));
    context.output.print(&format!("{}\n", made.token.expose_secret()))?;
    Ok(())
}

const TOKENS: &[Column<Token>] = &[
    Column::new("id", "ID", |token| Cell::text(Some(&token.id))),
    Column::new("name", "NAME", |token| Cell::text(Some(&token.name))),
    Column::new("role", "ROLE", |token| Cell::text(Some(&token.role))),
    Column::new("scopes", "SCOPES", |token| {
        Cell::text((!token.scopes.is_empty()).then(|| token.scopes.join(" ")))
    }),
    Column::new("person", "FOR", |token| Cell::text(token.person.as_deref())),
    Column::csv("created_by", |token| Cell::text(Some(&token.created_by))),
    Column::new("created_at", "MADE (UTC)", |token| Cell::Time(Some(token.created_at))),
    Column::new("expires_at", "EXPIRES (UTC)", |token| Cell::Time(token.expires_at)),
    Column::new("revoked_at", "REVOKED (UTC)", |token| Cell::Time(token.revoked_at)),
    Column::new("last_used_at", "USED (UTC)", |token| Cell::Time(token.last_used_at)),
];
