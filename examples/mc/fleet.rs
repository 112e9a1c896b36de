//! The options that every command has: which servers, whose deployment they are, and how they are
//! spoken to.

use crate::outcome::{Failure, say};
use crate::placer::Placer;
use crate::security::Security;
use crate::time;
use clap::Args;
use moecache::value::{Compression, Format};
use moecache::{
    Client, Config, Distribution, HashTag, IntoServers, KeyBytes, KeyTransform, PrefixPlacement,
    Protocol, Result, Scheme, Server,
};
use std::env;
use std::time::Duration;

#[derive(Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Fleet {
    /// The servers, host:port or host:port:weight, separated by commas, in the order that the other
    /// clients have; IPv6 in brackets: [::1]:11211; a unix socket by its path: /run/memcached.sock, or
    /// unix:///run/memcached.sock
    /// [env: MEMCACHED_SERVERS] [default: 127.0.0.1:11211]
    #[arg(long, global = true, value_delimiter = ',')]
    servers: Option<Vec<String>>,
    /// The names that stand for the servers on the ring, in the same order, in place of their
    /// addresses: those of twemproxy's servers, for example
    #[arg(long, global = true, value_name = "NAMES", value_delimiter = ',')]
    ring_names: Vec<String>,
    /// Which client library stored the data; it decides how keys are placed and values stored. A
    /// library, such as pylibmc, or a line of `mc schemes`, such as
    /// libmemcached:consistent/fnv1a_32 [env: MEMCACHED_COMPATIBLE_WITH] [default:
    /// moecache:default]
    #[arg(long, global = true, value_name = "SCHEME")]
    compatible_with: Option<String>,
    /// How keys are placed, if it differs from the library's default: a name of `mc schemes`,
    /// without the hash
    #[arg(long, global = true)]
    distribution: Option<String>,
    /// The hash function, if the distribution has several: md5, fnv1a_32, crc and so on
    #[arg(long, global = true)]
    hash: Option<String>,
    /// A prefix that is added to every key; keys are given and printed without it. `flush` and
    /// `stats` ignore it: they are for whole servers
    #[arg(long, global = true, default_value = "", hide_default_value = true)]
    prefix: String,
    /// Whether the prefix is hashed with the key, if it differs from the library's default: hashed
    /// or left-out
    #[arg(long, global = true, value_name = "PLACEMENT")]
    prefix_placement: Option<PrefixPlacement>,
    /// How keys are transformed before they are placed and sent, as .NET's keyTransformer does it:
    /// none, base64, sha1 or tiger. A prefix is transformed with the key
    #[arg(long, global = true, value_name = "TRANSFORM")]
    key_transform: Option<KeyTransform>,
    /// Which bytes a key may contain, if it differs from the library's default: printable (ASCII
    /// only), non-ascii (UTF-8 too) or any (needs --protocol meta or binary)
    #[arg(long, global = true, value_name = "BYTES")]
    key_bytes: Option<KeyBytes>,
    /// The longest key that is allowed, in bytes as it is sent: 1 to 250 [default: 250]
    #[arg(long, global = true, value_name = "LENGTH")]
    max_key_length: Option<usize>,
    /// Two characters, such as {}: only the part of a key between them is hashed; twemproxy's
    /// hash_tag
    #[arg(long, global = true)]
    hash_tag: Option<HashTag>,
    /// Resolve host names where the distribution hashes addresses, as .NET's do; without it host
    /// names are refused there
    #[arg(long, global = true)]
    resolve_names: bool,
    /// How values are stored, if it differs from the library's default: moecache, enyim, pylibmc,
    /// php-memcached:json and so on
    #[arg(long, global = true)]
    format: Option<Format>,
    /// How large values are compressed, if it differs from the format's default: off, zlib, lz4 and
    /// so on; zlib:400 compresses values of 400 bytes and more
    #[arg(long, global = true)]
    compression: Option<Compression>,
    /// The protocol: text, meta, binary, or auto, which uses meta where the server supports it
    /// [env: MEMCACHED_PROTOCOL] [default: text]
    #[arg(long, global = true)]
    protocol: Option<Protocol>,
    /// How long a command may take, or wait for more of a list: 500ms, 2s, or a number of seconds
    #[arg(
        long,
        global = true,
        default_value = "1s",
        value_parser = time::duration,
        allow_hyphen_values = true
    )]
    timeout: Duration,
    #[command(flatten)]
    security: Security,
}

