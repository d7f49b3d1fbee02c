//! Which entities stand at one place of a path: `User`, `(a|b)`, `"text"`, `#Smart Application`, with condition and alias.

use super::cursor::{Parsed, Parser};
use crate::ast::{EntityName, Filter, Selector};
use crate::span::{Span, Spanned};
use crate::token::{Kind, is_plain_name};

impl Parser<'_> {
    /// Entities, and in either order their condition and their name.
    pub(super) fn selector(&mut self) -> Parsed<Selector> {
        let start = self.span().start;
        let mut entities = Vec::new();
        self.entities(&mut entities)?;
        let mut filter: Option<Filter> = None;
        let mut alias = None;
        loop {
            if filter.is_none() && self.eat_word("WITH").is_some() {
                filter = Some(self.filter()?);
            } else if alias.is_none() && self.is_word("AS") && !self.is_as_of() {
                self.advance();
                alias = Some(self.alias()?);
            } else if let Some(earlier) = filter.take_if(|_| alias.is_some() && self.is_word("AND")) {
                // Seen in published queries: the condition goes on behind the name.
                self.eat_joint("AND", "&&");
                filter = Some(Filter::And(vec![earlier, self.filter()?]));
            } else if self.is_word("WITH") {
                return Err(self
                    .unexpected("WITH stands twice for one entity", Some("join both conditions with AND")));
            } else if self.is_word("AS") && !self.is_as_of() {
                return Err(self.unexpected("the entity has a name already", None));
            } else {
                return Ok(Selector { entities, filter, alias, span: Span::new(start, self.behind()) });
            }
        }
    }

    /// One entity or alternatives, flattened.
    fn entities(&mut self, found: &mut Vec<Spanned<EntityName>>) -> Parsed<()> {
        if let Some(open) = self.eat("(") {
            self.enter()?;
            self.entities(found)?;
            self.close(open, Some("alternatives are separated by `|`, as in (User|Person)"))?;
            self.leave();
        } else if self.is_mark("#") {
            self.smart(found)?;
        } else {
            found.push(self.entity()?);
        }
        while self.eat("|").is_some() {
            if self.is_mark("#") {
                self.smart(found)?;
            } else if let Some(open) = self.eat("(") {
                self.enter()?;
                self.entities(found)?;
                self.close(open, None)?;
                self.leave();
            } else {
                found.push(self.entity()?);
            }
        }
        Ok(())
    }

    /// `#Name`, perhaps with what it is narrowed to; several of those make several alternatives.
    fn smart(&mut self, found: &mut Vec<Spanned<EntityName>>) -> Parsed<()> {
        let start = self.advance();
        let Some(name) = self.type_name() else {
            return Err(self.unexpected("behind `#` stands the name of a smart class", None));
        };
        let alone = start.to(name.span);
        let mut narrowed = Vec::new();
        let follows = match self.kind() {
            Kind::Text(_) => true,
            Kind::Word => !self.ends_selector(0),
            Kind::Mark("(") => !self.is_group(0),
            Kind::Mark(mark) => matches!(*mark, "*" | "#"),
            _ => false,
        };
        if follows {
            self.enter()?;
            if let Some(open) = self.eat("(") {
                self.entities(&mut narrowed)?;
                self.close(open, None)?;
            } else if self.is_mark("#") {
                self.smart(&mut narrowed)?;
            } else {
                narrowed.push(self.entity()?);
            }
            self.leave();
        }
        if narrowed.is_empty() {
            found.push(Spanned::new(EntityName::Smart { name: name.node, of: None }, alone));
            return Ok(());
        }
        for of in narrowed {
            let span = alone.to(of.span);
            found.push(Spanned::new(
                EntityName::Smart { name: name.node.clone(), of: Some(Box::new(of)) },
                span,
            ));
        }
        Ok(())
    }

    fn entity(&mut self) -> Parsed<Spanned<EntityName>> {
        if let Kind::Text(text) = self.kind() {
            let name = EntityName::Text(text.clone());
            return Ok(Spanned::new(name, self.advance()));
        }
        if let Some(span) = self.eat("*") {
            return Ok(Spanned::new(EntityName::Any, span));
        }
        if self.ends_selector(0) {
            return Err(self.missing_entity());
        }
        match self.type_name() {
            Some(name) => Ok(Spanned::new(EntityName::Named(name.node), name.span)),
            None => Err(self.missing_entity()),
        }
    }

    /// A class or a type, which may hold hyphens.
    fn type_name(&mut self) -> Option<Spanned<String>> {
        let name = self.name()?;
        let span = self.hyphenated(name.span);
        Some(Spanned::new(self.slice(span).to_owned(), span))
    }

    /// Takes what follows with hyphens and no blanks.
    pub(super) fn hyphenated(&mut self, mut span: Span) -> Span {
        while self.is_mark("-")
            && self.is_glued()
            && self.span().end == self.span_at(1).start
            && matches!(self.kind_at(1), Kind::Word | Kind::Number)
            && !self.slice(self.span_at(1)).contains('.')
        {
            self.advance();
            span = span.to(self.advance());
        }
        // `a-2b`: the number and the word behind it belong together.
        if *self.kind() == Kind::Word && self.is_glued() && self.slice(span).contains('-') {
            span = span.to(self.advance());
            return self.hyphenated_again(span);
        }
        span
    }

    fn hyphenated_again(&mut self, span: Span) -> Span {
        if self.is_mark("-") && self.is_glued() { self.hyphenated(span) } else { span }
    }

    /// Whether the word `ahead` ends a selector rather than naming an entity.
    pub(super) fn ends_selector(&self, ahead: usize) -> bool {
        let Some(word) = self.word_at(ahead) else { return false };
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        let number_follows =
            matches!(self.kind_at(ahead + 1), Kind::Number | Kind::Placeholder(_) | Kind::Parameter(_));
        ["THAT", "WITH", "WHERE", "RETURN", "HAVING", "AS", "AND", "OR"].into_iter().any(is)
            || (is("ORDER") && self.is_word_at(ahead + 1, "BY"))
            || ((is("SKIP") || is("LIMIT")) && number_follows)
    }

    /// The name behind `AS` of an entity, a relationship or a group.
    pub(super) fn alias(&mut self) -> Parsed<Spanned<String>> {
        if let Kind::Text(text) = self.kind()
            && is_plain_name(text)
        {
            let alias = text.clone();
            return Ok(Spanned::new(alias, self.advance()));
        }
        let Some(alias) = self.name() else {
            return Err(self.unexpected("behind AS stands a name of letters, digits and `_`", None));
        };
        if RESERVED.into_iter().any(|reserved| alias.node.eq_ignore_ascii_case(reserved)) {
            let reason = format!("`{}` is a word of the language and cannot be a name", alias.node);
            self.note(alias.span, Some(reason), None);
        }
        if self.is_mark("-") && self.is_glued() && matches!(self.kind_at(1), Kind::Word | Kind::Number) {
            let fix = format!("{}_{}", alias.node, self.slice(self.span_at(1)));
            return Err(self.unexpected("a name cannot hold a hyphen", Some(&format!("AS {fix}"))));
        }
        Ok(alias)
    }
}

/// What cannot be the name of an entity or a relationship.
const RESERVED: [&str; 26] = [
    "find",
    "that",
    "with",
    "where",
    "return",
    "order",
    "by",
    "skip",
    "limit",
    "as",
    "and",
    "or",
    "not",
    "has",
    "relates",
    "to",
    "from",
    "true",
    "false",
    "null",
    "undefined",
    "count",
    "sum",
    "avg",
    "min",
    "max",
];
