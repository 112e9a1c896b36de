//! The proxy that commits faults.

mod proxy;
#[path = "../support/mod.rs"]
mod support;
