//! The form of a rule of one's own: its fields as the document that is kept, and such a document as fields again.
//!
//! Invariant: fields that are read from a document write the same document; one that says more than the form can is none of its.

use metsuke_engine::rules::Level;
use serde_json::{Map, Value, json};

use crate::form::Form;
use crate::site::words::listed;

/// The one query's name.
const QUERY: &str = "query0";
/// How the rows may be compared, in documents and in words.
pub(super) const OPERATORS: [(&str, &str); 5] =
    [(">", "more than"), (">=", "at least"), ("<", "fewer than"), ("=", "exactly"), ("!=", "other than")];

/// What the form holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fields {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) severity: String,
    pub(super) query: String,
    pub(super) operator: String,
    pub(super) rows: String,
    pub(super) interval: String,
    /// Whom a mail goes to beside what channels are told.
    pub(super) mail: String,
    pub(super) fix: String,
    pub(super) only_new: bool,
    pub(super) notify: bool,
    pub(super) enabled: bool,
}

impl Default for Fields {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            severity: Level::Medium.as_str().to_owned(),
            query: String::new(),
            operator: ">".to_owned(),
            rows: "0".to_owned(),
            interval: "ONE_DAY".to_owned(),
            mail: String::new(),
            fix: String::new(),
            only_new: false,
            notify: false,
            enabled: true,
        }
    }
}

impl Fields {
    /// What somebody sent.
    pub(super) fn of(form: &Form) -> Self {
        let text = |name: &str| form.text(name).replace("\r\n", "\n").trim().to_owned();
        Self {
            name: text("name"),
            description: text("description"),
            severity: text("severity"),
            query: text("q"),
            operator: text("operator"),
            rows: text("rows"),
            interval: text("interval"),
            mail: text("mail"),
            fix: text("fix"),
            only_new: !text("only_new").is_empty(),
            notify: !text("notify").is_empty(),
            enabled: !text("enabled").is_empty(),
        }
    }

    /// The rule that the fields say.
    pub(super) fn document(&self) -> Value {
        let rows = self.rows.parse::<u64>().map_or_else(|_| Value::from(&*self.rows), Value::from);
        let mut actions = vec![
            json!({ "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": self.severity }),
            json!({ "type": "CREATE_ALERT" }),
        ];
        let people: Vec<&str> =
            self.mail.split([',', ';', ' ', '\n']).map(str::trim).filter(|one| !one.is_empty()).collect();
        if !people.is_empty() {
            actions.push(json!({ "type": "SEND_EMAIL", "recipients": people }));
        }
        let condition = json!(["AND", [format!("queries.{QUERY}.total"), self.operator, rows]]);
        let mut document = json!({
            "name": self.name,
            "specVersion": 1,
            "pollingInterval": self.interval,
            "question": { "queries": [{ "name": QUERY, "query": self.query, "version": "v1" }] },
            "operations": [{
                "when": { "type": "FILTER", "specVersion": 1, "condition": condition },
                "actions": actions,
            }],
            "outputs": [format!("queries.{QUERY}.total"), "alertLevel"],
        });
        if let Some(members) = document.as_object_mut() {
            let mut text = |name: &str, text: &str| {
                if !text.is_empty() {
                    members.insert(name.to_owned(), text.into());
                }
            };
            text("description", &self.description);
            text("remediationSteps", &self.fix);
            if self.only_new {
                members.insert("triggerActionsOnNewEntitiesOnly".to_owned(), true.into());
            }
            if self.notify {
                members.insert("notifyOnFailure".to_owned(), true.into());
            }
        }
        document
    }

    /// The fields of a document; none for one that says more than the form can.
    pub(super) fn read(document: &Map<String, Value>, enabled: bool) -> Option<Self> {
        let whole = Value::Object(document.clone());
        let at = |place: &str| whole.pointer(place);
        let text = |place: &str| at(place).and_then(Value::as_str).unwrap_or_default().to_owned();
        let people: Vec<&str> = at("/operations/0/actions/2/recipients")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let condition = "/operations/0/when/condition/1";
        let read = Self {
            name: text("/name"),
            description: text("/description"),
            severity: text("/operations/0/actions/0/targetValue"),
            query: text("/question/queries/0/query"),
            operator: text(&format!("{condition}/1")),
            rows: at(&format!("{condition}/2"))
                .and_then(Value::as_u64)
                .map(|rows| rows.to_string())
                .unwrap_or_default(),
            interval: text("/pollingInterval"),
            mail: people.join(", "),
            fix: text("/remediationSteps"),
            only_new: at("/triggerActionsOnNewEntitiesOnly") == Some(&Value::Bool(true)),
            notify: at("/notifyOnFailure") == Some(&Value::Bool(true)),
            enabled,
        };
        let mut kept = document.clone();
        kept.remove("id");
        (read.document() == Value::Object(kept)).then_some(read)
    }

    /// The field that a place of the document was made of.
    pub(super) fn field(place: &str) -> &'static str {
        let begins = |start: &str| place.starts_with(start);
        match place {
            "name" | "description" => {
                if place == "name" {
                    "name"
                } else {
                    "description"
                }
            }
            _ if begins("question") => "q",
            _ if begins("operations[0].when") => "rows",
            _ if begins("operations[0].actions[0]") => "severity",
            _ if begins("operations[0].actions[2]") => "mail",
            _ if begins("pollingInterval") => "interval",
            _ if begins("remediationSteps") => "fix",
            _ => "",
        }
    }

    /// What is wrong with the fields that no document tells.
    pub(super) fn wrong(&self) -> Vec<(String, String)> {
        let mut wrong = Vec::new();
        if self.rows.parse::<u32>().is_err() {
            wrong.push(("rows".to_owned(), "it is a whole number".to_owned()));
        }
        if self.severity.parse::<Level>().is_err() {
            let known: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
            wrong.push(("severity".to_owned(), format!("it is {}", listed(&known))));
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use metsuke_engine::rules::Instance;

    use super::*;

    fn fields() -> Fields {
        Fields {
            name: "admins".into(),
            description: "who is admin".into(),
            query: "FIND heroku_team".into(),
            rows: "10".into(),
            mail: "ann@example.com, bob@example.com".into(),
            only_new: true,
            notify: true,
            ..Fields::default()
        }
    }

    #[test]
    fn fields_are_a_rule_and_the_rule_is_the_fields_again() {
        let document = fields().document();
        assert!(Instance::read(&document).is_ok(), "{document}");
        let members = document.as_object().unwrap();
        assert_eq!(Fields::read(members, true), Some(fields()));
    }

    #[test]
    fn what_says_more_than_the_form_is_none_of_its() {
        let mut document = fields().document();
        document["labels"] = json!([{ "labelName": "team", "labelValue": "core" }]);
        assert_eq!(Fields::read(document.as_object().unwrap(), true), None);
        let mut other = fields().document();
        other["operations"][0]["when"]["condition"] = json!("{{queries.query0.total > 10}}");
        assert_eq!(Fields::read(other.as_object().unwrap(), true), None);
    }

    #[test]
    fn each_mistake_stands_by_the_field_that_it_is_about() {
        let wrong = Fields { query: "FIND (".into(), name: String::new(), ..fields() };
        let mistakes = Instance::read(&wrong.document()).unwrap_err();
        let named: Vec<&str> = mistakes.iter().map(|mistake| Fields::field(&mistake.place)).collect();
        assert!(named.contains(&"name") && named.contains(&"q"), "{mistakes:?}");
    }
}
