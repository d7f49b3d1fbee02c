//! What the contract demands of messages: lengths, required parts, known words.
//!
//! Source: the validation rules that the ecosystem writes beside its fields. Lengths are in bytes. What a message carries
//! as packed annotations is not looked at, and requests that are refused whatever they say are not checked either.
//!
//! Invariant: what breaks a rule is named by its field, and never repeated.

mod answers;
mod requests;

use std::collections::HashSet;

use super::failure::{Code, Failure};

/// The longest id.
const ID: usize = 1_024;
/// The longest name that is shown.
const NAME: usize = 1_024;
/// The longest token of a page.
const TOKEN: usize = 1 << 20;
/// The longest cursor of a feed of events.
const CURSOR: usize = 4_096;
/// The most rows of a page that may be asked for.
const PAGE: u32 = 250;
/// The most events of a page that may be asked for.
const EVENTS: u32 = 1_000;

/// A rule that a message breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    field: String,
    rule: String,
}

impl Broken {
    fn new(field: &str, rule: impl Into<String>) -> Self {
        Self { field: field.to_owned(), rule: rule.into() }
    }

    /// The same inside a part of a larger message.
    fn inside(mut self, part: &str) -> Self {
        self.field = format!("{part}.{}", self.field);
        self
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        format!("`{}` {}", self.field, self.rule)
    }
}

type Checked = Result<(), Broken>;

/// A message that has rules.
pub(super) trait Rules {
    /// Checks them all.
    ///
    /// # Errors
    ///
    /// The first that is broken.
    fn check(&self) -> Checked;
}

/// Refuses a request that breaks a rule.
pub(super) fn asked(request: &impl Rules) -> Result<(), Failure> {
    request
        .check()
        .map_err(|broken| Failure::new(Code::InvalidArgument, format!("invalid request: {}", broken.words())))
}

/// Keeps back an answer that breaks a rule: its receiver would refuse it, and say less.
pub(super) fn answered(answer: &impl Rules) -> Result<(), Failure> {
    answer
        .check()
        .map_err(|broken| Failure::new(Code::Internal, format!("invalid answer: {}", broken.words())))
}

fn text(field: &str, text: &str, most: usize) -> Checked {
    if text.is_empty() {
        return Err(Broken::new(field, "is required"));
    }
    optional_text(field, text, most)
}

fn optional_text(field: &str, text: &str, most: usize) -> Checked {
    if text.len() > most {
        return Err(Broken::new(field, format!("is longer than {most} bytes")));
    }
    Ok(())
}

fn at_most(field: &str, number: u32, most: u32) -> Checked {
    if number > most {
        return Err(Broken::new(field, format!("is more than {most}")));
    }
    Ok(())
}

/// A part that must be there, and keep its own rules.
fn required<M: Rules>(field: &str, part: Option<&M>) -> Checked {
    let part = part.ok_or_else(|| Broken::new(field, "is required"))?;
    part.check().map_err(|broken| broken.inside(field))
}

/// A part that may be missing.
fn optional<M: Rules>(field: &str, part: Option<&M>) -> Checked {
    part.map_or(Ok(()), |part| part.check().map_err(|broken| broken.inside(field)))
}

fn each<M: Rules>(field: &str, parts: &[M]) -> Checked {
    parts.iter().enumerate().try_for_each(|(place, part)| {
        part.check().map_err(|broken| broken.inside(&format!("{field}[{place}]")))
    })
}

/// Numbers that each stand for something known, and each stand there once.
fn known<E: TryFrom<i32>>(field: &str, numbers: &[i32]) -> Checked {
    if numbers.iter().any(|number| E::try_from(*number).is_err()) {
        return Err(Broken::new(field, "holds an unknown value"));
    }
    if numbers.iter().collect::<HashSet<_>>().len() < numbers.len() {
        return Err(Broken::new(field, "holds a value twice"));
    }
    Ok(())
}

fn https(field: &str, address: &str) -> Checked {
    optional_text(field, address, NAME)?;
    if address.is_empty() || address.starts_with("https://") {
        return Ok(());
    }
    Err(Broken::new(field, "is no https address"))
}

/// Page size, page token and sync of a listing.
fn listing(page_size: u32, page_token: &str, sync: &str) -> Checked {
    at_most("page_size", page_size, PAGE)?;
    optional_text("page_token", page_token, TOKEN)?;
    optional_text("active_sync_id", sync, ID)
}

fn next_page(token: &str) -> Checked {
    optional_text("next_page_token", token, TOKEN)
}
