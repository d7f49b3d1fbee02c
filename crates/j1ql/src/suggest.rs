//! Finds the known word that was probably meant.
//!
//! It compares spellings only and knows no grammar.

/// The nearest of `known` to `word`, in any case, or `None` where nothing is near.
///
/// A third of the longer word's letters may differ, at fewest one: swapped neighbours count as one difference.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(LONGEST + 1).flat_map(char::to_lowercase).collect();
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let letters: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
        let allowed = (word.len().max(letters.len()) / 3).clamp(1, 3);
        if word.len().abs_diff(letters.len()) > allowed {
            continue;
        }
        let distance = distance(&word, &letters);
        if distance <= allowed && best.is_none_or(|(so_far, _)| distance < so_far) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Longer words are not looked for.
const LONGEST: usize = 64;

/// How many letters must be put in, left out, changed or swapped with their neighbour.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut line = Vec::with_capacity(right.len() + 1);
        line.push(row + 1);
        for (column, b) in right.iter().enumerate() {
            let changed = last[column] + usize::from(a != b);
            let mut fewest = changed.min(last[column + 1] + 1).min(line[column] + 1);
            if row > 0 && column > 0 && left[row - 1] == *b && *a == right[column - 1] {
                fewest = fewest.min(before_last[column - 1] + 1);
            }
            line.push(fewest);
        }
        before_last = std::mem::replace(&mut last, line);
    }
    last.last().copied().unwrap_or(left.len())
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_one_letter_finds_the_keyword() {
        assert_eq!(nearest("WTIH", ["WHERE", "WITH"]), Some("WITH"));
        assert_eq!(nearest("retrun", ["RETURN", "ORDER"]), Some("RETURN"));
        assert_eq!(nearest("wher", ["WHERE", "WITH"]), Some("WHERE"));
    }

    #[test]
    fn a_word_of_its_own_finds_nothing() {
        assert_eq!(nearest("device", ["WHERE", "WITH"]), None);
        assert_eq!(nearest("", ["WITH"]), None);
        assert_eq!(nearest(&"w".repeat(1000), ["WITH"]), None);
    }
}
