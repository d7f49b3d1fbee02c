//! Settles what a query means: its names, its places, its conditions and its columns.
//!
//! Terms and conditions are read in [`terms`] and [`conditions`]; nothing is walked here but subqueries.
//!
//! Invariant: a name is known behind the place where it is given, and never outside a negated part.

mod conditions;
mod terms;

use std::cell::Cell;

use terms::{Names, Stand};

use super::condition::Condition;
use super::graph::Graph;
use super::paths::{Hop, Optional, Part, Pattern, Place};
use super::scope::{Scope, Types, types};
use super::term::Term;
use super::{Refusal, Surroundings};
use crate::ast::{self, ExprKind, Link, Output, Query};

/// What a query means.
#[derive(Debug)]
pub(super) struct Meaning {
    pub(super) unique: bool,
    pub(super) pattern: Pattern,
    pub(super) output: Shape,
    /// Paths are put together into groups.
    pub(super) grouped: bool,
    pub(super) having: Option<Condition>,
    /// Sort keys; true: descending.
    pub(super) order: Vec<(Term, bool)>,
    pub(super) scope: Scope,
}

/// What is given back.
#[derive(Debug)]
pub(super) enum Shape {
    /// The starting entities.
    List,
    /// Everything on the paths.
    Tree,
    /// Named columns.
    Columns(Vec<Column>),
}

/// One returned column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// It was given with `AS`.
    pub(super) alias: Option<String>,
    pub(super) term: Term,
}

/// Reads one query.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    graph: &'a Graph,
    surroundings: &'a Surroundings,
    steps: &'a Cell<usize>,
    scope: Scope,
}

impl<'a> Reader<'a> {
    pub(super) fn new(graph: &'a Graph, surroundings: &'a Surroundings, steps: &'a Cell<usize>) -> Self {
        Self { graph, surroundings, steps, scope: Scope::default() }
    }

    /// What the query means.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when it means nothing.
    pub(super) fn query(mut self, query: &Query) -> Result<Meaning, Refusal> {
        let root = self.place(&query.root)?;
        let (chain, _) = self.chain(&query.chain, types(&query.root))?;
        let filter = query.filter.as_ref().map(|filter| self.condition(filter, Stand::PATHS)).transpose()?;
        let output = self.output(query.output.as_ref())?;
        let columns = match &output {
            Shape::Columns(columns) => columns.as_slice(),
            Shape::List | Shape::Tree => &[],
        };
        let having = match &query.having {
            Some(_) if columns.is_empty() => {
                return Err(Refusal::at(query.span, "HAVING looks at columns, and RETURN names none"));
            }
            Some(having) => Some(self.condition(having, Stand { columns, ..Stand::HAVING })?),
            None => None,
        };
        let mut terms = Vec::new();
        if let Some(having) = &having {
            having.terms(&mut terms);
        }
        let grouped =
            columns.iter().map(|column| &column.term).chain(terms.iter().copied()).any(Term::aggregates);
        // INVARIANT: where rows stand for several paths, only what is the same on all of them is looked at.
        let shown: Vec<&Term> = columns.iter().map(|column| &column.term).collect();
        if (grouped || query.unique) && !terms.iter().all(|term| follows(term, &shown)) {
            return Err(Refusal::at(query.span, "HAVING looks at what is no column and no aggregate"));
        }
        let order = self.order(query, &output, grouped)?;
        if let Some(limit) = query.limit.as_ref().filter(|limit| limit.node == 0) {
            return Err(Refusal::at(limit.span, "LIMIT is at least 1"));
        }
        let pattern = Pattern { root, chain, filter, places: self.scope.len() };
        Ok(Meaning { unique: query.unique, pattern, output, grouped, having, order, scope: self.scope })
    }

    fn place(&mut self, selector: &ast::Selector) -> Result<Place, Refusal> {
        let slot = self.scope.entity(selector)?;
        let own = Stand { own: Some((slot, selector)), ..Stand::PATHS };
        let filter = selector.filter.as_ref().map(|filter| self.condition(filter, own)).transpose()?;
        let entities = selector.entities.iter().map(|entity| entity.node.clone()).collect();
        Ok(Place { entities, filter, slot })
    }

