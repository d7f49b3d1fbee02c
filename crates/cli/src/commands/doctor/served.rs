//! The same checks for whoever asks a server: of all its connectors at once, and of the database that it works on.

use futures::future::{BoxFuture, join_all};
use metsuke_engine::connectors::Installation;
use metsuke_engine::desk::{Check, Doctor, Patient};

use super::{database, heroku, writes};
use crate::context::Context;

/// Looks installations over with the settings that the server was started with.
#[derive(Debug)]
pub(in crate::commands) struct Practice(pub(in crate::commands) Context);

impl Doctor for Practice {
    fn look<'a>(
        &'a self,
        installation: &'a Installation,
        patients: Vec<Patient>,
    ) -> BoxFuture<'a, Vec<Check>> {
        Box::pin(async move {
            let Self(context) = self;
            let store = installation.main();
            let connectors = join_all(patients.into_iter().map(heroku::of_connector));
            let own = async {
                let mut checks = database::look(context, store).await;
                checks.extend(writes::check(context, Some(store)).await);
                checks
            };
            // A Heroku that keeps one waiting keeps nothing else waiting.
            let (connectors, own) = tokio::join!(connectors, own);
            connectors.into_iter().flatten().chain(own).collect()
        })
    }
}
