//! Puts branches and outputs together.
//!
//! The inner part has one row for each path that matters; the outer part makes of it what was asked for. What is not
//! shown, and whose number of ways does not matter, is only asked whether it is there.

use metsuke_model::ResourceType;
use metsuke_model::graph::{EdgeSource, RelationSource, RelationshipType, ValueType};

use super::branch::{self, Branch, Requirement, TooMany};
use super::condition;
use super::leaves::{Leaf, Leaves, inner};
use super::truth::Truth;
use super::writer::Writer;
use super::{Column, Dialect, EDGE_COLUMNS, Shape, Statement, fold, output, selective, term, ways};
use crate::check::Surroundings;
use crate::plan::{ColumnValue, Condition, Expr, Link, Output, Place, Plan, PropertyName};

/// Writes a plan as a statement.
pub(super) fn emit(plan: &Plan, surroundings: &Surroundings, dialect: Dialect) -> Result<Statement, TooMany> {
    let mut writer = Writer { dialect, surroundings, binds: Vec::new(), subquery };
    let (sql, columns) = query(&mut writer, plan)?;
    Ok(Statement { sql, binds: writer.binds, columns })
}

/// The relationship whose entitlements a value shows, where these are always held on one type of resource. Only SQLite has
/// columns of numbers and texts.
fn entitlements(dialect: Dialect, plan: &Plan, value: &Expr) -> Option<(usize, ResourceType)> {
    let Expr::Property(Place::Edge(edge), PropertyName::Own(name, ValueType::Texts)) = value else {
        return None;
    };
    let stands = |slots: &[usize], name: &str| {
        let mut known = slots.iter().filter_map(|slot| plan.slots.get(*slot));
        known.any(|slot| slot.candidates.iter().any(|candidate| candidate.entity_type.name == name))
    };
    let (before, behind) = ends(&plan.chain, vec![0], *edge).1?;
    let fits = |relationship: &&&RelationshipType| {
        let (from, to) = (relationship.from, relationship.to);
        stands(&before, from) && stands(&[behind], to) || stands(&before, to) && stands(&[behind], from)
    };
    let mut resources = plan.edges.get(*edge)?.types.iter().filter(fits).map(|relationship| {
        relationship.property(name).filter(|known| known.source == EdgeSource::Entitlements)?;
        match relationship.source {
            RelationSource::Access { resource, .. } => Some(resource),
            RelationSource::Effective => Some(ResourceType::App),
            _ => None,
        }
    });
    let resource = resources.next()??;
    let same = resources.all(|other| other == Some(resource));
    (same && dialect == Dialect::Sqlite).then_some((*edge, resource))
}

/// Where a path may stand behind a chain that begins at one of these slots, and the slots at both ends of an edge, where
/// the chain has it.
fn ends(chain: &[Link], mut at: Vec<usize>, wanted: usize) -> (Vec<usize>, Option<(Vec<usize>, usize)>) {
    for link in chain {
        match link {
            Link::Step { edge, target } if *edge == wanted => return (Vec::new(), Some((at, *target))),
            Link::Step { target, .. } => at = vec![*target],
            Link::Not { .. } => {}
            Link::Optional { chain, .. } => {
                let (behind, found) = ends(chain, at.clone(), wanted);
                if found.is_some() {
                    return (behind, found);
                }
                at.extend(behind);
            }
        }
    }
    (at, None)
}

/// A query that another one compares with, and the type of its values, none for dense ids; `None` where it can return
/// nothing.
fn subquery(writer: &mut Writer<'_>, plan: &Plan) -> Option<(String, Option<ValueType>)> {
    let (sql, columns) = query(writer, plan).ok()?;
    match columns.first()?.shape {
        Shape::Value(value_type) => Some((sql, value_type)),
        Shape::Entity { .. } => Some((sql, None)),
        Shape::Relationship { .. } | Shape::Entitlements(_) | Shape::Hidden => None,
    }
}

