//! A simulated Heroku, a connector over it, and a parent process that has it as its child.

use std::net::TcpListener;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use metsuke_baton::child;
use metsuke_baton::proto::connector::connector_service_client::ConnectorServiceClient;
use metsuke_baton::proto::connector::entitlements_service_client::EntitlementsServiceClient;
use metsuke_baton::proto::connector::event_service_client::EventServiceClient;
use metsuke_baton::proto::connector::grant_manager_service_client::GrantManagerServiceClient;
use metsuke_baton::proto::connector::grants_service_client::GrantsServiceClient;
use metsuke_baton::proto::connector::resource_getter_service_client::ResourceGetterServiceClient;
use metsuke_baton::proto::connector::resource_types_service_client::ResourceTypesServiceClient;
use metsuke_baton::proto::connector::resources_service_client::ResourcesServiceClient;
use metsuke_baton::proto::wrapper::ServerConfig;
use metsuke_baton::service::{Connector, Options};
use metsuke_engine::access::provision;
use metsuke_engine::connector::{Connector as Estate, Opening, Settings, View};
use metsuke_engine::sync;
use metsuke_model::SystemClock;
use metsuke_simulator::{Options as Company, Simulator, Size, World};
use prost::Message as _;
use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Response, Status};

use super::keys::Keys;

/// So long a test may take.
const LONG: Duration = Duration::from_mins(2);

/// A connector over a simulated Heroku.
pub(crate) struct House {
    pub(crate) simulator: Simulator,
    pub(crate) connector: Arc<Connector>,
    folder: tempfile::TempDir,
}

/// Who asks the child.
pub(crate) struct Parent<'h> {
    pub(crate) house: &'h House,
    pub(crate) channel: Channel,
    /// What was answered when something failed.
    messages: Mutex<Vec<Status>>,
}

pub(crate) fn options() -> Options {
    Options { pause: Duration::from_millis(20), ..Options::default() }
}

pub(crate) fn provisioning() -> Options {
    Options { provisioning: true, ..options() }
}

/// An Enterprise company.
pub(crate) fn company() -> Company {
    Company::of(Size::Enterprise).seed(3)
}

impl House {
    pub(crate) async fn new(company: Company, options: Options) -> Self {
        let simulator = Simulator::local(company).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let estate = Arc::new(estate(&simulator, &folder, options.provisioning).await);
        let connector = Arc::new(Connector::new(estate, Arc::new(SystemClock), options));
        Self { simulator, connector, folder }
    }

    /// The newest version, read beside the connector.
    pub(crate) async fn view(&self) -> View {
        let estate = estate(&self.simulator, &self.folder, false).await;
        estate.view(None).await.unwrap().unwrap()
    }

    pub(crate) fn edit<R>(&self, change: impl FnOnce(&mut World) -> R) -> R {
        self.simulator.edit(change).unwrap()
    }

    /// How often the whole estate was read.
    pub(crate) fn readings(&self) -> u64 {
        self.simulator.stats().by_route.get("GET /teams").copied().unwrap_or_default()
    }
}

async fn estate(simulator: &Simulator, folder: &tempfile::TempDir, allow_writes: bool) -> Estate {
    let opening = Opening {
        heroku: simulator.url(),
        token: simulator.token().into(),
        database: format!("sqlite:{}", folder.path().join("estate.db").display()),
    };
    let provision = provision::Settings {
        allow_writes,
        late_window: Duration::from_millis(300),
        verify_patience: Duration::from_secs(3),
        poll: Duration::from_millis(20),
        ..provision::Settings::default()
    };
    let settings = Settings { sync: sync::Settings::default(), provision, clock: Arc::new(SystemClock) };
    Estate::open(opening, settings).await.unwrap()
}

/// A socket of this machine, and its port.
pub(crate) fn socket() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Standard input with this configuration in it, and the end that keeps it open.
pub(crate) async fn input(config: &ServerConfig) -> (DuplexStream, DuplexStream) {
    use base64::Engine as _;
    let (mut ours, theirs) = duplex(1 << 16);
    let line = base64::prelude::BASE64_STANDARD.encode(config.encode_to_vec()) + "\n";
    ours.write_all(line.as_bytes()).await.unwrap();
    (ours, theirs)
}

/// Serves the house's connector to a parent; the child ends well when the parent has gone.
pub(crate) fn serve<'h>(
    house: &'h House,
    test: impl AsyncFnOnce(&Parent<'_>) + 'h,
) -> Pin<Box<dyn Future<Output = ()> + 'h>> {
    Box::pin(served(house, test))
}

async fn served(house: &House, test: impl AsyncFnOnce(&Parent<'_>)) {
    let keys = Keys::new();
    let (listener, port) = socket();
    let (ours, theirs) = input(&keys.config(port)).await;
    let cancel = CancellationToken::new();
    let serving = child::serve(Arc::clone(&house.connector), listener, theirs, &cancel);
    let testing = async {
        let parent = Parent { house, channel: keys.way(port), messages: Mutex::default() };
        test(&parent).await;
        parent.told_no_secret();
        drop((parent, ours));
    };
    let (served, ()) = tokio::time::timeout(LONG, async { tokio::join!(serving, testing) }).await.unwrap();
    served.unwrap();
}

macro_rules! clients {
    ($($name:ident: $client:ident;)*) => {
        impl Parent<'_> {
            $(pub(crate) fn $name(&self) -> $client<Channel> {
                $client::new(self.channel.clone())
            })*
        }
    };
}

clients! {
    connector: ConnectorServiceClient;
    types: ResourceTypesServiceClient;
    resources: ResourcesServiceClient;
    getter: ResourceGetterServiceClient;
    entitlements: EntitlementsServiceClient;
    grants: GrantsServiceClient;
    manager: GrantManagerServiceClient;
    events: EventServiceClient;
}

impl Parent<'_> {
    /// Keeps what a call failed with, so that it is searched for secrets.
    pub(crate) fn failed<R>(&self, answer: Result<Response<R>, Status>) -> Status {
        let status = answer.err().expect("it should have failed");
        self.messages.lock().unwrap().push(status.clone());
        status
    }

    fn told_no_secret(&self) {
        use base64::Engine as _;
        let token = self.house.simulator.token().as_bytes();
        let hex = token.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        let encoded = base64::prelude::BASE64_STANDARD_NO_PAD.encode(token);
        for status in self.messages.lock().unwrap().iter() {
            let told = [status.message().as_bytes(), status.details()].concat();
            for secret in [token, hex.as_bytes(), encoded.as_bytes()] {
                let found = told.windows(secret.len()).any(|window| window == secret);
                assert!(!found, "{status:?}");
            }
        }
    }
}
