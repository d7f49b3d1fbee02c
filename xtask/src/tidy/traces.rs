//! No traces of one person's machine, and no live-looking token, in any text file.
//!
//! A token in the repository is a leak even when it has expired, so the whole shape is refused.
//!
//! Invariant: a token of nothing but zeros is an example and passes.

use super::report::Report;
use super::scan::occurrences;
use super::tree::Tree;

/// Folders in which people work; without their leading slash, so that this file has no such path itself.
const HOMES: &[&str] = &["work", "root", "home"];
const TOKEN: &str = "HRKU-";

/// Looks through every text file.
pub(crate) fn check(tree: &Tree, report: &mut Report) {
    report.checked();
    for file in tree.files() {
        for (line, text) in file.lines() {
            if HOMES.iter().any(|home| has_path(text, home)) {
                report.violation(
                    &file.path,
                    line,
                    "an absolute path of one machine",
                    "write it relative to the repository",
                );
            }
            if has_token(text) {
                let remedy = "revoke it if it was ever real, and write zeros";
                report.violation(&file.path, line, "a Heroku token", remedy);
            }
        }
    }
}

/// Whether `line` has an absolute path below a top folder called `home`.
fn has_path(line: &str, home: &str) -> bool {
    let start = format!("/{home}/");
    occurrences(line, &start).any(|at| {
        let before = line[..at].chars().next_back();
        let after = line[at + start.len()..].chars().next();
        // A letter or a dot in front makes it the middle of a URL or of a relative path.
        let starts_here = !before.is_some_and(|c| c.is_alphanumeric() || "._~-})".contains(c));
        starts_here && after.is_some_and(|c| c.is_ascii_alphabetic())
    })
}

fn has_token(line: &str) -> bool {
    occurrences(line, TOKEN).any(|at| {
        let body = &line.as_bytes()[at + TOKEN.len()..];
        let hex = |part: Option<&[u8]>| part.is_some_and(|part| part.iter().all(u8::is_ascii_hexdigit));
        let uuid_like = hex(body.get(..8)) && body.get(8) == Some(&b'-') && hex(body.get(9..13));
        let mut id = body.iter().take_while(|byte| byte.is_ascii_hexdigit() || **byte == b'-');
        uuid_like && id.any(|byte| !matches!(byte, b'0' | b'-'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // Put together at run time: the check reads this file, too.
    fn token(head: &str) -> String {
        format!("{TOKEN}{head}-0000-4000-8000-000000000000")
    }

    #[test]
    fn only_absolute_paths_are_found() {
        let path = ["/ho", "me/ann/code"].concat();
        assert!(has_path(&format!("see {path}"), "home") && has_path(&format!("\"{path}\""), "home"));
        assert!(!has_path(&format!("https://example.com{path}"), "home"));
        assert!(!has_path(&format!("..{path}"), "home"));
        assert!(!has_path(&["/ho", "me/<you>"].concat(), "home"));
    }

    #[test]
    fn tokens_of_zeros_are_examples() {
        assert!(has_token(&token("0a1b2c3d")));
        assert!(!has_token(&token("00000000").replace(['4', '8'], "0")));
        assert!(!has_token(&format!("{TOKEN}…")));
    }
}
