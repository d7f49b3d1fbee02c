//! Makes issues in Jira and moves them on, in Jira Cloud and on a server of one's own.
//!
//! What an issue says is the caller's.
//!
//! Invariant: an issue of ours bears the message's id as a label, and one that bears it is not made again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value as Json, json};
use url::Url;

use super::{Failed, FailedKind, Message, Outside, Taken};

/// A Jira, and how to be known there.
#[derive(Debug)]
pub struct Jira<'j> {
    /// The way out.
    pub outside: &'j Outside,
    /// Its address.
    pub base: &'j Url,
    /// The user's address; without one, the token is a personal access token of a server of one's own.
    pub user: Option<&'j str>,
    /// The token.
    pub token: &'j SecretString,
}

/// An issue to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue<'i> {
    /// The project's key.
    pub project: &'i str,
    /// The name of the issue's type.
    pub kind: &'i str,
    /// Its title.
    pub summary: &'i str,
    /// Its text, line by line.
    pub text: &'i str,
    /// The label that tells it from every other.
    pub label: &'i str,
    /// Further fields, as Jira knows them.
    pub fields: &'i serde_json::Map<String, Json>,
}

impl Jira<'_> {
    /// Makes an issue and gives its key; that of an issue with the same label, if there is one.
    ///
    /// # Errors
    ///
    /// [`Failed`] where no issue was made, or nobody knows whether it was.
    pub async fn create(&self, issue: &Issue<'_>, again: bool) -> Result<String, Failed> {
        if again && let Some(key) = self.labelled(issue.label).await? {
            return Ok(key);
        }
        let mut fields = issue.fields.clone();
        fields.insert("project".into(), json!({ "key": issue.project }));
        fields.insert("issuetype".into(), json!({ "name": issue.kind }));
        fields.insert("summary".into(), issue.summary.into());
        fields.insert("description".into(), self.description(issue.text));
        fields.insert("labels".into(), json!(["metsuke", issue.label]));
        let taken = self.ask("POST", &["issue"], &json!({ "fields": fields })).await?;
        key(&taken, "/key").ok_or_else(|| Failed::new(FailedKind::Unreached, "Jira told no key of the issue"))
    }

    /// Moves an issue to a status, by the transition that leads there.
    ///
    /// # Errors
    ///
    /// [`Failed`] where there is no such transition, or it was not taken.
    pub async fn resolve(&self, key: &str, status: &str) -> Result<(), Failed> {
        let taken = self.ask("GET", &["issue", key, "transitions"], &Json::Null).await?;
        let listed: Json = serde_json::from_str(&taken.body).unwrap_or_default();
        let leads = |transition: &&Json| {
            [&transition["to"]["name"], &transition["name"]]
                .iter()
                .any(|name| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case(status)))
        };
        let transitions = listed["transitions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let Some(id) = transitions.iter().find(leads).and_then(|transition| transition["id"].as_str()) else {
            // It is there already, or the workflow has no such way.
            let why = format!("no transition of {key} leads to `{status}`");
            return Err(Failed::new(FailedKind::Answered(409), why));
        };
        let body = json!({ "transition": { "id": id } });
        self.ask("POST", &["issue", key, "transitions"], &body).await.map(|_| ())
    }

    /// The issue that bears a label.
    async fn labelled(&self, label: &str) -> Result<Option<String>, Failed> {
        let body = json!({ "jql": format!("labels = \"{label}\""), "maxResults": 1, "fields": ["key"] });
        let path: &[&str] = if self.user.is_some() { &["search", "jql"] } else { &["search"] };
        let taken = self.ask("POST", path, &body).await?;
        Ok(key(&taken, "/issues/0/key"))
    }

    fn description(&self, text: &str) -> Json {
        if self.user.is_none() {
            // Jira: the older API reads wiki markup; what stands between these is shown as it is.
            return format!("{{noformat}}\n{}\n{{noformat}}", text.replace("{noformat", "{ noformat")).into();
        }
        let paragraph = |line: &str| match line.trim_end() {
            "" => json!({ "type": "paragraph", "content": [] }),
            line => json!({ "type": "paragraph", "content": [{ "type": "text", "text": line }] }),
        };
        json!({ "type": "doc", "version": 1, "content": text.lines().map(paragraph).collect::<Vec<_>>() })
    }

    async fn ask(&self, method: &'static str, path: &[&str], body: &Json) -> Result<Taken, Failed> {
        let mut url = self.base.clone();
        let version = if self.user.is_some() { "3" } else { "2" };
        match url.path_segments_mut() {
            Ok(mut segments) => _ = segments.pop_if_empty().extend(["rest", "api", version]).extend(path),
            Err(()) => return Err(Failed::new(FailedKind::Settings, "the address of Jira has no path")),
        }
        let token = self.token.expose_secret();
        let known = match self.user {
            Some(user) => format!("Basic {}", STANDARD.encode(format!("{user}:{token}"))),
            None => format!("Bearer {token}"),
        };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = vec![
            ("authorization".to_owned(), known.into()),
            ("accept".to_owned(), "application/json".into()),
        ];
        let message = Message { method, url, headers, content_type: "application/json", body };
        self.outside.send(&message).await
    }
}

fn key(taken: &Taken, place: &str) -> Option<String> {
    let answer: Json = serde_json::from_str(&taken.body).ok()?;
    let key = answer.pointer(place)?.as_str()?;
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    (!key.is_empty() && key.len() <= 100 && key.chars().all(fits)).then(|| key.to_owned())
}
