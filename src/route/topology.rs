use crate::conn::{Driver, Options, Pool};
use crate::error::Error;
use crate::key::Key;
use crate::locator::{Distribution, Locator};
use crate::server::{Address, Server};
use std::sync::Arc;

/// The servers of a client, and which key belongs to which.
#[derive(Debug)]
pub(crate) struct Topology {
    drivers: Vec<Box<dyn Driver>>,
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
        let driver = |address| Box::new(Pool::new(address, options)) as Box<dyn Driver>;
        let drivers = addresses.iter().map(driver).collect();
        Ok(Self { drivers, locator })
    }

    /// All servers, in list order.
    pub(crate) fn drivers(&self) -> impl ExactSizeIterator<Item = &dyn Driver> {
        self.drivers.iter().map(AsRef::as_ref)
    }

    /// The place in the list of the server that `key` belongs to.
    pub(crate) fn locate(&self, key: Key<'_>) -> usize {
        if self.drivers.len() == 1 {
            return 0;
        }
        self.locator.locate(key.as_bytes())
    }

    pub(crate) fn driver(&self, index: usize) -> &dyn Driver {
        &*self.drivers[index]
    }

    /// The server that `key` belongs to.
    pub(crate) fn driver_of(&self, key: Key<'_>) -> &dyn Driver {
        self.driver(self.locate(key))
    }
}
