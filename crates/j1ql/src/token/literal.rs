//! Quoted texts, bracketed names, regular expressions, dates and placeholders: tokens with something inside.
//!
//! What a date or a regular expression means is not looked at.

use super::Kind;
use super::scan::{Scanner, Unclosed, is_blank};
use crate::ast::Regex;
use crate::span::Span;

impl Scanner<'_> {
    /// A text up to its closing quote; `\` keeps a quote or itself from its meaning, and a doubled quote is one.
    pub(super) fn quoted(&mut self, open: char) -> Result<String, Unclosed> {
        let start = self.at;
        self.at += open.len_utf8();
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            let next = self.peek();
            if c == '\\'
                && next.is_some_and(|next| next == '\\' || closes(open, next) || matches!(next, '"' | '\''))
            {
                text.extend(next);
                self.at += 1.max(next.map_or(1, char::len_utf8));
            } else if closes(open, c) {
                // Curly quotes are never doubled: they differ at both ends.
                if next != Some(c) || c != open || !c.is_ascii() {
                    return Ok(text);
                }
                text.push(c);
                self.at += 1;
            } else {
                text.push(c);
            }
        }
        let reason = format!(
            "the text that this quote opens has no closing {open}; an earlier quote may lack its partner, too"
        );
        Err((Span::new(start, start + open.len_utf8()), reason))
    }

    /// `[any name]`.
    pub(super) fn bracketed(&mut self) -> Result<String, Unclosed> {
        let start = self.at;
        let inside = self.rest().get(1..).unwrap_or_default();
        match inside.find([']', '\n']) {
            Some(length) if inside[length..].starts_with(']') => {
                self.at += length + 2;
                let name = inside[..length].to_owned();
                if name.is_empty() {
                    self.slips
                        .push((Span::new(start, self.at), "the brackets hold no property's name".into()));
                }
                Ok(name)
            }
            _ => Err((Span::new(start, start + 1), "the bracket that opens here has no closing `]`".into())),
        }
    }

    /// `/pattern/flags`; a slash inside `[…]` or behind `\` does not end it.
    pub(super) fn regex(&mut self) -> Result<Regex, Unclosed> {
        let start = self.at;
        self.at += 1;
        let (mut escaped, mut class) = (false, false);
        loop {
            match self.peek() {
                None | Some('\n') => {
                    let reason = "the regular expression that begins here has no closing `/`";
                    return Err((Span::new(start, start + 1), reason.into()));
                }
                Some(c) => {
                    self.at += c.len_utf8();
                    match c {
                        _ if escaped => escaped = false,
                        '\\' => escaped = true,
                        '[' => class = true,
                        ']' => class = false,
                        '/' if !class => break,
                        _ => {}
                    }
                }
            }
        }
        let pattern = self.text.get(start + 1..self.at - 1).unwrap_or_default().to_owned();
        let flags_at = self.at;
        let rest = self.rest();
        self.at += rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let flags = self.text.get(flags_at..self.at).unwrap_or_default();
        if pattern.is_empty() {
            self.slips.push((Span::new(start, self.at), "the regular expression is empty".into()));
        }
        if !matches!(flags, "" | "i") {
            let reason = "the only flag of a regular expression is `i`: upper and lower case are the same";
            self.slips.push((Span::new(flags_at, self.at), reason.into()));
        }
        Ok(Regex { pattern, ignore_case: flags.contains('i') })
    }

    /// `date(2024-01-31)`, where the parentheses hold something that begins as a date does.
    pub(super) fn date(&mut self) -> Option<Kind> {
        let rest = self.rest();
        if self.behind_dot() || !rest.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("date")) {
            return None;
        }
        let behind = rest.get(4..)?.trim_start_matches(is_blank);
        let inside = behind.strip_prefix('(')?;
        let begins = inside.trim_start_matches(is_blank).chars().next()?;
        if !(begins.is_ascii_digit() || matches!(begins, '"' | '\'' | '{' | '$')) {
            return None;
        }
        // A date is short: what is longer is left to the parser, which names what it does not expect.
        let close = inside.bytes().take(100).position(|byte| byte == b')')?;
        let content = inside.get(..close)?;
        self.at += rest.len() - inside.len() + close + 1;
        let bare = content.trim_matches(is_blank);
        let unquoted = ['"', '\'']
            .into_iter()
            .find_map(|quote| bare.strip_prefix(quote)?.strip_suffix(quote))
            .unwrap_or(bare)
            .trim_matches(is_blank);
        Some(Kind::Date(unquoted.to_owned()))
    }

    /// `{{name}}` or `${name}`.
    pub(super) fn placeholder(&mut self) -> Result<Option<Kind>, Unclosed> {
        let rest = self.rest();
        let (open, close) = match () {
            () if rest.starts_with("{{") => ("{{", "}}"),
            () if rest.starts_with("${") => ("${", "}"),
            () => return Ok(None),
        };
        let start = self.at;
        let inside = rest.get(open.len()..).unwrap_or_default();
        let length = inside.find(close).filter(|length| !inside[..*length].contains(['\n', '{']));
        let Some(length) = length else {
            let reason = format!("the placeholder that begins here has no closing `{close}`");
            return Err((Span::new(start, start + open.len()), reason));
        };
        self.at += open.len() + length + close.len();
        let name = inside[..length].trim_matches(is_blank).to_owned();
        if name.is_empty() {
            self.slips.push((Span::new(start, self.at), "the placeholder has no name".into()));
        }
        Ok(Some(if open == "{{" { Kind::Placeholder(name) } else { Kind::Parameter(name) }))
    }
}

/// Whether `c` ends a text that `open` began: typographic quotes end at either of their partners.
fn closes(open: char, c: char) -> bool {
    match open {
        '“' | '”' | '„' => matches!(c, '“' | '”'),
        '‘' | '’' | '‚' => matches!(c, '‘' | '’'),
        straight => straight == c,
    }
}
