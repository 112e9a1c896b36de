use super::Client;
use super::call;
use super::command::{Ask, Call};
use super::storage;
use crate::conn::Deadline;
use crate::error::{Error, Kind, Result};
use crate::expiry::Expiry;
use crate::item::Item;
use crate::key::{Key, Scratch};
use crate::protocol::Direction;
use crate::value::Body;
use std::time::Instant;

/// # Counters
///
/// A counter is a number that memcached itself counts with: 64 bits without a sign, stored as
/// decimal digits. A number stored with [`set`](Self::set) in the default format is a .NET number, which
/// memcached cannot count: that is a server error that says so, unless all of its bytes happen to be
/// digits. It takes `53_u8`, the byte `5`, for a 5, and makes a 6 of it, which reads as 54.
///
/// Its flags are those with which the other clients of the deployment read a number, as far as they have
/// such. memcached keeps them as it counts.
///
/// | [format](crate::value::Format) | flags | read there as |
/// |---|---|---|
/// | `pylibmc` | 4 | `int` |
/// | `python-memcached`, `pymemcache:pickle_serde`, `pymemcache:compressed_serde` | 2 | `int` |
/// | `pyermc` | 2, and 4 from 2^63 on | `int`, `long` |
/// | `php-memcached`, `php-memcached:json` | 1, and 0 from 2^63 on | integer, string |
/// | `moecache:pickle` | 274 | `str` |
/// | all others | 0 | text or bytes, as what their own `incr` makes |
///
/// In these formats `set` stores integers in the same way, so that they can be counted, but for
/// `moecache:pickle` and some of the others.
impl Client {
    /// Stores a number in the form that memcached's `incr` and `decr` count in: decimal digits. `get`
    /// reads it as any integer type that it fits. Under flags 0 it reads as a string, too (which a decr
    /// that made the number shorter may have padded with spaces).
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// client.set_counter("visits", 41, 0)?;
    /// assert_eq!(client.get::<u64>("visits")?, Some(41));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub fn set_counter(
        &self,
        key: impl AsRef<[u8]>,
        count: u64,
        expiry: impl Into<Expiry>,
    ) -> Result<()> {
        self.set(key, self.counter(count), expiry)
    }

    /// As [`set_counter`](Self::set_counter), but only if `key` is not there: `false` if it is.
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set).
    pub fn add_counter(
        &self,
        key: impl AsRef<[u8]>,
        count: u64,
        expiry: impl Into<Expiry>,
    ) -> Result<bool> {
        self.add(key, self.counter(count), expiry)
    }

    /// Adds `delta` to the counter, and gives what it counts then; `None` if the key is not there.
    /// Past 2^64 - 1 it goes on from 0.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// assert_eq!(client.incr("visits", 1)?, None);
    /// client.add_counter("visits", 41, 0)?;
    /// assert_eq!(client.incr("visits", 1)?, Some(42));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A server error if the item is not a counter. It is never repeated: if the connection is lost
    /// underway, the error is [ambiguous](Error::is_ambiguous).
    pub fn incr(&self, key: impl AsRef<[u8]>, delta: u64) -> Result<Option<u64>> {
        self.run(key.as_ref(), &count(Direction::Up, delta))
    }

    /// Takes `delta` from the counter, and gives what it counts then; `None` if the key is not there.
    /// It stops at 0.
    ///
    /// # Errors
    ///
    /// Those of [`incr`](Self::incr).
    pub fn decr(&self, key: impl AsRef<[u8]>, delta: u64) -> Result<Option<u64>> {
        self.run(key.as_ref(), &count(Direction::Down, delta))
    }

    /// As [`incr`](Self::incr); a counter that is not there is made, to count `initial` until
    /// `expiry`, and `initial` is the result.
    ///
    /// The meta and binary protocols have a command for it, which makes a counter with flags 0. In the text
    /// protocol, and where a counter has [other flags](#counters), it is `incr`; and if the counter is not
    /// there `add`, and `incr` again if somebody else made it in between.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// assert_eq!(client.incr_with_initial("visits", 1, 1, 3600)?, 1);
    /// assert_eq!(client.incr_with_initial("visits", 1, 1, 3600)?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`incr`](Self::incr); a validation error if the expiry cannot be sent. Where it takes more
    /// than one command, a [conflict](Error::is_conflict) if others make and remove the counter at the
    /// same time.
    pub fn incr_with_initial(
        &self,
        key: impl AsRef<[u8]>,
        delta: u64,
        initial: u64,
        expiry: impl Into<Expiry>,
    ) -> Result<u64> {
        self.count_from(Direction::Up, key.as_ref(), delta, initial, expiry.into())
    }

    /// As [`decr`](Self::decr); a counter that is not there is made, as
    /// [`incr_with_initial`](Self::incr_with_initial) does.
    ///
    /// # Errors
    ///
    /// Those of [`incr_with_initial`](Self::incr_with_initial).
    pub fn decr_with_initial(
        &self,
        key: impl AsRef<[u8]>,
        delta: u64,
        initial: u64,
        expiry: impl Into<Expiry>,
    ) -> Result<u64> {
        self.count_from(Direction::Down, key.as_ref(), delta, initial, expiry.into())
    }

    /// The item of a counter.
    pub(super) fn counter(&self, count: u64) -> Item {
        let flags = self.values.transcoder.counter_flags(count);
        Item::new(flags, count.to_string())
    }

    fn count_from(
        &self,
        direction: Direction,
        key: &[u8],
        delta: u64,
        initial: u64,
        expiry: Expiry,
    ) -> Result<u64> {
        let command = count_from(direction, delta, initial, expiry).command;
        let count = || {
            let mut scratch = Scratch::default();
            let key = self.key(key, &mut scratch)?;
            let request = command.request(self, key)?;
            let deadline = self.deadline();
            let in_steps = || {
                let counted = self.count_or_add(direction, key, delta, (initial, expiry), deadline);
                self.counted(key, deadline.started(), &counted)?;
                counted
            };
            // The command of other protocols makes one with flags 0.
            if self.counter(initial).flags != 0 {
                return in_steps();
            }
            match self.exchange(key, &request, deadline, call::count) {
                Err(error) if error.is_unsupported() => in_steps(),
                // memcached 1.6 says "not found" when it lost a race for making the counter. The call is
                // counted with that.
                counted => match counted? {
                    Some(count) => Ok(count),
                    None => self.count_or_add(direction, key, delta, (initial, expiry), deadline),
                },
            }
        };
        count().map_err(|error: Error| command.explain(error))
    }

    /// What other protocols do in one: count; make the counter if it is not there; and count again
    /// if somebody else has made it.
    fn count_or_add(
        &self,
        direction: Direction,
        key: Key<'_>,
        delta: u64,
        (initial, expiry): (u64, Expiry),
        deadline: Deadline,
    ) -> Result<u64> {
        let client = self.steps();
        let rest = || deadline.restarted(Instant::now());
        let count = count(direction, delta).command;
        let count = count.request(self, key)?;
        if let Some(count) = client.exchange(key, &count, rest(), call::count)? {
            return Ok(count);
        }
        let made = self.counter(initial);
        let add = storage::add(Ok(Body::borrowed(made.flags, &made.data)), expiry).command;
        let add = add.request(self, key)?;
        if client.exchange(key, &add, rest(), call::stored)? {
            return Ok(initial);
        }
        let again = client.exchange(key, &count, rest(), call::count)?;
        again.ok_or_else(|| {
            let topology = self.shared.topology();
            match topology.backend_of(key) {
                Ok(backend) => unsettled().on(backend.name()),
                Err(error) => error,
            }
        })
    }
}

pub(super) fn count(direction: Direction, delta: u64) -> Call<'static, Option<u64>> {
    let initial = None;
    let ask = Ask::Count {
        direction,
        delta,
        initial,
    };
    Call::new(direction.name(), ask, |_, _, reply| call::count(reply))
}

/// In one command, which the text protocol does not have.
pub(super) fn count_from(
    direction: Direction,
    delta: u64,
    initial: u64,
    expiry: Expiry,
) -> Call<'static, u64> {
    let operation = match direction {
        Direction::Up => "incr_with_initial",
        Direction::Down => "decr_with_initial",
    };
    let initial = Some((initial, expiry));
    let ask = Ask::Count {
        direction,
        delta,
        initial,
    };
    Call::new(operation, ask, |_, _, reply| {
        call::count(reply)?.ok_or_else(unsettled)
    })
}

fn unsettled() -> Error {
    let reason = "the counter was made and removed by others at the same time";
    Error::new(Kind::Conflict, reason)
}
