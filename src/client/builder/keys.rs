use super::ClientBuilder;
use super::build::within;
use crate::compatibility;
use crate::conn::Protocol;
use crate::error::{Error, Result};
use crate::key::{KeyBytes, KeyRule, KeyTransform, MAX_KEY_LENGTH, Naming, PrefixPlacement, Rules};

/// What is set of keys; the peer has the rest.
#[derive(Debug, Clone, Default)]
pub(super) struct KeySettings {
    bytes: Option<KeyBytes>,
    prefix: Vec<u8>,
    prefix_placement: Option<PrefixPlacement>,
    transform: KeyTransform,
    max_length: Option<usize>,
}

/// # Keys
///
/// [`compatible_with`](Self::compatible_with) names keys as the peer does: which bytes they may have,
/// whether a prefix counts where their servers are chosen, and what becomes of those that are too long
/// (dalli's end in their MD5; all others refuse them). What follows is said besides, or in place of
/// that. [Keys](crate::Client#keys) has the order in which it all applies.
impl ClientBuilder {
    /// What every key begins with: libmemcached's namespace (`PREFIX_KEY`), pymemcache's `key_prefix`;
    /// dalli's namespace `app` is the prefix `app:`. Up to 249 bytes of those that a key may have.
    /// Default: nothing. [`Client::with_prefix`](crate::Client::with_prefix) adds to it.
    ///
    /// ```
    /// use moecache::{Client, Library};
    ///
    /// let servers = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
    /// let client = Client::builder().servers(servers).prefix("app:").build()?;
    /// let plain = Client::new(servers)?;
    /// assert_eq!(client.server_for("key")?, plain.server_for("app:key")?);
    /// # Ok::<(), moecache::Error>(())
    /// ```
    pub fn prefix(mut self, prefix: impl AsRef<[u8]>) -> Self {
        self.keys.prefix = prefix.as_ref().to_vec();
        self
    }

    /// Whether the prefix counts where the server of a key is chosen, in place of what
    /// [`compatible_with`](Self::compatible_with) says.
    ///
    /// With a [`key_transform`](Self::key_transform) it always does: the two are transformed together.
    pub fn prefix_placement(mut self, placement: PrefixPlacement) -> Self {
        self.keys.prefix_placement = Some(placement);
        self
    }

    /// What is made of each key, its prefix included, before it is sent. Default:
    /// [`KeyTransform::None`].
    pub fn key_transform(mut self, transform: KeyTransform) -> Self {
        self.keys.transform = transform;
        self
    }

    /// Which bytes a key may have, in place of what [`compatible_with`](Self::compatible_with) says.
    pub fn key_bytes(mut self, bytes: KeyBytes) -> Self {
        self.keys.bytes = Some(bytes);
        self
    }

    /// The longest key that is sent, in bytes, its prefix included and whatever was
    /// [made of it](Self::key_transform): a longer one is a validation error, and nothing is sent. 1 to
    /// 250, which is what memcached takes and the default; less for another server that takes less.
    pub fn max_key_length(mut self, bytes: usize) -> Self {
        self.keys.max_length = Some(bytes);
        self
    }

    /// Allows any bytes in a key: [`key_bytes`](Self::key_bytes) of [`KeyBytes::Any`], for
    /// [`Protocol::Meta`] and [`Protocol::Binary`].
    ///
    /// Such a key has its place on the ring by its bytes.
    pub fn binary_keys(self) -> Self {
        self.key_bytes(KeyBytes::Any)
    }

    pub(super) fn naming(&self) -> Result<Naming> {
        let peer = compatibility::keys(self.scheme.peer());
        let KeySettings {
            bytes,
            prefix,
            prefix_placement,
            transform,
            max_length,
        } = &self.keys;
        let longest = max_length.unwrap_or(MAX_KEY_LENGTH);
        within("max_key_length", longest, 1..=MAX_KEY_LENGTH)?;
        let of_peer = match self.protocol {
            Protocol::Meta => peer.meta,
            Protocol::Binary => peer.binary,
            Protocol::Text | Protocol::Auto => peer.text,
        };
        let rule = rule(bytes.unwrap_or(of_peer), self.protocol)?;
        transform
            .check()
            .map_err(|error| Error::validation(format!("key_transform: {error}")))?;
        if *transform != KeyTransform::None && *prefix_placement == Some(PrefixPlacement::LeftOut) {
            return Err(Error::validation(format!(
                "prefix_placement: left-out is not possible with the key transform {transform}, which \
                 the prefix goes through too"
            )));
        }
        let naming = Naming::new(Rules {
            rule,
            longest,
            transform: *transform,
            long: peer.long,
            empty: peer.empty,
            prefix: prefix_placement.unwrap_or(peer.prefix),
        });
        naming.with_prefix(prefix)
    }
}

fn rule(bytes: KeyBytes, protocol: Protocol) -> Result<KeyRule> {
    match (bytes, protocol) {
        (KeyBytes::Printable, _) => Ok(KeyRule::Printable),
        (KeyBytes::NonAscii, _) => Ok(KeyRule::NonAscii),
        (KeyBytes::Any, Protocol::Meta) => Ok(KeyRule::Base64),
        (KeyBytes::Any, Protocol::Binary) => Ok(KeyRule::Counted),
        (KeyBytes::Any, Protocol::Text | Protocol::Auto) => Err(Error::validation(format!(
            "key_bytes: any is not possible with the protocol {protocol}; choose meta or binary"
        ))),
    }
}
