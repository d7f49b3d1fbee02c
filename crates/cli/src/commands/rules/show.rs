//! `metsuke rules show`: one detection in full.

use std::collections::BTreeMap;

use metsuke_engine::rules::shipped::{Detection, Parameter, ParameterKind};
use serde_json::{Value as Json, json};

use super::{find, needs, observable};
use crate::args::Format;
use crate::context::Context;
use crate::failure::Exit;
use crate::page::Page;
use crate::text::listed;

/// Show a detection: what it finds, what to do about it, and how it looks for it
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The detection's id or name
    #[arg(value_name = "ID")]
    id: String,
}

impl Args {
    /// Prints it.
    ///
    /// # Errors
    ///
    /// [`Failure`](crate::failure::Failure) for an unknown id; what writing to stdout met.
    pub(super) fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let detection = find(&self.id)?;
        if context.output.format == Format::Table {
            context.output.print(&page(context, detection))?;
        } else {
            context.output.document(&document(detection)?)?;
        }
        Ok(Exit::Done)
    }
}

fn document(detection: &Detection) -> anyhow::Result<Json> {
    let mut document = serde_json::to_value(detection)?;
    document["observable"] = json!(observable(detection));
    let queries: BTreeMap<&str, String> = detection.queries().collect();
    document["queries"] = json!(queries);
    Ok(document)
}

fn page(context: &Context, detection: &Detection) -> String {
    let Detection { id, name, title, explanation, false_positives, severity, controls, fix, .. } = detection;
    let mut page = Page::new(context.output);
    page.heading(&format!("{id} {name}"));
    page.say(&format!("{title}. Severity: {severity}."), 0);
    page.line("");
    page.say(explanation, 0);
    page.heading("What to do");
    page.say(&fix.words, 0);
    if !fix.command.is_empty() {
        page.line(&format!("  metsuke {}", fix.command.join(" ")));
    }
    page.heading("When it is meant to be so");
    page.say(false_positives, 0);
    if let Some(why) = &detection.not_observable {
        page.heading("Not observable");
        page.say(&format!("{why}."), 0);
    }
    if let Some(limits) = &detection.limits {
        page.heading("What it cannot see");
        page.say(limits, 0);
    }
    page.heading("Controls");
    page.line(&format!("  SOC 2      {}", controls.soc2.join(", ")));
    page.line(&format!("  ISO 27001  {}", controls.iso27001.join(", ")));
    page.line(&format!("  CIS v8     {}", controls.cis.join(", ")));
    how(&mut page, detection);
    page.into_text()
}

/// What it looks for, and what it is told beforehand.
fn how(page: &mut Page, detection: &Detection) {
    for (name, text) in detection.queries() {
        page.heading(&format!("Query `{name}`"));
        for line in text.lines() {
            page.line(&format!("  {line}"));
        }
    }
    if let Some(change) = detection.change() {
        page.heading("Change");
        let text = serde_json::to_string_pretty(change).unwrap_or_default();
        for line in text.lines() {
            page.line(&format!("  {line}"));
        }
    }
    if !detection.parameters.is_empty() {
        page.heading("Parameters");
    }
    for parameter in &detection.parameters {
        page.say(&described(parameter), 0);
    }
    let needs = needs(detection);
    page.line("");
    if !needs.is_empty() {
        page.line(&format!("Needs: {}", listed(&needs)));
    }
    if detection.not_observable.is_none() {
        page.line(&format!("Run it: metsuke rules run {}", detection.id));
    }
}

fn described(parameter: &Parameter) -> String {
    let Parameter { name, meaning, kind, default } = parameter;
    let default = match default {
        Some(Json::Array(words)) => {
            let words: Vec<&str> = words.iter().filter_map(Json::as_str).collect();
            format!("{} unless said otherwise", listed(&words))
        }
        Some(value) => format!("{value} unless said otherwise"),
        None if *kind == ParameterKind::Domains => {
            "that of the account that reads the estate unless said otherwise".to_owned()
        }
        None => "to be said".to_owned(),
    };
    format!("{name}: {meaning}; {default}")
}
