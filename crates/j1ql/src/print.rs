//! Writes a query as canonical text: one line, keywords in capitals, parentheses only where they matter.
//!
//! A returned column is written as it was typed, since that text is its name.
//!
//! Invariant: what is written reads as the same query.

mod value;

use std::fmt::{self, Display, Formatter};

use crate::ast::{
    AsOfText, Comparison, Direction, EntityName, Filter, Link, Operator, Optional, Output, Query, Right,
    Selector, Step,
};
use crate::token::is_plain_name;
use value::quoted;

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "FIND {}{}", if self.unique { "UNIQUE " } else { "" }, self.root)?;
        for link in &self.chain {
            write!(f, " {link}")?;
        }
        if let Some(filter) = &self.filter {
            write!(f, " WHERE {filter}")?;
        }
        match &self.output {
            None => {}
            Some(Output::Tree) => f.write_str(" RETURN TREE")?,
            Some(Output::Columns(columns)) => {
                f.write_str(" RETURN ")?;
                for (at, column) in columns.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    write!(f, "{comma}{}", column.text)?;
                    match &column.alias {
                        Some(alias) if is_plain_name(&alias.node) => write!(f, " AS {}", alias.node)?,
                        Some(alias) => write!(f, " AS {}", quoted(&alias.node))?,
                        None => {}
                    }
                }
            }
        }
        if let Some(filter) = &self.having {
            write!(f, " HAVING {filter}")?;
        }
        for (at, key) in self.order.iter().enumerate() {
            let before = if at > 0 { "," } else { " ORDER BY" };
            write!(f, "{before} {}{}", key.value, if key.descending { " DESC" } else { "" })?;
        }
        if let Some(skip) = &self.skip {
            write!(f, " SKIP {}", skip.node)?;
        }
        if let Some(limit) = &self.limit {
            write!(f, " LIMIT {}", limit.node)?;
        }
        match self.as_of.as_ref().map(|as_of| &as_of.node) {
            None => Ok(()),
            Some(AsOfText::Version(version)) => write!(f, " AS OF {version}"),
            Some(AsOfText::Time(time)) => write!(f, " AS OF {time}"),
        }
    }
}

impl Display for Selector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.entities.as_slice() {
            [entity] => write!(f, "{}", entity.node)?,
            entities => {
                for (at, entity) in entities.iter().enumerate() {
                    write!(f, "{}{}", if at > 0 { "|" } else { "(" }, entity.node)?;
                }
                f.write_str(")")?;
            }
        }
        if let Some(filter) = &self.filter {
            write!(f, " WITH {filter}")?;
        }
        match &self.alias {
            Some(alias) => write!(f, " AS {}", alias.node),
            None => Ok(()),
        }
    }
}

impl Display for EntityName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Named(name) => f.write_str(name),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Smart { name, of: None } => write!(f, "#{name}"),
            Self::Smart { name, of: Some(of) } => write!(f, "#{name} {}", of.node),
        }
    }
}

impl Display for Link {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => step.fmt(f),
            Self::Optional(optional) => optional.fmt(f),
        }
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "THAT {}", if self.negated { "!" } else { "" })?;
        match self.verbs.as_slice() {
            [] => f.write_str("RELATES TO")?,
            [verb] => f.write_str(&verb.node)?,
            verbs => {
                for (at, verb) in verbs.iter().enumerate() {
                    write!(f, "{}{}", if at > 0 { "|" } else { "(" }, verb.node)?;
                }
                f.write_str(")")?;
            }
        }
        match self.direction {
            Direction::Either => {}
            Direction::Forward => f.write_str(" >>")?,
            Direction::Backward => f.write_str(" <<")?,
        }
        if let Some(alias) = &self.alias {
            write!(f, " AS {}", alias.node)?;
        }
        write!(f, " {}", self.target)
    }
}

impl Display for Optional {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, link) in self.chain.iter().enumerate() {
            write!(f, "{}{link}", if at > 0 { " " } else { "(" })?;
        }
        if let Some(filter) = &self.filter {
            write!(f, " WHERE {filter}")?;
        }
        f.write_str(")?")?;
        match &self.alias {
            Some(alias) => write!(f, " AS {}", alias.node),
            None => Ok(()),
        }
    }
}

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (parts, joint) = match self {
            Self::Compare(comparison) => return comparison.fmt(f),
            Self::Not(inside) => return write!(f, "!({inside})"),
            Self::And(parts) => (parts, " AND "),
            Self::Or(parts) => (parts, " OR "),
        };
        for (at, part) in parts.iter().enumerate() {
            let before = if at > 0 { joint } else { "" };
            // AND binds closer than OR; what is joined by the same word keeps its own parentheses.
            let apart = match part {
                Self::Or(_) => true,
                Self::And(_) => matches!(self, Self::And(_)),
                Self::Not(_) | Self::Compare(_) => false,
            };
            if apart { write!(f, "{before}({part})")? } else { write!(f, "{before}{part}")? }
        }
        Ok(())
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.left, self.operator.node, self.right)
    }
}

impl Display for Operator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::Less => "<",
            Self::GreaterOrEqual => ">=",
            Self::LessOrEqual => "<=",
            Self::Contains => "~=",
            Self::StartsWith => "^=",
            Self::EndsWith => "$=",
            Self::NotContains => "!~=",
            Self::NotStartsWith => "!^=",
            Self::NotEndsWith => "!$=",
        })
    }
}

impl Display for Right {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (values, joint) = match self {
            Self::Expr(value) => return value.fmt(f),
            Self::Regex(regex) => return regex.node.fmt(f),
            Self::Query(query) => return write!(f, "({query})"),
            Self::AnyOf(values) => (values, " OR "),
            Self::AllOf(values) => (values, " AND "),
        };
        for (at, value) in values.iter().enumerate() {
            write!(f, "{}{value}", if at > 0 { joint } else { "(" })?;
        }
        f.write_str(")")
    }
}
