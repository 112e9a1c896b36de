use super::Client;
use crate::error::Result;
use crate::key::Scratch;
use crate::locator::Scheme;
use std::fmt;

/// Why a key belongs to a server: what [`Client::explain`] gives.
///
/// Shown, it is a few lines for people; the fields are for programs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The key as it goes over the wire, with its prefix.
    pub key: Vec<u8>,
    /// The text that is hashed: the key, or what the scheme makes of it. `None` if nothing is, or
    /// the program's own locator does not tell.
    pub text: Option<Vec<u8>>,
    /// What the text hashes to.
    pub hash: Option<u64>,
    /// The point on the ring that the hash belongs to, where there is a ring.
    pub point: Option<u64>,
    /// The rule that leads from the hash to the server, in words; empty if the program's own
    /// locator does not tell.
    pub rule: String,
    /// The place of the server in the list, from 0.
    pub index: usize,
    /// The server, as in [`Client::servers`].
    pub server: String,
    /// How keys are placed; `None` with a [`locator`](crate::ClientBuilder::locator) of the program's
    /// own.
    pub scheme: Option<Scheme>,
}

impl Client {
    /// How `key` comes to its server, step by step. Pure arithmetic, as
    /// [`server_for`](Self::server_for), which gives the same server.
    ///
    /// # Errors
    ///
    /// A validation error if `key` is not one.
    ///
    /// ```
    /// let client = moecache::Client::new(["10.0.0.1:11211", "10.0.0.2:11211"])?;
    /// let explanation = client.explain("key1")?;
    /// assert_eq!(explanation.index, 1);
    /// assert_eq!(explanation.server, "10.0.0.2:11211");
    /// assert_eq!(explanation.scheme, client.scheme());
    /// println!("{explanation}");
    /// # Ok::<(), moecache::Error>(())
    /// ```
    pub fn explain(&self, key: impl AsRef<[u8]>) -> Result<Explanation> {
        let shared = &*self.shared;
        let mut scratch = Scratch::default();
        let explained = self.key(key.as_ref(), &mut scratch).and_then(|key| {
            let topology = shared.topology();
            let trace = topology.explain(key)?;
            let server = topology.backend(trace.server).name().to_owned();
            Ok((key, trace, server))
        });
        let (key, trace, server) = explained.map_err(|error| error.during("explain"))?;
        // A locator leaves the text out where it is just what it was given.
        let text = trace.text.or(trace.hash.map(|_| key.placed_by().to_vec()));
        Ok(Explanation {
            key: key.as_bytes().to_vec(),
            text,
            hash: trace.hash,
            point: trace.point,
            rule: trace.rule,
            index: trace.server,
            server,
            scheme: shared.placement.scheme(),
        })
    }

