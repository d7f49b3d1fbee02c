//! Plans asked for and applied from outside, through the connector of the estate.
//!
//! What a plan is, and what holds it back, is [`provision`](crate::access::provision)'s.
//!
//! Invariant: whoever was let in for owning an app plans changes of that app alone. An application that began goes on, whether
//! somebody waits for it or not.

use std::str::FromStr as _;

use metsuke_model::ConnectorId;
use metsuke_model::record::User;
use metsuke_store::Select;

use super::apart::to_its_end;
use super::{Desk, Estate, PlanShown, Plans};
use crate::EngineError;
use crate::access::find_app;
use crate::access::provision::{
    Applied, Ask, On, Planned, Provisioner, Settings, Settled, Verdict, approve, cancel, verdicts,
};
use crate::identity::Caller;

impl Desk {
    /// Plans a change of access.
    ///
    /// # Errors
    ///
    /// As [`Provisioner::plan`]; [`EngineError::NotOwned`] for somebody who may only plan for their own apps, and
    /// [`EngineError::NoConnector`] for an estate that no connector reads.
    pub async fn plan(
        &self,
        caller: &Caller,
        as_owner: bool,
        connector: Option<&str>,
        ask: Ask,
        reason: Option<String>,
    ) -> Result<Planned, EngineError> {
        let estate = self.estate(connector).await?;
        if as_owner && !owns_app(&estate, caller, &ask).await? {
            return Err(EngineError::NotOwned);
        }
        let (heroku, settings) = self.way(&estate).await?;
        let store = estate.store.acting_as(caller.actor());
        let (installation, party) = (self.installation().clone(), caller.party());
        to_its_end(async move || {
            let provisioner = Provisioner::new(&heroku, &store, settings, installation.clock(), &())?;
            let provisioner = provisioner.on_behalf_of(party);
            provisioner.plan(&ask, reason.as_deref()).await
        })
        .await
    }

    /// Applies a plan, or goes on with one that was interrupted; gives what came of it, and the plan as it stands then.
    ///
    /// # Errors
    ///
    /// As [`Provisioner::apply`]; [`EngineError::NoPlan`].
    pub async fn apply(
        &self,
        caller: &Caller,
        id: &str,
        confirm_count: Option<usize>,
    ) -> Result<(Applied, PlanShown), EngineError> {
        let (estate, _) = Plans::find(self.estates(None).await?, id).await?;
        let (heroku, settings) = self.way(&estate).await?;
        let store = estate.store.clone().acting_as(caller.actor());
        let (installation, plan, party) = (self.installation().clone(), id.to_owned(), caller.party());
        let applied = to_its_end(async move || {
            let provisioner = Provisioner::new(&heroku, &store, settings, installation.clock(), &())?;
            provisioner.on_behalf_of(party).apply(&plan, confirm_count).await
        })
        .await?;
        let (_, shown) = Plans::find(vec![estate], id).await?;
        Ok((applied, shown))
    }

    /// Approves a plan by its hash, as somebody else than who asked for it, and gives it as it stands then; nothing is sent.
    ///
    /// # Errors
    ///
    /// As [`approve`], in whichever estate it is.
    pub async fn approve_plan(
        &self,
        caller: &Caller,
        id: &str,
        hash: &str,
    ) -> Result<PlanShown, EngineError> {
        let (estate, _) = Plans::find(self.estates(None).await?, id).await?;
        let store = estate.store.clone().acting_as(caller.actor());
        approve(&store, &caller.party(), id, hash, self.installation().clock()).await?;
        let (_, shown) = Plans::find(vec![estate], id).await?;
        Ok(shown)
    }

