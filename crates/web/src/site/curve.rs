//! What was left of a budget over time, as a drawing and as the table behind it.
//!
//! Invariant: a point of the drawing is a figure that Heroku told; between two runs nothing is claimed.

use std::fmt::Write as _;

use metsuke_engine::connectors::RunRow;
use metsuke_model::Moment;
use serde_json::Value;

use super::words::{When, number};

/// Room of the drawing, and of the words at its edges.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 180.0;
const LEFT: f64 = 46.0;
const BELOW: f64 = 24.0;
const ABOVE: f64 = 12.0;
/// Rows of the table.
const ROWS: usize = 40;

/// What one run was told of its account's budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Budgeted {
    pub(crate) size: u32,
    pub(crate) left: Vec<(Moment, u32)>,
}

impl Budgeted {
    /// What a run keeps of it; none for runs that were told nothing.
    pub(crate) fn of(run: &RunRow) -> Option<Self> {
        let budget = run.document.as_ref()?.get("budget")?;
        let short = |value: &Value| value.as_u64().and_then(|value| u32::try_from(value).ok());
        let point = |point: &Value| {
            let at = Moment::parse(point.get("at")?.as_str()?)?;
            Some((at, short(point.get("left")?)?))
        };
        let left: Vec<_> = budget.get("left")?.as_array()?.iter().filter_map(point).collect();
        let size = budget.get("size").and_then(short).filter(|size| *size > 0)?;
        (!left.is_empty()).then_some(Self { size, left })
    }
}

/// A drawing of a budget.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// What it shows, for those who do not see it.
    pub(crate) told: String,
    /// The lines of the runs, one behind the other.
    pub(crate) path: String,
    pub(crate) dots: Vec<Dot>,
    pub(crate) lines: Vec<Rule>,
    pub(crate) from: When,
    pub(crate) to: When,
    /// The figures, the newest first.
    pub(crate) rows: Vec<(When, String)>,
    pub(crate) more: bool,
    /// Where the words at the edges stand.
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) foot: f64,
}

/// The lowest point of a run.
#[derive(Clone, Debug)]
pub(crate) struct Dot {
    pub(crate) x: String,
    pub(crate) y: String,
    pub(crate) title: String,
}

/// A line across, with its figure.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) y: String,
    pub(crate) text: String,
    pub(crate) text_y: String,
}

/// The drawing of what these runs were told; none where they were told nothing.
pub(crate) fn curve(runs: &[RunRow], now: Moment) -> Option<Curve> {
    drawn(runs.iter().filter_map(Budgeted::of).collect(), now)
}

fn drawn(mut told: Vec<Budgeted>, now: Moment) -> Option<Curve> {
    told.sort_by_key(|run| run.left.first().map(|(at, _)| *at));
    let size = told.iter().map(|run| run.size).max()?;
    let points: Vec<(Moment, u32)> = told.iter().flat_map(|run| run.left.iter().copied()).collect();
    let (first, last) = (points.iter().map(|(at, _)| *at).min()?, points.iter().map(|(at, _)| *at).max()?);
    let least = points.iter().map(|(_, left)| *left).min()?;
    let scale = Scale { first, span: seconds(first, last).max(1.0), size: f64::from(size) };
    let (mut path, mut dots) = (String::new(), Vec::new());
    for run in &told {
        for (place, (at, left)) in run.left.iter().enumerate() {
            let letter = if place == 0 { 'M' } else { 'L' };
            // Writing to memory does not fail.
            let _written = write!(path, "{letter}{:.1} {:.1}", scale.x(*at), scale.y(*left));
        }
        if let Some((at, left)) = run.left.iter().min_by_key(|(_, left)| *left) {
            let title = format!("{} left, {}", number(u64::from(*left)), When::new(*at, now).shown);
            dots.push(Dot { x: format!("{:.1}", scale.x(*at)), y: format!("{:.1}", scale.y(*left)), title });
        }
    }
    let marks = [0, size / 2, size];
    let rule = |left: u32| {
        let y = scale.y(left);
        Rule { y: format!("{y:.1}"), text: number(u64::from(left)), text_y: format!("{:.1}", y + 4.0) }
    };
    let newest = points.iter().max_by_key(|(at, _)| *at).map_or(0, |(_, left)| *left);
    let mut rows: Vec<(Moment, u32)> = points;
    rows.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    Some(Curve {
        width: WIDTH,
        height: HEIGHT,
        told: format!(
            "Requests left: {} of {} when it was last told; never fewer than {}",
            number(u64::from(newest)),
            number(u64::from(size)),
            number(u64::from(least)),
        ),
        path,
        dots,
        lines: marks.map(rule).to_vec(),
        from: When::new(first, now),
        to: When::new(last, now),
        rows: rows.into_iter().map(|(at, left)| (When::new(at, now), number(u64::from(left)))).collect(),
        more,
        left: LEFT,
        right: WIDTH,
        foot: HEIGHT - 6.0,
    })
}

