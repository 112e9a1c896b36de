//! The texts that stand for servers where a distribution hashes them.

use super::{Distribution, Node};
use crate::address::{Address, DEFAULT_PORT};
use crate::error::Error;
use std::net::{IpAddr, Ipv6Addr};

/// A server of the list by its text.
#[derive(Debug)]
pub(super) struct Named {
    /// Its place in the list.
    pub(super) place: usize,
    pub(super) text: String,
    pub(super) weight: u32,
}

impl Distribution {
    /// The servers, each by its text.
    pub(super) fn named(self, servers: &[Node]) -> Result<Vec<Named>, Error> {
        let named = servers.iter().enumerate().map(|(place, server)| {
            Ok(Named {
                place,
                text: self.ring_text(server)?,
                weight: server.weight,
            })
        });
        named.collect()
    }

    /// The text that stands for `server`, without the number of the point: what
    /// [`Server::ring_name`](crate::Server::ring_name) gave, or what the owner makes of the address.
    /// For those distributions that hash servers, or sort them by it.
    pub(super) fn ring_text(self, server: &Node) -> Result<String, Error> {
        if let Some(name) = &server.ring_name {
            return Ok(name.clone());
        }
        match &server.address {
            Address::Tcp { host, port } => self.tcp_text(server, host, *port),
            Address::Unix(path) => self.unix_text(path),
        }
    }

    fn tcp_text(self, server: &Node, host: &str, port: u16) -> Result<String, Error> {
        Ok(match self {
            Self::Enyim | Self::EnyimKetama | Self::EnyimCore | Self::EnyimCoreLegacy => {
                dotnet(self.ip(server, host)?, port)
            }
            Self::EnyimCoreDnsEndPoint | Self::EnyimCoreLegacyDnsEndPoint => {
                match server.address.ip() {
                    Some(ip) => dotnet(ip, port),
                    None => format!("Unspecified/{host}:{port}"),
                }
            }
            Self::LibmemcachedConsistent
            | Self::LibmemcachedConsistentHashLater
            | Self::LibmemcachedKetamaWeighted
            | Self::TwemproxyKetama
            | Self::TwemproxyModula => without_default_port(host, port),
            Self::LibmemcachedKetamaSpy | Self::LibmemcachedKetamaSpyUnweighted => {
                format!("/{host}:{port}")
            }
            // `InetSocketAddress.toString()` without the slash that it begins with when there is no
            // name. IPv6 has brackets since Java 14.
            Self::SpymemcachedKetama => {
                let ip = self.ip(server, host)?.to_canonical();
                let ip = match ip {
                    IpAddr::V4(ip) => ip.to_string(),
                    IpAddr::V6(ip) => format!("[{}]", java_v6(ip)),
                };
                match server.address.ip() {
                    Some(_) => format!("{ip}:{port}"),
                    None => format!("{host}/{ip}:{port}"),
                }
            }
            Self::SpymemcachedKetamaLibmemcached | Self::SpymemcachedKetamaLibmemcachedWeighted => {
                without_default_port(&self.java_host(server, host)?, port)
            }
            _ => format!("{host}:{port}"),
        })
    }

    fn unix_text(self, path: &str) -> Result<String, Error> {
        let without = match self {
            Self::Moecache | Self::Pymemcache | Self::Dalli => return Ok(path.to_owned()),
            // Which have a port there, 0.
            Self::LibmemcachedConsistent
            | Self::LibmemcachedConsistentHashLater
            | Self::LibmemcachedKetamaWeighted => {
                return Ok(format!("{path}:0"));
            }
            Self::LibmemcachedKetamaSpy | Self::LibmemcachedKetamaSpyUnweighted => {
                return Ok(format!("/{path}:0"));
            }
            // twemproxy's quirk: it takes the address, a colon and the port, of which there are no
            // characters, out of `/path:weight`.
            Self::TwemproxyKetama | Self::TwemproxyModula => return Ok(format!("{path}:")),
            Self::SpymemcachedKetama
            | Self::SpymemcachedKetamaLibmemcached
            | Self::SpymemcachedKetamaLibmemcachedWeighted => "spymemcached",
            _ => ".NET",
        };
        Err(Error::validation(format!(
            "servers: {path:?} is a unix socket, and the distribution {self} is that of {without}, \
             which knows only TCP; give the ring_name that it has there"
        )))
    }

    fn ip(self, server: &Node, host: &str) -> Result<IpAddr, Error> {
        server.ip.ok_or_else(|| {
            Error::validation(format!(
                "servers: {host:?} is a host name, and the distribution {self} hashes addresses; \
                 give the IPv4 address that it resolves to there, or ask for resolve_names"
            ))
        })
    }

