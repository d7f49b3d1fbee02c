//! Signing in and out in a browser: pages, their forms, and the way to a provider of identities and back.
//!
//! Invariant: a page never tells whether an account exists, or what of a try was wrong; a browser is sent on within this server
//! alone, but for the provider.

use axum::http::{StatusCode, header};
use metsuke_engine::identity::{FirstPerson, NotLetIn, Opened, ProviderAnswer, SignedIn, Typing, csrf_token};
use serde::Deserialize;

use crate::answer::Answer;
use crate::call::Call;
use crate::cookies::Cookie;
use crate::error::ApiError;
use crate::form::{Form, is_form};
use crate::guard::FIELD;
use crate::pages::{Field, Page};
use crate::place::within;
use crate::site::setting_up;

const SIGN_IN: &str = "/auth/sign-in";
const SETUP: &str = "/setup";
/// Where the first person goes on.
const NEXT: &str = "/setup/heroku";
const PROVIDER: &str = "/auth/oidc";
const ACCOUNT: &str = "/auth/account";
/// Where somebody is who has just signed in.
const HOME: &str = "/";

/// What a page is asked with; more is passed over, since others make these addresses too.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    next: Option<String>,
    link: Option<String>,
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

pub(super) async fn page(call: Call) -> Result<Answer, ApiError> {
    if call.state.people.nobody().await? {
        let page = Page::of(&call, "Not set up yet")
            .text("Nobody can sign in yet. The server's log has a link with which the first person is set up; starting the server again makes a new one.");
        return Ok(page.answer(StatusCode::OK));
    }
    let asked: Asked = call.parameters()?;
    let next = within(asked.next.as_deref()).unwrap_or_else(|| HOME.to_owned());
    if call.signed.is_some() {
        return Ok(sent_to(&next));
    }
    Ok(form(&call, &next, "", None).answer(StatusCode::OK))
}

/// The form, with what went wrong before.
fn form(call: &Call, next: &str, email: &str, told: Option<&str>) -> Page {
    let fields = [
        Field::new("E-mail address", "email", "email", "username").holding(email),
        Field::new("Password", "password", "password", "current-password"),
        Field::new("Code of the second factor, if you have one", "code", "text", "one-time-code").optional(),
    ];
    let page = Page::of(call, "Sign in").told(told).form(SIGN_IN, &[("next", next)], &fields, "Sign in");
    match call.state.people.provider() {
        Some(name) => page.link(PROVIDER, &format!("Sign in with {name}")),
        None => page,
    }
}

pub(super) async fn submit(call: Call) -> Result<Answer, ApiError> {
    let form_sent = read(&call)?;
    let next = within(Some(&form_sent.text("next"))).unwrap_or_else(|| HOME.to_owned());
    let email = form_sent.text("email");
    let typing = Typing {
        email: email.clone(),
        password: form_sent.secret("password"),
        code: form_sent.secret("code"),
    };
    let again = |told: &str, status| form(&call, &next, &email, Some(told)).answer(status);
    Ok(match call.state.people.sign_in(&typing, &call.visitor).await? {
        SignedIn::Yes(opened) => signed_in(&call, &opened, sent_to(&next)),
        SignedIn::No => again(
            "That did not work. Check the e-mail address, the password, and the code if you have a second factor.",
            StatusCode::UNAUTHORIZED,
        ),
        SignedIn::Locked(wait) => {
            let minutes = wait.as_secs().div_ceil(60);
            let told = format!(
                "There were too many tries. Try again in {minutes} min, or in a browser in which you have signed in before."
            );
            let answer = again(&told, StatusCode::TOO_MANY_REQUESTS);
            answer.with(header::RETRY_AFTER, &wait.as_secs().max(1).to_string())
        }
        SignedIn::Busy => {
            let answer = again("Too many people are signing in at once.", StatusCode::SERVICE_UNAVAILABLE);
            answer.with(header::RETRY_AFTER, "5")
        }
    })
}

pub(super) async fn setup_page(call: Call) -> Result<Answer, ApiError> {
    let asked: Asked = call.parameters()?;
    let link = asked.link.unwrap_or_default();
    if !call.state.people.may_set_up(&link.as_str().into()).await? {
        return Ok(no_link(&call));
    }
    Ok(setup_form(&call, &link, "", "", None).answer(StatusCode::OK))
}

fn setup_form(call: &Call, link: &str, email: &str, name: &str, told: Option<&str>) -> Page {
    let fields = [
        Field::new("E-mail address", "email", "email", "username").holding(email),
        Field::new("Name", "name", "text", "name").holding(name).optional(),
        Field::new("Password", "password", "password", "new-password").helped("12 characters or more."),
    ];
    let page = Page::of(call, "Set up Metsuke")
        .steps(setting_up(0))
        .text("You are the first person here: you may administer everything, and make accounts for others. Then you connect Heroku.")
        .told(told)
        .form(SETUP, &[("link", link)], &fields, "Set up and sign in");
    match call.state.people.provider() {
        Some(name) => page
            .text(&format!(
                "People may also come through {name}: whoever’s groups there give the role admin may administer without a password here. Keep one account with a password all the same, for the day on which {name} does not answer."
            ))
            .link(PROVIDER, &format!("Sign in with {name} instead")),
        None => page.text("People may come through a provider of identities (OpenID Connect) later: that is set with METSUKE_OIDC_ISSUER and its neighbours, and changes nothing of this account."),
    }
}

fn no_link(call: &Call) -> Answer {
    Page::of(call, "This link is no good")
        .text("It was used, it has expired, or somebody is set up already. While nobody is, starting the server again makes a new one.")
        .link(SIGN_IN, "Sign in")
        .answer(StatusCode::NOT_FOUND)
}

