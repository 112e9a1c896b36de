use super::breaker::BackOff;
use super::tls::Security;
use super::version::Protocol;
use crate::event::Hook;
use crate::protocol::Bounds;
use crate::secret::Credentials;
use std::time::Duration;

/// The settings that the pools of a client share.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) protocol: Protocol,
    /// For the servers that have none of their own.
    pub(crate) credentials: Option<Credentials>,
    pub(crate) tls: Option<Security>,
    /// Whether what is written is sent at once: Nagle's algorithm is off.
    pub(crate) nodelay: bool,
    /// How long a connect may take, where that differs from the time of the whole operation.
    pub(crate) connect_timeout: Option<Duration>,
    /// The most that is read of what a server sends.
    pub(crate) bounds: Bounds,
    /// The most keys of one `get` line.
    pub(crate) max_keys: usize,
    /// The most connections at a time, idle ones included.
    pub(crate) max_connections: usize,
    /// The most that idle.
    pub(crate) max_idle: usize,
    /// How long one may idle before it is closed.
    pub(crate) idle_timeout: Duration,
    /// How long a server that fails is not tried.
    pub(crate) back_off: BackOff,
    /// Takes the events.
    pub(crate) hook: Hook,
}
