//! Conditions by chance, on one entity or on whole paths.
//!
//! Invariant: operators mostly fit the values that they compare.

use metsuke_model::graph::ValueType;

use super::{Known, Maker, Types, What};

impl Maker<'_> {
    /// A condition on the own properties of an entity of these types.
    pub(super) fn own_condition(&mut self, types: &Types, deeper: usize) -> String {
        let what = What::Entities(types.clone());
        self.joined(deeper, &mut |maker| {
            let known = maker.property(&what);
            let left = maker.bare(known.name);
            let other = maker.property_of(&what, known.value_type).map(|other| maker.bare(other.name));
            maker.comparison(&left, known, other)
        })
    }

    /// A condition on the names that are known.
    pub(super) fn path_condition(&mut self, deeper: usize) -> String {
        self.joined(deeper, &mut |maker| {
            let (left, known) = maker.named_property();
            let names = maker.names.clone();
            let other = maker.pick(&names).and_then(|name| {
                let other = maker.property_of(&name.what, known.value_type)?;
                Some(format!("{}.{}", name.text, other.name))
            });
            maker.comparison(&left, known, other)
        })
    }

    /// A property of something that is named, and what it holds.
    pub(super) fn named_property(&mut self) -> (String, Known) {
        let names = self.names.clone();
        let Some(name) = self.pick(&names) else {
            return ("nobody.name".to_owned(), Known { name: "name", value_type: ValueType::Text });
        };
        let known = self.property(&name.what);
        let owner = if self.below(200) == 0 { "nobody" } else { &name.text };
        (format!("{owner}.{}", known.name), known)
    }

    /// A property's name, in brackets now and then.
    fn bare(&mut self, name: &str) -> String {
        if self.percent(5) { format!("[{name}]") } else { name.to_owned() }
    }

    fn joined(&mut self, deeper: usize, one: &mut dyn FnMut(&mut Self) -> String) -> String {
        if deeper == 0 || self.percent(60) {
            return one(self);
        }
        let (left, right) = (self.joined(deeper - 1, one), self.joined(deeper - 1, one));
        match self.below(10) {
            0..=4 => format!("{left} AND {right}"),
            5..=7 => format!("{left} OR {right}"),
            8 => format!("!({left} OR {right})"),
            _ => format!("({left} AND {right}) OR {}", one(self)),
        }
    }

    /// A comparison of a property with a constant, or with the other one.
    fn comparison(&mut self, left: &str, known: Known, other: Option<String>) -> String {
        if self.below(200) == 0 {
            return format!("count({left}) = 1");
        }
        let texts = matches!(known.value_type, ValueType::Text | ValueType::Texts);
        let numbers = matches!(known.value_type, ValueType::Number | ValueType::Time);
        let operator = match self.below(100) {
            0..=59 if texts => self.word(&["=", "!=", "=", "!=", "~=", "^=", "$=", "!~=", "!^=", "!$="]),
            0..=79 if numbers => self.word(&[">", "<", ">=", "<=", "=", "!="]),
            80..=99 => self.word(&["=", "!=", "~=", ">", "<=", "!$=", "!^="]),
            _ => self.word(&["=", "!="]),
        };
        let equality = matches!(operator, "=" | "!=");
        match self.below(100) {
            0..=7 => self.presence(left),
            8..=14 if texts && !operator.contains(['<', '>']) => {
                format!("{left} {operator} {}", self.regex(known))
            }
            // Nothing is more or less than a pattern.
            15 if texts => format!("{left} {operator} {}", self.regex(known)),
            16..=30 => {
                let word = self.word(&["OR", "OR", "AND"]);
                let (first, second) = (self.value(operator, known), self.value(operator, known));
                let second = if self.percent(12) { format!("({second} OR 'x')") } else { second };
                format!("{left} {operator} ({first} {word} {second})")
            }
            31..=42 => match other {
                Some(other) => format!("{left} {operator} {other}"),
                None => self.presence(left),
            },
            43..=49 if known.value_type == ValueType::Number => {
                let by = self.word(&["+ 1", "- 500", "* 2", "/ 0", "/ 3", "^ 2"]);
                format!("{left} {by} {operator} {}", self.constant(known))
            }
            50..=55 if equality && self.deep < 2 => match self.subquery(known) {
                Some(subquery) => format!("{left} {operator} {subquery}"),
                None => self.presence(left),
            },
            _ => format!("{left} {operator} {}", self.value(operator, known)),
        }
    }

    fn presence(&mut self, left: &str) -> String {
        format!("{left} {} {}", self.word(&["=", "!="]), self.word(&["undefined", "null"]))
    }

    /// A constant, or for operators that look into texts a piece of one.
    fn value(&mut self, operator: &str, known: Known) -> String {
        let looks_inside = operator.contains(['~', '^', '$']);
        let constant = self.constant(known);
        match constant.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
            Some(text) if looks_inside && !text.contains('\\') && !text.is_empty() && self.percent(80) => {
                let length = 1 + self.below(4);
                let letters: Vec<char> = text.chars().collect();
                let piece: String = match operator.trim_start_matches('!') {
                    "^=" => letters.into_iter().take(length).collect(),
                    "$=" => {
                        letters.into_iter().rev().take(length).collect::<Vec<_>>().into_iter().rev().collect()
                    }
                    _ => self.part(text),
                };
                super::literals::quoted(&piece)
            }
            _ => constant,
        }
    }

    /// Another query that returns values of the same type.
    fn subquery(&mut self, known: Known) -> Option<String> {
        let names = std::mem::take(&mut self.names);
        self.deep += 1;
        let all: Types = metsuke_model::graph::entities::ENTITY_TYPES.iter().collect();
        let (selector, types) = self.selector(&all);
        let name = self.names.first().cloned();
        let property = self.property_of(&What::Entities(types), known.value_type);
        self.deep -= 1;
        self.names = names;
        let (name, property) = (name?, property?);
        let unique = if self.percent(30) { "UNIQUE " } else { "" };
        Some(format!("(FIND {unique}{selector} RETURN {}.{})", name.text, property.name))
    }
}
