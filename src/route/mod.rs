//! Routing: which server a key belongs to, and calls that go to several servers. May use the
//! connections and the locators.

mod placement;
mod scatter;
mod topology;

pub(crate) use placement::{MakeLocator, PlacedBy, Placement};
pub(crate) use scatter::scatter;
pub(crate) use topology::Topology;
