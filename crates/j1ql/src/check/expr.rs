//! Values: constants are read, names are looked up, functions are known.

use metsuke_model::graph::entities::ENTITY_TYPES;
use metsuke_model::graph::{Metadata, Value};

use super::{Checker, Variable, time};
use crate::ast::{self, Arithmetic, ExprKind};
use crate::plan::{Aggregate, ColumnValue, Expr, Function, OutputColumn, Place, PropertyName};
use crate::span::Span;
use crate::suggest::nearest;

/// The slot whose own properties are meant, and the selector that it was made of.
pub(super) type Own<'a> = (usize, &'a ast::Selector);

/// Where a value stands, which says what its names mean.
#[derive(Clone, Copy, Debug)]
pub(super) enum Context<'a> {
    /// In a `WITH`: names are the entity's own properties.
    With(Own<'a>),
    /// In a `WHERE`: names are `alias.property`.
    Where,
    /// In a `HAVING`: names are returned columns as well, as they are written and as they are meant.
    Having((&'a [ast::Column], &'a [OutputColumn])),
    /// In `RETURN` or `ORDER BY`: functions are allowed as well.
    Output,
    /// In the `ORDER BY` of a query without `RETURN`: the same, and names that name nothing are the starting entity's own
    /// properties.
    Starts,
    /// Inside of a function of many values.
    Aggregated,
}

const FUNCTIONS: [(&str, Function); 8] = [
    ("abs", Function::Abs),
    ("sqrt", Function::Sqrt),
    ("ceil", Function::Ceil),
    ("floor", Function::Floor),
    ("round", Function::Round),
    ("coalesce", Function::Coalesce),
    ("concat", Function::Concat),
    ("merge", Function::Merge),
];

const AGGREGATES: [(&str, Aggregate); 5] = [
    ("count", Aggregate::Count),
    ("sum", Aggregate::Sum),
    ("avg", Aggregate::Avg),
    ("min", Aggregate::Min),
    ("max", Aggregate::Max),
];

