//! `metsuke channels list`: the channels, and how they fare.

use metsuke_engine::desk::ChannelShown;

use crate::context::Context;
use crate::failure::Exit;
use crate::rows::{self, Cell, Column};

const COLUMNS: &[Column<ChannelShown>] = &[
    Column::new("name", "NAME", |line| Cell::text(Some(&line.name))),
    Column::csv("id", |line| Cell::text(Some(&line.id))),
    Column::new("kind", "KIND", |line| Cell::text(Some(&line.kind))),
    Column::new("to", "TO", |line| Cell::text(line.to.as_ref())),
    Column::new("enabled", "ENABLED", |line| Cell::Flag(Some(line.enabled))),
    Column::new("waiting", "WAITING", |line| Cell::Count(line.waiting)),
    Column::new("last_sent_at", "LAST SENT", |line| Cell::Time(line.last_sent_at)),
    Column::new("failing_since", "FAILING SINCE", |line| Cell::Time(line.failing_since)),
    Column::new("told", "WHY", |line| Cell::text(line.told.as_ref())),
];

/// Prints the channels.
///
/// # Errors
///
/// What writing to stdout met.
pub(super) fn show(context: &Context, channels: &[ChannelShown]) -> anyhow::Result<Exit> {
    if channels.is_empty() {
        context.note("note: there is no channel; `metsuke channels add` makes one");
    }
    rows::write(context.output, COLUMNS, channels)?;
    Ok(Exit::Done)
}