pub(super) async fn set_up(call: Call) -> Result<Answer, ApiError> {
    let form = read(&call)?;
    let (link, email, name) = (form.text("link"), form.text("email"), form.text("name"));
    let named = Some(name.clone()).filter(|name| !name.trim().is_empty());
    let person = FirstPerson { email: email.clone(), name: named, password: form.secret("password") };
    match call.state.people.set_up(&link.as_str().into(), person, &call.visitor).await {
        Ok(Some(opened)) => Ok(signed_in(&call, &opened, sent_to(NEXT))),
        Ok(None) => Ok(no_link(&call)),
        Err(error) => {
            let error = ApiError::from(error);
            if error.status != StatusCode::UNPROCESSABLE_ENTITY {
                return Err(error);
            }
            let page = setup_form(&call, &link, &email, &name, Some(&error.message));
            Ok(page.answer(StatusCode::UNPROCESSABLE_ENTITY))
        }
    }
}

pub(super) async fn ask_provider(call: Call) -> Result<Answer, ApiError> {
    match call.state.people.ask_provider().await {
        Ok(Some(question)) => {
            let answer = sent_to(&question.address);
            Ok(Cookie::Question.set(&call.state.place, &question.cookie, answer))
        }
        Ok(None) => Err(ApiError::not_found("there is no provider of identities")),
        Err(error) => unreachable_provider(&call, error),
    }
}

pub(super) async fn answer_from_provider(call: Call) -> Result<Answer, ApiError> {
    let asked: Asked = call.parameters()?;
    let place = &call.state.place;
    let cookie = Cookie::Question.read(place, &call.headers);
    let (Some(code), Some(state), Some(cookie)) = (asked.code, asked.state, cookie) else {
        let told = match asked.error {
            Some(_) => "The provider has not let you in.",
            None => "This was not the answer to a question of this browser. Try again.",
        };
        return Ok(Cookie::Question.clear(place, not_let_in(&call, told, StatusCode::BAD_REQUEST)));
    };
    let answer = ProviderAnswer { cookie, state, code: code.into(), issuer: asked.iss };
    let outcome = match call.state.people.sign_in_with_provider(&answer, &call.visitor).await {
        Ok(outcome) => outcome,
        Err(error) => return unreachable_provider(&call, error),
    };
    let answer = match outcome {
        Ok(opened) => signed_in(&call, &opened, sent_to(HOME)),
        Err(NotLetIn::Locked(wait)) => {
            not_let_in(&call, "There were too many tries. Try again later.", StatusCode::TOO_MANY_REQUESTS)
                .with(header::RETRY_AFTER, &wait.as_secs().max(1).to_string())
        }
        Err(why) => not_let_in(&call, reason(why), StatusCode::FORBIDDEN),
    };
    Ok(Cookie::Question.clear(place, answer))
}

const fn reason(why: NotLetIn) -> &'static str {
    match why {
        NotLetIn::Question => {
            "This was not the answer to a question of this browser, or it came too late. Try again."
        }
        NotLetIn::Word(_) | NotLetIn::Locked(_) => {
            "What the provider said is not taken. The audit trail tells why."
        }
        NotLetIn::Email => "The provider has not verified an e-mail address of yours.",
        NotLetIn::Role => "None of your groups at the provider gives you a role here.",
        NotLetIn::Linked => "Your e-mail address has an account here that is not linked with the provider.",
        NotLetIn::Disabled => "Your account is disabled.",
    }
}

fn not_let_in(call: &Call, told: &str, status: StatusCode) -> Answer {
    Page::of(call, "You are not signed in").told(Some(told)).link(SIGN_IN, "Back").answer(status)
}

fn unreachable_provider(call: &Call, error: metsuke_engine::EngineError) -> Result<Answer, ApiError> {
    if !matches!(error, metsuke_engine::EngineError::Provider { .. }) {
        return Err(error.into());
    }
    tracing::warn!(error = %crate::error::chain(&error), "the provider of identities cannot be asked");
    Ok(not_let_in(
        call,
        "The provider cannot be reached, or answers nothing of use.",
        StatusCode::FAILED_DEPENDENCY,
    ))
}

pub(super) fn account(call: &Call) -> Answer {
    let Some(signed) = &call.signed else {
        return sent_to(&format!("{SIGN_IN}?next={ACCOUNT}"));
    };
    let caller = &signed.session.caller;
    let email = caller.person.as_deref().unwrap_or(&caller.name);
    let until = signed.session.expires_at;
    let token = csrf_token(&signed.cookie);
    Page::of(call, "Signed in")
        .text(&format!("You are {} ({email}), with the role {}.", caller.name, caller.role))
        .text(&format!("Unused, this session ends at {until}."))
        .form("/auth/sign-out", &[(FIELD, &token)], &[], "Sign out")
        .answer(StatusCode::OK)
}

pub(super) async fn sign_out(call: Call) -> Result<Answer, ApiError> {
    call.state.people.sign_out(&call.signed()?.session).await?;
    Ok(Cookie::Session.clear(&call.state.place, sent_to(SIGN_IN)))
}

/// An answer with the cookies of a session that was opened.
pub(super) fn signed_in(call: &Call, opened: &Opened, answer: Answer) -> Answer {
    let place = &call.state.place;
    let answer = Cookie::Session.set(place, &opened.cookie, answer);
    Cookie::Device.set(place, &opened.device, answer)
}

fn read(call: &Call) -> Result<Form, ApiError> {
    if !is_form(&call.headers) {
        let told = "the body must be a form";
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", told)
            .hint("send `Content-Type: application/x-www-form-urlencoded`"));
    }
    Ok(Form::read(&call.body))
}

fn sent_to(place: &str) -> Answer {
    Answer::typed(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "").with(header::LOCATION, place)
}
