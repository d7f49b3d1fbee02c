//! A list of objects as a page: found by words, sorted, narrowed, with the columns that somebody wants, from any row on.
//!
//! What a row says is each list's business.
//!
//! Invariant: the page, the part of it that is asked for while somebody types, and the CSV file hold the same rows.

use askama::Template;
use axum::http::{HeaderName, StatusCode, header};
use metsuke_engine::desk::{Bookmark, Browse, Browsed, Placed};
use metsuke_engine::lists::BrowsedLine;
use serde_json::{Value, json};

use super::asked::Asked;
use super::cell::{Cell, Head, Table};
use super::frame::{Choice, Frame, Read, page};
use super::words::{Name, number};
use crate::answer::Answer;
use crate::call::Call;
use crate::cursor;
use crate::error::ApiError;
use crate::table::{Columns, csv};

/// Rows of a page.
const PAGE: usize = 100;
/// The header with which the script asks for the list alone.
const PART: HeaderName = HeaderName::from_static("x-part");

/// What a list is.
pub(crate) struct Spec<L: 'static> {
    pub(crate) path: &'static str,
    pub(crate) title: &'static str,
    pub(crate) lead: &'static str,
    /// What stands in the empty field for words.
    pub(crate) seek: &'static str,
    /// What else there is of it: its name and its path.
    pub(crate) beside: Option<(&'static str, &'static str)>,
    pub(crate) columns: &'static [Column<L>],
    /// What it can be narrowed to, and the name of that.
    pub(crate) facets: &'static [(&'static str, &'static str)],
    pub(crate) csv: Columns,
    /// What an empty list says.
    pub(crate) empty: &'static str,
}

/// One column.
pub(crate) struct Column<L> {
    pub(crate) key: &'static str,
    pub(crate) label: &'static str,
    pub(crate) number: bool,
    /// Whether it is shown where nobody has chosen.
    pub(crate) usual: bool,
    pub(crate) cell: fn(&Placed<L>, &Frame) -> Cell,
}

/// A facet as it is shown.
pub(super) struct Facet {
    pub(super) name: &'static str,
    pub(super) href: String,
    pub(super) current: bool,
}

/// What the templates show of a list.
pub(super) struct Listed {
    pub(super) path: String,
    pub(super) seek: &'static str,
    pub(super) text: String,
    /// What the form of words keeps.
    pub(super) kept: Vec<(String, String)>,
    pub(super) facets: Vec<Facet>,
    pub(super) choices: Vec<Choice>,
    /// What the form of columns keeps.
    pub(super) beside_columns: Vec<(String, String)>,
    pub(super) tally: String,
    pub(super) table: Table,
    pub(super) csv: String,
    pub(super) next: String,
    pub(super) first: String,
    pub(super) empty: &'static str,
    pub(super) read: Vec<Read>,
    /// Where one sees all again; empty where nothing is narrowed.
    pub(super) all: String,
}

