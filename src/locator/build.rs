use super::modula::Modula;
use super::pymemcache::Rendezvous;
use super::single::Single;
use super::{Distribution, Locator, Node, dalli, enyim, libmemcached, spymemcached, twemproxy};
use crate::error::Error;
use crate::hash::{Hash, KeyHash};
use std::sync::Arc;

impl Distribution {
    /// The locator for these servers, at least one; `hash` is one that the distribution has.
    pub(super) fn build(
        self,
        hash: Option<Hash>,
        servers: &[Node],
    ) -> Result<Arc<dyn Locator>, Error> {
        if servers.is_empty() {
            return Err(Error::validation("servers: none are given"));
        }
        let count = servers.len();
        let named = || self.named(servers);
        let libmemcached_hash = || self.key_hash(hash, KeyHash::of_libmemcached);
        let spymemcached_hash = || self.key_hash(hash, KeyHash::of_spymemcached);
        Ok(match self {
            Self::Moecache
            | Self::Enyim
            | Self::EnyimCoreLegacy
            | Self::EnyimCoreLegacyDnsEndPoint => Arc::new(enyim::default_node_locator(&named()?)),
            Self::EnyimCore | Self::EnyimCoreDnsEndPoint => {
                Arc::new(enyim::core_node_locator(&named()?))
            }
            Self::EnyimKetama => Arc::new(enyim::ketama(self.hash_or_default(hash)?, &named()?)?),
            Self::LibmemcachedModula => Arc::new(Modula::of_equals(libmemcached_hash()?, count)),
            Self::LibmemcachedModulaSortHosts => {
                let hash = libmemcached_hash()?;
                Arc::new(libmemcached::modula_sort_hosts(hash, servers)?)
            }
            Self::LibmemcachedConsistent
            | Self::LibmemcachedConsistentHashLater
            | Self::LibmemcachedKetamaWeighted
            | Self::LibmemcachedKetamaSpy
            | Self::LibmemcachedKetamaSpyUnweighted => {
                libmemcached::ring(self, libmemcached_hash()?, &named()?)
            }
            Self::PythonMemcached => Arc::new(python_memcached(KeyHash::CRC32_15_BITS, servers)),
            Self::PythonMemcachedOld => Arc::new(python_memcached(KeyHash::CRC32, servers)),
            Self::Pymemcache => Arc::new(Rendezvous::new(&named()?)),
            Self::Pyermc if count > 1 => {
                return Err(Error::validation(format!(
                    "servers: pyermc knows one server, and these are {count}; to place keys among \
                     them, choose another distribution"
                )));
            }
            Self::Pyermc => Arc::new(Single),
            Self::Dalli => Arc::new(dalli::ring(&named()?)?),
            Self::Gomemcache => Arc::new(Modula::of_equals(KeyHash::CRC32, count)),
            Self::SpymemcachedArrayMod => Arc::new(Modula::of_equals(spymemcached_hash()?, count)),
            Self::SpymemcachedKetama | Self::SpymemcachedKetamaLibmemcached => {
                let hash = self.hash_or_default(hash)?;
                let key = spymemcached_hash()?;
                Arc::new(spymemcached::ketama(hash, key, &named()?))
            }
            Self::SpymemcachedKetamaLibmemcachedWeighted => {
                Arc::new(spymemcached::weighted(spymemcached_hash()?, &named()?))
            }
            Self::TwemproxyKetama => Arc::new(twemproxy::ketama(libmemcached_hash()?, named()?)),
            Self::TwemproxyModula => Arc::new(twemproxy::modula(libmemcached_hash()?, named()?)),
        })
    }

    fn hash_or_default(self, hash: Option<Hash>) -> Result<Hash, Error> {
        let hash = hash.or(self.default_hash());
        hash.ok_or_else(|| self.has_no_hash(""))
    }

    /// What `owner` computes under the name of the hash.
    fn key_hash(
        self,
        hash: Option<Hash>,
        owner: fn(Hash) -> Option<KeyHash>,
    ) -> Result<KeyHash, Error> {
        let hash = self.hash_or_default(hash)?;
        owner(hash).ok_or_else(|| self.has_no_hash(&hash.to_string()))
    }
}

/// python-memcached has each server in its list of buckets as often as it weighs.
fn python_memcached(hash: KeyHash, servers: &[Node]) -> Modula {
    let weights = servers.iter().map(Node::weight).enumerate();
    let note = if servers.iter().any(|server| server.weight > 1) {
        " in the list with each server as often as it weighs"
    } else {
        ""
    };
    Modula::new(hash, weights, note)
}

#[cfg(test)]
mod tests {
    use super::super::Scheme;
    use super::*;
    use crate::address::Server;
    use crate::library::Library;

    fn nodes(servers: &[Server]) -> Vec<Node> {
        let nodes = servers.iter().map(|server| Node::new(server).unwrap());
        nodes.collect()
    }

    fn error(distribution: Distribution, servers: &[Server]) -> String {
        let error = distribution.build(None, &nodes(servers)).unwrap_err();
        assert!(error.is_validation());
        error.to_string()
    }

