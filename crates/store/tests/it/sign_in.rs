//! Accounts, sessions and tries: alike on both engines, each change with its event, and no code good for two.

use metsuke_model::Moment;
use metsuke_model::audit::EventCode;
use metsuke_store::{
    AccountChanged, AccountKept, AccountRow, AccountState, Admitted, Bucket, Identity, Opening, Proof,
    SessionRow, Store, Try,
};

use crate::database::Database;

const NOW: Moment = Moment(1_000);

fn account(id: &str, role: &str) -> AccountRow {
    AccountRow {
        id: id.into(),
        email: format!("{id}@example.com"),
        name: id.into(),
        role: role.into(),
        source: "local".into(),
        password: Some("$argon2id$".into()),
        totp: None,
        totp_since: None,
        totp_step: 0,
        created_at: NOW,
        created_by: "test".into(),
        disabled_at: None,
        signed_in_at: None,
    }
}

fn event(store: &Store) -> metsuke_model::audit::NewEvent {
    store.event(NOW, EventCode::AccountChanged)
}

async fn keep(store: &Store, id: &str, role: &str) {
    let kept = store.keep_account(&account(id, role), None, event(store)).await.unwrap();
    assert_eq!(kept, AccountKept::Yes);
}

async fn events(store: &Store) -> usize {
    store.audit_rows_before(None, 100).await.unwrap().len()
}

fn session(number: u8, account: &str) -> SessionRow {
    SessionRow {
        id: format!("session-{number}"),
        hash: vec![number; 32],
        account: account.into(),
        method: "password".into(),
        created_at: Moment(2_000),
        seen_at: Moment(2_000),
        expires_at: Moment(9_000),
        ended_at: None,
        address: Some("192.0.2.1".into()),
        browser: None,
    }
}

async fn open(store: &Store, session: &SessionRow, proof: Proof) -> bool {
    let opening = Opening { session, proof, device: &[9; 32], replaces: None, attempt: None };
    store.open_session(&opening, event(store)).await.unwrap()
}

async fn an_address_and_a_providers_person_have_one_account(database: Database) {
    let store = database.open().await;
    let identity = Identity { issuer: "https://id.example.com", subject: "1" };
    keep(&store, "ann", "admin").await;
    let taken = AccountRow { id: "other".into(), ..account("ann", "viewer") };
    assert_eq!(store.keep_account(&taken, None, event(&store)).await.unwrap(), AccountKept::Taken);
    let bob = account("bob", "viewer");
    assert_eq!(store.keep_account(&bob, Some(identity), event(&store)).await.unwrap(), AccountKept::Yes);
    assert_eq!(store.account_of_identity(identity).await.unwrap(), Some(bob));
    assert!(!store.link_identity(identity, "ann", NOW, event(&store)).await.unwrap());
    assert_eq!(store.count_accounts().await.unwrap(), 2);
    assert_eq!(events(&store).await, 2, "what was refused left no event");
    let ids: Vec<String> =
        store.accounts("ann", 9).await.unwrap().into_iter().map(|account| account.id).collect();
    assert_eq!(ids, ["bob"]);
}

async fn of_those_who_administer_one_stays(database: Database) {
    let store = database.open().await;
    keep(&store, "ann", "admin").await;
    keep(&store, "bob", "admin").await;
    let gone = AccountState { name: "x", role: "admin", disabled_at: Some(NOW) };
    let demoted = AccountState { name: "x", role: "viewer", disabled_at: None };
    let change = async |id, state| store.change_account(id, state, None, event(&store)).await.unwrap();
    assert_eq!(change("nobody", gone).await, AccountChanged::Missing);
    assert_eq!(change("ann", gone).await, AccountChanged::Yes);
    assert_eq!(change("bob", gone).await, AccountChanged::LastAdmin);
    assert_eq!(change("bob", demoted).await, AccountChanged::LastAdmin);
    let bob = store.account("bob").await.unwrap().unwrap();
    assert_eq!((bob.role.as_str(), bob.disabled_at), ("admin", None));
}

