//! Conditions: comparisons joined by AND, OR, `!` and parentheses.
//!
//! A parenthesis may hold a condition or a value: which of them shows only behind it, and nothing is read twice.

use super::cursor::{Parsed, Parser};
use super::expr::Tall;
use crate::ast::{Comparison, ExprKind, Filter, Operator, Right};
use crate::span::{Span, Spanned};
use crate::token::Kind;

/// What a part of a condition turned out to be.
pub(super) enum Part {
    /// A condition.
    Filter(Filter),
    /// A value that nothing is compared with yet.
    Value(Tall),
}

impl Parser<'_> {
    /// A condition.
    pub(super) fn filter(&mut self) -> Parsed<Filter> {
        let part = self.any_of()?;
        self.condition(part)
    }

    /// A part that must be a condition.
    fn condition(&mut self, part: Part) -> Parsed<Filter> {
        match part {
            Part::Filter(filter) => Ok(filter),
            // A placeholder of a template may stand for a whole condition.
            Part::Value(value)
                if self.is_template()
                    && matches!(value.expr.kind, ExprKind::Placeholder(_) | ExprKind::Parameter(_)) =>
            {
                let operator = Spanned::new(Operator::Equal, value.expr.span);
                let (span, right) = (value.expr.span, Right::Expr(value.expr.clone()));
                Ok(Filter::Compare(Box::new(Comparison { left: value.expr, operator, right, span })))
            }
            Part::Value(value) => Err(self.missing_operator(&value.expr)),
        }
    }

    fn any_of(&mut self) -> Parsed<Part> {
        self.enter()?;
        let first = self.all_of()?;
        if !self.is_joint("OR", "||") {
            self.leave();
            return Ok(first);
        }
        let mut parts = vec![self.condition(first)?];
        while self.eat_joint("OR", "||") {
            let part = self.all_of()?;
            parts.push(self.condition(part)?);
        }
        self.leave();
        Ok(Part::Filter(Filter::Or(parts)))
    }

    fn all_of(&mut self) -> Parsed<Part> {
        let first = self.part()?;
        if !self.is_joint("AND", "&&") {
            return Ok(first);
        }
        let mut parts = vec![self.condition(first)?];
        while self.eat_joint("AND", "&&") {
            let part = self.part()?;
            parts.push(self.condition(part)?);
        }
        Ok(Part::Filter(Filter::And(parts)))
    }

    fn is_joint(&self, word: &str, foreign: &str) -> bool {
        self.is_word(word) || self.is_mark(foreign)
    }

    /// AND or OR; a second keyword before the next condition says nothing new.
    pub(super) fn eat_joint(&mut self, word: &str, foreign: &str) -> bool {
        if self.is_mark(foreign) {
            let reason = format!("conditions are joined with {word}");
            self.note(self.span(), Some(reason), Some(format!("did you mean {word}?")));
        } else if !self.is_word(word) {
            return false;
        }
        self.advance();
        if matches!(self.kind_at(1), Kind::Word | Kind::Bracket(_)) || self.is_mark_at(1, "(") {
            let _ = self.eat_word("WITH").or_else(|| self.eat_word("WHERE"));
        }
        true
    }

    fn part(&mut self) -> Parsed<Part> {
        if self.is_mark("!") || self.is_negation() {
            self.advance();
            self.enter()?;
            let part = self.part()?;
            let filter = self.condition(part)?;
            self.leave();
            return Ok(Part::Filter(Filter::Not(Box::new(filter))));
        }
        if !self.is_mark("(") {
            return self.comparison(None);
        }
        let open = self.advance();
        let inside = self.any_of()?;
        let close = self.close(open, None)?;
        match inside {
            Part::Filter(filter) => Ok(Part::Filter(filter)),
            Part::Value(mut value) => {
                value.expr.span = open.to(close);
                self.comparison(Some(value))
            }
        }
    }

    /// `NOT` as a keyword and not as the name of a property.
    fn is_negation(&self) -> bool {
        self.is_word("NOT")
            && match self.kind_at(1) {
                Kind::Mark(mark) => matches!(*mark, "(" | "!"),
                Kind::Word => !self.ends_selector(1),
                Kind::Bracket(_) => true,
                _ => false,
            }
    }

    /// A comparison, or a value where none follows.
    fn comparison(&mut self, first: Option<Tall>) -> Parsed<Part> {
        let start = first.as_ref().map_or(self.span(), |first| first.expr.span);
        let left = match first {
            Some(first) => self.expr_from(first)?,
            None => self.expr()?,
        };
        let Some(operator) = self.operator()? else { return Ok(Part::Value(left)) };
        let right = self.right()?;
        let span = Span::new(start.start, self.behind());
        Ok(Part::Filter(Filter::Compare(Box::new(Comparison { left: left.expr, operator, right, span }))))
    }
}
