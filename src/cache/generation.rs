//! Generations: what all entries of a namespace, or all that depend on something, have in common until
//! it is invalidated.
//!
//! A generation is a random token in an item of its own. An entry carries those that were there when its
//! making began, and counts only as long as they are there still. So to invalidate is to store another
//! token: one command, however many entries there are, and nothing that two could change at the same
//! time and lose. A token that was evicted is never made again; entries that carry it are gone with it.

use super::key;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::item::{Item, ItemRef};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// How often a generation that is not there is made, or what another made is fetched.
const MAX_TRIES: usize = 3;

/// One generation of something; it is never the same twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token(pub(super) [u8; 16]);

impl Token {
    /// One that never was: of the time, and of a number that is random.
    pub(super) fn fresh() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let nanoseconds = time.unwrap_or_default().as_nanos();
        // The same in a process and its fork, but for what is hashed.
        let random = RandomState::new().hash_one((
            nanoseconds,
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed),
        ));
        let token = (nanoseconds << 64) | u128::from(random);
        Self(token.to_be_bytes())
    }

    /// As it is stored: 32 hexadecimal digits.
    pub(super) fn text(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    fn parse(item: &Item) -> Option<Self> {
        let text = std::str::from_utf8(&item.data).ok()?;
        let token = u128::from_str_radix(text, 16).ok()?;
        (text.len() == 32).then_some(Self(token.to_be_bytes()))
    }
}

/// What something is of the present generation of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope<'n> {
    /// All namespaces.
    All,
    Namespace(&'n str),
    Dependency([u8; 16]),
}

impl Scope<'_> {
    pub(super) fn key(self) -> Vec<u8> {
        match self {
            Self::All => key::of_all(),
            Self::Namespace(namespace) => key::of_namespace(namespace),
            Self::Dependency(hash) => key::of_dependency(hash),
        }
    }
}

/// An entry may live for years, and is a miss without the generations that it carries. So they do not
/// expire: memcached evicts those that nobody asks for any more.
const EXPIRY: Expiry = Expiry::Never;

/// What was found of a generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Present(Token),
    Missing,
    /// Its server fails.
    Unreachable,
}

impl Seen {
    /// What came of getting its item.
    pub(super) fn of(got: Result<Option<Item>>) -> Result<Self> {
        Ok(match reached(got)? {
            None => Self::Unreachable,
            Some(None) => Self::Missing,
            Some(Some(item)) => Token::parse(&item).map_or(Self::Missing, Self::Present),
        })
    }

    pub(super) fn is(self, token: Token) -> bool {
        self == Self::Present(token)
    }
}

/// The result, but `None` if a server fails: a cache does without.
pub(super) fn reached<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_of_failing_server() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The same, and also `None` if the server answers with an error line: it is out of memory, the value is
/// too large, or a proxy does not reach the server.
pub(super) fn accepted<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(error) if error.is_server() => Ok(None),
        result => reached(result),
    }
}

/// The present generation, made if it is missing; `None` if its server fails, or does not keep it.
pub(super) fn settle(client: &Client, scope: Scope<'_>, mut seen: Seen) -> Result<Option<Token>> {
    let key = scope.key();
    for _ in 0..MAX_TRIES {
        match seen {
            Seen::Present(token) => return Ok(Some(token)),
            Seen::Unreachable => return Ok(None),
            Seen::Missing => {}
        }
        let token = Token::fresh();
        let text = token.text();
        match accepted(client.add(&key, ItemRef::new(0, &text), EXPIRY))? {
            Some(true) => return Ok(Some(token)),
            Some(false) => seen = Seen::of(client.get(&key))?,
            None => return Ok(None),
        }
    }
    Ok(None)
}

/// Begins another generation: nothing of the last one counts any more. `false` if the server fails.
pub(super) fn renew(client: &Client, scope: Scope<'_>) -> Result<bool> {
    let text = Token::fresh().text();
    let stored = client.set(scope.key(), ItemRef::new(0, &text), EXPIRY);
    // Not stored, or stored and not told: either way it is not certain.
    let is_certain = reached(stored.map_err(|error: Error| error.of("invalidate")))?;
    Ok(is_certain.is_some())
}
