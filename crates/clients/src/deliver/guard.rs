//! Decides where a message may go: which addresses a name stands for, and that all of them may be asked.
//!
//! Invariant: the connection is made to one of the addresses that were checked, and to no other; one forbidden address
//! among them forbids the name.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderMap;
use url::{Host, Url};

use super::address::forbidden;
use super::net::Net;
use super::{Failed, FailedKind};

/// What a lookup gives.
pub type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Finds the addresses that a name stands for.
pub trait Lookup: fmt::Debug + Send + Sync {
    /// The addresses, each time anew.
    fn lookup(&self, name: String) -> Found;
}

/// The machine's own way to find addresses.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: String) -> Found {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// What may be asked.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) allow: Vec<Net>,
    pub(super) allow_plain: bool,
}

/// Why a name may not be asked.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Forbidden(String);

/// Why nothing was connected, where the guard was why.
pub(crate) fn forbidden_by(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(next) = cause {
        if let Some(forbidden) = next.downcast_ref::<Forbidden>() {
            return Some(forbidden.to_string());
        }
        cause = next.source();
    }
    None
}

impl Guard {
    /// Judges an address of a message before anything is looked up.
    pub(super) fn check_url(&self, url: &Url) -> Result<(), Failed> {
        let refused = |why: String| Failed::new(FailedKind::Guarded, why);
        match url.scheme() {
            "https" => {}
            "http" if self.allow_plain => {}
            "http" => return Err(refused("plain http is not allowed by the settings".into())),
            _ => return Err(refused("the address is neither https nor http".into())),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("the address holds a user or a password".into()));
        }
        match url.host() {
            // The HTTP library asks no resolver for an address that is written out.
            Some(Host::Ipv4(address)) => self.check(&[address.into()]),
            Some(Host::Ipv6(address)) => self.check(&[address.into()]),
            Some(Host::Domain(_)) => Ok(()),
            None => Err(Forbidden("the address names no host".into())),
        }
        .map_err(|error| refused(error.to_string()))
    }

    /// The addresses of a name, all of which may be asked.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Failed> {
        let unreached = |why: String| Failed::new(FailedKind::Unreached, why);
        let found = match name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => {
                self.lookup.lookup(name.to_owned()).await.map_err(|error| unreached(error.to_string()))?
            }
        };
        if found.is_empty() {
            return Err(unreached("the name stands for no address".into()));
        }
        match self.check(&found) {
            Ok(()) => Ok(found),
            Err(error) => Err(Failed::new(FailedKind::Guarded, error.to_string())),
        }
    }

    /// Connections that go to addresses which were checked, and carry nothing of an earlier message.
    pub(super) fn connections(
        &self,
        plain: bool,
        connect_timeout: Duration,
        headers: HeaderMap,
    ) -> reqwest::Result<reqwest::Client> {
        // An error means that somebody installed a provider before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = reqwest::Client::builder()
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // A proxy would connect for us, to addresses that were not checked.
            .no_proxy()
            .dns_resolver(Arc::new(self.clone()))
            .connect_timeout(connect_timeout)
            // A kept connection was checked for another message.
            .pool_max_idle_per_host(0);
        if plain {
            // No need of root certificates.
            builder = builder.tls_certs_only([]);
        }
        builder.build()
    }

    fn check(&self, addresses: &[IpAddr]) -> Result<(), Forbidden> {
        for address in addresses {
            let allowed = self.allow.iter().any(|net| net.holds(*address));
            if let Some(what) = forbidden(*address).filter(|_| !allowed) {
                return Err(Forbidden(format!("{address} is {what}, and not allowed by the settings")));
            }
        }
        Ok(())
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found = guard.lookup.lookup(name.as_str().to_owned()).await?;
            guard.check(&found)?;
            let found: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(found)
        })
    }
}
