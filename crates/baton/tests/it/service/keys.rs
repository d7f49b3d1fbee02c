//! Throw-away keys, as a parent process makes them.

use metsuke_baton::proto::c1::utls::v1::Credential;
use metsuke_baton::proto::wrapper::ServerConfig;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519,
};
use tonic::transport::{Certificate as Pem, Channel, ClientTlsConfig, Endpoint, Identity};

/// An authority, and whom it vouches for.
pub(crate) struct Keys {
    authority: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
        let authority = params.self_signed(&key).unwrap();
        Self { authority, issuer: Issuer::new(params, key) }
    }

    fn leaf(&self) -> (Certificate, KeyPair) {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let names = ["127.0.0.1".to_owned(), "::1".to_owned()];
        let mut params = CertificateParams::new(names).unwrap();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// What the parent writes to the child, for this port.
    pub(crate) fn config(&self, port: u16) -> ServerConfig {
        let (cert, key) = self.leaf();
        let pkcs8 = key.serialize_der();
        let seed = pkcs8.get(16..48).unwrap();
        let credential = Credential {
            ca_cert: self.authority.der().to_vec(),
            cert: cert.der().to_vec(),
            key: [seed, key.public_key_raw()].concat(),
        };
        ServerConfig { credential: Some(credential), listen_port: port.into(), ..ServerConfig::default() }
    }

    /// A way to the child for whoever holds a certificate of this authority.
    pub(crate) fn way(&self, port: u16) -> Channel {
        let (cert, key) = self.leaf();
        let identity = Identity::from_pem(cert.pem(), key.serialize_pem());
        self.with(port, ClientTlsConfig::new().identity(identity))
    }

    /// The same without any certificate.
    pub(crate) fn nameless(&self, port: u16) -> Channel {
        self.with(port, ClientTlsConfig::new())
    }

    /// A way to the child of this authority, with the certificate of another.
    pub(crate) fn stranger(&self, other: &Self, port: u16) -> Channel {
        let (cert, key) = other.leaf();
        let identity = Identity::from_pem(cert.pem(), key.serialize_pem());
        self.with(port, ClientTlsConfig::new().identity(identity))
    }

    fn with(&self, port: u16, tls: ClientTlsConfig) -> Channel {
        let tls = tls.ca_certificate(Pem::from_pem(self.authority.pem())).domain_name("127.0.0.1");
        let endpoint = Endpoint::from_shared(format!("https://127.0.0.1:{port}")).unwrap();
        endpoint.tls_config(tls).unwrap().connect_lazy()
    }
}
