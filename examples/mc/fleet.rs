//! The options that every command has: which servers, and how they are spoken to.

use crate::time;
use clap::Args;
use moecache::{Client, Distribution, Protocol, Result};
use std::env;
use std::time::Duration;

#[derive(Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Fleet {
    /// The servers, host:port, separated by commas, in the order that the other clients have; IPv6
    /// in brackets: [::1]:11211; a unix socket by its path: /run/memcached.sock [env:
    /// MEMCACHED_SERVERS] [default: 127.0.0.1:11211]
    #[arg(long, global = true, value_delimiter = ',')]
    servers: Option<Vec<String>>,
    /// Whose ring the keys are on: moecache:default, enyim:DefaultNodeLocator,
    /// enyimmemcachedcore:LegacyNodeLocator, enyimmemcachedcore:LegacyNodeLocator/DnsEndPoint
    #[arg(long, global = true, default_value_t)]
    distribution: Distribution,
    /// Which protocol is spoken: text, meta, binary, or auto, which is meta where the server has it
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
}

impl Fleet {
    pub(crate) fn client(&self) -> Result<Client> {
        Client::builder()
            .servers(self.servers())
            .distribution(self.distribution)
            .protocol(self.protocol()?)
            .timeout(self.timeout)
            .build()
    }

    fn servers(&self) -> Vec<String> {
        if let Some(servers) = &self.servers {
            return servers.clone();
        }
        let variable = variable("MEMCACHED_SERVERS");
        let servers = variable.as_deref().unwrap_or("127.0.0.1:11211");
        servers.split(',').map(str::to_owned).collect()
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
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
