//! What somebody sets for the own browser.

use axum::http::StatusCode;
use axum::http::header;

use crate::answer::Answer;
use crate::call::Call;
use crate::cookies::Cookie;
use crate::form::Form;
use crate::place::within;

/// Keeps the look that somebody has chosen.
pub(super) fn theme(call: &Call) -> Answer {
    let form = Form::read(&call.body);
    let theme = form.text("theme");
    let back = sent_to(&within(Some(&form.text("next"))).unwrap_or_else(|| "/".to_owned()));
    let place = &call.state.place;
    match theme.as_str() {
        "light" | "dark" => Cookie::Theme.set(place, &theme.into(), back),
        _ => Cookie::Theme.clear(place, back),
    }
}

/// The answer to a form that was done: where to look now.
pub(super) fn sent_to(place: &str) -> Answer {
    Answer::typed(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "").with(header::LOCATION, place)
}
