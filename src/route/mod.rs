//! Routing: which server a key belongs to, and calls that go to several servers. May use the
//! connections and the locators.

mod placement;
mod policy;
mod scatter;
mod topology;

pub(crate) use placement::{MakeLocator, PlacedBy, Placement};
pub use policy::FailurePolicy;
pub(crate) use scatter::scatter;
pub(crate) use topology::Topology;
