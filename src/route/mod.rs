//! From a key to the connections of its server. May use the connections, the locators and the
//! leaves.

mod topology;

pub(crate) use topology::Topology;
