//! The behaviors of libmemcached: what a configuration string and pylibmc call them, what a client comes to
//! hold as they are set, and the [`Config`] that this makes. `src/guide/behaviours.md` has the table for
//! people.

use super::settings::Config;
use super::value::Value;
use crate::address::{Address, Server};
use crate::conn::Protocol;
use crate::error::Error;
use crate::hash::Hash;
use crate::key::{KeyBytes, PrefixPlacement};
use crate::library::Library;
use crate::locator::{Distribution, Scheme};
use std::fmt;
use std::time::Duration;

/// A setting of another client's configuration that has no effect here, and why.
///
/// ```
/// use moecache::Config;
///
/// let (_, notes) = Config::from_libmemcached("--SERVER=10.0.0.1 --RETRY-TIMEOUT=2")?;
/// assert_eq!(notes[0].name, "--RETRY-TIMEOUT");
/// assert_eq!(
///     notes[0].to_string(),
///     "--RETRY-TIMEOUT=2 has no effect: a server that failed is asked again within max_back_off, \
///      a second by default"
/// );
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// The setting as the other configuration calls it: `--NOREPLY`, `_noreply`.
    pub name: String,
    /// What it was set to; empty for an option that takes no value.
    pub value: String,
    /// What happens here instead.
    pub reason: &'static str,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equals = if self.value.is_empty() { "" } else { "=" };
        let Self {
            name,
            value,
            reason,
        } = self;
        write!(f, "{name}{equals}{value} has no effect: {reason}")
    }
}

