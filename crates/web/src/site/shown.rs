//! What went wrong, as a page that says what to do.
//!
//! Invariant: a fault of our own tells the number of the request and no cause.

use askama::Template;
use axum::http::StatusCode;

use super::frame::{Frame, Plain, page};
use super::words::Name;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;

/// A page about an error, within the frame.
#[derive(Template)]
#[template(path = "wrong.html")]
struct Wrong<'a> {
    frame: Frame,
    told: Told<'a>,
}

/// The same for somebody of whom nothing is known.
#[derive(Template)]
#[template(path = "wrong_alone.html")]
struct WrongAlone<'a> {
    plain: Plain,
    told: Told<'a>,
}

/// What went wrong.
struct Told<'a> {
    title: &'static str,
    message: Name,
    hint: &'a str,
    request: &'a str,
    back: bool,
}

fn told<'a>(error: &'a ApiError, request: &'a str) -> Told<'a> {
    let title = match error.status {
        StatusCode::NOT_FOUND => "There is nothing here",
        StatusCode::FORBIDDEN => "This is not yours to see",
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::BAD_REQUEST => "That cannot be taken",
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => "That does not go together",
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "Not at this moment",
        StatusCode::FAILED_DEPENDENCY => "Heroku does not answer as it should",
        _ => "Something is wrong here",
    };
    let hint = match (&error.hint, error.status) {
        (_, StatusCode::FORBIDDEN) => "Ask somebody with the role admin for a role that may.",
        (Some(hint), _) => hint,
        (None, StatusCode::NOT_FOUND) => "It may have gone since, or not have been there at that date.",
        (None, _) => "",
    };
    let back = error.status == StatusCode::NOT_FOUND;
    Told { title, message: Name::new(&error.message), hint, request, back }
}

/// The page about an error, for whoever asked.
pub(crate) async fn wrong(call: &Call, error: &ApiError, request: &str) -> Result<Answer, ApiError> {
    let told = told(error, request);
    let frame = Frame::of(call, told.title).await?.here("Error");
    page(error.status, &Wrong { frame, told })
}

/// The same for somebody of whom nothing is known.
pub(crate) fn wrong_alone(plain: Plain, error: &ApiError, request: &str) -> Result<Answer, ApiError> {
    page(error.status, &WrongAlone { plain, told: told(error, request) })
}