#[derive(Template)]
#[template(path = "list.html")]
struct Whole {
    frame: Frame,
    lead: &'static str,
    beside: Option<(&'static str, String)>,
    listed: Listed,
}

#[derive(Template)]
#[template(path = "part/listed.html")]
struct Part {
    listed: Listed,
}

/// Whether the list alone is asked for, while somebody types.
pub(super) fn is_part(call: &Call) -> bool {
    call.headers.contains_key(PART)
}

/// The list alone.
pub(super) fn part(listed: Listed) -> Result<Answer, ApiError> {
    page(StatusCode::OK, &Part { listed })
}

/// Answers a list's page.
pub(crate) async fn answer<L: BrowsedLine>(call: Call, spec: &'static Spec<L>) -> Result<Answer, ApiError> {
    let frame = Frame::of(&call, spec.title).await?.here(spec.title);
    if frame.asked.get("format") == Some("csv") {
        return whole_csv(&call, &frame, spec, &[]).await;
    }
    let listed = listed(&call, &frame, spec, &[]).await?;
    if is_part(&call) {
        return part(listed);
    }
    let beside = spec.beside.map(|(name, path)| (name, frame.to(path)));
    page(StatusCode::OK, &Whole { frame, lead: spec.lead, beside, listed })
}

fn browse(frame: &Frame, fixed: &[(&str, String)]) -> Browse {
    let mut filters: Vec<(String, String)> =
        fixed.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    filters.extend(frame.asked.get("only").map(|only| ("only".to_owned(), only.to_owned())));
    let sort = frame.asked.get("sort").unwrap_or_default();
    let (descending, sort) = sort.strip_prefix('-').map_or((false, sort), |sort| (true, sort));
    Browse {
        connector: frame.connector().map(ToOwned::to_owned),
        as_of: frame.at(),
        text: frame.asked.get("q").unwrap_or_default().to_owned(),
        filters,
        sort: sort.to_owned(),
        descending,
    }
}

/// The rows that are asked for, as the templates show them; `fixed` filters are those of the page itself.
pub(super) async fn listed<L: BrowsedLine>(
    call: &Call,
    frame: &Frame,
    spec: &'static Spec<L>,
    fixed: &[(&str, String)],
) -> Result<Listed, ApiError> {
    let asked = &frame.asked;
    let browse = browse(frame, fixed);
    let after: Option<Bookmark> =
        asked.get("cursor").map(|cursor| cursor::read(call.operation, cursor)).transpose()?;
    let found: Browsed<L> = call.state.desk.browse(&browse, after.as_ref(), PAGE).await?;
    let chosen: Vec<&str> = asked.all("cols").collect();
    let is_shown = |column: &&Column<L>| {
        if chosen.is_empty() { column.usual } else { chosen.contains(&column.key) }
    };
    let first = spec.columns.iter().take(1);
    let columns: Vec<&Column<L>> = first.chain(spec.columns.iter().skip(1).filter(is_shown)).collect();
    let rows = found.rows.iter().map(|row| columns.iter().map(|column| (column.cell)(row, frame)).collect());
    let here = asked.without(&["cursor"]);
    let narrowed = asked.get("q").is_some() || asked.get("only").is_some();
    let next = found.next.as_ref().and_then(|next| cursor::write(call.operation, next));
    let path = frame.path.clone();
    Ok(Listed {
        seek: spec.seek,
        text: browse.text.clone(),
        kept: here.without(&["q"]).pairs(),
        facets: facets(spec, &here, &path),
        choices: spec
            .columns
            .iter()
            .skip(1)
            .map(|column| Choice {
                value: column.key.to_owned(),
                name: Name::new(column.label),
                chosen: is_shown(&column),
            })
            .collect(),
        beside_columns: here.without(&["cols"]).pairs(),
        tally: tally(found.fitting, found.all),
        table: Table {
            caption: spec.title.to_owned(),
            heads: columns.iter().map(|column| head::<L>(column, &browse, &here, &path)).collect(),
            rows: rows.collect(),
        },
        csv: here.with("format", "csv").at(&path),
        next: next.map(|next| here.with("cursor", &next).at(&path)).unwrap_or_default(),
        first: if after.is_some() { here.at(&path) } else { String::new() },
        empty: spec.empty,
        read: frame.read(&found.readings),
        all: if narrowed { here.without(&["q", "only"]).at(&path) } else { String::new() },
        path,
    })
}

fn facets<L>(spec: &Spec<L>, here: &Asked, path: &str) -> Vec<Facet> {
    let current = here.get("only").unwrap_or_default();
    let facet = |(value, name): &(&'static str, &'static str)| Facet {
        name,
        href: here.with("only", value).at(path),
        current: *value == current,
    };
    spec.facets.iter().map(facet).collect()
}

fn head<L: BrowsedLine>(column: &Column<L>, browse: &Browse, here: &Asked, path: &str) -> Head {
    let usual = L::COLUMNS.first().copied().unwrap_or_default();
    let by = if L::COLUMNS.contains(&browse.sort.as_str()) { browse.sort.as_str() } else { usual };
    let sorted = match (by == column.key, browse.descending) {
        (false, _) => "",
        (true, false) => "ascending",
        (true, true) => "descending",
    };
    // Of numbers and moments one wants the largest first.
    let falling = if sorted.is_empty() { column.number } else { !browse.descending };
    let sort = format!("{}{}", if falling { "-" } else { "" }, column.key);
    let href = L::COLUMNS.contains(&column.key).then(|| here.with("sort", &sort).at(path));
    Head { label: column.label.into(), href, sorted, number: column.number }
}

fn tally(fitting: usize, all: usize) -> String {
    let (fitting, all) = (fitting as u64, all as u64);
    if fitting == all { number(all) } else { format!("{} of {}", number(fitting), number(all)) }
}

/// The rows that are asked for, all of them, as a file.
pub(super) async fn whole_csv<L: BrowsedLine>(
    call: &Call,
    frame: &Frame,
    spec: &'static Spec<L>,
    fixed: &[(&str, String)],
) -> Result<Answer, ApiError> {
    let found: Browsed<L> = call.state.desk.browse(&browse(frame, fixed), None, usize::MAX).await?;
    let rows: Vec<Value> = found.rows.iter().map(|row| json!(row)).collect();
    let file = format!("attachment; filename=\"{}.csv\"", spec.path.trim_start_matches('/'));
    Ok(Answer::typed(StatusCode::OK, "text/csv; charset=utf-8", csv(spec.csv, &rows))
        .with(header::CONTENT_DISPOSITION, &file))
}
