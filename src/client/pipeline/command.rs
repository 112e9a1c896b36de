use super::super::Client;
use crate::error::Result;
use crate::expiry::Expiry;
use crate::item::ItemRef;
use crate::key::Key;
use crate::protocol::{Direction, Mode, Request};
use std::borrow::Cow;
use std::time::SystemTime;

/// What is sent for one key.
pub(super) struct Command<'a> {
    pub(super) key: Vec<u8>,
    pub(super) kind: Result<Kind<'a>>,
    pub(super) operation: &'static str,
}

pub(super) enum Kind<'a> {
    Get {
        cas: bool,
    },
    GetAndTouch {
        expiry: Expiry,
    },
    Store {
        mode: Mode,
        flags: u32,
        data: Cow<'a, [u8]>,
        expiry: Expiry,
    },
    Delete,
    Touch {
        expiry: Expiry,
    },
    Count {
        direction: Direction,
        delta: u64,
    },
}

impl Command<'_> {
    /// What is sent at the time `now`.
    pub(super) fn request<'k>(
        &'k self,
        key: Key<'k>,
        now: SystemTime,
        client: &Client,
    ) -> Result<Request<'k>> {
        Ok(match self.kind.as_ref().map_err(Clone::clone)? {
            Kind::Get { cas } => Request::Get { key, cas: *cas },
            Kind::GetAndTouch { expiry } => Request::GetAndTouch {
                key,
                exptime: expiry.to_wire(now)?,
                cas: false,
            },
            Kind::Store {
                mode,
                flags,
                data,
                expiry,
            } => {
                client.shared.check_size(data.len())?;
                Request::Store {
                    mode: *mode,
                    key,
                    item: ItemRef {
                        flags: *flags,
                        data,
                    },
                    exptime: expiry.to_wire(now)?,
                }
            }
            Kind::Delete => Request::Delete { key, cas: None },
            Kind::Touch { expiry } => Request::Touch {
                key,
                exptime: expiry.to_wire(now)?,
            },
            Kind::Count { direction, delta } => Request::Arithmetic {
                direction: *direction,
                key,
                delta: *delta,
                initial: None,
            },
        })
    }
}