/// The outer part while it is written.
#[derive(Default)]
struct Outer {
    leaves: Leaves,
    /// Expressions of the result's columns.
    selected: Vec<String>,
    /// Which of them groups are made by.
    keys: Vec<usize>,
    /// Which of them are neither shown nor sorted by.
    hidden: Vec<usize>,
    /// What is sorted by, and whether from the largest.
    order: Vec<(usize, bool)>,
    columns: Vec<Column>,
    /// Where each shown column stands among the expressions.
    places: Vec<usize>,
    /// The value of each shown column, where it is one.
    shown: Vec<Option<Expr>>,
}

fn query(writer: &mut Writer<'_>, plan: &Plan) -> Result<(String, Vec<Column>), TooMany> {
    let grouped = ways::aggregates(plan);
    let mut outer = Outer::default();
    match &plan.output {
        Output::List => outer.entity("entity".to_owned(), 0, false),
        Output::Tree => outer.tree(plan),
        Output::Table(columns) => {
            for column in columns {
                outer.places.push(outer.selected.len());
                outer.shown.push(match &column.value {
                    ColumnValue::Scalar(value) => Some(value.clone()),
                    ColumnValue::Whole(_) | ColumnValue::All(_) => None,
                });
                let name = column.name.clone();
                match &column.value {
                    ColumnValue::Scalar(value) => match entitlements(writer.dialect, plan, value) {
                        Some((edge, resource)) => outer.entitlements(name, edge, resource),
                        None => outer.scalar(writer, name, value),
                    },
                    ColumnValue::Whole(Place::Entity(slot)) => outer.entity(name, *slot, false),
                    ColumnValue::All(Place::Entity(slot)) => outer.entity(name, *slot, true),
                    ColumnValue::Whole(Place::Edge(edge)) => outer.relationship(name, *edge, false),
                    ColumnValue::All(Place::Edge(edge)) => outer.relationship(name, *edge, true),
                }
            }
        }
    }
    for slot in &plan.beside {
        outer.beside(*slot);
    }
    for key in &plan.order {
        outer.sorted_by(writer, &key.value, key.descending);
    }
    let having = plan.having.as_ref().map(|having| outer.chosen_by(writer, having));
    let distinct = match &plan.output {
        // A root stands once in its branch, for everything behind it is only asked whether it is there.
        Output::List => false,
        Output::Tree => true,
        Output::Table(_) => plan.unique && !grouped,
    };
    let paths = paths(writer, plan, &mut outer.leaves)?;
    outer.count_plainly();
    // Where few rows are there twice, SQLite is quicker to sort them than to look each up among those before it.
    let sorted = distinct
        && writer.dialect == Dialect::Sqlite
        && !outer.order.is_empty()
        && selective::names_each(plan, outer.leaves.list());
    let once = if distinct && !sorted { "DISTINCT " } else { "" };
    let mut sql = format!("SELECT {once}{} FROM ({paths}) q", outer.named());
    if sorted {
        outer.keys = (0..outer.selected.len()).collect();
    }
    if (grouped || sorted) && !outer.keys.is_empty() {
        let keys: Vec<String> = outer.keys.iter().map(|key| (key + 1).to_string()).collect();
        sql.push_str(" GROUP BY ");
        sql.push_str(&keys.join(", "));
    }
    if outer.order.is_empty() && plan.output_is_list() && (plan.limit.is_some() || plan.skip > 0) {
        outer.order.push((0, false));
    }
    if let Some(having) = &having {
        sql = match condition::condition(writer, &Branch::empty(), having) {
            Truth::Yes => sql,
            Truth::No => format!("SELECT * FROM ({sql}) h WHERE FALSE"),
            Truth::Sql(test) => format!("SELECT * FROM ({sql}) h WHERE {test}"),
        };
    }
    if grouped && plan.unique {
        sql = outer.each_once(&sql);
    }
    if plan.skip > 0 && writer.dialect == Dialect::Sqlite {
        // SQLite 3.51 passes over rows of an EXISTS that it made a join, where an OFFSET stands beside it; a LIMIT of
        // its own keeps the inner part for itself.
        sql = format!("SELECT * FROM ({sql} LIMIT -1) w");
    }
    outer.sort(&mut sql);
    limits(writer, plan, &mut sql);
    Ok((sql, outer.columns))
}

