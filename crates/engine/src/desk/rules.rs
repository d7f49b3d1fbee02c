//! Rules of an installation: the shipped detections with what is set of them, and rules of people's own.
//!
//! What a rule means is [`rules`](crate::rules)'s to say; evaluating them follows each version.
//!
//! Invariant: a rule is kept only if it can be read whole; each change has its event.

use metsuke_model::audit::EventCode;
use metsuke_model::{Moment, RuleId};
use metsuke_store::RuleRow;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Desk;
use crate::EngineError;
use crate::identity::Caller;
use crate::rules::shipped::{self, Detection, Values};
use crate::rules::{Instance, export, import};

/// A rule as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct RuleShown {
    /// Its id: `D01` and so on for shipped ones.
    pub id: String,
    /// `shipped` or `own`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What it finds, in words.
    pub title: Option<String>,
    /// How bad that is; null where the rule itself sets it.
    pub severity: Option<Value>,
    /// Whether it is evaluated.
    pub enabled: bool,
    /// How often it was changed; 0 for a shipped one that nobody has changed.
    pub revision: i64,
    /// When it was changed.
    pub updated_at: Option<Moment>,
    /// What is set of a shipped one's parameters.
    pub parameters: Map<String, Value>,
    /// The whole: the detection, or the rule in JupiterOne's form.
    pub document: Value,
}

impl RuleShown {
    /// The kind of a shipped detection.
    pub const SHIPPED: &'static str = SHIPPED;
    /// The kind of a rule of somebody's own.
    pub const OWN: &'static str = OWN;
}

const SHIPPED: &str = "shipped";
const OWN: &str = "own";

/// What came of an import.
#[derive(Clone, Debug, Serialize)]
pub struct RulesTaken {
    /// The rules that are kept now.
    pub rules: Vec<RuleShown>,
    /// What is odd about them, or not done here.
    pub notes: Vec<String>,
}

