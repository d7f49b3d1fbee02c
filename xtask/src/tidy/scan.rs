//! Small searches in a line of text that several checks share.
//!
//! No regular expressions: a pattern engine would be the largest dependency of this program.
//!
//! Invariant: positions are byte offsets at character boundaries.

/// Every byte offset at which `needle` begins.
pub(crate) fn occurrences<'a>(line: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    line.match_indices(needle).map(|(at, _)| at)
}

/// Whether `word` stands in `line` and is not a part of a longer identifier.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    occurrences(line, word).any(|at| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(is_identifier) && !after.is_some_and(is_identifier)
    })
}

fn is_identifier(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_not_found_inside_a_longer_one() {
        assert!(has_word("x = dbg!(y)", "dbg"));
        assert!(!has_word("x = my_dbg!(y)", "dbg"));
    }
}
