use crate::conn::{Options, Pool};
use crate::error::Error;
use crate::key::Key;
use crate::locator::{Distribution, Locator};
use crate::server::{Address, Server};
use std::sync::Arc;

/// The servers of a client, and which key belongs to which.
#[derive(Debug)]
pub(crate) struct Topology {
    pools: Vec<Pool>,
    locator: Arc<dyn Locator>,
}

impl Topology {
    /// Judges the server list. Nothing is resolved or connected.
    pub(crate) fn new(
        servers: &[Server],
        distribution: Distribution,
        options: Options,
    ) -> Result<Self, Error> {
        if servers.is_empty() {
            return Err(Error::validation(
                "servers: the list is empty; at least one is needed",
            ));
        }
        let mut addresses: Vec<Address> = Vec::with_capacity(servers.len());
        for server in servers {
            let address = server.address()?;
            if addresses
                .iter()
                .any(|earlier| earlier.is_same_server(&address))
            {
                return Err(Error::validation(format!(
                    "servers: {address} is listed twice"
                )));
            }
            addresses.push(address);
        }
        let locator = distribution.build(&addresses)?;
        let pools = addresses
            .into_iter()
            .map(|address| Pool::new(address, options))
            .collect();
        Ok(Self { pools, locator })
    }

    /// All servers, in list order.
    pub(crate) fn pools(&self) -> &[Pool] {
        &self.pools
    }

    /// The server that `key` belongs to.
    pub(crate) fn pool_of(&self, key: Key<'_>) -> &Pool {
        &self.pools[self.locator.locate(key.as_bytes())]
    }
}