/// The meaning of a behavior here.
#[derive(Clone, Copy)]
pub(super) enum Effect {
    /// The name of a hash.
    Hash,
    /// The name of a hash that libmemcached takes and never uses.
    UnusedHash,
    /// The name of a distribution.
    Distribution,
    /// The client, for servers with SASL.
    Username,
    Password,
    /// The text that is put before every key.
    Namespace,
    Switch(fn(&mut Libmemcached, bool)),
    /// Milliseconds; below 0 for no limit.
    Millis(fn(&mut Libmemcached, Duration)),
    Count(fn(&mut Libmemcached, usize)),
    /// None, and why, but for the number that asks for what happens anyway; 1 is any but 0.
    Nothing(Option<i64>, &'static str),
    /// Not possible, and why.
    Refused(&'static str),
}

/// What can be set in libmemcached: its name, without `MEMCACHED_BEHAVIOR_`; the one in pylibmc's
/// dictionary, or of its constructor's argument; and the option of a configuration string, with `=` if it
/// takes a value. Each is empty for none. In pylibmc's order, which is the one in which it sets them,
/// whatever that of the dictionary.
#[rustfmt::skip]
pub(super) const BEHAVIORS: &[(&str, &str, &str, Effect)] = &[
    ("BINARY_PROTOCOL", "binary", "--BINARY-PROTOCOL", Effect::Switch(Libmemcached::binary)),
    ("", "username", "", Effect::Username),
    ("", "password", "", Effect::Password),
    ("NO_BLOCK", "no_block", "", Effect::Nothing(Some(0), NO_BLOCK)),
    ("TCP_NODELAY", "tcp_nodelay", "--TCP-NODELAY", Effect::Switch(|it, on| it.config.tcp_nodelay = Some(on))),
    ("TCP_KEEPALIVE", "tcp_keepalive", "--TCP-KEEPALIVE", Effect::Nothing(Some(0), KEEPALIVE)),
    ("TCP_KEEPIDLE", "", "--TCP-KEEPIDLE", Effect::Nothing(Some(0), KEEPALIVE)),
    ("HASH", "hash", "--HASH=", Effect::Hash),
    ("KETAMA_HASH", "ketama_hash", "", Effect::UnusedHash),
    ("KETAMA", "ketama", "", Effect::Switch(Libmemcached::ketama)),
    ("KETAMA_WEIGHTED", "ketama_weighted", "", Effect::Switch(Libmemcached::ketama_weighted)),
    ("DISTRIBUTION", "distribution", "--DISTRIBUTION=", Effect::Distribution),
    ("SUPPORT_CAS", "cas", "--SUPPORT-CAS", Effect::Nothing(Some(1), CAS)),
    ("BUFFER_REQUESTS", "buffer_requests", "--BUFFER-REQUESTS", Effect::Nothing(Some(0), BUFFER_REQUESTS)),
    ("VERIFY_KEY", "verify_keys", "--VERIFY-KEY", Effect::Switch(Libmemcached::verify_key)),
    ("CONNECT_TIMEOUT", "connect_timeout", "--CONNECT-TIMEOUT=", Effect::Millis(|it, time| it.config.connect_timeout = Some(time))),
    ("SND_TIMEOUT", "send_timeout", "--SND-TIMEOUT=", Effect::Nothing(Some(0), SOCKET_TIMEOUT)),
    ("RCV_TIMEOUT", "receive_timeout", "--RCV-TIMEOUT=", Effect::Nothing(Some(0), SOCKET_TIMEOUT)),
    ("NUMBER_OF_REPLICAS", "num_replicas", "--NUMBER-OF-REPLICAS=", Effect::Nothing(Some(0), ONE_COPY)),
    ("RANDOMIZE_REPLICA_READ", "", "--RANDOMIZE-REPLICA-READ", Effect::Nothing(Some(0), ONE_COPY)),
    ("AUTO_EJECT_HOSTS", "auto_eject", "", Effect::Nothing(Some(0), NOT_EJECTED)),
    ("RETRY_TIMEOUT", "retry_timeout", "--RETRY-TIMEOUT=", Effect::Nothing(Some(0), RETRY)),
    ("REMOVE_FAILED_SERVERS", "remove_failed", "--REMOVE-FAILED-SERVERS=", Effect::Nothing(Some(0), NOT_EJECTED)),
    ("SERVER_FAILURE_LIMIT", "failure_limit", "", Effect::Nothing(None, NOT_EJECTED)),
    ("DEAD_TIMEOUT", "dead_timeout", "", Effect::Nothing(Some(0), NOT_EJECTED)),
    ("IO_MSG_WATERMARK", "_io_msg_watermark", "--IO-MSG-WATERMARK=", Effect::Nothing(None, WATERMARK)),
    ("IO_BYTES_WATERMARK", "_io_bytes_watermark", "--IO-BYTES-WATERMARK=", Effect::Nothing(None, WATERMARK)),
    ("IO_KEY_PREFETCH", "_io_key_prefetch", "--IO-KEY-PREFETCH=", Effect::Nothing(Some(0), WATERMARK)),
    ("HASH_WITH_PREFIX_KEY", "_hash_with_prefix_key", "--HASH-WITH-NAMESPACE", Effect::Switch(|it, on| it.config.prefix_placement = on.then_some(PrefixPlacement::Hashed))),
    ("NOREPLY", "_noreply", "--NOREPLY", Effect::Nothing(Some(0), NOREPLY)),
    ("USE_UDP", "", "--USE-UDP", Effect::Nothing(Some(0), UDP)),
    ("SORT_HOSTS", "_sort_hosts", "--SORT-HOSTS", Effect::Switch(Libmemcached::sort_hosts)),
    ("POLL_TIMEOUT", "_poll_timeout", "--POLL-TIMEOUT=", Effect::Millis(|it, time| it.config.timeout = Some(time))),
    ("SOCKET_SEND_SIZE", "_socket_send_size", "--SOCKET-SEND-SIZE=", Effect::Nothing(Some(0), BUFFER_SIZE)),
    ("SOCKET_RECV_SIZE", "_socket_recv_size", "--SOCKET-RECV-SIZE=", Effect::Nothing(Some(0), BUFFER_SIZE)),
    ("USER_DATA", "", "--USER-DATA", Effect::Nothing(None, USER_DATA)),
    ("", "", "--FETCH-VERSION", Effect::Nothing(None, FETCH_VERSION)),
    ("", "", "--POOL-MIN=", Effect::Count(Libmemcached::pool_min)),
    ("", "", "--POOL-MAX=", Effect::Count(Libmemcached::pool_max)),
    ("", "", "--CONFIGURE-FILE=", Effect::Refused(FILES)),
    ("", "pickle_protocol", "", Effect::Nothing(Some(2), PICKLES)),
    // No behavior but a callback; pylibmc sets it last.
    ("", "namespace", "--NAMESPACE=", Effect::Namespace),
];

const NO_BLOCK: &str = "a call returns when the server has answered; pipelines and the calls for \
                        many keys send without waiting in between";

const KEEPALIVE: &str = "a connection is looked at before it is used again, and closed after \
                         idle_timeout; a call that gets no answer ends at its timeout";

const UNUSED_HASH: &str = "libmemcached never uses the hash of the points: they are hashed as keys are, \
                           or by MD5 if weighted";

const CAS: &str = "it is always on: gets and compare_and_swap need no setting";

const BUFFER_REQUESTS: &str = "nothing is held back: a call returns when the server has answered; \
                               to send much at once, use a pipeline or the calls for many keys";

const SOCKET_TIMEOUT: &str = "libmemcached sets it on sockets that never block, where it has none \
                              either; POLL_TIMEOUT (_poll_timeout) is what bounds its waits";

const ONE_COPY: &str = "each item is written, read and deleted on its own server alone; copies that \
                        others made keep what they have";

const NOT_EJECTED: &str = "a failing server keeps its keys, and its calls fail, unless \
                           failure_policy is set to rehash; a libmemcached client that ejects it \
                           has them elsewhere meanwhile";

const RETRY: &str = "a server that failed is asked again within max_back_off, a second by default";

const WATERMARK: &str = "how much is sent before replies are read is chosen so that no call blocks";

const NOREPLY: &str = "every command is answered, and a call says what the server said";

const UDP: &str = "all goes over TCP, to the same host and port, where the server must listen too; \
                   every command is answered";

const BUFFER_SIZE: &str = "the kernel's own buffer sizes are used; setting them makes it slower";

const USER_DATA: &str = "nor has it any in libmemcached";

const FETCH_VERSION: &str = "a server is asked for its version where the protocol is auto";

pub(super) const FILES: &str = "a text must not make a program read files; read the file, and give \
                                what is in it";

const PICKLES: &str = "pickles are written in protocol 2, and read in any, with the feature pickle";

/// A libmemcached client as its behaviors are set, one after the other: some undo others, and some count
/// only for what comes after them. Places as libmemcached 1.0.16 and 1.1.4 do, whose choice of servers is
/// recorded in `tests/vectors/config.json`.
pub(super) struct Libmemcached {
    library: Library,
    servers: Vec<Server>,
    spread: Spread,
    /// Whether the ring is weighted. A weight over 1 makes it so, if the ring is there by then.
    is_weighted: bool,
    hash: Hash,
    /// The hash that the ring was last made with: setting another does not make it anew, a server or
    /// a distribution does.
    ring_hash: Hash,
    sorts: bool,
    /// Whether the program uses clones: a pool's handles.
    is_cloned: bool,
    /// What is neither the servers nor their placement.
    config: Config,
    notes: Vec<Note>,
}

/// libmemcached's `memcached_server_distribution_t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spread {
    Modula,
    /// `CONSISTENT` and its alias `CONSISTENT_KETAMA`.
    Consistent,
    Weighted,
    Spy,
    Random,
    VirtualBucket,
}

/// The hashes that pylibmc 1.6 knows; a configuration string has no name for the first, and hsieh only
/// where it was compiled in.
const HASHES: [&str; 10] = [
    "default", "md5", "crc", "fnv1_64", "fnv1a_64", "fnv1_32", "fnv1a_32", "hsieh", "murmur",
    "jenkins",
];

/// The distributions that pylibmc 1.6 knows; a configuration string only has those of one word.
const DISTRIBUTIONS: [(&str, Spread); 7] = [
    ("modula", Spread::Modula),
    ("consistent", Spread::Consistent),
    ("consistent ketama", Spread::Consistent),
    ("consistent ketama spy", Spread::Spy),
    ("consistent weighted", Spread::Weighted),
    ("random", Spread::Random),
    ("virtual bucket", Spread::VirtualBucket),
];

impl Libmemcached {
    pub(super) fn new(library: Library) -> Self {
        Self {
            library,
            servers: Vec::new(),
            spread: Spread::Modula,
            is_weighted: false,
            hash: Hash::OneAtATime,
            ring_hash: Hash::OneAtATime,
            sorts: false,
            is_cloned: false,
            config: Config::default(),
            notes: Vec::new(),
        }
    }

