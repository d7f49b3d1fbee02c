//! What a sync came to: the one JSON object for programs, the counts as rows, and the summary for people.
//!
//! Nothing is counted here; the engine and the store did.
//!
//! Invariant: both tell the same facts.

mod summary;

use std::io;

use metsuke_engine::sync::SyncSummary;
use metsuke_model::{Changes, Counts, Moment, ScopeReport, SyncReport, SyncStatus, Version};
use metsuke_store::SyncRow;
use serde::Serialize;

use crate::output::Output;
use crate::rows::{self, Cell, Column};

/// The outcome of one sync, told in every format.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// How it ended.
    pub(crate) status: SyncStatus,
    version: Option<Version>,
    started_at: Moment,
    finished_at: Moment,
    duration_ms: u64,
    requests: u64,
    waited_ms: u64,
    counts: Counts,
    before: Option<Counts>,
    changes: Changes,
    gaps: Vec<ScopeReport>,
    /// Why it is not current.
    quarantine: Vec<String>,
}

/// The object around the object.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    sync: Sync<'a>,
}

#[derive(Debug, Serialize)]
struct Sync<'a> {
    version: Option<Version>,
    status: SyncStatus,
    started_at: Moment,
    finished_at: Moment,
    duration_ms: u64,
    requests: u64,
    waited_ms: u64,
    counts: Counts,
    changes: Changes,
    incomplete: Vec<Incomplete<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quarantine: Option<Held<'a>>,
}

#[derive(Debug, Serialize)]
struct Held<'a> {
    reasons: &'a [String],
}

#[derive(Debug, Serialize)]
struct Incomplete<'a> {
    scope: &'a str,
    reason: &'a str,
}

/// One count with its name.
#[derive(Debug, Serialize)]
struct Counted {
    what: &'static str,
    count: u64,
}

impl Told {
    /// Of a sync that made a version.
    pub(super) fn committed(summary: &SyncSummary, before: Option<Counts>) -> Self {
        let told = Self::of(&summary.report);
        Self {
            version: Some(summary.version),
            counts: summary.counts,
            changes: summary.changes,
            before,
            quarantine: summary.quarantine.clone(),
            ..told
        }
    }

    /// Of a run that waits in quarantine, as it was recorded.
    pub(crate) fn waiting(
        row: &SyncRow,
        scopes: Vec<ScopeReport>,
        reasons: Vec<String>,
        before: Option<Counts>,
    ) -> Self {
        let report = SyncReport {
            status: row.status,
            started_at: row.started_at,
            finished_at: row.finished_at,
            requests: row.requests,
            waited_ms: row.waited_ms,
            error: None,
            scopes,
        };
        Self {
            version: Some(row.version),
            counts: row.counts,
            changes: row.changes,
            before,
            quarantine: reasons,
            ..Self::of(&report)
        }
    }

    /// Of a sync that made none.
    pub(super) fn failed(version: Option<Version>, report: &SyncReport) -> Self {
        Self { version, status: SyncStatus::Failed, ..Self::of(report) }
    }

    fn of(report: &SyncReport) -> Self {
        let mut gaps: Vec<ScopeReport> = report.scopes.iter().filter(|scope| scope.gap).cloned().collect();
        gaps.sort_by(|one, other| one.scope.cmp(&other.scope));
        Self {
            status: report.status,
            version: None,
            started_at: report.started_at,
            finished_at: report.finished_at,
            duration_ms: report.duration_ms(),
            requests: report.requests,
            waited_ms: report.waited_ms,
            counts: Counts::default(),
            before: None,
            changes: Changes::default(),
            gaps,
            quarantine: Vec::new(),
        }
    }

