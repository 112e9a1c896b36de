use super::options::Mode;
use super::request::{Request, shares_line};
use crate::error::{Error, Kind};
use crate::key::Key;
use crate::meta_options::RawFlags;
use std::fmt;

/// The protocol that a connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    Text,
    Meta,
    Binary,
}

impl Dialect {
    /// Refuses what this protocol cannot say, so that nothing of it is sent.
    pub(crate) fn check(self, request: &Request<'_>) -> Result<(), Error> {
        let what = match (self, request) {
            (Self::Text, Request::Delete { cas: Some(_), .. }) => "delete with a cas id",
            (
                Self::Text,
                Request::Arithmetic {
                    initial: Some(_), ..
                },
            ) => "incr and decr with an initial value",
            (Self::Binary, Request::MetaSet { options, .. }) if options.is_plain_set() => {
                return Ok(());
            }
            (
                Self::Text | Self::Binary,
                Request::MetaGet { .. }
                | Request::MetaSet { .. }
                | Request::MetaDelete { .. }
                | Request::MetaArithmetic { .. },
            ) => "meta commands",
            (Self::Binary, Request::Raw { .. }) => "lines of text, which raw commands are",
            (Self::Binary, Request::Metadump { .. }) => {
                "command that lists keys (lru_crawler metadump)"
            }
            // memcached 1.6 waits for four more bytes, and takes them from the next request.
            (Self::Binary, Request::Verbosity { .. }) => {
                "verbosity command that memcached 1.6 reads to its end"
            }
            (
                Self::Binary,
                Request::Delete { cas: Some(0), .. }
                | Request::Store {
                    mode: Mode::Cas(0), ..
                },
            ) => "way to ask for the cas id 0, which stands for any",
            _ => return Ok(()),
        };
        // Verbosity aside, what binary and text lack, meta has.
        let instead = match request {
            Request::Verbosity { .. }
            | Request::Delete { cas: Some(0), .. }
            | Request::Store { .. } => "",
            Request::Metadump { .. } | Request::Raw { .. } => {
                "; Protocol::Text and Protocol::Meta have it"
            }
            _ => "; use Protocol::Meta, or Protocol::Auto, which speaks it where the server does",
        };
        Err(Error::new(
            Kind::Unsupported,
            format!("the {self} protocol has no {what}; nothing was sent{instead}"),
        ))
    }

    /// The most bytes that `request` takes on the wire, behind the `previous` one, where lines take
    /// up to `max_keys`.
    pub(super) fn size_bound(
        self,
        request: &Request<'_>,
        previous: Option<&Request<'_>>,
        max_keys: usize,
    ) -> usize {
        /// A command, flags, times, numbers, an opaque, and a fence: under 128 bytes everywhere. The
        /// longest is `ma` with three times of 10 digits and three numbers of 20: 122.
        const ANY: usize = 128;
        /// Two cas ids, and flags of the program's own.
        const MORE: usize = 2 * 22 + RawFlags::MAX_LENGTH;
        let key = request.key().map_or(0, Key::wire_length);
        match request {
            // A line that begins anew is six bytes more, for all of its keys together.
            Request::Get { .. }
                if self != Self::Binary && max_keys > 1 && shares_line(previous, request) =>
            {
                key + 2 + 6 / max_keys
            }
            Request::Get { .. } => key + 32,
            Request::Stats { arguments } => ANY + arguments.as_str().len(),
            Request::MetaGet { .. }
            | Request::MetaSet { .. }
            | Request::MetaDelete { .. }
            | Request::MetaArithmetic { .. } => {
                MORE + ANY + key + request.body().map_or(0, <[u8]>::len)
            }
            Request::Raw { line } => ANY + line.text().len(),
            _ => ANY + key + request.body().map_or(0, <[u8]>::len),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Meta => "meta",
            Self::Binary => "binary",
        })
    }
}
