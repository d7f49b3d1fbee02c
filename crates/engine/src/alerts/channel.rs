//! Channels: where alerts go, which ones, and when.
//!
//! Secrets come sealed and are opened by whoever holds the key.
//!
//! Invariant: settings were read and judged before they are stored; no secret stands in them.

use std::fmt;

use metsuke_store::ChannelRow;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::quiet::Quiet;
use crate::EngineError;
use crate::rules::Level;

/// A channel, ready to be used.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether anything is sent.
    pub enabled: bool,
    /// Its settings.
    pub settings: ChannelSettings,
    /// Its secret: Slack's address, a signing secret, a password, a token.
    pub secret: Option<SecretString>,
}

/// Opens a sealed secret; it is told the channel's id.
pub type Unseal<'u> = dyn Fn(&str, &[u8]) -> Result<SecretString, EngineError> + 'u;

/// A channel's settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ChannelSettings {
    /// How it is told.
    pub way: Way,
    /// The least level that it is told.
    #[serde(default = "least")]
    pub level: Level,
    /// The rules, by id or name, that it is told of; all without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// It is told what is gone, too.
    #[serde(default = "yes")]
    pub resolved: bool,
    /// Everything of so many minutes goes into one message; 0 for each at once.
    #[serde(default)]
    pub digest_minutes: u32,
    /// When it is told nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
    /// What is critical waits neither for a digest nor for the end of quiet hours.
    #[serde(default = "yes")]
    pub critical_passes: bool,
}

/// How a channel is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Way {
    /// A message in Slack, by an incoming webhook; its address is the secret.
    Slack {},
    /// A signed request, in the manner of Standard Webhooks; the secret signs.
    Webhook {
        /// Where to.
        url: String,
    },
    /// The same with a body in the form of an SNS notification.
    Sns {
        /// Where to.
        url: String,
        /// The topic.
        topic_arn: String,
    },
    /// The same with a body in the form of SQS's `SendMessage`.
    Sqs {
        /// Where to.
        url: String,
        /// The queue.
        queue_url: String,
    },
    /// A mail; the secret is the password.
    Mail {
        /// The mail server.
        host: String,
        /// Its port; the usual one without.
        #[serde(default)]
        port: Option<u16>,
        /// How the connection is encrypted.
        #[serde(default)]
        encryption: Encryption,
        /// The user, where the server wants one.
        #[serde(default)]
        user: Option<String>,
        /// Who sends it.
        from: String,
        /// Who gets it.
        to: Vec<String>,
    },
    /// An issue in Jira; the secret is the token.
    Jira {
        /// Jira's address.
        url: String,
        /// The user, of Jira Cloud.
        #[serde(default)]
        user: Option<String>,
        /// The project's key.
        project: String,
        /// The issue's type.
        #[serde(default = "task")]
        issue_type: String,
        /// The status that an issue gets when its finding is resolved.
        #[serde(default)]
        resolved_status: Option<String>,
        /// Further fields.
        #[serde(default)]
        fields: Map<String, Json>,
    },
    /// A line in the log.
    Log {},
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// From the first byte on.
    #[default]
    Tls,
    /// After a first word in the clear.
    StartTls,
    /// None; only where the installation allows it.
    None,
}

const fn least() -> Level {
    Level::Info
}

const fn yes() -> bool {
    true
}

fn task() -> String {
    "Task".to_owned()
}

impl Way {
    /// The word for its sort.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Slack {} => "slack",
            Self::Webhook { .. } => "webhook",
            Self::Sns { .. } => "sns",
            Self::Sqs { .. } => "sqs",
            Self::Mail { .. } => "mail",
            Self::Jira { .. } => "jira",
            Self::Log {} => "log",
        }
    }

    /// What its secret is, where it needs one.
    #[must_use]
    pub const fn needs(&self) -> Option<&'static str> {
        match self {
            Self::Slack {} => Some("the address of the incoming webhook"),
            Self::Webhook { .. } | Self::Sns { .. } | Self::Sqs { .. } => Some("the signing secret"),
            Self::Mail { user: Some(_), .. } => Some("the password"),
            Self::Jira { .. } => Some("the token"),
            Self::Mail { user: None, .. } | Self::Log {} => None,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slack {} | Self::Log {} => f.write_str(self.kind()),
            Self::Webhook { url } | Self::Jira { url, .. } => write!(f, "{} {url}", self.kind()),
            Self::Sns { topic_arn, .. } => write!(f, "sns {topic_arn}"),
            Self::Sqs { queue_url, .. } => write!(f, "sqs {queue_url}"),
            Self::Mail { to, .. } => write!(f, "mail {}", to.join(", ")),
        }
    }
}

impl ChannelSettings {
    /// Reads settings and judges them as far as that needs no network.
    ///
    /// # Errors
    ///
    /// The first mistake, in words.
    pub fn read(document: &Json) -> Result<Self, String> {
        let settings: Self = serde_json::from_value(document.clone()).map_err(|error| error.to_string())?;
        settings.quiet.as_ref().map_or(Ok(()), Quiet::check)?;
        if settings.digest_minutes > 7 * 24 * 60 {
            return Err("a digest holds a week at most".into());
        }
        let full = |name: &str, value: &str| {
            if value.trim().is_empty() { Err(format!("`{name}` is empty")) } else { Ok(()) }
        };
        match &settings.way {
            Way::Mail { host, from, to, .. } => {
                full("host", host)?;
                full("from", from)?;
                if to.is_empty() { Err("`to` names nobody".into()) } else { Ok(()) }
            }
            Way::Webhook { url } => full("url", url),
            Way::Sns { url, topic_arn } => full("url", url).and_then(|()| full("topicArn", topic_arn)),
            Way::Sqs { url, queue_url } => full("url", url).and_then(|()| full("queueUrl", queue_url)),
            Way::Jira { url, project, .. } => full("url", url).and_then(|()| full("project", project)),
            Way::Slack {} | Way::Log {} => Ok(()),
        }?;
        Ok(settings)
    }
}

impl Channel {
    /// A stored channel, its secret opened by `unseal`, which is told the channel's id.
    ///
    /// # Errors
    ///
    /// [`EngineError::Channel`] for settings that cannot be read, and what opening the secret met.
    pub fn open(row: &ChannelRow, unseal: &Unseal<'_>) -> Result<Self, EngineError> {
        let settings = ChannelSettings::read(&row.document)
            .map_err(|reason| EngineError::Channel { name: row.name.clone(), reason })?;
        let secret = row.secret.as_deref().map(|sealed| unseal(&row.id, sealed)).transpose()?;
        Ok(Self { id: row.id.clone(), name: row.name.clone(), enabled: row.enabled, settings, secret })
    }

    /// Whether it is told of this rule at this level.
    pub(super) fn wants(&self, rule: (&str, &str), level: &str) -> bool {
        let named = |word: &String| word.eq_ignore_ascii_case(rule.0) || *word == rule.1;
        let bad = level.parse::<Level>().is_ok_and(|level| level >= self.settings.level);
        self.enabled && bad && (self.settings.rules.is_empty() || self.settings.rules.iter().any(named))
    }
}
