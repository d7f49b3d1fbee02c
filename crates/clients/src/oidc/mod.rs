//! Asks an `OpenID` provider who somebody is: by the authorization code flow with PKCE, a state and a nonce.
//!
//! Whether the person may sign in here, and as what, is not judged here.
//!
//! Invariant: what is given of a person was signed by the provider with a key of its own, for this client, in answer to this
//! browser's question, and has not expired. Requests go to https addresses alone, or to this machine where the provider is
//! there. Secret, codes and tokens stand in no error and no log line.
//!
//! Source: `OpenID` Connect Core 1.0 3.1, Discovery 1.0, RFC 7636, RFC 9207, RFC 9700.

mod config;
mod flow;
mod verify;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use openidconnect::core::{CoreAuthenticationFlow, CoreClientAuthMethod, CoreProviderMetadata};
use openidconnect::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken, DiscoveryError, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    TokenResponse as _,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

pub use config::Settings;
pub use flow::Flow;

use crate::error::{Call, ClientError};
use verify::{Client, Everything, Metadata, Tokens};
use wire::Wire;

/// How long the provider's description and keys are used before they are read again.
const FRESH: Duration = Duration::from_hours(1);

/// Why the provider's answer is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The provider does not take the code, or not from this client.
    Code,
    /// The token has expired, or is from the future.
    Expired,
    /// The token is for somebody else.
    Audience,
    /// The token, or the answer, is another provider's.
    Issuer,
    /// The token answers another question.
    Nonce,
    /// The token is not signed, or in a way that is not taken.
    Algorithm,
    /// The signature is none of the provider's.
    Signature,
    /// The token holds what it may not, or lacks what it must hold.
    Claims,
}

impl Refusal {
    /// The refusal's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Expired => "expired",
            Self::Audience => "audience",
            Self::Issuer => "issuer",
            Self::Nonce => "nonce",
            Self::Algorithm => "algorithm",
            Self::Signature => "signature",
            Self::Claims => "claims",
        }
    }
}

/// Whom the provider says somebody is.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    /// The provider's address.
    pub issuer: String,
    /// The provider's id of the person.
    pub subject: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the provider has verified it; none where it does not say.
    pub email_verified: Option<bool>,
    /// What the person is called.
    pub name: Option<String>,
    /// Every claim that is none of the standard's: groups, roles, and so on.
    pub more: Map<String, Value>,
}

/// What the provider's answer came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Answered {
    /// It is this person.
    Person(Box<Claims>),
    /// It is not taken.
    Refused(Refusal),
}

/// The way to one provider.
pub struct Oidc {
    settings: Settings,
    wire: Wire,
    /// What the provider said of itself, and when.
    known: Mutex<Option<(Instant, Arc<Metadata>)>>,
}

impl std::fmt::Debug for Oidc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Oidc").field("issuer", &self.settings.issuer).finish_non_exhaustive()
    }
}

