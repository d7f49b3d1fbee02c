//! After a restore, nothing is changed before what was restored was held against Heroku (R15).
//!
//! Invariant: a store whose mark cannot be read counts as not reconciled.

use metsuke_model::audit::EventCode;

use super::{Provisioner, Refusal, Sabotage};
use crate::EngineError;

impl Provisioner<'_> {
    /// Why nothing may be changed yet; where all is read anew and settled, the mark of the restore goes.
    pub(super) async fn restored_first(&self) -> Result<Option<Refusal>, EngineError> {
        if self.settings.sabotage == Some(Sabotage::ForgetTheRestore) {
            return Ok(None);
        }
        let Some(restored) = self.store.restored().await? else { return Ok(None) };
        let event = self
            .store
            .event(self.clock.now(), EventCode::InstallationReconciled)
            .detail("made_at", restored.made_at.to_string());
        if self.store.reconciled(event).await? {
            return Ok(None);
        }
        Ok(Some(match restored.synced {
            None => Refusal::rule(
                "R15",
                format!(
                    "the database was restored from a backup of {}, and Heroku was not read whole since",
                    restored.made_at
                ),
            )
            .hint("`metsuke sync` or `metsuke connectors sync` reads it; a sync that waits in quarantine has to be accepted, and followed by another"),
            Some(_) => Refusal::rule(
                "R15",
                "the database was restored, and what became of steps that were open when its backup was made is not known",
            )
            .hint("`metsuke plans reconcile` settles them by reading"),
        }))
    }
}
