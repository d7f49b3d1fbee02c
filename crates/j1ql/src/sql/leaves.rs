//! What a path has to tell: the columns of the inner part of a statement, one row a path.
//!
//! Functions, groups and order work on these columns outside, so that branches of different types fit together.

use super::branch::Branch;
use super::condition;
use super::dialect::Sort;
use super::fold;
use super::from;
use super::property;
use super::term::{self, Term};
use super::truth::Truth;
use super::writer::Writer;
use crate::plan::{Expr, Place, PropertyName};
use metsuke_model::graph::RelationSource;
use metsuke_model::graph::relationships::RELATIONSHIP_TYPES;

/// The columns that are needed, each once.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    list: Vec<Leaf>,
    /// Places of which no two paths have the same thing.
    pub(super) once: Vec<Place>,
    /// A row stands for all paths of a branch with the same properties, and counts them.
    pub(super) folded: bool,
}

/// One column of the inner part.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Leaf {
    /// An entity's dense id.
    Entity(usize),
    /// One of the columns of a relationship.
    Edge(usize, usize),
    /// A text that tells a relationship from every other.
    EdgeIdentity(usize),
    /// The entitlements that a relationship stands for, as a number, or as text where others are among them.
    Entitlements(usize),
    /// A property.
    Property(Place, PropertyName),
}

impl Leaves {
    /// The name of a column, which is made where it is new.
    pub(super) fn name(&mut self, leaf: Leaf) -> String {
        let place = self.list.iter().position(|known| *known == leaf).unwrap_or_else(|| {
            self.list.push(leaf);
            self.list.len() - 1
        });
        format!("c{place}")
    }

    /// All of them.
    pub(super) fn list(&self) -> &[Leaf] {
        &self.list
    }

    /// Whether a column tells what stands in a place of which no two paths have the same thing.
    pub(super) fn stands_once(&self, leaf: &Leaf) -> bool {
        match leaf {
            Leaf::Entity(slot) => self.once.contains(&Place::Entity(*slot)),
            Leaf::EdgeIdentity(edge) => self.once.contains(&Place::Edge(*edge)),
            Leaf::Edge(..) | Leaf::Entitlements(_) | Leaf::Property(..) => false,
        }
    }

    /// The columns that tell such things.
    pub(super) fn once(&self) -> Vec<String> {
        let all = self.list.iter().enumerate();
        all.filter(|(_, leaf)| self.stands_once(leaf)).map(|(place, _)| format!("c{place}")).collect()
    }

    /// Every place that the columns tell of.
    pub(super) fn places(&self) -> Vec<Place> {
        self.list
            .iter()
            .map(|leaf| match leaf {
                Leaf::Entity(slot) => Place::Entity(*slot),
                Leaf::Edge(edge, _) | Leaf::EdgeIdentity(edge) | Leaf::Entitlements(edge) => {
                    Place::Edge(*edge)
                }
                Leaf::Property(place, _) => *place,
            })
            .collect()
    }

    /// What each column holds.
    pub(super) fn sorts(&self) -> Vec<Sort> {
        let sort = |leaf: &Leaf| match leaf {
            counted if self.folded && self.stands_once(counted) => Sort::Int,
            Leaf::Entity(_) | Leaf::Edge(..) | Leaf::Entitlements(_) => Sort::Int,
            Leaf::EdgeIdentity(_) => Sort::Text,
            Leaf::Property(place, name) => term::sort(Expr::Property(*place, name.clone()).value_type()),
        };
        self.list.iter().map(sort).collect()
    }

    /// The column of a value, as a term of the outer part.
    pub(super) fn term(&mut self, place: Place, name: &PropertyName) -> Term {
        let value_type = Expr::Property(place, name.clone()).value_type();
        if value_type.is_none() {
            return Term::Absent;
        }
        let column = format!("q.{}", self.name(Leaf::Property(place, name.clone())));
        Term::of_column(column, value_type)
    }