impl Oidc {
    /// A way with these settings; nothing is sent.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] names the first setting that cannot work.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        settings.check()?;
        let wire = Wire::new(&settings)?;
        Ok(Self { settings, wire, known: Mutex::new(None) })
    }

    /// The address to send a browser to.
    ///
    /// # Errors
    ///
    /// Whatever kept the provider's description from being read.
    pub async fn begin(&self, flow: &Flow) -> Result<Url, ClientError> {
        let client = self.client(&*self.metadata(false).await?)?;
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier(flow));
        let (state, nonce) = (flow.state().to_owned(), flow.nonce().to_owned());
        let request = client.authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        );
        let scopes = self.settings.scopes.iter().map(|scope| Scope::new(scope.clone()));
        let (url, _, _) = request.add_scopes(scopes).set_pkce_challenge(challenge).url();
        Ok(url)
    }

    /// Who has come back with a code; `issuer` is what the address said of the provider, where it said so.
    ///
    /// The caller has compared the state. `now_seconds` counts from 1970.
    ///
    /// # Errors
    ///
    /// Whatever kept the provider from being asked.
    pub async fn finish(
        &self,
        flow: &Flow,
        code: &SecretString,
        issuer: Option<&str>,
        now_seconds: i64,
    ) -> Result<Answered, ClientError> {
        if issuer.is_some_and(|issuer| issuer != self.settings.issuer_as_written) {
            return Ok(Answered::Refused(Refusal::Issuer));
        }
        let metadata = self.metadata(false).await?;
        let client = self.client(&metadata)?;
        let tokens = match self.redeem(&client, flow, code).await? {
            Ok(tokens) => tokens,
            Err(refusal) => return Ok(Answered::Refused(refusal)),
        };
        let nonce = Nonce::new(flow.nonce().to_owned());
        let mut verified = verify::verified(&client, &tokens, &nonce, now_seconds);
        if verified.as_ref().is_err_and(|refusal| *refusal == Refusal::Signature) {
            // The provider may have taken a new key since its keys were read.
            let client = self.client(&*self.metadata(true).await?)?;
            verified = verify::verified(&client, &tokens, &nonce, now_seconds);
        }
        let mut claims = match verified {
            Ok(claims) => claims,
            Err(refusal) => return Ok(Answered::Refused(refusal)),
        };
        if claims.email.is_none() {
            self.complete(&client, &tokens, &mut claims).await?;
        }
        Ok(Answered::Person(Box::new(claims)))
    }

    /// Gives the code away for tokens.
    async fn redeem(
        &self,
        client: &Client,
        flow: &Flow,
        code: &SecretString,
    ) -> Result<Result<Tokens, Refusal>, ClientError> {
        let request = client
            .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
            .map_err(|_| self.shape("a token endpoint", "its description names none"))?
            .set_pkce_verifier(verifier(flow));
        match request.request_async(&self.wire).await {
            Ok(tokens) if tokens.id_token().is_some() => Ok(Ok(tokens)),
            Ok(_) => Ok(Err(Refusal::Claims)),
            Err(RequestTokenError::ServerResponse(_)) => Ok(Err(Refusal::Code)),
            Err(RequestTokenError::Request(error)) => Err(error),
            // The parser's own words could show a token.
            Err(_) => Err(self.shape("tokens", "the answer does not fit")),
        }
    }

    /// Asks for what the token did not tell, where the provider tells it elsewhere.
    async fn complete(
        &self,
        client: &Client,
        tokens: &Tokens,
        claims: &mut Claims,
    ) -> Result<(), ClientError> {
        let subject = openidconnect::SubjectIdentifier::new(claims.subject.clone());
        let Ok(request) = client.user_info(tokens.access_token().clone(), Some(subject)) else {
            return Ok(());
        };
        let told: openidconnect::UserInfoClaims<Everything, openidconnect::core::CoreGenderClaim> =
            match request.request_async(&self.wire).await {
                Ok(told) => told,
                Err(openidconnect::UserInfoError::Request(error)) => return Err(error),
                Err(_) => return Err(self.shape("claims of a person", "the answer does not fit")),
            };
        claims.email = told.email().map(|email| email.to_string());
        claims.email_verified = told.email_verified();
        claims.name = claims.name.take().or_else(|| verify::first(told.name()));
        for (name, value) in &told.additional_claims().members {
            claims.more.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Ok(())
    }

    /// What the provider says of itself, with its keys.
    async fn metadata(&self, anew: bool) -> Result<Arc<Metadata>, ClientError> {
        let mut known = self.known.lock().await;
        let held = known.as_ref().filter(|(at, _)| !anew && at.elapsed() < FRESH);
        if let Some((_, metadata)) = held {
            return Ok(Arc::clone(metadata));
        }
        let issuer = IssuerUrl::new(self.settings.issuer_as_written.clone())
            .map_err(|_| ClientError::Config { reason: "the provider's issuer is no address".into() })?;
        let read = CoreProviderMetadata::discover_async(issuer, &self.wire).await;
        let metadata = read.map_err(|error| match error {
            DiscoveryError::Request(error) => error,
            DiscoveryError::Validation(_) => self.shape("its description", "it is another provider's"),
            DiscoveryError::Response(status, _, _) => {
                let reason = format!("the status was {}", status.as_u16());
                self.shape("its description", &reason)
            }
            _ => self.shape("its description", "the answer does not fit"),
        })?;
        let metadata = Arc::new(metadata);
        *known = Some((Instant::now(), Arc::clone(&metadata)));
        Ok(metadata)
    }

    fn client(&self, metadata: &Metadata) -> Result<Client, ClientError> {
        let Settings { client_id, client_secret, redirect, .. } = &self.settings;
        let secret =
            client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
        let client =
            Client::from_provider_metadata(metadata.clone(), ClientId::new(client_id.clone()), secret);
        let redirect = RedirectUrl::new(redirect.to_string())
            .map_err(|_| ClientError::Config { reason: "the address to come back to is none".into() })?;
        let methods = metadata.token_endpoint_auth_methods_supported();
        let takes = |method| methods.is_none_or(|methods| methods.contains(&method));
        let by_body =
            !takes(CoreClientAuthMethod::ClientSecretBasic) && takes(CoreClientAuthMethod::ClientSecretPost);
        let auth = if by_body { AuthType::RequestBody } else { AuthType::BasicAuth };
        Ok(client.set_redirect_uri(redirect).set_auth_type(auth))
    }

    fn shape(&self, expected: &'static str, reason: &str) -> ClientError {
        let path = self.settings.issuer.path().to_owned();
        let call = Box::new(Call { method: "GET", path, attempts: 1 });
        ClientError::Shape { call, expected, reason: reason.to_owned() }
    }
}

fn verifier(flow: &Flow) -> PkceCodeVerifier {
    PkceCodeVerifier::new(flow.verifier().expose_secret().to_owned())
}
