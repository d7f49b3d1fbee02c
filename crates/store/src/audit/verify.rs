//! Brings the rows of the audit trail to the checker that judges them.
//!
//! What makes a log right is known to [`Checker`]; an export is verified without a store.
//!
//! Invariant: every row and every stored checkpoint reaches the checker, and no more than one row is held.

use metsuke_model::audit::{Checker, Expected, Finding, FindingKind, PublicKey, Verdict};

use super::AuditLog;
use crate::StoreError;

impl AuditLog {
    /// Verifies rows, stored checkpoints and frontier, with what is known of the log from elsewhere.
    ///
    /// # Errors
    ///
    /// What the database said; whatever is wrong with the log is a finding.
    pub async fn verify(&mut self, expected: Expected) -> Result<Verdict, StoreError> {
        let beside: Option<PublicKey> = self.public_key.as_deref().and_then(|key| key.parse().ok());
        let checkpoints = self.checkpoints().await?;
        let untold = beside.is_none() && (self.public_key.is_some() || !checkpoints.is_empty());
        let key = expected.public_key.as_ref().or(beside.as_ref());
        let renamed = key.map(PublicKey::origin).filter(|name| self.origin.as_deref() != Some(name.as_str()));
        let renamed = renamed.map(|name| {
            let found = self.origin.as_deref().unwrap_or_default();
            format!("the database's log has the name `{found}`, and its key is that of `{}`", name.as_str())
        });
        let mut checker = Checker::new(expected, beside);
        let (mut rows, mut ahead) = (0, checkpoints.iter().peekable());
        self.each_row::<StoreError>(|row| {
            while let Some(checkpoint) = ahead.next_if(|checkpoint| checkpoint.size <= rows) {
                checker.checkpoint(&checkpoint.note);
            }
            checker.row(&row);
            rows += 1;
            Ok(())
        })
        .await?;
        for checkpoint in ahead {
            checker.checkpoint(&checkpoint.note);
        }
        checker.frontier(&self.frontier);
        let mut verdict = checker.finish();
        let untold = untold.then(|| {
            "the database does not say any more with which key its checkpoints are signed".to_owned()
        });
        for text in renamed.into_iter().chain(untold) {
            verdict.findings.push(Finding { kind: FindingKind::OtherKey, sequence: None, text });
        }
        Ok(verdict)
    }
}
