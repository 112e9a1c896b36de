use super::super::{Client, Shared, Values};
use super::ClientBuilder;
use crate::compatibility;
use crate::conn::{BackOff, Options, Security};
use crate::error::{Error, Result};
use crate::item::MAX_VALUE_SIZE;
use crate::protocol::{Bounds, Limits};
use crate::route::{FailurePolicy, PlacedBy, Placement, Topology};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

/// A server that is silent for so long may be down.
const SHORTEST_WAIT: Duration = Duration::from_millis(50);

/// # Building
impl ClientBuilder {
    /// The client. Nothing is connected, and nothing resolved unless
    /// [`resolve_names`](Self::resolve_names) asks for it.
    ///
    /// # Errors
    ///
    /// A validation error that names the setting and what is allowed; with
    /// [`resolve_names`](Self::resolve_names) a connect error where a name has no IPv4 address, or
    /// none in time.
    pub fn build(self) -> Result<Client> {
        let timeouts = [
            ("timeout", Some(self.timeout)),
            ("connect_timeout", self.connect_timeout),
        ];
        for (name, timeout) in timeouts {
            if timeout == Some(Duration::ZERO) {
                return Err(Error::validation(format!(
                    "{name}: zero; it must be greater"
                )));
            }
        }
        if self.max_value_size > MAX_VALUE_SIZE {
            let size = self.max_value_size;
            return Err(Error::validation(format!(
                "max_value_size: {size}; at most {MAX_VALUE_SIZE} is allowed"
            )));
        }
        if self.max_connections == 0 {
            return Err(Error::validation(
                "max_connections: 0; it must be at least 1",
            ));
        }
        within("max_line_size", self.max_line_size, Bounds::LINE)?;
        within(
            "max_keys_per_get",
            self.max_keys_per_get,
            1..=Limits::MAX_KEYS,
        )?;
        let naming = self.naming()?;
        let options = Options {
            protocol: self.protocol,
            credentials: self.credentials.clone(),
            tls: self.tls.as_ref().map(Security::new).transpose()?,
            nodelay: self.tcp_nodelay,
            connect_timeout: self.connect_timeout,
            bounds: Bounds {
                value: self.max_read_size,
                line: self.max_line_size,
                queues: self.queue_keys,
            },
            max_keys: if self.queue_keys {
                1
            } else {
                self.max_keys_per_get
            },
            max_connections: self.max_connections,
            max_idle: self.max_idle_connections.unwrap_or(usize::MAX),
            idle_timeout: self.idle_timeout,
            back_off: self.back_off(),
            hook: self.hook.clone(),
        };
        let placement = self.placement()?;
        let values = self.values()?;
        let options = Arc::new(options);
        let placement = Arc::new(placement);
        let policy = self.failure_policy;
        let topology = Topology::new(
            &self.servers,
            &placement,
            policy,
            &options,
            &self.middleware,
            None,
        )?;
        let shared = Shared {
            topology: RwLock::new(Arc::new(topology)),
            placement,
            options,
            middleware: self.middleware,
            changing: Mutex::default(),
            begun: Mutex::default(),
            max_value_size: self.max_value_size,
        };
        Ok(Client {
            shared: Arc::new(shared),
            values: Arc::new(values),
            naming,
            timeout: self.timeout,
            policy,
            is_step: false,
        })
    }

    fn back_off(&self) -> BackOff {
        BackOff {
            longest: self.max_back_off,
            steady: if self.failure_policy == FailurePolicy::Rehash {
                self.max_back_off
            } else {
                Duration::ZERO
            },
            shortest_wait: (self.timeout / 2).min(SHORTEST_WAIT),
        }
    }

    fn placement(&self) -> Result<Placement> {
        let mut scheme = self.scheme;
        if let Some(distribution) = self.distribution {
            scheme = scheme.with_distribution(distribution);
        }
        if let Some(hash) = self.hash {
            scheme = scheme.with_hash(hash)?;
        }
        let timeout = self.connect_timeout.unwrap_or(self.timeout);
        Ok(Placement {
            by: match &self.locator {
                Some(make) => PlacedBy::Program(make.clone()),
                None => PlacedBy::Scheme(scheme),
            },
            hash_tag: self.hash_tag,
            resolve_within: self.resolve_names.then_some(timeout),
        })
    }

    fn values(&self) -> Result<Values> {
        let max_decompressed_size = self.max_decompressed_size;
        if let Some(transcoder) = &self.transcoder {
            if self.format.is_some() || self.compression.is_some() {
                return Err(Error::validation(
                    "transcoder: format and compression do not go with a transcoder of your own",
                ));
            }
            return Ok(Values {
                transcoder: Arc::clone(transcoder),
                refuses_append: None,
                format: None,
                max_decompressed_size,
            });
        }
        let format = self
            .format
            .unwrap_or(compatibility::format(self.scheme.peer()));
        let compression = self.compression.unwrap_or(format.default_compression());
        Values::new(format, compression, max_decompressed_size)
    }
}

/// Refuses what is not in the range.
pub(super) fn within(name: &str, number: usize, range: RangeInclusive<usize>) -> Result<()> {
    if range.contains(&number) {
        return Ok(());
    }
    Err(Error::validation(format!(
        "{name}: {number}; {} to {} are allowed",
        range.start(),
        range.end()
    )))
}
