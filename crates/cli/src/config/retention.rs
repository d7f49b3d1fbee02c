//! For how long what is kept.

use std::time::Duration;

use metsuke_engine::retention::Keep;

use super::Config;
use crate::failure::Failure;
use crate::settings::SETTINGS;

impl Config {
    /// For how long what is kept.
    ///
    /// # Errors
    ///
    /// [`Failure`] for what is no number of days.
    pub(crate) fn retention(&self) -> Result<Keep, Failure> {
        let days = |name: &str| -> Result<Option<Duration>, Failure> {
            let default =
                SETTINGS.iter().find(|setting| setting.name == name).and_then(|setting| setting.default);
            let found = self.environment.values.text(name)?;
            let text = found.as_ref().map_or(default.unwrap_or("0"), |found| found.value.as_str());
            let number: u32 = text.parse().map_err(|_| {
                let from = found.as_ref().map_or("the default", |found| found.from.as_str());
                Failure::usage(format!("`{name}` from {from} takes a whole number of days, 0 to keep all"))
            })?;
            Ok((number > 0).then(|| Duration::from_hours(24 * u64::from(number))))
        };
        Ok(Keep {
            versions: days("retention.versions_days")?,
            runs: days("retention.runs_days")?,
            jobs: days("retention.jobs_days")?,
            changes: days("retention.changes_days")?,
            deliveries: days("retention.deliveries_days")?,
        })
    }
}
