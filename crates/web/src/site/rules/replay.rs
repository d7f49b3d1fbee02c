//! “Would have fired”: what looking back on a rule's past came to, and how much of it was looked at.

use metsuke_engine::desk::ReplayOf;
use metsuke_engine::rules::Replay;

use crate::call::Call;
use crate::error::ApiError;
use crate::site::cell::{Cell, Head, Table};
use crate::site::frame::Frame;
use crate::site::words::{Name, When, count, number};

/// Days that one looks back.
pub(super) const DAYS: u32 = 90;
/// Versions that a page names, newest first.
const SHOWN: usize = 40;

/// What a page tells of it.
pub(super) struct Past {
    /// The sentence that says it.
    pub(super) told: String,
    /// How much was looked at.
    pub(super) bound: String,
    pub(super) table: Table,
    /// Why it could not be judged; empty where it could.
    pub(super) why: String,
}

/// Looks back, where somebody asks for it.
pub(super) async fn past(call: &Call, frame: &Frame, of: ReplayOf) -> Result<Past, ApiError> {
    let looked = call.state.desk.replay_rule(frame.connector(), of, Some(DAYS)).await;
    match looked {
        Ok(replay) => Ok(told(frame, &replay)),
        Err(error) => {
            let error = ApiError::from(error);
            if error.status.is_server_error() {
                return Err(error);
            }
            let why =
                error.fields.first().map_or_else(|| error.message.clone(), |field| field.message.clone());
            Ok(Past { told: String::new(), bound: String::new(), table: table(frame, &[]), why })
        }
    }
}

fn told(frame: &Frame, replay: &Replay) -> Past {
    let times = match replay.fired {
        0 => "It would not have fired".to_owned(),
        1 => "It would have fired once".to_owned(),
        times => format!("It would have fired {} times", number(times as u64)),
    };
    let mut sentence = format!("{times} in {} days.", replay.days);
    if replay.at_first > 0 {
        let since = replay.fired - replay.at_first;
        let first = match (replay.at_first, since) {
            (_, 0) => " All of it was so at the beginning of that time.".to_owned(),
            (first, since) => {
                format!(
                    " {} of it was so at the beginning, {} came since.",
                    number(first as u64),
                    number(since as u64)
                )
            }
        };
        sentence.push_str(&first);
    }
    Past {
        told: if replay.why.is_some() { String::new() } else { sentence },
        bound: bound(replay),
        table: table(frame, &replay.versions),
        why: replay.why.clone().unwrap_or_default(),
    }
}

/// How much was looked at, and why no more.
fn bound(replay: &Replay) -> String {
    let kept = count(replay.kept, "version of that time is kept", "versions of that time are kept");
    let looked = match (replay.most, replay.looked_at) {
        (None, _) if replay.out_of_time => "there was no time to read their changes".to_owned(),
        (None, looked) if looked < replay.kept => {
            format!(
                "the changes of the newest {} were looked at, for there are too many",
                number(looked as u64)
            )
        }
        (None, _) => "every change between them was looked at".to_owned(),
        (Some(_), looked) if looked == replay.kept => "all of them were looked at".to_owned(),
        (Some(most), looked) => format!(
            "{} looked at, {most} at most, as evenly as can be; what came and went between two of them is not seen",
            count(looked, "was", "were")
        ),
    };
    let shown = if replay.versions.len() > SHOWN {
        format!(" The newest {SHOWN} in which anything was found stand below.")
    } else {
        String::new()
    };
    let time =
        if replay.out_of_time && replay.most.is_some() { "; the time of 10 seconds was up" } else { "" };
    format!("{kept}: {looked}{time}.{shown}")
}

fn table(frame: &Frame, versions: &[metsuke_engine::rules::Seen]) -> Table {
    let row = |seen: &metsuke_engine::rules::Seen| {
        let when = When::new(seen.at, frame.now);
        let mut names = seen.names.join(", ");
        if seen.new > seen.names.len() {
            names = format!("{names} and {} more", number((seen.new - seen.names.len()) as u64));
        }
        let names = if names.is_empty() { Cell::Nothing } else { Cell::Text(Name::head(&names)) };
        vec![
            Cell::Link(Name { cut: when.shown, title: when.ago }, String::new(), None),
            Cell::Number(seen.version.to_string()),
            seen.found.map_or(Cell::Word("not judged".into()), |found| Cell::Number(number(found as u64))),
            Cell::number(seen.new as u64),
            seen.why.as_deref().map_or(names, |why| Cell::Text(Name::new(why))),
        ]
    };
    Table {
        caption: "What it would have found".to_owned(),
        heads: vec![
            Head::plain("Reading of"),
            Head::number("Version"),
            Head::number("Found"),
            Head::number("New"),
            Head::plain("What was new"),
        ],
        rows: versions.iter().take(SHOWN).map(row).collect(),
    }
}
