//! The graph: what surrounds a thing, how somebody comes to something, or what a question found, as a picture and as a list.
//!
//! What is in it is read by [`read`], gathered by [`scene`] and placed by [`layout`].
//!
//! Invariant: the picture, the list beside it and the files hold the same things, and never more than three hundred.

mod hand;
mod layout;
mod picture;
mod reached;
mod read;
mod scene;

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::http::{StatusCode, header};
use metsuke_engine::EngineError;
use metsuke_engine::desk::{Question, ask};
use metsuke_engine::query::render;
use serde_json::json;

use hand::{Chosen, Hand, Undo};
use layout::{Layout, layout};
use picture::{Drawing, drawing};
use read::{Found, answer, around, estate, way};
use scene::{Kind, Node, Scene};

use super::cell::Cell;
use super::frame::{Frame, Read, page as shown};
use super::query::Step;
use super::words::{Name, count};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::handlers::query::TIME;

/// Rows of an answer that are drawn.
const ROWS: usize = 5_000;
/// How deep the list goes, and its steps.
const DEEP: usize = 5;
const STEPS: usize = 600;

#[derive(Template)]
#[template(path = "graph.html")]
struct View {
    frame: Frame,
    read: Vec<Read>,
    lead: Vec<String>,
    wrong: String,
    from: String,
    to: String,
    text: String,
    legend: Vec<(&'static str, &'static str)>,
    drawing: Option<Drawing>,
    /// What can be done with the thing that was chosen.
    chosen: Option<Chosen>,
    /// What was hidden, pinned and expanded.
    done: Vec<(&'static str, Vec<Undo>)>,
    /// Why things stand together; empty where all stand alone.
    gathered: String,
    steps: Vec<Step>,
    files: Vec<(&'static str, String)>,
    matrix: String,
    versions: Option<(i64, i64)>,
    beside_versions: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "part/drawing.html")]
struct Alone {
    drawing: Drawing,
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let mut frame = Frame::of(&call, "Graph").await?.here("Graph");
    let own = |name: &str| frame.asked.get(name).unwrap_or_default().to_owned();
    let (from, to, text) = (own("from"), own("to"), own("q"));
    let hand = Hand::of(&frame);
    let mut wrong = String::new();
    let mut found = match (own("of"), from.is_empty() || to.is_empty(), text.is_empty()) {
        (of, true, true) if of.is_empty() => estate(&call, &frame).await?,
        (_, false, _) => match way(&call, &frame, &from, &to).await {
            Err(error) if error.status == StatusCode::NOT_FOUND => {
                wrong = format!("{}. {}", error.message, error.hint.unwrap_or_default());
                estate(&call, &frame).await?
            }
            other => other?,
        },
        (_, _, false) => match asked(&call, &frame, &text).await? {
            Ok(found) => found,
            Err(picture) => {
                wrong = picture;
                estate(&call, &frame).await?
            }
        },
        (of, ..) => around(&call, &frame, &of, Some(&hand)).await?,
    };
    frame.title = Name::new(&found.title).cut;
    hand.expand(&call, &frame, &mut found).await?;
    let (scene, whole) = hand.drawn(&found);
    let placed = layout(&scene);
    match frame.asked.get("format") {
        Some("json") => return Ok(file("graph.json", "application/json", json(&scene, &placed))),
        Some("svg") => {
            let drawing = drawing(&frame, &found, (&scene, &placed), &hand, false);
            let svg = Alone { drawing }.render().map_err(|error| {
                tracing::error!(%error, "a picture cannot be written");
                ApiError::internal()
            })?;
            return Ok(file("graph.svg", "image/svg+xml", svg));
        }
        _ => {}
    }
    let here = frame.asked.without(&["format", "at"]);
    let view = View {
        read: frame.read(&found.readings),
        lead: found.told.clone(),
        steps: steps(&frame, &scene),
        legend: Kind::ALL
            .iter()
            .filter(|(kind, _)| scene.nodes.iter().any(|node| node.kind == *kind))
            .map(|(kind, name)| (kind.word(), *name))
            .collect(),
        drawing: (!scene.nodes.is_empty()).then(|| drawing(&frame, &found, (&scene, &placed), &hand, true)),
        chosen: hand.chosen(&frame, &found, &scene, |node| page_of(&frame, &found, node)),
        done: hand.done(&frame, &whole),
        gathered: gathered(&found, &whole),
        files: [("SVG", "svg"), ("JSON", "json")]
            .map(|(name, format)| (name, here.with("format", format).at("/graph")))
            .to_vec(),
        matrix: if super::ROUTES.iter().any(|route| route.path == "/matrix") {
            frame.to("/matrix")
        } else {
            String::new()
        },
        versions: versions(&call, &frame, &found).await?,
        beside_versions: frame.asked.without(&["as_of", "format"]).pairs(),
        from,
        to,
        text,
        wrong,
        frame,
    };
    let status = if view.wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    shown(status, &view)
}

/// The newest version and the one that is shown, where there are several.
async fn versions(call: &Call, frame: &Frame, found: &Found) -> Result<Option<(i64, i64)>, ApiError> {
    let [shown] = &found.readings[..] else { return Ok(None) };
    let newest = call.state.desk.readings(shown.connector.as_deref().or(frame.connector()), None).await?;
    let newest = newest.first().map_or(shown.version.0, |reading| reading.version.0);
    Ok((newest > 1).then_some((newest, shown.version.0)))
}

/// What a question finds, or the picture of what is wrong with it.
async fn asked(call: &Call, frame: &Frame, text: &str) -> Result<Result<Found, String>, ApiError> {
    let readings = call.state.desk.readings(frame.connector(), frame.at()).await?;
    let [reading] = &readings[..] else {
        return Ok(Err("A question is asked of one connector that has synced. Choose one above.".to_owned()));
    };
    let estate = call.state.desk.estate(reading.connector.as_deref().or(frame.connector())).await?;
    let text = as_tree(text);
    let question = Question {
        text: text.clone(),
        as_of: frame.at(),
        variables: BTreeMap::new(),
        account_name: None,
        include_deleted: false,
        most_rows: ROWS,
        time_limit: TIME,
    };
    match ask(&estate, question, call.state.clock.now()).await {
        Ok(found) => Ok(Ok(answer(&found, reading))),
        Err(EngineError::Query { errors, .. }) => Ok(Err(render(&text, &errors))),
        Err(error) => Err(error.into()),
    }
}

/// The same question for everything on its paths: what it returns is left out.
fn as_tree(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    let words = upper.match_indices("RETURN").map(|(at, _)| at);
    let alone = |at: &usize| {
        let blank = |letter: Option<char>| letter.is_none_or(char::is_whitespace);
        blank(upper.get(..*at).and_then(|before| before.chars().next_back()))
            && blank(upper.get(at + 6..).and_then(|rest| rest.chars().next()))
    };
    let end = words.filter(alone).last().unwrap_or(text.len());
    format!("{} RETURN TREE", text.get(..end).unwrap_or(text).trim_end())
}

fn file(name: &str, media: &'static str, bytes: impl Into<axum::body::Bytes>) -> Answer {
    Answer::typed(StatusCode::OK, media, bytes)
        .with(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""))
}

