//! A secret is read in few places, and each of them is listed here.
//!
//! The type of a secret already keeps it out of logs and answers; this keeps the reading in sight.
//!
//! Invariant: product code outside the list never reads a secret.

use super::report::Report;
use super::scan::has_word;
use super::tree::Tree;

const WORD: &str = "expose_secret";

/// Files, or folders with a closing slash, that may read a secret.
const READERS: &[&str] = &[
    "crates/clients/src/",
    "crates/cli/src/config/",
    "crates/cli/src/settings/mod.rs",
    // A backup is encrypted and opened where age lives.
    "crates/engine/src/backup/lock.rs",
    // gRPC calls are made where tonic lives; this is the one header of theirs.
    "crates/baton/src/tasks/line.rs",
    // A token for the API is shown once, to whoever made it.
    "crates/cli/src/commands/token.rs",
    "crates/web/src/handlers/tokens.rs",
    // The link for the first person is shown in the log, and is good once.
    "crates/cli/src/commands/serve.rs",
    // What people sign in with is hashed and compared here.
    "crates/engine/src/identity/",
    // Cookies are set here; a second factor's secret and its codes are shown once.
    "crates/web/src/cookies.rs",
    "crates/web/src/handlers/session.rs",
    // What is stored is sealed here, and nowhere else.
    "crates/engine/src/seal.rs",
    // The benchmark asks its own server, which ends with it, by a token of its own.
    "crates/bench/src/pages/ground.rs",
];

/// Looks for places that read a secret.
pub(crate) fn check(tree: &Tree, report: &mut Report) {
    report.checked();
    let free = |path: &str| {
        READERS.iter().any(|reader| path == *reader || (reader.ends_with('/') && path.starts_with(reader)))
    };
    for file in tree.rust_files().filter(|file| !file.is_tidy() && !free(&file.path)) {
        for (line, _) in file.product_lines().filter(|(_, text)| has_word(text, WORD)) {
            let remedy = "pass the `SecretString` on to `clients`, which sends it";
            report.violation(&file.path, line, "a secret is read here", remedy);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_files_read_secrets() {
        let read = "let t = token.expose_secret();\n";
        let files = [("crates/clients/src/http/mod.rs", read), ("crates/engine/src/lib.rs", read)];
        let mut report = Report::default();
        check(&Tree::of(&files), &mut report);
        assert_eq!(report.lines().len(), 1);
        assert!(report.lines()[0].starts_with("crates/engine/src/lib.rs:1:"));
    }
}