fn limits(writer: &mut Writer<'_>, plan: &Plan, sql: &mut String) {
    // Their sum must be a number as well.
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX).min(i64::MAX / 2);
    match plan.limit {
        Some(limit) => {
            sql.push_str(" LIMIT ");
            sql.push_str(&writer.int(whole(limit)));
        }
        // SQLite knows no OFFSET without a LIMIT.
        None if plan.skip > 0 && writer.dialect == Dialect::Sqlite => sql.push_str(" LIMIT -1"),
        None => {}
    }
    if plan.skip > 0 {
        sql.push_str(" OFFSET ");
        sql.push_str(&writer.int(whole(plan.skip)));
    }
}

impl Outer {
    fn select(&mut self, sql: String) -> usize {
        self.selected.push(sql);
        self.selected.len() - 1
    }

    /// What stands on one path alone is counted without looking whether it was counted already.
    fn count_plainly(&mut self) {
        let count = if self.leaves.folded { "sum" } else { "count" };
        for column in self.leaves.once() {
            let distinct = format!("count(DISTINCT q.{column})");
            let plain = format!("{count}(q.{column})");
            self.selected.iter_mut().for_each(|sql| *sql = sql.replace(&distinct, &plain));
        }
        if self.leaves.folded {
            let paths = format!("sum(q.{})", fold::PATHS);
            self.selected.iter_mut().for_each(|sql| *sql = sql.replace("count(*)", &paths));
        }
    }

    fn named(&self) -> String {
        let named: Vec<String> =
            self.selected.iter().enumerate().map(|(place, sql)| format!("{sql} AS o{place}")).collect();
        named.join(", ")
    }

    /// Leaves out what is neither shown nor sorted by, and then every row that is there already.
    fn each_once(&mut self, rows: &str) -> String {
        let kept: Vec<usize> =
            (0..self.selected.len()).filter(|place| !self.hidden.contains(place)).collect();
        for (place, _) in &mut self.order {
            *place = kept.iter().position(|kept| kept == place).unwrap_or_default();
        }
        self.columns.retain(|column| column.shape != Shape::Hidden);
        let columns: Vec<String> = kept.iter().map(|place| format!("u.o{place}")).collect();
        format!("SELECT DISTINCT {} FROM ({rows}) u", columns.join(", "))
    }

    fn sort(&self, sql: &mut String) {
        for (number, (place, descending)) in self.order.iter().enumerate() {
            sql.push_str(if number == 0 { " ORDER BY " } else { ", " });
            sql.push_str(&(place + 1).to_string());
            sql.push_str(if *descending { " DESC NULLS LAST" } else { " NULLS LAST" });
        }
    }

    fn entity(&mut self, name: String, slot: usize, all: bool) {
        let column = format!("q.{}", self.leaves.name(Leaf::Entity(slot)));
        let place = self.select(column);
        self.keys.push(place);
        self.columns.push(Column { name, shape: Shape::Entity { all } });
    }

    /// Tells, unseen, which entity stands in a slot.
    fn beside(&mut self, slot: usize) {
        let column = format!("q.{}", self.leaves.name(Leaf::Entity(slot)));
        let place = self.select(column);
        self.keys.push(place);
        self.columns.push(Column { name: String::new(), shape: Shape::Hidden });
    }

    fn relationship(&mut self, name: String, edge: usize, all: bool) {
        for column in 0..EDGE_COLUMNS {
            let leaf = format!("q.{}", self.leaves.name(Leaf::Edge(edge, column)));
            let place = self.select(leaf);
            self.keys.push(place);
        }
        self.columns.push(Column { name, shape: Shape::Relationship { all } });
    }

    /// Makes a column of every value that rows are chosen by.
    fn chosen_by(&mut self, writer: &mut Writer<'_>, having: &Condition) -> Condition {
        having.replaced(&mut |value| match value {
            Expr::Column(column, value_type) => {
                Expr::Column(self.places.get(*column).copied().unwrap_or(*column), *value_type)
            }
            Expr::Constant(_) => value.clone(),
            value => {
                let value = self.with_columns_shown(value);
                let value_type = value.value_type();
                let column = output::term(writer, &mut self.leaves, &value).column(writer);
                let null = writer.dialect.null(term::sort(value_type)).to_owned();
                let place = self.select(column.unwrap_or(null));
                self.hidden.push(place);
                if !value.aggregates() {
                    self.keys.push(place);
                }
                Expr::Column(place, value_type)
            }
        })
    }

