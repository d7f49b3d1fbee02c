//! Where the parser is in the text, and how it reports what it did not expect.
//!
//! What is expected where stands in the other files.

use super::DEEPEST;
use crate::error::{Code, Problem};
use crate::render::line_and_column;
use crate::span::{Span, Spanned};
use crate::token::{Kind, Manner, Token, scan};

/// The most mistakes that are told of one text.
const MOST_PROBLEMS: usize = 20;

/// Something could not be read; what is wrong was noted.
#[derive(Debug)]
pub(super) struct Failed;

/// What was read, if it could be.
pub(super) type Parsed<T> = Result<T, Failed>;

/// A text, its tokens, and how far they were read.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
    pub(super) at: usize,
    pub(super) manner: Manner,
    pub(super) problems: Vec<Problem>,
    /// Something is never closed: no other mistake is worth telling.
    pub(super) unclosed: bool,
    /// How often reading went on behind a mistake.
    pub(super) recoveries: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, manner: Manner) -> Self {
        let scanned = scan(text, manner);
        let mut parser = Self {
            text,
            tokens: scanned.tokens,
            at: 0,
            manner,
            problems: Vec::new(),
            unclosed: scanned.unclosed.is_some(),
            recoveries: 0,
            depth: 0,
        };
        match scanned.unclosed {
            Some((span, reason)) => parser.note(span, Some(reason), None),
            None => {
                for (span, reason) in scanned.slips {
                    parser.note(span, Some(reason), None);
                }
            }
        }
        parser
    }

    /// The token that comes next; the end comes for ever.
    pub(super) fn kind(&self) -> &Kind {
        self.kind_at(0)
    }

    /// The token `ahead` places behind the next one.
    pub(super) fn kind_at(&self, ahead: usize) -> &Kind {
        self.tokens.get(self.at + ahead).map_or(&Kind::End, |token| &token.kind)
    }

    pub(super) fn span(&self) -> Span {
        self.span_at(0)
    }

    pub(super) fn span_at(&self, ahead: usize) -> Span {
        let end = Span::new(self.text.len(), self.text.len());
        self.tokens.get(self.at + ahead).map_or(end, |token| token.span)
    }

    /// The end of what was read last.
    pub(super) fn behind(&self) -> usize {
        self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(0, |token| token.span.end)
    }

    pub(super) fn slice(&self, span: Span) -> &'a str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    pub(super) fn advance(&mut self) -> Span {
        let span = self.span();
        if *self.kind() != Kind::End {
            self.at += 1;
        }
        span
    }

    /// The word that stands `ahead` places behind the next token, if a word stands there.
    pub(super) fn word_at(&self, ahead: usize) -> Option<&'a str> {
        matches!(self.kind_at(ahead), Kind::Word).then(|| self.slice(self.span_at(ahead)))
    }

    pub(super) fn is_word(&self, keyword: &str) -> bool {
        self.is_word_at(0, keyword)
    }

    pub(super) fn is_word_at(&self, ahead: usize, keyword: &str) -> bool {
        self.word_at(ahead).is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    }

    pub(super) fn eat_word(&mut self, keyword: &str) -> Option<Span> {
        self.is_word(keyword).then(|| self.advance())
    }

    pub(super) fn is_mark(&self, mark: &str) -> bool {
        self.is_mark_at(0, mark)
    }

    pub(super) fn is_mark_at(&self, ahead: usize, mark: &str) -> bool {
        matches!(self.kind_at(ahead), Kind::Mark(found) if *found == mark)
    }

    pub(super) fn eat(&mut self, mark: &str) -> Option<Span> {
        self.is_mark(mark).then(|| self.advance())
    }

    /// Whether the next token stands directly behind the last one.
    pub(super) fn is_glued(&self) -> bool {
        self.at > 0 && self.behind() == self.span().start
    }

    pub(super) fn is_placeholder(&self) -> bool {
        matches!(self.kind(), Kind::Placeholder(_) | Kind::Parameter(_))
    }

    pub(super) fn is_template(&self) -> bool {
        self.manner == Manner::Template
    }

    /// A name, as written. A placeholder is one in a template only.
    pub(super) fn name(&mut self) -> Option<Spanned<String>> {
        if self.is_placeholder() {
            self.refuse_open_name();
        } else if *self.kind() != Kind::Word {
            return None;
        }
        let span = self.advance();
        Some(Spanned::new(self.slice(span).to_owned(), span))
    }

    /// Notes a placeholder where a name must stand.
    fn refuse_open_name(&mut self) {
        if !self.is_template() {
            let written = self.slice(self.span());
            self.note(
                self.span(),
                Some(format!("{written} was not replaced; it may stand for a value here, not for a name")),
                None,
            );
        }
    }

    /// The parenthesis that closes the one at `open`.
    pub(super) fn close(&mut self, open: Span, suggestion: Option<&str>) -> Parsed<Span> {
        if let Some(span) = self.eat(")") {
            return Ok(span);
        }
        let (line, column) = line_and_column(self.text, open.start);
        if *self.kind() == Kind::End {
            let reason = "the parenthesis that opens here has no closing `)`";
            return Err(self.refuse(open, reason, None));
        }
        let reason = format!("the parenthesis of line {line} column {column} was to be closed here");
        Err(self.unexpected(reason, suggestion))
    }

    /// Goes one level deeper.
    pub(super) fn enter(&mut self) -> Parsed<()> {
        if self.depth >= DEEPEST {
            let reason = format!("it is nested more than {DEEPEST} levels deep");
            return Err(self.unexpected(reason, None));
        }
        self.depth += 1;
        Ok(())
    }

    /// Comes back one level.
    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Notes that the next token is wrong here.
    pub(super) fn unexpected(&mut self, explanation: impl Into<String>, suggestion: Option<&str>) -> Failed {
        self.refuse(self.span(), explanation, suggestion)
    }

    /// Notes that what stands at `span` is wrong.
    pub(super) fn refuse(
        &mut self,
        span: Span,
        explanation: impl Into<String>,
        suggestion: Option<&str>,
    ) -> Failed {
        self.note(span, Some(explanation.into()), suggestion.map(str::to_owned));
        Failed
    }

    /// Notes a mistake, after which reading may go on.
    pub(super) fn note(&mut self, span: Span, explanation: Option<String>, suggestion: Option<String>) {
        let told = self.problems.iter().any(|problem| problem.span.start == span.start);
        let silent = self.unclosed && !self.problems.is_empty();
        if told || silent || self.problems.len() >= MOST_PROBLEMS {
            return;
        }
        let (line, column) = line_and_column(self.text, span.start);
        let what = if span.start >= self.text.len() {
            "Unexpected end of query".to_owned()
        } else {
            // A message is one line, and never moves a terminal's cursor.
            let visible = |c: char| if c.is_control() { ' ' } else { c };
            let token: String = self.slice(span).chars().take(60).map(visible).collect();
            format!("Unexpected token \"{token}\"")
        };
        self.problems.push(Problem {
            span,
            message: format!("Error parsing query. {what} at line {line} column {column}."),
            explanation,
            suggestion,
            code: Code::Parser,
        });
    }
}
