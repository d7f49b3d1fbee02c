//! Webhooks: a signed delivery of the right time has its app read again, once; any other has nothing done.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use metsuke_clients::heroku::Heroku;
use metsuke_engine::access::provision::Settings;
use metsuke_engine::changes::read_again;
use metsuke_engine::changes::webhooks::{self, Delivery, Door, Received, Vault};
use metsuke_engine::seal::{SealFile, SealingKey};
use metsuke_engine::{EngineError, ErrorKind};
use metsuke_model::{Clock as _, FixedClock, SystemClock};
use metsuke_simulator::{Delivered, Options, Size};
use metsuke_store::Store;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use url::Url;

use crate::house::House;

const INSTALLATION: &str = "metsuke/test";

/// A house with a door at which deliveries are taken.
struct Receiver {
    house: House,
    heroku: Heroku,
    base: Url,
    key: Arc<SealingKey>,
    received: Arc<Mutex<Vec<Received>>>,
    _folder: tempfile::TempDir,
}

impl Receiver {
    async fn new(house: House) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = Arc::new(SealFile::at(folder.path().join("metsuke.key")).load_or_make().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/hooks?connector=c1", listener.local_addr().unwrap()).parse().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
        tokio::spawn(serve(listener, house.store.clone(), Arc::clone(&key), Arc::clone(&received)));
        house.sync().await;
        let heroku = house.heroku(house.simulator.token());
        Self { house, heroku, base, key, received, _folder: folder }
    }

    fn vault(&self) -> Vault<'_> {
        Vault { key: &self.key, installation: INSTALLATION }
    }

    fn door<'d>(&'d self, settings: &'d Settings) -> Door<'d> {
        Door {
            store: &self.house.store,
            heroku: &self.heroku,
            vault: self.vault(),
            settings,
            clock: &SystemClock,
        }
    }

    /// The next delivery that was sent, beyond those before it.
    async fn delivery(&self, number: usize) -> Delivered {
        for _ in 0..200 {
            if let Some(told) = self.house.simulator.delivered().get(number) {
                return told.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("nothing was delivered: {:?}", self.received.lock().unwrap());
    }

    async fn wanted(&self) -> Vec<String> {
        let wanted = self.house.store.wanted_reads(100).await.unwrap();
        wanted.into_iter().map(|one| one.target).collect()
    }

    /// Hands a delivery over past the network.
    async fn receive(&self, hook: &str, signature: Option<&str>, body: &[u8]) -> Received {
        let delivery = Delivery { hook, signature, body };
        webhooks::receive(&self.house.store, &self.vault(), &delivery, &SystemClock).await.unwrap()
    }
}

async fn serve(
    listener: TcpListener,
    store: Store,
    key: Arc<SealingKey>,
    received: Arc<Mutex<Vec<Received>>>,
) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
        let (head, body) = loop {
            let read = stream.read(&mut piece).await.unwrap();
            bytes.extend_from_slice(&piece[..read]);
            let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length: usize = header(&head, "content-length").unwrap().parse().unwrap();
            if bytes.len() >= end + 4 + length {
                break (head, bytes[end + 4..].to_vec());
            }
        };
        let path = head.split(' ').nth(1).unwrap();
        let hook = path.split("hook=").nth(1).unwrap_or_default();
        let vault = Vault { key: &key, installation: INSTALLATION };
        let signature = header(&head, &webhooks::SIGNATURE.to_lowercase());
        let delivery = Delivery { hook, signature: signature.as_deref(), body: &body };
        let made = webhooks::receive(&store, &vault, &delivery, &SystemClock).await.unwrap();
        received.lock().unwrap().push(made);
        let status = if made == Received::Forged { "401 Unauthorized" } else { "204 No Content" };
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
}

fn writes() -> Settings {
    Settings { allow_writes: true, ..Settings::default() }
}

