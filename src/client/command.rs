//! Commands for one key: what each asks for, and what its reply means. A call runs one, a pipeline many.

use super::{Client, Values};
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use crate::item::ItemRef;
use crate::key::{Key, Scratch};
use crate::meta_options::{MetaArithmetic, MetaDelete, MetaGet, MetaMode, MetaSet};
use crate::protocol::{
    ArithmeticOptions, DeleteOptions, Direction, GetOptions, Initial, Mode, More, Reply, Request,
    SetOptions,
};
use crate::value::Body;
use std::time::SystemTime;

/// A command, and what its reply means.
pub(super) struct Call<'v, T> {
    pub(super) command: Command<'v>,
    pub(super) meaning: Meaning<T>,
}

pub(super) type Meaning<T> = fn(&Values, &Ask<'_>, Reply<'static>) -> Result<T>;

/// A command without its key.
pub(super) struct Command<'v> {
    operation: &'static str,
    pub(super) ask: Ask<'v>,
}

pub(super) enum Ask<'v> {
    Get {
        cas: bool,
    },
    GetAndTouch {
        expiry: Expiry,
    },
    Store {
        mode: Mode,
        body: Result<Body<'v>>,
        expiry: Expiry,
    },
    SetReturningCas {
        body: Result<Body<'v>>,
        expiry: Expiry,
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
        initial: Option<(u64, Expiry)>,
    },
    MetaGet(Box<(MetaGet, More)>),
    MetaSet {
        body: Body<'v>,
        expiry: Expiry,
        set: Box<(MetaSet, More)>,
    },
    MetaDelete(Box<(MetaDelete, More)>),
    MetaArithmetic(Box<(MetaArithmetic, More)>),
    Refused(Error),
}

impl<'v, T> Call<'v, T> {
    #[inline]
    pub(super) fn new(operation: &'static str, ask: Ask<'v>, meaning: Meaning<T>) -> Self {
        let command = Command { operation, ask };
        Self { command, meaning }
    }
}

impl Client {
    #[inline]
    pub(super) fn run<T>(&self, key: &[u8], call: &Call<'_, T>) -> Result<T> {
        self.run_into(&mut Vec::new(), key, call)
    }

    /// The same with a buffer for a value, as [`exchange_into`](Self::exchange_into) takes it.
    #[inline]
    pub(super) fn run_into<T>(
        &self,
        buffer: &mut Vec<u8>,
        key: &[u8],
        call: &Call<'_, T>,
    ) -> Result<T> {
        let mut run = || {
            let mut scratch = Scratch::default();
            let key = self.key(key, &mut scratch)?;
            let request = call.command.request(self, key)?;
            self.exchange_into(buffer, key, &request, self.deadline(), |reply| {
                (call.meaning)(&self.values, &call.command.ask, reply)
            })
        };
        run().map_err(|error| call.command.explain(error))
    }
}

impl Command<'_> {
    /// The request for this key.
    #[inline]
    pub(super) fn request<'k>(&'k self, client: &Client, key: Key<'k>) -> Result<Request<'k>> {
        Ok(match &self.ask {
            Ask::Get { cas } => Request::Get { key, cas: *cas },
            Ask::GetAndTouch { expiry } => Request::GetAndTouch {
                key,
                exptime: wire(*expiry)?,
                cas: true,
            },
            Ask::Store { mode, body, expiry } => Request::Store {
                mode: *mode,
                key,
                exptime: wire(*expiry)?,
                item: client
                    .shared
                    .checked(body.as_ref().map_err(Error::clone)?.as_item())?,
            },
            Ask::SetReturningCas { body, expiry } => Request::MetaSet {
                key,
                item: client
                    .shared
                    .checked(body.as_ref().map_err(Error::clone)?.as_item())?,
                exptime: wire(*expiry)?,
                options: SetOptions {
                    mode: Mode::Set,
                    cas: None,
                    invalidate: false,
                    return_cas: true,
                    more: None,
                },
            },
            Ask::Delete { cas } => Request::Delete { key, cas: *cas },
            Ask::Touch { expiry } => Request::Touch {
                key,
                exptime: wire(*expiry)?,
            },
            Ask::Count {
                direction,
                delta,
                initial,
            } => Request::Arithmetic {
                direction: *direction,
                key,
                delta: *delta,
                initial: made_from(*initial)?,
            },
            Ask::MetaGet(of) => meta_get(key, &of.0, &of.1)?,
            Ask::MetaSet { body, expiry, set } => {
                let item = client.shared.checked(body.as_item())?;
                meta_set(key, item, *expiry, &set.0, &set.1)?
            }
            Ask::MetaDelete(of) => meta_delete(key, &of.0, &of.1)?,
            Ask::MetaArithmetic(of) => meta_arithmetic(key, &of.0, &of.1)?,
            Ask::Refused(error) => return Err(error.clone()),
        })
    }

    /// The error of the command: where the server refused a flag, it says which it does not know.
    #[cold]
    pub(super) fn explain(&self, error: Error) -> Error {
        let (more, is_tombstone) = match &self.ask {
            Ask::MetaGet(of) => (&of.1, false),
            Ask::MetaSet { set, .. } => (&set.1, false),
            Ask::MetaDelete(of) => (&of.1, of.0.tombstone),
            Ask::MetaArithmetic(of) => (&of.1, false),
            _ => return error.during(self.operation),
        };
        // "CLIENT_ERROR invalid flag", and from older ones "CLIENT_ERROR invalid or duplicate flag".
        let mut error = error.during(self.operation);
        if !(error.is_server() && error.to_string().contains("flag")) {
            return error;
        }
        if more.new_cas.is_some() {
            error = error.and(&format!("; {}", does_not_know("E (new_cas)", "1.6.27")));
        } else if !more.flags.is_empty() {
            error = error.and("; it may not know a flag that raw_flag added");
        }
        if is_tombstone {
            error = error.and(&format!("; {}", does_not_know("x (tombstone)", "1.6.27")));
        }
        error
    }
}

