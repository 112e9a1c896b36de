use crate::names::names;

/// What becomes of calls for a server that fails: that is down, unreachable, silent, or breaks the
/// protocol; or to which no [connection](crate::ClientBuilder::max_connections) is free in time. An
/// error that a server answers, such as "out of memory" or a refused password, is an error under each.
///
/// Under each, a server that failed has an open circuit breaker for a moment, and calls for it end at once:
/// [`max_back_off`](crate::ClientBuilder::max_back_off).
///
/// ```
/// use moecache::{Client, FailurePolicy};
///
/// let client = Client::builder()
///     .servers(["10.0.0.1", "10.0.0.2"])
///     .failure_policy(FailurePolicy::Miss)
///     .build()?;
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum FailurePolicy {
    /// They fail, and say why. The default.
    #[default]
    Error,
    /// They see an empty server that stores nothing: a get is a miss, `set` does nothing, `add`,
    /// `replace`, `append`, `prepend`, `delete` and `touch` are `false`, a counter is not there, and
    /// so on, in calls for one key, for many, and in pipelines. The server is used again as soon as
    /// it is back. What is hidden, [`Event::Missed`](crate::Event::Missed) tells. (pyermc's
    /// `error_as_miss`, and what python-memcached always does.)
    ///
    /// So a value that could not be removed or replaced is still there when the server is back:
    /// **stale**. And a write whose reply was lost may have taken effect all the same.
    ///
    /// What cannot do without an answer fails as ever: [`update`](crate::Client::update),
    /// `incr_with_initial` and `decr_with_initial`, the meta commands, [`keys`](crate::Client::keys),
    /// the statistics, and whatever is about servers.
    Miss,
    /// While a server's circuit breaker is open, the others have its keys, placed as if it were not in the
    /// list: as libmemcached does that ejects hosts, and Enyim, twemproxy and pymemcache do. Calls that
    /// find out still fail. After each back-off one call tries the server again; if it cannot connect,
    /// it goes on to the others with all its keys for that server, in what is left of its time. When
    /// the server answers it has its keys back.
    ///
    /// **Stale data**: while it was away its keys were read, stored and removed elsewhere, and what
    /// it held before is what it holds when it is back; when it goes away again, the others come out
    /// with what they were left with. And two clients of which only one finds it down read and write
    /// the same key in two places. A cas id is one server's: another may have given the same for an
    /// older value, whose replacement then loses a change. Only for what may be stale, with expiries
    /// that bound how long. A server that comes and goes has longer and longer back-offs, up to
    /// [`max_back_off`](crate::ClientBuilder::max_back_off), until it has answered for as long as
    /// that.
    Rehash,
}

names!(
    FailurePolicy, "failure_policy";
    Error "error"
    Miss "miss"
    Rehash "rehash"
);
