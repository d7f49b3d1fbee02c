//! A simulated Heroku and a connector that has read it.

use std::collections::BTreeSet;
use std::sync::Arc;

use metsuke_baton::shape::{Options, Shape};
use metsuke_engine::access::GrantFilter;
use metsuke_engine::access::provision;
use metsuke_engine::connector::{Connector, Opening, Settings, View};
use metsuke_engine::sync;
use metsuke_model::SystemClock;
use metsuke_model::grant::PrincipalKind;
use metsuke_simulator::{Manners, Options as Estate, Simulator, Size, World};
use tokio_util::sync::CancellationToken;

/// A grant as four words: resource type, resource id, entitlement, user id; and whether it is direct.
pub(crate) type Line = (String, String, String, String, bool);

/// One version of a made-up estate.
pub(crate) struct House {
    pub(crate) view: View,
    pub(crate) simulator: Simulator,
    pub(crate) connector: Connector,
    _folder: tempfile::TempDir,
}

/// Estates of every kind, each with its seed.
pub(crate) fn estates() -> impl Iterator<Item = Estate> {
    let sizes = [Size::Small, Size::Enterprise, Size::Standard, Size::Personal, Size::Mixed, Size::Awkward]
        .into_iter();
    sizes.flat_map(|size| (1..=2).map(move |seed| Estate { size, seed, ..Estate::default() }))
}

impl House {
    pub(crate) async fn of(estate: Estate) -> Self {
        Self::edited(estate, |_| ()).await
    }

    /// An estate in which the caller is a stranger to some teams, which are then known by their apps alone.
    pub(crate) async fn with_unlisted_teams() -> Self {
        let manners = Manners { implicit_listing: true, ..Manners::default() };
        Self::of(Estate { size: Size::Awkward, seed: 3, manners, ..Estate::default() }).await
    }

    pub(crate) async fn edited(estate: Estate, edit: impl FnOnce(&mut World)) -> Self {
        let simulator = Simulator::local(estate).await.unwrap();
        simulator.edit(edit).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let opening = Opening {
            heroku: simulator.url(),
            token: simulator.token().into(),
            database: format!("sqlite:{}", folder.path().join("estate.db").display()),
        };
        let settings = Settings {
            sync: sync::Settings::default(),
            provision: provision::Settings::default(),
            clock: Arc::new(SystemClock),
        };
        let connector = Connector::open(opening, settings).await.unwrap();
        connector.sync(&(), &CancellationToken::new()).await.unwrap();
        let view = connector.view(None).await.unwrap().unwrap();
        Self { view, simulator, connector, _folder: folder }
    }

    pub(crate) fn shape(&self) -> Shape<'_> {
        Shape::new(&self.view, Options::default())
    }

    /// The lines of `metsuke grants` without invitations.
    pub(crate) async fn lines(&self, effective: bool) -> BTreeSet<Line> {
        let mut lines = BTreeSet::new();
        let filter = GrantFilter { effective, ..GrantFilter::default() };
        let mut take = |grant: &metsuke_model::Grant| {
            if grant.principal.kind == PrincipalKind::User {
                lines.insert((
                    grant.resource.resource_type.as_str().to_owned(),
                    grant.resource.id.to_string(),
                    grant.entitlement.to_string(),
                    grant.principal.id.to_string(),
                    grant.direct,
                ));
            }
            Ok(())
        };
        self.connector.grants(None, &filter, &mut take).await.unwrap().unwrap();
        lines
    }
}
