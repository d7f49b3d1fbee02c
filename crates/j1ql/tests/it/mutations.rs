//! Texts that were damaged by chance: none makes the parser panic or linger.

use std::time::{Duration, Instant};

use metsuke_j1ql::parse::{LONGEST, check_template, parse};
use metsuke_j1ql::render::render;
use metsuke_testkit::{Chance, seed, setting};

use crate::examples::published;
use crate::placeless::placeless;
use crate::random;

/// How many texts are tried; `METSUKE_FUZZ=50` makes it a million.
const TEXTS: usize = 20_000;

/// Pieces that have a meaning somewhere.
const PIECES: [&str; 44] = [
    "(", ")", ")?", "[", "]", "'", "\"", "“", "/", "/*", "*/", "//", "# ", "#", "!", "!=", "~=", "==", "&&",
    ">>", "<<", "|", ",", ".", ".*", "-", "^", "{{", "}}", "${", "}", "date(", "date.now", "30days",
    "AS OF 1", " AND ", " THAT ", " WITH ", " RETURN ", "FIND ", "\u{0}", "\u{200b}", "🦀", "\\",
];

fn damaged(chance: &mut Chance, texts: &[String]) -> String {
    let mut letters: Vec<char> = chance.one_of(texts).chars().collect();
    for _ in 0..=chance.below(4) {
        let at = chance.below(letters.len() + 1);
        let to = (at + chance.below(12)).min(letters.len());
        match chance.below(6) {
            0 => drop(letters.drain(at..to)),
            1 => drop(letters.splice(at..at, chance.one_of(&PIECES).chars())),
            2 => drop(letters.splice(at..to, chance.one_of(&PIECES).chars())),
            3 => letters.truncate(at),
            4 => {
                let other: Vec<char> = chance.one_of(texts).chars().collect();
                let from = chance.below(other.len() + 1);
                letters.splice(at..to, other[from..].iter().copied());
            }
            _ => {
                let piece: Vec<char> = letters[at..to].to_vec();
                letters.splice(at..at, piece);
            }
        }
    }
    letters.into_iter().collect()
}

/// Reads the text in both manners, within the time that any text may take.
fn survives(text: &str) {
    let began = Instant::now();
    let read = parse(text);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}: {text}", began.elapsed());
    let template = check_template(text);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}: {text}", began.elapsed());
    match read {
        Err(errors) => {
            for problem in errors.problems() {
                assert!(text.get(problem.span.start..problem.span.end).is_some(), "{problem:?}: {text}");
            }
            assert!(!errors.to_string().is_empty());
        }
        Ok(query) => {
            assert!(template.is_ok(), "a query is a template: {text}");
            let written = query.to_string();
            if written.len() > LONGEST {
                return;
            }
            let again =
                parse(&written).unwrap_or_else(|errors| panic!("{text}\n{}", render(&written, &errors)));
            assert_eq!(placeless(again), placeless(query), "{text}\n{written}");
        }
    }
}

#[test]
fn damaged_queries_never_panic_and_never_linger() {
    let mut texts = published();
    let mut made = Chance::new(1);
    texts.extend((0..200).map(|_| random::query(&mut made, 3).to_string()));
    let times: usize = setting("METSUKE_FUZZ", 1);
    let mut chance = Chance::new(seed("METSUKE_FUZZ_SEED"));
    let mut understood = 0;
    for at in 0..TEXTS * times {
        let text = damaged(&mut chance, &texts);
        survives(&text);
        if let (0, Err(errors)) = (at % 50, parse(&text)) {
            assert!(!render(&text, &errors).is_empty());
        }
        understood += usize::from(parse(&text).is_ok());
    }
    assert!(understood > TEXTS / 50, "only {understood} of the damaged texts were still queries");
}

#[test]
fn long_texts_of_one_piece_are_read_or_refused_at_once() {
    for piece in PIECES {
        survives(&piece.repeat(LONGEST / piece.len()));
        let begun = format!("FIND A WITH a = 1 {}", piece.repeat((LONGEST - 100) / piece.len()));
        survives(&begun);
        if let Err(errors) = parse(&begun) {
            assert!(!render(&begun, &errors).is_empty());
        }
    }
}

#[test]
fn nothing_zero_bytes_and_every_single_character_are_survived() {
    survives("");
    survives("\u{0}\u{0}");
    for letter in ('\u{0}'..='\u{2fff}').chain(['\u{feff}', '\u{1f980}', '\u{10ffff}']) {
        survives(&format!("{letter}"));
        survives(&format!("FIND A{letter}WITH a {letter} 1"));
    }
}