impl Checker<'_> {
    /// A value; a thing as a whole is none.
    pub(super) fn scalar(&mut self, expr: &ast::Expr, context: Context<'_>) -> Option<Expr> {
        let value = self.expr(expr, context)?;
        if let Expr::Whole(_) = value {
            let message = "This names an entity or a relationship, not one of its properties.";
            self.refuse(expr.span, message, "write the name, a dot and a property, such as `u.email`");
            return None;
        }
        Some(value)
    }

    /// A value, or a thing as a whole.
    pub(super) fn expr(&mut self, expr: &ast::Expr, context: Context<'_>) -> Option<Expr> {
        let constant = |value: Value| Some(Expr::Constant(value));
        match &expr.kind {
            ExprKind::Text(text) => constant(Value::text(text)),
            ExprKind::Number(text) => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => constant(Value::Number(number)),
                _ => {
                    self.refuse(expr.span, "This number is too large.", "numbers reach up to about 1.8e308");
                    None
                }
            },
            ExprKind::Bool(flag) => constant(Value::Flag(*flag)),
            ExprKind::Undefined => constant(Value::Absent),
            ExprKind::Date(date) => {
                let moment = time::resolve(date, self.surroundings.now);
                if moment.is_none() {
                    let help = "write date(2024-01-31) or date(2024-01-31T10:00Z)";
                    self.refuse(expr.span, "This is no date.", help);
                }
                moment.and_then(|moment| constant(number(moment)))
            }
            ExprKind::Span(length) => self.length(length, expr.span),
            ExprKind::Property(property) => self.property(property, expr.span, context),
            ExprKind::Parameter(name) => self.parameter(name, expr.span),
            ExprKind::Placeholder(name) => {
                let message = format!("The placeholder {{{{{name}}}}} was not replaced.");
                self.refuse(
                    expr.span,
                    message,
                    "placeholders belong to saved questions: put a value in its place",
                );
                None
            }
            ExprKind::Call { function, arguments } => {
                self.call((&function.node, expr.span), arguments, context)
            }
            ExprKind::Binary { operator, left, right } => self.binary(*operator, left, right, context),
            ExprKind::Negative(value) => {
                let value = self.scalar(value, context)?;
                Some(match value {
                    Expr::Constant(Value::Number(number)) => Expr::Constant(Value::Number(-number)),
                    value => Expr::Negative(Box::new(value)),
                })
            }
        }
    }

    fn length(&mut self, length: &ast::TimeSpan, span: Span) -> Option<Expr> {
        let milliseconds = time::milliseconds(length);
        if milliseconds.is_none() {
            let message = "A month or a year has no length of its own.";
            self.refuse(span, message, "add it to a date, such as `date.now - 1 month`, or count in days");
        }
        milliseconds.map(|length| Expr::Constant(Value::Number(length)))
    }

    fn binary(
        &mut self,
        operator: Arithmetic,
        left: &ast::Expr,
        right: &ast::Expr,
        context: Context<'_>,
    ) -> Option<Expr> {
        let value = self.scalar(left, context);
        if let (ExprKind::Span(length), Arithmetic::Add | Arithmetic::Subtract) = (&right.kind, operator)
            && let Some(Expr::Constant(Value::Number(from))) = &value
        {
            #[expect(clippy::cast_possible_truncation, reason = "casts of floats saturate")]
            let moved = time::moved(*from as i64, length, operator == Arithmetic::Subtract);
            if moved.is_none() {
                self.refuse(right.span, "This date is out of range.", "count in fewer units");
            }
            return moved.map(|moment| Expr::Constant(number(moment)));
        }
        let other = self.scalar(right, context);
        Some(Expr::Arithmetic(operator, Box::new(value?), Box::new(other?)))
    }

    fn parameter(&mut self, name: &str, span: Span) -> Option<Expr> {
        match self.surroundings.variables.get(name) {
            Some(Variable::One(value)) => Some(Expr::Constant(value.clone())),
            Some(Variable::AnyOf(_)) => {
                let message = format!("${{{name}}} is a list, which can only stand behind = or !=.");
                self.refuse(span, message, "compare a property with it");
                None
            }
            None => {
                let message = format!("${{{name}}} has no value.");
                self.refuse(span, message, "give it one beside the query");
                None
            }
        }
    }

    fn call(
        &mut self,
        (name, span): (&str, Span),
        arguments: &[ast::Expr],
        context: Context<'_>,
    ) -> Option<Expr> {
        if matches!(context, Context::With(_) | Context::Where) {
            let message = format!("The function {name} cannot stand in a condition.");
            self.refuse(span, message, "functions belong to RETURN and ORDER BY");
            return None;
        }
        if let Some((_, aggregate)) = AGGREGATES.iter().find(|(known, _)| *known == name) {
            if matches!(context, Context::Aggregated) {
                self.refuse(span, format!("{name} stands inside of another aggregate."), "aggregate once");
                return None;
            }
            return self.aggregate((name, span), *aggregate, arguments);
        }
        let Some((_, function)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
            let known =
                FUNCTIONS.iter().map(|(name, _)| *name).chain(AGGREGATES.iter().map(|(name, _)| *name));
            let near = nearest(name, known);
            let help = near.map_or_else(
                || {
                    "the functions are count, sum, avg, min, max, abs, sqrt, ceil, floor, round, coalesce, concat and merge"
                        .to_owned()
                },
                |near| format!("did you mean {near}?"),
            );
            self.refuse(span, format!("There is no function {name}."), &help);
            return None;
        };
        let values: Vec<Option<Expr>> =
            arguments.iter().map(|argument| self.scalar(argument, context)).collect();
        let values: Vec<Expr> = values.into_iter().collect::<Option<_>>()?;
        let many = matches!(function, Function::Coalesce | Function::Concat | Function::Merge);
        if values.is_empty() || (!many && values.len() != 1) {
            let wanted = if many { "at least one value" } else { "exactly one value" };
            self.refuse(span, format!("{name} takes {wanted}."), "put it between the parentheses");
            return None;
        }
        if *function == Function::Coalesce {
            let mut types = values.iter().filter_map(Expr::value_type);
            let first = types.next();
            if types.any(|other| !alike(Some(other), first)) {
                let help =
                    "its values must all be texts, all numbers or all flags; concat makes a text of anything";
                self.refuse(span, "coalesce mixes values of different types.", help);
                return None;
            }
        }
        Some(Expr::Function(*function, values))
    }

    fn aggregate(
        &mut self,
        (name, span): (&str, Span),
        aggregate: Aggregate,
        arguments: &[ast::Expr],
    ) -> Option<Expr> {
        let value = match arguments {
            [] if aggregate == Aggregate::Count => return Some(Expr::Aggregate(aggregate, None)),
            [value] => self.expr(value, Context::Aggregated)?,
            _ => {
                self.refuse(
                    span,
                    format!("{name} takes exactly one value."),
                    "aggregate each value for itself",
                );
                return None;
            }
        };
        if matches!(value, Expr::Whole(_)) && aggregate != Aggregate::Count {
            let message = format!("{name} needs a property, not a whole entity.");
            self.refuse(span, message, "write the name, a dot and a property");
            return None;
        }
        Some(Expr::Aggregate(aggregate, Some(Box::new(value))))
    }

    fn property(&mut self, property: &ast::Property, span: Span, context: Context<'_>) -> Option<Expr> {
        if property.all {
            self.refuse(span, "All properties (.*) can only be returned.", "name one property here");
            return None;
        }
        if let Context::Having(columns) = context
            && let Some(column) = Self::returned(property, columns)
        {
            return Some(column);
        }
        let (place, rest) = match context {
            Context::With((slot, selector)) => {
                let own = property.segments.first().is_some_and(|first| {
                    let alias = selector.alias.as_ref().is_some_and(|alias| alias.node == first.node);
                    alias
                        || selector
                            .entities
                            .iter()
                            .any(|entity| super::pattern::written(&entity.node) == Some(first.node.as_str()))
                });
                let skipped = usize::from(own && property.segments.len() > 1);
                (Place::Entity(slot), property.segments.get(skipped..).unwrap_or_default())
            }
            Context::Starts if self.is_own(property) => (Place::Entity(0), &property.segments[..]),
            Context::Where | Context::Having(_) | Context::Output | Context::Starts | Context::Aggregated => {
                (self.named(property)?, property.segments.get(1..).unwrap_or_default())
            }
        };
        if rest.is_empty() {
            return Some(Expr::Whole(place));
        }
        let name: Vec<&str> = rest.iter().map(|segment| segment.node.as_str()).collect();
        Some(Expr::Property(place, self.property_name(place, &name.join("."))))
    }

    /// Whether a name without a dot, or a tag, can only be a property.
    fn is_own(&self, property: &ast::Property) -> bool {
        property.segments.first().is_some_and(|first| {
            let name = first.node.as_str();
            let bare = property.segments.len() == 1 || name == "tag";
            bare && self.names.find(name).is_none()
        })
    }

    /// The returned column of values that a name means.
    fn returned(
        property: &ast::Property,
        (written, columns): (&[ast::Column], &[OutputColumn]),
    ) -> Option<Expr> {
        let [name] = &property.segments[..] else { return None };
        let place = written
            .iter()
            .position(|column| column.alias.as_ref().is_some_and(|alias| alias.node == name.node))?;
        match &columns.get(place)?.value {
            ColumnValue::Scalar(value) => Some(Expr::Column(place, value.value_type())),
            ColumnValue::Whole(_) | ColumnValue::All(_) => None,
        }
    }

    /// What the first segment of a property names.
    pub(super) fn named(&mut self, property: &ast::Property) -> Option<Place> {
        let first = property.segments.first()?;
        let found = self.names.find(&first.node);
        if found.is_none() {
            let names = self.names.all().join(", ");
            let help = if self.names.is_hidden(&first.node) {
                "it stands inside of what must not be, and so is nothing that could be shown".to_owned()
            } else if names.is_empty() {
                "give the entity a name with AS, and write name.property".to_owned()
            } else {
                format!("the names here are: {names}; write name.property")
            };
            self.refuse(first.span, format!("`{}` names nothing in this query.", first.node), &help);
        }
        found
    }

    /// Which property of the things in a place is meant.
    pub(super) fn property_name(&mut self, place: Place, name: &str) -> PropertyName {
        // Where nothing can stand there is nothing to bear a property.
        let possible = match place {
            Place::Entity(slot) => self
                .slots
                .get(slot)
                .is_some_and(|slot| slot.stands_for_another || !slot.candidates.is_empty()),
            Place::Edge(edge) => self.edges.get(edge).is_some_and(|edge| !edge.types.is_empty()),
        };
        if !possible {
            return PropertyName::Unknown(name.to_owned());
        }
        if let Some((_, metadata, value_type)) = Metadata::ALL.iter().find(|(known, ..)| *known == name) {
            return PropertyName::Metadata(*metadata, *value_type);
        }
        if let Some(tag) = name.strip_prefix("tag.") {
            let put = match tag {
                "AccountName" => self.surroundings.tag_account_name,
                "Production" => self.surroundings.tag_production.is_some(),
                _ => false,
            };
            return if put {
                PropertyName::Tag(tag.to_owned())
            } else {
                PropertyName::Unknown(name.to_owned())
            };
        }
        let (found, known) = match place {
            Place::Entity(slot) => self.entity_property(slot, name),
            Place::Edge(edge) => self.edge_property(edge, name),
        };
        if let Some(found) = found {
            return found;
        }
        if !known.is_empty() {
            let hint = match nearest(name, known.iter().copied()) {
                Some(near) => format!("; did you mean `{near}`?"),
                None => String::new(),
            };
            self.warn(format!("nothing there has the property `{name}`{hint}"));
        }
        PropertyName::Unknown(name.to_owned())
    }

    fn entity_property(&self, slot: usize, name: &str) -> (Option<PropertyName>, Vec<&'static str>) {
        let Some(slot) = self.slots.get(slot) else { return (None, Vec::new()) };
        let types: Vec<_> = if slot.stands_for_another {
            ENTITY_TYPES.iter().collect()
        } else {
            slot.candidates.iter().map(|candidate| candidate.entity_type).collect()
        };
        let found = types.iter().find_map(|entity| entity.property(name));
        let known = types.iter().flat_map(|entity| entity.properties).map(|property| property.name).collect();
        (found.map(|property| PropertyName::Own(property.name, property.value_type)), known)
    }

    fn edge_property(&self, edge: usize, name: &str) -> (Option<PropertyName>, Vec<&'static str>) {
        let Some(edge) = self.edges.get(edge) else { return (None, Vec::new()) };
        let found = edge.types.iter().find_map(|known| known.property(name));
        let known =
            edge.types.iter().flat_map(|known| known.properties).map(|property| property.name).collect();
        (found.map(|property| PropertyName::Own(property.name, property.value_type)), known)
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of any date that is written are exact")]
fn number(moment: i64) -> Value {
    Value::Number(moment as f64)
}

/// Whether values of two types can stand in one column; times are numbers.
fn alike(
    left: Option<metsuke_model::graph::ValueType>,
    right: Option<metsuke_model::graph::ValueType>,
) -> bool {
    use metsuke_model::graph::ValueType::{Number, Time};
    let plain = |value_type| if value_type == Some(Time) { Some(Number) } else { value_type };
    plain(left) == plain(right)
}
