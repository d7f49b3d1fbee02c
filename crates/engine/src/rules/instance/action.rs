//! The actions of rules: which there are, what each needs, and what it says.
//!
//! Nothing is sent from here.
//!
//! Invariant: an action of a known sort has what the sort needs; one of an unknown sort is kept as it came.

use serde_json::Value as Json;

use crate::rules::content::Content;
use crate::rules::mistake::{Fields, Found};

/// How deep `FOR_EACH_ITEM` may stand in itself.
const MOST_DEPTH: usize = 3;
/// The most actions of one operation.
const MOST_ACTIONS: usize = 100;

/// An action.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// Its sort.
    pub kind: ActionKind,
    /// Its members but for `type` and `actions`, in the order of their names.
    pub members: Vec<(Box<str>, Content)>,
    /// The actions for each item, of `FOR_EACH_ITEM`.
    pub actions: Vec<Action>,
}

/// What a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Text,
    Texts,
    Flag,
    Object,
    Items,
    Any,
    Method,
    Tags,
    Actions,
}

/// The sort of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionKind {
    /// Gives the rule's outcome a property, most often `alertLevel`.
    SetProperty,
    /// Opens an alert, or keeps it open.
    CreateAlert,
    /// Sends an e-mail.
    SendEmail,
    /// Writes into Slack channels.
    SendSlackMessage,
    /// Calls an address.
    Webhook,
    /// Makes a ticket in Jira.
    CreateJiraTicket,
    /// Publishes to an SNS topic.
    PublishSnsMessage,
    /// Sends to an SQS queue.
    SendSqsMessage,
    /// Writes into an S3 bucket.
    SendToS3,
    /// Tags entities.
    TagEntities,
    /// Carries out actions for each item of a list.
    ForEachItem,
    /// Asks a further question, for the actions beside it.
    JupiterOneQuery,
    /// A sort that is not known here: kept as it came, and not carried out.
    Other(Box<str>),
}

type Members = &'static [(&'static str, Shape)];

/// A known sort: its word, what it needs, and what it may have.
struct Sort {
    kind: ActionKind,
    word: &'static str,
    needs: Members,
    may: Members,
}

const fn sort(kind: ActionKind, word: &'static str, needs: Members, may: Members) -> Sort {
    Sort { kind, word, needs, may }
}

static SORTS: [Sort; 12] = [
    sort(
        ActionKind::SetProperty,
        "SET_PROPERTY",
        &[("targetProperty", Shape::Text), ("targetValue", Shape::Any)],
        &[],
    ),
    sort(ActionKind::CreateAlert, "CREATE_ALERT", &[], &[]),
    sort(ActionKind::SendEmail, "SEND_EMAIL", &[("recipients", Shape::Texts)], &[("body", Shape::Text)]),
    sort(
        ActionKind::SendSlackMessage,
        "SEND_SLACK_MESSAGE",
        &[],
        &[
            ("integrationInstanceId", Shape::Text),
            ("webhookUrl", Shape::Text),
            ("channels", Shape::Texts),
            ("body", Shape::Text),
            ("severity", Shape::Text),
        ],
    ),
    sort(
        ActionKind::Webhook,
        "WEBHOOK",
        &[],
        &[
            ("endpoint", Shape::Text),
            ("url", Shape::Text),
            ("method", Shape::Method),
            ("headers", Shape::Object),
        ],
    ),
    sort(
        ActionKind::CreateJiraTicket,
        "CREATE_JIRA_TICKET",
        &[("project", Shape::Text), ("summary", Shape::Text), ("issueType", Shape::Text)],
        &[
            ("integrationInstanceId", Shape::Text),
            ("entityClass", Shape::Text),
            ("additionalFields", Shape::Object),
            ("autoResolve", Shape::Flag),
            ("resolvedStatus", Shape::Text),
            ("updateContentOnChanges", Shape::Flag),
        ],
    ),
    sort(
        ActionKind::PublishSnsMessage,
        "PUBLISH_SNS_MESSAGE",
        &[("topicArn", Shape::Text)],
        &[("integrationInstanceId", Shape::Text)],
    ),
    sort(
        ActionKind::SendSqsMessage,
        "SEND_SQS_MESSAGE",
        &[("queueUrl", Shape::Text)],
        &[("integrationInstanceId", Shape::Text)],
    ),
    sort(
        ActionKind::SendToS3,
        "SEND_TO_S3",
        &[("bucket", Shape::Text)],
        &[("integrationInstanceId", Shape::Text), ("region", Shape::Text)],
    ),
    sort(ActionKind::TagEntities, "TAG_ENTITIES", &[("entities", Shape::Items), ("tags", Shape::Tags)], &[]),
    sort(
        ActionKind::ForEachItem,
        "FOR_EACH_ITEM",
        &[("items", Shape::Items), ("actions", Shape::Actions)],
        &[("itemRef", Shape::Text)],
    ),
    sort(
        ActionKind::JupiterOneQuery,
        "JUPITERONE_QUERY",
        &[("query", Shape::Text), ("name", Shape::Text)],
        &[],
    ),
];

impl ActionKind {
    fn from_word(word: &str) -> Self {
        let known = SORTS.iter().find(|sort| sort.word == word);
        known.map_or_else(|| Self::Other(word.into()), |sort| sort.kind.clone())
    }

