use super::behaviour::Effect;
use super::note::Note;
use super::settings::Config;
use crate::address::{Address, Server};
use crate::conn::Protocol;
use crate::error::Error;
use crate::hash::Hash;
use crate::key::{KeyBytes, PrefixPlacement};
use crate::library::Library;
use crate::locator::{Distribution, Scheme};
use std::time::Duration;

/// What a libmemcached client comes to hold as its behaviours are set, one after the other: some
/// undo others, and some count only for what comes after them. Says the same as libmemcached 1.0.16
/// and 1.1.4 do, whose choice of servers is recorded in `tests/vectors/config.json`.
pub(super) struct Libmemcached {
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
pub(super) enum Spread {
    Modula,
    /// `CONSISTENT` and its alias `CONSISTENT_KETAMA`.
    Consistent,
    Weighted,
    Spy,
    Random,
    VirtualBucket,
}

impl Default for Libmemcached {
    fn default() -> Self {
        Self {
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
}

impl Libmemcached {
    /// Adds a server, if it is one to `library`.
    pub(super) fn server(&mut self, server: &Server, library: Library) -> Result<(), Error> {
        let server = server.as_read_by(Some(library))?;
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

    pub(super) fn hash(&mut self, hash: Hash) {
        self.hash = hash;
    }

    pub(super) fn distribution(&mut self, spread: Spread) {
        match spread {
            Spread::Consistent => self.is_weighted = false,
            Spread::Weighted => self.is_weighted = true,
            Spread::Modula | Spread::Spy | Spread::Random | Spread::VirtualBucket => {}
        }
        self.spread = spread;
        self.make_ring();
    }

    /// Despite libmemcached's documentation it does not set the hash to MD5.
    pub(super) fn ketama(&mut self, on: bool) {
        self.distribution(if on {
            Spread::Consistent
        } else {
            Spread::Modula
        });
    }

    pub(super) fn ketama_weighted(&mut self, on: bool) {
        if on {
            self.hash = Hash::Md5;
            self.distribution(Spread::Weighted);
        } else {
            self.ketama(true);
        }
    }

    pub(super) fn sort_hosts(&mut self, on: bool) {
        self.sorts = on;
        self.make_ring();
    }

    /// Also turns `VERIFY_KEY` off: the protocol can carry any key, and so the preset has it.
    pub(super) fn binary(&mut self, on: bool) {
        self.config.protocol = on.then_some(Protocol::Binary);
        if on {
            self.config.key_bytes = None;
        }
    }

    pub(super) fn verify_key(&mut self, on: bool) {
        const REASON: &str = "spaces and control characters are refused all the same: a server may \
                              run what follows them as commands";
        self.config.key_bytes = on.then_some(KeyBytes::Printable);
        if !on {
            self.note("verify_keys", "false", REASON);
        }
    }

    /// Off there unless it is set; here on unless it is set to be off.
    pub(super) fn tcp_nodelay(&mut self, on: bool) {
        self.config.tcp_nodelay = Some(on);
    }

    pub(super) fn connect_timeout(&mut self, timeout: Duration) {
        self.config.connect_timeout = Some(timeout);
    }

    /// The longest that libmemcached waits for a socket at a time.
    pub(super) fn poll_timeout(&mut self, timeout: Duration) {
        self.config.timeout = Some(timeout);
    }

    pub(super) fn namespace(&mut self, text: &str) -> Result<(), String> {
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        self.config.prefix = Some(text.into());
        Ok(())
    }

    /// "required for SASL", says libmemcached's `memcached_set_sasl_auth_data` of the binary protocol,
    /// and turns it on.
    pub(super) fn username(&mut self, username: &str) {
        self.binary(true);
        self.config.username = Some(username.into());
    }

    pub(super) fn password(&mut self, password: &str) {
        self.config.password = Some(password.into());
    }

    pub(super) fn hash_with_namespace(&mut self, on: bool) {
        self.config.prefix_placement = on.then_some(PrefixPlacement::Hashed);
    }

    /// A pool's handles have one connection to each server, and are clones.
    pub(super) fn pool_max(&mut self, count: usize) {
        self.config.max_connections = Some(count);
        self.is_cloned = true;
    }

    pub(super) fn pool_min(&mut self, count: usize) {
        const REASON: &str = "connections are made when they are needed, and none before";
        self.note("--POOL-MIN", &count.to_string(), REASON);
        self.is_cloned = true;
    }

    pub(super) fn note(&mut self, name: &str, value: &str, reason: &'static str) {
        self.notes.push(Note {
            name: name.to_owned(),
            value: value.to_owned(),
            reason,
        });
    }

    /// Sets what is a number, or a switch as 0 or 1; `shown` is what a note says it was.
    pub(super) fn number(
        &mut self,
        effect: Effect,
        name: &str,
        number: i64,
        shown: &str,
    ) -> Result<(), String> {
        match effect {
            Effect::Switch(set) => set(self, number != 0),
            Effect::Millis(set) => set(self, milliseconds(number)?),
            Effect::Count(set) => {
                let count = usize::try_from(number).map_err(|_| "1 and more are allowed")?;
                set(self, count);
            }
            Effect::Nothing { usual, reason } => {
                let is_usual = usual == Some(number) || (usual == Some(1) && number != 0);
                if !is_usual {
                    self.note(name, shown, reason);
                }
            }
            Effect::Refused(reason) => return Err(reason.to_owned()),
            Effect::Password => return Err("it must be a text".to_owned()),
            Effect::Hash
            | Effect::UnusedHash
            | Effect::Distribution
            | Effect::Username
            | Effect::Namespace => {
                return Err(format!("{number} is not possible; it must be a text"));
            }
        }
        Ok(())
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

    /// A clone makes its own ring, of the servers and the hash as they are by then. It is not told
    /// that the ring was weighted.
    fn become_clone(&mut self) {
        self.ring_hash = self.hash;
        self.is_weighted = self.servers.iter().any(is_heavy);
    }

    /// The same for this crate's client.
    pub(super) fn finish(mut self, peer: Library) -> Result<(Config, Vec<Note>), Error> {
        use Distribution as Known;

        if self.is_cloned {
            self.become_clone();
        }
        let refused = |reason| Err(Error::validation(format!("distribution: {reason}")));
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
        let scheme = Scheme::from(peer).with_distribution(distribution);
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
