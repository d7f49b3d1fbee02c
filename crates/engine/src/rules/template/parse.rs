//! From tokens to the tree: operators by how tightly they bind.
//!
//! Invariant: no tree is deeper than [`MOST_DEPTH`], so that walking one never exhausts a thread's stack.

use serde_json::Value as Json;

use super::expr::{Expr, MOST_DEPTH, Operator};
use super::lex::{Fault, Placed, Token};
use super::pipe::Pipe;
use super::value::from_number;

/// An expression and its depth.
type Node = (Expr, usize);
type Parsed = Result<Node, Fault>;

/// Reads one expression out of all the tokens; `end` is the byte behind them.
pub(super) fn expression(tokens: &[Placed], end: usize) -> Result<Expr, Fault> {
    let mut parser = Parser { tokens, at: 0, end, nested: 0, relative: Vec::new() };
    if tokens.is_empty() {
        return Err((end, "there is no expression here".into()));
    }
    let (expr, _) = parser.whole()?;
    match parser.tokens.get(parser.at) {
        None => Ok(expr),
        Some(_) => Err(parser.fault("the expression should end here")),
    }
}

struct Parser<'t> {
    tokens: &'t [Placed],
    at: usize,
    end: usize,
    nested: usize,
    /// For each bracket that is open: whether a `.name` of an element stands in it.
    relative: Vec<bool>,
}

