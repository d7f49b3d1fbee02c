//! What stands between and behind: operators, value lists, regular expressions, subqueries.

use super::cursor::{Parsed, Parser};
use super::expr::Tall;
use crate::ast::{Operator, Right};
use crate::span::Spanned;
use crate::token::Kind;

/// The right side of a comparison while it is read.
enum Side {
    /// A value, with which arithmetic may go on.
    Value(Tall),
    /// Anything else.
    Other(Right),
}

impl Side {
    fn done(self) -> Right {
        match self {
            Self::Value(value) => Right::Expr(value.expr),
            Self::Other(right) => right,
        }
    }
}

impl Parser<'_> {
    /// A comparison's operator, if one comes. One of another language is noted and taken for ours.
    pub(super) fn operator(&mut self) -> Parsed<Option<Spanned<Operator>>> {
        let start = self.span();
        let Kind::Mark(mark) = *self.kind() else { return self.worded_operator() };
        let (operator, foreign) = match mark {
            "=" => (Operator::Equal, None),
            "!=" | "≠" => (Operator::NotEqual, None),
            ">" if self.is_mark_at(1, "=") => (Operator::GreaterOrEqual, None),
            "<" if self.is_mark_at(1, "=") => (Operator::LessOrEqual, None),
            ">" => (Operator::Greater, None),
            "<" => (Operator::Less, None),
            ">=" | "≥" => (Operator::GreaterOrEqual, None),
            "<=" | "≤" => (Operator::LessOrEqual, None),
            "~=" => (Operator::Contains, None),
            "^=" => (Operator::StartsWith, None),
            "$=" => (Operator::EndsWith, None),
            "!~=" => (Operator::NotContains, None),
            "!^=" => (Operator::NotStartsWith, None),
            "!$=" => (Operator::NotEndsWith, None),
            "==" | "===" => (Operator::Equal, Some("=")),
            "<>" | "!==" => (Operator::NotEqual, Some("!=")),
            "=>" => (Operator::GreaterOrEqual, Some(">=")),
            "=<" => (Operator::LessOrEqual, Some("<=")),
            "=~" | "~" => (Operator::Contains, Some("~=")),
            "!~" => (Operator::NotContains, Some("!~=")),
            "!" => match self.kind_at(1) {
                Kind::Mark("=") => (Operator::NotEqual, None),
                Kind::Mark("~=") => (Operator::NotContains, None),
                Kind::Mark("^=") => (Operator::NotStartsWith, None),
                Kind::Mark("$=") => (Operator::NotEndsWith, None),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.advance();
        // Blanks inside an operator.
        if matches!(mark, "!") || (matches!(mark, ">" | "<") && self.is_mark("=")) {
            self.advance();
        }
        if let Some(meant) = foreign {
            let reason = format!("{mark} is no operator of J1QL");
            self.note(start, Some(reason), Some(format!("did you mean {meant}?")));
        }
        Ok(Some(Spanned::new(operator, start)))
    }

    /// LIKE, IN, IS and the like, which J1QL spells otherwise.
    fn worded_operator(&mut self) -> Parsed<Option<Spanned<Operator>>> {
        let not = usize::from(self.is_word("NOT"));
        let Some(word) = self.word_at(not) else { return Ok(None) };
        let meant = match word.to_ascii_uppercase().as_str() {
            "LIKE" | "ILIKE" | "CONTAINS" | "MATCHES" if not == 0 => "~=",
            "LIKE" | "ILIKE" | "CONTAINS" | "MATCHES" => "!~=",
            "STARTSWITH" | "STARTS" => "^=",
            "ENDSWITH" | "ENDS" => "$=",
            "IN" if not == 0 => "= ('a' OR 'b')",
            "IN" => "!= ('a' OR 'b')",
            "EXISTS" => "!= undefined",
            "IS" if self.is_word_at(1, "NOT") => "!=",
            "IS" | "EQUALS" | "EQ" => "=",
            _ => return Ok(None),
        };
        let reason = format!("{} is no operator of J1QL", word.to_uppercase());
        Err(self.unexpected(reason, Some(&format!("did you mean {meant}?"))))
    }

    /// What the operator compares with.
    pub(super) fn right(&mut self) -> Parsed<Right> {
        self.side().map(Side::done)
    }

    fn side(&mut self) -> Parsed<Side> {
        if let Kind::Regex(regex) = self.kind() {
            let regex = regex.clone();
            return Ok(Side::Other(Right::Regex(Spanned::new(regex, self.advance()))));
        }
        if !self.is_mark("(") {
            return self.expr().map(Side::Value);
        }
        let open = self.advance();
        self.enter()?;
        let inside = if self.is_word("FIND") {
            Side::Other(Right::Query(Box::new(self.query(false)?)))
        } else {
            self.any_value()?
        };
        let close = self.close(open, Some("values are separated by OR or AND, as in ('a' OR 'b')"))?;
        self.leave();
        match inside {
            Side::Value(mut value) => {
                value.expr.span = open.to(close);
                self.expr_from(value).map(Side::Value)
            }
            other @ Side::Other(_) => Ok(other),
        }
    }

    fn any_value(&mut self) -> Parsed<Side> {
        let first = self.all_values()?;
        let mut values = Vec::new();
        while self.eat_joint("OR", "||") {
            values.push(self.all_values()?.done());
        }
        if values.is_empty() {
            return Ok(first);
        }
        values.insert(0, first.done());
        Ok(Side::Other(Right::AnyOf(values)))
    }

    fn all_values(&mut self) -> Parsed<Side> {
        let first = self.side()?;
        let mut values = Vec::new();
        while self.eat_joint("AND", "&&") {
            values.push(self.side()?.done());
        }
        if values.is_empty() {
            return Ok(first);
        }
        values.insert(0, first.done());
        Ok(Side::Other(Right::AllOf(values)))
    }
}
