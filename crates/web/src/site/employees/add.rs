//! Taking a roster in: a text that somebody pastes, or a server that answers as Okta's users API does.
//!
//! Invariant: a token that somebody typed is in no page. A roster that is refused leaves the one before as it is.

use askama::Template;
use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use metsuke_engine::desk::RosterTaken;
use serde::Deserialize;
use serde_json::json;

use super::HERE;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::form::Form;
use crate::handlers::handle;
use crate::site::asked::{Asked, segment};
use crate::site::cell::Figure;
use crate::site::connectors::as_json;
use crate::site::frame::{Frame, page as shown};
use crate::site::settings::{Said, told};

/// What a roster is called where nobody says.
const USUAL: &str = "hr";

#[derive(Template)]
#[template(path = "employees_add.html")]
struct View {
    frame: Frame,
    fields: Fields,
    said: Said,
    taken: Option<Taken>,
}

/// What the forms held; never the token.
#[derive(Default)]
struct Fields {
    name: String,
    text: String,
    scim: bool,
    url: String,
    connector: String,
    accept_missing: bool,
}

/// What a roster came to, in figures.
struct Taken {
    roster: String,
    people: Vec<Figure>,
    accounts: Vec<Figure>,
}

#[derive(Deserialize)]
struct Answered {
    estates: Vec<RosterTaken>,
}

impl Fields {
    fn read(form: &Form) -> Self {
        Self {
            name: form.text("name").trim().to_owned(),
            text: form.text("text"),
            scim: form.text("kind") == "scim",
            url: form.text("url").trim().to_owned(),
            connector: form.text("connector"),
            accept_missing: !form.text("accept_missing").is_empty(),
        }
    }

    fn connector(&self) -> Option<&str> {
        Some(&*self.connector).filter(|connector| !connector.is_empty())
    }
}

async fn view(
    call: &Call,
    status: StatusCode,
    fields: Fields,
    said: Said,
    taken: Option<Taken>,
) -> Result<Answer, ApiError> {
    let frame = Frame::of(call, "Take a roster in").await?.below("People", "/people");
    let frame = frame.below("Employees", HERE).here("Take a roster in");
    shown(status, &View { frame, fields, said, taken })
}

/// The forms.
pub(in crate::site) async fn add(call: Call) -> Result<Answer, ApiError> {
    let connector = Asked::of(&call.uri).get("connector").unwrap_or_default().to_owned();
    let fields = Fields { name: USUAL.to_owned(), connector, ..Fields::default() };
    view(&call, StatusCode::OK, fields, Said::default(), None).await
}

/// Takes a pasted roster in.
pub(in crate::site) async fn import(call: Call) -> Result<Answer, ApiError> {
    let fields = Fields::read(&Form::read(&call.body));
    let mut asked = format!("?accept_missing={}", fields.accept_missing);
    if let Some(connector) = fields.connector() {
        asked = format!("{asked}&connector={}", segment(connector));
    }
    let mut request = at(call.clone(), &asked)?;
    request.body = Bytes::from(fields.text.clone());
    let media = if fields.scim { "application/scim+json" } else { "text/csv" };
    request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    done(call, request, fields).await
}

/// Fetches a roster from a server.
pub(in crate::site) async fn fetch(call: Call) -> Result<Answer, ApiError> {
    let form = Form::read(&call.body);
    let fields = Fields::read(&form);
    let body = json!({
        "url": fields.url,
        "token": form.text("token"),
        "connector": fields.connector(),
        "accept_missing": fields.accept_missing,
    });
    done(call.clone(), as_json(call, &body), fields).await
}

async fn done(call: Call, mut request: Call, fields: Fields) -> Result<Answer, ApiError> {
    request.path.insert("name".to_owned(), fields.name.clone());
    match handle(request).await {
        Ok(answer) => {
            let taken = serde_json::from_value::<Answered>(told(&answer))
                .ok()
                .map(|answered| figures(&answered.estates));
            let fields = Fields { name: fields.name, connector: fields.connector, ..Fields::default() };
            view(&call, StatusCode::OK, fields, Said::default(), taken).await
        }
        Err(error) if error.status.is_client_error() => {
            view(&call, error.status, fields, Said::of(&error), None).await
        }
        Err(error) => Err(error),
    }
}

/// What a roster came to in all estates; its people are the same in each, the accounts are not.
fn figures(estates: &[RosterTaken]) -> Taken {
    let most = |of: fn(&RosterTaken) -> u64| estates.iter().map(of).max().unwrap_or_default();
    let all = |of: fn(&RosterTaken) -> u64| estates.iter().map(of).sum();
    let to = |only: &str| Some(format!("{HERE}?only={only}"));
    Taken {
        roster: estates.first().map(|one| one.roster.clone()).unwrap_or_default(),
        people: vec![
            Figure::new(most(|taken| taken.people), "people", to("all")),
            Figure::new(most(|taken| taken.added), "new", None),
            Figure::new(most(|taken| taken.changed), "changed", None),
            Figure::new(most(|taken| taken.missing), "named no more", None),
        ],
        accounts: vec![
            Figure::new(all(|taken| taken.accounts.matched), "accounts matched", to("all")),
            Figure::new(all(|taken| taken.accounts.unsure), "several fit", to("open")),
            Figure::new(all(|taken| taken.accounts.unknown), "nobody fits", to("open")),
            Figure::new(all(|taken| taken.accounts.nobody), "nobody’s", to("settled")),
        ],
    }
}

/// The same request with these parameters, which begin with a question mark; none where the text is empty.
pub(super) fn at(call: Call, parameters: &str) -> Result<Call, ApiError> {
    let uri: Result<Uri, _> = format!("{}{parameters}", call.uri.path()).parse();
    let uri = uri.map_err(|_| ApiError::invalid("connector", "it cannot stand in an address"))?;
    Ok(Call { uri, ..call })
}
