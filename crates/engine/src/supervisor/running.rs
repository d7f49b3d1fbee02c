//! What this process carries out at the moment, so that it can be told to end.
//!
//! Invariant: of two reasons to end the first one counts.

use std::sync::{Arc, OnceLock};

use metsuke_model::ConnectorId;
use tokio_util::sync::CancellationToken;

use crate::jobs::Stop;

/// The way to end one job.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    pub(crate) connector: Option<ConnectorId>,
    pub(crate) kind: String,
    pub(crate) cancel: CancellationToken,
    pub(crate) why: Arc<OnceLock<Stop>>,
}

impl Handle {
    pub(crate) fn new(connector: Option<ConnectorId>, kind: &str) -> Self {
        let (cancel, why) = (CancellationToken::new(), Arc::default());
        Self { connector, kind: kind.to_owned(), cancel, why }
    }

    /// Asks for the job's end.
    pub(crate) fn stop(&self, why: Stop) {
        self.why.get_or_init(|| why);
        self.cancel.cancel();
    }
}
