//! Rules looked back on: how often one would have fired in a time.
//!
//! Looking back is [`rules::replay`](crate::rules)'s; which rule, and on whose estate, is said here.

use metsuke_model::Moment;
use serde_json::Value;

use super::Desk;
use super::apart::apart;
use super::standing::as_watched;
use crate::EngineError;
use crate::findings::Watched;
use crate::query::Settings;
use crate::rules::{Bounds, Instance, Replay, Replayed, replay};

/// The most days that one can look back.
const MOST_DAYS: u32 = 365;

/// Which rule is looked back on.
#[derive(Clone, Debug)]
pub enum ReplayOf {
    /// A rule that is kept, by its id.
    Kept(String),
    /// A rule in JupiterOne's form that need not be kept.
    Written(Value),
}

impl Desk {
    /// Tells how often a rule would have fired in the last days; nothing is kept and nobody is told.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`], [`EngineError::Mistakes`], [`EngineError::Fields`] for more days than a year,
    /// [`EngineError::NoVersion`], and what the database said.
    pub async fn replay_rule(
        &self,
        connector: Option<&str>,
        of: ReplayOf,
        days: Option<u32>,
    ) -> Result<Replay, EngineError> {
        let usual = Bounds::default();
        let bounds = Bounds { days: days.unwrap_or(usual.days), ..usual };
        if bounds.days == 0 || bounds.days > MOST_DAYS {
            return Err(EngineError::field("days", format!("it is a number from 1 to {MOST_DAYS}")));
        }
        let rule = match of {
            ReplayOf::Kept(id) => {
                let rule = self.rule(&id).await?;
                as_watched(&rule).ok_or(EngineError::Unknown { what: "rule that can be read", asked: id })?
            }
            ReplayOf::Written(document) => {
                Watched::Own(Box::new(Instance::read(&document).map_err(EngineError::Mistakes)?))
            }
        };
        let estate = self.estate(connector).await?;
        let now: Moment = self.installation().clock().now();
        apart(async move || {
            let settings = Settings::at(now);
            let of = match &rule {
                Watched::Shipped(detection, values) => Replayed::Shipped(detection, values),
                Watched::Own(rule) => Replayed::Own(rule),
            };
            replay(&estate.store, of, bounds, &settings).await
        })
        .await
    }
}
