//! Which setting was probably meant by a name that none has.

use super::SETTINGS;

/// Letters that may be wrong, in words long enough to be told apart.
const WRONG: usize = 3;

/// The setting whose name is nearest; none where all are far.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let wished = letters(name);
    let key = letters(name.rsplit('.').next().unwrap_or_default());
    let far = |known: &'static str| {
        let own = letters(known.rsplit('.').next().unwrap_or_default());
        // The right key in another section is as good as a slip of the pen.
        let alike = own == key || (key.len() > 3 && (own.starts_with(&key) || key.starts_with(&own)));
        let slips = distance(&letters(known), &wished);
        (slips.min(if alike { 2 } else { usize::MAX }), slips, known)
    };
    let (slips, _, known) = SETTINGS.iter().map(|setting| far(setting.name)).min()?;
    (slips <= WRONG.min(wished.len() / 3)).then_some(known)
}

fn letters(name: &str) -> String {
    name.chars().filter(|sign| !matches!(sign, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// How many letters have to be added, left out or changed to make one of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, sign) in one.chars().enumerate() {
        let mut next = vec![line + 1];
        for (place, (theirs, pair)) in other.iter().zip(row.windows(2)).enumerate() {
            let [across, above] = pair else { continue };
            let left = next.get(place).copied().unwrap_or(usize::MAX - 1);
            let changed = across + usize::from(sign != *theirs);
            next.push(changed.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_understood() {
        for (wrong, meant) in [
            ("heroku.tokn", "heroku.token"),
            ("retension.runs_days", "retention.runs_days"),
            ("retention.run_days", "retention.runs_days"),
            ("retention.runs", "retention.runs_days"),
            ("server.publicUrl", "server.public_url"),
            ("log.levle", "log.level"),
            ("oidc.isuer", "oidc.issuer"),
        ] {
            assert_eq!(nearest(wrong), Some(meant), "{wrong}");
        }
        for far in ["colour.scheme", "x", "", "backup.schedule"] {
            assert_eq!(nearest(far), None, "{far}");
        }
    }
}