    /// `InetSocketAddress.getHostName()`: of an address it is what the resolver has for it, and the
    /// address itself only where it has nothing. Which is certain to fail on the loopback.
    fn java_host(self, server: &Node, host: &str) -> Result<String, Error> {
        match server.address.ip().map(|ip| ip.to_canonical()) {
            None => Ok(host.to_owned()),
            Some(ip) if ip.is_loopback() => Err(Error::validation(format!(
                "servers: of {host:?} the distribution {self} hashes the name that Java finds for \
                 it; give that name, which is \"localhost\" as a rule, or a ring_name"
            ))),
            Some(IpAddr::V4(ip)) => Ok(ip.to_string()),
            Some(IpAddr::V6(ip)) => Ok(java_v6(ip)),
        }
    }
}

/// `EndPoint.ToString()`.
fn dotnet(ip: IpAddr, port: u16) -> String {
    match ip {
        IpAddr::V4(ip) => format!("{ip}:{port}"),
        IpAddr::V6(ip) => format!("[{ip}]:{port}"),
    }
}

/// libmemcached's text, and that of those who follow it.
fn without_default_port(host: &str, port: u16) -> String {
    match port {
        DEFAULT_PORT => host.to_owned(),
        port => format!("{host}:{port}"),
    }
}

/// Java writes out all eight numbers of an IPv6 address.
fn java_v6(ip: Ipv6Addr) -> String {
    ip.segments().map(|number| format!("{number:x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Server;

    fn text(distribution: Distribution, server: impl Into<Server>) -> Result<String, String> {
        let node = Node::new(&server.into()).unwrap();
        distribution.ring_text(&node).map_err(|e| e.to_string())
    }

    /// What the peers do with a unix socket, as libmemcached 1.1.4 and nutcracker 0.5.0 place keys.
    #[test]
    fn unix_sockets() {
        use Distribution as D;
        let rows = [
            (D::Moecache, "/run/m.sock"),
            (D::Pymemcache, "/run/m.sock"),
            (D::Dalli, "/run/m.sock"),
            (D::LibmemcachedConsistent, "/run/m.sock:0"),
            (D::LibmemcachedKetamaWeighted, "/run/m.sock:0"),
            (D::LibmemcachedKetamaSpy, "//run/m.sock:0"),
            (D::TwemproxyKetama, "/run/m.sock:"),
        ];
        for (distribution, expected) in rows {
            let text = text(distribution, "/run/m.sock").unwrap();
            assert_eq!(text, expected, "{distribution}");
        }
        for (distribution, whose) in [(D::EnyimKetama, ".NET"), (D::SpymemcachedKetama, "spym")] {
            let error = text(distribution, "/run/m.sock").unwrap_err();
            let expected = format!(
                "\"/run/m.sock\" is a unix socket, and the distribution {distribution} is that of {whose}"
            );
            assert!(error.contains(&expected), "{error}");
        }
    }

    #[test]
    fn a_host_name_is_refused_where_addresses_are_hashed() {
        for &distribution in Distribution::ALL {
            let text = text(distribution, "cache.example.com:11212");
            if distribution.hashes_addresses() {
                let error = text.unwrap_err();
                assert!(
                    error.contains("\"cache.example.com\" is a host name"),
                    "{error}"
                );
                assert!(error.contains("resolve_names"), "{error}");
            } else {
                assert!(text.unwrap().contains("cache.example.com:11212"));
            }
        }
    }

    #[test]
    fn a_resolved_name_is_hashed_by_its_address() {
        use Distribution as D;
        let mut node = Node::new(&"cache.example.com".into()).unwrap();
        node.ip = Some([10, 0, 0, 5].into());
        let rows = [
            (D::Enyim, "10.0.0.5:11211"),
            (
                D::EnyimCoreDnsEndPoint,
                "Unspecified/cache.example.com:11211",
            ),
            (D::SpymemcachedKetama, "cache.example.com/10.0.0.5:11211"),
            (D::SpymemcachedKetamaLibmemcached, "cache.example.com"),
            (D::LibmemcachedConsistent, "cache.example.com"),
            (D::Moecache, "cache.example.com:11211"),
        ];
        for (distribution, expected) in rows {
            assert_eq!(
                distribution.ring_text(&node).unwrap(),
                expected,
                "{distribution}"
            );
        }
    }

    #[test]
    fn java_finds_a_name_for_the_loopback() {
        let distribution = Distribution::SpymemcachedKetamaLibmemcached;
        for host in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let error = text(distribution, (host, 11211)).unwrap_err();
            assert!(
                error.contains(&format!("of {host:?} the distribution")),
                "{error}"
            );
            assert!(error.contains("ring_name"), "{error}");
        }
        let v6 = text(distribution, ("2001:DB8::0ab", 11212)).unwrap();
        assert_eq!(v6, "2001:db8:0:0:0:0:0:ab:11212");
    }

    #[test]
    fn a_ring_name_stands_for_the_whole_text() {
        let server = Server::from("/run/m.sock").ring_name("10.0.0.5:11211");
        for &distribution in Distribution::ALL {
            let text = text(distribution, &server).unwrap();
            assert_eq!(text, "10.0.0.5:11211", "{distribution}");
        }
    }
}