    /// Adds a server, if it is one to the library.
    pub(super) fn server(&mut self, server: &Server) -> Result<(), Error> {
        let server = server.as_read_by(Some(self.library))?;
        // There a weight of 0 is as good as none.
        let server = match server.on_the_ring() {
            (0, _) => server.weight(1),
            _ => server,
        };
        server.address()?;
        self.is_weighted |= self.has_ring() && is_heavy(&server);
        self.servers.push(server);
        self.make_ring();
        Ok(())
    }

    /// Sets a behavior; `shown` is what a note says it was.
    pub(super) fn set(
        &mut self,
        effect: Effect,
        name: &str,
        value: &Value,
        shown: &str,
    ) -> Result<(), String> {
        let text = || match value {
            Value::Text(text) => Ok(&**text),
            _ => Err(format!("{value} is not possible; it must be a text")),
        };
        let number = || match value {
            Value::Bool(on) => Ok(i64::from(*on)),
            Value::Integer(number) => Ok(*number),
            _ => Err(format!(
                "{value} is not possible; it must be a whole number, or true or false"
            )),
        };
        match effect {
            // The defaults of pylibmc's constructor.
            Effect::Username | Effect::Password if *value == Value::Null => {}
            // "required for SASL", says libmemcached's `memcached_set_sasl_auth_data` of the binary
            // protocol, and turns it on.
            Effect::Username => {
                self.config.username = Some(text()?.into());
                self.binary(true);
            }
            // The error does not show what was given.
            Effect::Password => {
                let password = text().map_err(|_| "it must be a text")?;
                self.config.password = Some(password.into());
            }
            Effect::Hash => self.hash = self.hash_named(text()?)?,
            Effect::UnusedHash => {
                if !matches!(value, Value::Integer(_)) {
                    self.hash_named(text()?)?;
                }
                self.note(name, shown, UNUSED_HASH);
            }
            Effect::Distribution => self.distribution(self.spread_named(text()?)?),
            Effect::Namespace if text()?.is_empty() => return Err("it is empty".to_owned()),
            Effect::Namespace => self.config.prefix = Some(text()?.into()),
            Effect::Switch(set) => set(self, number()? != 0),
            Effect::Millis(set) => set(self, milliseconds(number()?)?),
            Effect::Count(set) => {
                let count = usize::try_from(number()?);
                set(self, count.map_err(|_| "1 and more are allowed")?);
            }
            Effect::Nothing(usual, reason) => {
                let number = number()?;
                let is_usual = usual == Some(number) || (usual == Some(1) && number != 0);
                if !is_usual {
                    self.note(name, shown, reason);
                }
            }
            Effect::Refused(reason) => return Err(reason.to_owned()),
        }
        Ok(())
    }

