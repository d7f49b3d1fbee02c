//! What the program finds around it when it begins: variables, the configuration file, and where a test steps in.
//!
//! What a setting means is said beside this file.

use std::path::{Path, PathBuf};

use metsuke_engine::access::provision::Sabotage;

use super::Config;
use crate::failure::Failure;
use crate::settings::{Values, variable};
use crate::traces::TraceSettings;

/// What was set in the environment and in the file, as it was when the program began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment {
    pub(super) values: Values,
    pub(super) traces: TraceSettings,
    pub(super) state_folder: Option<PathBuf>,
    #[cfg(debug_assertions)]
    abort_at: Option<String>,
    #[cfg(debug_assertions)]
    sabotage: Option<String>,
    pub(super) no_color: bool,
    pub(super) columns: Option<u16>,
}

impl Environment {
    /// Reads them; `file` is the configuration file that a flag names.
    ///
    /// # Errors
    ///
    /// [`Failure`] for a file that cannot be read or holds mistakes, and for a variable that is set twice.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, Failure> {
        let values = Values::read(file)?;
        Ok(Self {
            traces: TraceSettings::read(values.text("traces.endpoint")?.map(|found| found.value), variable),
            values,
            state_folder: state_folder(),
            #[cfg(debug_assertions)]
            abort_at: variable("METSUKE_TEST_ABORT_AT"),
            #[cfg(debug_assertions)]
            sabotage: variable("METSUKE_TEST_SABOTAGE"),
            no_color: variable("NO_COLOR").is_some(),
            columns: variable("COLUMNS").and_then(|columns| columns.parse().ok()),
        })
    }

    /// Where traces go.
    pub(crate) const fn traces(&self) -> &TraceSettings {
        &self.traces
    }

    /// Whether the user wants no colour.
    pub(crate) fn no_color(&self) -> bool {
        self.no_color
    }

    /// One of a setting's words; none where it is not set, and for a word that is none of them.
    pub(crate) fn word<T: clap::ValueEnum>(&self, name: &str) -> Option<T> {
        let word = self.values.text(name).ok().flatten()?;
        T::from_str(&word.value, true).ok()
    }
}

/// The folder for what outlives the program: systemd's, else the user's own.
///
/// Source: <https://specifications.freedesktop.org/basedir/latest/>
fn state_folder() -> Option<PathBuf> {
    let given = variable("STATE_DIRECTORY")
        .map(|folders| PathBuf::from(folders.split(':').next().unwrap_or_default()));
    let own = || variable("XDG_STATE_HOME").map(|folder| PathBuf::from(folder).join("metsuke"));
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".local/state/metsuke"));
    given.or_else(own).or_else(home)
}

impl Config {
    /// Where a test ends the process: a point of the protocol, and the how-manieth time. Never in a release.
    pub(crate) fn abort_at(&self) -> Option<(String, u32)> {
        #[cfg(debug_assertions)]
        return self.environment.abort_at.as_deref().map(|told| {
            let (point, times) = told.split_once(':').unwrap_or((told, "1"));
            (point.to_owned(), times.parse().unwrap_or(1))
        });
        #[cfg(not(debug_assertions))]
        None
    }

    /// What a test takes out of the protocol. Never in a release.
    pub(crate) fn sabotage(&self) -> Option<Sabotage> {
        #[cfg(debug_assertions)]
        return match self.environment.sabotage.as_deref() {
            Some("record-after-the-call") => Some(Sabotage::RecordAfterTheCall),
            Some("retry-without-reading") => Some(Sabotage::RetryWithoutReading),
            _ => None,
        };
        #[cfg(not(debug_assertions))]
        None
    }
}
