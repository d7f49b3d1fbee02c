//! Things and what joins them, before they are drawn: gathered, so that there are never too many.
//!
//! Where they stand in the picture is [`layout`](super::layout)'s business.
//!
//! Invariant: a gathered scene has at most [`MOST`] nodes, and the same scene is always gathered alike.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// The most nodes of a picture.
pub(super) const MOST: usize = 300;
/// So many that are alike become one node.
pub(super) const ALIKE: usize = 5;
/// The most members of an opened group that stand alone.
const OPENED: usize = 120;

/// What a node is; the order is that of the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Person,
    Account,
    Team,
    App,
    AddOn,
    Other,
}

impl Kind {
    /// All of them, with what they are called in the legend.
    pub(super) const ALL: [(Self, &'static str); 6] = [
        (Self::Person, "Person"),
        (Self::Account, "Enterprise account"),
        (Self::Team, "Team"),
        (Self::App, "App"),
        (Self::AddOn, "Add-on"),
        (Self::Other, "Other"),
    ];

    /// In addresses and styles.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Account => "account",
            Self::Team => "team",
            Self::App => "app",
            Self::AddOn => "addon",
            Self::Other => "other",
        }
    }

    /// Several of them.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Person => "people",
            Self::Account => "Enterprise accounts",
            Self::Team => "teams",
            Self::App => "apps",
            Self::AddOn => "add-ons",
            Self::Other => "others",
        }
    }
}

/// One thing, or several that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// What tells it from all others.
    pub(super) key: String,
    pub(super) kind: Kind,
    pub(super) name: String,
    /// What stands below the name.
    pub(super) below: String,
    /// The thing's id where it has a page of its own; empty else.
    pub(super) id: String,
    /// How many it stands for.
    pub(super) stands_for: usize,
}

/// What joins two nodes, from left to right as the hierarchy goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) label: String,
}

/// Things and what joins them.
#[derive(Clone, Debug, Default)]
pub(super) struct Scene {
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    places: HashMap<String, usize>,
}

/// Where the edges of a node lead, which way, and what they say, each once and in order.
type Around<'s> = Vec<(usize, bool, &'s str)>;
/// The group that a node at a place belongs to.
type Groups = HashMap<usize, Rc<str>>;

impl Scene {
    /// What tells a thing from all others.
    pub(super) fn key(kind: Kind, id: &str) -> String {
        format!("{}~{id}", kind.word())
    }

    /// The place of a thing, which is added where it is not there yet.
    pub(super) fn node(&mut self, kind: Kind, id: &str, name: &str) -> usize {
        let key = Self::key(kind, id);
        if let Some(place) = self.places.get(&key) {
            return *place;
        }
        let place = self.nodes.len();
        let own = if matches!(kind, Kind::AddOn | Kind::Other) { String::new() } else { id.to_owned() };
        self.places.insert(key.clone(), place);
        let node = Node { key, kind, name: name.to_owned(), below: String::new(), id: own, stands_for: 1 };
        self.nodes.push(node);
        place
    }

    /// Adds a node that stands for so many things that are alike: joined to the same ones in the same way.
    pub(super) fn bundle(&mut self, kind: Kind, key: String, stands_for: usize) -> usize {
        let place = self.nodes.len();
        self.places.insert(key.clone(), place);
        let name = format!("{stands_for} {}", kind.words());
        self.nodes.push(Node { key, kind, name, below: String::new(), id: String::new(), stands_for });
        place
    }

    /// The key of a group of things of a kind, by what each of them is joined to and with which words.
    pub(super) fn key_of_alike<'e>(
        &self,
        kind: Kind,
        joined: impl Iterator<Item = (usize, &'e str)>,
    ) -> String {
        let mut ends: Option<(&str, &str)> = None;
        for (other, label) in joined {
            let other = self.nodes.get(other).map(|node| node.key.as_str());
            ends = Some(match (ends, other) {
                (None, other) => (other.unwrap_or_default(), label),
                (Some((least, first)), other) => {
                    (other.map_or(least, |other| other.min(least)), label.min(first))
                }
            });
        }
        let (joined, label) = ends.unwrap_or_default();
        format!("{}*{joined}*{label}", kind.word())
    }

    /// Says something below a node's name.
    pub(super) fn say(&mut self, place: usize, below: String) {
        if let Some(node) = self.nodes.get_mut(place) {
            node.below = below;
        }
    }

    /// Joins two nodes.
    pub(super) fn join(&mut self, from: usize, to: usize, label: &str) {
        let edge = Edge { from, to, label: label.to_owned() };
        if from != to {
            self.edges.push(edge);
        }
    }

