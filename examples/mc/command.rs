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
    /// Print which server each key belongs to, as KEY, INDEX (from 0) and HOST:PORT (or the path of
    /// a unix socket), separated by tabs; connects to none
    Where {
        /// The keys; read from standard input, one a line, if none is given
        #[arg(value_name = "KEY")]
        keys: Vec<String>,
        /// Print how each key comes to its server: what is hashed, the hash, the point on the ring,
        /// the rule
        #[arg(long)]
        explain: bool,
    },
    /// Print how keys are spread: what each server has of the hash space and of 100,000 made keys;
    /// and what comes below. Connects to none
    Ring(Ring),
    /// Print what --compatible-with takes, one a line, before the first tab: first the clients, each
    /// with the scheme that its name stands for, and then the schemes. libmemcached's go with pylibmc
    /// and php-memcached too, as in pylibmc:consistent/md5, and enyimmemcachedcore's with
    /// enyimmemcachedcore-messagepack: behind the tab, for the same placement and other values
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
    /// Let keys expire at another time
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
    /// Print the keys that the servers hold, one a line, as they come; memcached may leave out what
    /// was stored just now. A key that is not text without white space is shown as b"..", escaped
    Keys {
        #[command(flatten)]
        form: Form,
    },
    /// Print what the servers count, or what `stats ARGS` gives: settings, items, slabs, conns and
    /// so on. It passes on what it is given: `stats reset` resets the counters
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
