//! Tokens and idempotency keys: kept with their events, revoked once, and done once.

use metsuke_model::Moment;
use metsuke_model::audit::EventCode;
use metsuke_store::{Attempt, Begun, Kept, Store, TokenRow};

use crate::database::Database;

const START: Moment = Moment(0);

fn token(id: &str) -> TokenRow {
    TokenRow {
        id: id.into(),
        hash: vec![id.len().try_into().unwrap(); 32],
        name: format!("token {id}"),
        role: "viewer".into(),
        scopes: "[]".into(),
        person: Some("ann@example.com".into()),
        created_at: Moment(5),
        created_by: "ann".into(),
        expires_at: Some(Moment(9)),
        revoked_at: None,
        last_used_at: None,
    }
}

async fn keep(store: &Store, id: &str) {
    store.keep_token(&token(id), store.event(Moment(5), EventCode::TokenCreated)).await.unwrap();
}

async fn events(store: &Store) -> usize {
    store.audit_rows_before(None, 100).await.unwrap().len()
}

async fn a_token_is_found_by_its_hash_and_listed_by_its_id(database: Database) {
    let store = database.open().await;
    for id in ["a", "bb", "ccc"] {
        keep(&store, id).await;
    }
    assert_eq!(store.token_of_hash(&[2; 32]).await.unwrap(), Some(token("bb")));
    assert_eq!(store.token_of_hash(&[9; 32]).await.unwrap(), None);
    assert_eq!(store.token("ccc").await.unwrap(), Some(token("ccc")));
    let listed = |after: &'static str, count| {
        let store = store.clone();
        async move {
            let tokens = store.tokens(after, count).await.unwrap();
            tokens.into_iter().map(|token| token.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(listed("", 2).await, ["a", "bb"]);
    assert_eq!(listed("bb", 2).await, ["ccc"]);
    assert_eq!(events(&store).await, 3);
}

async fn a_token_is_revoked_once_and_its_use_is_noted(database: Database) {
    let store = database.open().await;
    keep(&store, "a").await;
    let event = || store.event(Moment(6), EventCode::TokenRevoked);
    assert!(store.revoke_token("a", Moment(6), event()).await.unwrap());
    assert!(!store.revoke_token("a", Moment(7), event()).await.unwrap());
    store.token_used("a", Moment(8)).await.unwrap();
    let expected = TokenRow { revoked_at: Some(Moment(6)), last_used_at: Some(Moment(8)), ..token("a") };
    assert_eq!(store.token("a").await.unwrap(), Some(expected));
    assert_eq!(events(&store).await, 2, "the second time changed nothing and tells nothing");
}

fn attempt(key: &str, request: u8) -> Attempt {
    let (caller, operation) = ("caller".to_owned(), "createThing".to_owned());
    Attempt { caller, operation, key: key.into(), request: vec![request; 4] }
}

async fn the_first_request_with_a_key_begins_and_the_same_again_gets_its_answer(database: Database) {
    let store = database.open().await;
    let begin = async |attempt: &Attempt| store.begin_once(attempt, Moment(1), START).await.unwrap();
    let first = attempt("k", 1);
    assert_eq!(begin(&first).await, Begun::First);
    assert_eq!(begin(&first).await, Begun::Open);
    assert_eq!(begin(&attempt("k", 2)).await, Begun::Other);
    let kept = Kept { status: 201, headers: "{}".into(), body: b"made".to_vec() };
    store.done_once(&first, &kept).await.unwrap();
    assert_eq!(begin(&first).await, Begun::Done(kept));
    assert_eq!(begin(&attempt("k", 2)).await, Begun::Other);
    let other = Attempt { caller: "other".into(), ..attempt("k", 2) };
    assert_eq!(begin(&other).await, Begun::First, "a key belongs to one caller");
}

async fn a_key_that_was_given_back_or_forgotten_can_be_taken_again(database: Database) {
    let store = database.open().await;
    let first = attempt("k", 1);
    store.begin_once(&first, Moment(1), START).await.unwrap();
    store.undone_once(&first).await.unwrap();
    assert_eq!(store.begin_once(&attempt("k", 2), Moment(2), START).await.unwrap(), Begun::First);
    assert_eq!(store.begin_once(&attempt("k", 3), Moment(9), Moment(3)).await.unwrap(), Begun::First);
}

on_both_engines!(
    a_token_is_found_by_its_hash_and_listed_by_its_id,
    a_token_is_revoked_once_and_its_use_is_noted,
    the_first_request_with_a_key_begins_and_the_same_again_gets_its_answer,
    a_key_that_was_given_back_or_forgotten_can_be_taken_again,
);