    /// Takes in what another scene holds.
    pub(super) fn absorb(&mut self, other: &Self) {
        let mut places = Vec::with_capacity(other.nodes.len());
        for node in &other.nodes {
            let place = *self.places.entry(node.key.clone()).or_insert(self.nodes.len());
            if place == self.nodes.len() {
                self.nodes.push(node.clone());
            }
            places.push(place);
        }
        for edge in &other.edges {
            if let (Some(from), Some(to)) = (places.get(edge.from), places.get(edge.to)) {
                self.join(*from, *to, &edge.label);
            }
        }
    }

    /// The same without these nodes, and without those that nothing else joins; what is pinned stays.
    pub(super) fn less(&self, hidden: &BTreeSet<String>, pinned: &BTreeSet<String>) -> Self {
        let is_hidden = |place: usize| self.nodes.get(place).is_some_and(|node| hidden.contains(&node.key));
        let mut joined: BTreeMap<usize, bool> = BTreeMap::new();
        for edge in &self.edges {
            let stays = !is_hidden(edge.from) && !is_hidden(edge.to);
            *joined.entry(edge.from).or_default() |= stays;
            *joined.entry(edge.to).or_default() |= stays;
        }
        let mut scene = Self::default();
        let mut places = BTreeMap::new();
        for (place, node) in self.nodes.iter().enumerate() {
            let alone = joined.get(&place) == Some(&false) && !pinned.contains(&node.key);
            if !is_hidden(place) && !alone {
                places.insert(place, scene.nodes.len());
                scene.places.insert(node.key.clone(), scene.nodes.len());
                scene.nodes.push(node.clone());
            }
        }
        for edge in &self.edges {
            if let (Some(from), Some(to)) = (places.get(&edge.from), places.get(&edge.to)) {
                scene.join(*from, *to, &edge.label);
            }
        }
        scene
    }

