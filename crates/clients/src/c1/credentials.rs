//! What a connector is known by at C1: its client id, and the key in its client secret.
//!
//! They come as values; nothing is read from the environment.
//!
//! Invariant: no error and no debug text holds a part of the secret; the key's two halves belong together.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::Ed25519KeyPair;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;
use zeroize::{Zeroize as _, Zeroizing};

use crate::Redactor;
use crate::error::ClientError;

/// The only known version of a secret.
const VERSION: &str = "v1";

/// A client id and the key that belongs to it.
pub struct Credentials {
    client_id: String,
    /// The length of the name in the client id.
    name: usize,
    host: String,
    secret: SecretString,
    pub(super) key: Ed25519KeyPair,
    pub(super) key_id: Option<String>,
    seed: Zeroizing<Vec<u8>>,
}

/// The key, ready to sign.
struct Key {
    pair: Ed25519KeyPair,
    id: Option<String>,
    seed: Zeroizing<Vec<u8>>,
}

/// The key as the secret holds it.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: Option<String>,
    kid: Option<String>,
    x: Option<String>,
    d: Option<String>,
}

impl Credentials {
    /// Reads a client id, `name@host[:port]/suffix`, and a client secret of four parts.
    ///
    /// # Errors
    ///
    /// [`ClientError::Config`] says what is wrong with which of the two; of the secret nothing is shown.
    pub fn new(client_id: &str, secret: SecretString) -> Result<Self, ClientError> {
        let client_id = client_id.trim();
        let wrong_id = |reason: &str| config(format!("invalid client id: {reason}"));
        let (name, rest) =
            client_id.split_once('@').ok_or_else(|| wrong_id("it has no `@` between name and host"))?;
        let (host, _) =
            rest.split_once('/').ok_or_else(|| wrong_id("it has no `/` between host and suffix"))?;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong_id("the name before `@` is empty or holds characters that no name has"));
        }
        address(host).map_err(|reason| wrong_id(&reason))?;
        let Key { pair, id, seed } = key(secret.expose_secret().trim())?;
        let (name, host) = (name.len(), host.to_owned());
        Ok(Self { client_id: client_id.to_owned(), name, host, secret, key: pair, key_id: id, seed })
    }

    /// The whole client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The name in the client id.
    #[must_use]
    pub fn name(&self) -> &str {
        self.client_id.get(..self.name).unwrap_or_default()
    }

    /// The host in the client id, with its port where there is one.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What takes the secret, and these other ones, out of text.
    #[must_use]
    pub fn redactor(&self, others: &[SecretString]) -> Redactor {
        Redactor::new(others.iter().chain([&self.secret])).with(&self.seed)
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// The address of a host with or without a port; otherwise what is wrong with it.
pub(super) fn address(host: &str) -> Result<Url, String> {
    let wrong = || format!("`{}` is no host with or without a port", crate::http::text::stored(host));
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
    if host.is_empty() || !host.chars().all(fits) {
        return Err(wrong());
    }
    Url::parse(&format!("https://{host}/")).map_err(|_| wrong())
}

fn key(secret: &str) -> Result<Key, ClientError> {
    let wrong = |reason: &str| config(format!("invalid client secret: {reason}"));
    let parts: Vec<&str> = secret.splitn(4, ':').collect();
    let [_, _, version, packed] = parts[..] else {
        return Err(wrong("it has not four parts with colons between them"));
    };
    if version != VERSION {
        return Err(wrong("its third part is not `v1`"));
    }
    let json = URL_SAFE_NO_PAD.decode(packed).map(Zeroizing::new);
    let json = json.map_err(|_| wrong("its fourth part is not base64url without padding"))?;
    // The parser's own words could show a part of the key.
    let jwk: Jwk =
        serde_json::from_slice(&json).map_err(|_| wrong("its fourth part holds no JSON Web Key"))?;
    if jwk.kty != "OKP" || jwk.crv.as_deref() != Some("Ed25519") {
        return Err(wrong("its key is not of the kind OKP with the curve Ed25519"));
    }
    let d = jwk.d.map(Zeroizing::new);
    let Some(d) = d else { return Err(wrong("its key has no private half `d`")) };
    let Some(x) = &jwk.x else { return Err(wrong("its key has no public half `x`")) };
    let half = |text: &str, name: &str| match URL_SAFE_NO_PAD.decode(text) {
        Ok(half) if half.len() == 32 => Ok(half),
        Ok(mut half) => {
            half.zeroize();
            Err(wrong(&format!("`{name}` of its key has not 32 bytes")))
        }
        Err(_) => Err(wrong(&format!("`{name}` of its key is not base64url without padding"))),
    };
    let (seed, public) = (Zeroizing::new(half(&d, "d")?), half(x, "x")?);
    let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, &public)
        .map_err(|_| wrong("the halves `d` and `x` of its key do not belong together"))?;
    Ok(Key { pair, id: jwk.kid, seed })
}

fn config(reason: String) -> ClientError {
    ClientError::Config { reason }
}

#[cfg(test)]
mod tests;
