//! What is said of tokens that nothing can be done with, and what was probably meant.

use super::cursor::{Failed, Parser};
use super::property::FUNCTIONS;
use crate::ast::{Expr, ExprKind};
use crate::span::Span;
use crate::suggest::nearest;
use crate::token::Kind;

/// The words that begin a part of a query.
const KEYWORDS: [&str; 11] =
    ["WITH", "THAT", "WHERE", "RETURN", "HAVING", "ORDER BY", "SKIP", "LIMIT", "AS", "AND", "OR"];

impl Parser<'_> {
    /// Something stands where only a further part of the query can.
    pub(super) fn unexpected_clause(&mut self) -> Failed {
        let word = self.word_at(0).unwrap_or_default();
        let next_is_by = self.is_word_at(1, "BY");
        let (reason, meant): (&str, Option<String>) = match word.to_ascii_uppercase().as_str() {
            "GROUP" if next_is_by => (
                "J1QL has no GROUP BY",
                Some("leave it out: rows are grouped by the columns that are no aggregates".into()),
            ),
            "ORDER" | "SORT" => ("rows are ordered with ORDER BY", Some("did you mean ORDER BY?".into())),
            "OFFSET" => ("rows are passed over with SKIP", Some("did you mean SKIP?".into())),
            "TOP" | "FIRST" => {
                ("the number of rows is limited with LIMIT", Some("did you mean LIMIT?".into()))
            }
            "SELECT" => ("what to give back stands behind RETURN", Some("did you mean RETURN?".into())),
            "WHO" | "WHICH" | "WHOSE" => ("a step begins with THAT", Some("did you mean THAT?".into())),
            "JOIN" | "UNION" => ("J1QL follows relationships with THAT", None),
            "FIND" => {
                self.give_up();
                ("one query was complete here, and another begins", None)
            }
            "THAT" => ("THAT stands before RETURN, ORDER BY, SKIP and LIMIT", None),
            "WITH" => (
                "WITH belongs to an entity; behind the steps stands WHERE",
                Some("did you mean WHERE?".into()),
            ),
            "AND" | "OR" if self.is_word_at(1, "THAT") => {
                ("steps are not joined by a word", Some("leave the word before THAT out".into()))
            }
            "AND" | "OR" => ("there is no condition before it", Some("did you mean WHERE?".into())),
            "AS" => ("a name cannot stand here", None),
            "" => return self.unexpected_mark(),
            _ => return self.unexpected_word(word),
        };
        self.unexpected(reason, meant.as_deref())
    }

    fn unexpected_word(&mut self, word: &str) -> Failed {
        let compared = match self.kind_at(1) {
            Kind::Mark(mark) => {
                matches!(*mark, "=" | "!=" | ">" | "<" | ">=" | "<=" | "~=" | "^=" | "$=" | ".")
            }
            _ => false,
        };
        let entity_follows = match self.kind_at(1) {
            Kind::Word => !self.ends_selector(1),
            Kind::Mark(mark) => matches!(*mark, "*" | "(" | ">>" | "<<"),
            _ => false,
        };
        let verb = entity_follows && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let meant = match nearest(word, KEYWORDS) {
            Some(keyword) if !verb || word.len() > 3 => Some(format!("did you mean {keyword}?")),
            _ if verb => Some(format!("a step begins with THAT, as in THAT {word}")),
            None if compared => Some(format!("join conditions with AND or OR, as in … AND {word}")),
            None if *self.kind_at(1) == Kind::End || self.ends_selector(1) => {
                Some(format!("a name is given with AS, as in AS {word}"))
            }
            _ => None,
        };
        self.unexpected("the query cannot go on with this", meant.as_deref())
    }

    fn unexpected_mark(&mut self) -> Failed {
        let (reason, meant) = match self.kind() {
            Kind::Mark(")") => ("no parenthesis is open that it could close", None),
            Kind::Mark("(") => {
                ("no parenthesis can stand here", Some("a part that may be left out is (THAT …)?"))
            }
            Kind::Mark(",") => ("only columns and sort keys are separated by commas", None),
            Kind::Mark("?") => ("a part that may be left out stands in parentheses", Some("(THAT …)?")),
            Kind::Mark("|") => ("alternatives stand in parentheses", Some("as in (User|Person)")),
            Kind::Mark("=" | "!=" | "==" | "~=") => ("a condition begins with WITH or WHERE", None),
            Kind::Placeholder(_) | Kind::Parameter(_) => ("the placeholder was not replaced", None),
            Kind::Text(_) => ("a text stands in conditions and after FIND", None),
            _ => ("the query cannot go on with this", None),
        };
        self.unexpected(reason, meant)
    }

    /// There is nothing to find.
    pub(super) fn missing_entity(&mut self) -> Failed {
        if self.is_mark("?") {
            let meant = "put parentheses around the whole step, as in (THAT IS Person)?";
            return self.unexpected("a verb cannot be left out", Some(meant));
        }
        if self.slice(self.span()) == "{" {
            return self.unexpected("a placeholder is written {{name}}", None);
        }
        if self.at > 0 && self.is_mark("=") {
            return self.unexpected(
                "the name of a property is compared in WITH",
                Some("put WITH before the property"),
            );
        }
        self.unexpected(
            "here stands what to find: a class such as User, a type such as heroku_team, `*` for anything, or a text in quotes",
            None,
        )
    }

    /// A step without its verb.
    pub(super) fn missing_verb(&mut self) -> Failed {
        self.unexpected(
            "behind THAT stands a verb such as HAS",
            Some("THAT RELATES TO finds relationships of any kind"),
        )
    }

    /// There is no value where one must stand.
    pub(super) fn missing_value(&mut self) -> Failed {
        let (reason, meant) = match self.kind() {
            Kind::Mark("/") => ("a regular expression stands behind an operator", None),
            Kind::Regex(_) => ("a regular expression stands behind an operator such as =", None),
            Kind::Mark("*") => {
                ("`*` is no value", Some("RETURN TREE gives back everything; u.* all properties of u"))
            }
            Kind::Mark("=" | "==") => ("the operator is there already", None),
            Kind::End => ("a value or a property is missing", None),
            _ => ("here stands a value or a property", None),
        };
        self.unexpected(reason, meant)
    }

    /// A value stands alone where a condition must be.
    pub(super) fn missing_operator(&mut self, value: &Expr) -> Failed {
        let written = self.slice(value.span);
        let meant = match value.kind {
            ExprKind::Property(_) if !self.is_mark("(") => Some(format!("{written} = true")),
            _ => None,
        };
        let end = matches!(self.kind(), Kind::End | Kind::Mark(")" | ";")) || self.ends_selector(0);
        if end {
            return self.refuse(
                value.span,
                "a condition compares a property with something",
                meant.as_deref(),
            );
        }
        self.unexpected("here stands an operator such as =, or AND, OR", None)
    }

    /// A number that goes on with letters.
    pub(super) fn unknown_unit(&mut self, number: Span) -> Failed {
        let whole = self.slice(number.to(self.span()));
        let word = self.slice(self.span());
        let units = ["minutes", "hours", "days", "weeks", "months", "years"];
        let meant = match nearest(word, units) {
            Some(unit) => format!("did you mean {unit}?"),
            None => format!("a property of that name stands in brackets: [{whole}]"),
        };
        self.unexpected("it is no unit of time: minutes, hours, days, weeks, months or years", Some(&meant))
    }

    /// A function that does not exist; reading goes on.
    pub(super) fn unknown_function(&mut self, written: &str) {
        let meant = match written.to_ascii_lowercase().as_str() {
            "now" | "today" | "getdate" => Some("date.now"),
            "length" | "len" | "size" => Some("count"),
            "average" | "mean" => Some("avg"),
            "ifnull" | "nvl" => Some("coalesce"),
            other => nearest(other, FUNCTIONS),
        };
        let reason = format!("there is no function `{written}`; there are {}", FUNCTIONS.join(", "));
        self.note(self.span(), Some(reason), meant.map(|meant| format!("did you mean {meant}?")));
    }
}
