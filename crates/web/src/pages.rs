//! The few pages of signing in, as plain HTML that works without scripts.
//!
//! What they ask for is judged elsewhere.
//!
//! Invariant: whatever stands in a page and is not of this file was escaped on its way in; a page loads nothing and runs nothing.

use std::sync::LazyLock;

use axum::http::{HeaderName, StatusCode, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest as _, Sha256};

use crate::answer::Answer;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:10vh auto;padding:0 1rem;\
color:#1a1a1a;background:#fff}label{display:block;margin-top:1rem}input{font:inherit;width:100%;padding:.5rem;\
box-sizing:border-box;border:1px solid #767676;border-radius:4px}button,.button{font:inherit;display:block;\
box-sizing:border-box;width:100%;margin-top:1.5rem;padding:.6rem;border:0;border-radius:4px;background:#24407a;\
color:#fff;text-align:center;text-decoration:none}.told{border-left:4px solid #b3261e;padding-left:.75rem}\
:focus-visible{outline:3px solid #f2a900;outline-offset:2px}@media(prefers-color-scheme:dark){body{color:#eee;\
background:#161616}input{background:#222;color:#eee}.button,button{background:#4b6fb8}}";

/// What a page may do: show itself, in its own style, and send its form here.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
});

/// Text that stands for itself wherever it is put.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

/// One field of a form.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) label: &'a str,
    pub(crate) name: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) autocomplete: &'a str,
    pub(crate) value: &'a str,
    pub(crate) required: bool,
}

impl<'a> Field<'a> {
    /// One that must be filled in.
    pub(crate) const fn new(label: &'a str, name: &'a str, kind: &'a str, autocomplete: &'a str) -> Self {
        Self { label, name, kind, autocomplete, value: "", required: true }
    }

    /// The same, with something in it.
    pub(crate) const fn holding(self, value: &'a str) -> Self {
        Self { value, ..self }
    }

    /// The same, which may stay empty.
    pub(crate) const fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    fn html(&self) -> String {
        let Self { label, name, kind, autocomplete, value, required } = self;
        let required = if *required { " required" } else { "" };
        let (label, value) = (escaped(label), escaped(value));
        format!(
            "<label for=\"{name}\">{label}</label>\n<input id=\"{name}\" name=\"{name}\" type=\"{kind}\" \
             autocomplete=\"{autocomplete}\" value=\"{value}\"{required}>\n"
        )
    }
}

/// A page in the making.
#[derive(Debug)]
pub(crate) struct Page {
    title: &'static str,
    body: String,
}

impl Page {
    /// An empty page.
    pub(crate) fn new(title: &'static str) -> Self {
        Self { title, body: String::new() }
    }

    /// A paragraph.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.body.extend([format!("<p>{}</p>\n", escaped(text))]);
        self
    }

    /// What went wrong, where something did.
    pub(crate) fn told(mut self, told: Option<&str>) -> Self {
        if let Some(told) = told {
            self.body.extend([format!("<p class=\"told\" role=\"alert\">{}</p>\n", escaped(told))]);
        }
        self
    }

    /// A form with fields that are seen and fields that are not.
    pub(crate) fn form(
        mut self,
        action: &str,
        hidden: &[(&str, &str)],
        fields: &[Field<'_>],
        button: &str,
    ) -> Self {
        self.body.extend([format!("<form method=\"post\" action=\"{}\">\n", escaped(action))]);
        for (name, value) in hidden {
            let value = escaped(value);
            self.body.extend([format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">\n")]);
        }
        self.body.extend(fields.iter().map(Field::html));
        self.body.extend([format!("<button type=\"submit\">{}</button>\n</form>\n", escaped(button))]);
        self
    }

    /// A link.
    pub(crate) fn link(mut self, place: &str, text: &str) -> Self {
        let (place, text) = (escaped(place), escaped(text));
        self.body.extend([format!("<a class=\"button\" href=\"{place}\">{text}</a>\n")]);
        self
    }

    /// The page as an answer.
    pub(crate) fn answer(self, status: StatusCode) -> Answer {
        let Self { title, body } = self;
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title} – Metsuke</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n"
        );
        Answer::typed(status, "text/html; charset=utf-8", html)
            .with(header::CONTENT_SECURITY_POLICY, &POLICY)
            // With no referrer at all, browsers would hide from us where a form comes from.
            .with(HeaderName::from_static("referrer-policy"), "same-origin")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Body;

    #[test]
    fn what_somebody_wrote_stays_text() {
        let page = Page::new("T").text("<script>").told(Some("\"><img>")).form(
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
        let page = Page::new("T").answer(StatusCode::OK);
        let policy = page.headers.iter().find(|(name, _)| name == header::CONTENT_SECURITY_POLICY).unwrap();
        let policy = policy.1.to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script"), "{policy}");
    }
}