async fn a_setup_link_makes_one_account_while_there_is_none(database: Database) {
    let store = database.open().await;
    let offer =
        async |hash: u8| store.keep_setup_link(&[hash; 32], Moment(5_000), event(&store)).await.unwrap();
    assert!(offer(1).await && offer(2).await);
    let first = async |hash: u8, at| {
        let row = AccountRow { created_at: Moment(at), ..account("ann", "admin") };
        store.keep_first_account(&row, &[hash; 32], event(&store)).await.unwrap()
    };
    assert_eq!(first(1, 1_000).await, AccountKept::LinkGone, "another took its place");
    assert_eq!(first(2, 5_000).await, AccountKept::LinkGone, "expired");
    assert!(store.setup_link_holds(&[2; 32], Moment(4_999)).await.unwrap());
    assert_eq!(first(2, 4_999).await, AccountKept::Yes);
    assert_eq!(first(2, 4_999).await, AccountKept::LinkGone);
    assert!(!offer(3).await);
}

async fn no_code_opens_two_sessions(database: Database) {
    let store = database.open().await;
    keep(&store, "ann", "admin").await;
    assert!(store.offer_totp("ann", &[7; 40]).await.unwrap());
    let codes = [vec![1; 32], vec![2; 32]];
    assert!(store.confirm_totp("ann", 50, &codes, NOW, event(&store)).await.unwrap());
    assert!(!store.confirm_totp("ann", 51, &codes, NOW, event(&store)).await.unwrap());
    assert!(!store.offer_totp("ann", &[8; 40]).await.unwrap());
    assert!(!open(&store, &session(1, "ann"), Proof::None).await, "a code is asked for");
    assert!(!open(&store, &session(1, "ann"), Proof::Totp(50)).await, "it was used to enrol");
    let (one, other) = (session(1, "ann"), session(2, "ann"));
    for proof in [Proof::Totp(51), Proof::Recovery(vec![2; 32])] {
        let (first, second) = tokio::join!(open(&store, &one, proof.clone()), open(&store, &other, proof));
        assert!(first != second);
        for number in [1, 2] {
            database.sql("DELETE FROM sign_in_session").await;
            assert_eq!(store.session_of_hash(&[number; 32]).await.unwrap(), None);
        }
    }
    assert!(!open(&store, &session(3, "ann"), Proof::Recovery(vec![3; 32])).await, "no code of theirs");
    assert!(store.reset_totp("ann", NOW, event(&store)).await.unwrap());
    assert!(open(&store, &session(4, "ann"), Proof::None).await);
}

async fn a_second_factor_goes_with_a_fresh_code_or_an_unused_recovery_code(database: Database) {
    let store = database.open().await;
    keep(&store, "ann", "admin").await;
    let enrol = async |step: i64| {
        assert!(store.offer_totp("ann", &[7; 40]).await.unwrap());
        assert!(store.confirm_totp("ann", step, &[vec![1; 32]], NOW, event(&store)).await.unwrap());
        assert!(open(&store, &session(u8::try_from(step).unwrap(), "ann"), Proof::Totp(step + 1)).await);
    };
    let removed =
        async |proof: Proof| store.drop_totp("ann", &proof, Moment(3_000), event(&store)).await.unwrap();
    let secret = async || store.account("ann").await.unwrap().unwrap().totp_since;
    assert!(!removed(Proof::Totp(9)).await, "there is none");
    enrol(50).await;
    let before = events(&store).await;
    for proof in [Proof::None, Proof::Totp(51), Proof::Recovery(vec![2; 32])] {
        assert!(!removed(proof).await);
    }
    assert_eq!((secret().await, events(&store).await), (Some(NOW), before), "what was refused left no event");
    assert!(removed(Proof::Totp(52)).await);
    assert_eq!((secret().await, events(&store).await), (None, before + 1));
    assert!(!open(&store, &session(60, "ann"), Proof::Recovery(vec![1; 32])).await, "its codes went with it");
    let ended = store.session_of_hash(&[50; 32]).await.unwrap().unwrap().0.ended_at;
    assert_eq!(ended, Some(Moment(3_000)));
    enrol(70).await;
    assert!(removed(Proof::Recovery(vec![1; 32])).await);
    assert_eq!(secret().await, None);
}