    /// A value in which names of returned columns are what these show.
    fn with_columns_shown(&self, value: &Expr) -> Expr {
        match value {
            Expr::Column(column, _) => {
                self.shown.get(*column).cloned().flatten().unwrap_or_else(|| value.clone())
            }
            Expr::Arithmetic(operator, left, right) => {
                let (left, right) = (self.with_columns_shown(left), self.with_columns_shown(right));
                Expr::Arithmetic(*operator, Box::new(left), Box::new(right))
            }
            Expr::Negative(value) => Expr::Negative(Box::new(self.with_columns_shown(value))),
            Expr::Function(function, values) => {
                Expr::Function(*function, values.iter().map(|value| self.with_columns_shown(value)).collect())
            }
            Expr::Constant(_) | Expr::Property(..) | Expr::Whole(_) | Expr::Aggregate(..) => value.clone(),
        }
    }

    fn entitlements(&mut self, name: String, edge: usize, resource: ResourceType) {
        let column = format!("q.{}", self.leaves.name(Leaf::Entitlements(edge)));
        let place = self.select(column);
        self.keys.push(place);
        self.columns.push(Column { name, shape: Shape::Entitlements(resource) });
    }

    fn tree(&mut self, plan: &Plan) {
        for (slot, place) in plan.slots.iter().enumerate() {
            if !place.stands_for_another {
                self.entity(format!("vertex {slot}"), slot, false);
            }
        }
        for edge in 0..plan.edges.len() {
            self.relationship(format!("edge {edge}"), edge, false);
        }
    }

    fn scalar(&mut self, writer: &mut Writer<'_>, name: String, value: &Expr) {
        let value_type = value.value_type();
        let column = output::term(writer, &mut self.leaves, value).column(writer);
        let null = writer.dialect.null(term::sort(value_type)).to_owned();
        // What is always absent is still one row for all paths where it was to be an aggregate.
        let null = if value.aggregates() { format!("max({null})") } else { null };
        let place = self.select(column.unwrap_or(null));
        self.columns.push(Column { name, shape: Shape::Value(value_type) });
        if value.aggregates() {
            self.group_by_parts(writer, value);
        } else {
            self.keys.push(place);
        }
    }

    /// Plain properties beside an aggregate in one expression are part of what groups are made by.
    fn group_by_parts(&mut self, writer: &mut Writer<'_>, value: &Expr) {
        match value {
            Expr::Arithmetic(_, left, right) => {
                self.group_by_parts(writer, left);
                self.group_by_parts(writer, right);
            }
            Expr::Negative(value) => self.group_by_parts(writer, value),
            Expr::Function(_, values) => values.iter().for_each(|value| self.group_by_parts(writer, value)),
            Expr::Property(place, name) => {
                let column = self.leaves.term(*place, name).column(writer);
                let null = writer.dialect.null(super::dialect::Sort::Text).to_owned();
                self.hidden(column.unwrap_or(null));
            }
            Expr::Constant(_) | Expr::Whole(_) | Expr::Column(..) | Expr::Aggregate(..) => {}
        }
    }

    /// A column that is not shown, but made groups by.
    fn hidden(&mut self, column: String) {
        let place = self.select(column);
        self.keys.push(place);
        self.hidden.push(place);
        self.columns.push(Column { name: String::new(), shape: Shape::Hidden });
    }

    fn sorted_by(&mut self, writer: &mut Writer<'_>, value: &Expr, descending: bool) {
        let term = output::term(writer, &mut self.leaves, value);
        let text = matches!(value.value_type(), Some(ValueType::Text | ValueType::Texts));
        let Some(column) = term.column(writer) else { return };
        let column = if text { writer.dialect.sortable(&column) } else { column };
        let mut selected = self.selected.iter().enumerate();
        let shown = selected.find(|(place, known)| **known == column && !self.hidden.contains(place));
        let place = match shown.map(|(place, _)| place) {
            Some(place) => place,
            None => self.select(column),
        };
        if !value.aggregates() && !self.keys.contains(&place) {
            self.keys.push(place);
        }
        self.order.push((place, descending));
    }
}

