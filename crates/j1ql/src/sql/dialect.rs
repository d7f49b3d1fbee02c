//! What the two databases write differently, one function a difference, both arms side by side.
//!
//! Invariant: the only texts that are composed here are the catalogue's words, literals of this crate and placeholders.

/// The database that a statement is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

use Dialect::{Postgres, Sqlite};

impl Dialect {
    /// A placeholder that holds a text.
    pub(super) fn text(self, number: usize) -> String {
        match self {
            Sqlite => format!("${number}"),
            Postgres => format!("CAST(${number} AS TEXT)"),
        }
    }

    /// A placeholder that holds a whole number.
    pub(super) fn int(self, number: usize) -> String {
        match self {
            Sqlite => format!("${number}"),
            Postgres => format!("CAST(${number} AS BIGINT)"),
        }
    }

    /// A placeholder that holds a floating-point number.
    pub(super) fn real_bind(self, number: usize) -> String {
        match self {
            Sqlite => format!("${number}"),
            Postgres => format!("CAST(${number} AS DOUBLE PRECISION)"),
        }
    }

    /// A placeholder that holds bytes.
    pub(super) fn bytes(self, number: usize) -> String {
        match self {
            Sqlite => format!("${number}"),
            Postgres => format!("CAST(${number} AS BYTEA)"),
        }
    }