impl Desk {
    /// Every rule: shipped ones first, then people's own by name.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn rules(&self) -> Result<Vec<RuleShown>, EngineError> {
        let rows = self.installation().main().rules().await?;
        let set =
            |detection: &Detection| rows.iter().find(|row| row.kind == SHIPPED && row.id == *detection.id);
        let mut all: Vec<RuleShown> =
            shipped::all().iter().map(|detection| of_detection(detection, set(detection))).collect();
        let mut own: Vec<RuleShown> = rows.iter().filter(|row| row.kind == OWN).map(of_row).collect();
        own.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        all.extend(own);
        Ok(all)
    }

    /// The rule of this id.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`], and what the database said.
    pub async fn rule(&self, id: &str) -> Result<RuleShown, EngineError> {
        let found = self.rules().await?.into_iter().find(|rule| rule.id == id);
        found.ok_or_else(|| EngineError::Unknown { what: "rule", asked: id.into() })
    }

    /// Keeps a rule of somebody's own: a new one, or in the place of the one with this id.
    ///
    /// # Errors
    ///
    /// [`EngineError::Mistakes`], [`EngineError::Unknown`], [`EngineError::Fields`] for a name that another rule has, and what the database said.
    pub async fn save_rule(
        &self,
        caller: &Caller,
        id: Option<&str>,
        document: &Value,
        enabled: bool,
    ) -> Result<RuleShown, EngineError> {
        let rule = Instance::read(document).map_err(EngineError::Mistakes)?;
        let known = self.rules().await?;
        if known.iter().any(|other| *other.name == *rule.name && Some(&*other.id) != id) {
            return Err(EngineError::field("name", format!("there is a rule `{}` already", rule.name)));
        }
        let id = match id {
            None => RuleId::new(self.installation().clock().now(), self.installation().chance()?).to_string(),
            Some(id) => match known.iter().find(|rule| rule.id == id && rule.kind == OWN) {
                Some(rule) => rule.id.clone(),
                None => return Err(EngineError::Unknown { what: "rule of one's own", asked: id.into() }),
            },
        };
        let mut document = document.clone();
        if let Some(members) = document.as_object_mut() {
            members.insert("id".into(), id.clone().into());
        }
        self.put(
            caller,
            RuleRow {
                id: id.clone(),
                kind: OWN.into(),
                enabled,
                revision: 0,
                updated_at: self.installation().clock().now(),
                document,
            },
        )
        .await?;
        self.rule(&id).await
    }

    /// Turns a rule on or off, or sets parameters of a shipped one.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`], [`EngineError::Fields`] for parameters that the detection does not take, and what the database said.
    pub async fn set_rule(
        &self,
        caller: &Caller,
        id: &str,
        enabled: Option<bool>,
        parameters: Option<Map<String, Value>>,
    ) -> Result<RuleShown, EngineError> {
        let before = self.rule(id).await?;
        let document = match (shipped::find(id).filter(|_| before.kind == SHIPPED), parameters) {
            (Some(detection), Some(parameters)) => {
                fits(detection, &parameters).map_err(|told| EngineError::field("parameters", told))?;
                Value::Object(parameters)
            }
            (Some(_), None) => Value::Object(before.parameters),
            (None, None) => before.document,
            (None, Some(_)) => {
                return Err(EngineError::field("parameters", "only shipped rules have parameters"));
            }
        };
        self.put(
            caller,
            RuleRow {
                id: before.id,
                kind: before.kind.into(),
                enabled: enabled.unwrap_or(before.enabled),
                revision: before.revision,
                updated_at: self.installation().clock().now(),
                document,
            },
        )
        .await?;
        self.rule(id).await
    }

    /// Removes a rule of somebody's own; what is set of a shipped one is forgotten.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`], and what the database said.
    pub async fn remove_rule(&self, caller: &Caller, id: &str) -> Result<(), EngineError> {
        let rule = self.rule(id).await?;
        let store = self.installation().main().clone().acting_as(caller.actor());
        let event = store
            .event(self.installation().clock().now(), EventCode::RuleRemoved)
            .about("rule", rule.id.clone())
            .detail("name", rule.name);
        store.remove_rule(&rule.id, event).await?;
        Ok(())
    }

    /// Keeps the rules of a file: all of them or none. One with the name of a kept one takes its place.
    ///
    /// # Errors
    ///
    /// As [`save_rule`](Self::save_rule).
    pub async fn import_rules(&self, caller: &Caller, text: &str) -> Result<RulesTaken, EngineError> {
        let read = import(text).map_err(EngineError::Mistakes)?;
        let known = self.rules().await?;
        if let Some(rule) = read
            .rules
            .iter()
            .find(|rule| known.iter().any(|known| known.kind == SHIPPED && *known.name == *rule.name))
        {
            return Err(EngineError::field("name", format!("there is a rule `{}` already", rule.name)));
        }
        let mut rules = Vec::new();
        for rule in &read.rules {
            let before = known.iter().find(|known| known.kind == OWN && *known.name == *rule.name);
            let enabled = before.is_none_or(|before| before.enabled);
            let document = json!(rule.document());
            rules.push(self.save_rule(caller, before.map(|before| &*before.id), &document, enabled).await?);
        }
        Ok(RulesTaken { rules, notes: read.notes.iter().map(ToString::to_string).collect() })
    }

    /// People's own rules as JupiterOne takes them, and what does not go out.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn export_rules(&self) -> Result<Value, EngineError> {
        let rows = self.installation().main().rules().await?;
        let own = rows.iter().filter(|row| row.kind == OWN);
        let rules: Vec<Instance> = own.filter_map(|row| Instance::read(&row.document).ok()).collect();
        let out = export(&rules);
        let left_out: Vec<String> = out.left_out.iter().map(ToString::to_string).collect();
        Ok(json!({ "rules": out.document, "left_out": left_out }))
    }

    async fn put(&self, caller: &Caller, row: RuleRow) -> Result<(), EngineError> {
        let store = self.installation().main().clone().acting_as(caller.actor());
        let event = store
            .event(row.updated_at, EventCode::RuleSaved)
            .about("rule", row.id.clone())
            .detail("kind", row.kind.clone())
            .detail("enabled", row.enabled);
        store.put_rule(&row, event).await?;
        Ok(())
    }
}

/// Whether a detection takes these values.
fn fits(detection: &Detection, parameters: &Map<String, Value>) -> Result<(), String> {
    let known = |name: &str| detection.parameters.iter().any(|parameter| *parameter.name == *name);
    if let Some(name) = parameters.keys().find(|name| !known(name)) {
        return Err(format!("there is no parameter `{name}`"));
    }
    let mut values: Values = parameters.clone().into_iter().collect();
    // What nobody says and has no default is found out of the estate: its own domain.
    for open in detection.parameters.iter().filter(|parameter| parameter.default.is_none()) {
        values.entry(open.name.to_string()).or_insert_with(|| "example.com".into());
    }
    detection.rule(&values).map(|_| ())
}

fn of_detection(detection: &Detection, row: Option<&RuleRow>) -> RuleShown {
    let parameters = row.and_then(|row| row.document.as_object()).cloned().unwrap_or_default();
    RuleShown {
        id: detection.id.to_string(),
        kind: SHIPPED,
        name: detection.name.to_string(),
        title: Some(detection.title.to_string()),
        severity: Some(json!(detection.severity)),
        enabled: row.is_none_or(|row| row.enabled),
        revision: row.map_or(0, |row| row.revision),
        updated_at: row.map(|row| row.updated_at),
        parameters,
        document: json!(detection),
    }
}

fn of_row(row: &RuleRow) -> RuleShown {
    let text = |name: &str| row.document.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    RuleShown {
        id: row.id.clone(),
        kind: OWN,
        name: text("name").unwrap_or_default(),
        title: text("description"),
        severity: None,
        enabled: row.enabled,
        revision: row.revision,
        updated_at: Some(row.updated_at),
        parameters: Map::new(),
        document: row.document.clone(),
    }
}
