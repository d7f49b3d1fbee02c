//! Shows mistakes in a query's text to a person: the line, the marked place, what is wrong, what was meant.
//!
//! Plain text without colours.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::error::Errors;

/// All `errors` in `text`, each as a picture of its line.
#[must_use]
pub fn render(text: &str, errors: &Errors) -> String {
    let renderer = Renderer::plain();
    let mut pictures = Vec::new();
    for problem in errors.problems() {
        let title = Level::ERROR.primary_title(problem.message.as_str());
        let label = problem.explanation.as_deref().unwrap_or("here");
        let span = problem.span.start.min(text.len())..problem.span.end.min(text.len());
        let mark = AnnotationKind::Primary.span(span).label(label);
        let mut group: Group<'_> = title.element(Snippet::source(text).annotation(mark));
        if let Some(suggestion) = &problem.suggestion {
            group = group.element(Level::HELP.message(suggestion.as_str()));
        }
        pictures.push(renderer.render(&[group]));
    }
    pictures.join("\n\n")
}

/// The line and the column of the character at `offset`, both from 1; columns count characters.
#[must_use]
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = text.get(..end).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
