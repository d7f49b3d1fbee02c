//! What a connector shows, changes and tells, against the simulated Heroku.

mod change;
mod events;
mod fresh;
mod refresh;
mod view;

use std::sync::Arc;
use std::time::Duration;

use metsuke_clients::heroku::Heroku;
use metsuke_engine::access::provision;
use metsuke_engine::connector::{Connector, Settings};
use metsuke_engine::sync;
use metsuke_model::{Clock, SystemClock};
use metsuke_store::{Brake, OpenMode, Store};

use crate::house::House;

fn settings(clock: Arc<dyn Clock>) -> Settings {
    let provision = provision::Settings {
        allow_writes: true,
        late_window: Duration::from_millis(300),
        verify_patience: Duration::from_secs(3),
        poll: Duration::from_millis(20),
        ..provision::Settings::default()
    };
    Settings { sync: sync::Settings::default(), provision, clock }
}

fn over(store: &Store, heroku: Heroku) -> Connector {
    Connector::new(store.clone(), heroku, settings(Arc::new(SystemClock)))
}

pub(crate) fn connector(house: &House) -> Connector {
    over(&house.store, house.heroku(house.simulator.token()))
}

/// A connector to the same Heroku with a database of its own, into which nothing was read yet.
async fn empty(house: &House) -> (Connector, Store, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("fresh.db").display());
    let store = Store::open(&url, OpenMode::Create).await.unwrap().braked(Brake::OFF);
    (over(&store, house.heroku(house.simulator.token())), store, folder)
}
