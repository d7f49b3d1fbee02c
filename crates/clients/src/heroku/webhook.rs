//! Asks Heroku for webhooks of apps, and to take them away; tells whether a delivery of one is signed as it must be.
//!
//! They change nobody's access, so they are no [`WriteCall`](super::WriteCall): one is never stored, for it holds a secret.
//!
//! Invariant: each call is sent once. After an error that is no refusal, only a list of the app's webhooks tells whether
//! it was carried out.
//!
//! Source: <https://devcenter.heroku.com/articles/app-webhooks>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use zeroize::Zeroizing;

use super::endpoint::{accept, segment};
use super::{Provisioning, endpoint, read, wire};
use crate::Redactor;
use crate::error::ClientError;
use crate::http::{Ask, Delivery, Reply};

/// The header that holds the signature of a delivery.
///
/// Source: <https://devcenter.heroku.com/articles/app-webhooks#securing-webhook-requests>
pub const SIGNATURE: &str = "Heroku-Webhook-Hmac-SHA256";

/// Whether the text of [`SIGNATURE`] is that of the very bytes of a body; compared in constant time.
#[must_use]
pub fn is_signed(secret: &SecretString, body: &[u8], signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature.trim()) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose_secret().as_bytes());
    // It compares in constant time.
    hmac::verify(&key, body, &signature).is_ok()
}

/// A webhook to be asked for.
#[derive(Debug)]
pub struct NewWebhook<'a> {
    /// The app, by id or name.
    pub app: &'a str,
    /// Where it leads.
    pub url: &'a str,
    /// What its deliveries are signed with.
    pub secret: &'a SecretString,
    /// What it tells of, such as `api:collaborator`.
    pub include: &'a [&'a str],
}

impl Provisioning {
    /// The webhooks of an app.
    ///
    /// # Errors
    ///
    /// [`ClientError`] when they could not be read.
    pub async fn webhooks(&self, app: &str) -> Result<Vec<wire::AppWebhook>, ClientError> {
        self.all(endpoint::webhooks(app)).await
    }

    /// Asks for a webhook whose deliveries are tried until they are taken.
    ///
    /// # Errors
    ///
    /// [`ClientError`]; unless Heroku refused it, it may be there all the same.
    pub async fn add_webhook(&self, new: &NewWebhook<'_>) -> Result<wire::AppWebhook, ClientError> {
        let path = format!("/apps/{}/webhooks", segment(new.app));
        let body = json!({
            "include": new.include,
            "level": "sync",
            "secret": new.secret.expose_secret(),
            "url": new.url,
        });
        let body = Zeroizing::new(body.to_string());
        let ask = ask("POST", &path, Some(&body));
        let reply = self.once(&ask).await.map_err(|error| cleaned(error, new.secret))?;
        let cleaner = &self.heroku.inner.transport.cleaner;
        read::json(cleaner, &ask, &reply, "a webhook").map_err(|error| cleaned(error, new.secret))
    }

    /// Takes a webhook away.
    ///
    /// # Errors
    ///
    /// [`ClientError`]; kind `NotFound` means that there is none. Unless Heroku refused it, it may be gone all the same.
    pub async fn remove_webhook(&self, app: &str, webhook: &str) -> Result<(), ClientError> {
        let path = format!("/apps/{}/webhooks/{}", segment(app), segment(webhook));
        self.once(&ask("DELETE", &path, None)).await.map(|_| ())
    }

    async fn once(&self, ask: &Ask<'_>) -> Result<Reply, ClientError> {
        let transport = &self.heroku.inner.transport;
        match transport.deliver_write(&self.writer, ask, || true).await {
            Delivery::Answered(reply, _) if !(200..300).contains(&reply.status) => {
                let answer = Box::new(reply.refusal(&transport.cleaner));
                Err(ClientError::Answered { call: Box::new(ask.call()), answer })
            }
            Delivery::Unsent(error) | Delivery::Unanswered(error) | Delivery::Answered(_, Some(error)) => {
                Err(error)
            }
            Delivery::Answered(reply, None) => Ok(reply),
        }
    }
}

fn ask<'a>(method: &'static str, path: &'a str, body: Option<&'a str>) -> Ask<'a> {
    Ask { method, path, accept: accept(Some("webhooks")), range: None, body, log_path: path }
}

/// The error without the secret, should a refusal repeat what it refuses.
fn cleaned(error: ClientError, secret: &SecretString) -> ClientError {
    match error {
        ClientError::Answered { call, mut answer } => {
            let redactor = Redactor::new([secret]);
            answer.message = answer.message.map(|message| redactor.clean(&message));
            ClientError::Answered { call, answer }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_rfc_4231s_second_case_and_of_nothing_else() {
        let (secret, body) = (SecretString::from("Jefe"), b"what do ya want for nothing?");
        // 5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843
        let signature = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=";
        assert!(is_signed(&secret, body, signature) && is_signed(&secret, body, &format!(" {signature} ")));
        assert!(!is_signed(&SecretString::from("jefe"), body, signature));
        assert!(!is_signed(&secret, &body[1..], signature));
        for wrong in ["", "=", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEI=", "W9zBRr9gdU5qBCQmCJV1xw=="] {
            assert!(!is_signed(&secret, body, wrong), "{wrong}");
        }
    }
}
