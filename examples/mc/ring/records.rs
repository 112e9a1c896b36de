//! Files of recorded placements: which key was found on which server.
//!
//! A line is a key and its server, with a tab or spaces between them: the server by its place in the
//! list, from 0, or as host:port, or both, as `mc where` prints them. Or it is a JSON object with
//! the servers, and with the scheme as which it was recorded:
//!
//! ```json
//! {"peer": "pylibmc", "scheme": "consistent/md5",
//!  "servers": [{"host": "10.0.0.1", "port": 11211, "weight": 1}],
//!  "keys": [["key1", 0], ["key2", 0]]}
//! ```
//!
//! (on one line), all but the keys of which may be left out, and is then that of the options. A
//! server may have a `ring_name` too.
//!
//! Empty lines and those that begin with `#` say nothing. Keys are as the servers have them, with the
//! prefix, if the options have one.

use crate::fleet::Fleet;
use crate::lines::{Line, Lines};
use crate::outcome::Failure;
use moecache::{DEFAULT_PORT, Server};
use serde::Deserialize;
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{SocketAddr, ToSocketAddrs};
use std::rc::Rc;

/// What a line may be.
const LINE: &str = "a key and its server are needed, with a tab between them: the server by its \
                    place in the list, from 0, or as host:port, or both; or a JSON object; lines \
                    that begin with # are skipped";

/// What the object may be.
const OBJECT: &str = r#"{"peer", "scheme", "servers": ["host:port", ..], "keys": [["key", 0], ..]}, where only the keys are needed"#;

/// Keys that were recorded on the same servers.
pub(super) struct Deployment {
    /// The first line of the file that it is on.
    pub(super) line: u64,
    /// The scheme's name, if it was recorded.
    pub(super) scheme: Option<String>,
    pub(super) servers: Vec<Server>,
    pub(super) placements: Vec<Placement>,
}

pub(super) struct Placement {
    pub(super) line: u64,
    pub(super) key: Vec<u8>,
    /// The place of the server in the list, from 0.
    pub(super) server: usize,
}

/// All of the file; the lines that are not JSON together, on the servers of the options.
pub(super) fn read(file: &str, fleet: &Fleet) -> Result<Vec<Deployment>, Failure> {
    let mut deployments = Vec::new();
    let mut by_hand = Deployment {
        line: 1,
        scheme: None,
        servers: fleet.servers()?,
        placements: Vec::new(),
    };
    let mut lines = Lines::open(file)?;
    while let Some(line) = lines.next()? {
        let refused = |reason| refused(line, reason);
        match line.bytes.trim_ascii() {
            [] | [b'#', ..] => {}
            // A key may begin with a brace; its server does not end with one.
            [b'{', .., b'}'] => {
                let deployment = parse_json(line, &by_hand.servers, fleet.prefix());
                deployments.push(deployment.map_err(refused)?);
            }
            text => {
                let placement = parse(text, line, &by_hand.servers, fleet.prefix());
                by_hand.placements.push(placement.map_err(refused)?);
            }
        }
    }
    deployments.push(by_hand);
    deployments.retain(|deployment| !deployment.placements.is_empty());
    if deployments.is_empty() {
        return Err(Failure::Usage(format!("{file}: no placements are in it")));
    }
    Ok(deployments)
}

/// What is wrong with a line; but of a file of something else altogether, just that.
fn refused(line: Line<'_>, reason: String) -> Failure {
    let reason = match std::str::from_utf8(line.bytes) {
        Ok(_) => reason,
        Err(_) => "not a text file of key<TAB>server".to_owned(),
    };
    Failure::Usage(format!("{}: {reason}", line.place))
}

/// A key and its server, once or in several ways.
fn parse(
    text: &[u8],
    line: Line<'_>,
    servers: &[Server],
    prefix: &str,
) -> Result<Placement, String> {
    let is_tab = |byte: &u8| *byte == b'\t';
    let has_tabs = text.iter().any(is_tab);
    let fields = text.split(|byte| {
        if has_tabs {
            is_tab(byte)
        } else {
            *byte == b' '
        }
    });
    let mut fields = fields.filter(|field| !field.is_empty());
    let key = fields.next().unwrap_or_default();
    let mut found = None;
    for field in fields {
        let field = std::str::from_utf8(field).map_err(|error| error.to_string())?;
        let server = match field.parse() {
            Ok(index) => Recorded::Index(index),
            Err(_) => Recorded::Server(field.to_owned()),
        };
        let index = server.index(servers)?;
        if found.is_some_and(|other| other != index) {
            return Err(format!(
                "{field:?} is another server than the one before it"
            ));
        }
        found = Some(index);
    }
    Ok(Placement {
        line: line.place.line,
        server: found.ok_or(LINE)?,
        key: without(prefix, key)?,
    })
}

