//! What the values of settings mean: how to reach Heroku, where things are kept, and what is to be done.
//!
//! Nothing is opened here.
//!
//! Invariant: one mode is chosen, and what was set for another is refused and not passed over.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use metsuke_baton::c1z::Keep;
use metsuke_baton::expand::Expand;
use metsuke_baton::id::{self, ResourceKey};
use metsuke_baton::shape::{Options, Type};
pub(crate) use metsuke_baton::source::Skip;
use metsuke_clients::heroku;
use metsuke_engine::access::provision;
use metsuke_model::Moment;
use secrecy::SecretString;
use url::Url;

use crate::failure::{Code, Failure};
use crate::values::{Environment, Values};

const HEROKU: &str = "https://api.heroku.com";
/// The most requests in flight that Heroku is asked for.
const MOST_REQUESTS: i64 = 32;
/// What an unanswered write may take beyond the time limit of its request.
const LATE: Duration = Duration::from_mins(1);
/// How far back events are read where nobody says: a day, in microseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Everything that was set.
#[derive(Debug)]
pub(crate) struct Settings {
    /// How to reach Heroku.
    pub(crate) heroku: heroku::Settings,
    /// What holds changes back.
    pub(crate) provision: provision::Settings,
    /// The `c1z` file.
    pub(crate) file: PathBuf,
    /// What becomes of the syncs that the file holds.
    pub(crate) keep: Keep,
    /// The directory for temporary files, where one was named.
    pub(crate) temporary: Option<PathBuf>,
    /// The database that is kept; none for a temporary one.
    pub(crate) database: Option<String>,
    /// What readers are known to take.
    pub(crate) shape: Options,
    /// The only resource types to sync; empty for all.
    pub(crate) types: BTreeSet<Type>,
    /// What is to be done.
    pub(crate) mode: Mode,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Mode {
    /// Sync once into the file.
    Sync(Wish),
    /// Grant what the file names.
    Grant {
        /// The entitlement's id.
        entitlement: String,
        /// The principal.
        principal: ResourceKey,
    },
    /// Revoke the grant of this id in the file.
    Revoke(String),
    /// Print events.
    Events(Events),
    /// Serve ConductorOne.
    Service(Box<Service>),
}

/// What a sync is to bring.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// Whether expandable grants are expanded.
    pub(crate) expand: Expand,
    /// Only these resources, unless empty.
    pub(crate) resources: Vec<ResourceKey>,
    /// Only resources of these types, unless empty.
    pub(crate) types: BTreeSet<Type>,
    /// What is left out.
    pub(crate) skip: Skip,
    /// Nothing at all is read: a sync without rows.
    pub(crate) empty: bool,
}

/// Which events are printed.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    /// The feed; empty for the first.
    pub(crate) feed: String,
    /// From when on; none for a day ago.
    pub(crate) since: Option<Moment>,
    /// From where an earlier reading ended; empty for the beginning.
    pub(crate) cursor: String,
}

impl Events {
    /// The beginning, told the present.
    pub(crate) fn since(&self, now: Moment) -> Moment {
        self.since.unwrap_or(Moment(now.0.saturating_sub(DAY)))
    }
}

/// How ConductorOne is served.
#[derive(Debug)]
pub(crate) struct Service {
    /// The client id.
    pub(crate) client_id: String,
    /// The client secret.
    pub(crate) client_secret: SecretString,
    /// Where the API is, where it is not the host of the client id.
    pub(crate) host: Option<String>,
    /// What this replica calls itself, where it was told.
    pub(crate) host_id: Option<String>,
    /// Whether tasks are asked for in batches.
    pub(crate) batches: bool,
    /// The most tasks at one moment.
    pub(crate) concurrency: usize,
    /// Where health is served, if at all: host and port.
    pub(crate) health: Option<(String, u16)>,
    /// Full syncs are empty.
    pub(crate) skip_full_sync: bool,
}