impl Fleet {
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let mut config = self.on(self.servers()?)?;
        self.place(&mut config)?;
        self.client_of(config)
    }

    /// One that asks servers and places no key. So it does not matter if there is no such scheme, or if
    /// it cannot be with these servers.
    pub(crate) fn client_of_servers(&self) -> Result<Client, Failure> {
        let failure = match self.client() {
            Err(failure @ Failure::Client(_)) => failure,
            other => return other,
        };
        // Takes any list of servers, and none of its names has to be looked up.
        let mut any = self.on(self.servers()?)?;
        any.distribution = Some(Distribution::Gomemcache);
        let Ok(client) = self.client_of(any) else {
            return Err(failure);
        };
        failure.report();
        say("this command places no keys, and goes on");
        Ok(client)
    }

    fn client_of(&self, mut config: Config) -> Result<Client, Failure> {
        config.format = self.format;
        config.compression = self.compression;
        config.timeout = Some(self.timeout);
        self.security.apply(&mut config)?;
        Ok(config.client()?)
    }

    /// One that only places keys.
    pub(crate) fn placer(&self) -> Result<Placer, Failure> {
        Ok(self.placer_of(self.servers()?, None)?)
    }

    /// The same for other servers, and for another scheme than the options have.
    pub(crate) fn placer_of(
        &self,
        servers: impl IntoServers,
        scheme: Option<Scheme>,
    ) -> Result<Placer> {
        let mut config = self.on(servers)?;
        match scheme {
            Some(scheme) => config.compatible_with = Some(scheme),
            None => self.place(&mut config)?,
        }
        // No values are read, so that what those of the deployment need does not matter.
        config.format = Some(Format::Moecache);
        Ok(Placer::new(config.client()?))
    }

    fn place(&self, config: &mut Config) -> Result<()> {
        config.compatible_with = self.scheme()?;
        config.distribution = self.distribution.as_deref().map(str::parse).transpose()?;
        config.hash = self.hash.as_deref().map(str::parse).transpose()?;
        Ok(())
    }

    /// All but how keys are placed and values stored.
    fn on(&self, servers: impl IntoServers) -> Result<Config> {
        let mut config = Config::default();
        config.servers = servers.into_servers();
        config.prefix = Some(self.prefix.clone().into());
        config.protocol = Some(self.protocol()?);
        config.key_transform = self.key_transform;
        config.key_bytes = self.key_bytes;
        config.max_key_length = self.max_key_length;
        config.prefix_placement = self.prefix_placement;
        config.hash_tag = self.hash_tag;
        config.resolve_names = self.resolve_names;
        Ok(config)
    }

    pub(crate) fn servers(&self) -> Result<Vec<Server>, Failure> {
        let servers = match (&self.servers, variable("MEMCACHED_SERVERS")) {
            (Some(servers), _) => servers.into_servers(),
            (None, Some(servers)) => servers.split(',').map(Server::from).collect(),
            (None, None) => vec!["127.0.0.1:11211".into()],
        };
        let (names, count) = (&self.ring_names, servers.len());
        if names.is_empty() {
            return Ok(servers);
        }
        if names.len() != count {
            let given = names.len();
            let reason = format!("ring-names: {given} for {count} servers; each needs one");
            return Err(Failure::Usage(reason));
        }
        let pairs = servers.into_iter().zip(names);
        Ok(pairs.map(|(server, name)| server.ring_name(name)).collect())
    }

    /// What every key begins with; empty without one.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What to ask of the prefix where keys are placed otherwise; empty if all is said.
    pub(crate) fn question_of_prefix(&self) -> &'static str {
        match (self.prefix.is_empty(), self.prefix_placement) {
            (true, _) => " And the prefix: --prefix?",
            (false, None) => " And is the prefix hashed: --prefix-placement?",
            (false, Some(_)) => "",
        }
    }

    fn scheme(&self) -> Result<Option<Scheme>> {
        let name = self.compatible_with.clone();
        let name = name.or_else(|| variable("MEMCACHED_COMPATIBLE_WITH"));
        name.map(|name| name.parse()).transpose()
    }

    /// What to say where nothing was found and nobody has said whose deployment it is; empty where that
    /// is known, or there is one server, which has all keys.
    pub(crate) fn question_of_scheme(&self, client: &Client) -> &'static str {
        let is_said = self.distribution.is_some() || matches!(self.scheme(), Ok(Some(_)));
        if is_said || client.servers().len() == 1 {
            return "";
        }
        "keys were looked for where the moecache client puts them; if another client stored them, name \
         it with --compatible-with: `mc schemes` lists them"
    }

    fn protocol(&self) -> Result<Protocol> {
        match (self.protocol, variable("MEMCACHED_PROTOCOL")) {
            (Some(protocol), _) => Ok(protocol),
            (None, Some(name)) => name.parse(),
            (None, None) => Ok(Protocol::default()),
        }
    }
}

/// A variable that is set to nothing is as good as none.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