fn meta_get<'k>(key: Key<'k>, get: &MetaGet, more: &'k More) -> Result<Request<'k>> {
    let options = GetOptions {
        wanted: get.wanted,
        touch: get.touch.map(wire).transpose()?,
        vivify: get.vivify.map(wire).transpose()?,
        recache: get.recache.map(left).transpose()?,
        unless_cas: get.unless_cas,
        more: given(more)?,
    };
    Ok(Request::MetaGet { key, options })
}

fn meta_set<'k>(
    key: Key<'k>,
    item: ItemRef<'k>,
    expiry: Expiry,
    set: &MetaSet,
    more: &'k More,
) -> Result<Request<'k>> {
    check_cas(set.cas)?;
    let is_joined = matches!(set.mode, MetaMode::Append | MetaMode::Prepend);
    if set.vivify.is_some() && !is_joined {
        return Err(Error::validation(
            "vivify: it goes with MetaMode::Append and Prepend alone; the others store anyway",
        ));
    }
    let options = SetOptions {
        mode: mode(set.mode),
        cas: set.cas,
        invalidate: set.invalidate,
        return_cas: set.return_cas,
        more: given(more)?,
    };
    let exptime = wire(expiry)?;
    Ok(Request::MetaSet {
        key,
        item,
        exptime,
        options,
    })
}

fn meta_delete<'k>(key: Key<'k>, delete: &MetaDelete, more: &'k More) -> Result<Request<'k>> {
    let options = DeleteOptions {
        cas: delete.cas,
        invalidate: delete.invalidate,
        exptime: delete.expiry.map(wire).transpose()?,
        tombstone: delete.tombstone,
        more: given(more)?,
    };
    Ok(Request::MetaDelete { key, options })
}

fn meta_arithmetic<'k>(
    key: Key<'k>,
    arithmetic: &MetaArithmetic,
    more: &'k More,
) -> Result<Request<'k>> {
    check_cas(arithmetic.cas)?;
    let options = ArithmeticOptions {
        direction: if arithmetic.down {
            Direction::Down
        } else {
            Direction::Up
        },
        delta: arithmetic.delta,
        initial: made_from(arithmetic.initial)?,
        touch: arithmetic.touch.map(wire).transpose()?,
        cas: arithmetic.cas,
        wanted: arithmetic.wanted,
        more: given(more)?,
    };
    Ok(Request::MetaArithmetic { key, options })
}

/// Why a server refuses a flag, which memcached has from this version on.
pub(super) fn does_not_know(flag: &str, since: &str) -> String {
    format!("the server does not know the flag {flag}: memcached has it from {since} on")
}

/// The expiry as it is sent.
#[inline]
pub(super) fn wire(expiry: Expiry) -> Result<u32> {
    Ok(expiry.to_wire(SystemTime::now())?)
}

/// The time that an item has left, as it is sent. Over 30 days, memcached would take it for a point in time.
fn left(expiry: Expiry) -> Result<u32> {
    const MONTH: u32 = 60 * 60 * 24 * 30;
    let seconds = wire(expiry)?;
    if seconds > MONTH {
        return Err(Error::validation(
            "recache: more than 30 days, or a point in time; up to 30 days are allowed",
        ));
    }
    Ok(seconds)
}

/// The count and the expiry of a counter that is made if it is not there.
fn made_from(initial: Option<(u64, Expiry)>) -> Result<Option<Initial>> {
    let made = |(value, expiry)| {
        Ok(Initial {
            value,
            exptime: wire(expiry)?,
        })
    };
    initial.map(made).transpose()
}

/// The flags that few commands have, if there are any to send.
fn given(more: &More) -> Result<Option<&More>> {
    more.flags.check()?;
    if more.new_cas == Some(0) {
        return Err(Error::validation("new_cas: 0; that no item has"));
    }
    let is_flagged = !more.flags.is_empty() || more.return_size;
    let is_some = more.new_cas.is_some() || more.vivify.is_some() || is_flagged;
    Ok(is_some.then_some(more))
}

/// memcached 1.6.18 takes the cas id 0 for no condition where it counts, appends and prepends.
fn check_cas(cas: Option<u64>) -> Result<()> {
    if cas == Some(0) {
        let reason = "cas: 0; memcached would take it for no condition";
        return Err(Error::validation(reason));
    }
    Ok(())
}

fn mode(mode: MetaMode) -> Mode {
    match mode {
        MetaMode::Set => Mode::Set,
        MetaMode::Add => Mode::Add,
        MetaMode::Replace => Mode::Replace,
        MetaMode::Append => Mode::Append,
        MetaMode::Prepend => Mode::Prepend,
    }
}
