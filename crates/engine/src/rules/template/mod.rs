//! The `{{ … }}` language of rules: texts with expressions in them, as JupiterOne's rules use them.
//!
//! What the expressions are about is the scope's to say; nothing here knows rules or queries.
//!
//! Invariant: reading and evaluating end for every text, within fixed depth, steps and bytes, and never panic.
//!
//! Source: the operators and their precedence are those of Jexl (<https://github.com/TomFrost/Jexl>), the pipes those of
//! JupiterOne's alert rules.

mod budget;
mod evaluate;
mod expr;
mod lex;
mod parse;
mod pipe;
mod print;
mod scope;
#[cfg(test)]
mod tests;
mod value;

use std::fmt;

use serde_json::Value as Json;

pub use budget::Budget;
pub(super) use evaluate::compare;
pub use expr::{Expr, Operator};
pub use pipe::Pipe;
pub use scope::{Scope, Templates};
pub(super) use value::{property, text_of, truthy};

/// The longest text with expressions, in bytes.
pub const LONGEST: usize = 64 * 1024;

/// What is wrong with a text, or came up when it was evaluated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {why}")]
pub struct TemplateError {
    /// Which character of the text, from 1.
    pub at: usize,
    /// What is wrong there.
    pub why: String,
}

/// A text with expressions in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    source: Box<str>,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(Box<str>),
    /// An expression, and at which byte its `{{` stands.
    Expr(usize, Expr),
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// The first mistake, with its place.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let fault = |(at, why)| TemplateError { at: place(text, at), why };
        if text.len() > LONGEST {
            return Err(fault((0, format!("the text is longer than {LONGEST} bytes"))));
        }
        let mut parts = Vec::new();
        let mut rest = 0;
        while let Some(found) = text.get(rest..).and_then(|tail| tail.find("{{")) {
            let open = rest + found;
            if found > 0 {
                parts.push(Part::Text(text.get(rest..open).unwrap_or_default().into()));
            }
            let (tokens, end) = lex::tokens(text, open + 2).map_err(fault)?;
            parts.push(Part::Expr(open, parse::expression(&tokens, end).map_err(fault)?));
            rest = end + 2;
        }
        if rest < text.len() {
            parts.push(Part::Text(text.get(rest..).unwrap_or_default().into()));
        }
        Ok(Self { source: text.into(), parts })
    }

    /// Reads a single expression that stands without braces, such as `queries.query0.total`.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn expression(text: &str) -> Result<Self, TemplateError> {
        let fault = |(at, why)| TemplateError { at: place(text, at), why };
        if text.len() > LONGEST {
            return Err(fault((0, format!("the text is longer than {LONGEST} bytes"))));
        }
        let tokens = lex::alone(text).map_err(fault)?;
        let expr = parse::expression(&tokens, text.len()).map_err(fault)?;
        Ok(Self { source: text.into(), parts: vec![Part::Expr(0, expr)] })
    }

    /// The text as it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether there is no expression in it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// Whether a name of the scope stands in one of its expressions.
    #[must_use]
    pub fn speaks_of(&self, name: &str) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Expr(_, expr) if expr.speaks_of(name)))
    }

    /// The value: of the expression, where the text is one and nothing else; else a text.
    ///
    /// # Errors
    ///
    /// [`TemplateError`] where an unknown template is named, or the budget is used up.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Json, TemplateError> {
        if let [Part::Expr(at, expr)] = &*self.parts {
            return scope.evaluate(expr).map_err(|why| self.failed(*at, why));
        }
        let mut whole = String::new();
        for part in &self.parts {
            let before = whole.len();
            match part {
                Part::Text(text) => whole.push_str(text),
                Part::Expr(at, expr) => {
                    let value = scope.evaluate(expr).map_err(|why| self.failed(*at, why))?;
                    whole.push_str(&text_of(&value));
                }
            }
            scope.budget.made(whole.len() - before).map_err(|why| self.failed(0, why))?;
        }
        Ok(Json::String(whole))
    }

    /// The value as a text.
    ///
    /// # Errors
    ///
    /// As [`evaluate`](Self::evaluate).
    pub fn text(&self, scope: &Scope<'_>) -> Result<String, TemplateError> {
        Ok(match self.evaluate(scope)? {
            Json::String(text) => text,
            other => text_of(&other).into_owned(),
        })
    }

    fn failed(&self, at: usize, why: String) -> TemplateError {
        TemplateError { at: place(&self.source, at), why }
    }
}

impl fmt::Display for Template {
    /// The text anew: expressions in their canonical form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Text(text) => f.write_str(text)?,
                Part::Expr(_, expr) => write!(f, "{{{{ {expr} }}}}")?,
            }
        }
        Ok(())
    }
}

/// Which character, from 1, stands at a byte.
fn place(text: &str, byte: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < byte).count() + 1
}
