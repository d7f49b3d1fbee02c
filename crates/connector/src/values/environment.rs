//! The environment, read once: the one place that does.
//!
//! It checks nothing; an empty variable counts as absent.
//!
//! Invariant: nothing else of the program reads a variable.

use std::collections::BTreeMap;
use std::path::PathBuf;

use metsuke_baton::child::LISTENER;

use super::Raw;
use crate::fields;

/// The variables that matter, as they were when the program began.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    /// Settings by name.
    pub(super) variables: BTreeMap<&'static str, Raw>,
    /// The configuration file, where one is named.
    pub(super) config_path: Option<PathBuf>,
    /// Heroku's address for all programs of the house.
    pub(crate) heroku_url: Option<String>,
    /// The file whose presence stops every change, for all programs of the house.
    pub(crate) kill_switch_file: Option<PathBuf>,
    /// The descriptor of the socket that a parent process hands over.
    pub(crate) listener: Option<String>,
    /// The directory for temporary files.
    pub(crate) temporary: Option<PathBuf>,
    /// The host of C1's API, where it is not the one in the client id.
    pub(crate) c1_host: Option<String>,
    /// What this replica calls itself.
    pub(crate) host_id: Option<String>,
    /// How many syncs stay in a file.
    pub(crate) keep: Option<String>,
    /// Whether all syncs stay in a file.
    pub(crate) keep_all: bool,
    /// Whether tasks are asked for in batches.
    pub(crate) batches: bool,
}

impl Environment {
    /// Reads them.
    pub(crate) fn read() -> Self {
        let variables = fields::all()
            .filter_map(|field| Some((field.name, Raw::One(variable(&field.variable())?))))
            .collect();
        Self {
            variables,
            config_path: variable("BATON_CONFIG_PATH").map(PathBuf::from),
            heroku_url: variable("METSUKE_HEROKU_URL"),
            kill_switch_file: variable("METSUKE_KILL_SWITCH_FILE").map(PathBuf::from),
            listener: variable(LISTENER),
            temporary: variable("BATON_TMPDIR").map(PathBuf::from),
            c1_host: variable("BATON_C1_API_HOST"),
            host_id: variable("BATON_HOST_ID"),
            keep: variable("BATON_KEEP_SYNC_COUNT"),
            keep_all: variable("BATON_SKIP_CLEANUP").is_some_and(|word| super::truth(&word) == Some(true)),
            batches: variable("BATON_GET_TASKS").is_some_and(|word| super::truth(&word) == Some(true)),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
