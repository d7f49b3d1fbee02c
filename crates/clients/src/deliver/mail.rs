//! Sends a mail through a mail server.
//!
//! Source: RFC 5321, as lettre speaks it.
//!
//! Invariant: the connection is made to a checked address, and the certificate is that of the name; no address and no
//! subject can add a header.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

use super::{Failed, FailedKind, Outside, Taken};

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// From the first byte on; most often port 465.
    #[default]
    Tls,
    /// After a first word in the clear; most often port 587. Nothing is sent without.
    StartTls,
    /// None; only where the settings allow it.
    Plain,
}

/// A mail server.
#[derive(Debug)]
pub struct Server<'s> {
    /// Its name.
    pub host: &'s str,
    /// Its port; the usual one of the encryption without.
    pub port: Option<u16>,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// The user and the password, where the server wants them.
    pub login: Option<(&'s str, &'s SecretString)>,
}

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail<'m> {
    /// Who sends it.
    pub from: &'m str,
    /// Who gets it.
    pub to: &'m [String],
    /// Its subject, one line.
    pub subject: &'m str,
    /// Its text.
    pub text: &'m str,
    /// What tells it from every other.
    pub id: &'m str,
    /// When it was written, in seconds since 1970.
    pub seconds: u64,
}

/// Sends a mail once.
///
/// # Errors
///
/// [`Failed`] where the server did not take it, or nobody knows whether it did.
pub async fn send(outside: &Outside, server: &Server<'_>, mail: &Mail<'_>) -> Result<Taken, Failed> {
    let settings = |why: String| Failed::new(FailedKind::Settings, why);
    if server.encryption == Encryption::Plain && !outside.settings.allow_plain {
        return Err(Failed::new(
            FailedKind::Guarded,
            "mail without encryption is not allowed by the settings",
        ));
    }
    let message = message(mail)?;
    // lettre sets up TLS by itself; an error means that somebody installed a provider before.
    drop(rustls::crypto::ring::default_provider().install_default());
    let tls = match server.encryption {
        Encryption::Plain => Tls::None,
        Encryption::Tls => Tls::Wrapper(parameters(server.host)?),
        Encryption::StartTls => Tls::Required(parameters(server.host)?),
    };
    let port = server.port.unwrap_or(match server.encryption {
        Encryption::Tls => 465,
        Encryption::StartTls => 587,
        Encryption::Plain => 25,
    });
    let mut last = settings("the name stands for no address".into());
    for address in outside.addresses(server.host).await? {
        // The address that was checked is connected to; the certificate is asked for by name.
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.to_string())
            .port(port)
            .tls(tls.clone())
            .timeout(Some(outside.settings.connect_timeout));
        if let Some((user, password)) = server.login {
            let password = password.expose_secret().to_owned();
            builder = builder.credentials(Credentials::new(user.to_owned(), password));
        }
        let transport = builder.build();
        let sent = transport.send(message.clone());
        match tokio::time::timeout(outside.settings.request_timeout, sent).await {
            Ok(Ok(_)) => return Ok(Taken::default()),
            Ok(Err(error)) => {
                last = refusal(&error);
                if !matches!(last.kind, FailedKind::Unreached) {
                    return Err(last);
                }
            }
            // It may have been taken: another address of the same server could take it a second time.
            Err(_) => return Err(Failed::new(FailedKind::Unreached, "the mail server took too long")),
        }
    }
    Err(last)
}

fn parameters(host: &str) -> Result<TlsParameters, Failed> {
    TlsParameters::new(host.to_owned())
        .map_err(|error| Failed::new(FailedKind::Settings, format!("TLS could not be set up: {error}")))
}

fn message(mail: &Mail<'_>) -> Result<Message, Failed> {
    let settings = |why: String| Failed::new(FailedKind::Settings, why);
    let mailbox = |address: &str| {
        address.parse::<Mailbox>().map_err(|_| settings(format!("`{address}` is no mail address")))
    };
    let from = mailbox(mail.from)?;
    let domain = from.email.domain().to_owned();
    let mut builder = Message::builder()
        .from(from)
        .subject(mail.subject)
        .message_id(Some(format!("<{}@{domain}>", mail.id)))
        .date(UNIX_EPOCH + Duration::from_secs(mail.seconds));
    if mail.to.is_empty() {
        return Err(settings("nobody is to get the mail".into()));
    }
    for address in mail.to {
        builder = builder.to(mailbox(address)?);
    }
    // So that no absence note is sent back.
    let automatic =
        HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
    let part = SinglePart::builder().header(ContentType::TEXT_PLAIN).body(mail.text.to_owned());
    builder
        .raw_header(automatic)
        .singlepart(part)
        .map_err(|error| settings(format!("the mail cannot be written: {error}")))
}

fn refusal(error: &lettre::transport::smtp::Error) -> Failed {
    let why = match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    let kind = match error.status() {
        Some(code) => FailedKind::Answered(code.to_string().parse().unwrap_or(500)),
        None => FailedKind::Unreached,
    };
    Failed::new(kind, why)
}