    /// The same with nodes that are alike put together, but for those that are opened, pinned or in the middle.
    pub(super) fn gathered(
        &self,
        middle: Option<usize>,
        opened: &BTreeSet<String>,
        pinned: &BTreeSet<String>,
    ) -> Self {
        let stays = |place: usize, node: &Node| Some(place) == middle || pinned.contains(&node.key);
        let mut beside: Vec<Around<'_>> = vec![Vec::new(); self.nodes.len()];
        for edge in &self.edges {
            for (place, leads) in [(edge.from, (edge.to, true)), (edge.to, (edge.from, false))] {
                if let Some(around) = beside.get_mut(place) {
                    around.push((leads.0, leads.1, &edge.label));
                }
            }
        }
        let mut alike: HashMap<(Kind, Around<'_>), Vec<usize>> = HashMap::new();
        let nodes = self.nodes.iter().zip(beside).enumerate();
        for (place, (node, mut around)) in nodes.filter(|(place, (node, _))| !stays(*place, node)) {
            around.sort_unstable();
            around.dedup();
            alike.entry((node.kind, around)).or_default().push(place);
        }
        let mut group = Groups::new();
        for ((kind, around), members) in alike {
            let key = self.key_of_alike(kind, around.iter().map(|(other, _, label)| (*other, *label)));
            let shown = match (members.len() < ALIKE, opened.contains(&key)) {
                (true, _) => members.len(),
                (false, true) => OPENED,
                (false, false) => 0,
            };
            let key: Rc<str> = key.into();
            group.extend(members.into_iter().skip(shown).map(|place| (place, Rc::clone(&key))));
        }
        let mut scene = self.put_together(&group);
        while scene.nodes.len() > MOST {
            let mut of_kind: BTreeMap<Kind, usize> = BTreeMap::new();
            let alone = |node: &&Node| node.stands_for == 1 && !pinned.contains(&node.key);
            for node in scene.nodes.iter().filter(alone) {
                *of_kind.entry(node.kind).or_default() += 1;
            }
            let most = of_kind.into_iter().max_by_key(|(kind, count)| (*count, *kind)).map(|(kind, _)| kind);
            let whole: Groups = scene
                .nodes
                .iter()
                .enumerate()
                // Where nothing stands alone any more, everything of a kind becomes one.
                .filter(|(_, node)| most.is_none_or(|kind| node.kind == kind && !pinned.contains(&node.key)))
                .map(|(place, node)| (place, format!("{}*", node.kind.word()).into()))
                .collect();
            scene = scene.put_together(&whole);
        }
        scene
    }

    /// The same with each group as one node.
    fn put_together(&self, group: &Groups) -> Self {
        let mut scene = Self::default();
        let mut places = Vec::with_capacity(self.nodes.len());
        for (place, node) in self.nodes.iter().enumerate() {
            let key = group.get(&place).map_or(node.key.as_str(), AsRef::as_ref);
            let known = scene.places.get(key).copied();
            let at = known.unwrap_or(scene.nodes.len());
            if let Some(together) = known.and_then(|at| scene.nodes.get_mut(at)) {
                together.stands_for += node.stands_for;
            } else {
                scene.places.insert(key.to_owned(), at);
                scene.nodes.push(Node { key: key.to_owned(), ..node.clone() });
            }
            places.push(at);
        }
        for node in scene.nodes.iter_mut().filter(|node| node.stands_for > 1) {
            node.name = format!("{} {}", node.stands_for, node.kind.words());
            (node.below, node.id) = (String::new(), String::new());
        }
        let moved = |edge: &Edge| {
            let (from, to) = (*places.get(edge.from)?, *places.get(edge.to)?);
            (from != to).then_some((from, to))
        };
        let moved = self.edges.iter().filter_map(|edge| Some((moved(edge)?, edge.label.as_str())));
        let mut moved: Vec<((usize, usize), &str)> = moved.collect();
        moved.sort_unstable();
        moved.dedup();
        let edge = |((from, to), label): ((usize, usize), &str)| Edge { from, to, label: label.to_owned() };
        let mut edges: Vec<Edge> = moved.into_iter().map(edge).collect();
        // Between two nodes one line says all.
        edges.dedup_by(|later, first| {
            let same = (later.from, later.to) == (first.from, first.to);
            if same && first.label.len() < 60 {
                first.label = format!("{}, {}", first.label, later.label);
            }
            same
        });
        scene.edges = edges;
        scene
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn team_of(people: usize) -> Scene {
        let mut scene = Scene::default();
        let team = scene.node(Kind::Team, "t", "core");
        for number in 0..people {
            let person = scene.node(Kind::Person, &format!("p{number:05}"), "x");
            scene.join(person, team, if number == 0 { "admin" } else { "member" });
        }
        scene
    }

    #[test]
    fn those_who_are_alike_are_one_until_somebody_opens_them() {
        let scene = team_of(38);
        let closed = scene.gathered(Some(0), &BTreeSet::new(), &BTreeSet::new());
        let told: Vec<_> = closed.nodes.iter().map(|node| (node.name.as_str(), node.stands_for)).collect();
        assert_eq!(told, [("core", 1), ("x", 1), ("37 people", 37)]);
        let open = closed.nodes.last().unwrap().key.clone();
        let none = BTreeSet::new();
        assert_eq!(scene.gathered(Some(0), &BTreeSet::from([open]), &none).nodes.len(), 39);
    }

    #[test]
    fn what_is_pinned_stands_alone_and_what_is_hidden_takes_what_hangs_on_it_alone_along() {
        let scene = team_of(38);
        let pinned = BTreeSet::from(["person~p00007".to_owned()]);
        let drawn = scene.gathered(Some(0), &BTreeSet::new(), &pinned);
        assert!(drawn.nodes.iter().any(|node| node.id == "p00007" && node.stands_for == 1));
        assert!(drawn.nodes.iter().any(|node| node.stands_for == 36));
        let left = drawn.less(&BTreeSet::from(["team~t".to_owned()]), &pinned);
        let left: Vec<_> = left.nodes.iter().map(|node| node.id.as_str()).collect();
        assert_eq!(left, ["p00007"]);
    }

    #[test]
    fn what_two_scenes_hold_is_there_once() {
        let (mut one, two) = (team_of(2), team_of(5));
        one.absorb(&two);
        assert_eq!(one.nodes.len(), 6);
        assert_eq!(one.gathered(None, &BTreeSet::new(), &BTreeSet::new()).edges.len(), 5);
    }

    #[test]
    fn there_are_never_too_many_and_nobody_is_lost() {
        for seed in 1..60_usize {
            let mut scene = Scene::default();
            let mut random = seed;
            let mut next = |below: usize| {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (random >> 33) % below
            };
            for number in 0..seed * 37 {
                let (kind, _) = Kind::ALL[next(6)];
                scene.node(kind, &number.to_string(), "x");
            }
            for _ in 0..seed * 60 {
                let (from, to) = (next(scene.nodes.len()), next(scene.nodes.len()));
                scene.join(from, to, "holds");
            }
            let gathered = scene.gathered(Some(0), &BTreeSet::new(), &BTreeSet::new());
            assert!(gathered.nodes.len() <= MOST, "{}", gathered.nodes.len());
            let stand_for: usize = gathered.nodes.iter().map(|node| node.stands_for).sum();
            assert_eq!(stand_for, scene.nodes.len());
            assert_eq!(gathered.nodes, scene.gathered(Some(0), &BTreeSet::new(), &BTreeSet::new()).nodes);
            assert!(
                gathered
                    .edges
                    .iter()
                    .all(|edge| edge.from < gathered.nodes.len() && edge.to < gathered.nodes.len())
            );
        }
    }
}
