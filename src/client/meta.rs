use super::Client;
use super::call;
use super::command::{Ask, Call, does_not_know, wire};
use super::single::DeleteOutcome;
use crate::error::{Error, Kind, Result};
use crate::expiry::Expiry;
use crate::item::ItemRef;
use crate::meta_options::{
    MetaArithmetic, MetaArithmeticOutcome, MetaCounter, MetaDelete, MetaGet, MetaItem, MetaSet,
    MetaSetOutcome, Ttl, Wanted,
};
use crate::protocol::{Hit, Line, More, Reply, SetReply, Status};
use crate::value::Body;
use std::time::Duration;

/// # Meta commands
///
/// What memcached's meta protocol can do besides: how long an item has left, one winner among those
/// who miss at the same time, old values that are served while the new one is on its way. Values are
/// raw bytes here, without a transcoder.
///
/// They need [`Protocol::Meta`](crate::Protocol::Meta), or
/// [`Protocol::Auto`](crate::Protocol::Auto) and a server that has it, memcached 1.6.18 or later:
/// otherwise the error is [unsupported](Error::is_unsupported), and nothing is sent.
impl Client {
    /// Asks about `key`, and for its value where [`MetaGet::value`] says so; `None` if the key is not
    /// there.
    ///
    /// It is repeated once on a fresh connection if a pooled one was closed before a reply came, unless
    /// it asks for [`MetaGet::vivify`] or [`MetaGet::recache`], or for [`MetaGet::hit_before`] or
    /// [`MetaGet::last_access`] without [`MetaGet::no_bump`]. The win of a stale item may be lost then: the
    /// server gave it to the first try, and the second finds [`MetaItem::already_won`]. Nobody computes
    /// the new value until the stale item expires; one that is marked with
    /// [`MetaDelete::invalidate_until`] does so soon.
    ///
    /// One computes a value that is missing, the others wait for it:
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # fn compute() -> Vec<u8> { Vec::new() }
    /// use moecache::{Client, ItemRef, MetaGet, Protocol};
    /// use std::time::Duration;
    ///
    /// let client = Client::builder().servers(&server).protocol(Protocol::Meta).build()?;
    /// // The winner has 30 seconds.
    /// let ask = MetaGet::new().value().vivify(Duration::from_secs(30));
    /// loop {
    ///     match client.meta_get("report", ask)? {
    ///         Some(item) if item.won => {
    ///             client.set("report", ItemRef::new(0, &compute()), Duration::from_secs(3600))?;
    ///         }
    ///         Some(item) if item.already_won => std::thread::sleep(Duration::from_millis(50)),
    ///         Some(item) => break println!("{:?}", item.value),
    ///         None => {}
    ///     }
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A validation error if an expiry cannot be sent. With [`MetaGet::vivify`] or
    /// [`MetaGet::recache`] it is never repeated, since nobody would know who won: if the connection is
    /// lost underway, the error is [ambiguous](Error::is_ambiguous).
    pub fn meta_get(&self, key: impl AsRef<[u8]>, get: MetaGet) -> Result<Option<MetaItem>> {
        self.run(key.as_ref(), &meta_get(get))
    }

