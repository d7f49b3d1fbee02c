//! What the checks found, and how it is printed.
//!
//! It does not decide what is wrong; it only keeps the findings.
//!
//! Invariant: findings are printed by file and line, each once.

use std::collections::BTreeSet;
use std::fmt;

/// One broken rule at one place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Path from the root of the repository.
    pub(crate) file: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.file, self.line, self.what, self.remedy)
    }
}

/// Everything found in one run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    violations: BTreeSet<Finding>,
    warnings: BTreeSet<Finding>,
    checked: usize,
}

impl Report {
    /// Whether no rule is broken; warnings do not count.
    pub(crate) fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// Notes that one more check has run.
    pub(crate) fn checked(&mut self) {
        self.checked += 1;
    }

    /// Records a broken rule.
    pub(crate) fn violation(&mut self, file: &str, line: usize, what: impl Into<String>, remedy: &str) {
        self.violations.insert(finding(file, line, what.into(), remedy));
    }

    /// Records something that will become a broken rule.
    pub(crate) fn warning(&mut self, file: &str, line: usize, what: impl Into<String>, remedy: &str) {
        self.warnings.insert(finding(file, line, what.into(), remedy));
    }

    #[cfg(test)]
    pub(crate) fn lines(&self) -> Vec<String> {
        self.violations.iter().map(ToString::to_string).collect()
    }

    #[cfg(test)]
    pub(crate) fn warning_lines(&self) -> Vec<String> {
        self.warnings.iter().map(ToString::to_string).collect()
    }
}

fn finding(file: &str, line: usize, what: String, remedy: &str) -> Finding {
    Finding { file: file.to_owned(), line: line.max(1), what, remedy: remedy.to_owned() }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        for violation in &self.violations {
            writeln!(f, "{violation}")?;
        }
        let (wrong, soon) = (self.violations.len(), self.warnings.len());
        writeln!(f, "tidy: {} checks, {wrong} violations, {soon} warnings", self.checked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_alone_leaves_the_report_clean() {
        let mut report = Report::default();
        report.warning("a.rs", 0, "long", "split it");
        assert!(report.is_clean());
        assert!(report.to_string().starts_with("warning: a.rs:1: long; split it\n"));
    }

    #[test]
    fn the_same_finding_is_printed_once() {
        let mut report = Report::default();
        report.violation("a.rs", 3, "bad", "mend it");
        report.violation("a.rs", 3, "bad", "mend it");
        assert_eq!(report.lines(), ["a.rs:3: bad; mend it"]);
    }
}
