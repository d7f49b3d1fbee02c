//! Looks at the provider's tokens: are they signed, by it, for us, in answer to this question, and in time?
//!
//! The library does the looking; here is what it is told to insist on.
//!
//! Invariant: only signatures with a public key are taken, whatever the provider says that it supports.

use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessTokenHash, AdditionalClaims, ClaimsVerificationError, EmptyExtraTokenFields, EndUserName,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, LocalizedClaim, Nonce,
    OAuth2TokenResponse as _, SignatureVerificationError, StandardErrorResponse, StandardTokenResponse,
    TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Claims, Refusal};

/// How far the provider's clock may be off, in seconds.
const SLACK: i64 = 60;

/// Every claim that is none of the standard's.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Everything {
    #[serde(flatten)]
    pub(super) members: Map<String, Value>,
}

impl AdditionalClaims for Everything {}

pub(super) type Metadata = CoreProviderMetadata;

type Fields = IdTokenFields<
    Everything,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

/// What the provider gives for a code.
pub(super) type Tokens = StandardTokenResponse<Fields, CoreTokenType>;

/// The library's client, which gives every claim.
pub(super) type Client = openidconnect::Client<
    Everything,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What is taken as a signature.
fn algorithms() -> [CoreJwsSigningAlgorithm; 9] {
    [
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
        CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
        CoreJwsSigningAlgorithm::RsaSsaPssSha256,
        CoreJwsSigningAlgorithm::RsaSsaPssSha384,
        CoreJwsSigningAlgorithm::RsaSsaPssSha512,
        CoreJwsSigningAlgorithm::EcdsaP256Sha256,
        CoreJwsSigningAlgorithm::EcdsaP384Sha384,
        CoreJwsSigningAlgorithm::EdDsa,
    ]
}

/// Whom the tokens tell of, where everything about them is right.
pub(super) fn verified(
    client: &Client,
    tokens: &Tokens,
    nonce: &Nonce,
    now_seconds: i64,
) -> Result<Claims, Refusal> {
    let token = tokens.id_token().ok_or(Refusal::Claims)?;
    let moment = |seconds| DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default();
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(algorithms())
        .set_time_fn(move || moment(now_seconds - SLACK))
        .set_issue_time_verifier_fn(move |issued| {
            if issued <= moment(now_seconds + SLACK) { Ok(()) } else { Err("from the future".to_owned()) }
        });
    let claims = token.claims(&verifier, nonce).map_err(|error| refusal(&error))?;
    if let Some(told) = claims.access_token_hash() {
        let algorithm = token.signing_alg().map_err(|_| Refusal::Algorithm)?;
        let key = token.signing_key(&verifier).map_err(|_| Refusal::Signature)?;
        let own = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
        if own.map_or(true, |own| own != *told) {
            return Err(Refusal::Claims);
        }
    }
    Ok(Claims {
        issuer: claims.issuer().to_string(),
        subject: claims.subject().to_string(),
        email: claims.email().map(|email| email.to_string()),
        email_verified: claims.email_verified(),
        name: first(claims.name()),
        more: claims.additional_claims().members.clone(),
    })
}

/// A name in whichever language comes first.
pub(super) fn first(claim: Option<&LocalizedClaim<EndUserName>>) -> Option<String> {
    claim?.iter().next().map(|(_, text)| text.to_string())
}

fn refusal(error: &ClaimsVerificationError) -> Refusal {
    match error {
        ClaimsVerificationError::Expired(_) => Refusal::Expired,
        ClaimsVerificationError::InvalidAudience(_) => Refusal::Audience,
        ClaimsVerificationError::InvalidIssuer(_) => Refusal::Issuer,
        ClaimsVerificationError::InvalidNonce(_) => Refusal::Nonce,
        ClaimsVerificationError::SignatureVerification(error) => match error {
            SignatureVerificationError::DisallowedAlg(_)
            | SignatureVerificationError::NoSignature
            | SignatureVerificationError::UnsupportedAlg(_) => Refusal::Algorithm,
            _ => Refusal::Signature,
        },
        _ => Refusal::Claims,
    }
}
