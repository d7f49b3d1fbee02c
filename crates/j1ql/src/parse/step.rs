//! The chain behind what is found: `THAT verb entity`, and groups that may be left out.

use super::cursor::{Parsed, Parser};
use crate::ast::{Direction, Link, Optional, Step};
use crate::span::{Span, Spanned};
use crate::token::Kind;

impl Parser<'_> {
    /// Steps and groups as long as they come.
    pub(super) fn links(&mut self, chain: &mut Vec<Link>) -> Parsed<()> {
        loop {
            if self.is_word("THAT") {
                chain.push(Link::Step(self.step()?));
            } else if self.is_mark("(") && self.is_group(0) {
                chain.push(Link::Optional(self.optional()?));
            } else {
                return Ok(());
            }
        }
    }

    /// Whether the parenthesis `ahead` opens a group of steps: the first word in it is THAT.
    pub(super) fn is_group(&self, ahead: usize) -> bool {
        let opened = (ahead..=ahead + super::DEEPEST).take_while(|at| self.is_mark_at(*at, "(")).count();
        opened > 0 && self.is_word_at(ahead + opened, "THAT")
    }

    fn optional(&mut self) -> Parsed<Optional> {
        let open = self.advance();
        self.enter()?;
        let mut chain = Vec::new();
        self.links(&mut chain)?;
        let filter = if self.eat_word("WHERE").is_some() { Some(self.filter()?) } else { None };
        self.close(open, None)?;
        self.leave();
        if self.eat("?").is_none() {
            let reason = "steps in parentheses may be left out, and the parenthesis ends in `)?`";
            return Err(
                self.unexpected(reason, Some("put `?` behind the parenthesis, or take the parentheses away"))
            );
        }
        let alias = self.given_alias()?;
        Ok(Optional { chain, filter, alias, span: Span::new(open.start, self.behind()) })
    }

    /// `AS alias`, where it is not `AS OF`.
    fn given_alias(&mut self) -> Parsed<Option<Spanned<String>>> {
        if !self.is_word("AS") || self.is_as_of() {
            return Ok(None);
        }
        self.advance();
        self.alias().map(Some)
    }

    fn step(&mut self) -> Parsed<Step> {
        let start = self.advance().start;
        let mut step = Relationship::default();
        let mut negated = self.negation();
        self.direction(&mut step)?;
        negated |= self.negation();
        let verbs = self.verbs(&mut negated)?;
        let mut to = false;
        loop {
            if self.direction(&mut step)? {
            } else if !to && self.is_word("TO") && !self.is_mark_at(1, "|") {
                self.advance();
                to = true;
            } else if step.alias.is_none() && self.is_word("AS") {
                self.advance();
                step.alias = Some(self.alias()?);
            } else {
                break;
            }
        }
        let target = self.selector()?;
        let direction = step.direction.unwrap_or_default();
        Ok(Step {
            negated,
            verbs,
            direction,
            alias: step.alias,
            target,
            span: Span::new(start, self.behind()),
        })
    }

    /// `!`, or `NOT` before a verb.
    fn negation(&mut self) -> bool {
        if self.eat("!").is_some() {
            return true;
        }
        let verb_follows = match self.kind_at(1) {
            Kind::Word => self.kind_at(2) != &Kind::End && !self.ends_selector(1),
            _ => self.is_mark_at(1, "("),
        };
        self.is_word("NOT") && verb_follows && self.eat_word("NOT").is_some()
    }

    /// `>>` or `<<`; false where neither comes.
    fn direction(&mut self, step: &mut Relationship) -> Parsed<bool> {
        let found = match self.kind() {
            Kind::Mark(">>") => Direction::Forward,
            Kind::Mark("<<") => Direction::Backward,
            Kind::Mark(arrow @ ("->" | "<-" | ">" | "<")) => {
                let meant = if arrow.contains('>') { ">>" } else { "<<" };
                let suggestion = format!("did you mean {meant}?");
                return Err(self.unexpected("a direction is written `>>` or `<<`", Some(&suggestion)));
            }
            _ => return Ok(false),
        };
        if step.direction.is_some_and(|earlier| earlier != found) {
            let reason = "the relationship has the other direction already";
            return Err(
                self.unexpected(reason, Some("leave both out: without one, either direction is found"))
            );
        }
        step.direction = Some(found);
        self.advance();
        Ok(true)
    }

    /// The verbs, upper-cased; none for any.
    fn verbs(&mut self, negated: &mut bool) -> Parsed<Vec<Spanned<String>>> {
        let open = self.eat("(");
        let mut verbs = Vec::new();
        let mut any = false;
        loop {
            if let Some(span) = self.eat("!") {
                if open.is_some() && !verbs.is_empty() {
                    let reason = "`!` denies all verbs of the parenthesis at once";
                    return Err(self.refuse(
                        span,
                        reason,
                        Some("write it before the parenthesis, as in !(HAS|OWNS)"),
                    ));
                }
                *negated = true;
            }
            let missing = self.ends_selector(0) || self.is_word("FIND");
            let verb = if missing { None } else { self.name() };
            let Some(verb) = verb else { return Err(self.missing_verb()) };
            if verb.node.eq_ignore_ascii_case("RELATES") {
                any = true;
            }
            // In a list of verbs TO is noise behind each of them.
            if open.is_some() {
                self.eat_word("TO");
            }
            let node = if verb.node.contains(['{', '$']) { verb.node } else { verb.node.to_uppercase() };
            verbs.push(Spanned::new(node, verb.span));
            if self.eat("|").is_none() {
                break;
            }
        }
        if let Some(open) = open {
            self.close(open, Some("verbs are separated by `|`, as in (HAS|OWNS)"))?;
        }
        Ok(if any { Vec::new() } else { verbs })
    }
}

/// What was said of a relationship so far.
#[derive(Default)]
struct Relationship {
    direction: Option<Direction>,
    alias: Option<Spanned<String>>,
}
