//! What signing in, and accounts of people, take and give.

use metsuke_engine::identity::{Operation, Role};
use serde_json::{Value, json};

use super::operations::{Body, Spec};
use super::schemas::Named;
use super::words::{count, flag, list, moment, named, object, one_of, only, or_null, text, with};

const FORM: &str = "application/x-www-form-urlencoded";
const NEXT: &[&str] = &["next"];
const LINK: &[&str] = &["link"];
const CALLBACK: &[&str] = &["code", "state", "iss", "error"];

/// What an operation of signing in takes and gives.
pub(super) fn describe(operation: Operation) -> Spec {
    let field = |words: &[&str]| {
        let members =
            words.iter().map(|word| ((*word).to_owned(), text())).collect::<serde_json::Map<_, _>>();
        json!({ "type": "object", "properties": members })
    };
    match operation {
        Operation::SignInPage => Spec { parameters: NEXT, ..page("The page.") }.more(&[303, 422]),
        Operation::SubmitSignIn => {
            moved("Signed in.").form(field(&["email", "password", "code", "next"])).more(&[401, 403, 429])
        }
        Operation::SetupPage => Spec { parameters: LINK, ..page("The page.") }.more(&[404, 422]),
        Operation::SubmitSetup => moved("Set up and signed in.")
            .form(field(&["link", "email", "name", "password"]))
            .more(&[403, 404]),
        Operation::AskProvider => moved("To the provider.").more(&[404, 424]),
        Operation::AnswerFromProvider => {
            Spec { parameters: CALLBACK, ..moved("Signed in.") }.more(&[400, 403, 422, 424, 429])
        }
        Operation::AccountPage => page("The page.").more(&[303]),
        Operation::SubmitSignOut => moved("Signed out.").form(field(&["csrf_token"])),
        Operation::GetSession => Spec::thing("The session.", named("Session")),
        Operation::CreateSession => {
            let opened = "The session; its cookie comes along.";
            Spec::new(201, opened, named("Session")).body(named("SignIn")).more(&[401, 403, 429])
        }
        Operation::EndSession => Spec::new(200, "It has ended.", object([("id", text()), ("ended", flag())])),
        Operation::ChangePassword => {
            let opened = "A new session: all others have ended.";
            Spec::new(200, opened, named("Session")).body(named("PasswordChange")).more(&[429])
        }
        Operation::OfferSecondFactor => {
            let told = object([("secret", text()), ("address", text())]);
            Spec::new(
                201,
                "The second factor's secret, shown this once, and the address that apps read.",
                told,
            )
            .body(named("PasswordAgain"))
            .more(&[409, 429])
        }
        Operation::RemoveSecondFactor => {
            let opened = "A new session: all others have ended.";
            Spec::new(200, opened, named("Session")).body(named("SecondFactorRemoval")).more(&[409, 429])
        }
        Operation::ListOwnSessions => {
            Spec::list("The sessions that can still be used, the newest first.", "OwnSession", &[])
        }
        Operation::EndOtherSessions => {
            Spec::new(200, "They have ended; so many could still be used.", object([("ended", count())]))
        }
        Operation::EndOwnSession => {
            let told = object([("id", text()), ("ended", flag())]);
            Spec::new(200, "It has ended.", told).more(&[404])
        }
        _ => {
            let told = object([("recovery_codes", list(text()))]);
            Spec::new(200, "It is asked for from now on. The codes are shown this once.", told)
                .body(named("SecondFactorCode"))
                .more(&[409])
        }
    }
}

/// What an operation on accounts takes and gives.
pub(super) fn accounts(operation: Operation) -> Spec {
    let shown = |description| Spec::new(200, description, named("Account")).more(&[404]);
    match operation {
        Operation::ListAccounts => Spec::list("Accounts, oldest first.", "Account", &[]),
        Operation::CreateAccount => {
            Spec::new(201, "The account.", named("Account")).body(named("NewAccount"))
        }
        Operation::GetAccount => Spec::thing("The account.", named("Account")).more(&[404]),
        Operation::EditAccount => {
            shown("The account as it is now.").body(named("AccountEdit")).more(&[404, 409])
        }
        Operation::ResetPassword => shown("The account, signed out everywhere.").body(named("NewPassword")),
        Operation::ResetSecondFactor => shown("The account, signed out everywhere."),
        _ => Spec::new(200, "How many there were.", object([("ended", count())])).more(&[404]),
    }
}

fn page(description: &'static str) -> Spec {
    let mut spec = Spec::thing(description, text());
    spec.answer.content = vec![("text/html", text())];
    spec
}

fn moved(description: &'static str) -> Spec {
    let mut spec = Spec::new(303, description, text());
    spec.answer.content = vec![("text/plain", text())];
    spec
}

trait Formed {
    fn form(self, schema: Value) -> Self;
}

impl Formed for Spec {
    fn form(mut self, schema: Value) -> Self {
        self.body = Some(Body { schema, required: true, media: FORM });
        self
    }
}

/// The schemas.
pub(super) fn all() -> Named {
    let roles = || one_of(&Role::ALL.map(Role::as_str));
    let secret = || json!({ "type": "string", "maxLength": 256 });
    let address = || json!({ "type": "string", "format": "email", "maxLength": 254 });
    let name = || json!({ "type": ["string", "null"], "minLength": 1, "maxLength": 254, "pattern": "^[!-~]([ -~]*[!-~])?$" });
    let account = object([
        ("id", text()),
        ("email", text()),
        ("name", text()),
        ("role", text()),
        ("source", text()),
        ("password", flag()),
        ("second_factor", flag()),
        ("created_at", moment()),
        ("created_by", text()),
        ("disabled_at", or_null(moment())),
        ("signed_in_at", or_null(moment())),
    ]);
    let session = object([
        ("id", text()),
        ("account", text()),
        ("email", or_null(text())),
        ("name", text()),
        ("role", roles()),
        ("method", text()),
        ("created_at", moment()),
        ("expires_at", moment()),
        ("csrf_token", text()),
    ]);
    let own = object([
        ("id", text()),
        ("current", flag()),
        ("method", text()),
        ("created_at", moment()),
        ("seen_at", moment()),
        ("expires_at", moment()),
        ("address", or_null(text())),
        ("browser", or_null(text())),
    ]);
    let password = json!({ "type": "string", "minLength": 12, "maxLength": 256 });
    let asked = with(
        object([("email", address()), ("role", roles())]),
        [("name", name()), ("password", json!({ "anyOf": [password, { "type": "null" }] }))],
    );
    let edit = with(
        object([]),
        [("name", name()), ("role", or_null(roles())), ("disabled", json!({ "type": ["boolean", "null"] }))],
    );
    vec![
        ("Account", account),
        ("NewAccount", only(asked)),
        ("AccountEdit", only(edit)),
        ("NewPassword", only(object([("password", password.clone())]))),
        ("Session", session),
        ("OwnSession", own),
        (
            "SignIn",
            only(with(object([("email", text()), ("password", secret())]), [("code", or_null(secret()))])),
        ),
        ("PasswordChange", only(object([("current", secret()), ("new", password)]))),
        ("PasswordAgain", only(object([("password", secret())]))),
        ("SecondFactorCode", only(object([("code", secret())]))),
        ("SecondFactorRemoval", only(object([("password", secret()), ("code", secret())]))),
    ]
}
