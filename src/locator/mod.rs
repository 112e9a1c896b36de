//! Which server a key belongs to: the rings and rules of each peer. Pure arithmetic over the server
//! list; no IO, not even name resolution. May use the hashes and the leaves.

mod moecache;
#[cfg(test)]
mod vectors;

use crate::error::Error;
use crate::server::Address;
use std::fmt;
use std::net::IpAddr;
use std::panic::RefUnwindSafe;
use std::str::FromStr;
use std::sync::Arc;

/// Finds the server of a key: an index into the server list it was built from.
pub(crate) trait Locator: fmt::Debug + Send + Sync + RefUnwindSafe {
    /// The index of the server that `key` belongs to.
    fn locate(&self, key: &[u8]) -> usize;
}

/// How keys are spread over the servers.
///
/// All of them are the ring of EnyimMemcached's `DefaultNodeLocator`, which moecache copies, bugs
/// included; they differ in the text that stands for a server on the ring. The names are those of
/// the recorded placements that each is tested against; they parse and print:
///
/// ```
/// use moecache::Distribution;
///
/// let distribution: Distribution = "enyim:DefaultNodeLocator".parse()?;
/// assert_eq!(distribution, Distribution::Enyim);
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Distribution {
    /// `moecache:default`, moecache 1.0. The ring hashes the host as it was typed, IPv6 without
    /// brackets: `::1:11211`.
    #[default]
    Moecache,
    /// `enyim:DefaultNodeLocator`, the default of EnyimMemcached 2. The ring hashes the resolved
    /// address, IPv6 in brackets and in its canonical form: `[::1]:11211`. A host name is therefore
    /// refused: give the IPv4 address that .NET resolves it to.
    Enyim,
    /// `enyimmemcachedcore:LegacyNodeLocator`, EnyimMemcachedCore with `UseLegacyNodeLocator`, from
    /// 3.4.2 on. Places as [`Enyim`](Self::Enyim) does.
    EnyimCoreLegacy,
    /// `enyimmemcachedcore:LegacyNodeLocator/DnsEndPoint`, the same up to 3.4.1, which hashed a host
    /// name unresolved, as `Unspecified/host:port`.
    EnyimCoreLegacyDnsEndPoint,
}

impl Distribution {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Moecache, "moecache:default"),
        (Self::Enyim, "enyim:DefaultNodeLocator"),
        (
            Self::EnyimCoreLegacy,
            "enyimmemcachedcore:LegacyNodeLocator",
        ),
        (
            Self::EnyimCoreLegacyDnsEndPoint,
            "enyimmemcachedcore:LegacyNodeLocator/DnsEndPoint",
        ),
    ];

    /// The locator for these servers.
    pub(crate) fn build(self, servers: &[Address]) -> Result<Arc<dyn Locator>, Error> {
        let texts: Result<Vec<String>, Error> = servers
            .iter()
            .map(|server| self.ring_text(server))
            .collect();
        Ok(Arc::new(moecache::Ring::new(&texts?)))
    }

    /// The text that stands for `server` on the ring: with the port, always, or the path.
    fn ring_text(self, server: &Address) -> Result<String, Error> {
        let (host, port) = match (self, server) {
            (_, Address::Tcp { host, port }) => (host, port),
            (Self::Moecache, Address::Unix(path)) => return Ok(path.clone()),
            (_, Address::Unix(path)) => {
                return Err(Error::validation(format!(
                    "servers: {path:?} is a unix socket, and the distribution {self} is that of \
                     .NET, which knows only TCP"
                )));
            }
        };
        match (self, server.ip()) {
            (Self::Moecache, _) => Ok(format!("{host}:{port}")),
            (_, Some(IpAddr::V4(ip))) => Ok(format!("{ip}:{port}")),
            (_, Some(IpAddr::V6(ip))) => Ok(format!("[{ip}]:{port}")),
            (Self::EnyimCoreLegacyDnsEndPoint, None) => Ok(format!("Unspecified/{host}:{port}")),
            (Self::Enyim | Self::EnyimCoreLegacy, None) => Err(Error::validation(format!(
                "servers: {host:?} is a host name, and the distribution {self} hashes addresses; \
                 give the IPv4 address that .NET resolves it to"
            ))),
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL
            .iter()
            .find(|(distribution, _)| distribution == self);
        f.write_str(name.map_or("", |(_, name)| name))
    }
}

impl FromStr for Distribution {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match Self::ALL.iter().find(|(_, name)| *name == text) {
            Some((distribution, _)) => Ok(*distribution),
            None => Err(Error::validation(format!(
                "distribution: {text:?} is not known; allowed are {}",
                Self::ALL.map(|(_, name)| name).join(", ")
            ))),
        }
    }
}
