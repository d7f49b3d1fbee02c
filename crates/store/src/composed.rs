//! SQL text that is no literal, on its way to the driver.
//!
//! Nothing is composed here: who calls it has made the text of literals, the catalogue's words and placeholders.
//!
//! Invariant: no text from outside is part of a statement; what comes from outside is always bound.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// The text as the driver takes it.
///
/// The driver takes static text only, unless somebody vouches for it: bulk statements have literal ends and
/// placeholders between them, and a compiled query holds the catalogue's words and placeholders alone.
pub(crate) fn composed(text: String) -> SqlStr {
    AssertSqlSafe(Arc::<str>::from(text)).into_sql_str()
}