impl Settings {
    /// Reads values that passed their [`check`](Values::check).
    ///
    /// # Errors
    ///
    /// [`Failure`] with the first value that cannot be used.
    pub(crate) fn read(values: &Values, environment: &Environment) -> Result<Self, Failure> {
        let heroku = heroku(values, environment)?;
        let types = types(values)?;
        if values.text("storage-engine") == "pebble" {
            let told = "--storage-engine=pebble is not supported: files are written as sqlite, which every reader takes";
            return Err(Failure::unimplemented(told));
        }
        let file = values.text("file");
        if file.contains("://") {
            return Err(Failure::unimplemented("--file takes the path of a file on this machine"));
        }
        Ok(Self {
            provision: provision(values, environment, heroku.request_timeout),
            heroku,
            file: file.into(),
            keep: keep(environment)?,
            temporary: temporary(values, environment)?,
            database: values.is_set("database").then(|| values.text("database").to_owned()),
            shape: Options { newer_annotations: values.flag("newer-annotations") },
            mode: mode(values, environment, &types)?,
            types,
        })
    }
}

fn heroku(values: &Values, environment: &Environment) -> Result<heroku::Settings, Failure> {
    let (text, from) = match (values.text("heroku-url"), &environment.heroku_url) {
        ("", Some(text)) => (text.as_str(), "METSUKE_HEROKU_URL"),
        ("", None) => (HEROKU, "the default"),
        (text, _) => (text, "--heroku-url"),
    };
    // The text is not shown: an address may hold a password.
    let url = Url::parse(text).map_err(|error| {
        Failure::usage(format!("{from} holds no address of a Heroku API: {error}"))
            .hint("write it like https://api.heroku.com")
    })?;
    let token = values.secret("api-token").cloned().unwrap_or_default();
    let mut settings = heroku::Settings::new(url, token);
    let workers = values.number("workers");
    if workers > 0 {
        settings.max_in_flight = usize::try_from(workers.min(MOST_REQUESTS)).unwrap_or(1);
    }
    settings.request_timeout = seconds(values.number("http-timeout-seconds"));
    Ok(settings)
}

fn seconds(number: i64) -> Duration {
    Duration::from_secs(u64::try_from(number).unwrap_or_default())
}

fn provision(values: &Values, environment: &Environment, timeout: Duration) -> provision::Settings {
    let verb = values.is_set("grant-entitlement") || values.is_set("revoke-grant");
    let named = |name: &str| values.is_set(name).then(|| values.text(name).to_owned());
    provision::Settings {
        allow_writes: values.flag("provisioning") || verb,
        connector_account: named("connector-account"),
        kill_file: named("kill-switch-file")
            .map(PathBuf::from)
            .or_else(|| environment.kill_switch_file.clone()),
        late_window: timeout.saturating_add(LATE),
        caps: caps(values),
        ..provision::Settings::default()
    }
}

fn caps(values: &Values) -> provision::Caps {
    let number = |name: &str| u64::try_from(values.number(name)).unwrap_or_default();
    provision::Caps {
        hour_removals: number("hourly-removals"),
        hour_elevations: number("hourly-elevations"),
        team_percent: number("team-removal-percent"),
        ..provision::Caps::default()
    }
}

fn temporary(values: &Values, environment: &Environment) -> Result<Option<PathBuf>, Failure> {
    let folder = match values.text("c1z-temp-dir") {
        "" => environment.temporary.clone(),
        path => Some(path.into()),
    };
    match folder {
        Some(folder) if !folder.is_dir() => Err(Failure::usage(format!(
            "the directory for temporary files `{}` does not exist",
            folder.display()
        ))),
        folder => Ok(folder),
    }
}

fn keep(environment: &Environment) -> Result<Keep, Failure> {
    let wrong = || Failure::usage("BATON_KEEP_SYNC_COUNT takes a whole number from 1 on");
    match (environment.keep_all, &environment.keep) {
        (true, _) => Ok(Keep::All),
        (false, None) => Ok(Keep::default()),
        (false, Some(count)) => count.trim().parse().map(Keep::Newest).map_err(|_| wrong()),
    }
}

