//! Takes the places out of a query, so that two readings of different texts can be compared.

use metsuke_j1ql::ast::{
    AsOfText, Comparison, EntityName, Expr, ExprKind, Filter, Link, Output, Query, Right, Selector,
};
use metsuke_j1ql::span::Span;

/// The query with every place set to nothing.
pub(crate) fn placeless(mut query: Query) -> Query {
    bare_query(&mut query);
    query
}

fn bare_query(query: &mut Query) {
    query.span = Span::default();
    bare_selector(&mut query.root);
    query.chain.iter_mut().for_each(bare_link);
    query.filter.iter_mut().chain(&mut query.having).for_each(bare_filter);
    if let Some(Output::Columns(columns)) = &mut query.output {
        for column in columns {
            bare_expr(&mut column.value);
        }
    }
    query.order.iter_mut().for_each(|key| bare_expr(&mut key.value));
    if let Some(AsOfText::Time(time)) = query.as_of.as_mut().map(|as_of| &mut as_of.node) {
        bare_expr(time);
    }
}

fn bare_selector(selector: &mut Selector) {
    selector.span = Span::default();
    selector.filter.iter_mut().for_each(bare_filter);
    for entity in &mut selector.entities {
        if let EntityName::Smart { of: Some(of), .. } = &mut entity.node {
            of.span = Span::default();
        }
    }
}

fn bare_link(link: &mut Link) {
    match link {
        Link::Step(step) => {
            step.span = Span::default();
            bare_selector(&mut step.target);
        }
        Link::Optional(optional) => {
            optional.span = Span::default();
            optional.chain.iter_mut().for_each(bare_link);
            optional.filter.iter_mut().for_each(bare_filter);
        }
    }
}

fn bare_filter(filter: &mut Filter) {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter_mut().for_each(bare_filter),
        Filter::Not(inside) => bare_filter(inside),
        Filter::Compare(comparison) => {
            let Comparison { left, right, span, .. } = &mut **comparison;
            *span = Span::default();
            bare_expr(left);
            bare_right(right);
        }
    }
}

fn bare_right(right: &mut Right) {
    match right {
        Right::Expr(value) => bare_expr(value),
        Right::Regex(_) => {}
        Right::AnyOf(values) | Right::AllOf(values) => values.iter_mut().for_each(bare_right),
        Right::Query(query) => bare_query(query),
    }
}

fn bare_expr(value: &mut Expr) {
    value.span = Span::default();
    match &mut value.kind {
        ExprKind::Call { arguments, .. } => arguments.iter_mut().for_each(bare_expr),
        ExprKind::Binary { left, right, .. } => {
            bare_expr(left);
            bare_expr(right);
        }
        ExprKind::Negative(inside) => bare_expr(inside),
        _ => {}
    }
}
