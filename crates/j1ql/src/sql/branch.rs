//! Every way in which the types of the catalogue can stand on a query's path.
//!
//! A query names sets of types and verbs; a branch takes one type for each place and one relationship for each hop, so
//! that it is a plain join. The catalogue allows few of the combinations; the query is the union of those.
//!
//! Invariant: a node's number is unique within a branch and everything nested in it.

use metsuke_model::graph::{End, EntityType, RelationSource, RelationshipType};

use super::selective;
use crate::ast::Direction;
use crate::plan::{Condition, Link, Mark, Place, Plan};

/// More branches than this are refused.
pub(super) const MOST_BRANCHES: usize = 512;

/// One way to stand on the path.
#[derive(Clone, Debug)]
pub(super) struct Branch<'p> {
    pub(super) nodes: Vec<Node>,
    pub(super) hops: Vec<Hop>,
    /// Where nodes and hops of its own begin; those before are of the branch around it.
    pub(super) own: (usize, usize),
    /// Where the path stands.
    pub(super) at: usize,
    /// The node at which its walk begins.
    pub(super) start: usize,
    /// The hop whose own row is read before both its ends; the walk goes on from there.
    pub(super) first: Option<usize>,
    /// An index finds the few objects that the query speaks of.
    pub(super) few: bool,
    /// Its tables are read in the order in which a walk meets them.
    pub(super) in_order: bool,
    pub(super) must: Vec<Requirement<'p>>,
    bound: Vec<Option<usize>>,
    bound_edges: Vec<Option<usize>>,
}

/// An entity of one type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) entity_type: &'static EntityType,
}

/// A relationship of one type between two nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hop {
    pub(super) relationship: &'static RelationshipType,
    pub(super) way: Way,
    /// The node that it points from.
    pub(super) from: usize,
    /// The node that it points to.
    pub(super) to: usize,
}

impl Hop {
    /// The node at one end.
    pub(super) const fn end(&self, end: End) -> usize {
        match end {
            End::From => self.from,
            End::To => self.to,
        }
    }
}

/// How a relationship comes about; effective access has several ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// A row of its own.
    Row,
    /// Effective access: the app's own listing.
    Direct,
    /// Effective access: as admin of the app's team.
    Admin,
    /// Effective access: as member of the app's team.
    Member,
    /// Effective access: as viewer of the app's team.
    Viewer,
    /// Effective access: as the owner of a personal app.
    Owner,
}

impl Way {
    /// Every way, in the order of its numbers.
    pub const ALL: [Self; 6] =
        [Self::Row, Self::Direct, Self::Admin, Self::Member, Self::Viewer, Self::Owner];

    /// The word for it in the property `via`; none for a plain row.
    #[must_use]
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Row => None,
            Self::Direct => Some("direct"),
            Self::Admin => Some("team admin"),
            Self::Member => Some("team member"),
            Self::Viewer => Some("team viewer"),
            Self::Owner => Some("owner"),
        }
    }

    fn of(relationship: &RelationshipType) -> &'static [Self] {
        match relationship.source {
            RelationSource::Effective => {
                const { &[Self::Direct, Self::Admin, Self::Member, Self::Viewer, Self::Owner] }
            }
            _ => &[Self::Row],
        }
    }
}

