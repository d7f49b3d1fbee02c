//! Reads the `Range` header exactly as Heroku does.
//!
//! Not the paging itself, which is `page`; this only says what was asked.
//!
//! Invariant: `max` is between 1 and 1 000.

use crate::refusal::Refusal;

/// A field that a list can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Id,
    Name,
    Email,
    UpdatedAt,
}

impl Field {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Email => "email",
            Self::UpdatedAt => "updated_at",
        }
    }
}

/// Where a walk begins, and whether the row named there is itself left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) value: String,
    pub(crate) exclusive: bool,
}

/// One page asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) field: Field,
    pub(crate) start: Option<Start>,
    pub(crate) end: Option<String>,
    pub(crate) max: usize,
    pub(crate) descending: bool,
    /// False when the request had no `Range` header at all.
    pub(crate) explicit: bool,
}

/// Rows in a page when the request does not say.
pub(crate) const DEFAULT_MAX: usize = 200;
/// Rows in a page at most.
pub(crate) const SERVER_MAX: usize = 1_000;

impl Range {
    /// What a request without the header asks for.
    pub(crate) const fn absent() -> Self {
        Self {
            field: Field::Id,
            start: None,
            end: None,
            max: DEFAULT_MAX,
            descending: false,
            explicit: false,
        }
    }

    /// Reads a header for a list that can be ordered by `allowed`.
    pub(crate) fn parse(header: Option<&str>, allowed: &[Field]) -> Result<Self, Refusal> {
        let Some(header) = header else { return Ok(Self::absent()) };
        let header = header.trim();
        let (bounds, attributes) = match header.split_once(';') {
            Some((bounds, rest)) => (bounds.trim(), rest.trim()),
            None => (header, ""),
        };
        let (name, span) = match bounds.split_once(char::is_whitespace) {
            Some((name, span)) => (name, span.trim()),
            None => return Err(Refusal::malformed_range()),
        };
        let (start, end) = span.split_once("..").ok_or_else(Refusal::malformed_range)?;
        let mut range = Self { explicit: true, ..Self::absent() };
        range.start = read_start(start.trim())?;
        range.end = Some(end.trim()).filter(|end| !end.is_empty()).map(ToOwned::to_owned);
        range.read_attributes(attributes)?;
        let known = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') && !name.is_empty();
        if !known {
            return Err(Refusal::malformed_range());
        }
        range.field = *allowed.iter().find(|field| field.as_str() == name).ok_or_else(Refusal::unsortable)?;
        Ok(range)
    }

    fn read_attributes(&mut self, text: &str) -> Result<(), Refusal> {
        // A single trailing `;` appears in documented examples and is accepted; any other is malformed.
        let text = text.strip_suffix(';').unwrap_or(text).trim();
        if text.is_empty() {
            return Ok(());
        }
        for attribute in text.split(',') {
            match attribute.trim().split_once('=') {
                Some(("max", digits)) => {
                    let asked: usize = digits.trim().parse().map_err(|_| Refusal::malformed_range())?;
                    if asked == 0 {
                        return Err(Refusal::malformed_range());
                    }
                    self.max = asked.min(SERVER_MAX);
                }
                Some(("order", "asc")) => self.descending = false,
                Some(("order", "desc")) => self.descending = true,
                _ => return Err(Refusal::malformed_range()),
            }
        }
        Ok(())
    }

    /// The header value for the page after the row with key `last`.
    pub(crate) fn after(&self, last: &str) -> String {
        let end = self.end.as_deref().unwrap_or_default();
        let order = if self.descending { ", order=desc" } else { "" };
        format!("{} ]{last}..{end}; max={}{order}", self.field.as_str(), self.max)
    }

    /// True when a row with this key lies before the end asked for, in walking order.
    pub(crate) fn admits_end(&self, key: &str) -> bool {
        self.end.as_deref().is_none_or(|end| if self.descending { key >= end } else { key <= end })
    }

    /// True when a row with this key lies after the start asked for, in walking order.
    pub(crate) fn admits_start(&self, key: &str) -> bool {
        self.start.as_ref().is_none_or(|start| {
            let order =
                if self.descending { start.value.as_str().cmp(key) } else { key.cmp(start.value.as_str()) };
            order.is_gt() || (order.is_eq() && !start.exclusive)
        })
    }
}

fn read_start(text: &str) -> Result<Option<Start>, Refusal> {
    let (value, exclusive) = match text.as_bytes().first() {
        None => return Ok(None),
        Some(b']') => (text.get(1..).unwrap_or_default(), true),
        Some(b'[') => (text.get(1..).unwrap_or_default(), false),
        Some(_) => (text, false),
    };
    if value.is_empty() || value.contains(char::is_whitespace) {
        return Err(Refusal::malformed_range());
    }
    Ok(Some(Start { value: value.to_owned(), exclusive }))
}