    /// The one object that programs read.
    pub(super) fn document<'a>(&'a self) -> Document<'a> {
        let incomplete = |gap: &'a ScopeReport| Incomplete {
            scope: &gap.scope,
            reason: gap.reason.as_deref().unwrap_or(gap.outcome.as_str()),
        };
        Document {
            sync: Sync {
                version: self.version,
                status: self.status,
                started_at: self.started_at,
                finished_at: self.finished_at,
                duration_ms: self.duration_ms,
                requests: self.requests,
                waited_ms: self.waited_ms,
                counts: self.counts,
                changes: self.changes,
                incomplete: self.gaps.iter().map(incomplete).collect(),
                quarantine: (!self.quarantine.is_empty()).then_some(Held { reasons: &self.quarantine }),
            },
        }
    }

    /// The counts, one a row.
    ///
    /// # Errors
    ///
    /// What writing to stdout met.
    pub(super) fn counts_as_rows(&self, output: Output) -> io::Result<()> {
        let rows: Vec<Counted> =
            self.named_counts().into_iter().map(|(what, _, count, _)| Counted { what, count }).collect();
        rows::write(output, COLUMNS, &rows)
    }

    /// Name for programs, name for people, count, count before.
    fn named_counts(&self) -> [(&'static str, &'static str, u64, Option<u64>); 7] {
        let line = |name, heading, of: fn(&Counts) -> u64| {
            (name, heading, of(&self.counts), self.before.as_ref().map(of))
        };
        [
            line("users", "users", |counts| counts.users),
            line("teams", "teams", |counts| counts.teams),
            line("enterprise_accounts", "Enterprise accounts", |counts| counts.enterprise_accounts),
            line("apps", "apps", |counts| counts.apps),
            line("addons", "add-ons", |counts| counts.addons),
            line("invitations", "pending invitations", |counts| counts.invitations),
            line("grants", "direct grants", |counts| counts.grants),
        ]
    }
}

const COLUMNS: &[Column<Counted>] = &[
    Column::new("what", "WHAT", |line| Cell::text(Some(line.what))),
    Column::new("count", "COUNT", |line| Cell::Count(line.count)),
];

#[cfg(test)]
mod tests {
    use metsuke_model::Outcome;

    use super::*;

    fn told() -> Told {
        let gap = ScopeReport {
            scope: "GET /teams/core/members".into(),
            outcome: Outcome::Refused,
            reason: Some("403 `forbidden`".into()),
            gap: true,
            pages: 0,
            rows: 0,
            calls: 1,
            duration_ms: 4,
        };
        let moment = Moment::parse("2026-11-21T08:00:00Z").unwrap();
        let report = SyncReport {
            status: SyncStatus::Partial,
            started_at: moment,
            finished_at: Moment(moment.0 + 2_500_000),
            requests: 12,
            waited_ms: 0,
            error: None,
            scopes: vec![gap],
        };
        let counts = Counts { users: 1_200, teams: 3, ..Counts::default() };
        let changes = Changes { added: 5, removed: 1, changed: 2 };
        let before = Counts { users: 1_198, teams: 4, ..Counts::default() };
        let quarantine = Vec::new();
        Told::committed(
            &SyncSummary { version: Version(7), report, counts, changes, quarantine },
            Some(before),
        )
    }

    #[test]
    fn programs_get_exactly_one_object() {
        insta::assert_json_snapshot!(told().document(), @r#"
        {
          "sync": {
            "version": 7,
            "status": "partial",
            "started_at": "2026-11-21T08:00:00Z",
            "finished_at": "2026-11-21T08:00:02.5Z",
            "duration_ms": 2500,
            "requests": 12,
            "waited_ms": 0,
            "counts": {
              "users": 1200,
              "teams": 3,
              "enterprise_accounts": 0,
              "apps": 0,
              "addons": 0,
              "invitations": 0,
              "grants": 0
            },
            "changes": {
              "added": 5,
              "removed": 1,
              "changed": 2
            },
            "incomplete": [
              {
                "scope": "GET /teams/core/members",
                "reason": "403 `forbidden`"
              }
            ]
          }
        }
        "#);
    }
}
