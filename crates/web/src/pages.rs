//! The few pages of signing in, which stand outside the frame.
//!
//! What they ask for is judged elsewhere.
//!
//! Invariant: a page loads our own style alone and runs nothing.

use askama::Template;
use axum::http::StatusCode;

use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::site::{Plain, Step, page, theme};

/// One field of a form.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) label: &'static str,
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) autocomplete: &'static str,
    pub(crate) value: String,
    pub(crate) required: bool,
    pub(crate) help: &'static str,
}

impl Field {
    /// One that must be filled in.
    pub(crate) const fn new(
        label: &'static str,
        name: &'static str,
        kind: &'static str,
        autocomplete: &'static str,
    ) -> Self {
        Self { label, name, kind, autocomplete, value: String::new(), required: true, help: "" }
    }

    /// The same, with something in it.
    pub(crate) fn holding(self, value: &str) -> Self {
        Self { value: value.to_owned(), ..self }
    }

    /// The same, with what helps to fill it in.
    pub(crate) fn helped(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    /// The same, which may stay empty.
    pub(crate) fn optional(self) -> Self {
        Self { required: false, ..self }
    }
}

/// A form with fields that are seen and fields that are not.
#[derive(Debug)]
struct Asking {
    action: &'static str,
    hidden: Vec<(&'static str, String)>,
    fields: Vec<Field>,
    button: &'static str,
}

/// A page in the making.
#[derive(Template)]
#[template(path = "alone.html")]
pub(crate) struct Page {
    plain: Plain,
    title: &'static str,
    steps: Vec<Step>,
    texts: Vec<String>,
    told: String,
    form: Option<Asking>,
    links: Vec<(String, String)>,
}

impl Page {
    /// An empty page, in the look that the browser has chosen.
    pub(crate) fn of(call: &Call, title: &'static str) -> Self {
        Self::looking(theme(&call.state.place, &call.headers), title)
    }

    fn looking(theme: String, title: &'static str) -> Self {
        let plain = Plain { theme };
        Self {
            plain,
            title,
            steps: Vec::new(),
            texts: Vec::new(),
            told: String::new(),
            form: None,
            links: Vec::new(),
        }
    }

    /// The steps of a way, of which this page is one.
    pub(crate) fn steps(self, steps: Vec<Step>) -> Self {
        Self { steps, ..self }
    }

    /// A paragraph.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.texts.push(text.to_owned());
        self
    }

    /// What went wrong, where something did.
    pub(crate) fn told(self, told: Option<&str>) -> Self {
        Self { told: told.unwrap_or_default().to_owned(), ..self }
    }

    /// A form.
    pub(crate) fn form(
        self,
        action: &'static str,
        hidden: &[(&'static str, &str)],
        fields: &[Field],
        button: &'static str,
    ) -> Self {
        let hidden = hidden.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { form: Some(Asking { action, hidden, fields: fields.to_vec(), button }), ..self }
    }

    /// A link.
    pub(crate) fn link(mut self, place: &str, text: &str) -> Self {
        self.links.push((place.to_owned(), text.to_owned()));
        self
    }

    /// The page as an answer.
    pub(crate) fn answer(self, status: StatusCode) -> Answer {
        // A template of texts is always written.
        page(status, &self).unwrap_or_else(|_: ApiError| Answer::typed(status, "text/plain", self.title))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;
    use crate::answer::Body;

    #[test]
    fn what_somebody_wrote_stays_text() {
        let page = Page::looking(String::new(), "T").text("<script>").told(Some("\"><img>")).form(
            "/x",
            &[("next", "\"><b>")],
            &[Field::new("L", "n", "text", "off").holding("' onfocus='x")],
            "Go",
        );
        let Body::Whole(html) = page.answer(StatusCode::OK).body else { panic!("a page is whole") };
        let html = String::from_utf8(html.to_vec()).unwrap();
        for hostile in ["<script>", "<img>", "<b>", "' onfocus='"] {
            assert!(!html.contains(hostile), "{hostile}");
        }
    }

    #[test]
    fn a_page_may_show_itself_and_no_more() {
        let page = Page::looking(String::new(), "T").answer(StatusCode::OK);
        let policy = page.headers.iter().find(|(name, _)| name == header::CONTENT_SECURITY_POLICY).unwrap();
        let policy = policy.1.to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; "), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    }
}
