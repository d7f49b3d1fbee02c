//! From letters to tokens, each with its byte.

/// What is wrong, and at which byte.
pub(super) type Fault = (usize, String);

/// The most tokens of one expression.
const MOST_TOKENS: usize = 2_000;

/// Marks, longer ones first.
const MARKS: [&str; 27] = [
    "==", "!=", ">=", "<=", "&&", "||", "//", ">", "<", "+", "-", "*", "/", "%", "^", "!", "?", ":", ".",
    ",", "|", "(", ")", "[", "]", "{", "}",
];

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Mark(&'static str),
    Name(Box<str>),
    Text(Box<str>),
    Number(f64),
}

/// A token and its byte.
pub(super) type Placed = (Token, usize);

/// The tokens from a byte up to `}}`, and at which byte that stands.
pub(super) fn tokens(text: &str, start: usize) -> Result<(Vec<Placed>, usize), Fault> {
    let mut tokens = Vec::new();
    let mut at = start;
    let mut open = 0_usize;
    loop {
        at = skipped(text, at);
        let rest = text.get(at..).unwrap_or_default();
        if open == 0 && rest.starts_with("}}") {
            return Ok((tokens, at));
        }
        if rest.is_empty() {
            return Err((start.saturating_sub(2), "`{{` has no closing `}}`".into()));
        }
        let (token, length) = token(rest).map_err(|why| (at, why))?;
        match token {
            Token::Mark("{") => open += 1,
            Token::Mark("}") => {
                open =
                    open.checked_sub(1).ok_or_else(|| (at, "one `}` is missing to close `{{`".to_owned()))?;
            }
            _ => {}
        }
        push(&mut tokens, (token, at))?;
        at += length;
    }
}

/// The tokens of a text that is one expression.
pub(super) fn alone(text: &str) -> Result<Vec<Placed>, Fault> {
    let mut tokens = Vec::new();
    let mut at = skipped(text, 0);
    while at < text.len() {
        let (token, length) = token(text.get(at..).unwrap_or_default()).map_err(|why| (at, why))?;
        push(&mut tokens, (token, at))?;
        at = skipped(text, at + length);
    }
    Ok(tokens)
}

fn push(tokens: &mut Vec<Placed>, token: Placed) -> Result<(), Fault> {
    if tokens.len() == MOST_TOKENS {
        return Err((token.1, format!("the expression has more than {MOST_TOKENS} parts")));
    }
    tokens.push(token);
    Ok(())
}

fn skipped(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + (rest.len() - rest.trim_start().len())
}

/// The token that a text begins with, and its bytes.
fn token(rest: &str) -> Result<(Token, usize), String> {
    let first = rest.chars().next().unwrap_or_default();
    if matches!(first, '\'' | '"') {
        return quoted(rest, first);
    }
    if first.is_ascii_digit() {
        let end = number_end(rest);
        let digits = rest.get(..end).unwrap_or_default();
        let number: f64 = digits.parse().map_err(|_| format!("`{digits}` is no number"))?;
        return Ok((Token::Number(number), end));
    }
    if is_name(first) && !first.is_ascii_digit() {
        let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
        return Ok((Token::Name(rest.get(..end).unwrap_or_default().into()), end));
    }
    match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
        Some(mark) => Ok((Token::Mark(mark), mark.len())),
        None => Err(format!("`{}` has no meaning here", first.escape_debug())),
    }
}

pub(super) fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '$')
}

/// Digits, and a fraction if a digit begins it.
fn number_end(rest: &str) -> usize {
    let digits = |from: &str| from.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(from.len());
    let whole = digits(rest);
    let fraction = rest.get(whole..).and_then(|rest| rest.strip_prefix('.')).map_or(0, digits);
    if fraction == 0 { whole } else { whole + 1 + fraction }
}

/// A text up to its closing quote; `\n`, `\t`, and `\` before a quote or itself.
fn quoted(rest: &str, quote: char) -> Result<(Token, usize), String> {
    let mut text = String::new();
    let mut escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        if escaped {
            match letter {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                '\\' | '\'' | '"' => text.push(letter),
                other => text.extend(['\\', other]),
            }
            escaped = false;
        } else if letter == '\\' {
            escaped = true;
        } else if letter == quote {
            return Ok((Token::Text(text.into()), at + 1));
        } else {
            text.push(letter);
        }
    }
    Err(format!("the text that begins here has no closing {quote}"))
}
