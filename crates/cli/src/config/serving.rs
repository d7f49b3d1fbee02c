//! Where a server listens, how much it takes, how people sign in to it, and where its alerts may go.

use std::net::{Ipv4Addr, SocketAddr};

use metsuke_clients::deliver::{Outside, OutsideSettings};
use metsuke_web::Limits;

use super::Config;
use crate::failure::Failure;
use crate::sign_in::SignIn;

/// The port where nobody names one.
const PORT: u16 = 8080;

impl Config {
    /// How people sign in.
    pub(crate) const fn sign_in(&self) -> SignIn<'_> {
        SignIn::of(&self.environment.values)
    }

    /// How much a server takes.
    ///
    /// # Errors
    ///
    /// [`Failure`] where a setting holds no number, or one that would let nothing in.
    pub(crate) fn limits(&self) -> Result<Limits, Failure> {
        crate::limits::limits(&self.environment.values)
    }

    /// Where a server listens.
    ///
    /// # Errors
    ///
    /// [`Failure`] where a setting holds no address.
    pub(crate) fn listen(&self, flag: Option<SocketAddr>) -> Result<SocketAddr, Failure> {
        if let Some(address) = flag {
            return Ok(address);
        }
        let wrong = |from: &str, hint: &str| {
            Failure::usage(format!("{from} holds no address to listen on")).hint(hint.to_owned())
        };
        if let Some(found) = self.text("server.listen") {
            let parsed = found.value.parse();
            return parsed.map_err(|_| wrong(&found.from, "write it like 127.0.0.1:8080"));
        }
        match self.text("server.port") {
            // A platform that sets PORT sends its requests from outside.
            Some(found) => {
                let port = found.value.parse().map_err(|_| wrong(&found.from, "write a number like 8080"))?;
                Ok(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))
            }
            None => Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, PORT))),
        }
    }

    /// The way out for alerts.
    ///
    /// # Errors
    ///
    /// [`Failure`] where the setting that allows private addresses names what is none.
    pub(crate) fn outside(&self) -> Result<Outside, Failure> {
        let allow_plain = self.text("alerts.allow_plain").is_some_and(|found| found.value == "true");
        let mut settings = OutsideSettings { allow_plain, ..OutsideSettings::default() };
        if let Some(found) = self.text("alerts.allow_private") {
            for net in found.value.split([',', ' ']).filter(|net| !net.is_empty()) {
                let net = net.parse().map_err(|why| Failure::usage(format!("{}: {why}", found.from)))?;
                settings.allow.push(net);
            }
        }
        Ok(Outside::new(settings))
    }
}
