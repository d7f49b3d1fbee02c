//! The rows of a database: the same heart, fed by a store.

use super::*;

/// What a store does: rows in order, each checkpoint after its rows, the frontier at the end.
fn judge(rows: &[AuditRow], notes: &[(usize, String)], stored: &Frontier, expected: Expected) -> Verdict {
    let mut checker = Checker::new(expected, None);
    let mut notes = notes.iter().peekable();
    for count in 0..=rows.len() {
        while let Some((_, note)) = notes.next_if(|(size, _)| *size <= count || count == rows.len()) {
            checker.checkpoint(note);
        }
        rows.get(count).into_iter().for_each(|row| checker.row(row));
    }
    checker.frontier(stored);
    checker.finish()
}

fn frontier(rows: &[AuditRow]) -> Frontier {
    let mut frontier = Frontier::default();
    for row in rows {
        frontier.append(row.leaf);
    }
    frontier
}

/// A log of twelve rows of which a checkpoint covers nine; rows are changed, the frontier is not.
fn changed(change: impl FnOnce(&mut Log)) -> Verdict {
    let mut log = Log::of(12, &[5, 9], &mut Chance::new(7));
    log.notes.pop();
    let (stored, expected) = (frontier(&log.rows), log.pinned());
    change(&mut log);
    judge(&log.rows, &log.notes, &stored, expected)
}

#[test]
fn untouched_rows_pass_and_the_unsigned_tail_is_told() {
    let verdict = changed(|_| {});
    assert!(verdict.is_clean(), "{}", told(&verdict));
    assert_eq!((verdict.events, verdict.confirmed), (12, 9));
    let caveats = verdict.caveats();
    assert!(
        caveats[0].starts_with("events 9 to 11 are newer than the last signed checkpoint"),
        "{caveats:?}"
    );
}

#[test]
fn every_change_below_the_checkpoint_is_found_though_everything_else_was_made_to_fit() {
    let changes: [fn(&mut Log); 5] = [
        |log| log.rows[3].text = log.rows[4].text.clone(),
        |log| drop(log.rows.remove(3)),
        |log| log.rows.swap(3, 4),
        |log| log.rows.insert(3, log.rows[8].clone()),
        |log| log.rows.truncate(8),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let verdict = changed(|log| {
            change(log);
            log.smooth();
        });
        assert!(!verdict.is_clean(), "change {number}");
        let mut log = Log::of(12, &[5, 9], &mut Chance::new(7));
        log.notes.pop();
        change(&mut log);
        log.smooth();
        let verdict = judge(&log.rows, &log.notes, &frontier(&log.rows), log.pinned());
        assert!(!verdict.is_clean(), "change {number} with its frontier");
    }
}

#[test]
fn a_clumsy_change_of_the_unsigned_tail_is_found() {
    let verdict = changed(|log| log.rows[10].text = log.rows[10].text.replacen("nonce", "nance", 1));
    assert_eq!(kinds(&verdict), [FindingKind::Edited, FindingKind::FrontierDiffers]);
    let verdict = changed(|log| drop(log.rows.pop()));
    assert_eq!(kinds(&verdict), [FindingKind::FrontierDiffers]);
    let verdict = changed(|log| log.rows[10].sequence = 40);
    assert_eq!(kinds(&verdict), [FindingKind::Renumbered]);
}

#[test]
fn an_edited_row_after_a_missing_one_is_named_by_its_own_number() {
    let verdict = changed(|log| {
        log.rows[6].text = log.rows[6].text.replacen("nonce", "nance", 1);
        log.rows.remove(5);
    });
    let named: Vec<_> = verdict.findings.iter().map(|finding| (finding.kind, finding.sequence)).collect();
    assert!(named.contains(&(FindingKind::Edited, Some(6))), "{}", told(&verdict));
    assert!(named.contains(&(FindingKind::Missing, Some(5))), "{}", told(&verdict));
}

#[test]
fn a_careful_change_of_the_unsigned_tail_is_not_found_as_the_documentation_says() {
    let mut log = Log::of(12, &[5, 9], &mut Chance::new(7));
    log.notes.pop();
    log.rows.remove(10);
    log.smooth();
    let verdict = judge(&log.rows, &log.notes, &frontier(&log.rows), log.kept(9));
    assert!(verdict.is_clean());
    assert!(verdict.caveats()[0].starts_with("events 9 to 10 are newer"), "{:?}", verdict.caveats());
}

#[test]
fn rows_that_were_rolled_back_are_found_by_a_checkpoint_kept_elsewhere() {
    let log = Log::of(12, &[5, 9], &mut Chance::new(7));
    let rows = &log.rows[..9];
    let verdict = judge(rows, &log.notes[..2], &frontier(rows), log.kept(12));
    assert_eq!(kinds(&verdict), [FindingKind::RolledBack]);
}
