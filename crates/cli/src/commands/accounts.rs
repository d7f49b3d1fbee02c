//! `metsuke accounts`: people who sign in, for whoever has the database in hand.
//!
//! What an account may do and how it is kept is the engine's business.
//!
//! Invariant: a password comes from stdin, and is shown nowhere.

use std::io::Read as _;
use std::sync::Arc;

use metsuke_clients::server::Content;
use metsuke_engine::connectors::Installation;
use metsuke_engine::identity::{Account, AccountAsk, AccountEdit, People, Role};
use metsuke_model::SystemClock;
use secrecy::SecretString;
use serde_json::json;

use crate::config::spelled;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::operator::operator;
use crate::remote::Remote;
use crate::rows::{self, Cell, Column};

/// The most that is read of stdin: far more than any password has.
const LONGEST: u64 = 4096;

/// Make, list and mend accounts of people who sign in
///
/// Whoever can write to the database can do this. Passwords are read from stdin, without the newline at their end. Each
/// change ends the person's sessions where it takes trust away.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  metsuke accounts add ann@example.com --role admin < password.txt
  metsuke accounts add bob@example.com --role viewer --no-password
  metsuke accounts list
  metsuke accounts disable bob@example.com
  metsuke accounts reset-password ann@example.com < password.txt
  metsuke accounts reset-totp ann@example.com")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the accounts
    List,
    /// Make an account; the password is read from stdin
    Add {
        /// The e-mail address, by which the person signs in and owns connectors and apps
        #[arg(value_name = "EMAIL")]
        email: String,
        /// What the person is trusted with: viewer, auditor, reviewer, operator or admin
        #[arg(long, value_name = "ROLE")]
        role: Role,
        /// What the person is called
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Read no password: the person signs in through a provider of identities
        #[arg(long)]
        no_password: bool,
    },
    /// Let nobody sign in with an account, and end its sessions
    Disable {
        /// Its e-mail address or id
        #[arg(value_name = "EMAIL|ID")]
        account: String,
    },
    /// Let its person sign in again
    Enable {
        /// Its e-mail address or id
        #[arg(value_name = "EMAIL|ID")]
        account: String,
    },
    /// Give an account another password, which is read from stdin
    ResetPassword {
        /// Its e-mail address or id
        #[arg(value_name = "EMAIL|ID")]
        account: String,
    },
    /// Ask an account for no second factor any more
    ResetTotp {
        /// Its e-mail address or id
        #[arg(value_name = "EMAIL|ID")]
        account: String,
    },
}

impl Args {
    /// Makes, lists or mends.
    ///
    /// # Errors
    ///
    /// What the engine said, or reading stdin or writing to stdout met.
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let store = context.made_database().await?.acting_as(operator());
        let clock = Arc::new(SystemClock);
        let installation = Installation::open(store, context.config.seal_file()?, clock.clone()).await?;
        let people = People::new(installation, clock);
        let disabled = |disabled| AccountEdit { disabled: Some(disabled), ..AccountEdit::default() };
        let shown = match self.command {
            Command::List => people.list("", u32::MAX).await?,
            Command::Add { email, role, name, no_password } => {
                let password = if no_password { None } else { Some(password()?) };
                vec![people.create(AccountAsk { email, name, role, password }).await?]
            }
            Command::Disable { account } => vec![people.edit(&account, disabled(true)).await?],
            Command::Enable { account } => vec![people.edit(&account, disabled(false)).await?],
            Command::ResetPassword { account } => {
                vec![people.reset_password(&account, &password()?).await?]
            }
            Command::ResetTotp { account } => vec![people.reset_second_factor(&account).await?],
        };
        rows::write(context.output, ACCOUNTS, &shown)?;
        Ok(Exit::Done)
    }
}

impl Args {
    /// Makes, lists or mends at a server.
    ///
    /// # Errors
    ///
    /// What the server said, or reading stdin or writing to stdout met.
    pub(crate) async fn through(self, context: &Context, remote: &Remote) -> anyhow::Result<Exit> {
        let all: Vec<Account> = remote.rows(&["accounts"], Vec::new(), usize::MAX).await?;
        let id = |asked: &str| {
            let is = |one: &&Account| one.id == asked || one.email.eq_ignore_ascii_case(asked);
            let missing = || Failure::new(format!("there is no account `{asked}`"));
            all.iter().find(is).map(|one| one.id.clone()).ok_or_else(missing)
        };
        let disable = |disabled: bool| Content::Json(json!({ "disabled": disabled }));
        let none = Vec::new;
        let shown = match self.command {
            Command::List => all,
            Command::Add { email, role, name, no_password } => {
                let mut ask = json!({ "email": email, "name": name, "role": role });
                if !no_password {
                    ask["password"] = json!(spelled(&password()?));
                }
                vec![remote.post(&["accounts"], ask).await?]
            }
            Command::Disable { account } => {
                vec![remote.send("PATCH", &["accounts", &id(&account)?], none(), disable(true)).await?]
            }
            Command::Enable { account } => {
                vec![remote.send("PATCH", &["accounts", &id(&account)?], none(), disable(false)).await?]
            }
            Command::ResetPassword { account } => {
                let body = Content::Json(json!({ "password": spelled(&password()?) }));
                let path = ["accounts", &id(&account)?, "password"];
                vec![remote.send("PUT", &path, none(), body).await?]
            }
            Command::ResetTotp { account } => {
                let path = ["accounts", &id(&account)?, "second-factor"];
                vec![remote.send("DELETE", &path, none(), Content::Nothing).await?]
            }
        };
        rows::write(context.output, ACCOUNTS, &shown)?;
        Ok(Exit::Done)
    }
}

/// A password from stdin.
fn password() -> Result<SecretString, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(LONGEST).read_to_string(&mut text);
    read.map_err(|error| Failure::usage(format!("the password cannot be read from stdin: {error}")))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).into())
}

const ACCOUNTS: &[Column<Account>] = &[
    Column::new("id", "ID", |account| Cell::text(Some(&account.id))),
    Column::new("email", "E-MAIL", |account| Cell::text(Some(&account.email))),
    Column::new("name", "NAME", |account| Cell::text(Some(&account.name))),
    Column::new("role", "ROLE", |account| Cell::text(Some(&account.role))),
    Column::new("source", "FROM", |account| Cell::text(Some(&account.source))),
    Column::new("second_factor", "SECOND FACTOR", |account| {
        Cell::text(Some(if account.second_factor { "yes" } else { "no" }))
    }),
    Column::csv("created_by", |account| Cell::text(Some(&account.created_by))),
    Column::new("created_at", "MADE (UTC)", |account| Cell::Time(Some(account.created_at))),
    Column::new("disabled_at", "DISABLED (UTC)", |account| Cell::Time(account.disabled_at)),
    Column::new("signed_in_at", "SIGNED IN (UTC)", |account| Cell::Time(account.signed_in_at)),
];
