//! Names with dots: `u.tag.AccountName`, `[tag.cost-center]`, `u."any name"`, `u.*`; and which words are functions.

use super::cursor::{Parsed, Parser};
use crate::ast::Property;
use crate::span::Spanned;
use crate::token::Kind;

/// The functions, by what they need.
pub(super) const FUNCTIONS: [&str; 13] = [
    "count", "sum", "avg", "min", "max", "abs", "sqrt", "ceil", "floor", "round", "coalesce", "concat",
    "merge",
];

/// Whether `name`, in lower case, is a function.
pub(crate) fn names_a_function(name: &str) -> bool {
    FUNCTIONS.contains(&name)
}

/// Whether a name at the beginning of a value would be read as something else without brackets.
pub(crate) fn must_be_bracketed(name: &str) -> bool {
    const WORDS: [&str; 23] = [
        "find",
        "that",
        "with",
        "where",
        "return",
        "having",
        "order",
        "skip",
        "limit",
        "as",
        "and",
        "or",
        "not",
        "true",
        "false",
        "undefined",
        "null",
        "date",
        "tree",
        "graph",
        "like",
        "in",
        "is",
    ];
    WORDS.into_iter().any(|word| name.eq_ignore_ascii_case(word))
}

impl Parser<'_> {
    /// A property, cut at its dots.
    pub(super) fn property(&mut self) -> Parsed<Property> {
        let first = if let Kind::Bracket(name) = self.kind() {
            Some(Spanned::new(name.clone(), self.span()))
        } else {
            // A keyword may be a property's name where what follows leaves no doubt.
            let named = match self.kind_at(1) {
                Kind::Mark(mark) => {
                    !matches!(*mark, "(" | ")" | "," | "?" | "|" | "#" | ";" | "*" | "[" | "!")
                }
                _ => false,
            };
            if (self.ends_selector(0) || self.is_word("FIND") || self.is_word("ORDER")) && !named {
                return Err(self.missing_value());
            }
            self.word_at(0).map(|word| Spanned::new(word.to_owned(), self.span()))
        };
        let Some(first) = first else { return Err(self.missing_value()) };
        self.advance();
        let mut segments = vec![first];
        while self.eat(".").is_some() {
            if self.eat("*").is_some() {
                return Ok(Property { segments, all: true });
            }
            let segment = match self.kind().clone() {
                Kind::Bracket(name) | Kind::Text(name) => name,
                Kind::Word | Kind::Number => self.slice(self.span()).to_owned(),
                Kind::Placeholder(_) | Kind::Parameter(_) if self.is_template() => String::new(),
                _ => {
                    return Err(
                        self.unexpected("behind the dot stands a property's name, or `*` for all", None)
                    );
                }
            };
            segments.push(Spanned::new(segment, self.advance()));
        }
        Ok(Property { segments, all: false })
    }
}