/// What must hold beside the joins.
#[derive(Clone, Debug)]
pub(super) enum Requirement<'p> {
    /// A condition.
    Filter(&'p Condition),
    /// What a node bears: any of these.
    Marks(usize, &'p [Mark]),
    /// Which entities a node may be, by their dense ids.
    These(usize, &'p [i64]),
    /// At least one of these continuations.
    Any(Vec<Branch<'p>>),
    /// The same, asked from the other end: the nested branches hold the node where the path stands themselves.
    Among(Vec<Branch<'p>>),
    /// None of these continuations.
    None(Vec<Branch<'p>>),
}

/// There were too many.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooMany;

impl<'p> Branch<'p> {
    /// One entity of a type.
    pub(super) fn of_entity(entity_type: &'static EntityType) -> Self {
        Self { nodes: vec![Node { entity_type }], bound: vec![Some(0)], ..Self::empty() }
    }

    /// No path at all: a place for conditions that speak of none.
    pub(super) fn empty() -> Self {
        Self {
            nodes: Vec::new(),
            hops: Vec::new(),
            own: (0, 0),
            at: 0,
            start: 0,
            first: None,
            few: false,
            in_order: true,
            must: Vec::new(),
            bound: Vec::new(),
            bound_edges: Vec::new(),
        }
    }

    /// One relationship of a type with the entities at both its ends.
    pub(super) fn of_relationship(
        relationship: &'static RelationshipType,
        way: Way,
        from: &'static EntityType,
        to: &'static EntityType,
    ) -> Self {
        Self {
            nodes: vec![Node { entity_type: from }, Node { entity_type: to }],
            hops: vec![Hop { relationship, way, from: 0, to: 1 }],
            bound: vec![Some(0), Some(1)],
            bound_edges: vec![Some(0)],
            ..Self::of_entity(from)
        }
    }

    /// The node that stands in a place; `None` where that part was left out.
    pub(super) fn node(&self, slot: usize) -> Option<usize> {
        self.bound.get(slot).copied().flatten()
    }

    /// The hop that stands in a place; `None` where that part was left out.
    pub(super) fn hop(&self, edge: usize) -> Option<usize> {
        self.bound_edges.get(edge).copied().flatten()
    }

    /// Whether something stands in the place.
    pub(super) fn binds(&self, place: Place) -> bool {
        match place {
            Place::Entity(slot) => self.node(slot).is_some(),
            Place::Edge(edge) => self.hop(edge).is_some(),
        }
    }

    /// The same path, whose further nodes are nested in it.
    pub(super) fn nested(&self) -> Self {
        let own = (self.nodes.len(), self.hops.len());
        Self { own, start: own.0.saturating_sub(1), first: None, must: Vec::new(), ..self.clone() }
    }

    /// The same path, nested from the node on where it stands; only where that is the last one.
    pub(super) fn nested_here(&self) -> Option<Self> {
        (self.at + 1 == self.nodes.len()).then(|| Self {
            own: (self.at, self.hops.len()),
            first: None,
            must: Vec::new(),
            ..self.clone()
        })
    }

    fn stand(&mut self, plan: &'p Plan, slot: usize, entity_type: &'static EntityType) -> usize {
        let node = self.nodes.len();
        self.nodes.push(Node { entity_type });
        if let Some(place) = self.bound.get_mut(slot) {
            *place = Some(node);
        }
        if let Some(place) = plan.slots.get(slot) {
            if let Some(filter) = &place.filter {
                self.must.push(Requirement::Filter(filter));
            }
            if let Some(ids) = &place.among {
                self.must.push(Requirement::These(node, ids));
            }
            let candidate =
                place.candidates.iter().find(|candidate| std::ptr::eq(candidate.entity_type, entity_type));
            if let Some(candidate) = candidate.filter(|candidate| !candidate.marks.is_empty()) {
                self.must.push(Requirement::Marks(node, &candidate.marks));
            }
        }
        self.at = node;
        node
    }
}

/// Every way to begin.
pub(super) fn roots(plan: &Plan) -> Vec<Branch<'_>> {
    let Some(root) = plan.slots.first() else { return Vec::new() };
    let few = (0..plan.slots.len()).any(|slot| selective::is_selective(plan, slot));
    let begin = |entity_type| {
        let mut branch = Branch {
            few,
            in_order: !selective::is_tied(plan),
            bound: vec![None; plan.slots.len()],
            bound_edges: vec![None; plan.edges.len()],
            ..Branch::empty()
        };
        branch.stand(plan, 0, entity_type);
        branch
    };
    root.candidates.iter().map(|candidate| begin(candidate.entity_type)).collect()
}

/// Every way to go on along a chain; `followed`: more comes behind it.
pub(super) fn expand<'p>(
    plan: &'p Plan,
    chain: &'p [Link],
    start: Branch<'p>,
    followed: bool,
) -> Result<Vec<Branch<'p>>, TooMany> {
    let mut branches = vec![start];
    for (place, link) in chain.iter().enumerate() {
        let last = place + 1 == chain.len() && !followed;
        let mut next = Vec::new();
        for branch in branches {
            follow(plan, link, branch, last, &mut next)?;
            if next.len() > MOST_BRANCHES {
                return Err(TooMany);
            }
        }
        branches = next;
    }
    Ok(branches)
}

fn follow<'p>(
    plan: &'p Plan,
    link: &'p Link,
    mut branch: Branch<'p>,
    last: bool,
    next: &mut Vec<Branch<'p>>,
) -> Result<(), TooMany> {
    match link {
        Link::Step { edge, target } => step(plan, &branch, (*edge, *target), next),
        Link::Not { edge, target, chain } => {
            let mut hops = Vec::new();
            step(plan, &branch.nested(), (*edge, *target), &mut hops);
            let mut found = Vec::new();
            for hop in hops {
                found.extend(expand(plan, chain, hop, false)?);
            }
            if found.len() > MOST_BRANCHES {
                return Err(TooMany);
            }
            if !found.is_empty() {
                branch.must.push(Requirement::None(found));
            }
            next.push(branch);
        }
        Link::Optional { chain, filter, alias } => {
            let take = |from: Branch<'p>| {
                let mut taken = expand(plan, chain, from, false)?;
                for way in &mut taken {
                    way.must.extend(filter.as_ref().map(Requirement::Filter));
                }
                Ok(taken)
            };
            let name = |mut way: Branch<'p>| {
                if let Some(place) = alias.and_then(|alias| way.bound.get_mut(alias)) {
                    *place = Some(way.at);
                }
                way
            };
            next.extend(take(branch.clone())?.into_iter().map(name));
            let ways = if last { take(branch.nested())? } else { Vec::new() };
            if !ways.is_empty() {
                branch.must.push(Requirement::None(ways));
            }
            next.push(name(branch));
        }
    }
    Ok(())
}

/// Every relationship of the catalogue that leads from where the branch stands to the target.
fn step<'p>(plan: &'p Plan, branch: &Branch<'p>, (edge, target): (usize, usize), next: &mut Vec<Branch<'p>>) {
    let (Some(hop), Some(slot), Some(left)) =
        (plan.edges.get(edge), plan.slots.get(target), branch.nodes.get(branch.at))
    else {
        return;
    };
    for relationship in &hop.types {
        let ends = [
            (Direction::Backward, relationship.from, relationship.to, true),
            (Direction::Forward, relationship.to, relationship.from, false),
        ];
        for (excluded, here, there, forward) in ends {
            if hop.direction == excluded || left.entity_type.name != here {
                continue;
            }
            let candidates = slot.candidates.iter().filter(|candidate| candidate.entity_type.name == there);
            for candidate in candidates {
                for way in Way::of(relationship) {
                    let mut taken = branch.clone();
                    let before = taken.at;
                    let node = taken.stand(plan, target, candidate.entity_type);
                    let (from, to) = if forward { (before, node) } else { (node, before) };
                    if let Some(place) = taken.bound_edges.get_mut(edge) {
                        *place = Some(taken.hops.len());
                    }
                    taken.hops.push(Hop { relationship, way: *way, from, to });
                    next.push(taken);
                }
            }
        }
    }
}