    #[test]
    fn pyermc_knows_one_server() {
        let servers = ["10.0.0.1", "10.0.0.2"].map(Server::from);
        let error = error(Distribution::Pyermc, &servers);
        assert!(
            error.contains("pyermc knows one server, and these are 2"),
            "{error}"
        );
        assert!(error.contains("choose another distribution"), "{error}");
        let locator = Distribution::Pyermc
            .build(None, &nodes(&servers[..1]))
            .unwrap();
        assert_eq!(locator.explain(b"key").server, 0);
    }

    #[test]
    fn without_servers_there_is_no_locator() {
        for &distribution in Distribution::ALL {
            assert!(
                error(distribution, &[]).contains("servers: none"),
                "{distribution}"
            );
        }
    }

    #[cfg(not(all(feature = "sha1", feature = "tiger")))]
    #[test]
    fn a_feature_that_is_off_is_named() {
        let rows = [
            ("dalli:ring", "sha1", cfg!(feature = "sha1")),
            ("enyim:ketama/sha1", "sha1", cfg!(feature = "sha1")),
            ("enyim:ketama/tiger", "tiger", cfg!(feature = "tiger")),
        ];
        for (scheme, feature, is_on) in rows {
            let built = scheme
                .parse::<Scheme>()
                .unwrap()
                .build(&nodes(&["10.0.0.1".into()]));
            match built {
                Ok(_) => assert!(is_on, "{scheme}"),
                Err(error) => {
                    assert!(!is_on && error.is_validation(), "{scheme}: {error}");
                    let expected = format!("needs the feature {feature:?}");
                    assert!(error.to_string().contains(&expected), "{error}");
                }
            }
        }
    }

    /// Buckets are not written out: python-memcached's list would have 8 billion entries.
    #[test]
    fn weights_may_be_as_large_as_they_get() {
        let servers = ["a", "b"].map(|host| Server::from(host).weight(u32::MAX));
        for scheme in Scheme::all().filter(|scheme| scheme.peer() != Library::Pyermc) {
            let mut nodes = nodes(&servers);
            for (node, last) in nodes.iter_mut().zip(1..) {
                node.ip = Some([10, 0, 0, last].into());
            }
            if let Ok(locator) = scheme.build(&nodes) {
                assert!(locator.locate(b"key") < 2, "{scheme}");
            }
        }
    }

    #[test]
    fn sorted_servers_keep_their_places_in_the_list() {
        let places = |distribution: Distribution, servers: &[Server]| {
            let locator = distribution.build(None, &nodes(servers)).unwrap();
            (0..20)
                .map(|n| locator.locate(format!("key-{n}").as_bytes()))
                .collect::<Vec<_>>()
        };
        let names = ["bb:11212", "a", "B", "bb:9999"];
        let servers = names.map(Server::from);
        // By host and port, which is a number; or by the length of the name first.
        let order = [2, 1, 3, 0];
        let sorted = order.map(|place| servers[place].clone());
        for distribution in [
            Distribution::LibmemcachedModulaSortHosts,
            Distribution::TwemproxyModula,
        ] {
            let of_sorted = places(distribution, &sorted)
                .into_iter()
                .map(|place| order[place]);
            let of_list = places(distribution, &servers);
            assert_eq!(of_sorted.collect::<Vec<_>>(), of_list, "{distribution}");
            // What counts is what the servers are called in the deployment.
            let addresses = ["10.0.0.4", "10.0.0.3", "10.0.0.2", "10.0.0.1"].map(Server::from);
            let renamed = addresses
                .into_iter()
                .zip(names)
                .map(|(server, name)| server.ring_name(name));
            assert_eq!(
                places(distribution, &renamed.collect::<Vec<_>>()),
                of_list,
                "{distribution}"
            );
        }
    }

    /// Of keys that look random, each server gets its exact share, but for chance.
    #[test]
    fn shares_are_what_keys_show() {
        const KEYS: u32 = 4_000;
        let keys = (0..KEYS).map(|n| format!("{:08x?}", crate::hash::md5_words(&n.to_le_bytes())));
        let keys: Vec<String> = keys.collect();
        let servers = (1..4_u32).map(|n| Server::from((format!("10.0.0.{n}"), 11212, n)));
        let nodes = nodes(&servers.collect::<Vec<_>>());
        let mut told = 0;
        for scheme in Scheme::all().filter(|scheme| scheme.peer() != Library::Pyermc) {
            let Ok(locator) = scheme.build(&nodes) else {
                continue;
            };
            let Some(shares) = locator.shares() else {
                continue;
            };
            told += 1;
            let mut counts = [0; 3];
            for key in &keys {
                counts[locator.locate(key.as_bytes())] += 1;
            }
            for (share, count) in shares.iter().zip(counts) {
                let shown = f64::from(count) / f64::from(KEYS);
                assert!(
                    (share - shown).abs() < 0.03,
                    "{scheme} {shares:?} {counts:?}"
                );
            }
        }
        assert!(told > 100, "{told}");
    }
}
