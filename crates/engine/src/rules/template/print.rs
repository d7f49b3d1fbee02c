//! Expressions as text again, with parentheses wherever there could be a doubt.

use std::fmt;

use serde_json::Value as Json;

use super::expr::Expr;
use super::lex::is_name;

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(Json::String(text)) => quoted(f, text),
            Self::Literal(value) => value.fmt(f),
            Self::List(items) => {
                f.write_str("[")?;
                listed(f, items)?;
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (place, (name, value)) in members.iter().enumerate() {
                    f.write_str(if place == 0 { "" } else { ", " })?;
                    quoted(f, name)?;
                    write!(f, ": {value}")?;
                }
                f.write_str("}")
            }
            Self::Name(name) => f.write_str(name),
            Self::Relative(name) => write!(f, ".{name}"),
            Self::Member(from, name) if name.chars().all(is_name) => write!(f, "{}.{name}", Whole(from)),
            Self::Member(from, name) => {
                write!(f, "{}[", Whole(from))?;
                quoted(f, name)?;
                f.write_str("]")
            }
            Self::Index(from, by) | Self::Filter(from, by) => write!(f, "{}[{by}]", Whole(from)),
            Self::Not(value) => write!(f, "!{}", Whole(value)),
            Self::Negative(value) => write!(f, "-{}", Whole(value)),
            Self::Binary(operator, left, right) => {
                write!(f, "{} {} {}", Whole(left), operator.as_str(), Whole(right))
            }
            Self::Choice(condition, Some(then), otherwise) => {
                write!(f, "{} ? {} : {}", Whole(condition), Whole(then), Whole(otherwise))
            }
            Self::Choice(condition, None, otherwise) => {
                write!(f, "{} ?: {}", Whole(condition), Whole(otherwise))
            }
            Self::Pipe(value, pipe, given) => {
                write!(f, "{}|{}(", Whole(value), pipe.as_str())?;
                listed(f, given)?;
                f.write_str(")")
            }
        }
    }
}

/// An expression as a part of another one.
struct Whole<'e>(&'e Expr);

impl fmt::Display for Whole<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expr::Not(_) | Expr::Negative(_) | Expr::Binary(..) | Expr::Choice(..) => {
                write!(f, "({})", self.0)
            }
            other => other.fmt(f),
        }
    }
}

fn listed(f: &mut fmt::Formatter<'_>, values: &[Expr]) -> fmt::Result {
    for (place, value) in values.iter().enumerate() {
        write!(f, "{}{value}", if place == 0 { "" } else { ", " })?;
    }
    Ok(())
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("'")?;
    for letter in text.chars() {
        match letter {
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            '\\' | '\'' => write!(f, "\\{letter}")?,
            other => write!(f, "{other}")?,
        }
    }
    f.write_str("'")
}