fn types(values: &Values) -> Result<BTreeSet<Type>, Failure> {
    let kind = |word: &String| {
        Type::parse(word).ok_or_else(|| {
            Failure::new(Code::InvalidArgument, format!("there is no resource type `{word}`"))
                .hint("--sync-resource-types takes user, team, enterprise_account and app")
        })
    };
    values.list("sync-resource-types").iter().map(kind).collect()
}

fn mode(values: &Values, environment: &Environment, types: &BTreeSet<Type>) -> Result<Mode, Failure> {
    if values.is_set("client-id") {
        return service(values, environment).map(|service| Mode::Service(Box::new(service)));
    }
    if values.is_set("grant-entitlement") {
        let kind = values.text("grant-principal-type");
        if kind.is_empty() {
            let told = "unknown provisioning action: --grant-entitlement needs --grant-principal-type beside";
            return Err(Failure::usage(told));
        }
        return Ok(Mode::Grant {
            entitlement: values.text("grant-entitlement").to_owned(),
            principal: ResourceKey::new(kind, values.text("grant-principal")),
        });
    }
    if values.is_set("revoke-grant") {
        return Ok(Mode::Revoke(values.text("revoke-grant").to_owned()));
    }
    if values.flag("event-feed") {
        return events(values).map(Mode::Events);
    }
    sync(values, types).map(Mode::Sync)
}

fn sync(values: &Values, types: &BTreeSet<Type>) -> Result<Wish, Failure> {
    let resource = |word: &String| match id::parse_bid(word) {
        Ok((key, _)) if Type::parse(&key.resource_type).is_some() => Ok(key),
        Ok((key, _)) => {
            let told = format!("there is no resource type `{}`", key.resource_type);
            Err(Failure::new(Code::InvalidArgument, told))
        }
        Err(error) => Err(Failure::new(Code::InvalidArgument, error.to_string())),
    };
    let skip = match (values.flag("skip-entitlements-and-grants"), values.flag("skip-grants")) {
        (true, _) => Skip::EntitlementsAndGrants,
        (false, true) => Skip::Grants,
        (false, false) => Skip::Nothing,
    };
    Ok(Wish {
        expand: values.text("expand").parse().unwrap_or_default(),
        resources: values.list("sync-resources").iter().map(resource).collect::<Result<_, _>>()?,
        types: types.clone(),
        skip,
        empty: values.flag("skip-full-sync"),
    })
}

fn events(values: &Values) -> Result<Events, Failure> {
    let since = match values.text("event-feed-start-at") {
        "" => None,
        text => Some(Moment::parse(text).ok_or_else(|| {
            Failure::usage("--event-feed-start-at takes a time such as 2026-01-31T12:00:00Z")
        })?),
    };
    let word = |name: &str| values.text(name).to_owned();
    Ok(Events { feed: word("event-feed-id"), since, cursor: word("event-feed-cursor") })
}

fn service(values: &Values, environment: &Environment) -> Result<Service, Failure> {
    let verbs = ["grant-entitlement", "revoke-grant", "event-feed", "sync-resources"];
    if let Some(verb) = verbs.into_iter().find(|verb| values.is_set(verb)) {
        let told = format!(
            "--{verb} and --client-id shut each other out: with a client id, tasks come from ConductorOne"
        );
        return Err(Failure::usage(told));
    }
    let port = u16::try_from(values.number("health-check-port")).unwrap_or_default();
    Ok(Service {
        client_id: values.text("client-id").to_owned(),
        client_secret: values.secret("client-secret").cloned().unwrap_or_default(),
        host: environment.c1_host.clone(),
        host_id: environment.host_id.clone(),
        batches: environment.batches,
        concurrency: usize::try_from(values.number("task-concurrency")).unwrap_or(1),
        health: values
            .flag("health-check")
            .then(|| (values.text("health-check-bind-address").to_owned(), port)),
        skip_full_sync: values.flag("skip-full-sync"),
    })
}