async fn a_signed_delivery_has_its_app_read_again_once(house: House) {
    let receiver = Receiver::new(house).await;
    let (house, settings) = (&receiver.house, writes());
    let door = receiver.door(&settings);
    let app = house.simulator.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.app_names(Some(&team)).remove(0)
    });
    let app = app.unwrap();
    let hook = webhooks::add(&door, &app, &receiver.base).await.unwrap();
    assert_eq!((&*hook.state, &*hook.app_name), ("active", &*app));
    assert!(hook.url.contains("connector=c1&hook=") && hook.url.ends_with(&hook.id));
    assert_eq!(webhooks::add(&door, &app, &receiver.base).await.unwrap().id, hook.id, "one is enough");
    house.simulator.edit(|world| world.set_collaborator(&app, "new@example.com", &["view", "operate"]));
    let told = receiver.delivery(0).await;
    assert_eq!(told.status, Some(204));
    assert_eq!(*receiver.received.lock().unwrap(), [Received::Taken]);
    let app_target = format!("app:{}", hook.app);
    assert!(receiver.wanted().await.contains(&app_target));
    while read_again(&house.store, &receiver.heroku, &SystemClock, 5).await.unwrap().more {}
    assert_eq!(house.direct(None).await, house.truth());
    assert!(receiver.wanted().await.is_empty());
    assert!(webhooks::list(&house.store).await.unwrap()[0].heard_at.is_some());

    // Twins of it, none of which has anything done.
    assert_eq!(house.simulator.deliver_again(&told).await, Some(204));
    assert_eq!(receiver.received.lock().unwrap().last(), Some(&Received::Again));
    let (body, signature) = (told.body.clone(), told.signature.clone());
    for place in (0..body.len()).step_by(97) {
        let mut forged = body.clone();
        forged[place] ^= 1;
        assert_eq!(
            receiver.receive(&hook.id, Some(&signature), &forged).await,
            Received::Forged,
            "byte {place}"
        );
    }
    let mut longer = body.clone();
    longer.push(b' ');
    assert_eq!(receiver.receive(&hook.id, Some(&signature), &longer).await, Received::Forged);
    for wrong in [None, Some(""), Some("AAAA"), Some("not base64 !"), Some(&signature[1..])] {
        assert_eq!(receiver.receive(&hook.id, wrong, &body).await, Received::Forged, "{wrong:?}");
    }
    assert_eq!(receiver.receive("0123", Some(&signature), &body).await, Received::Forged);
    assert!(receiver.wanted().await.is_empty());

    // Too old, or of a time to come.
    house.simulator.edit(|world| world.set_collaborator(&app, "other@example.com", &["view"]));
    let told = receiver.delivery(1).await;
    house.store.read_again(&house.store.wanted_reads(1).await.unwrap()[0]).await.unwrap();
    let waiting = receiver.wanted().await;
    let late = FixedClock::at(SystemClock.now());
    late.advance(2 * 3_600_000_000);
    let early = FixedClock::at(SystemClock.now());
    early.advance(-3_600_000_000);
    let delivery = Delivery { hook: &hook.id, signature: Some(&told.signature), body: &told.body };
    for clock in [&late, &early] {
        let made = webhooks::receive(&house.store, &receiver.vault(), &delivery, clock).await.unwrap();
        assert_eq!(made, Received::Stale);
    }
    assert_eq!(receiver.wanted().await, waiting);

    let gone = webhooks::remove(&door, &app).await.unwrap();
    assert_eq!(gone.len(), 1);
    assert_eq!(receiver.receive(&hook.id, Some(&told.signature), &told.body).await, Received::Forged);
    let sent = house.simulator.delivered().len();
    house.simulator.edit(|world| world.lock_app(&app, true));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(house.simulator.delivered().len(), sent, "Heroku tells nothing any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_delivery_has_its_app_read_again_once_on_sqlite() {
    let options = Options::of(Size::Small).seed(4).live_clock();
    a_signed_delivery_has_its_app_read_again_once(House::on_sqlite(options).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_delivery_has_its_app_read_again_once_on_postgres() {
    let options = Options::of(Size::Small).seed(4).live_clock();
    a_signed_delivery_has_its_app_read_again_once(House::on_postgres(options).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_asked_for_only_where_writes_are_allowed_and_to_a_fitting_address() {
    let receiver = Receiver::new(House::on_sqlite(Options::of(Size::Small).seed(4)).await).await;
    let app = receiver.house.simulator.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.app_names(Some(&team)).remove(0)
    });
    let app = app.unwrap();
    let read_only = Settings::default();
    let refused = webhooks::add(&receiver.door(&read_only), &app, &receiver.base).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    let settings = writes();
    let door = receiver.door(&settings);
    for base in
        ["http://example.com/", "ftp://example.com/", "https://me@example.com/", "https://example.com/#x"]
    {
        let error = webhooks::add(&door, &app, &base.parse().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{base}");
    }
    let error = webhooks::add(&door, "no-such-app", &receiver.base).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(webhooks::list(&receiver.house.store).await.unwrap().is_empty());
    assert_eq!(receiver.house.simulator.journal().writes.len(), 0, "nothing was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_heroku_refused_is_forgotten_and_what_is_in_doubt_is_found_out() {
    let receiver = Receiver::new(House::on_sqlite(Options::of(Size::Small).seed(4)).await).await;
    let (house, settings) = (&receiver.house, writes());
    let door = receiver.door(&settings);
    let apps = house.simulator.edit(|world| {
        let team = world.enterprise_team_names().remove(0);
        world.app_names(Some(&team))
    });
    let app = apps.unwrap().remove(0);
    house.simulator.faults().add("forbidden-403@/apps/*/webhooks#1".parse().unwrap());
    let error = webhooks::add(&door, &app, &receiver.base).await.unwrap_err();
    assert!(matches!(error, EngineError::RefusedByHeroku { status: Some(403), .. }), "{error:?}");
    assert!(webhooks::list(&house.store).await.unwrap().is_empty());
    house.simulator.faults().add("write-applied-reset#1".parse().unwrap());
    let hook = webhooks::add(&door, &app, &receiver.base).await.unwrap();
    assert_eq!(hook.state, "active", "Heroku's list tells that it is there");
    house.simulator.faults().add("write-dropped-503#1".parse().unwrap());
    let error = webhooks::remove(&door, &hook.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InDoubt, "{error:?}");
    assert_eq!(webhooks::list(&house.store).await.unwrap()[0].state, "leaving");
    webhooks::remove(&door, &hook.id).await.unwrap();
    assert!(webhooks::list(&house.store).await.unwrap().is_empty());
}
