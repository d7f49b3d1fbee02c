//! Whose session a request is in, and whether the request is the person's own wish.
//!
//! What the person may do is the policy's to say.
//!
//! Invariant: a browser sends cookies along with whatever any page makes it send. So nothing but reading is done for a cookie
//! unless the browser says that a page of ours asked, and the request shows the token that only such a page can know.

use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use metsuke_engine::identity::{Session, Visitor, csrf_token_fits};
use secrecy::SecretString;

use crate::cookies::Cookie;
use crate::error::ApiError;
use crate::form::{self, Form};
use crate::place::{Origin, Place};
use crate::server::State;

/// The header with the token, for scripts.
pub(crate) const TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
/// The field with the token, in forms.
pub(crate) const FIELD: &str = "csrf_token";

/// Somebody who is signed in in a browser.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) session: Session,
    /// What the cookie holds.
    pub(crate) cookie: SecretString,
}

/// The session that a request's cookie belongs to.
pub(crate) async fn signed(state: &State, headers: &HeaderMap) -> Result<Option<Signed>, ApiError> {
    let Some(cookie) = Cookie::Session.read(&state.place, headers) else { return Ok(None) };
    let session = state.people.session(&cookie).await?;
    Ok(session.map(|session| Signed { session, cookie }))
}

/// Where a request comes from.
pub(crate) fn visitor(place: &Place, peer: std::net::IpAddr, headers: &HeaderMap) -> Visitor {
    Visitor {
        address: place.visitor(peer, headers),
        device: Cookie::Device.read(place, headers),
        session: Cookie::Session.read(place, headers),
        browser: headers
            .get(header::USER_AGENT)
            .map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned()),
    }
}

/// Refuses what another site's page may have made a browser send. `signed` is the session that the request is done in;
/// without one it is a request that signs somebody in.
pub(crate) fn check(
    place: &Place,
    method: &Method,
    headers: &HeaderMap,
    body: &[u8],
    signed: Option<&Signed>,
) -> Result<(), ApiError> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let written = form::is_form(headers);
    match (place.origin_of(headers), signed) {
        (Origin::Own, _) => {}
        // A page elsewhere cannot send JSON without asking first, and is never told that it may.
        (Origin::Untold, None) if !written => {}
        _ => return Err(refused("the request does not come from a page of this server")),
    }
    let Some(signed) = signed else { return Ok(()) };
    let by_header = headers.get(TOKEN).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let shown = match by_header {
        None if written => Form::read(body).text(FIELD),
        shown => shown.unwrap_or_default(),
    };
    if csrf_token_fits(&signed.cookie, &shown) {
        Ok(())
    } else {
        Err(refused("the request does not show the session's token"))
    }
}

fn refused(told: &str) -> ApiError {
    ApiError::new(StatusCode::FORBIDDEN, "forgery", told)
        .hint("`GET /api/v1/session` tells the token; send it as `X-CSRF-Token`")
}
