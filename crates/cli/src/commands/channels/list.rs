//! `metsuke channels list`: the channels, and how they fare.

use metsuke_engine::alerts::ChannelSettings;
use metsuke_model::Moment;
use metsuke_model::finding::DeliveryState;
use metsuke_store::{DeliveryFilter, OpenMode};
use serde::Serialize;
use serde_json::Value as Json;

use crate::context::Context;
use crate::failure::Exit;
use crate::rows::{self, Cell, Column};

/// A channel as it is listed; its secret is not.
#[derive(Serialize)]
struct Line {
    id: String,
    name: String,
    kind: String,
    enabled: bool,
    to: Option<String>,
    has_secret: bool,
    settings: Json,
    waiting: u64,
    last_sent_at: Option<Moment>,
    failing_since: Option<Moment>,
    told: Option<String>,
}

const COLUMNS: &[Column<Line>] = &[
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

/// Lists the channels.
///
/// # Errors
///
/// What the database said, or writing to stdout met.
pub(super) async fn run(context: &Context) -> anyhow::Result<Exit> {
    let store = context.database().await?;
    let mut lines = Vec::new();
    for row in context.main(OpenMode::Existing).await?.channels().await? {
        let health = store.channel_health(&row.id).await?;
        let (channel, state) = (Some(row.id.clone()), Some(DeliveryState::Waiting));
        let waiting = DeliveryFilter { channel, state, ..DeliveryFilter::default() };
        lines.push(Line {
            to: ChannelSettings::read(&row.document).ok().map(|settings| settings.way.to_string()),
            waiting: store.deliveries(&waiting).await?.len() as u64,
            id: row.id,
            name: row.name,
            kind: row.kind,
            enabled: row.enabled,
            has_secret: row.secret.is_some(),
            settings: row.document,
            last_sent_at: health.last_sent_at,
            failing_since: health.failing_since,
            told: health.told,
        });
    }
    if lines.is_empty() {
        context.note("note: there is no channel; `metsuke channels add` makes one");
    }
    rows::write(context.output, COLUMNS, &lines)?;
    Ok(Exit::Done)
}
