use crate::address::{Address, Server};
use crate::error::Error;
use crate::secret::Credentials;
use std::net::IpAddr;

/// A server as a [`Locator`](crate::Locator) sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub(crate) address: Address,
    pub(crate) weight: u32,
    pub(crate) ring_name: Option<String>,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) credentials: Option<Credentials>,
}

impl Node {
    /// The server, judged.
    pub(crate) fn new(server: &Server) -> Result<Self, Error> {
        let address = server.address()?;
        let (weight, ring_name) = server.on_the_ring();
        Ok(Self {
            ip: address.ip(),
            address,
            weight,
            ring_name: ring_name.map(str::to_owned),
            credentials: server.own_credentials().cloned(),
        })
    }

    /// Whether both have one address.
    pub(crate) fn is_same_server(&self, other: &Self) -> bool {
        self.address.is_same_server(&other.address)
    }

    /// The host as it was typed, IPv6 without brackets; `None` for a unix socket.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match &self.address {
            Address::Tcp { host, .. } => Some(host),
            Address::Unix(_) => None,
        }
    }

    /// The port; `None` for a unix socket.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self.address {
            Address::Tcp { port, .. } => Some(port),
            Address::Unix(_) => None,
        }
    }

    /// The path of a unix socket.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match &self.address {
            Address::Tcp { .. } => None,
            Address::Unix(path) => Some(path),
        }
    }

    /// The weight, at least 1.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// What [`Server::ring_name`](crate::Server::ring_name) gave.
    #[must_use]
    pub fn ring_name(&self) -> Option<&str> {
        self.ring_name.as_deref()
    }

    /// The host's address, where it was typed as one or
    /// [`resolve_names`](crate::ClientBuilder::resolve_names) found it.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }
}
