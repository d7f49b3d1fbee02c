//! A picture as it is drawn: boxes, lines and their words.
//!
//! Where a box stands is [`layout`](super::layout)'s business; where it leads is the page's.
//!
//! Invariant: a picture holds nothing that the list beside it does not.

use super::hand::Hand;
use super::href;
use super::layout::{HEIGHT, Layout, WIDTH};
use super::read::Found;
use super::scene::{Edge, Kind, Node, Scene};
use crate::site::frame::Frame;
use crate::site::words::Name;

/// Lines that have their words beside them.
const LABELS: usize = 30;
/// Letters of usual width that a name in a node has room for.
const LETTERS: u32 = 22;

/// A picture.
pub(super) struct Drawing {
    pub(super) title: String,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) nodes: Vec<Drawn>,
    pub(super) lines: Vec<Line>,
    /// It stands in a page, whose style it takes and whose links it has.
    pub(super) within: bool,
}

pub(super) struct Drawn {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) class: String,
    pub(super) fill: &'static str,
    pub(super) name: String,
    pub(super) below: String,
    pub(super) title: Name,
    pub(super) href: String,
    pub(super) opens: bool,
}

pub(super) struct Line {
    pub(super) path: String,
    pub(super) label: String,
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) shown: bool,
}

/// The picture of a scene that was laid out.
pub(super) fn drawing(
    frame: &Frame,
    found: &Found,
    (scene, placed): (&Scene, &Layout),
    hand: &Hand,
    within: bool,
) -> Drawing {
    let middle = found.middle.and_then(|middle| found.scene.nodes.get(middle)).map(|node| node.key.as_str());
    let node = |(node, (x, y)): (&Node, &(i32, i32))| {
        let is = |so: bool, class: &'static str| if so { class } else { "" };
        let class = format!(
            "node {}{}{}{}{}",
            node.kind.word(),
            is(node.stands_for > 1, " group"),
            is(hand.pins(&node.key), " pinned"),
            is(hand.chooses(&node.key), " chosen"),
            is(middle == Some(node.key.as_str()), " middle"),
        );
        Drawn {
            x: *x,
            y: *y,
            class,
            fill: fill(node.kind),
            name: cut(&node.name, LETTERS),
            below: cut(&node.below, LETTERS + 4),
            title: Name::new(&node.name),
            href: href(frame, node),
            opens: node.stands_for > 1,
        }
    };
    let few = scene.edges.len() <= LABELS;
    Drawing {
        title: Name::new(&found.title).cut,
        width: placed.width,
        height: placed.height,
        nodes: scene.nodes.iter().zip(&placed.places).map(node).collect(),
        lines: scene.edges.iter().filter_map(|edge| line(edge, placed, few)).collect(),
        within,
    }
}

fn line(edge: &Edge, placed: &Layout, shown: bool) -> Option<Line> {
    let (from, to) = (placed.places.get(edge.from)?, placed.places.get(edge.to)?);
    let (start, end) = match from.0.cmp(&to.0) {
        std::cmp::Ordering::Less => (from.0 + WIDTH, to.0),
        std::cmp::Ordering::Greater => (from.0, to.0 + WIDTH),
        std::cmp::Ordering::Equal => (from.0 + WIDTH, to.0 + WIDTH),
    };
    let (top, bottom) = (from.1 + HEIGHT / 2, to.1 + HEIGHT / 2);
    let bend = if from.0 == to.0 { 30 } else { (end - start) / 2 };
    let back = if from.0 == to.0 { end + bend } else { end - bend };
    Some(Line {
        path: format!("M{start} {top}C{} {top} {back} {bottom} {end} {bottom}", start + bend),
        label: cut(&edge.label, LETTERS),
        x: i32::midpoint(start, end),
        y: i32::midpoint(top, bottom) - 4,
        shown: shown && (end - start).abs() < 200,
    })
}

/// The colour of a kind in a file, which no style sheet reaches.
const fn fill(kind: Kind) -> &'static str {
    match kind {
        Kind::Person => "#e5edf4",
        Kind::Account => "#faefd7",
        Kind::Team => "#f2f0ea",
        Kind::App => "#e4f0e9",
        Kind::AddOn => "#fae8e3",
        Kind::Other => "#ffffff",
    }
}

/// As much of a text as fits into the room of so many usual letters.
fn cut(text: &str, letters: u32) -> String {
    let most = letters * USUAL;
    if text.chars().map(width).sum::<u32>() <= most {
        return text.to_owned();
    }
    let mut taken = width('…');
    let fits = |letter: &char| {
        taken += width(*letter);
        taken <= most
    };
    let mut shown: String = text.chars().take_while(fits).collect();
    shown.push('…');
    shown
}

/// The width of a usual letter.
const USUAL: u32 = 10;

/// About how wide a letter is.
const fn width(letter: char) -> u32 {
    match letter {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 5,
        'f' | 'r' | 't' | '-' | '(' | ')' | ' ' => 7,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 15,
        'A'..='Z' => 12,
        '\u{1100}'.. => 18,
        _ => USUAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_its_box_whatever_its_letters() {
        assert_eq!(cut("billing-importer-canary", LETTERS), "billing-importer-canary");
        assert_eq!(cut("mariam.kaplan@northwind.example", LETTERS), "mariam.kaplan@northwi…");
        for name in ["m".repeat(40), "i".repeat(90), "目".repeat(30), "W".repeat(23)] {
            let shown = cut(&name, LETTERS);
            assert!(
                shown.ends_with('…') && shown.chars().map(width).sum::<u32>() <= LETTERS * USUAL,
                "{shown}"
            );
        }
    }
}
