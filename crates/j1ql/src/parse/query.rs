//! A whole query and its subqueries: what is found, the chain behind it, and the clauses in any order.
//!
//! The outermost query goes on behind a mistake at its next clause, so that several are told at once.

use super::cursor::{Failed, Parsed, Parser};
use crate::ast::{Query, Selector};
use crate::error::Errors;
use crate::span::{Span, Spanned};
use crate::token::Kind;

impl Parser<'_> {
    /// The whole text.
    pub(super) fn whole(mut self) -> Result<Query, Errors> {
        let query = self.query(true);
        while self.problems.is_empty() && *self.kind() != Kind::End {
            if self.eat(";").is_none() {
                self.unexpected_clause();
            }
        }
        let problems = std::mem::take(&mut self.problems);
        match (Errors::all(problems), query) {
            (Some(errors), _) => Err(errors),
            (None, Ok(query)) => Ok(query),
            (None, Err(Failed)) => {
                self.unclosed = false;
                self.unexpected("the query cannot be read", None);
                Err(Errors::one(self.problems.swap_remove(0)))
            }
        }
    }

    /// A query; the outermost one is read on behind its mistakes.
    pub(super) fn query(&mut self, outermost: bool) -> Parsed<Query> {
        let start = self.span().start;
        self.eat_word("FIND");
        let unique = self.is_unique() && self.eat_word("UNIQUE").is_some();
        let mut root = self.selector();
        if root.is_err() && outermost && self.recover() {
            root = Ok(Selector { entities: Vec::new(), filter: None, alias: None, span: self.span() });
        }
        let root = root?;
        let mut query = Query {
            unique,
            root,
            chain: Vec::new(),
            filter: None,
            output: None,
            having: None,
            order: Vec::new(),
            skip: None,
            limit: None,
            as_of: None,
            span: Span::new(start, start),
        };
        loop {
            match self.piece(&mut query, outermost) {
                Ok(true) => {}
                Ok(false) => break,
                Err(Failed) if outermost && self.recover() => {}
                Err(Failed) => return Err(Failed),
            }
        }
        query.span = Span::new(start, self.behind());
        Ok(query)
    }

    /// `UNIQUE` as a keyword: something to find comes behind it.
    fn is_unique(&self) -> bool {
        self.is_word("UNIQUE")
            && match self.kind_at(1) {
                Kind::Word => !self.ends_selector(1),
                Kind::Mark(mark) => match *mark {
                    "*" | "#" => true,
                    "(" => !self.is_group(1),
                    _ => false,
                },
                Kind::Text(_) | Kind::Placeholder(_) | Kind::Parameter(_) => true,
                _ => false,
            }
    }

    /// The chain as far as it goes, and one clause; false where none comes.
    fn piece(&mut self, query: &mut Query, outermost: bool) -> Parsed<bool> {
        // A condition over whole paths may stand within the chain: it holds for the same paths.
        let behind = query.output.is_some()
            || !query.order.is_empty()
            || query.skip.is_some()
            || query.limit.is_some();
        if !behind {
            self.links(&mut query.chain)?;
        }
        self.clause(query, outermost)
    }

    /// One clause; false where none comes.
    fn clause(&mut self, query: &mut Query, outermost: bool) -> Parsed<bool> {
        let span = self.span();
        if self.eat_word("WHERE").is_some() {
            self.once(span, query.filter.is_some(), "WHERE", Some("join both conditions with AND"));
            query.filter = Some(self.filter()?);
        } else if self.eat_word("HAVING").is_some() {
            self.once(span, query.having.is_some(), "HAVING", Some("join both conditions with AND"));
            query.having = Some(self.filter()?);
        } else if self.eat_word("RETURN").is_some() {
            self.once(span, query.output.is_some(), "RETURN", Some("separate the columns with commas"));
            query.output = Some(self.output(outermost)?);
        } else if self.is_word("ORDER") && self.is_word_at(1, "BY") {
            self.at += 2;
            self.once(span, !query.order.is_empty(), "ORDER BY", Some("separate the keys with commas"));
            query.order = self.order()?;
        } else if self.eat_word("SKIP").is_some() {
            self.once(span, query.skip.is_some(), "SKIP", None);
            query.skip = self.count("SKIP")?;
        } else if self.eat_word("LIMIT").is_some() {
            self.once(span, query.limit.is_some(), "LIMIT", None);
            query.limit = self.count("LIMIT")?;
        } else if self.is_as_of() {
            self.at += 2;
            self.once(span, query.as_of.is_some(), "AS OF", None);
            let start = self.span();
            let node = self.as_of()?;
            query.as_of = Some(Spanned::new(node, Span::new(start.start, self.behind())));
        } else if self.is_template() && self.is_placeholder() {
            self.advance();
        } else if outermost && !matches!(self.kind(), Kind::End | Kind::Mark(";")) {
            let failed = self.unexpected_clause();
            self.advance();
            return Err(failed);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Notes a clause that stands twice.
    fn once(&mut self, span: Span, again: bool, clause: &str, suggestion: Option<&str>) {
        if again {
            self.note(span, Some(format!("{clause} stands twice")), suggestion.map(str::to_owned));
        }
    }

    /// `AS OF` and a version or a time; `AS of` before anything else is an alias.
    pub(super) fn is_as_of(&self) -> bool {
        self.is_word("AS")
            && self.is_word_at(1, "OF")
            && match self.kind_at(2) {
                Kind::Number | Kind::Text(_) | Kind::Date(_) | Kind::Parameter(_) | Kind::Placeholder(_) => {
                    true
                }
                Kind::Word => self.is_word_at(2, "date") && self.is_mark_at(3, "."),
                Kind::Mark(mark) => *mark == "-" && *self.kind_at(3) == Kind::Number,
                _ => false,
            }
    }

    /// What follows is no part of this query: nothing more is told of it.
    pub(super) fn give_up(&mut self) {
        self.recoveries = MOST_RECOVERIES;
    }

    /// Goes on at the next clause or step behind a mistake; false where there is none, or where parentheses do not match.
    fn recover(&mut self) -> bool {
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
                Kind::Word if level == 0 && found.is_none() && index >= self.at => {
                    let word = self.slice(token.span);
                    found = STOPS.iter().any(|stop| word.eq_ignore_ascii_case(stop)).then_some(index);
                }
                _ => {}
            }
        }
        match found.filter(|_| level == 0) {
            Some(index) => {
                self.at = index;
                true
            }
            None => false,
        }
    }
}

/// How often reading goes on behind a mistake: each time costs a look at the whole text.
pub(super) const MOST_RECOVERIES: usize = 20;

/// Where reading goes on behind a mistake.
const STOPS: [&str; 6] = ["THAT", "WHERE", "RETURN", "HAVING", "SKIP", "LIMIT"];
