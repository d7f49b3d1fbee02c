//! A stand-in for an `OpenID` provider with the manners of Keycloak or of Dex: description, sign-in, tokens and keys.
//!
//! Nobody types a password here: whoever is sent to it is the person that was set. It shares no type with the rest of the
//! house, and was written from the standard and from what the two servers answer.
//!
//! Invariant: unless it was told to misbehave, every token is right; a code is good once, for the client, the address and the
//! verifier that it was given for.
//!
//! Source: `OpenID` Connect Core 1.0 and Discovery 1.0, RFC 7636, RFC 9207.

mod keys;
mod routes;
mod token;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::SimulatorError;
use keys::SigningKey;

/// Whose manners it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OidcManners {
    /// Keycloak's: a realm in the path, groups with a slash in front, roles in `realm_access`, its name in the answer.
    Keycloak,
    /// Dex's: groups as they are, and nothing more than is asked for.
    Dex,
}

/// What is wrong with the next token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OidcFault {
    /// It answers another question.
    WrongNonce,
    /// It is for another client.
    WrongAudience,
    /// It is for another client beside the right one.
    FurtherAudience,
    /// It is another provider's.
    WrongIssuer,
    /// It has expired.
    Expired,
    /// It was made tomorrow.
    FromTheFuture,
    /// It is not signed, and says so.
    AlgorithmNone,
    /// It is signed with the client's secret, which is no key of the provider's.
    SymmetricKey,
    /// It is signed with a key of somebody else's, under the name of the provider's own.
    ForeignKey,
    /// It was changed after it was signed.
    Changed,
    /// There is none.
    NoIdToken,
    /// The access token is another one than the token was made for.
    WrongAccessToken,
    /// The answer to the browser names another provider.
    WrongIssuerInAnswer,
}

/// Who is signed in at the provider.
#[derive(Clone, Debug)]
pub struct OidcPerson {
    /// The provider's id.
    pub subject: String,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether it is verified; none where the provider does not say.
    pub email_verified: Option<bool>,
    /// Groups, without a slash.
    pub groups: Vec<String>,
}

impl OidcPerson {
    /// Somebody with a verified address, whose id is made of it.
    #[must_use]
    pub fn new(email: &str, groups: &[&str]) -> Self {
        Self {
            subject: format!("subject-of-{email}"),
            email: Some(email.to_owned()),
            email_verified: Some(true),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        }
    }
}

/// A code that was given out.
#[derive(Debug)]
struct Code {
    nonce: String,
    challenge: String,
    redirect: String,
}

#[derive(Debug)]
struct State {
    person: OidcPerson,
    key: SigningKey,
    fault: Option<OidcFault>,
    /// Whether claims of the person are told at the endpoint for them alone.
    claims_apart: bool,
    codes: HashMap<String, Code>,
    made: u64,
    keys_read: u64,
}

#[derive(Debug)]
struct Shared {
    manners: OidcManners,
    address: SocketAddr,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the provider is, as it names itself.
    fn issuer(&self) -> String {
        let path = match self.manners {
            OidcManners::Keycloak => "/realms/example",
            OidcManners::Dex => "/dex",
        };
        format!("http://{}{path}", self.address)
    }

    /// What a token tells of a person beyond who they are.
    fn about(&self, person: &OidcPerson) -> Value {
        let mut told = json!({});
        let members = told.as_object_mut();
        let Some(members) = members else { return told };
        members.extend(person.email.as_ref().map(|email| ("email".to_owned(), json!(email))));
        members.extend(person.email_verified.map(|verified| ("email_verified".to_owned(), json!(verified))));
        match self.manners {
            OidcManners::Keycloak => {
                let groups: Vec<String> = person.groups.iter().map(|group| format!("/{group}")).collect();
                members.insert("groups".to_owned(), json!(groups));
                members.insert("realm_access".to_owned(), json!({ "roles": person.groups }));
                members.insert("preferred_username".to_owned(), json!(person.subject));
            }
            OidcManners::Dex => {
                members.insert("groups".to_owned(), json!(person.groups));
                members.insert("name".to_owned(), json!(person.subject));
            }
        }
        told
    }
}

/// A provider that is listening; it ends with this value.
#[derive(Debug)]
pub struct OidcProvider {
    shared: Arc<Shared>,
    server: JoinHandle<std::io::Result<()>>,
}

impl OidcProvider {
    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    ///
    /// [`SimulatorError::Listen`] when no port can be bound.
    pub async fn local(manners: OidcManners, person: OidcPerson) -> Result<Self, SimulatorError> {
        let (tcp, address) = crate::simulator::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let state = Mutex::new(State {
            person,
            key: SigningKey::new("key-1"),
            fault: None,
            claims_apart: false,
            codes: HashMap::new(),
            made: 0,
            keys_read: 0,
        });
        let shared = Arc::new(Shared { manners, address, state });
        let router = routes::router(Arc::clone(&shared));
        let server = crate::simulator::background(async move { axum::serve(tcp, router).await });
        Ok(Self { shared, server })
    }

    /// Where it is, as it names itself.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.shared.issuer()
    }

    /// The client that it knows.
    #[must_use]
    pub const fn client_id(&self) -> &str {
        routes::CLIENT
    }

    /// What the client proves itself with.
    #[must_use]
    pub const fn client_secret(&self) -> &str {
        routes::SECRET
    }

    /// Somebody else is signed in from now on.
    pub fn set_person(&self, person: OidcPerson) {
        self.shared.state().person = person;
    }

    /// Something is wrong with the next token.
    pub fn misbehave(&self, fault: OidcFault) {
        self.shared.state().fault = Some(fault);
    }

    /// Tells claims of the person at the endpoint for them alone, and not in the token.
    pub fn tell_claims_apart(&self) {
        self.shared.state().claims_apart = true;
    }

    /// Signs with another key from now on, and shows no other.
    pub fn rotate(&self) {
        let mut state = self.shared.state();
        state.made += 1;
        let name = format!("key-{}", state.made + 1);
        state.key = SigningKey::new(&name);
    }

    /// How often its keys were read.
    #[must_use]
    pub fn keys_read(&self) -> u64 {
        self.shared.state().keys_read
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        self.server.abort();
    }
}
