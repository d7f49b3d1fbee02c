//! What comes back, in which order and how much of it, by chance.
//!
//! Invariant: what sorts rows that stand for several paths is one of their columns, but for a few times in a hundred.

use metsuke_model::graph::ValueType;

use super::{Maker, What};

/// All that stands behind the chain and its condition.
pub(super) struct Returned {
    pub(super) unique: bool,
    pub(super) text: String,
}

/// A column: its text, and its alias if it has one.
struct Column {
    text: String,
    alias: Option<String>,
    aggregates: bool,
    /// It can be sorted by.
    plain: bool,
}

impl Maker<'_> {
    pub(super) fn returned(&mut self) -> Returned {
        let kind = if self.names.is_empty() { self.below(45) } else { self.below(100) };
        let (unique, clause, columns) = match kind {
            0..=29 => (self.percent(10), String::new(), Vec::new()),
            30..=39 => (self.percent(5), " RETURN TREE".to_owned(), Vec::new()),
            40..=44 => {
                let column =
                    Column { text: "count(*)".to_owned(), alias: None, aggregates: true, plain: true };
                (false, " RETURN count(*)".to_owned(), vec![column])
            }
            _ => {
                let columns = self.columns();
                let written = columns.iter().map(|column| match &column.alias {
                    Some(alias) => format!("{} AS {alias}", column.text),
                    None => column.text.clone(),
                });
                let clause = format!(" RETURN {}", written.collect::<Vec<_>>().join(", "));
                (self.percent(25), clause, columns)
            }
        };
        let grouped = columns.iter().any(|column| column.aggregates);
        let mut text = clause;
        let counted = columns.iter().find(|column| column.aggregates && column.plain);
        if let (Some(counted), true) = (counted, self.percent(8)) {
            let name =
                counted.alias.as_ref().filter(|alias| !alias.starts_with('"')).unwrap_or(&counted.text);
            let (operator, count) = (self.word(&[" > ", " <= ", " != "]), self.below(3).to_string());
            text.extend([" HAVING ", name, operator, &count]);
        }
        if self.percent(40) {
            text += &self.order(&columns, grouped || unique, kind >= 40);
        }
        if self.percent(12) {
            text.extend([" SKIP ", &self.below(4).to_string()]);
        }
        if self.percent(20) {
            text.extend([" LIMIT ", &(1 + self.below(6)).to_string()]);
        }
        Returned { unique, text }
    }

    fn columns(&mut self) -> Vec<Column> {
        let aggregates = self.percent(30);
        let count = 1 + self.below(3);
        let mut columns: Vec<Column> = Vec::new();
        for place in 0..count {
            let mut column =
                if aggregates && (place == 0 || self.percent(40)) { self.aggregate() } else { self.column() };
            if self.percent(40) {
                column.alias =
                    Some(if self.percent(25) { format!("\"The {place}\"") } else { format!("c{place}") });
            }
            // The same text twice would be one name for two columns.
            if columns.iter().all(|known| known.text != column.text) {
                columns.push(column);
            }
        }
        columns
    }

    fn column(&mut self) -> Column {
        let (property, known) = self.named_property();
        let names = self.names.clone();
        let name = self.pick(&names).map_or_else(|| "nobody".to_owned(), |name| name.text);
        let number = self.number();
        let plain = |text: String| Column { text, alias: None, aggregates: false, plain: true };
        match self.below(100) {
            0..=59 => plain(property),
            60..=69 => plain(name),
            70..=74 => Column { plain: false, ..plain(format!("{name}.*")) },
            75..=79 => plain(format!(
                "{number} {} {}",
                self.word(&["+", "-", "*", "/"]),
                self.word(&["2", "0", "1000"])
            )),
            80..=83 => {
                let function = self.word(&["abs", "sqrt", "ceil", "floor", "round"]);
                plain(format!("{function}({number} / 7)"))
            }
            84..=88 => {
                let whole = matches!(known.value_type, ValueType::Text | ValueType::Flag | ValueType::Texts);
                let inner = if whole { property } else { "'x'".to_owned() };
                plain(format!("concat({inner}, '-', {})", self.word(&["1", "true", "undefined", "'☂'"])))
            }
            89..=93 => {
                let other = names
                    .iter()
                    .find_map(|name| Some((name, self.property_of(&name.what, known.value_type)?)))
                    .map(|(name, other)| format!("{}.{}", name.text, other.name));
                let other = other.unwrap_or_else(|| property.clone());
                let function = self.word(&["coalesce", "coalesce", "merge"]);
                plain(format!("{function}({property}, {other})"))
            }
            94..=97 => plain(self.word(&["'a text'", "12", "true", "2 ^ 10", "(1 + 2) * 3"]).to_owned()),
            98 => plain(format!("coalesce({property}, {name}.name, 1)")),
            _ => plain(format!("{property} + 1")),
        }
    }

    fn aggregate(&mut self) -> Column {
        let names = self.names.clone();
        let name = self.pick(&names).map_or_else(|| "nobody".to_owned(), |name| name.text);
        let (property, _) = self.named_property();
        let number = self.number();
        let text = match self.below(10) {
            0..=2 => format!("count({name})"),
            3 => "count(*)".to_owned(),
            4 | 5 => format!("count({property})"),
            6 => format!("{}({number})", self.word(&["sum", "avg"])),
            7 => format!("{}({number} * 2)", self.word(&["min", "max"])),
            8 => format!("sum({number}) / count(*)"),
            _ => format!("count({name}) * {number}"),
        };
        Column { text, alias: None, aggregates: true, plain: true }
    }

    /// A number of something that is named, or a plain one.
    fn number(&mut self) -> String {
        let names = self.names.clone();
        for name in &names {
            if let Some(known) = self.property_of(&name.what, ValueType::Number) {
                return format!("{}.{}", name.text, known.name);
            }
        }
        self.below(9).to_string()
    }

    fn order(&mut self, columns: &[Column], bound: bool, table: bool) -> String {
        let sortable: Vec<String> = columns
            .iter()
            .filter(|column| column.plain)
            .map(|column| column.alias.as_ref().unwrap_or(&column.text).clone())
            .collect();
        let mut keys = Vec::new();
        for _ in 0..=self.below(2) {
            let by_column = !sortable.is_empty() && (bound || self.percent(60)) && !self.percent(2);
            let key = if by_column {
                self.pick(&sortable).unwrap_or_default()
            } else if table || self.percent(3) {
                self.named_property().0
            } else {
                // Without columns the starting entity sorts, which stands first among the names.
                let Some(root) = self.names.first().cloned() else { return String::new() };
                let What::Entities(_) = root.what else { return String::new() };
                let name = self.property(&root.what).name;
                if self.percent(30) { name.to_owned() } else { format!("{}.{name}", root.text) }
            };
            keys.push(format!("{key}{}", self.word(&["", " ASC", " DESC", " desc"])));
        }
        format!(" ORDER BY {}", keys.join(", "))
    }
}
