use crate::address::Server;
use crate::conn::first_ipv4;
use crate::error::{Error, Result};
use crate::locator::{HashTag, Locator, Node, Repeated, Scheme, Tagged};
use std::fmt;
use std::panic::RefUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

/// How a client places keys, on whatever servers it has.
#[derive(Debug)]
pub(crate) struct Placement {
    pub(crate) by: PlacedBy,
    pub(crate) hash_tag: Option<HashTag>,
    /// Whether host names may be looked up where addresses are hashed, and how long that may take.
    pub(crate) resolve_within: Option<Duration>,
}

/// Who says where a key belongs.
#[derive(Debug, Clone)]
pub(crate) enum PlacedBy {
    Scheme(Scheme),
    Program(MakeLocator),
}

/// The program's own placement.
#[derive(Clone)]
pub(crate) struct MakeLocator(pub(crate) Arc<Make>);

type Make = dyn Fn(&[Node]) -> Result<Box<dyn Locator>> + Send + Sync;

/// It is asked for a locator, and nothing it may have left half done is looked at.
impl RefUnwindSafe for MakeLocator {}

impl fmt::Debug for MakeLocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl Placement {
    /// What the program is told of it; `None` where it is the program's own.
    pub(crate) fn scheme(&self) -> Option<Scheme> {
        match self.by {
            PlacedBy::Scheme(scheme) => Some(scheme),
            PlacedBy::Program(_) => None,
        }
    }

    /// Judges the list of servers, each as the library reads it that fills the deployment.
    pub(super) fn nodes(&self, servers: &[Server]) -> Result<Vec<Node>> {
        let library = self.scheme().map(Scheme::library);
        let mut nodes: Vec<Node> = Vec::with_capacity(servers.len());
        for server in servers {
            let node = Node::new(&server.as_read_by(library)?)?;
            for earlier in nodes.iter().filter(|earlier| earlier.is_same_server(&node)) {
                self.may_repeat(earlier, &node)?;
            }
            nodes.push(node);
        }
        self.resolve(&mut nodes)?;
        Ok(nodes)
    }

    /// Whether the list may have a server twice.
    fn may_repeat(&self, earlier: &Node, node: &Node) -> Result<()> {
        let refused = |reason: &str| {
            let address = &node.address;
            let message = format!("servers: {address} is listed twice{reason}");
            Err(Error::validation(message))
        };
        match self.scheme() {
            Some(scheme) if !scheme.distribution().may_repeat(earlier, node) => {
                let has_weights = scheme.distribution().has_weights();
                refused(if has_weights {
                    "; list it once, and to give it more keys, with a weight: host:port:weight"
                } else {
                    "; list it once"
                })
            }
            None => refused("; list it once"),
            Some(_) if earlier.credentials != node.credentials => {
                refused(" with different credentials; it has one connection pool, and logs in once")
            }
            Some(_) => Ok(()),
        }
    }

    /// Finds the addresses of host names, where there is no other text to hash.
    fn resolve(&self, nodes: &mut [Node]) -> Result<()> {
        let (Some(timeout), PlacedBy::Scheme(scheme)) = (self.resolve_within, &self.by) else {
            return Ok(());
        };
        if !scheme.distribution().hashes_addresses() {
            return Ok(());
        }
        for node in nodes.iter_mut().filter(|node| node.ring_name.is_none()) {
            if let (None, Some(host)) = (node.ip, node.host()) {
                let found = first_ipv4(host, timeout);
                node.ip = Some(found.map_err(|error| error.during("resolve_names"))?);
            }
        }
        Ok(())
    }

    /// The locator of these servers. It answers with places among the servers without those that are
    /// listed again.
    pub(super) fn locator(&self, nodes: &[Node]) -> Result<Arc<dyn Locator>> {
        let locator = match &self.by {
            PlacedBy::Scheme(scheme) => scheme.build(nodes)?,
            PlacedBy::Program(MakeLocator(make)) => Arc::from(make(nodes)?),
        };
        let locator = match Repeated::among(nodes, &locator) {
            Some(repeated) => Arc::new(repeated),
            None => locator,
        };
        Ok(match self.hash_tag {
            Some(tag) => Arc::new(Tagged { tag, locator }),
            None => locator,
        })
    }
}
