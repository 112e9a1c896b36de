//! Which server a key belongs to: the rings and rules of each peer. Pure arithmetic over the server
//! list; no IO, not even name resolution. May use the hashes and the leaves.

mod build;
mod dalli;
mod distribution;
mod enyim;
mod hash_tag;
mod ketama;
mod libmemcached;
mod modula;
mod node;
mod pymemcache;
mod repeated;
mod ring;
mod scheme;
mod single;
mod spymemcached;
mod text;
mod twemproxy;
#[cfg(test)]
mod vectors;
mod words;

pub use distribution::Distribution;
pub use hash_tag::HashTag;
pub(crate) use hash_tag::Tagged;
pub use node::Node;
pub(crate) use repeated::{Repeated, unrepeated};
pub use scheme::Scheme;

use crate::error::Error;
use std::fmt;
use std::panic::RefUnwindSafe;
use text::Named;

/// Finds the server of a key. The peers' own are made by [`Distribution`]; a program brings its own
/// with [`ClientBuilder::locator`](crate::ClientBuilder::locator).
///
/// A locator is made from the list of servers and does not change. Calls come from many threads at
/// the same time.
///
/// ```
/// use moecache::{Client, Locator, Node};
///
/// /// Keys of one user, `user:7:name`, all on one server.
/// #[derive(Debug)]
/// struct ByUser(usize);
///
/// impl Locator for ByUser {
///     fn locate(&self, key: &[u8]) -> usize {
///         let user = key.split(|&byte| byte == b':').nth(1).unwrap_or(key);
///         user.iter().fold(0, |sum, &byte| (sum * 31 + usize::from(byte)) % self.0)
///     }
/// }
///
/// let client = Client::builder()
///     .servers(["10.0.0.1", "10.0.0.2", "10.0.0.3"])
///     .locator(|servers: &[Node]| Ok(Box::new(ByUser(servers.len()))))
///     .build()?;
/// assert_eq!(client.server_for("user:7:name")?, client.server_for("user:7:mail")?);
/// # Ok::<(), moecache::Error>(())
/// ```
pub trait Locator: fmt::Debug + Send + Sync + RefUnwindSafe {
    /// The place in the list, from 0, of the server that `key` belongs to. A place that is not in
    /// the list makes the call fail.
    fn locate(&self, key: &[u8]) -> usize;

    /// How [`locate`](Self::locate) comes to its answer, for people. It must be the same answer.
    fn explain(&self, key: &[u8]) -> Trace {
        Trace::new(self.locate(key))
    }

    /// The part of all hashes that belongs to each server of the list, 0 to 1, where it can be told
    /// exactly; `None` where it cannot. The sum is 1.
    ///
    /// ```
    /// use moecache::{Locator, Node};
    ///
    /// /// The first server has all keys but those that begin with `a`, which is one byte of 256.
    /// #[derive(Debug)]
    /// struct ByLetter;
    ///
    /// impl Locator for ByLetter {
    ///     fn locate(&self, key: &[u8]) -> usize {
    ///         usize::from(key.first() == Some(&b'a'))
    ///     }
    ///
    ///     fn shares(&self) -> Option<Vec<f64>> {
    ///         Some(vec![255.0 / 256.0, 1.0 / 256.0])
    ///     }
    /// }
    /// ```
    fn shares(&self) -> Option<Vec<f64>> {
        None
    }
}

/// The way from a key to its server, as [`Locator::explain`] tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trace {
    /// The place of the server in the list, from 0.
    pub server: usize,
    /// What is hashed, where that is not just the key.
    pub text: Option<Vec<u8>>,
    /// What `text`, or the key, hashes to.
    pub hash: Option<u64>,
    /// The point on the ring that the hash belongs to.
    pub point: Option<u64>,
    /// The rule that led from the hash to the server, in words.
    pub rule: String,
}

impl Trace {
    /// A trace that tells the server alone; the fields are for the locator to fill in.
    #[must_use]
    pub fn new(server: usize) -> Self {
        Self {
            server,
            text: None,
            hash: None,
            point: None,
            rule: String::new(),
        }
    }
}

/// The error of a choice that the crate was built without: `argument: choice`.
fn needs_feature(choice: &str, feature: &str) -> Error {
    Error::validation(format!(
        "{choice} needs the feature {feature:?} of the crate moecache, which is off"
    ))
}
