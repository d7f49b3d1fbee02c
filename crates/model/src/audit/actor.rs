//! Who did what an audit event tells.
//!
//! Whether it really was them is for the door through which they came.
//!
//! Invariant: a kind that this version does not know is kept as it was written.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// What sort of actor.
    pub kind: ActorKind,
    /// The name within its kind.
    pub name: Box<str>,
}

impl Actor {
    /// The person at the command line, by the name that the operating system has for them.
    #[must_use]
    pub fn operator(name: &str) -> Self {
        Self { kind: ActorKind::Operator, name: name.into() }
    }

    /// Metsuke itself: what it does on schedule or after a crash.
    #[must_use]
    pub fn connector() -> Self {
        Self { kind: ActorKind::Connector, name: "metsuke".into() }
    }
}

/// What sort of actor did something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// A person at the command line. Nobody checked who it is beyond the login to the machine.
    Operator,
    /// Metsuke itself.
    Connector,
    /// A person who signed in.
    Person,
    /// A program with an API key.
    ApiKey,
    /// A kind of a newer version, verbatim.
    Other(Box<str>),
}

impl ActorKind {
    /// The kind's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Operator => "operator",
            Self::Connector => "connector",
            Self::Person => "person",
            Self::ApiKey => "api_key",
            Self::Other(word) => word,
        }
    }
}

impl From<&str> for ActorKind {
    fn from(word: &str) -> Self {
        match word {
            "operator" => Self::Operator,
            "connector" => Self::Connector,
            "person" => Self::Person,
            "api_key" => Self::ApiKey,
            other => Self::Other(other.into()),
        }
    }
}

impl fmt::Display for ActorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for ActorKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ActorKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|word| Self::from(word.as_str()))
    }
}
