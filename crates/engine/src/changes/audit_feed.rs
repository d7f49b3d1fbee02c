//! Polls Heroku's audit trail of Enterprise accounts: what it tells is read again, and who did it is kept.
//!
//! Heroku tells a day at a time, late and in no order; so today is read each time and yesterday now and then, and each
//! entry is acted on once, by its id.
//!
//! Invariant: an entry only ever asks for a reading. What happened before the last whole sync began asks for none.

use std::time::Duration;

use metsuke_clients::ErrorKind as ClientKind;
use metsuke_clients::heroku::{Heroku, endpoint, wire};
use metsuke_model::record::EnterpriseAccount;
use metsuke_model::{Clock, HerokuId, Moment, Version};
use metsuke_store::{Select, Store, TrailEntry};

use super::about::word;
use super::author::{Entry, SKEW, attribute};
use crate::EngineError;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// How long an account is left alone that did not let its trail be read.
const REFUSED_FOR: u64 = 3_600_000_000;

/// How the trail is polled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeedSettings {
    /// How often yesterday is read; today is read each time.
    pub yesterday_every: Duration,
    /// The part of the account's pool of requests that must be left, 0 to 1; with less nothing is polled.
    pub least_left: f64,
}

impl Default for FeedSettings {
    fn default() -> Self {
        Self { yesterday_every: Duration::from_mins(10), least_left: 0.25 }
    }
}

/// Why nothing was polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// No version names an Enterprise account.
    NoAccount,
    /// The account's pool of requests is to be left to others.
    Budget,
}

/// What a poll came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Feed {
    /// Accounts whose trail was read.
    pub accounts: u32,
    /// Accounts that do not let it be read.
    pub refused: u32,
    /// Entries that were not known before.
    pub fresh: u64,
    /// Of how many recorded changes it is now known otherwise who made them.
    pub attributed: u64,
    /// Why nothing was polled.
    pub skipped: Option<Skipped>,
}

/// Polls once; to be called about every minute. What is to be read again then, [`read_again`](super::read_again) reads.
///
/// # Errors
///
/// [`EngineError::Upstream`] and [`EngineError::WrongToken`], and what the database said. What was read is kept.
pub async fn audit_feed(
    store: &Store,
    heroku: &Heroku,
    settings: &FeedSettings,
    clock: &dyn Clock,
) -> Result<Feed, EngineError> {
    let mut feed = Feed::default();
    let accounts = match store.snapshot(None).await? {
        Some(mut snapshot) => snapshot.objects::<EnterpriseAccount>(&Select::All).await?,
        None => Vec::new(),
    };
    if accounts.is_empty() {
        return Ok(Feed { skipped: Some(Skipped::NoAccount), ..feed });
    }
    let budget = heroku.budget();
    let least = f64::from(budget.size()) * settings.least_left;
    if budget.remaining().is_some_and(|left| f64::from(left) < least) {
        return Ok(Feed { skipped: Some(Skipped::Budget), ..feed });
    }
    let whole = store.whole_before(Version(i64::MAX)).await?;
    let floor = whole.map_or(i64::MAX, |run| run.started_at.0 - SKEW);
    let mut fresh = Vec::new();
    for account in accounts {
        match poll(store, heroku, &account.record.id, settings, (clock.now(), Moment(floor))).await? {
            Some(entries) => {
                feed.accounts += 1;
                fresh.extend(entries);
            }
            None => feed.refused += 1,
        }
    }
    feed.fresh = fresh.len() as u64;
    feed.attributed = attribute(store, &fresh, clock).await?;
    Ok(feed)
}

/// Reads the days of one account that are due; none where it does not let them be read.
async fn poll(
    store: &Store,
    heroku: &Heroku,
    account: &HerokuId,
    settings: &FeedSettings,
    (now, floor): (Moment, Moment),
) -> Result<Option<Vec<TrailEntry>>, EngineError> {
    let today = Moment(now.0 - now.0.rem_euclid(DAY));
    let yesterday = Moment(today.0 - DAY);
    let (key, closed) = (account.to_string(), format!("{account} refused"));
    if store.trail_read_at(&closed, today).await?.is_some_and(|at| now.since(at) < REFUSED_FOR) {
        return Ok(None);
    }
    let mut days = vec![today];
    let every = u64::try_from(settings.yesterday_every.as_micros()).unwrap_or(u64::MAX);
    // Until it was read once after its end, a day may lack its last minutes.
    let due = |read: Moment| read < today || now.since(read) >= every;
    if store.trail_read_at(&key, yesterday).await?.is_none_or(due) {
        days.push(yesterday);
    }
    let mut entries = Vec::new();
    for day in &days {
        match events(heroku, &key, *day).await {
            Ok(rows) => entries.extend(rows.into_iter().map(|row| kept(&row, *day, floor))),
            Err(error) if matches!(error.kind(), ClientKind::Forbidden { .. } | ClientKind::NotFound) => {
                store.keep_trail(&closed, &[today], Vec::new(), now).await?;
                return Ok(None);
            }
            Err(source) if source.kind() == ClientKind::Unauthorized => {
                return Err(EngineError::WrongToken { source });
            }
            Err(source) => return Err(EngineError::Upstream { source }),
        }
    }
    store.keep_trail(&key, &days, entries, now).await.map(Some).map_err(Into::into)
}

async fn events(
    heroku: &Heroku,
    account: &str,
    day: Moment,
) -> Result<Vec<wire::AuditTrailEvent>, metsuke_clients::ClientError> {
    let date: String = day.to_string().chars().take(10).collect();
    let mut walk = heroku.walk(endpoint::enterprise_events(account, &date));
    let mut rows = Vec::new();
    while !walk.finished() {
        rows.extend(walk.next().await?.rows);
    }
    Ok(rows)
}

/// What is kept of an entry, and what it calls for.
fn kept(row: &wire::AuditTrailEvent, day: Moment, floor: Moment) -> (TrailEntry, Vec<String>) {
    let named = |kind: &str, thing: &Option<wire::Named>| {
        let id = thing.as_ref()?.id.as_deref()?;
        Some(word(kind, &HerokuId::new(id)))
    };
    let app = named("app", &row.app);
    let team = named("team", &row.team);
    let account = named("enterprise_account", &row.enterprise_account);
    let wanted: Vec<&Option<String>> = match row.kind.as_deref().unwrap_or_default() {
        // Whoever is on an app of a team is listed among the team's people.
        "collaborator" => vec![&app, &team],
        "app" | "app_transfer" => vec![&app],
        "team" | "team_membership" => vec![&team],
        "enterprise_account_membership" => vec![&account],
        _ => Vec::new(),
    };
    // An entry without a time happened at the beginning of the day that names it.
    let at = row.created_at.as_deref().and_then(Moment::parse).unwrap_or(day);
    let wanted = if at >= floor { wanted.into_iter().flatten().cloned().collect() } else { Vec::new() };
    let text = |text: Option<&str>| text.map(Box::from);
    let actor = row.actor.as_ref();
    let entry = Entry {
        word: format!(
            "{}.{}",
            row.kind.as_deref().unwrap_or_default(),
            row.action.as_deref().unwrap_or_default()
        )
        .into(),
        actor: text(actor.and_then(|actor| actor.email.as_deref())),
        actor_id: text(actor.and_then(|actor| actor.id.as_deref())),
        ip: text(row.request.as_ref().and_then(|request| request.ip_address.as_deref())),
        about: [app, team, account].into_iter().flatten().collect(),
    };
    let document = serde_json::to_value(entry).unwrap_or_default();
    (TrailEntry { id: row.id.clone(), at, document }, wanted)
}