impl Parser<'_> {
    fn fault(&self, why: impl Into<String>) -> Fault {
        (self.tokens.get(self.at).map_or(self.end, |(_, at)| *at), why.into())
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn eat(&mut self, mark: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Mark(known)) if *known == mark);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, mark: &str) -> Result<(), Fault> {
        if self.eat(mark) { Ok(()) } else { Err(self.fault(format!("`{mark}` is missing here"))) }
    }

    fn made(&self, expr: Expr, below: usize) -> Parsed {
        if below >= MOST_DEPTH {
            return Err(self.fault(format!("the expression is nested deeper than {MOST_DEPTH}")));
        }
        Ok((expr, below + 1))
    }

    /// `a ? b : c`, or anything that binds tighter.
    fn whole(&mut self) -> Parsed {
        self.nested += 1;
        if self.nested > MOST_DEPTH {
            return Err(self.fault(format!("the expression is nested deeper than {MOST_DEPTH}")));
        }
        let (condition, depth) = self.binary(0)?;
        let node = if !self.eat("?") {
            (condition, depth)
        } else if self.eat(":") {
            let (otherwise, other) = self.whole()?;
            self.made(Expr::Choice(condition.into(), None, otherwise.into()), depth.max(other))?
        } else {
            let (then, one) = self.whole()?;
            self.expect(":")?;
            let (otherwise, other) = self.whole()?;
            let choice = Expr::Choice(condition.into(), Some(then.into()), otherwise.into());
            self.made(choice, depth.max(one).max(other))?
        };
        self.nested -= 1;
        Ok(node)
    }

    fn binary(&mut self, least: u8) -> Parsed {
        let (mut left, mut depth) = self.unary()?;
        while let Some(operator) = self.operator().filter(|operator| operator.binds() > least) {
            self.at += 1;
            let (right, other) = self.binary(operator.binds())?;
            (left, depth) = self.made(Expr::Binary(operator, left.into(), right.into()), depth.max(other))?;
        }
        Ok((left, depth))
    }

    fn operator(&self) -> Option<Operator> {
        let word = match self.peek()? {
            Token::Mark(mark) => mark,
            Token::Name(name) => &**name,
            Token::Text(_) | Token::Number(_) => return None,
        };
        Operator::ALL.into_iter().find(|operator| operator.as_str() == word)
    }

    fn unary(&mut self) -> Parsed {
        self.nested += 1;
        if self.nested > MOST_DEPTH {
            return Err(self.fault(format!("the expression is nested deeper than {MOST_DEPTH}")));
        }
        let node = if self.eat("!") {
            let (value, depth) = self.unary()?;
            self.made(Expr::Not(value.into()), depth)?
        } else if self.eat("-") {
            let (value, depth) = self.unary()?;
            self.made(Expr::Negative(value.into()), depth)?
        } else {
            let first = self.primary()?;
            self.followed(first)?
        };
        self.nested -= 1;
        Ok(node)
    }

    fn primary(&mut self) -> Parsed {
        let Some(token) = self.peek().cloned() else {
            return Err(self.fault("a value is missing here"));
        };
        let expr = match token {
            Token::Number(number) => Expr::Literal(from_number(number)),
            Token::Text(text) => Expr::Literal(Json::String(text.into())),
            Token::Name(name) if &*name == "in" => return Err(self.fault("a value is missing before `in`")),
            Token::Name(name) => match &*name {
                "true" => Expr::Literal(true.into()),
                "false" => Expr::Literal(false.into()),
                _ => Expr::Name(name),
            },
            Token::Mark(mark) => return self.opened(mark),
        };
        self.at += 1;
        self.made(expr, 0)
    }

    /// What begins with a mark.
    fn opened(&mut self, mark: &str) -> Parsed {
        match mark {
            "(" => {
                self.at += 1;
                let inside = self.whole()?;
                self.expect(")")?;
                Ok(inside)
            }
            "[" => {
                self.at += 1;
                let (items, depth) = self.values("]")?;
                self.made(Expr::List(items), depth)
            }
            "{" => {
                self.at += 1;
                self.object()
            }
            "." => {
                let Some(relative) = self.relative.last_mut() else {
                    return Err(self.fault("`.name` stands only in brackets, as in `list[.name == 1]`"));
                };
                *relative = true;
                self.at += 1;
                let name = self.name()?;
                self.made(Expr::Relative(name), 0)
            }
            other => Err(self.fault(format!("a value is missing before `{other}`"))),
        }
    }

    fn object(&mut self) -> Parsed {
        let (mut members, mut depth) = (Vec::new(), 0);
        while !self.eat("}") {
            if !members.is_empty() {
                self.expect(",")?;
            }
            let name = match self.peek() {
                Some(Token::Text(text) | Token::Name(text)) => text.clone(),
                _ => return Err(self.fault("a member's name is missing here")),
            };
            self.at += 1;
            self.expect(":")?;
            let (value, below) = self.whole()?;
            depth = depth.max(below);
            members.push((name, value));
        }
        self.made(Expr::Object(members), depth)
    }

    /// Values with commas between them, up to a mark.
    fn values(&mut self, close: &str) -> Result<(Vec<Expr>, usize), Fault> {
        let (mut values, mut depth) = (Vec::new(), 0);
        while !self.eat(close) {
            if !values.is_empty() {
                self.expect(",")?;
            }
            let (value, below) = self.whole()?;
            depth = depth.max(below);
            values.push(value);
        }
        Ok((values, depth))
    }

    fn name(&mut self) -> Result<Box<str>, Fault> {
        let Some(Token::Name(name)) = self.peek().cloned() else {
            return Err(self.fault("a name is missing here"));
        };
        self.at += 1;
        Ok(name)
    }

    /// Members, brackets and pipes behind a value.
    fn followed(&mut self, (mut expr, mut depth): Node) -> Parsed {
        loop {
            (expr, depth) = if self.eat(".") {
                let name = self.name()?;
                self.made(Expr::Member(expr.into(), name), depth)?
            } else if self.eat("[") {
                self.relative.push(false);
                let (inside, below) = self.whole()?;
                let relative = self.relative.pop().unwrap_or_default();
                self.expect("]")?;
                let made = if relative { Expr::Filter } else { Expr::Index };
                self.made(made(expr.into(), inside.into()), depth.max(below))?
            } else if self.eat("|") {
                self.pipe(expr, depth)?
            } else {
                return Ok((expr, depth));
            };
        }
    }

    fn pipe(&mut self, expr: Expr, depth: usize) -> Parsed {
        let start = self.at;
        let name = self.name()?;
        let Some(pipe) = Pipe::ALL.into_iter().find(|pipe| pipe.as_str() == &*name) else {
            self.at = start;
            let known = Pipe::ALL.map(Pipe::as_str).join(", ");
            return Err(self.fault(format!("there is no pipe `{name}`; there are {known}")));
        };
        let (given, below) = if self.eat("(") { self.values(")")? } else { (Vec::new(), 0) };
        let (few, many) = pipe.takes();
        if given.len() < few || given.len() > many {
            self.at = start;
            return Err(self.fault(format!("`{name}` takes {few} to {many} values, not {}", given.len())));
        }
        self.made(Expr::Pipe(expr.into(), pipe, given), depth.max(below))
    }
}
