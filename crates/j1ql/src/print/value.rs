//! Writes values: numbers, texts, names, arithmetic.

use std::fmt::{self, Display, Formatter};

use crate::ast::{Arithmetic, Date, Expr, ExprKind, Property, Regex};
use crate::parse::{must_be_bracketed, unit_name};
use crate::token::is_plain_name;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Text(text) => f.write_str(&quoted(text)),
            ExprKind::Number(number) => f.write_str(number),
            ExprKind::Bool(value) => write!(f, "{value}"),
            ExprKind::Undefined => f.write_str("undefined"),
            ExprKind::Date(Date::Now) => f.write_str("date.now"),
            ExprKind::Date(Date::Literal(text)) => write!(f, "date({text})"),
            ExprKind::Span(span) => write!(f, "{} {}", span.amount, unit_name(span.unit)),
            ExprKind::Property(property) => property.fmt(f),
            ExprKind::Parameter(name) => write!(f, "${{{name}}}"),
            ExprKind::Placeholder(name) => write!(f, "{{{{{name}}}}}"),
            ExprKind::Call { function, arguments } if arguments.is_empty() => {
                write!(f, "{}(*)", function.node)
            }
            ExprKind::Call { function, arguments } => {
                write!(f, "{}(", function.node)?;
                for (at, argument) in arguments.iter().enumerate() {
                    write!(f, "{}{argument}", if at > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
            ExprKind::Binary { operator, left, right } => {
                let rank = rank(*operator);
                let power = *operator == Arithmetic::Power;
                side(f, left, |inside| inside < rank || (power && inside == rank))?;
                write!(f, " {operator} ")?;
                side(f, right, |inside| inside < rank || (!power && inside == rank))
            }
            ExprKind::Negative(inside) => write!(f, "-({inside})"),
        }
    }
}

/// One side of an operator, in parentheses where its own operator's rank calls for them.
fn side(f: &mut Formatter<'_>, value: &Expr, apart: impl Fn(u8) -> bool) -> fmt::Result {
    match &value.kind {
        ExprKind::Binary { operator, .. } if apart(rank(*operator)) => write!(f, "({value})"),
        _ => write!(f, "{value}"),
    }
}

/// How closely an operator binds.
const fn rank(operator: Arithmetic) -> u8 {
    match operator {
        Arithmetic::Add | Arithmetic::Subtract => 1,
        Arithmetic::Multiply | Arithmetic::Divide => 2,
        Arithmetic::Power => 3,
    }
}

impl Display for Arithmetic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Power => "^",
        })
    }
}

impl Display for Property {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, segment) in self.segments.iter().enumerate() {
            let name = segment.node.as_str();
            if at > 0 {
                f.write_str(".")?;
            }
            if is_plain_name(name) && (at > 0 || !must_be_bracketed(name)) {
                f.write_str(name)?;
            } else if name.is_empty() || name.contains([']', '\n']) {
                f.write_str(&quoted(name))?;
            } else {
                write!(f, "[{name}]")?;
            }
        }
        f.write_str(if self.all { ".*" } else { "" })
    }
}

impl Display for Regex {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.pattern, if self.ignore_case { "i" } else { "" })
    }
}

/// A text in single quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