    /// What part of the keys each server has, in list order; from 0 to 1, and 1 together. `None`
    /// where it cannot be said without counting keys.
    ///
    /// ```
    /// let client = moecache::Client::new(["10.0.0.1:11211", "10.0.0.2:11211"])?;
    /// for (server, share) in client.servers().iter().zip(client.shares().unwrap_or_default()) {
    ///     println!("{server}: {:.1} %", share * 100.0);
    /// }
    /// # Ok::<(), moecache::Error>(())
    /// ```
    #[must_use]
    pub fn shares(&self) -> Option<Vec<f64>> {
        self.shared.topology().shares()
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "key     {}", self.key.escape_ascii())?;
        if let Some(text) = &self.text {
            writeln!(f, "hashed  {}", text.escape_ascii())?;
        }
        for (name, number) in [("hash ", self.hash), ("point", self.point)] {
            if let Some(number) = number {
                writeln!(f, "{name}   {number:#010x} = {number}")?;
            }
        }
        if !self.rule.is_empty() {
            writeln!(f, "rule    {}", self.rule)?;
        }
        writeln!(f, "server  {}: {}", self.index, self.server)?;
        match self.scheme {
            Some(scheme) => write!(f, "scheme  {scheme}"),
            None => f.write_str("scheme  the program's own locator"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locator::{Locator, Node, Trace};

    const SERVERS: [&str; 2] = ["10.0.0.1:11211", "10.0.0.2:11211"];

    fn shown(client: &Client, key: &str) -> String {
        let explanation = client.explain(key).unwrap();
        assert_eq!(explanation.server, client.server_for(key).unwrap());
        explanation.to_string()
    }

    #[test]
    fn for_people() {
        let of = |scheme: &str| {
            let scheme: Scheme = scheme.parse().unwrap();
            let builder = Client::builder()
                .servers(SERVERS)
                .format(crate::value::Format::Moecache);
            builder.compatible_with(scheme).build().unwrap()
        };
        assert_eq!(
            shown(&of("gomemcache:crc32_mod"), "key1"),
            "key     key1\n\
             hashed  key1\n\
             hash    0x2c5c6450 = 744252496\n\
             rule    hash % 2 = 0\n\
             server  0: 10.0.0.1:11211\n\
             scheme  gomemcache:crc32_mod"
        );
        let ring = shown(&of("libmemcached:consistent/crc"), "key1");
        assert!(ring.contains("\npoint   0x0000"), "{ring}");
        let rendezvous = shown(&of("pymemcache"), "key1");
        assert!(rendezvous.contains(":11211-key1\n"), "{rendezvous}");
    }

    #[test]
    fn one_server() {
        let client = Client::new("10.0.0.1").unwrap();
        assert_eq!(
            shown(&client, "key"),
            "key     key\n\
             rule    there is one server\n\
             server  0: 10.0.0.1:11211\n\
             scheme  moecache:default"
        );
        assert_eq!(client.shares(), Some(vec![1.0]));
        let error = client.explain("a b").unwrap_err().to_string();
        assert!(error.starts_with("explain: key: byte 0x20"), "{error}");
    }

    /// One of the program's own, which may tell as much as it likes.
    #[derive(Debug)]
    struct Own {
        trace: Trace,
        shares: Option<Vec<f64>>,
    }

    impl Locator for Own {
        fn locate(&self, _key: &[u8]) -> usize {
            self.trace.server
        }

        fn explain(&self, _key: &[u8]) -> Trace {
            self.trace.clone()
        }

        fn shares(&self) -> Option<Vec<f64>> {
            self.shares.clone()
        }
    }

    fn own(trace: &Trace, shares: Option<&[f64]>) -> Client {
        let (trace, shares) = (trace.clone(), shares.map(<[f64]>::to_vec));
        let make = move |_: &[Node]| {
            let (trace, shares) = (trace.clone(), shares.clone());
            Ok(Box::new(Own { trace, shares }) as Box<dyn Locator>)
        };
        Client::builder()
            .servers(SERVERS)
            .locator(make)
            .build()
            .unwrap()
    }

    #[test]
    fn of_the_programs_own_locator() {
        let mut trace = Trace::new(1);
        let client = own(&trace, Some(&[0.25, 0.75]));
        assert_eq!(
            shown(&client, "key"),
            "key     key\nserver  1: 10.0.0.2:11211\nscheme  the program's own locator"
        );
        assert_eq!(client.shares(), Some(vec![0.25, 0.75]));

        trace.text = Some(b"<key>\n".to_vec());
        trace.point = Some(1 << 40);
        let shown = shown(&own(&trace, None), "key");
        assert!(shown.contains("\nhashed  <key>\\n\npoint   0x10000000000 = 1099511627776\n"));

        trace.server = 2;
        let error = own(&trace, None).explain("key").unwrap_err().to_string();
        assert!(
            error.starts_with("explain: locator: it answered server 2"),
            "{error}"
        );
        let not_one_each = own(&trace, Some(&[1.0]));
        assert_eq!(not_one_each.shares(), None);
    }
}
