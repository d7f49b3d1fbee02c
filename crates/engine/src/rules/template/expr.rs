//! Expressions as a tree.

use serde_json::Value as Json;

use super::Pipe;

/// The greatest depth of an expression.
pub(super) const MOST_DEPTH: usize = 64;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A number, a text, true or false.
    Literal(Json),
    /// `[a, b]`.
    List(Vec<Self>),
    /// `{name: a}`.
    Object(Vec<(Box<str>, Self)>),
    /// A name of the scope; absent where the scope has none of it.
    Name(Box<str>),
    /// `.name` of the element that a filter looks at.
    Relative(Box<str>),
    /// `a.name`; of a list, of its first element.
    Member(Box<Self>, Box<str>),
    /// `a[b]`: an element by number, or a property by name.
    Index(Box<Self>, Box<Self>),
    /// `a[.b > 1]`: the elements of which the inner expression holds.
    Filter(Box<Self>, Box<Self>),
    /// `!a`.
    Not(Box<Self>),
    /// `-a`.
    Negative(Box<Self>),
    /// `a + b` and the like.
    Binary(Operator, Box<Self>, Box<Self>),
    /// `a ? b : c`; `a ?: c` has no second.
    Choice(Box<Self>, Option<Box<Self>>, Box<Self>),
    /// `a | pipe(b)`.
    Pipe(Box<Self>, Pipe, Vec<Self>),
}

impl Expr {
    /// Whether a name of the scope stands in it.
    pub(super) fn speaks_of(&self, name: &str) -> bool {
        match self {
            Self::Name(known) => **known == *name,
            Self::Literal(_) | Self::Relative(_) => false,
            Self::List(items) => items.iter().any(|item| item.speaks_of(name)),
            Self::Object(members) => members.iter().any(|(_, member)| member.speaks_of(name)),
            Self::Member(of, _) | Self::Not(of) | Self::Negative(of) => of.speaks_of(name),
            Self::Index(of, other) | Self::Filter(of, other) | Self::Binary(_, of, other) => {
                of.speaks_of(name) || other.speaks_of(name)
            }
            Self::Choice(of, then, other) => {
                of.speaks_of(name)
                    || then.as_ref().is_some_and(|then| then.speaks_of(name))
                    || other.speaks_of(name)
            }
            Self::Pipe(of, _, arguments) => {
                of.speaks_of(name) || arguments.iter().any(|argument| argument.speaks_of(name))
            }
        }
    }
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `||`: the left one, if it counts as true.
    Or,
    /// `&&`: the left one, unless it counts as true.
    And,
    /// `==`.
    Equal,
    /// `!=`.
    Unequal,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `in`: an element of a list, or a part of a text.
    In,
    /// `+`: numbers are added, texts joined.
    Add,
    /// `-`.
    Subtract,
    /// `*`.
    Multiply,
    /// `/`.
    Divide,
    /// `//`: without the rest.
    DivideWhole,
    /// `%`.
    Remainder,
    /// `^`.
    Power,
}

impl Operator {
    /// Every operator.
    pub(super) const ALL: [Self; 16] = [
        Self::Or,
        Self::And,
        Self::Equal,
        Self::Unequal,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::In,
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
        Self::DivideWhole,
        Self::Remainder,
        Self::Power,
    ];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Or => "||",
            Self::And => "&&",
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::DivideWhole => "//",
            Self::Remainder => "%",
            Self::Power => "^",
        }
    }

    /// How tightly it binds; equal ones from left to right. As in Jexl, `&&` binds no tighter than `||`.
    pub(super) const fn binds(self) -> u8 {
        match self {
            Self::Or | Self::And => 10,
            Self::Equal
            | Self::Unequal
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::In => 20,
            Self::Add | Self::Subtract => 30,
            Self::Multiply | Self::Divide | Self::DivideWhole => 40,
            Self::Remainder | Self::Power => 50,
        }
    }
}