impl Plan {
    const fn output_is_list(&self) -> bool {
        matches!(self.output, Output::List)
    }
}

/// The inner part: all branches.
fn paths(writer: &mut Writer<'_>, plan: &Plan, leaves: &mut Leaves) -> Result<String, TooMany> {
    let needed = leaves.places();
    let shown = if ways::counts_ways(plan) {
        plan.chain.len()
    } else {
        plan.chain.iter().rposition(|link| concerns(link, &needed)).map_or(0, |place| place + 1)
    };
    let (walked, asked) = plan.chain.split_at(shown.min(plan.chain.len()));
    let mut ways = Vec::new();
    for root in branch::roots(plan) {
        for mut way in branch::expand(plan, walked, root, !asked.is_empty())? {
            if asked.is_empty() {
                way.must.extend(plan.filter.as_ref().map(Requirement::Filter));
            } else {
                ask(plan, asked, &mut way)?;
            }
            selective::begin(plan, &mut way);
            ways.push(way);
            if ways.len() > branch::MOST_BRANCHES {
                return Err(TooMany);
            }
        }
    }
    leaves.once = needed.into_iter().filter(|place| ways::stands_once(&ways, *place)).collect();
    leaves.folded = ways::aggregates(plan)
        && fold::counts_paths(plan, leaves)
        && ways.iter().all(|way| fold::counted_by(leaves, way).is_some());
    let mut selects: Vec<String> = ways.iter().filter_map(|way| inner(writer, leaves, way)).collect();
    if selects.is_empty() {
        let nothing = leaves.nothing(writer);
        selects.push(nothing);
    }
    Ok(selects.join(" UNION ALL "))
}

/// Asks of a branch only whether the rest of the chain is there.
fn ask<'p>(plan: &'p Plan, asked: &'p [Link], way: &mut Branch<'p>) -> Result<(), TooMany> {
    let filter: Option<&Condition> = plan.filter.as_ref();
    let outside = filter.is_none_or(|filter| {
        let mut places = Vec::new();
        filter.places(&mut places);
        !asked.iter().any(|link| concerns(link, &places))
    });
    // From its far end, where few entities can stand there and many here.
    let far = selective::better_start(plan, asked).filter(|_| !selective::is_selective(plan, 0) && outside);
    let (begin, far) = match far.and_then(|slot| Some((way.nested_here()?, slot))) {
        Some((here, slot)) => (here, Some(slot)),
        None => (way.nested(), None),
    };
    let mut rest = branch::expand(plan, asked, begin, false)?;
    if outside {
        way.must.extend(filter.map(Requirement::Filter));
    } else {
        for continuation in &mut rest {
            continuation.must.extend(filter.map(Requirement::Filter));
        }
    }
    way.must.push(match far {
        Some(slot) => {
            for continuation in &mut rest {
                continuation.start = continuation.node(slot).unwrap_or(continuation.at);
            }
            Requirement::Among(rest)
        }
        None => Requirement::Any(rest),
    });
    Ok(())
}

/// Whether a link binds one of the places.
fn concerns(link: &Link, places: &[Place]) -> bool {
    match link {
        Link::Step { edge, target } => {
            places.contains(&Place::Edge(*edge)) || places.contains(&Place::Entity(*target))
        }
        Link::Not { .. } => false,
        Link::Optional { chain, alias, .. } => {
            alias.is_some_and(|alias| places.contains(&Place::Entity(alias)))
                || chain.iter().any(|link| concerns(link, places))
        }
    }
}

impl Leaves {
    /// The same columns without a row.
    pub(super) fn nothing(&self, writer: &Writer<'_>) -> String {
        let columns = self.sorts().into_iter().enumerate();
        let mut columns: Vec<String> =
            columns.map(|(place, sort)| format!("{} AS c{place}", writer.dialect.null(sort))).collect();
        if self.folded {
            columns.push(format!("0 AS {}", fold::PATHS));
        } else if columns.is_empty() {
            columns.push("1 AS c0".to_owned());
        }
        format!("SELECT {} WHERE FALSE", columns.join(", "))
    }
}