/// The key as the program has it.
fn without(prefix: &str, key: &[u8]) -> Result<Vec<u8>, String> {
    let rest = key.strip_prefix(prefix.as_bytes());
    let rest = rest.ok_or_else(|| {
        let key = key.escape_ascii();
        format!(
            "the key {key} does not begin with the prefix {prefix}; with --prefix, keys are \
             recorded as the servers have them"
        )
    })?;
    Ok(rest.to_vec())
}

fn parse_json(line: Line<'_>, servers: &[Server], prefix: &str) -> Result<Deployment, String> {
    let object: Object = serde_json::from_slice(line.bytes)
        .map_err(|error| format!("{error}; allowed is {OBJECT}"))?;
    let servers = match object.servers {
        Some(servers) => servers.into_iter().map(Server::from).collect(),
        None => servers.to_vec(),
    };
    let placements = object.keys.into_iter().map(|(key, server)| {
        Ok(Placement {
            line: line.place.line,
            key: without(prefix, key.as_bytes())?,
            server: server.index(&servers)?,
        })
    });
    let placements = placements.collect::<Result<_, String>>()?;
    let scheme = match (object.peer, object.scheme) {
        (Some(peer), Some(scheme)) => Some(format!("{peer}:{scheme}")),
        (peer, scheme) => peer.or(scheme),
    };
    Ok(Deployment {
        line: line.place.line,
        scheme,
        servers,
        placements,
    })
}

#[derive(Deserialize)]
struct Object {
    peer: Option<String>,
    scheme: Option<String>,
    servers: Option<Vec<Typed>>,
    keys: Vec<(String, Recorded)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Typed {
    Text(String),
    Parts {
        host: String,
        port: Option<u16>,
        weight: Option<u32>,
        ring_name: Option<String>,
    },
}

impl From<Typed> for Server {
    fn from(typed: Typed) -> Self {
        match typed {
            Typed::Text(text) => text.into(),
            Typed::Parts {
                host,
                port,
                weight,
                ring_name,
            } => {
                let server = Self::from((host, port.unwrap_or(DEFAULT_PORT), weight.unwrap_or(1)));
                match ring_name {
                    Some(name) => server.ring_name(name),
                    None => server,
                }
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Recorded {
    Index(usize),
    Server(String),
}

impl Recorded {
    /// The place in the list of the server that is meant.
    fn index(self, servers: &[Server]) -> Result<usize, String> {
        match self {
            Self::Index(index) if index < servers.len() => Ok(among_different(index, servers)),
            Self::Index(index) => {
                let count = servers.len();
                Err(format!("server {index}; there are {count}, counted from 0"))
            }
            Self::Server(text) => {
                // In one spelling: the port may be left out.
                let name = Server::from(&text).to_string();
                let place = servers.iter().position(|known| is_called(known, &name));
                let place = place.or_else(|| resolved(&name, servers));
                let place = place.map(|place| among_different(place, servers));
                place.ok_or_else(|| {
                    let known: Vec<_> = servers.iter().map(Server::to_string).collect();
                    let known = known.join(", ");
                    format!("{text:?} is none of the servers; allowed are {known}, or their places")
                })
            }
        }
    }
}

/// A weight may stand behind the path of a unix socket.
fn is_called(server: &Server, name: &str) -> bool {
    let known = server.to_string();
    let behind = known.strip_prefix(name);
    behind
        .is_some_and(|behind| behind.is_empty() || name.starts_with('/') && behind.starts_with(':'))
}

/// The place without the servers that are listed again, as the client has them.
fn among_different(place: usize, servers: &[Server]) -> usize {
    let names: Vec<String> = servers.iter().map(Server::to_string).collect();
    let first = names.iter().position(|name| *name == names[place]);
    let before = &names[..first.unwrap_or(place)];
    let is_first = |index: &usize| !before[..*index].contains(&before[*index]);
    (0..before.len()).filter(is_first).count()
}

/// The one server that has an address with `name`: some clients print the address of a host name, and
/// some the name that an address has. What is looked up is remembered: there are many lines.
fn resolved(name: &str, servers: &[Server]) -> Option<usize> {
    thread_local! {
        static KNOWN: RefCell<HashMap<String, Rc<[SocketAddr]>>> = RefCell::default();
    }
    let addresses = |name: &str| {
        KNOWN.with_borrow_mut(|known| {
            let look_up = || {
                let found = name.to_socket_addrs().ok().into_iter().flatten();
                found
                    .map(|it| SocketAddr::new(it.ip().to_canonical(), it.port()))
                    .collect()
            };
            Rc::clone(known.entry(name.to_owned()).or_insert_with(look_up))
        })
    };
    let wanted = addresses(name);
    let mut found = servers.iter().enumerate().filter(|(_, server)| {
        let has = addresses(&server.to_string());
        has.iter().any(|address| wanted.contains(address))
    });
    let (place, server) = found.next()?;
    // Two names of one machine: which was meant?
    let is_clear = found.all(|(_, other)| other.to_string() == server.to_string());
    is_clear.then_some(place)
}
