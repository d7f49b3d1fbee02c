//! Carries out a rule's operations on paper: what would be sent, and to whom.
//!
//! Questions that actions ask are only noted here; whoever works on the rule has them answered and begins again.
//!
//! Invariant: nothing leaves from here.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::rules::content::Content;
use crate::rules::instance::{Action, ActionKind, Instance};
use crate::rules::template::{Budget, Scope, text_of};

/// The most items of one `FOR_EACH_ITEM`.
const MOST_ITEMS: usize = 250;
/// The most further questions of one evaluation.
const MOST_QUESTIONS: usize = 250;
/// The most actions of one evaluation.
const MOST_RENDERED: usize = 1_000;

/// An action as it would be carried out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rendered {
    /// Its sort, such as `SEND_EMAIL`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its members, expressions worked out.
    pub content: Json,
    /// Why nothing comes of it; none where something does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsupported: Option<&'static str>,
}

/// The work on one rule's operations.
pub(super) struct Work<'w> {
    rule: &'w Instance,
    budget: &'w Budget,
    /// The answers to further questions, by their texts, as expressions see them.
    answers: &'w BTreeMap<String, Json>,
    /// What expressions see; `SET_PROPERTY` adds to it.
    pub(super) inputs: Map<String, Json>,
    pub(super) rendered: Vec<Rendered>,
    pub(super) notes: Vec<String>,
    /// Further questions without an answer yet.
    pub(super) wanted: Vec<String>,
}

/// Names of items, the outer ones first.
type Locals = Vec<(String, Json)>;

impl<'w> Work<'w> {
    pub(super) fn new(
        rule: &'w Instance,
        budget: &'w Budget,
        answers: &'w BTreeMap<String, Json>,
        inputs: Map<String, Json>,
    ) -> Self {
        Self { rule, budget, answers, inputs, rendered: Vec::new(), notes: Vec::new(), wanted: Vec::new() }
    }

    /// Carries out every operation whose conditions hold; whether there was one.
    pub(super) fn operations(&mut self) -> Result<bool, String> {
        let mut held = false;
        for operation in &self.rule.operations {
            let mut holds = true;
            for condition in &operation.when {
                let scope = Scope::new(&self.inputs, &self.rule.templates, self.budget);
                holds = holds && condition.holds(&scope).map_err(|error| format!("a condition: {error}"))?;
            }
            if holds {
                held = true;
                self.actions(&operation.actions, Locals::new())?;
            }
        }
        Ok(held)
    }

    fn actions(&mut self, actions: &[Action], mut locals: Locals) -> Result<(), String> {
        // Questions come first, because the actions beside them speak of their answers.
        for action in actions.iter().filter(|action| action.kind == ActionKind::JupiterOneQuery) {
            self.question(action, &mut locals)?;
        }
        for action in actions {
            match &action.kind {
                ActionKind::JupiterOneQuery => {}
                ActionKind::ForEachItem => self.each(action, &locals)?,
                ActionKind::SetProperty => {
                    let name = self.member(action, "targetProperty", &locals)?;
                    let value = self.member(action, "targetValue", &locals)?;
                    self.inputs.insert(text_of(&name).into_owned(), value);
                }
                _ => self.render(action, &locals)?,
            }
        }
        Ok(())
    }

    fn question(&mut self, action: &Action, locals: &mut Locals) -> Result<(), String> {
        let text = text_of(&self.member(action, "query", locals)?).into_owned();
        let name = text_of(&self.member(action, "name", locals)?).into_owned();
        let Some(answer) = self.answers.get(&text) else {
            if self.answers.len() + self.wanted.len() >= MOST_QUESTIONS {
                return Err(format!("its actions ask more than {MOST_QUESTIONS} further questions"));
            }
            if !self.wanted.contains(&text) {
                self.wanted.push(text);
            }
            return Ok(());
        };
        let outer = locals.iter().rev().find(|(known, _)| known == "queries").map(|(_, value)| value);
        let mut queries = outer.or_else(|| self.inputs.get("queries")).cloned().unwrap_or_else(|| json!({}));
        if let Some(queries) = queries.as_object_mut() {
            queries.insert(name, answer.clone());
        }
        locals.push(("queries".into(), queries));
        Ok(())
    }

    fn each(&mut self, action: &Action, locals: &Locals) -> Result<(), String> {
        let items = match self.member(action, "items", locals)? {
            Json::Array(items) => items,
            Json::Null => Vec::new(),
            one => vec![one],
        };
        let name = match action.member("itemRef") {
            Some(_) => text_of(&self.member(action, "itemRef", locals)?).into_owned(),
            None => "item".to_owned(),
        };
        if items.len() > MOST_ITEMS {
            self.notes.push(format!("FOR_EACH_ITEM takes the first {MOST_ITEMS} of {} items", items.len()));
        }
        for item in items.into_iter().take(MOST_ITEMS) {
            let mut locals = locals.clone();
            locals.push((name.clone(), item));
            self.actions(&action.actions, locals)?;
        }
        Ok(())
    }

    fn render(&mut self, action: &Action, locals: &Locals) -> Result<(), String> {
        if self.rendered.len() == MOST_RENDERED {
            let note = format!("only the first {MOST_RENDERED} actions are worked out");
            if self.notes.last() != Some(&note) {
                self.notes.push(note);
            }
            return Ok(());
        }
        let mut content = Map::new();
        for (name, member) in &action.members {
            content.insert(
                name.to_string(),
                self.value(member, locals).map_err(|why| told(action, name, &why))?,
            );
        }
        if action.kind == ActionKind::CreateAlert {
            let level = self.inputs.get("alertLevel").cloned().unwrap_or_default();
            content.entry("alertLevel").or_insert(level);
        }
        let unsupported = action.kind.unsupported();
        if let Some(why) = unsupported {
            self.notes.push(format!("{} is not carried out: {why}", action.kind.as_str()));
        }
        let kind = action.kind.as_str().to_owned();
        self.rendered.push(Rendered { kind, content: Json::Object(content), unsupported });
        Ok(())
    }

    fn member(&self, action: &Action, name: &str, locals: &Locals) -> Result<Json, String> {
        let Some(member) = action.member(name) else { return Ok(Json::Null) };
        self.value(member, locals).map_err(|why| told(action, name, &why))
    }

    fn value(&self, content: &Content, locals: &[(String, Json)]) -> Result<Json, String> {
        fn within(scope: &Scope<'_>, locals: &[(String, Json)], content: &Content) -> Result<Json, String> {
            match locals {
                [(name, value), rest @ ..] => within(&scope.with(name, value), rest, content),
                [] => content.evaluate(scope).map_err(|error| error.to_string()),
            }
        }
        let scope = Scope::new(&self.inputs, &self.rule.templates, self.budget);
        within(&scope, locals, content)
    }
}

fn told(action: &Action, member: &str, why: &str) -> String {
    format!("{member} of {}: {why}", action.kind.as_str())
}
