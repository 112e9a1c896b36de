//! The commands and what they take; `mc --help` is made of this.

use crate::append::Append;
use crate::counter::Count;
use crate::keys::Form;
use crate::ring::Ring;
use crate::store::Store;
use crate::time;
use clap::Subcommand;
use moecache::Expiry;
use std::time::Duration;

#[derive(Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    OfClient(OfClient),
    #[command(flatten)]
    OfServers(OfServers),
    /// Print which server each key belongs to: KEY, INDEX (from 0) and HOST:PORT (or the path of a
    /// unix socket), separated by tabs. Does not connect
    Where {
        /// The keys; read from standard input, one a line, if none is given
        #[arg(value_name = "KEY")]
        keys: Vec<String>,
        /// Print how each key comes to its server: what is hashed, the hash, the point on the ring,
        /// the rule
        #[arg(long)]
        explain: bool,
    },
    /// Print how keys are spread over the servers: the share of the hash space, and of 100,000
    /// sample keys, that each has. Its subcommands compare placements. Does not connect
    Ring(Ring),
    /// Print the values for --compatible-with, one per line, before the first tab: first the
    /// libraries, each with the scheme that its name stands for, then all schemes. Behind the tabs
    /// are the names of the same placement for other libraries, which store values in other ways
    Schemes,
}

/// Those that ask the servers of keys.
#[derive(Subcommand)]
pub(crate) enum OfClient {
    /// Print values: one as it is, several as `key: value` lines
    Get {
        /// 1 to 250 bytes each, printable ASCII unless --key-bytes says otherwise
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
        /// Print the flags and a hex dump of what is stored, whatever it is
        #[arg(long)]
        item: bool,
    },
    /// Store a value
    Set(Store),
    /// Store a value if the key is not there; if it is, exit with 1
    Add(Store),
    /// Store a value if the key is there; if it is not, exit with 1
    Replace(Store),
    /// Put text or bytes behind a value, whose type and expiry stay as they are
    Append(Append),
    /// Put text or bytes before a value, whose type and expiry stay as they are
    Prepend(Append),
    /// Delete keys
    Delete {
        /// 1 to 250 bytes each, printable ASCII unless --key-bytes says otherwise
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
    },
    /// Change when keys expire
    Touch {
        /// 1 to 250 bytes each, printable ASCII unless --key-bytes says otherwise
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
        /// When they expire from now: 90 (seconds), 15m, 2h, 7d, never; rounded up to a second
        #[arg(long, value_parser = time::expiry, allow_hyphen_values = true)]
        expiry: Expiry,
    },
    /// Add to a counter and print what it counts then; past 2^64 - 1 it goes on from 0
    Incr(Count),
    /// Take from a counter and print what it counts then; it stops at 0
    Decr(Count),
}

/// Those that ask all servers, and place no key.
#[derive(Subcommand)]
pub(crate) enum OfServers {
    /// Print all keys on the servers, one per line; memcached may leave out keys that were stored
    /// just now. A key that is not text, or has white space, is shown escaped, as b".."
    Keys {
        #[command(flatten)]
        form: Form,
    },
    /// Print the servers' statistics, or those of `stats ARGS`: settings, items, slabs, conns and
    /// so on. The arguments are sent as they are: `stats reset` resets the counters
    Stats {
        #[arg(value_name = "ARGS")]
        arguments: Vec<String>,
        /// Print an array of {server, stats} or {server, error}
        #[arg(long)]
        json: bool,
    },
    /// Connect to every server and print how long the answer took
    Ping,
    /// Print the version of each server
    Version,
    /// Empty all servers
    Flush {
        /// Not at once, but after: 90 (seconds), 15m, 2h; rounded up to a second. What is stored
        /// until then goes as well
        #[arg(
            long,
            default_value = "0",
            value_parser = time::delay,
            allow_hyphen_values = true
        )]
        delay: Duration,
        /// Say that this is meant; without it nothing is done
        #[arg(long)]
        yes: bool,
    },
}
