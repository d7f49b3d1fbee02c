//! The design system at one glance: every token and every part, as pages use them.

use askama::Template;
use axum::http::StatusCode;

use super::cell::{Badge, Cell, Figure, Head, Switch, Table, Tone};
use super::curve::{Curve, example};
use super::frame::{Frame, page as shown};
use super::given_up::{Given, GivenUp};
use super::list::Facet;
use super::tiles::{Shown, examples};
use super::words::{Name, When};
use super::{Step, setting_up};
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;

#[derive(Template)]
#[template(path = "styleguide.html")]
struct View {
    frame: Frame,
    badges: Vec<Badge>,
    figures: Vec<Figure>,
    table: Table,
    facts: Vec<(&'static str, Cell)>,
    switches: Vec<Cell>,
    parts: Vec<Facet>,
    steps: Vec<Step>,
    curve: Option<Curve>,
    tiles: Vec<Shown>,
    arranging: bool,
    given: Given,
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, "Style guide").await?.here("Style guide");
    let tones = [
        (Tone::Calm, "calm"),
        (Tone::Good, "complete"),
        (Tone::Warn, "2 gaps"),
        (Tone::Bad, "high"),
        (Tone::Worst, "critical"),
        (Tone::Busy, "Syncing"),
    ];
    // It goes nowhere: without the session's token, nothing is taken.
    let switch = |(on, note)| {
        let label = Name::new("team-with-one-admin");
        let (action, next) = ("/styleguide".to_owned(), "/styleguide".to_owned());
        Cell::Switch(Switch { action, csrf: String::new(), on, next, label, note })
    };
    let hostile = "<script>alert(1)</script>\u{202e}txt.exe";
    let row = |name: &str, number: &str, so: bool| {
        vec![
            Cell::Link(Name::new(name), "#table".to_owned(), Some(Name::new("what stands below"))),
            Cell::Mark(so),
            Cell::Number(number.to_owned()),
            Cell::Badge(Badge::new(Tone::Warn, "admin")),
        ]
    };
    let view = View {
        badges: tones.map(|(tone, word)| Badge::new(tone, word)).to_vec(),
        figures: vec![
            Figure::new(1_204, "apps", Some("#table".to_owned())),
            Figure { current: true, ..Figure::new(37, "can deploy", Some("#table".to_owned())) },
            Figure::new(0, "gaps", None),
        ],
        table: Table {
            caption: "An example".to_owned(),
            heads: vec![
                Head { href: Some("#table".to_owned()), sorted: "ascending", ..Head::plain("Name") },
                Head::plain("Deploy"),
                Head::number("Add-ons"),
                Head::plain("Role"),
            ],
            rows: vec![
                row("api-production", "12", true),
                row(hostile, "1,204", false),
                row(&"long-".repeat(60), "3", true),
            ],
        },
        facts: vec![
            ("Team", Cell::Link(Name::new("core"), "#facts".to_owned(), None)),
            ("Space", Cell::Nothing),
            ("Locked", Cell::Word("not shown".into())),
        ],
        switches: [(true, ""), (false, ""), (true, "cannot be judged")].map(switch).to_vec(),
        parts: ["First", "Second"]
            .map(|name| Facet { name, href: "#tabs".to_owned(), current: name == "First" })
            .into(),
        steps: setting_up(1),
        curve: example(frame.now),
        tiles: examples(&frame),
        arranging: false,
        given: given_up(&frame),
        frame,
    };
    shown(StatusCode::OK, &view)
}

/// Something that was given up; its forms go nowhere.
fn given_up(frame: &Frame) -> Given {
    let one = GivenUp {
        what: Name::new("Upload version 7 to JupiterOne"),
        whose: Name::new("core"),
        why: Name::head("JupiterOne did not take the upload: it was answered 401"),
        tries: "8 tries".into(),
        when: When::new(frame.now, frame.now),
        retry: "/styleguide".into(),
        strike: "/styleguide".into(),
    };
    Given { list: vec![one], more: "" }
}
