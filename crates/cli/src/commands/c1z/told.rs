//! The columns of what differs, whichever two things were compared.
//!
//! Invariant: each row says in one line what it is about, by name where one is known.

use std::marker::PhantomData;

use metsuke_baton::c1z::RowKind;
use metsuke_baton::compare::{Named, Subject};

use crate::rows::{Cell, Column};
use crate::text::shown;

/// Something that differs.
pub(in crate::commands) trait About {
    /// The first column's name in CSV.
    const NAME: &'static str;
    /// The first column's heading.
    const HEADING: &'static str;
    /// In which way it differs, in a word.
    fn verb(&self) -> &'static str;
    /// What differs.
    fn subject(&self) -> &Subject;
    /// What else there is to tell, in words.
    fn detail(&self) -> Option<String>;
}

/// The columns of rows that differ.
pub(in crate::commands) struct Columns<T>(PhantomData<T>);

impl<T: About + 'static> Columns<T> {
    /// All of them.
    pub(in crate::commands) const ALL: &'static [Column<T>] = &[
        Column::new(T::NAME, T::HEADING, |line| Cell::text(Some(line.verb()))),
        Column::new("kind", "WHAT", |line| Cell::text(Some(line.subject().kind()))),
        Column::table("NAME", |line| Cell::text(Some(name(line.subject())))),
        Column::table("ON", |line| Cell::text(on(line.subject()))),
        Column::csv("resource_type", |line| resource(line, |named| &named.resource_type)),
        Column::csv("resource_id", |line| resource(line, |named| &named.id)),
        Column::csv("resource_name", |line| resource(line, |named| &named.name)),
        Column::csv("entitlement", |line| Cell::text(line.subject().entitlement())),
        Column::csv("principal_type", |line| principal(line, |named| &named.resource_type)),
        Column::csv("principal_id", |line| principal(line, |named| &named.id)),
        Column::csv("principal_name", |line| principal(line, |named| &named.name)),
        Column::new("detail", "DETAIL", |line| Cell::text(line.detail())),
    ];
}

fn resource<T: About>(line: &T, part: fn(&Named) -> &String) -> Cell {
    Cell::text(Some(part(line.subject().resource())))
}

fn principal<T: About>(line: &T, part: fn(&Named) -> &String) -> Cell {
    Cell::text(line.subject().principal().map(part))
}

/// What it is, for a table: whose grant, which entitlement, which resource.
fn name(subject: &Subject) -> String {
    match subject {
        Subject::Resource { resource, .. } => typed(resource),
        Subject::Entitlement { entitlement, .. } => entitlement.clone(),
        Subject::Grant { principal, .. } if principal.resource_type == "user" => principal.shown().to_owned(),
        Subject::Grant { principal, .. } => typed(principal),
    }
}

/// What it is on or in.
fn on(subject: &Subject) -> Option<String> {
    match subject {
        Subject::Resource { parent, .. } => parent.as_ref().map(typed),
        Subject::Entitlement { resource, .. } => Some(typed(resource)),
        Subject::Grant { entitlement, resource, .. } => {
            Some(format!("{} on {}", shown(entitlement), typed(resource)))
        }
    }
}

/// `app billing-api`.
fn typed(named: &Named) -> String {
    format!("{} {}", named.resource_type.replace('_', " "), named.shown())
}

/// The word for rows of a kind.
pub(in crate::commands) const fn plural(kind: RowKind) -> &'static str {
    match kind {
        RowKind::ResourceType => "resource types",
        RowKind::Resource => "resources",
        RowKind::Entitlement => "entitlements",
        RowKind::Grant => "grants",
    }
}
