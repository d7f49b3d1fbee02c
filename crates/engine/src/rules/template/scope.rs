//! What the names in an expression stand for.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::{Budget, Template};

/// The named templates of a rule.
pub type Templates = BTreeMap<String, Template>;

/// Names and their values, inner ones before outer ones.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'v> {
    outer: Outer<'v>,
    pub(super) templates: &'v Templates,
    pub(super) budget: &'v Budget,
    /// The element that a filter looks at.
    pub(super) element: Option<&'v Json>,
}

#[derive(Clone, Copy, Debug)]
enum Outer<'v> {
    Inputs(&'v Map<String, Json>),
    With { name: &'v str, value: &'v Json, outer: &'v Outer<'v> },
}

impl<'v> Scope<'v> {
    /// A scope of these values.
    #[must_use]
    pub const fn new(inputs: &'v Map<String, Json>, templates: &'v Templates, budget: &'v Budget) -> Self {
        Self { outer: Outer::Inputs(inputs), templates, budget, element: None }
    }

    /// The same with one name more.
    #[must_use]
    pub const fn with<'i>(&'i self, name: &'i str, value: &'i Json) -> Scope<'i>
    where
        'v: 'i,
    {
        Scope {
            outer: Outer::With { name, value, outer: &self.outer },
            templates: self.templates,
            budget: self.budget,
            element: None,
        }
    }

    /// The same, paid for from another budget.
    #[must_use]
    pub const fn spending<'i>(&'i self, budget: &'i Budget) -> Scope<'i>
    where
        'v: 'i,
    {
        Scope { outer: self.outer, templates: self.templates, budget, element: self.element }
    }

    /// The same, looking at an element of a list.
    pub(super) const fn looking_at<'i>(&'i self, element: &'i Json) -> Scope<'i>
    where
        'v: 'i,
    {
        Scope { outer: self.outer, templates: self.templates, budget: self.budget, element: Some(element) }
    }

    /// What a name stands for.
    pub(super) fn value(&self, wanted: &str) -> Option<&'v Json> {
        let mut at = self.outer;
        loop {
            match at {
                Outer::Inputs(inputs) => return inputs.get(wanted),
                Outer::With { name, value, .. } if name == wanted => return Some(value),
                Outer::With { outer, .. } => at = *outer,
            }
        }
    }
}
