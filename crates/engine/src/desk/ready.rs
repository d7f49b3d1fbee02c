//! Makes what is worked out once for a version ready as soon as there is a new one, so that nobody who looks waits for it.
//!
//! Invariant: only what somebody has looked at is made ready; an installation that nobody browses keeps nothing.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use metsuke_model::Version;

use super::{Browse, Browsed, Desk};
use crate::EngineError;
use crate::lists::BrowsedLine;

/// Lists that are made ready; whoever browses more than these waits for the others.
const MOST: usize = 8;

type Made = Pin<Box<dyn Future<Output = Result<(), EngineError>> + Send>>;
/// Browses a list of a connector, or of all.
type Make = fn(Desk, Option<String>) -> Made;

/// A list, of a connector or of all.
type Wanted = (TypeId, Option<String>);

/// The lists of newest versions that were browsed.
#[derive(Clone, Default)]
pub(super) struct Wants(Arc<Mutex<HashMap<Wanted, Make>>>);

impl fmt::Debug for Wants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wants").finish_non_exhaustive()
    }
}

impl Wants {
    /// Notes that a list was browsed.
    pub(super) fn note<L: BrowsedLine>(&self, connector: Option<&str>) {
        let mut wants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (TypeId::of::<L>(), connector.map(ToOwned::to_owned));
        if wants.len() < MOST || wants.contains_key(&key) {
            wants.insert(key, make::<L>);
        }
    }

    fn all(&self) -> Vec<(Wanted, Make)> {
        let wants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wants.iter().map(|(wanted, make)| (wanted.clone(), *make)).collect()
    }

    fn forget(&self, wanted: &Wanted) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(wanted);
    }
}

fn make<L: BrowsedLine>(desk: Desk, connector: Option<String>) -> Made {
    Box::pin(async move {
        let asked = Browse { connector, ..Browse::default() };
        let _lines: Browsed<L> = desk.browse(&asked, None, 0).await?;
        Ok(())
    })
}

/// The newest versions of all estates for which everything was made ready.
#[derive(Debug, Default)]
pub struct Readied(Vec<(Option<String>, Version)>);

impl Desk {
    /// Makes the lists that somebody browsed, and the layouts that somebody's access was told from, ready for newest versions that are
    /// not `readied`; whether there were any.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn make_ready(&self, readied: &mut Readied) -> Result<bool, EngineError> {
        let wants = self.shelves.asked.all();
        let known = self.layouts.estates();
        if wants.is_empty() && known.is_empty() {
            return Ok(false);
        }
        let readings = self.readings(None, None).await?;
        let newest: Vec<_> = readings.into_iter().map(|one| (one.connector, one.version)).collect();
        if newest == readied.0 {
            return Ok(false);
        }
        for (wanted, make) in wants {
            match make(self.clone(), wanted.1.clone()).await {
                Ok(()) => {}
                // A connector that is gone is not browsed any more.
                Err(EngineError::NoConnector { .. }) => self.shelves.asked.forget(&wanted),
                Err(error) => return Err(error),
            }
        }
        for estate in self.estates(None).await? {
            if !known.iter().any(|known| known == estate.place()) {
                continue;
            }
            if let Some(mut snapshot) = estate.version(None).await? {
                self.layouts.keep(estate.place(), &mut snapshot).await?;
            }
        }
        readied.0 = newest;
        Ok(true)
    }
}
