//! What was found, as the text that is stored: many findings at once take a fraction of the room.
//!
//! Invariant: the text is JSON.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

/// JSON that is read only when somebody looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document(Box<str>);

impl Document {
    /// A value as a document; what JSON has no form for becomes `null`.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        Self(serde_json::to_string(value).map_or_else(|_| "null".into(), String::into_boxed_str))
    }

    /// A stored text; `None` where it is no JSON.
    pub(crate) fn stored(text: String) -> Option<Self> {
        serde_json::from_str::<IgnoredAny>(&text).is_ok().then(|| Self(text.into_boxed_str()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it says, read as a type; `None` where it says something else.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.0).ok()
    }

    /// What it says.
    #[must_use]
    pub fn to_json(&self) -> Json {
        self.read().unwrap_or_default()
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}
