//! Where the nodes of a picture stand: a column for each kind, as the hierarchy goes, people beside.
//!
//! Invariant: no two nodes overlap, all stand within the picture, and the same scene always makes the same picture.

use std::collections::BTreeMap;

use super::scene::{Kind, Scene};

/// How large a node is.
pub(super) const WIDTH: i32 = 190;
pub(super) const HEIGHT: i32 = 38;
/// What lies between columns and rows, and around all.
const ASIDE: i32 = 90;
const APART: i32 = 12;
const AROUND: i32 = 16;
/// How often the columns are put in order by their neighbours.
const SWEEPS: usize = 4;

/// A picture's measures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Left and top of each node.
    pub(super) places: Vec<(i32, i32)>,
    pub(super) width: i32,
    pub(super) height: i32,
}

/// Lays a scene out.
pub(super) fn layout(scene: &Scene) -> Layout {
    let mut columns: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
    for (place, node) in scene.nodes.iter().enumerate() {
        columns.entry(node.kind).or_default().push(place);
    }
    let mut columns: Vec<Vec<usize>> = columns.into_values().collect();
    for column in &mut columns {
        column.sort_by_key(|place| {
            scene.nodes.get(*place).map(|node| (node.name.to_lowercase(), node.key.clone()))
        });
    }
    for sweep in 0..SWEEPS {
        let order: Vec<usize> =
            if sweep % 2 == 0 { (0..columns.len()).collect() } else { (0..columns.len()).rev().collect() };
        for at in order {
            let ranks = ranks(&columns, scene.nodes.len());
            if let Some(column) = columns.get_mut(at) {
                column.sort_by_key(|place| middle(scene, &ranks, *place));
            }
        }
    }
    placed(&columns, scene.nodes.len())
}

/// How far down its column each node stands, in thousandths.
fn ranks(columns: &[Vec<usize>], nodes: usize) -> Vec<usize> {
    let mut ranks = vec![0; nodes];
    for column in columns {
        for (row, place) in column.iter().enumerate() {
            if let Some(rank) = ranks.get_mut(*place) {
                *rank = (2 * row + 1) * 500 / column.len();
            }
        }
    }
    ranks
}

/// The mean of where a node's neighbours stand, or where it stands itself.
fn middle(scene: &Scene, ranks: &[usize], place: usize) -> usize {
    let other = |edge: &super::scene::Edge| match place {
        place if place == edge.from => Some(edge.to),
        place if place == edge.to => Some(edge.from),
        _ => None,
    };
    let around: Vec<usize> =
        scene.edges.iter().filter_map(other).filter_map(|other| ranks.get(other).copied()).collect();
    match around.len() {
        0 => ranks.get(place).copied().unwrap_or_default(),
        count => around.iter().sum::<usize>() / count,
    }
}

fn placed(columns: &[Vec<usize>], nodes: usize) -> Layout {
    let size = |count: usize, one: i32, between: i32| {
        let count = i32::try_from(count).unwrap_or(i32::MAX / 1_000);
        (count * (one + between) - between).max(0)
    };
    let tallest = columns.iter().map(|column| size(column.len(), HEIGHT, APART)).max().unwrap_or_default();
    let mut places = vec![(0, 0); nodes];
    let mut left = AROUND;
    for column in columns {
        let mut top = AROUND + (tallest - size(column.len(), HEIGHT, APART)) / 2;
        for place in column {
            if let Some(at) = places.get_mut(*place) {
                *at = (left, top);
            }
            top += HEIGHT + APART;
        }
        left += WIDTH + ASIDE;
    }
    let width = size(columns.len(), WIDTH, ASIDE) + 2 * AROUND;
    Layout { places, width, height: tallest + 2 * AROUND }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overlaps_nothing_is_outside_and_all_is_as_before() {
        for seed in 1..80_usize {
            let mut random = seed;
            let mut next = |below: usize| {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) % below
            };
            let mut scene = Scene::default();
            for number in 0..=seed * 3 {
                let (kind, _) = Kind::ALL[next(6)];
                scene.node(kind, &number.to_string(), &format!("n{}", number % 7));
            }
            for _ in 0..seed * 4 {
                let (from, to) = (next(scene.nodes.len()), next(scene.nodes.len()));
                scene.join(from, to, "");
            }
            let drawn = layout(&scene);
            assert_eq!(drawn, layout(&scene));
            for (place, (x, y)) in drawn.places.iter().enumerate() {
                assert!(*x >= 0 && *y >= 0 && x + WIDTH <= drawn.width && y + HEIGHT <= drawn.height);
                for (other_x, other_y) in drawn.places.iter().skip(place + 1) {
                    let apart = (x - other_x).abs() >= WIDTH || (y - other_y).abs() >= HEIGHT;
                    assert!(apart, "seed {seed}: {x},{y} and {other_x},{other_y}");
                }
            }
        }
    }

    #[test]
    fn the_hierarchy_reads_from_left_to_right() {
        let mut scene = Scene::default();
        let app = scene.node(Kind::App, "a", "api");
        let team = scene.node(Kind::Team, "t", "core");
        let person = scene.node(Kind::Person, "p", "ann");
        let drawn = layout(&scene);
        let left = |place: usize| drawn.places[place].0;
        assert!(left(person) < left(team) && left(team) < left(app));
    }
}
