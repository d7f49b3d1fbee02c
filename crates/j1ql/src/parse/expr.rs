//! Values: numbers, texts, dates, properties, functions, and arithmetic over them.
//!
//! Powers are taken from the right, everything else from the left; a sign belongs to what stands directly behind it.

use super::cursor::{Parsed, Parser};
use super::date::time_unit;
use crate::ast::{Arithmetic, Date, Expr, ExprKind, TimeSpan, TimeUnit};
use crate::span::{Span, Spanned};
use crate::token::Kind;

/// How high a tree of operators may grow.
const TALLEST: usize = 128;

/// A value, and how high the tree of its operators is.
pub(super) struct Tall {
    pub(super) expr: Expr,
    pub(super) height: usize,
}

impl Tall {
    pub(super) fn leaf(kind: ExprKind, span: Span) -> Self {
        Self { expr: Expr { kind, span }, height: 1 }
    }
}

impl Parser<'_> {
    /// A value.
    pub(super) fn expr(&mut self) -> Parsed<Tall> {
        let first = self.atom()?;
        self.expr_from(first)
    }

    /// The arithmetic that goes on behind a value, if any.
    pub(super) fn expr_from(&mut self, first: Tall) -> Parsed<Tall> {
        self.climb(first, 1)
    }

    fn climb(&mut self, mut left: Tall, least: u8) -> Parsed<Tall> {
        while let Some((operator, rank)) = self.arithmetic()
            && rank >= least
        {
            self.advance();
            let mut right = self.atom()?;
            while let Some((_, next)) = self.arithmetic()
                && (next > rank || (next == POWER && rank == POWER))
            {
                self.enter()?;
                right = self.climb(right, next)?;
                self.leave();
            }
            let span = left.expr.span.to(right.expr.span);
            let height = left.height.max(right.height) + 1;
            if height > TALLEST {
                let reason = format!("more than {TALLEST} operators belong together");
                return Err(self.refuse(right.expr.span, reason, None));
            }
            let (left_expr, right_expr) = (Box::new(left.expr), Box::new(right.expr));
            let kind = ExprKind::Binary { operator, left: left_expr, right: right_expr };
            left = Tall { expr: Expr { kind, span }, height };
        }
        Ok(left)
    }

    fn arithmetic(&self) -> Option<(Arithmetic, u8)> {
        let Kind::Mark(mark) = self.kind() else { return None };
        Some(match *mark {
            "+" => (Arithmetic::Add, 1),
            "-" | "–" => (Arithmetic::Subtract, 1),
            "*" => (Arithmetic::Multiply, 2),
            "/" => (Arithmetic::Divide, 2),
            "^" => (Arithmetic::Power, POWER),
            _ => return None,
        })
    }

    fn atom(&mut self) -> Parsed<Tall> {
        let span = self.span();
        match self.kind().clone() {
            Kind::Text(text) => {
                self.advance();
                Ok(Tall::leaf(ExprKind::Text(text), span))
            }
            Kind::Number => self.number(""),
            Kind::Date(text) => {
                self.advance();
                let open = self.is_template() && text.contains(['{', '$']);
                if !open && !super::is_date(&text) {
                    let reason = "a date is written as date(2024), date(2024-01), date(2024-01-31) or \
                                  date(2024-01-31T10:00:00Z)";
                    self.note(span, Some(reason.to_owned()), None);
                }
                Ok(Tall::leaf(ExprKind::Date(Date::Literal(text)), span))
            }
            Kind::Parameter(name) => {
                self.advance();
                self.open_unit();
                Ok(Tall::leaf(ExprKind::Parameter(name), span))
            }
            Kind::Placeholder(name) => {
                self.advance();
                self.open_unit();
                Ok(Tall::leaf(ExprKind::Placeholder(name), span))
            }
            Kind::Mark("-" | "–") => self.negative(),
            Kind::Mark("(") => {
                let open = self.advance();
                self.enter()?;
                let mut inside = self.expr()?;
                let close = self.close(open, None)?;
                self.leave();
                inside.expr.span = open.to(close);
                Ok(inside)
            }
            Kind::Word | Kind::Bracket(_) => self.worded(),
            _ => Err(self.missing_value()),
        }
    }

    fn negative(&mut self) -> Parsed<Tall> {
        let sign = self.advance();
        if *self.kind() == Kind::Number && time_unit(self.word_at(1).unwrap_or_default()).is_none() {
            let mut number = self.number("-")?;
            number.expr.span = sign.to(number.expr.span);
            return Ok(number);
        }
        self.enter()?;
        let inside = self.atom()?;
        self.leave();
        let span = sign.to(inside.expr.span);
        let kind = ExprKind::Negative(Box::new(inside.expr));
        Ok(Tall { expr: Expr { kind, span }, height: inside.height + 1 })
    }

    /// A number, or with its unit a length of time.
    fn number(&mut self, sign: &str) -> Parsed<Tall> {
        let span = self.advance();
        let digits = self.slice(span);
        if digits.len() > LONGEST_NUMBER {
            self.note(span, Some(format!("a number has at most {LONGEST_NUMBER} digits")), None);
        }
        if let Some(unit) = self.eat_unit() {
            let kind = ExprKind::Span(TimeSpan { amount: digits.to_owned(), unit: unit.node });
            return Ok(Tall::leaf(kind, span.to(unit.span)));
        }
        if *self.kind() == Kind::Word && self.is_glued() {
            return Err(self.unknown_unit(span));
        }
        Ok(Tall::leaf(ExprKind::Number(format!("{sign}{digits}")), span))
    }

    fn eat_unit(&mut self) -> Option<Spanned<TimeUnit>> {
        let unit = time_unit(self.word_at(0)?)?;
        Some(Spanned::new(unit, self.advance()))
    }

    /// The unit behind a placeholder that stands for a number, which only a template can have.
    fn open_unit(&mut self) {
        if self.is_template() {
            self.eat_unit();
        }
    }

    /// A word: a constant, `date.now`, a function or a property.
    fn worded(&mut self) -> Parsed<Tall> {
        let span = self.span();
        let word = self.word_at(0).unwrap_or_default();
        let alone = !self.is_mark_at(1, ".");
        let constant = match word.to_ascii_lowercase().as_str() {
            "true" if alone => Some(ExprKind::Bool(true)),
            "false" if alone => Some(ExprKind::Bool(false)),
            "undefined" | "null" if alone => Some(ExprKind::Undefined),
            _ => None,
        };
        if let Some(constant) = constant {
            self.advance();
            return Ok(Tall::leaf(constant, span));
        }
        if self.is_word("date")
            && self.is_mark_at(1, ".")
            && self.is_word_at(2, "now")
            && !self.is_mark_at(3, ".")
        {
            self.at += 3;
            if self.is_mark("(") && self.is_mark_at(1, ")") {
                self.at += 2;
            }
            return Ok(Tall::leaf(ExprKind::Date(Date::Now), Span::new(span.start, self.behind())));
        }
        if self.is_mark_at(1, "(") && !word.is_empty() && !self.is_group(1) && !self.ends_selector(0) {
            return self.call();
        }
        let property = self.property()?;
        Ok(Tall::leaf(ExprKind::Property(property), Span::new(span.start, self.behind())))
    }

    /// `function(…)`.
    fn call(&mut self) -> Parsed<Tall> {
        let start = self.span();
        let written = self.slice(start);
        let name = written.to_ascii_lowercase();
        if !super::names_a_function(&name) {
            self.unknown_function(written);
        }
        self.advance();
        let open = self.advance();
        self.enter()?;
        let mut arguments = Vec::new();
        let mut height = 0;
        if self.is_mark("*") && self.is_mark_at(1, ")") {
            let star = self.advance();
            if name != "count" {
                let reason = format!("`*` can be counted; {name} needs a property");
                self.note(star, Some(reason), None);
            }
        } else if self.is_mark(")") {
            let reason = format!("{name} needs what to work on");
            return Err(self.unexpected(reason, Some("count(*) counts everything")));
        } else {
            loop {
                let argument = self.expr()?;
                height = height.max(argument.height);
                arguments.push(argument.expr);
                if self.eat(",").is_none() {
                    break;
                }
            }
        }
        let close = self.close(open, None)?;
        self.leave();
        let kind = ExprKind::Call { function: Spanned::new(name, start), arguments };
        Ok(Tall { expr: Expr { kind, span: start.to(close) }, height: height + 1 })
    }
}

/// The rank of `^`, the highest.
const POWER: u8 = 3;

/// More digits than any number here can need.
const LONGEST_NUMBER: usize = 40;