    pub(super) fn note(&mut self, name: &str, value: &str, reason: &'static str) {
        self.notes.push(Note {
            name: name.to_owned(),
            value: value.to_owned(),
            reason,
        });
    }

    fn hash_named(&self, name: &str) -> Result<Hash, String> {
        let from = usize::from(self.library != Library::Pylibmc);
        let known = &HASHES[from..];
        let hash = known.contains(&name).then(|| name.parse().ok());
        hash.flatten().ok_or_else(|| {
            let known = known.join(", ");
            format!("{name:?} is not a hash that it knows; allowed are {known}")
        })
    }

    fn spread_named(&self, name: &str) -> Result<Spread, String> {
        let has = |name: &str| self.library == Library::Pylibmc || !name.contains(' ');
        let known = || DISTRIBUTIONS.iter().filter(|(name, _)| has(name));
        let wanted = name.replace('_', " ");
        let found = known().find(|(known, _)| *known == wanted);
        found.map(|&(_, spread)| spread).ok_or_else(|| {
            let known: Vec<&str> = known().map(|&(name, _)| name).collect();
            let known = known.join(", ");
            format!("{name:?} is not known; allowed are {known}")
        })
    }

    fn distribution(&mut self, spread: Spread) {
        match spread {
            Spread::Consistent => self.is_weighted = false,
            Spread::Weighted => self.is_weighted = true,
            Spread::Modula | Spread::Spy | Spread::Random | Spread::VirtualBucket => {}
        }
        self.spread = spread;
        self.make_ring();
    }

    /// Despite libmemcached's documentation it does not set the hash to MD5.
    fn ketama(&mut self, on: bool) {
        self.distribution(if on {
            Spread::Consistent
        } else {
            Spread::Modula
        });
    }

    fn ketama_weighted(&mut self, on: bool) {
        if on {
            self.hash = Hash::Md5;
            self.distribution(Spread::Weighted);
        } else {
            self.ketama(true);
        }
    }

    fn sort_hosts(&mut self, on: bool) {
        self.sorts = on;
        self.make_ring();
    }

    /// Also turns `VERIFY_KEY` off: the protocol can carry any key, and so it is by default here.
    fn binary(&mut self, on: bool) {
        self.config.protocol = on.then_some(Protocol::Binary);
        if on {
            self.config.key_bytes = None;
        }
    }

    fn verify_key(&mut self, on: bool) {
        const REASON: &str = "spaces and control characters are refused all the same: a server may \
                              run what follows them as commands";
        self.config.key_bytes = on.then_some(KeyBytes::Printable);
        if !on {
            self.note("verify_keys", "false", REASON);
        }
    }