    /// Calls a plan off, and gives it as it stands then; nothing is sent.
    ///
    /// # Errors
    ///
    /// As [`cancel`], in whichever estate it is.
    pub async fn cancel_plan(
        &self,
        caller: &Caller,
        id: &str,
        reason: Option<&str>,
    ) -> Result<PlanShown, EngineError> {
        let (estate, _) = Plans::find(self.estates(None).await?, id).await?;
        let store = estate.store.clone().acting_as(caller.actor());
        cancel(&store, id, reason, self.installation().clock()).await?;
        let (_, shown) = Plans::find(vec![estate], id).await?;
        Ok(shown)
    }

    /// What the safety rules say of a plan now, as far as that needs no word of Heroku's; nothing for one of an estate that no
    /// connector reads, which is applied from the command line.
    ///
    /// # Errors
    ///
    /// As [`Plans::find`], and what the database said.
    pub async fn verdicts(&self, id: &str) -> Result<Vec<Verdict>, EngineError> {
        let (estate, _) = Plans::find(self.estates(None).await?, id).await?;
        let Ok((_, settings)) = self.settings(&estate).await else { return Ok(Vec::new()) };
        let Some(row) = estate.store.plan(id).await? else { return Ok(Vec::new()) };
        verdicts(&estate.store, &settings, &row, self.installation().clock().now()).await
    }

    /// Settles what interrupted plans of an estate left open, by reading Heroku; nothing is sent.
    ///
    /// # Errors
    ///
    /// As [`Provisioner::reconcile`], and as [`plan`](Self::plan).
    pub async fn reconcile(
        &self,
        caller: &Caller,
        connector: Option<&str>,
    ) -> Result<Vec<Settled>, EngineError> {
        let estate = self.estate(connector).await?;
        let (heroku, settings) = self.way(&estate).await?;
        let store = estate.store.acting_as(caller.actor());
        let installation = self.installation().clone();
        to_its_end(async move || {
            let provisioner = Provisioner::new(&heroku, &store, settings, installation.clock(), &())?;
            provisioner.reconcile().await
        })
        .await
    }

    /// The client of an estate's connector, and what holds its writes back.
    pub(super) async fn way(
        &self,
        estate: &Estate,
    ) -> Result<(metsuke_clients::heroku::Heroku, Settings), EngineError> {
        let (id, settings) = self.settings(estate).await?;
        Ok((self.installation().heroku(id).await?, settings))
    }

    /// An estate's connector, and what holds its writes back.
    async fn settings(&self, estate: &Estate) -> Result<(ConnectorId, Settings), EngineError> {
        let named = estate.connector.as_deref().and_then(|id| ConnectorId::from_str(id).ok());
        let id = named.ok_or_else(|| EngineError::NoConnector { asked: estate.name.clone() })?;
        let connector = self.installation().connector(id).await?;
        let settings = Settings {
            allow_writes: connector.settings.provisioning,
            connector: Some(connector.name),
            approval: connector.settings.approval,
            kill_file: self.kill_file(),
            ..Settings::default()
        };
        Ok((id, settings))
    }
}

/// Whether what is asked for is about an app that belongs to the caller.
async fn owns_app(estate: &Estate, caller: &Caller, ask: &Ask) -> Result<bool, EngineError> {
    let (Ask::Grant { on: On::App { app, .. }, .. } | Ask::Revoke { on: On::App { app, .. }, .. }) = ask
    else {
        return Ok(false);
    };
    let Some(mut snapshot) = estate.store.snapshot(None).await? else { return Ok(false) };
    let app = match find_app(&mut snapshot, app).await {
        Ok(app) => app.record,
        // Whether it is there is not theirs to know.
        Err(EngineError::NotFound { .. } | EngineError::Ambiguous { .. }) => return Ok(false),
        Err(error) => return Err(error),
    };
    let (Some(owner), None) = (app.owner, app.team) else { return Ok(false) };
    let users = snapshot.objects::<User>(&Select::Id(owner)).await?;
    let addresses = users.iter().filter_map(|user| user.record.email.as_deref());
    Ok(caller.is_one_of(addresses))
}