    /// Stores flags and data as they are, as [`MetaSet`] says.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// use moecache::{Client, MetaMode, MetaSet, MetaSetOutcome, Protocol};
    ///
    /// let client = Client::builder().servers(&server).protocol(Protocol::Meta).build()?;
    /// let add = MetaSet::new().mode(MetaMode::Add).return_cas();
    /// match client.meta_set("lock", (0, "mine"), 10, add)? {
    ///     MetaSetOutcome::Stored { cas } => println!("locked: {cas:?}"),
    ///     _ => println!("somebody else has it"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`set`](Self::set); a validation error if the cas id is 0. With a condition
    /// it is never repeated: if the connection is lost underway, the error is
    /// [ambiguous](Error::is_ambiguous).
    pub fn meta_set<'a>(
        &self,
        key: impl AsRef<[u8]>,
        item: impl Into<ItemRef<'a>>,
        expiry: impl Into<Expiry>,
        set: MetaSet,
    ) -> Result<MetaSetOutcome> {
        let item = item.into();
        let body = Body::borrowed(item.flags, item.data);
        self.run(key.as_ref(), &meta_set(body, expiry.into(), set))
    }

    /// Removes `key`, or marks it as stale, as [`MetaDelete`] says.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// use moecache::{Client, ItemRef, MetaDelete, MetaGet, Protocol};
    ///
    /// let client = Client::builder().servers(&server).protocol(Protocol::Meta).build()?;
    /// client.set("report", ItemRef::new(0, "old"), 3600)?;
    /// // It is good enough for half a minute, until somebody has made a new one.
    /// client.meta_delete("report", MetaDelete::new().invalidate_until(30))?;
    /// let item = client.meta_get("report", MetaGet::new().value())?.unwrap();
    /// assert!(item.stale && item.won); // It is for this client to do it.
    /// assert_eq!(item.value.as_deref(), Some(&b"old"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A validation error if an expiry cannot be sent; a server error if the server is too old for
    /// [`MetaDelete::tombstone`].
    pub fn meta_delete(&self, key: impl AsRef<[u8]>, delete: MetaDelete) -> Result<DeleteOutcome> {
        self.run(key.as_ref(), &meta_delete(delete))
    }

    /// Counts, as [`MetaArithmetic`] says.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// use moecache::{Client, MetaArithmetic, MetaArithmeticOutcome, Protocol};
    ///
    /// let client = Client::builder().servers(&server).protocol(Protocol::Meta).build()?;
    /// // At most 100 a minute.
    /// let one_more = MetaArithmetic::up(1).initial(1, 60).return_ttl();
    /// match client.meta_arithmetic("requests", one_more)? {
    ///     MetaArithmeticOutcome::Counted(counter) if counter.count > 100 => {
    ///         println!("wait: {:?}", counter.ttl);
    ///     }
    ///     _ => println!("go on"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A server error if the item is not a counter; a validation error if an expiry cannot be sent, or
    /// the cas id is 0. It is never repeated: if the connection is lost underway, the error is
    /// [ambiguous](Error::is_ambiguous).
    pub fn meta_arithmetic(
        &self,
        key: impl AsRef<[u8]>,
        arithmetic: MetaArithmetic,
    ) -> Result<MetaArithmeticOutcome> {
        self.run(key.as_ref(), &meta_arithmetic(arithmetic))
    }
}

pub(super) fn meta_get(get: MetaGet) -> Call<'static, Option<MetaItem>> {
    let more = More {
        new_cas: get.new_cas,
        flags: get.flags,
        ..More::default()
    };
    let ask = Ask::MetaGet(Box::new((get, more)));
    Call::new("meta_get", ask, |_, ask, reply| {
        let (lines, reply) = reply.split();
        match (ask, reply) {
            (Ask::MetaGet(of), Reply::Hit(hit)) => found(&of.0, hit, &lines).map(Some),
            (_, reply) => call::item(reply).map(|_| None),
        }
    })
}

pub(super) fn meta_set(body: Body<'_>, expiry: Expiry, set: MetaSet) -> Call<'_, MetaSetOutcome> {
    let ask = match set.vivify.map(wire).transpose() {
        Ok(vivify) => {
            let more = More {
                new_cas: set.new_cas,
                vivify,
                return_size: set.return_size,
                flags: set.flags,
            };
            let set = Box::new((set, more));
            Ask::MetaSet { body, expiry, set }
        }
        Err(error) => Ask::Refused(error),
    };
    Call::new("meta_set", ask, |_, ask, reply| match reply {
        Reply::Status(Status::Stored) => Ok(MetaSetOutcome::Stored { cas: None }),
        Reply::Cas(id) => Ok(MetaSetOutcome::Stored { cas: Some(id) }),
        Reply::Status(Status::NotStored) => Ok(MetaSetOutcome::NotStored),
        Reply::Status(Status::Exists) => Ok(MetaSetOutcome::Changed),
        Reply::Status(Status::NotFound) => Ok(MetaSetOutcome::Missing),
        Reply::Set(reply) => match ask {
            Ask::MetaSet { set, .. } => sized(&set.0, reply),
            _ => Err(call::unexpected(Reply::Set(reply))),
        },
        reply => Err(call::unexpected(reply)),
    })
}

pub(super) fn meta_delete(delete: MetaDelete) -> Call<'static, DeleteOutcome> {
    let more = More {
        new_cas: delete.new_cas,
        flags: delete.flags,
        ..More::default()
    };
    let ask = Ask::MetaDelete(Box::new((delete, more)));
    Call::new("meta_delete", ask, |_, _, reply| DeleteOutcome::of(reply))
}