    /// A pool's handles have one connection to each server, and are clones.
    fn pool_max(&mut self, count: usize) {
        self.config.max_connections = Some(count);
        self.is_cloned = true;
    }

    fn pool_min(&mut self, count: usize) {
        const REASON: &str = "connections are made when they are needed, and none before";
        self.note("--POOL-MIN", &count.to_string(), REASON);
        self.is_cloned = true;
    }

    fn has_ring(&self) -> bool {
        matches!(
            self.spread,
            Spread::Consistent | Spread::Weighted | Spread::Spy
        )
    }

    fn make_ring(&mut self) {
        self.ring_hash = self.hash;
        if self.sorts {
            self.servers.sort_by_key(host_and_port);
        }
    }

    /// Returns the same for this crate's client.
    pub(super) fn finish(mut self) -> Result<(Config, Vec<Note>), Error> {
        use Distribution as Known;

        // A clone makes its own ring, of the servers and the hash as they are by then. It is not told
        // that the ring was weighted.
        if self.is_cloned {
            self.ring_hash = self.hash;
            self.is_weighted = self.servers.iter().any(is_heavy);
        }
        let refused = |reason| Err(refused("distribution", reason));
        let distribution = match (self.spread, self.is_weighted) {
            (Spread::Modula, _) if self.sorts => Known::LibmemcachedModulaSortHosts,
            (Spread::Modula, _) => Known::LibmemcachedModula,
            (Spread::Consistent | Spread::Weighted, true) => Known::LibmemcachedKetamaWeighted,
            (Spread::Consistent | Spread::Weighted, false) if self.ring_hash != self.hash => {
                Known::LibmemcachedConsistentHashLater
            }
            (Spread::Consistent | Spread::Weighted, false) => Known::LibmemcachedConsistent,
            (Spread::Spy, true) => Known::LibmemcachedKetamaSpy,
            (Spread::Spy, false) => Known::LibmemcachedKetamaSpyUnweighted,
            (Spread::Random, _) => {
                return refused("random finds no key again; allowed are modula and consistent");
            }
            (Spread::VirtualBucket, _) => {
                return refused(
                    "virtual bucket needs a map of buckets, which only C can give; allowed are \
                     modula and consistent",
                );
            }
        };
        let scheme = Scheme::from(self.library).with_distribution(distribution);
        self.config.compatible_with = Some(scheme.with_hash(self.hash)?);
        let counts_weights = self.is_weighted && self.has_ring();
        if !counts_weights && self.servers.iter().any(is_heavy) {
            self.note("weight", "", UNWEIGHTED);
            let unweighted = self.servers.into_iter().map(|server| server.weight(1));
            self.servers = unweighted.collect();
        }
        self.config.servers = self.servers;
        Ok((self.config, self.notes))
    }
}

pub(super) fn refused(name: &str, reason: &str) -> Error {
    Error::validation(format!("{name}: {reason}"))
}

const UNWEIGHTED: &str = "libmemcached counts weights only with a consistent distribution, and only \
                          those of servers that come after it";

fn is_heavy(server: &Server) -> bool {
    server.on_the_ring().0 > 1
}

/// What `SORT_HOSTS` sorts by; a unix socket's host is its path, and its port 0.
fn host_and_port(server: &Server) -> (String, u16) {
    match server.address() {
        Ok(Address::Tcp { host, port }) => (host, port),
        Ok(Address::Unix(path)) => (path, 0),
        Err(_) => (server.to_string(), 0),
    }
}

/// What libmemcached hands to `poll`: below 0 is without end.
fn milliseconds(number: i64) -> Result<Duration, &'static str> {
    match u64::try_from(number) {
        Ok(0) => Err("0 leaves no time; 1 and more milliseconds are allowed, and -1 for no limit"),
        Ok(millis) => Ok(Duration::from_millis(millis)),
        Err(_) => Ok(Duration::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_guide_lists_them_all_and_no_others() {
        let guide = include_str!("../guide/behaviours.md");
        let rows = guide.lines().filter(|line| line.starts_with("| "));
        let listed: Vec<Vec<&str>> = rows
            .skip(1)
            .map(|row| {
                let cells = row.split('|').skip(1).take(3);
                cells.map(|cell| cell.trim().trim_matches('`')).collect()
            })
            .collect();
        let known: BTreeSet<Vec<&str>> = BEHAVIORS
            .iter()
            .map(|&(name, pylibmc, option, _)| vec![name, pylibmc, option])
            .collect();
        assert_eq!(listed.len(), BEHAVIORS.len());
        assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), known);
    }
}
