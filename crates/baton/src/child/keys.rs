//! The keys of the connection between parent and child, as the parent sends them and as TLS takes them.
//!
//! Source: RFC 8410 for the form of an Ed25519 key; a Go program keeps one as seed and public key, one after the other.
//!
//! Invariant: nothing here is shown.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use super::ChildError;
use crate::proto::c1::utls::v1::Credential;

/// What stands before the 32 bytes of the seed in PKCS #8.
const PKCS8_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// The length of the seed.
const SEED: usize = 32;
/// Seed and public key.
const SEED_AND_PUBLIC: usize = 64;
/// Letters of one line.
const LINE: usize = 64;

/// How to serve with these keys: whoever connects must show a certificate of the same authority.
pub(super) fn server(credential: &Credential) -> Result<ServerTlsConfig, ChildError> {
    for (what, bytes) in [("authority", &credential.ca_cert), ("certificate", &credential.cert)] {
        if bytes.is_empty() {
            return Err(ChildError::BadKeys { reason: format!("the {what} is missing") });
        }
    }
    let key = pkcs8(&credential.key)?;
    let identity = Identity::from_pem(pem("CERTIFICATE", &credential.cert), pem("PRIVATE KEY", &key));
    let authority = Certificate::from_pem(pem("CERTIFICATE", &credential.ca_cert));
    Ok(ServerTlsConfig::new().identity(identity).client_ca_root(authority))
}

/// The key in PKCS #8.
fn pkcs8(key: &[u8]) -> Result<Vec<u8>, ChildError> {
    let seed = key.get(..SEED).filter(|_| key.len() == SEED_AND_PUBLIC);
    let seed = seed.ok_or_else(|| ChildError::BadKeys {
        reason: format!("a private key has {SEED_AND_PUBLIC} bytes, not {}", key.len()),
    })?;
    Ok([PKCS8_HEAD.as_slice(), seed].concat())
}

/// The text form of a key or certificate.
fn pem(kind: &str, bytes: &[u8]) -> String {
    let letters = BASE64_STANDARD.encode(bytes);
    let mut text = format!("-----BEGIN {kind}-----\n");
    let mut rest = letters.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str("-----END ");
    text.push_str(kind);
    text.push_str("-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_length_is_refused() {
        for length in [0, 32, 63, 65] {
            assert!(pkcs8(&vec![1; length]).is_err(), "{length}");
        }
        let key = pkcs8(&[7; 64]).unwrap();
        assert_eq!((key.len(), key.get(15), key.get(16)), (48, Some(&0x20), Some(&7)));
    }

    #[test]
    fn text_forms_have_lines_of_sixty_four_letters() {
        let text = pem("CERTIFICATE", &[0; 60]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines.get(1).map(|line| line.len()), Some(64));
        assert_eq!(lines.first(), Some(&"-----BEGIN CERTIFICATE-----"));
    }

    #[test]
    fn missing_certificates_are_named() {
        let credential = Credential { key: vec![1; 64], cert: vec![1], ca_cert: Vec::new() };
        assert!(server(&credential).unwrap_err().to_string().contains("authority"));
    }
}