pub(super) fn meta_arithmetic(arithmetic: MetaArithmetic) -> Call<'static, MetaArithmeticOutcome> {
    let more = More {
        new_cas: arithmetic.new_cas,
        flags: arithmetic.flags,
        ..More::default()
    };
    let ask = Ask::MetaArithmetic(Box::new((arithmetic, more)));
    Call::new("meta_arithmetic", ask, |_, ask, reply| match reply {
        Reply::Counter(counter) => {
            let asks = matches!(ask, Ask::MetaArithmetic(of) if of.0.wanted.has(b't'));
            let left = asks.then(|| ttl(counter.ttl));
            let counter = MetaCounter::new(counter.number, counter.cas, left);
            Ok(MetaArithmeticOutcome::Counted(counter))
        }
        Reply::Status(Status::Exists) => Ok(MetaArithmeticOutcome::Changed),
        Reply::Status(Status::NotFound) => Ok(MetaArithmeticOutcome::Missing),
        reply => Err(call::unexpected(reply)),
    })
}

/// An item that was found, with the lines about it.
fn found(get: &MetaGet, hit: Hit<'_>, lines: &[Line<'_>]) -> Result<MetaItem> {
    let (wanted, unless_cas) = (get.wanted, get.unless_cas);
    let is_left_out = hit.details.is_left_out;
    let unchanged = unless_cas.is_some() && hit.cas == unless_cas;
    if unchanged && wanted.has(b'v') && !is_left_out {
        let reason = format!(
            "{}; the item is unchanged, and its value was sent",
            does_not_know("C (unless_cas)", "1.6.40")
        );
        return Err(Error::new(Kind::Server, reason));
    }
    let item = item(wanted, hit);
    Ok(MetaItem {
        value: item.value.filter(|_| !is_left_out),
        unchanged,
        raw: others(lines),
        ..item
    })
}

/// The words of the line about an item that no field stands for.
fn others(lines: &[Line<'_>]) -> Vec<String> {
    let lines = lines.iter().filter_map(|line| match line {
        Line::Item(line) => Some(line),
        Line::Stat { .. } => None,
    });
    let words = lines.flat_map(|line| line.split(|&byte| byte == b' ').skip(1));
    let words = words.filter(|word| !matches!(word.first(), None | Some(b'0'..=b'9')));
    let words = words.filter(|word| !b"fcthlsOWXZ".contains(&word[0]));
    words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// What came of a set that asks for the size.
fn sized(set: &MetaSet, reply: SetReply) -> Result<MetaSetOutcome> {
    let SetReply { status, cas, size } = reply;
    let fault = |flag, what| {
        let reason = format!("{}; {what}", does_not_know(flag, "1.6.20"));
        Err(Error::new(Kind::Server, reason))
    };
    let size = size.map(|size| usize::try_from(size).unwrap_or(usize::MAX));
    match (status, size) {
        (Status::Stored, Some(size)) if set.return_size => {
            Ok(MetaSetOutcome::StoredWithSize { size, cas })
        }
        (Status::Stored, None) if set.return_size => fault(
            "s (return_size)",
            "the value is stored, and its size not known",
        ),
        (Status::Stored, _) => Ok(MetaSetOutcome::Stored { cas }),
        // It looked for something to append to, and would have said the size otherwise.
        (Status::NotStored, None) if set.vivify.is_some() => {
            fault("N (vivify) on ms", "nothing is stored")
        }
        (Status::Exists, _) => Ok(MetaSetOutcome::Changed),
        (Status::NotFound, _) => Ok(MetaSetOutcome::Missing),
        _ => Ok(MetaSetOutcome::NotStored),
    }
}

fn ttl(seconds: Option<u32>) -> Ttl {
    match seconds {
        Some(seconds) => Ttl::After(Duration::from_secs(seconds.into())),
        None => Ttl::Never,
    }
}

/// What was `wanted` of what the server says.
fn item(wanted: Wanted, hit: Hit<'_>) -> MetaItem {
    let details = hit.details;
    let last_access = Duration::from_secs(details.last_access.into());
    let size = usize::try_from(details.size).ok();
    MetaItem {
        value: wanted.has(b'v').then(|| hit.data.into_owned()),
        flags: wanted.has(b'f').then_some(hit.flags),
        cas: hit.cas,
        ttl: wanted.has(b't').then(|| ttl(details.ttl)),
        hit_before: details.hit_before,
        last_access: wanted.has(b'l').then_some(last_access),
        size: size.filter(|_| wanted.has(b's')),
        won: details.won,
        stale: details.stale,
        already_won: details.already_won,
        unchanged: false,
        raw: Vec::new(),
    }
}