    /// The columns in a branch.
    pub(super) fn select(&self, writer: &mut Writer<'_>, branch: &Branch<'_>) -> Vec<String> {
        let columns = self.list.iter().map(|leaf| {
            let column = select(writer, branch, (leaf, &self.once));
            if self.folded && self.stands_once(leaf) { format!("count({column})") } else { column }
        });
        let mut columns: Vec<String> =
            columns.enumerate().map(|(place, sql)| format!("{sql} AS c{place}")).collect();
        if self.folded {
            columns.push(format!("count(*) AS {}", fold::PATHS));
        } else if columns.is_empty() {
            columns.push("1 AS c0".to_owned());
        }
        columns
    }
}

fn select(writer: &mut Writer<'_>, branch: &Branch<'_>, (leaf, once): (&Leaf, &[Place])) -> String {
    let dialect = writer.dialect;
    let null = |sort| dialect.null(sort).to_owned();
    match leaf {
        Leaf::Entity(slot) => {
            branch.node(*slot).map_or_else(|| null(Sort::Int), |node| format!("n{node}.id"))
        }
        Leaf::Edge(edge, column) => match branch.hop(*edge) {
            Some(hop) => edge_column(branch, hop, *column),
            None => null(Sort::Int),
        },
        Leaf::EdgeIdentity(edge) => match branch.hop(*edge) {
            // Only counted.
            Some(_) if once.contains(&Place::Edge(*edge)) => "'1'".to_owned(),
            Some(hop) => {
                let parts: Vec<String> = [0, 1, 2, 4]
                    .map(|column| format!("CAST({} AS TEXT)", edge_column(branch, hop, column)))
                    .to_vec();
                format!("({})", parts.join(" || ':' || "))
            }
            None => null(Sort::Text),
        },
        Leaf::Entitlements(edge) => {
            let set = branch.hop(*edge).and_then(|hop| Some((hop, *branch.hops.get(hop)?)));
            set.map_or_else(|| null(Sort::Int), |hop| term::mask_number(writer, &property::mask(hop)))
        }
        Leaf::Property(place, name) => {
            let expr = Expr::Property(*place, name.clone());
            let value = if branch.binds(*place) {
                property::property(writer, branch, *place, name)
            } else {
                Term::Absent
            };
            value.column(writer).unwrap_or_else(|| null(term::sort(expr.value_type())))
        }
    }
}

fn edge_column(branch: &Branch<'_>, number: usize, column: usize) -> String {
    let Some(hop) = branch.hops.get(number).copied() else { return "0".to_owned() };
    match column {
        0 => {
            let place = RELATIONSHIP_TYPES.iter().position(|known| std::ptr::eq(known, hop.relationship));
            let way = super::Way::ALL.iter().position(|way| *way == hop.way);
            (place.unwrap_or_default() * 8 + way.unwrap_or_default()).to_string()
        }
        1 => format!("n{}.id", hop.from),
        2 => format!("n{}.id", hop.to),
        3 => match hop.relationship.source {
            RelationSource::Access { .. } => format!("e{number}.mask"),
            RelationSource::Effective => from::effective_bits(number, hop).sql(),
            _ => "0".to_owned(),
        },
        _ => match hop.relationship.source {
            RelationSource::Junction { .. } => format!("e{number}.id"),
            _ => "0".to_owned(),
        },
    }
}

/// One branch with its columns; `None` where its conditions never hold.
pub(super) fn inner(writer: &mut Writer<'_>, leaves: &Leaves, branch: &Branch<'_>) -> Option<String> {
    let before = writer.binds.len();
    let columns = leaves.select(writer, branch);
    let required = condition::requirements(writer, branch);
    if required == Truth::No {
        writer.binds.truncate(before);
        return None;
    }
    let mut from = from::from(branch, writer.surroundings.include_deleted);
    if let Truth::Sql(text) = required {
        from.conditions.push(text);
    }
    if from.conditions.is_empty() {
        from.conditions.push("TRUE".to_owned());
    }
    let (columns, tables) = (columns.join(", "), from.tables.join(writer.dialect.join(branch.in_order)));
    let groups = if leaves.folded { fold::groups(leaves, branch) } else { String::new() };
    Some(format!("SELECT {columns} FROM {tables} WHERE {}{groups}", from.conditions.join(" AND ")))
}
