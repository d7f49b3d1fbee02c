//! Cuts a text into tokens, in one pass from left to right.
//!
//! It reports what cannot be cut and stops at what is never closed; it judges no grammar.

use super::{Kind, Manner, Scanned, Token};
use crate::span::Span;

/// The marks that begin with a character, longer ones first, with those of other languages, so that the parser can name
/// what was meant.
const fn marks(first: char) -> &'static [&'static str] {
    match first {
        '=' => &["===", "==", "=~", "=>", "=<", "="],
        '!' => &["!==", "!~=", "!^=", "!$=", "!=", "!~", "!"],
        '<' => &["<=>", "<=", "<<", "<>", "<-", "<"],
        '>' => &[">=", ">>", ">"],
        '~' => &["~=", "~"],
        '^' => &["^=", "^"],
        '$' => &["$="],
        '&' => &["&&"],
        '|' => &["||", "|"],
        '-' => &["->", "-"],
        '≠' => &["≠"],
        '≥' => &["≥"],
        '≤' => &["≤"],
        '–' => &["–"],
        '(' => &["("],
        ')' => &[")"],
        ',' => &[","],
        '.' => &["."],
        '+' => &["+"],
        '*' => &["*"],
        '/' => &["/"],
        '?' => &["?"],
        '#' => &["#"],
        ';' => &[";"],
        _ => &[],
    }
}

/// Cuts `text` into tokens.
pub(crate) fn scan(text: &str, manner: Manner) -> Scanned {
    let mut scanner =
        Scanner { text, at: 0, template: manner == Manner::Template, tokens: Vec::new(), slips: Vec::new() };
    let unclosed = scanner.all().err();
    let end = scanner.text.len();
    scanner.tokens.push(Token { kind: Kind::End, span: Span::new(end, end) });
    Scanned { tokens: scanner.tokens, unclosed, slips: scanner.slips }
}

/// What was opened and never closed.
pub(super) type Unclosed = (Span, String);

/// A text and how far it was read.
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) slips: Vec<(Span, String)>,
    template: bool,
    tokens: Vec<Token>,
}

impl<'a> Scanner<'a> {
    fn all(&mut self) -> Result<(), Unclosed> {
        loop {
            self.blanks()?;
            let start = self.at;
            let Some(first) = self.peek() else { return Ok(()) };
            let kind = self.token(first)?;
            self.tokens.push(Token { kind, span: Span::new(start, self.at) });
        }
    }

    fn token(&mut self, first: char) -> Result<Kind, Unclosed> {
        if let Some(kind) = self.placeholder()? {
            return Ok(self.grown(kind));
        }
        Ok(match first {
            '\'' | '"' | '“' | '”' | '„' | '‘' | '’' | '‚' => Kind::Text(self.quoted(first)?),
            '[' => Kind::Bracket(self.bracketed()?),
            '/' if self.expects_value() => Kind::Regex(self.regex()?),
            '0'..='9' if self.behind_dot() => self.word(),
            '0'..='9' => self.number(),
            _ if begins_word(first) => match self.date() {
                Some(date) => date,
                None => self.word(),
            },
            _ => self.mark(first),
        })
    }

    /// Passes over blanks and comments.
    fn blanks(&mut self) -> Result<(), Unclosed> {
        loop {
            let rest = self.rest();
            let blank = rest.find(|c: char| !is_blank(c)).unwrap_or(rest.len());
            self.at += blank;
            if self.rest().starts_with("/*") {
                let start = self.at;
                let Some(length) = self.rest().get(2..).and_then(|rest| rest.find("*/")) else {
                    return Err((
                        Span::new(start, start + 2),
                        "the comment that begins here has no closing `*/`".into(),
                    ));
                };
                self.at += length + 4;
            } else if self.begins_line_comment() {
                let rest = self.rest();
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if blank == 0 {
                return Ok(());
            }
        }
    }

    /// `//`, or `#` with a blank behind it: smart classes have none there.
    fn begins_line_comment(&self) -> bool {
        let rest = self.rest();
        (rest.starts_with("//") && !self.expects_value())
            || rest.strip_prefix('#').is_some_and(|behind| behind.is_empty() || behind.starts_with(is_blank))
    }

    fn word(&mut self) -> Kind {
        self.at += usize::from(self.peek() == Some('@'));
        loop {
            let rest = self.rest();
            self.at += rest.find(|c: char| !continues_word(c)).unwrap_or(rest.len());
            if !(self.template && matches!(self.placeholder(), Ok(Some(_)))) {
                return Kind::Word;
            }
        }
    }

    /// In a template `{{a}}_b` is one name.
    fn grown(&mut self, kind: Kind) -> Kind {
        let goes_on = self.rest().starts_with("{{") || self.peek().is_some_and(continues_word);
        if self.template && goes_on { self.word() } else { kind }
    }

    fn number(&mut self) -> Kind {
        self.digits();
        let mut behind = self.rest().chars();
        if behind.next() == Some('.') && behind.next().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            self.digits();
        }
        Kind::Number
    }

    fn digits(&mut self) {
        let rest = self.rest();
        self.at += rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    }

    fn mark(&mut self, first: char) -> Kind {
        let rest = self.rest();
        if let Some(mark) = marks(first).iter().find(|mark| rest.starts_with(**mark)) {
            self.at += mark.len();
            return Kind::Mark(mark);
        }
        self.at += first.len_utf8();
        Kind::Strange
    }

    /// Whether a value is expected here, so that a `/` begins a regular expression.
    fn expects_value(&self) -> bool {
        let Some(last) = self.tokens.last() else { return false };
        match last.kind {
            Kind::Mark(mark) => {
                mark == "(" || mark.contains(['=', '~', '≠', '≥', '≤']) || matches!(mark, ">" | "<" | "<>")
            }
            Kind::Word => {
                let word = self.text.get(last.span.start..last.span.end).unwrap_or_default();
                word.eq_ignore_ascii_case("OR") || word.eq_ignore_ascii_case("AND")
            }
            _ => false,
        }
    }

    pub(super) fn behind_dot(&self) -> bool {
        self.tokens.last().is_some_and(|last| last.kind == Kind::Mark(".") && last.span.end == self.at)
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }
}

/// Blanks of every script, and the invisible characters that copying leaves behind.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}' | '\u{feff}')
}

fn begins_word(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '@'
}

fn continues_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether `word` could stand in a query as a name without brackets.
pub(crate) fn is_plain_name(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(begins_word) && letters.all(continues_word)
}
