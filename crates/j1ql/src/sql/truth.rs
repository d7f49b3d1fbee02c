//! What conditions come to, put together without what is known already.

/// What a condition comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    /// Always.
    Yes,
    /// Never.
    No,
    /// Where this is true.
    Sql(String),
}

impl Truth {
    /// All of them; what looks at nothing but its row is asked first, for databases ask in the order in which they read.
    pub(super) fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::join(parts, &Self::Yes, &Self::No, " AND ")
    }

    /// Any of them, in the same order.
    pub(super) fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::join(parts, &Self::No, &Self::Yes, " OR ")
    }

    fn join(parts: impl IntoIterator<Item = Self>, neutral: &Self, strong: &Self, between: &str) -> Self {
        let mut texts = Vec::new();
        for part in parts {
            if part == *strong {
                return part;
            }
            if let Self::Sql(text) = part {
                texts.push(text);
            }
        }
        texts.sort_by_key(|text| text.contains("SELECT "));
        match texts.len() {
            0 => neutral.clone(),
            1 => Self::Sql(texts.swap_remove(0)),
            _ => Self::Sql(format!("({})", texts.join(between))),
        }
    }

    /// Not this.
    pub(super) fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Sql(text) => Self::Sql(format!("NOT COALESCE({text}, FALSE)")),
        }
    }

    /// Where this text is true.
    pub(super) fn sql(text: impl Into<String>) -> Self {
        Self::Sql(text.into())
    }
}
