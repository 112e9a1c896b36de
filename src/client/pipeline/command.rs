use super::super::Client;
use crate::error::Result;
use crate::expiry::Expiry;
use crate::item::Item;
use crate::key::Key;
use crate::protocol::{Direction, Mode, Request, SetOptions};
use std::time::SystemTime;

/// What is sent for one key.
pub(super) struct Command {
    pub(super) key: Vec<u8>,
    pub(super) kind: Result<Kind>,
    pub(super) operation: &'static str,
}

pub(super) enum Kind {
    Get {
        cas: bool,
    },
    GetAndTouch {
        expiry: Expiry,
    },
    Store {
        mode: Mode,
        item: Item,
        expiry: Expiry,
        /// Whether the reply is to give the cas id.
        return_cas: bool,
    },
    Delete {
        cas: Option<u64>,
    },
    Touch {
        expiry: Expiry,
    },
    Count {
        direction: Direction,
        delta: u64,
    },
}

impl Command {
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
                cas: true,
            },
            Kind::Store {
                mode,
                item,
                expiry,
                return_cas,
            } => {
                let item = client.shared.checked(item.into())?;
                let exptime = expiry.to_wire(now)?;
                match return_cas {
                    false => Request::Store {
                        mode: *mode,
                        key,
                        item,
                        exptime,
                    },
                    true => Request::MetaSet {
                        key,
                        item,
                        exptime,
                        options: SetOptions {
                            mode: *mode,
                            cas: None,
                            invalidate: false,
                            return_cas: true,
                            more: None,
                        },
                    },
                }
            }
            Kind::Delete { cas } => Request::Delete { key, cas: *cas },
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
