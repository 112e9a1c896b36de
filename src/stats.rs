//! What a server tells about itself: one `stats` reply, and many added up. Pure.

use std::time::Duration;

/// One server's reply to `stats`: names and values, in the order in which it sent them.
///
/// The names and what they count are those of memcached's `doc/protocol.txt`. The methods named
/// after a counter give `None` where the server does not report it: another reply than the general
/// `stats`, an old version, a proxy.
///
/// `ITEM` lines (`stats cachedump`) have the key for a name, `PREFIX` lines (`stats detail dump`)
/// the prefix. Bytes that are not UTF-8 are replaced by U+FFFD.
///
/// ```
/// # let server = moecache::testing::Server::start()?;
/// let client = moecache::Client::new(&server)?;
/// client.set("key", "value", 0)?;
/// for server in client.stats()? {
///     let stats = server.result?;
///     assert_eq!(stats.curr_items(), Some(1));
///     assert_eq!(stats.get("cmd_set"), Some("1"));
///     assert_eq!(stats.hit_ratio(), None); // Nothing was asked for yet.
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    entries: Vec<(String, String)>,
}

impl Stats {
    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// The value of `name`, where it is a whole number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    /// All names and values.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.entries
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether the reply held nothing: that of `stats reset`, say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The server's version: `"1.6.18"`.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.get("version")
    }

    /// How long the server has been running.
    #[must_use]
    pub fn uptime(&self) -> Option<Duration> {
        self.number("uptime").map(Duration::from_secs)
    }

    /// The fraction of the keys asked for that were found, 0 to 1; `None` if none were asked for.
    #[must_use]
    pub fn hit_ratio(&self) -> Option<f64> {
        let (hits, misses) = (self.get_hits()?, self.get_misses()?);
        let asked = hits.checked_add(misses).filter(|&asked| asked > 0)?;
        #[expect(clippy::cast_precision_loss, reason = "a ratio needs no 53 bits")]
        Some(hits as f64 / asked as f64)
    }

    /// The counters of several servers added up, so that [`hit_ratio`](Self::hit_ratio) and the
    /// methods named after a counter speak of all of them. What cannot be added (versions, uptimes,
    /// settings) is left out, and so is a counter that none of the servers reports.
    #[must_use]
    pub fn total<'a>(servers: impl IntoIterator<Item = &'a Self>) -> Self {
        let servers: Vec<_> = servers.into_iter().collect();
        let mut total = Self::default();
        for name in COUNTERS {
            let numbers = servers.iter().filter_map(|stats| stats.number(name));
            if let Some(sum) = numbers.reduce(u64::saturating_add) {
                total.push(name.as_bytes(), sum.to_string().as_bytes());
            }
        }
        total
    }

    pub(crate) fn push(&mut self, name: &[u8], value: &[u8]) {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        self.entries.push((text(name), text(value)));
    }
}

/// Gives each counter its method, and all of them to `Stats::total`.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident)*) => {
        /// The counters of the general `stats` that can be added up over servers.
        const COUNTERS: &[&str] = &[$(stringify!($name)),*];

        impl Stats {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(&self) -> Option<u64> {
                    self.number(stringify!($name))
                }
            )*
        }
    };
}

counters! {
    /// Items held now, expired ones that were not noticed yet included.
    curr_items
    /// Items stored since the server started.
    total_items
    /// Bytes that the items take now.
    bytes
    /// Bytes that the items may take.
    limit_maxbytes
    /// Items that made room for others before they expired.
    evictions
    /// Connections open now.
    curr_connections
    /// Connections opened since the server started.
    total_connections
    /// Connections refused because there were too many.
    rejected_connections
    /// Keys asked for.
    cmd_get
    /// Storage commands.
    cmd_set
    /// `flush_all` commands.
    cmd_flush
    /// `touch` commands.
    cmd_touch
    /// Keys asked for that were there.
    get_hits
    /// Keys asked for that were not there.
    get_misses
    /// Keys asked for that had expired; these are misses too.
    get_expired
    /// Deleted keys.
    delete_hits
    /// Keys to delete that were not there.
    delete_misses
    /// `incr` commands whose key was there.
    incr_hits
    /// `incr` commands whose key was not there.
    incr_misses
    /// `decr` commands whose key was there.
    decr_hits
    /// `decr` commands whose key was not there.
    decr_misses
    /// `cas` commands that stored.
    cas_hits
    /// `cas` commands whose key was not there.
    cas_misses
    /// `cas` commands whose item had changed.
    cas_badval
    /// `touch` commands whose key was there.
    touch_hits
    /// `touch` commands whose key was not there.
    touch_misses
    /// Bytes received from clients.
    bytes_read
    /// Bytes sent to clients.
    bytes_written
    /// Worker threads.
    threads
}

impl<'a> IntoIterator for &'a Stats {
    type Item = (&'a str, &'a str);
    type IntoIter = Box<dyn ExactSizeIterator<Item = Self::Item> + 'a>;

    fn into_iter(self) -> Self::IntoIter {
        Box::new(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(entries: &[(&str, &str)]) -> Stats {
        let mut stats = Stats::default();
        for (name, value) in entries {
            stats.push(name.as_bytes(), value.as_bytes());
        }
        stats
    }

    #[test]
    fn totals() {
        let a = stats(&[
            ("version", "1.6.18"),
            ("get_hits", "3"),
            ("get_misses", "1"),
            ("bytes", "7"),
        ]);
        let b = stats(&[
            ("version", "1.6.18"),
            ("get_hits", "0"),
            ("get_misses", "4"),
        ]);
        assert_eq!(a.hit_ratio(), Some(0.75));
        let total = Stats::total([&a, &b]);
        assert_eq!(
            total,
            stats(&[("bytes", "7"), ("get_hits", "3"), ("get_misses", "5")])
        );
        assert_eq!(total.hit_ratio(), Some(0.375));
        assert_eq!(Stats::total([]).hit_ratio(), None);
    }

    #[test]
    fn a_value_that_is_no_number_is_no_counter() {
        let stats = stats(&[("bytes", "-1"), ("threads", "four"), ("get_hits", "")]);
        assert_eq!(
            (stats.bytes(), stats.threads(), stats.get_hits()),
            (None, None, None)
        );
        assert_eq!(stats.get("threads"), Some("four"));
    }
}
