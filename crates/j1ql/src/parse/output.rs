//! What a query gives back: columns or a tree, in which order, how many, and of which time.

use super::cursor::{Failed, Parsed, Parser};
use super::query::MOST_RECOVERIES;
use crate::ast::{AsOfText, Column, Date, Expr, ExprKind, OrderKey, Output};
use crate::span::{Span, Spanned};
use crate::token::Kind;

impl Parser<'_> {
    /// What stands behind RETURN; the outermost query reads on at the next comma behind a mistake.
    pub(super) fn output(&mut self, outermost: bool) -> Parsed<Output> {
        let whole = self.is_word("TREE") || self.is_word("GRAPH");
        let column = matches!(self.kind_at(1), Kind::Mark(mark) if !matches!(*mark, ";" | ")"))
            || self.is_word_at(1, "AS");
        let trailing = self.is_mark_at(1, ",") && self.stands_after_columns(2);
        if whole && (!column || trailing || self.is_as_of_at(1)) {
            self.advance();
            self.eat(",");
            return Ok(Output::Tree);
        }
        let mut columns = Vec::new();
        loop {
            match self.column() {
                Ok(column) => columns.push(column),
                Err(Failed) if outermost && self.skip_to_comma() => {}
                Err(Failed) => return Err(Failed),
            }
            if self.eat(",").is_none() || self.is_after_columns() {
                return Ok(Output::Columns(columns));
            }
        }
    }

    fn is_as_of_at(&mut self, ahead: usize) -> bool {
        self.at += ahead;
        let found = self.is_as_of();
        self.at -= ahead;
        found
    }

    /// Whether a comma was the last thing of the list.
    fn is_after_columns(&self) -> bool {
        self.stands_after_columns(0)
    }

    fn stands_after_columns(&self, ahead: usize) -> bool {
        match self.kind_at(ahead) {
            Kind::End | Kind::Mark(")" | ";") => true,
            _ => self.ends_selector(ahead) && !matches!(self.kind_at(ahead + 1), Kind::Mark("." | ",")),
        }
    }

    fn column(&mut self) -> Parsed<Column> {
        let start = self.span().start;
        let value = self.expr()?.expr;
        let text = self.slice(Span::new(start, self.behind())).to_owned();
        let mut alias = None;
        if self.is_word("AS") && !self.is_as_of() {
            self.advance();
            alias = Some(self.column_alias()?);
        }
        Ok(Column { value, alias, text })
    }

    /// A column's name: a quoted text, or a word of any kind, keywords included.
    fn column_alias(&mut self) -> Parsed<Spanned<String>> {
        match self.kind().clone() {
            Kind::Text(text) | Kind::Bracket(text) => Ok(Spanned::new(text, self.advance())),
            Kind::Number => {
                let mut span = self.advance();
                if *self.kind() == Kind::Word && self.is_glued() {
                    span = span.to(self.advance());
                }
                Ok(Spanned::new(self.slice(span).to_owned(), span))
            }
            _ => {
                let Some(name) = self.name() else {
                    return Err(self.unexpected(
                        "behind AS stands the column's name",
                        Some("put other names in quotes"),
                    ));
                };
                let mut span = self.hyphenated(name.span);
                while self.is_mark(".") && self.is_glued() && matches!(self.kind_at(1), Kind::Word) {
                    self.advance();
                    span = span.to(self.advance());
                }
                Ok(Spanned::new(self.slice(span).to_owned(), span))
            }
        }
    }

    /// Goes to the next comma of the outermost list behind a mistake; false where there is none.
    fn skip_to_comma(&mut self) -> bool {
        self.recoveries += 1;
        if self.unclosed || self.recoveries > MOST_RECOVERIES {
            return false;
        }
        let mut level = 0_usize;
        let mut found = None;
        for (index, token) in self.tokens.iter().enumerate() {
            match token.kind {
                Kind::Mark("(") => level += 1,
                Kind::Mark(")") => match level.checked_sub(1) {
                    Some(less) => level = less,
                    None => return false,
                },
                Kind::Mark(",") if level == 0 && index >= self.at && found.is_none() => found = Some(index),
                _ => {}
            }
        }
        let clause = |index: &usize| (self.at..*index).all(|at| !self.is_clause_at(at));
        match found.filter(|index| level == 0 && clause(index)) {
            Some(index) => {
                self.at = index;
                true
            }
            None => false,
        }
    }

    fn is_clause_at(&self, index: usize) -> bool {
        let Some(token) = self.tokens.get(index) else { return true };
        token.kind == Kind::Word
            && ["WHERE", "HAVING", "RETURN", "ORDER", "SKIP", "LIMIT"]
                .iter()
                .any(|clause| self.slice(token.span).eq_ignore_ascii_case(clause))
    }

    /// The keys behind ORDER BY.
    pub(super) fn order(&mut self) -> Parsed<Vec<OrderKey>> {
        let mut keys = Vec::new();
        loop {
            let value = self.expr()?.expr;
            let descending = self.is_word("DESC") || self.is_word("DESCENDING");
            if descending || self.is_word("ASC") || self.is_word("ASCENDING") {
                self.advance();
            }
            keys.push(OrderKey { value, descending });
            if self.eat(",").is_none() || self.is_after_columns() {
                return Ok(keys);
            }
        }
    }

    /// The number behind SKIP or LIMIT; none where a template leaves it open.
    pub(super) fn count(&mut self, clause: &str) -> Parsed<Option<Spanned<u64>>> {
        if self.is_template() && self.is_placeholder() {
            self.advance();
            return Ok(None);
        }
        let number = match self.kind() {
            Kind::Number => self.slice(self.span()).parse().ok(),
            _ => None,
        };
        match number {
            Some(number) => Ok(Some(Spanned::new(number, self.advance()))),
            None => Err(self.unexpected(format!("behind {clause} stands a whole number"), None)),
        }
    }

    /// The version or time behind `AS OF`.
    pub(super) fn as_of(&mut self) -> Parsed<AsOfText> {
        let span = self.span();
        if let Kind::Text(text) = self.kind() {
            let text = text.trim().to_owned();
            self.advance();
            if !super::is_date(&text) {
                let reason = "AS OF takes a version's number, or a date such as \"2026-01-31T10:00:00Z\"";
                return Err(self.refuse(span, reason, None));
            }
            let kind = ExprKind::Date(Date::Literal(text));
            return Ok(AsOfText::Time(Box::new(Expr { kind, span })));
        }
        let value = self.expr()?.expr;
        match &value.kind {
            ExprKind::Number(number) => match number.parse() {
                Ok(version) if version >= 0 => Ok(AsOfText::Version(version)),
                _ => Err(self.refuse(value.span, "a version is a whole number", None)),
            },
            _ if is_time(&value) => Ok(AsOfText::Time(Box::new(value))),
            _ => Err(self.refuse(value.span, "AS OF takes a version's number or a time", None)),
        }
    }
}

/// Whether a value can be a time: a date or a placeholder, with lengths of time added or taken.
fn is_time(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Date(_) | ExprKind::Parameter(_) | ExprKind::Placeholder(_) => true,
        ExprKind::Binary { operator, left, right } => {
            use crate::ast::Arithmetic::{Add, Subtract};
            matches!(operator, Add | Subtract)
                && matches!(right.kind, ExprKind::Span(_) | ExprKind::Parameter(_) | ExprKind::Placeholder(_))
                && is_time(left)
        }
        _ => false,
    }
}