fn json(scene: &Scene, placed: &Layout) -> String {
    let node = |(node, (x, y)): (&Node, &(i32, i32))| json!({ "id": node.key, "kind": node.kind.word(), "name": node.name, "stands_for": node.stands_for, "x": x, "y": y });
    let key = |place: usize| scene.nodes.get(place).map(|node| node.key.as_str());
    let edges = scene.edges.iter();
    json!({
        "nodes": scene.nodes.iter().zip(&placed.places).map(node).collect::<Vec<_>>(),
        "edges": edges.map(|edge| json!({ "from": key(edge.from), "to": key(edge.to), "label": edge.label })).collect::<Vec<_>>(),
        "width": placed.width,
        "height": placed.height,
    })
    .to_string()
}

/// Where somebody goes who opens a group, or chooses a thing.
fn href(frame: &Frame, node: &Node) -> String {
    let here = frame.asked.without(&["format", "at"]);
    if node.stands_for > 1 {
        return here.and("open", &node.key).at("/graph");
    }
    format!("{}#chosen", here.with("at", &node.key).at("/graph"))
}

/// The page of a thing; empty where it has none.
fn page_of(frame: &Frame, found: &Found, node: &Node) -> String {
    let list = match node.kind {
        Kind::Person => "people",
        Kind::Account => "enterprise-accounts",
        Kind::Team => "teams",
        Kind::App => "apps",
        Kind::AddOn | Kind::Other => return String::new(),
    };
    if node.stands_for > 1 {
        return String::new();
    }
    let connector = found.readings.first().and_then(|reading| reading.connector.as_deref());
    frame.object(list, &node.id, connector.filter(|_| found.readings.len() == 1))
}

/// Why things stand together, where there would be too many.
fn gathered(found: &Found, whole: &Scene) -> String {
    let all: usize = found.scene.nodes.iter().map(|node| node.stands_for).sum();
    if all <= scene::MOST || whole.nodes.len() == all {
        return String::new();
    }
    format!(
        "{} are too many to draw one by one: what is alike stands together, and opens.",
        count(all, "thing", "things")
    )
}

/// The same as a list, for those who do not look at pictures.
fn steps(frame: &Frame, scene: &Scene) -> Vec<Step> {
    let pointed: BTreeSet<usize> = scene.edges.iter().map(|edge| edge.to).collect();
    let mut roots: Vec<usize> = (0..scene.nodes.len()).filter(|place| !pointed.contains(place)).collect();
    roots.sort_by_key(|place| scene.nodes.get(*place).map(|node| (node.kind, node.name.clone())));
    let mut steps = Vec::new();
    for root in roots {
        step(frame, scene, (root, ""), &mut Vec::new(), &mut steps);
    }
    steps
}

fn step(
    frame: &Frame,
    scene: &Scene,
    (place, how): (usize, &str),
    way: &mut Vec<usize>,
    steps: &mut Vec<Step>,
) {
    let Some(node) = scene.nodes.get(place) else { return };
    if steps.len() >= STEPS {
        if !matches!(steps.last(), Some(Step::More)) {
            steps.push(Step::More);
        }
        return;
    }
    let below = (!node.below.is_empty()).then(|| Name::new(&node.below));
    let cell = Cell::Link(Name::new(&node.name), href(frame, node), below);
    let next: Vec<_> = scene.edges.iter().filter(|edge| edge.from == place).collect();
    if next.is_empty() || way.len() >= DEEP || way.contains(&place) {
        steps.push(Step::Leaf(cell, how.to_owned()));
        return;
    }
    steps.push(Step::Open(cell, how.to_owned(), false));
    way.push(place);
    for edge in next {
        step(frame, scene, (edge.to, &edge.label), way, steps);
    }
    way.pop();
    steps.push(Step::Close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_question_returns_its_paths_are_drawn() {
        assert_eq!(as_tree("FIND a THAT HAS b\nRETURN b.name LIMIT 5"), "FIND a THAT HAS b RETURN TREE");
        assert_eq!(as_tree("find a with x = 'RETURNED'"), "find a with x = 'RETURNED' RETURN TREE");
    }
}