async fn somebodys_open_sessions_are_listed_the_last_used_first(database: Database) {
    let store = database.open().await;
    keep(&store, "ann", "admin").await;
    keep(&store, "bob", "viewer").await;
    for number in [1, 2, 3] {
        assert!(open(&store, &session(number, "ann"), Proof::None).await);
    }
    assert!(open(&store, &session(4, "bob"), Proof::None).await);
    store.session_seen("session-1", Moment(5_000)).await.unwrap();
    assert!(store.end_session("session-2", Moment(4_000), event(&store)).await.unwrap());
    let listed = async |now| store.sessions_of("ann", Moment(now)).await.unwrap();
    let ids: Vec<String> = listed(6_000).await.into_iter().map(|session| session.id).collect();
    assert_eq!(ids, ["session-1", "session-3"]);
    let kept = listed(6_000).await.remove(1);
    assert_eq!((kept.address.as_deref(), kept.browser), (Some("192.0.2.1"), None));
    assert!(listed(9_000).await.is_empty(), "they cannot be used any more");
}

async fn what_ends_sessions_ends_all_of_them(database: Database) {
    let store = database.open().await;
    keep(&store, "ann", "admin").await;
    keep(&store, "bob", "viewer").await;
    for number in [1, 2] {
        assert!(open(&store, &session(number, "ann"), Proof::None).await);
    }
    assert!(open(&store, &session(3, "bob"), Proof::None).await);
    let ended = async |number: u8| store.session_of_hash(&[number; 32]).await.unwrap().unwrap().0.ended_at;
    assert!(store.knows_device("ann", &[9; 32], NOW).await.unwrap());
    assert!(!store.knows_device("ann", &[8; 32], NOW).await.unwrap());
    assert!(store.end_session("session-1", Moment(3_000), event(&store)).await.unwrap());
    assert!(!store.end_session("session-1", Moment(4_000), event(&store)).await.unwrap());
    assert_eq!((ended(1).await, ended(2).await), (Some(Moment(3_000)), None));
    assert!(store.set_password("ann", "$argon2id$x", Moment(5_000), event(&store)).await.unwrap());
    assert_eq!((ended(2).await, ended(3).await), (Some(Moment(5_000)), None));
    assert!(!store.knows_device("ann", &[9; 32], NOW).await.unwrap());
    let gone = AccountState { name: "x", role: "viewer", disabled_at: Some(NOW) };
    store.change_account("bob", gone, Some(Moment(6_000)), event(&store)).await.unwrap();
    assert_eq!(ended(3).await, Some(Moment(6_000)));
    assert!(!open(&store, &session(4, "bob"), Proof::None).await, "disabled");
    store.session_seen("session-1", Moment(7_000)).await.unwrap();
    assert_eq!(store.session_of_hash(&[1; 32]).await.unwrap().unwrap().0.seen_at, Moment(7_000));
}

async fn a_bucket_takes_what_it_takes_however_many_come_at_once(database: Database) {
    let store = database.open().await;
    let attempt = |number: i64, at: i64| Try {
        id: format!("try-{number}"),
        buckets: vec![Bucket { hash: vec![1], most: 3 }, Bucket { hash: vec![2], most: 5 }],
        at: Moment(at),
        since: Moment(at - 100),
    };
    let tries = (0..8).map(|number| {
        let (store, attempt) = (store.clone(), attempt(number, 1_000 + number));
        async move { store.admit_try(&attempt, event(&store)).await.unwrap() }
    });
    let outcomes = futures::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Admitted::Yes).count(), 3);
    assert_eq!(events(&store).await, 1, "told once");
    let full = store.admit_try(&attempt(8, 1_050), event(&store)).await.unwrap();
    assert!(matches!(full, Admitted::Full(oldest) if oldest < Moment(1_008)), "{full:?}");
    assert_eq!(store.admit_try(&attempt(9, 1_200), event(&store)).await.unwrap(), Admitted::Yes);
    store.forget_try("try-9").await.unwrap();
    for number in 10..13 {
        assert_eq!(store.admit_try(&attempt(number, 1_200), event(&store)).await.unwrap(), Admitted::Yes);
    }
    assert!(matches!(store.admit_try(&attempt(13, 1_200), event(&store)).await.unwrap(), Admitted::Full(_)));
}

on_both_engines!(
    an_address_and_a_providers_person_have_one_account,
    of_those_who_administer_one_stays,
    a_setup_link_makes_one_account_while_there_is_none,
    no_code_opens_two_sessions,
    what_ends_sessions_ends_all_of_them,
    a_second_factor_goes_with_a_fresh_code_or_an_unused_recovery_code,
    somebodys_open_sessions_are_listed_the_last_used_first,
    a_bucket_takes_what_it_takes_however_many_come_at_once,
);
