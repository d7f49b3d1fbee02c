//! Questions that people keep, and those on somebody's overview: seen by whom they are for, and kept with their events.

use metsuke_model::Moment;
use metsuke_model::audit::EventCode;
use metsuke_store::{QuestionRow, Store};
use serde_json::json;

use crate::database::Database;

fn question(id: &str, owner: &str, shared: bool) -> QuestionRow {
    QuestionRow {
        id: id.into(),
        owner: owner.into(),
        owner_name: format!("{owner} by name"),
        shared,
        title: format!("What is {id}?"),
        created_at: Moment(5),
        updated_at: Moment(5),
        document: json!({ "text": "FIND heroku_team" }),
    }
}

async fn keep(store: &Store, question: &QuestionRow) {
    store.put_question(question, store.event(Moment(5), EventCode::QuestionSaved)).await.unwrap();
}

async fn seen(store: &Store, owner: &str) -> Vec<String> {
    store.questions_seen_by(owner).await.unwrap().into_iter().map(|row| row.id).collect()
}

async fn a_question_is_seen_by_its_owner_and_once_shared_by_everybody(database: Database) {
    let store = database.open().await;
    let own = question("a", "ann", false);
    for row in [&own, &question("b", "bob", true), &question("c", "bob", false)] {
        keep(&store, row).await;
    }
    assert_eq!(seen(&store, "ann").await, ["a", "b"]);
    assert_eq!(seen(&store, "bob").await, ["b", "c"]);
    assert_eq!(seen(&store, "eve").await, ["b"]);
    assert_eq!(store.question("a").await.unwrap(), Some(own.clone()));
    assert_eq!(store.question("z").await.unwrap(), None);

    let later = Moment(9);
    let stolen = QuestionRow { owner: "eve".into(), created_at: later, updated_at: later, ..own.clone() };
    keep(&store, &QuestionRow { shared: true, ..stolen }).await;
    let kept = QuestionRow { shared: true, updated_at: later, ..own };
    assert_eq!(store.question("a").await.unwrap(), Some(kept), "owner and first moment stay");
    assert_eq!(seen(&store, "eve").await, ["a", "b"]);
    assert_eq!(store.audit_rows_before(None, 100).await.unwrap().len(), 4);
}

async fn what_is_removed_stands_on_nobodys_overview_any_more(database: Database) {
    let store = database.open().await;
    keep(&store, &question("a", "ann", true)).await;
    let arranged = || store.event(Moment(6), EventCode::OverviewArranged);
    let tiles = |tiles: &[&str]| tiles.iter().map(ToString::to_string).collect::<Vec<_>>();
    store.put_tiles("ann", &tiles(&["b", "a", "c"]), arranged()).await.unwrap();
    store.put_tiles("bob", &tiles(&["a"]), arranged()).await.unwrap();
    assert!(store.put_tiles("bob", &tiles(&["a", "a"]), arranged()).await.is_err(), "one stands there once");
    assert_eq!(store.tiles("bob").await.unwrap(), ["a"]);
    store.put_tiles("ann", &tiles(&["c", "a", "b"]), arranged()).await.unwrap();
    assert_eq!(store.tiles("ann").await.unwrap(), ["c", "a", "b"]);
    let removed = || store.event(Moment(7), EventCode::QuestionRemoved);
    assert!(store.remove_question("a", removed()).await.unwrap());
    assert!(!store.remove_question("a", removed()).await.unwrap());
    assert_eq!(store.tiles("ann").await.unwrap(), ["c", "b"]);
    assert!(store.tiles("bob").await.unwrap().is_empty());
    assert_eq!(store.audit_rows_before(None, 100).await.unwrap().len(), 5, "what was not done is not told");
}

on_both_engines!(
    a_question_is_seen_by_its_owner_and_once_shared_by_everybody,
    what_is_removed_stands_on_nobodys_overview_any_more,
);
