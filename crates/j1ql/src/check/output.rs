//! What is given back, and in which order.

use metsuke_model::graph::{Metadata, ValueType};

use super::Checker;
use super::expr::Context;
use crate::ast::{self, ExprKind};
use crate::plan::{ColumnValue, Expr, OrderKey, Output, OutputColumn, Place, PropertyName};

impl Checker<'_> {
    /// The output and its order.
    pub(super) fn output(&mut self, query: &ast::Query) -> (Output, Vec<OrderKey>) {
        let output = match &query.output {
            None => Output::List,
            Some(ast::Output::Tree) => Output::Tree,
            Some(ast::Output::Columns(columns)) => {
                let made: Vec<Option<OutputColumn>> =
                    columns.iter().map(|column| self.column(column)).collect();
                Output::Table(made.into_iter().flatten().collect())
            }
        };
        let written = match &query.output {
            Some(ast::Output::Columns(columns)) => &columns[..],
            _ => &[],
        };
        let keys: Vec<Option<OrderKey>> =
            query.order.iter().map(|key| self.order_key(key, (written, &output), query.unique)).collect();
        (output, keys.into_iter().flatten().collect())
    }

    fn column(&mut self, column: &ast::Column) -> Option<OutputColumn> {
        let name = column.alias.as_ref().map_or_else(|| column.text.clone(), |alias| alias.node.clone());
        if let ExprKind::Property(property) = &column.value.kind
            && property.all
        {
            let place = self.named(property)?;
            if property.segments.len() > 1 {
                let message = "All properties (.*) follow a name directly.";
                self.refuse(column.value.span, message, "write `name.*`");
                return None;
            }
            let name = property.segments.first().map(|first| first.node.clone()).unwrap_or_default();
            return Some(OutputColumn { name, value: ColumnValue::All(place) });
        }
        let value = match self.expr(&column.value, Context::Output)? {
            Expr::Whole(place) => ColumnValue::Whole(place),
            value => ColumnValue::Scalar(value),
        };
        Some(OutputColumn { name, value })
    }

    fn order_key(
        &mut self,
        key: &ast::OrderKey,
        (written, output): (&[ast::Column], &Output),
        unique: bool,
    ) -> Option<OrderKey> {
        let columns = match output {
            Output::Table(columns) => &columns[..],
            Output::List | Output::Tree => &[],
        };
        let context = if matches!(output, Output::List) { Context::Starts } else { Context::Output };
        let value = match Self::output_name(&key.value, written, columns) {
            Some(value) => value,
            None => match self.expr(&key.value, context)? {
                Expr::Whole(place) => key_of(place),
                value => value,
            },
        };
        let grouped = grouped(columns);
        match output {
            Output::Table(_) if (grouped || unique) && !told_by(&value, columns, false) => {
                let message = "The rows cannot be sorted by this.";
                let help = "rows that stand for several paths are sorted by what they show: return it, too";
                self.refuse(key.value.span, message, help);
                None
            }
            Output::Table(_) if !grouped && value.aggregates() => {
                let message = "Nothing is aggregated that could be sorted by this.";
                self.refuse(key.value.span, message, "return the aggregate, too");
                None
            }
            Output::List | Output::Tree if value.aggregates() => {
                let message = "Nothing is aggregated that could be sorted by this.";
                self.refuse(key.value.span, message, "write RETURN with the columns that you want");
                None
            }
            Output::List if !of_root(&value) => {
                let message = "Starting entities can only be sorted by their own properties.";
                self.refuse(key.value.span, message, "write RETURN with the columns that you want");
                None
            }
            _ => Some(OrderKey { value, descending: key.descending }),
        }
    }

    /// The column that a sort key names by its alias.
    fn output_name(key: &ast::Expr, written: &[ast::Column], columns: &[OutputColumn]) -> Option<Expr> {
        // After a mistake in a column the two lists do not match; the query is refused then anyway.
        let place = written.iter().position(|column| {
            let alias = column.alias.as_ref();
            match &key.kind {
                ExprKind::Property(property) if property.segments.len() == 1 && !property.all => {
                    let first = property.segments.first().map(|first| first.node.as_str());
                    alias.map(|alias| alias.node.as_str()) == first
                }
                ExprKind::Text(text) => alias.is_some_and(|alias| alias.node == *text),
                _ => false,
            }
        })?;
        match &columns.get(place)?.value {
            ColumnValue::Scalar(value) => Some(value.clone()),
            ColumnValue::Whole(place) | ColumnValue::All(place) => Some(key_of(*place)),
        }
    }
}

fn key_of(place: Place) -> Expr {
    Expr::Property(place, PropertyName::Metadata(Metadata::Key, ValueType::Text))
}

/// Whether rows stand for groups of paths.
pub(super) fn grouped(columns: &[OutputColumn]) -> bool {
    columns.iter().any(|column| match &column.value {
        ColumnValue::Scalar(value) => value.aggregates(),
        ColumnValue::Whole(_) | ColumnValue::All(_) => false,
    })
}

/// Whether a value can be told from the columns alone, perhaps with further aggregates.
pub(super) fn told_by(value: &Expr, columns: &[OutputColumn], aggregates: bool) -> bool {
    let covered = |value: &Expr| told_by(value, columns, aggregates);
    let shown = columns.iter().any(|column| match &column.value {
        ColumnValue::Scalar(shown) => shown == value,
        ColumnValue::Whole(place) | ColumnValue::All(place) => {
            matches!(value, Expr::Property(of, _) if of == place)
        }
    });
    shown
        || match value {
            Expr::Constant(_) | Expr::Column(..) => true,
            Expr::Arithmetic(_, left, right) => covered(left) && covered(right),
            Expr::Negative(value) => covered(value),
            Expr::Function(_, values) => values.iter().all(covered),
            Expr::Aggregate(..) => aggregates,
            Expr::Property(..) | Expr::Whole(_) => false,
        }
}

fn of_root(value: &Expr) -> bool {
    let mut places = Vec::new();
    value.places(&mut places);
    places.iter().all(|place| *place == Place::Entity(0))
}