/// A made-up one, for the style guide.
pub(crate) fn example(now: Moment) -> Option<Curve> {
    let at = |minutes: i64| Moment(now.0 - minutes * 60_000_000);
    let run = |minutes: i64, from: u32| Budgeted {
        size: 4_500,
        left: vec![(at(minutes), from), (at(minutes - 12), from - 900), (at(minutes - 20), from - 1_600)],
    };
    drawn(vec![run(200, 4_490), run(120, 4_100), run(40, 3_900)], now)
}

/// Where a figure stands in the drawing.
struct Scale {
    first: Moment,
    span: f64,
    size: f64,
}

impl Scale {
    fn x(&self, at: Moment) -> f64 {
        let room = WIDTH - LEFT - 8.0;
        LEFT + 4.0 + room * (seconds(self.first, at) / self.span).clamp(0.0, 1.0)
    }

    fn y(&self, left: u32) -> f64 {
        let room = HEIGHT - ABOVE - BELOW;
        let part = f64::from(left) / self.size.max(1.0);
        ABOVE + room * (1.0 - part.clamp(0.0, 1.0))
    }
}

/// Seconds from one moment to a later one.
fn seconds(from: Moment, to: Moment) -> f64 {
    std::time::Duration::from_micros(to.since(from)).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use metsuke_engine::connectors::RunStatus;
    use metsuke_model::RunId;
    use serde_json::json;

    use super::*;

    fn run(document: Option<Value>) -> RunRow {
        RunRow {
            id: RunId::new(Moment(1), [0; 10]),
            status: RunStatus::Complete,
            cause: "asked".into(),
            asked_by: "test".into(),
            asked_at: Moment(1),
            started_at: None,
            finished_at: None,
            version: None,
            reason: None,
            document,
        }
    }

    #[test]
    fn a_curve_falls_with_the_budget_and_holds_every_figure() {
        let told =
            |minute: &str, left: u32| json!({ "at": format!("2026-11-22T10:{minute}:00Z"), "left": left });
        let runs = [
            run(Some(json!({ "budget": { "size": 4500, "left": [told("30", 4000), told("31", 2250)] } }))),
            run(Some(json!({ "budget": { "size": 4500, "left": [told("00", 4500)] } }))),
            run(None),
        ];
        let curve = curve(&runs, Moment::parse("2026-11-22T11:00:00Z").unwrap()).unwrap();
        assert_eq!(curve.path.matches('M').count(), 2, "{}", curve.path);
        assert_eq!((curve.rows.len(), curve.dots.len()), (3, 2));
        assert_eq!(curve.rows[0].1, "2,250");
        assert!(curve.told.contains("never fewer than 2,250"), "{}", curve.told);
        assert_eq!(curve.dots[1].y, format!("{:.1}", ABOVE + (HEIGHT - ABOVE - BELOW) / 2.0));
    }

    #[test]
    fn what_was_never_told_is_not_drawn() {
        assert!(curve(&[run(None), run(Some(json!({})))], Moment(5)).is_none());
    }
}
