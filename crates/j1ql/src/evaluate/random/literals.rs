//! Constants by chance: values that the graph has, and others near them.
//!
//! Invariant: a constant reads back as the value that it was made from.

use metsuke_model::graph::catalogue::Metadata;
use metsuke_model::graph::{Value, ValueType};

use super::{Known, Maker, What};

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A value as it is written in a query; lists as any of their values.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Absent => "undefined".to_owned(),
        Value::Flag(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => quoted(text),
        Value::List(values) => match values.as_slice() {
            [] => quoted(""),
            [one] => literal(one),
            several => format!("({})", several.iter().map(literal).collect::<Vec<_>>().join(" OR ")),
        },
    }
}

impl Maker<'_> {
    /// Some words, whole or in part, for a search in all texts.
    pub(super) fn words(&mut self) -> String {
        let text = match self.met("name") {
            Some(Value::Text(text)) => text.into(),
            _ => "core".to_owned(),
        };
        let part = self.part(&text);
        quoted(&if self.percent(30) { format!("{part} {}", text.to_uppercase()) } else { part })
    }

    /// A piece of a text, from character to character.
    pub(super) fn part(&mut self, text: &str) -> String {
        let letters: Vec<char> = text.chars().collect();
        let start = self.below(letters.len());
        let length = 1 + self.below(4);
        letters.into_iter().skip(start).take(length).collect()
    }

    /// A property of what stands at a place; sometimes one that it cannot have.
    pub(super) fn property(&mut self, what: &What) -> Known {
        let metadata = Metadata::ALL.map(|(name, _, value_type)| Known { name, value_type });
        let own: Vec<Known> = match what {
            What::Entities(types) => types
                .iter()
                .flat_map(|known| known.properties)
                .map(|property| Known { name: property.name, value_type: property.value_type })
                .collect(),
            What::Relationships(types) => types
                .iter()
                .flat_map(|known| known.properties)
                .map(|property| Known { name: property.name, value_type: property.value_type })
                .collect(),
        };
        let odd = [
            Known { name: "nothing", value_type: ValueType::Text },
            Known { name: "mfaEnabled", value_type: ValueType::Flag },
            Known { name: "tag.AccountName", value_type: ValueType::Text },
            Known { name: "repoSizeBytes", value_type: ValueType::Number },
            Known { name: "role", value_type: ValueType::Text },
        ];
        let from = match self.below(100) {
            0..=82 if !own.is_empty() => own.as_slice(),
            0..=95 => &metadata,
            _ => &odd,
        };
        self.pick(from).unwrap_or(odd[0])
    }

    /// A property of this type of value, if what stands at the place may have one.
    pub(super) fn property_of(&mut self, what: &What, value_type: ValueType) -> Option<Known> {
        let found: Vec<Known> =
            (0..12).map(|_| self.property(what)).filter(|known| known.value_type == value_type).collect();
        self.pick(&found)
    }

    /// A constant to compare a property with.
    pub(super) fn constant(&mut self, known: Known) -> String {
        match self.below(100) {
            0..=2 => return self.word(&["undefined", "null"]).to_owned(),
            3..=4 => {
                return self.word(&["${text}", "${number}", "${flag}", "${list}", "${unknown}"]).to_owned();
            }
            5..=6 => return self.word(&["true", "'true'", "0", "''", "-1.5", "'0'"]).to_owned(),
            _ => {}
        }
        let met = if self.percent(88) { self.met(known.name) } else { None };
        let one = match met {
            Some(Value::List(values)) => self.pick(&values),
            other => other,
        };
        match (known.value_type, one) {
            (ValueType::Time, met) => self.time(met.as_ref()),
            (_, Some(met)) => literal(&met),
            (ValueType::Flag, None) => self.word(&["true", "false"]).to_owned(),
            (ValueType::Number, None) => self.word(&["0", "1", "1000", "2.5"]).to_owned(),
            (ValueType::Text | ValueType::Texts, None) => {
                self.word(&["'admin'", "'core'", "'a'", "'no such text'", "\"O'Hara \\\"q\\\"\""]).to_owned()
            }
        }
    }

    fn time(&mut self, met: Option<&Value>) -> String {
        let number = if let Some(Value::Number(number)) = met { Some(*number) } else { None };
        match (self.below(10), number) {
            (0..=4, Some(number)) => number.to_string(),
            (5, Some(number)) => (number + 1.0).to_string(),
            (0..=6, _) => self
                .word(&["date(2023-11-14)", "date(2023)", "date(2024-02)", "date(2023-11-14T22:13:20Z)"])
                .to_owned(),
            (7, _) => "date.now".to_owned(),
            _ => {
                let sign = self.word(&["-", "-", "+"]);
                let length = self.word(&[
                    "1 day",
                    "30days",
                    "6 months",
                    "1year",
                    "1.5 hours",
                    "2 weeks",
                    "90 minutes",
                ]);
                format!("date.now {sign} {length}")
            }
        }
    }

    /// A regular expression that some text may match.
    pub(super) fn regex(&mut self, known: Known) -> String {
        let text = match self.met(known.name) {
            Some(Value::Text(text)) => self.part(&text),
            _ => "core".to_owned(),
        };
        let mut pattern = String::new();
        for letter in text.chars() {
            match self.below(8) {
                0 if letter.is_ascii_digit() => pattern += "\\d",
                1 | 2 if letter.is_ascii_alphanumeric() => pattern += "\\w",
                3 if letter.is_ascii_lowercase() => pattern += "[a-z]+",
                4 if letter.is_ascii_alphabetic() => pattern.push(letter.to_ascii_uppercase()),
                _ if letter.is_ascii_alphanumeric() => pattern.push(letter),
                _ => pattern.push('.'),
            }
        }
        let flag = if self.percent(40) { "i" } else { "" };
        format!("/{}/{flag}", if pattern.is_empty() { "a" } else { &pattern })
    }
}