    fn sort(&self) -> Option<&'static Sort> {
        SORTS.iter().find(|sort| sort.kind == *self)
    }

    /// The word in documents.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Other(word) => word,
            known => known.sort().map_or("", |sort| sort.word),
        }
    }
}

impl ActionKind {
    /// Why nothing comes of it here; `None` where something does.
    #[must_use]
    pub fn unsupported(&self) -> Option<&'static str> {
        match self {
            Self::Other(_) => Some("this sort of action is not known here"),
            Self::TagEntities => Some("entities bear no tags here"),
            _ => None,
        }
    }
}

impl Action {
    /// Reads a list of actions.
    pub(super) fn read_list(fields: &Fields<'_>, found: &mut Found, depth: usize) -> Vec<Self> {
        let items = fields.list("actions", found);
        if items.len() > MOST_ACTIONS {
            found.mistake(fields.at("actions"), format!("there are more than {MOST_ACTIONS} actions"));
            return Vec::new();
        }
        items.into_iter().filter_map(|(place, item)| Self::read(item, place, found, depth)).collect()
    }

    fn read(json: &Json, place: String, found: &mut Found, depth: usize) -> Option<Self> {
        let fields = Fields::of(json, place, found)?;
        let kind = ActionKind::from_word(fields.needed_text("type", found)?);
        if let Some(why) = kind.unsupported() {
            found.note(fields.at("type"), format!("`{}` is kept and not carried out: {why}", kind.as_str()));
        }
        if let ActionKind::Other(_) = kind {
            let members = fields.names().filter(|name| *name != "type");
            let kept = members
                .map(|name| (name.into(), Content::Plain(fields.get(name).cloned().unwrap_or_default())));
            return Some(Self { members: kept.collect(), kind, actions: Vec::new() });
        }
        check(&kind, &fields, found);
        let mut actions = Vec::new();
        if kind == ActionKind::ForEachItem {
            if depth == MOST_DEPTH {
                found.mistake(
                    fields.place(),
                    format!("FOR_EACH_ITEM stands deeper in itself than {MOST_DEPTH}"),
                );
                return None;
            }
            actions = Self::read_list(&fields, found, depth + 1);
        }
        let inner = |name: &&str| !matches!(*name, "type" | "actions");
        let content = |name: &str| {
            let content = Content::read(fields.get(name).unwrap_or(&Json::Null), &fields.at(name), found);
            (name.into(), content)
        };
        let members = fields.names().filter(inner).map(content).collect();
        Some(Self { kind, members, actions })
    }

    /// A member.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Content> {
        self.members.iter().find(|(known, _)| &**known == name).map(|(_, content)| content)
    }
}

/// Names what a known sort lacks, and what does not fit.
fn check(kind: &ActionKind, fields: &Fields<'_>, found: &mut Found) {
    let Some(sort) = kind.sort() else { return };
    for (name, _) in sort.needs.iter().filter(|(name, _)| fields.get(name).is_none()) {
        found.mistake(fields.at(name), "this is missing");
    }
    for (name, shape) in sort.needs.iter().chain(sort.may) {
        if let Some(wanted) = fields.get(name).and_then(|value| misfit(*shape, value)) {
            found.mistake(fields.at(name), format!("this should be {wanted}"));
        }
    }
    let lacks = |name: &str| fields.get(name).is_none();
    match kind {
        ActionKind::Webhook if lacks("endpoint") && lacks("url") => {
            found.mistake(fields.at("endpoint"), "this is missing");
        }
        ActionKind::SendSlackMessage if lacks("integrationInstanceId") && lacks("webhookUrl") => {
            found.mistake(fields.place(), "neither integrationInstanceId nor webhookUrl says where to");
        }
        _ => {}
    }
}

/// What a value should be and is not. A text with an expression in it may become anything.
fn misfit(shape: Shape, value: &Json) -> Option<&'static str> {
    let word = value.as_str();
    if word.is_some_and(|word| word.contains("{{")) {
        return None;
    }
    let (fits, wanted) = match shape {
        Shape::Any => (true, "anything"),
        Shape::Text => (word.is_some_and(|word| !word.is_empty()), "a text that is not empty"),
        Shape::Texts => (word.is_some() || all(value, Json::is_string), "a list of texts"),
        Shape::Flag => (value.is_boolean(), "true or false"),
        Shape::Object => (value.is_object(), "an object"),
        Shape::Items => (value.is_array(), "a list, or an expression for one"),
        Shape::Method => {
            let known = ["POST", "PUT", "GET", "HEAD", "PATCH", "DELETE"];
            (word.is_some_and(|word| known.contains(&word)), "POST, PUT, GET, HEAD, PATCH or DELETE")
        }
        Shape::Tags => {
            let tag = |tag: &Json| tag.get("name").is_some_and(Json::is_string) && tag.get("value").is_some();
            (all(value, tag), "a list of {name, value}")
        }
        Shape::Actions => (value.as_array().is_some_and(|items| !items.is_empty()), "a list of actions"),
    };
    (!fits).then_some(wanted)
}

fn all(value: &Json, fits: impl Fn(&Json) -> bool) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(fits))
}
