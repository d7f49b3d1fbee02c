//! Every package in the graph has a licence that `deny.toml` allows.
//!
//! It trusts the `license` field of each manifest; `cargo deny` reads the files as well.
//!
//! Invariant: an expression is allowed when some choice of its `OR`s uses allowed licences only.

use super::cargo::Metadata;
use super::policy::Policy;
use super::report::Report;

/// Checks the licence expression of every package.
pub(crate) fn check(metadata: &Metadata, policy: &Policy, report: &mut Report) {
    report.checked();
    for package in &metadata.packages {
        let expression = package.license.as_deref().unwrap_or_default();
        if !is_allowed(expression, &policy.licences) {
            let what = format!("`{} {}` is licensed `{expression}`", package.name, package.version);
            report.violation(
                "Cargo.lock",
                1,
                what,
                "do without it, or allow the licence in deny.toml and say why",
            );
        }
    }
}

fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    // Old manifests write `/` for OR.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    either(&mut rest, allowed) == Some(true) && rest.is_empty()
}

/// `a OR b`; `None` when the expression cannot be read.
fn either(rest: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let mut answer = both(rest, allowed)?;
    while let Some(("OR", tail)) = rest.split_first().map(|(word, tail)| (*word, tail)) {
        *rest = tail;
        answer |= both(rest, allowed)?;
    }
    Some(answer)
}

/// `a AND b`, which binds more tightly than `OR`.
fn both(rest: &mut &[&str], allowed: &[String]) -> Option<bool> {
    let mut answer = licence(rest, allowed)?;
    while let Some(("AND", tail)) = rest.split_first().map(|(word, tail)| (*word, tail)) {
        *rest = tail;
        answer &= licence(rest, allowed)?;
    }
    Some(answer)
}

/// One licence, with its exception if there is one, or an expression in brackets.
fn licence(rest: &mut &[&str], allowed: &[String]) -> Option<bool> {
    match **rest {
        ["(", ..] => {
            *rest = &rest[1..];
            let answer = either(rest, allowed)?;
            let (close, tail) = rest.split_first()?;
            *rest = tail;
            (*close == ")").then_some(answer)
        }
        [name, "WITH", exception, ..] => {
            *rest = &rest[3..];
            Some(allowed.contains(&format!("{name} WITH {exception}")))
        }
        [")" | "OR" | "AND" | "WITH", ..] | [] => None,
        [name, ..] => {
            *rest = &rest[1..];
            Some(allowed.iter().any(|licence| licence == name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(expression: &str) -> bool {
        is_allowed(expression, &["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned))
    }

    #[test]
    fn one_good_choice_is_enough() {
        assert!(allowed("MIT OR GPL-3.0") && allowed("GPL-3.0/MIT"));
        assert!(allowed("(GPL-3.0 OR ISC) AND MIT"));
    }

    #[test]
    fn all_parts_of_a_conjunction_must_be_allowed() {
        assert!(allowed("MIT AND ISC") && !allowed("MIT AND GPL-3.0"));
        assert!(allowed("GPL-3.0 AND ISC OR MIT"));
    }

    #[test]
    fn an_exception_is_part_of_the_licence() {
        assert!(allowed("Apache-2.0 WITH LLVM-exception"));
        assert!(!allowed("Apache-2.0") && !allowed("MIT WITH Other-exception"));
    }

    #[test]
    fn what_cannot_be_read_is_not_allowed() {
        assert!(!allowed("") && !allowed("MIT OR") && !allowed("(MIT") && !allowed("MIT ISC"));
    }
}