    /// What a chain from entities of these types means, and where it may lead.
    fn chain(&mut self, links: &[Link], mut here: Types) -> Result<(Vec<Part>, Types), Refusal> {
        let mut parts = Vec::new();
        for (place, link) in links.iter().enumerate() {
            match link {
                Link::Step(step) if step.negated => {
                    // The rest of the chain belongs to what must not be.
                    let mark = self.scope.mark();
                    let mut without = vec![Part::Hop(self.hop(step)?)];
                    without.extend(self.chain(&links[place + 1..], types(&step.target))?.0);
                    self.scope.forget(mark);
                    parts.push(Part::Without(without));
                    break;
                }
                Link::Step(step) => {
                    parts.push(Part::Hop(self.hop(step)?));
                    here = types(&step.target);
                }
                Link::Optional(optional) => {
                    let (chain, reached) = self.chain(&optional.chain, here.clone())?;
                    here.extend(reached);
                    let filter = &optional.filter;
                    let filter =
                        filter.as_ref().map(|filter| self.condition(filter, Stand::PATHS)).transpose()?;
                    let slot = optional.alias.as_ref().map(|alias| self.scope.behind(alias, here.clone()));
                    let slot = slot.transpose()?;
                    let last = place + 1 == links.len();
                    parts.push(Part::Optional(Optional { chain, filter, slot, last }));
                }
            }
        }
        Ok((parts, here))
    }

    fn hop(&mut self, step: &ast::Step) -> Result<Hop, Refusal> {
        let slot = self.scope.relationship(step)?;
        let verbs = step.verbs.iter().map(|verb| verb.node.to_uppercase()).collect();
        Ok(Hop { verbs, direction: step.direction, slot, target: self.place(&step.target)? })
    }

    fn output(&self, output: Option<&Output>) -> Result<Shape, Refusal> {
        let columns = match output {
            None => return Ok(Shape::List),
            Some(Output::Tree) => return Ok(Shape::Tree),
            Some(Output::Columns(columns)) => columns,
        };
        let read = columns.iter().map(|column| {
            let term = self.term(&column.value, Stand { names: Names::Every, ..Stand::OUTPUT })?;
            let alias = column.alias.as_ref().map(|alias| alias.node.clone());
            // The properties of `u.*` are called by `u`, whatever the column is called.
            let named = alias.clone().filter(|_| !matches!(term, Term::Every(_)));
            Ok(Column { name: named.unwrap_or_else(|| column.text.clone()), alias, term })
        });
        Ok(Shape::Columns(read.collect::<Result<_, Refusal>>()?))
    }

    fn order(&self, query: &Query, output: &Shape, grouped: bool) -> Result<Vec<(Term, bool)>, Refusal> {
        let mut order = Vec::new();
        for key in &query.order {
            let refuse = |why: &str| Err(Refusal::at(key.value.span, why));
            let columns = match output {
                Shape::Columns(columns) => columns.as_slice(),
                Shape::List | Shape::Tree => &[],
            };
            let quoted = match &key.value.kind {
                // An alias with blanks can only be named by its text.
                ExprKind::Text(text) => columns.iter().find(|column| column.alias.as_ref() == Some(text)),
                _ => None,
            };
            let starts = matches!(output, Shape::List);
            let stand = Stand { names: Names::Whole, columns, starts, ..Stand::OUTPUT };
            let term = match quoted {
                Some(column) => column.term.clone(),
                None => self.term(&key.value, stand)?,
            };
            match output {
                Shape::Columns(columns) if grouped || query.unique => {
                    let shown: Vec<&Term> = columns.iter().map(|column| &column.term).collect();
                    if !term.is_made_of(&shown) {
                        return refuse(
                            "ORDER BY looks at what is no column, where a row stands for several paths",
                        );
                    }
                }
                _ if term.aggregates() => return refuse("this aggregate is no column"),
                Shape::Columns(_) | Shape::Tree => {}
                Shape::List => {
                    let mut plain = Vec::new();
                    term.plain(&mut plain);
                    let of_root = |term: &&Term| matches!(term, Term::Property(0, _) | Term::Whole(0));
                    if !plain.iter().all(of_root) {
                        return refuse("without RETURN only the starting entity's properties sort");
                    }
                }
            }
            order.push((term, key.descending));
        }
        Ok(order)
    }
}

/// Whether a term is made of columns, aggregates and constants.
fn follows(term: &Term, columns: &[&Term]) -> bool {
    matches!(term, Term::Aggregate(..))
        || term.is_made_of(columns)
        || (!term.parts().is_empty() && term.parts().into_iter().all(|part| follows(part, columns)))
}