    /// What stands between the tables of a walk. SQLite takes them in this order, and so by the indexes of each hop;
    /// left to itself it mistakes how many rows an unindexed condition leaves. PostgreSQL knows better.
    pub(super) const fn join(self, in_order: bool) -> &'static str {
        match self {
            Sqlite if in_order => " CROSS JOIN ",
            Sqlite | Postgres => ", ",
        }
    }

    /// A number that no index is looked into for. PostgreSQL knows how much an index leads to.
    pub(super) fn unindexed(self, number: &str) -> String {
        match self {
            Sqlite => format!("+{number}"),
            Postgres => number.to_owned(),
        }
    }

    /// A number as a floating-point one.
    pub(super) fn real(self, number: &str) -> String {
        match self {
            Sqlite => format!("CAST({number} AS REAL)"),
            Postgres => format!("CAST({number} AS DOUBLE PRECISION)"),
        }
    }

    /// Nothing, of the type of a column of texts, numbers or ids.
    pub(super) fn null(self, sort: Sort) -> &'static str {
        match (self, sort) {
            (Sqlite, _) => "NULL",
            (Postgres, Sort::Text) => "CAST(NULL AS TEXT)",
            (Postgres, Sort::Number) => "CAST(NULL AS DOUBLE PRECISION)",
            (Postgres, Sort::Int) => "CAST(NULL AS BIGINT)",
        }
    }

    /// Heroku's id as text, from the bytes that the table keeps: a UUID, or zero bytes and a text.
    pub(super) fn id_text(self, uuid: &str) -> String {
        match self {
            Sqlite => format!(
                "CASE WHEN length({uuid}) = 16 THEN lower(substr(hex({uuid}), 1, 8) || '-' || \
                 substr(hex({uuid}), 9, 4) || '-' || substr(hex({uuid}), 13, 4) || '-' || \
                 substr(hex({uuid}), 17, 4) || '-' || substr(hex({uuid}), 21)) \
                 WHEN substr({uuid}, 1, 2) = x'0000' THEN CAST(substr({uuid}, 3) AS TEXT) \
                 ELSE CAST(substr({uuid}, 2) AS TEXT) END"
            ),
            Postgres => format!(
                "CASE WHEN length({uuid}) = 16 THEN CAST(CAST(encode({uuid}, 'hex') AS UUID) AS TEXT) \
                 WHEN substr({uuid}, 1, 2) = '\\x0000' THEN convert_from(substr({uuid}, 3), 'UTF8') \
                 ELSE convert_from(substr({uuid}, 2), 'UTF8') END"
            ),
        }
    }

    /// Whether a text has another one in it.
    pub(super) fn contains(self, text: &str, part: &str) -> String {
        match self {
            Sqlite => format!("instr({text}, {part}) > 0"),
            Postgres => format!("strpos({text}, {part}) > 0"),
        }
    }

    /// Whether a text begins with another one.
    pub(super) fn starts_with(self, text: &str, part: &str) -> String {
        match self {
            Sqlite => format!("substr({text}, 1, length({part})) = {part}"),
            Postgres => format!("left({text}, length({part})) = {part}"),
        }
    }

    /// Whether a text ends with another one, which may be known to be `longer` than nothing.
    pub(super) fn ends_with(self, text: &str, part: &str, longer: bool) -> String {
        match self {
            Sqlite if longer => format!("substr({text}, -length({part})) = {part}"),
            Sqlite => format!(
                "(length({part}) = 0 AND {text} IS NOT NULL OR substr({text}, -length({part})) = {part})"
            ),
            Postgres => format!("right({text}, length({part})) = {part}"),
        }
    }

    /// A text with the small letters of ASCII instead of its capitals.
    pub(super) fn small(self, text: &str) -> String {
        match self {
            Sqlite => format!("lower({text})"),
            Postgres => {
                format!("translate({text}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')")
            }
        }
    }

    /// Whether a pattern, as [`pattern`](Self::pattern) gives it, matches somewhere in a text.
    pub(super) fn matches(self, text: &str, pattern: &str, ignore_case: bool) -> String {
        match (self, ignore_case) {
            (Sqlite, _) => format!("{text} REGEXP {pattern}"),
            (Postgres, false) => format!("{text} ~ {pattern}"),
            (Postgres, true) => format!("{text} ~* {pattern}"),
        }
    }

    /// A pattern as the database takes it: digits and word characters are those of ASCII everywhere.
    pub(super) fn pattern(self, pattern: &str, ignore_case: bool) -> String {
        let mut text = String::with_capacity(pattern.len() + 16);
        if ignore_case && self == Sqlite {
            text.push_str("(?i)");
        }
        let mut characters = pattern.chars();
        let mut within = false;
        while let Some(character) = characters.next() {
            if character != '\\' {
                within = if within { character != ']' } else { character == '[' };
                text.push(character);
                continue;
            }
            match (characters.next(), within) {
                (Some('d'), false) => text.push_str("[0-9]"),
                (Some('w'), false) => text.push_str("[A-Za-z0-9_]"),
                (Some('D'), false) => text.push_str("[^0-9]"),
                (Some('W'), false) => text.push_str("[^A-Za-z0-9_]"),
                (Some('d'), true) => text.push_str("0-9"),
                (Some('w'), true) => text.push_str("A-Za-z0-9_"),
                (Some(other), _) => text.extend(['\\', other]),
                (None, _) => text.push('\\'),
            }
        }
        text
    }

    /// A value in a JSON document, if it is of the type that is wanted.
    pub(super) fn document(self, document: &str, path: &[&str], sort: DocumentSort) -> String {
        match self {
            Sqlite => {
                let path = path.join(".");
                let types = match sort {
                    DocumentSort::Text => "= 'text'",
                    DocumentSort::Number => "IN ('integer', 'real')",
                    DocumentSort::Flag => "IN ('true', 'false')",
                };
                format!(
                    "CASE WHEN json_type({document}, '$.{path}') {types} \
                     THEN json_extract({document}, '$.{path}') END"
                )
            }
            Postgres => {
                let path = path.join(",");
                let place = format!("CAST({document} AS JSONB) #> '{{{path}}}'");
                let text = format!("CAST({document} AS JSONB) #>> '{{{path}}}'");
                match sort {
                    DocumentSort::Text => {
                        format!("CASE WHEN jsonb_typeof({place}) = 'string' THEN {text} END")
                    }
                    DocumentSort::Number => format!(
                        "CASE WHEN jsonb_typeof({place}) = 'number' THEN CAST({text} AS DOUBLE PRECISION) END"
                    ),
                    DocumentSort::Flag => format!(
                        "CASE WHEN jsonb_typeof({place}) = 'boolean' THEN \
                         CAST(CASE {text} WHEN 'true' THEN 1 ELSE 0 END AS BIGINT) END"
                    ),
                }
            }
        }
    }

    /// The texts in a JSON list, as rows of one column `value`.
    pub(super) fn each_text(self, list: &str) -> String {
        match self {
            Sqlite => format!("SELECT value FROM json_each({list})"),
            Postgres => {
                format!("SELECT value FROM jsonb_array_elements_text(CAST({list} AS JSONB)) AS j(value)")
            }
        }
    }

    /// The whole numbers in a JSON list, as rows of one column.
    pub(super) fn each_id(self, list: &str) -> String {
        match self {
            Sqlite => format!("SELECT value FROM json_each({list})"),
            Postgres => format!(
                "SELECT CAST(value AS BIGINT) FROM jsonb_array_elements_text(CAST({list} AS JSONB)) AS j(value)"
            ),
        }
    }

    /// The values in a JSON list, as rows of one column `value` that [`collected`](Self::collected) takes.
    pub(super) fn each(self, list: &str) -> String {
        match self {
            Sqlite => format!("SELECT json_quote(value) AS value FROM json_each({list})"),
            Postgres => format!("SELECT value FROM jsonb_array_elements(CAST({list} AS JSONB)) AS j(value)"),
        }
    }

    /// One value as a row of the same kind; no row where there is none.
    pub(super) fn one(self, value: &str, flag: bool) -> String {
        match (self, flag) {
            (Sqlite, false) => format!("SELECT json_quote({value}) AS value WHERE {value} IS NOT NULL"),
            (Sqlite, true) => format!(
                "SELECT CASE {value} WHEN 0 THEN 'false' ELSE 'true' END AS value WHERE {value} IS NOT NULL"
            ),
            (Postgres, false) => {
                format!("SELECT to_jsonb({value}) AS value WHERE {value} IS NOT NULL")
            }
            (Postgres, true) => {
                format!("SELECT to_jsonb({value} <> 0) AS value WHERE {value} IS NOT NULL")
            }
        }
    }

    /// One number as a row of the same kind; no row where there is none.
    pub(super) fn one_number(self, number: &str) -> String {
        match self {
            Sqlite => {
                let text = self.number_text(number);
                format!("SELECT {text} AS value WHERE {number} IS NOT NULL")
            }
            Postgres => self.one(&self.real(number), false),
        }
    }

    /// All rows of a column `value` as the text of a JSON list.
    pub(super) fn collected(self, rows: &str) -> String {
        match self {
            Sqlite => {
                format!("('[' || COALESCE((SELECT group_concat(value, ',') FROM ({rows})), '') || ']')")
            }
            Postgres => {
                format!(
                    "('[' || COALESCE((SELECT string_agg(CAST(value AS TEXT), ',') FROM ({rows}) AS m), '') || ']')"
                )
            }
        }
    }

    /// The texts in a JSON list as one text, commas between.
    pub(super) fn joined(self, list: &str) -> String {
        match self {
            Sqlite => format!("(SELECT group_concat(value, ',') FROM json_each({list}))"),
            Postgres => format!(
                "(SELECT string_agg(value, ',') FROM jsonb_array_elements_text(CAST({list} AS JSONB)) AS j(value))"
            ),
        }
    }

    /// The texts of the rows of a column `slug`, sorted, as items of a JSON list without its brackets.
    pub(super) fn quoted_slugs(self, rows: &str) -> String {
        match self {
            Sqlite => format!(
                "(SELECT group_concat(json_quote(slug), ',') FROM (SELECT slug {rows} ORDER BY slug))"
            ),
            Postgres => {
                format!(
                    "(SELECT string_agg(CAST(to_json(slug) AS TEXT), ',' ORDER BY slug COLLATE \"C\") {rows})"
                )
            }
        }
    }

    /// A text as a JSON list of one.
    pub(super) fn list_of(self, text: &str) -> String {
        match self {
            Sqlite => format!("CASE WHEN {text} IS NOT NULL THEN json_array({text}) END"),
            Postgres => {
                format!("CASE WHEN {text} IS NOT NULL THEN CAST(json_build_array({text}) AS TEXT) END")
            }
        }
    }

    /// A number as text, a whole one without a fraction.
    pub(super) fn number_text(self, number: &str) -> String {
        match self {
            Sqlite => format!(
                "CASE WHEN {number} = CAST({number} AS INTEGER) THEN CAST(CAST({number} AS INTEGER) AS TEXT) \
                 ELSE CAST({number} AS TEXT) END"
            ),
            Postgres => format!(
                "CASE WHEN {number} = trunc(CAST({number} AS NUMERIC)) AND abs({number}) < 9e15 \
                 THEN CAST(CAST({number} AS BIGINT) AS TEXT) ELSE CAST({number} AS TEXT) END"
            ),
        }
    }

    /// The nearest whole number, halves away from zero.
    pub(super) fn round(self, number: &str) -> String {
        match self {
            Sqlite => format!("round({number})"),
            Postgres => format!("CAST(round(CAST({number} AS NUMERIC)) AS DOUBLE PRECISION)"),
        }
    }

    /// A text to sort by: by its bytes.
    pub(super) fn sortable(self, text: &str) -> String {
        match self {
            Sqlite => text.to_owned(),
            Postgres => format!("{text} COLLATE \"C\""),
        }
    }
}

/// What a column of a statement holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Text,
    Number,
    Int,
}

/// What is wanted of a JSON document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DocumentSort {
    Text,
    Number,
    Flag,
}
