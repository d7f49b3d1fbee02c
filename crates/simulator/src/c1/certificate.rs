//! A throw-away authority, and the certificate that it issues to the stand-in.
//!
//! Invariant: the authority's key is forgotten as soon as the certificate is issued.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use super::keys;
use crate::SimulatorError;

/// Who may be connected to under the certificate.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

#[derive(Debug)]
pub(super) struct Certificates {
    authority: String,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
}

impl Certificates {
    /// Makes everything anew.
    pub(super) fn make() -> Result<Self, SimulatorError> {
        let failed = |error: rcgen::Error| keys(&error.to_string());
        let mut authority = CertificateParams::new(Vec::new()).map_err(failed)?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        authority.distinguished_name.push(DnType::CommonName, "throw-away authority of a stand-in");
        let authority_key = KeyPair::generate().map_err(failed)?;
        let signed = authority.self_signed(&authority_key).map_err(failed)?;
        let issuer = Issuer::new(authority, authority_key);
        let leaf = CertificateParams::new(NAMES.map(str::to_owned).to_vec()).map_err(failed)?;
        let key = KeyPair::generate().map_err(failed)?;
        let leaf = leaf.signed_by(&key, &issuer).map_err(failed)?;
        Ok(Self { authority: signed.pem(), certificate: leaf.der().clone(), key: key.serialize_der() })
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// What takes the server's side of TLS, for HTTP/2 and HTTP/1.1.
    pub(super) fn acceptor(&self) -> Result<TlsAcceptor, SimulatorError> {
        let failed = |error: rustls::Error| keys(&error.to_string());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], key)
            .map_err(failed)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
