//! Who makes an entry, among all processes: one.
//!
//! While an entry is made, a placeholder stands in its place, or the old entry if that may still be
//! used; what was made replaces it by its cas id. So whatever removes the entry meanwhile, or stores
//! another, wins over what was made before it knew.
//!
//! In the meta protocol the server names the winner: of a missing entry by `N`, of one that is to be
//! made anew by `R`. The marks of `md .. I` are not used, because any `mg` takes the win of an item so
//! marked. In the others it is who adds the placeholder, or an item beside the old entry.

use super::Cache;
use super::entry::Target;
use super::envelope::{self, Envelope, FLAGS};
use super::generation::reached;
use super::key;
use super::look::{Generations, State, milliseconds, on_the_server};
use crate::client::CasOutcome;
use crate::error::Result;
use crate::expiry::Expiry;
use crate::item::Item;
use crate::meta::{MetaGet, MetaMode, MetaSet, MetaSetOutcome};
use std::time::{Duration, SystemTime};

/// A time in January 1970: what is stored with it is gone at once, so that it removes an item if it has
/// a certain cas id, in every protocol.
const AT_ONCE: Expiry = Expiry::Exptime(60 * 60 * 24 * 30 + 1);

/// The largest window that `R` takes.
const MONTH: Duration = Duration::from_secs(60 * 60 * 24 * 30);

/// What came of asking who makes the entry.
#[derive(Debug)]
pub(super) enum Claim<'c> {
    /// This call does.
    Won(Held<'c>),
    /// Nobody: it is there.
    There(Item),
    /// Another, and this is good enough meanwhile.
    Old(Item),
    /// Another.
    Lost,
    /// There is something that was made since the last look.
    LookAgain,
    /// The server fails.
    Unreachable,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wish<'a> {
    /// To make what is not there, or what is, but was rejected.
    Make { rejected: Option<&'a Envelope> },
    /// To make anew what may still be used.
    Renew { old: &'a Envelope },
}

/// The entry as it is when it is asked who makes it.
struct Present {
    item: Item,
    cas: u64,
    winner: Winner,
}

/// Whom the server names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Winner {
    This,
    Another,
    /// The protocol knows no such thing.
    Unnamed,
}

impl Cache {
    /// Asks who makes the entry.
    pub(super) fn claim(
        &self,
        target: &Target,
        generations: &mut Generations,
        wish: Wish<'_>,
    ) -> Result<Claim<'_>> {
        let mut claim = || self.try_to_claim(target, generations, wish);
        Ok(reached(claim())?.unwrap_or(Claim::Unreachable))
    }

    fn try_to_claim(
        &self,
        target: &Target,
        generations: &mut Generations,
        wish: Wish<'_>,
    ) -> Result<Claim<'_>> {
        let Some(present) = self.ask(target, wish)? else {
            let placed = self.place(target, None)?;
            return Ok(placed.map_or(Claim::Lost, |cas| {
                Claim::Won(Held::new(self, target, cas, Instead::Placeholder))
            }));
        };
        let Present { item, cas, winner } = present;
        if envelope::is_placeholder(&item.data) {
            return Ok(if winner == Winner::This {
                Claim::Won(Held::new(self, target, cas, Instead::Placeholder))
            } else {
                Claim::Lost
            });
        }
        let is_rejected = |envelope: &Envelope| match wish {
            Wish::Make { rejected } => rejected == Some(envelope),
            Wish::Renew { .. } => false,
        };
        let opened = Envelope::open(item);
        let Some((envelope, value)) = opened.filter(|(envelope, _)| !is_rejected(envelope)) else {
            let placed = self.place(target, Some(cas))?;
            return Ok(placed.map_or(Claim::LookAgain, |cas| {
                Claim::Won(Held::new(self, target, cas, Instead::Placeholder))
            }));
        };
        let state = self.judge(&envelope, target, generations)?;
        let old = Instead::Old {
            envelope,
            value: value.clone(),
        };
        let held = match winner {
            Winner::This => Some(Held::new(self, target, cas, old)),
            Winner::Another => None,
            Winner::Unnamed if state.is_to_be_renewed() => self.lock(target, cas, old)?,
            Winner::Unnamed => None,
        };
        // A win that is not made use of is given back, by dropping it: another made it anew since the
        // last look, and the server counts seconds only.
        Ok(match state {
            State::Fresh => Claim::There(value),
            State::Ageing | State::Stale => held.map_or(Claim::Old(value), Claim::Won),
            State::Invalid => Claim::LookAgain,
            State::Unknown => Claim::Unreachable,
        })
    }

    /// What there is. In meta a missing entry is made an empty one, and won.
    fn ask(&self, target: &Target, wish: Wish<'_>) -> Result<Option<Present>> {
        let settings = target.settings;
        let mut ask = MetaGet::new()
            .value()
            .flags()
            .cas()
            .vivify(on_the_server(settings.lease));
        if let Wish::Renew { old } = wish {
            let stale = old.stale_until.saturating_sub(old.fresh_until);
            let window = settings.early.saturating_add(Duration::from_millis(stale));
            // As many as the server keeps it longer at most, and one, for it counts whole seconds.
            let window = window.saturating_add(Duration::from_secs(3));
            ask = ask.recache(window.min(MONTH));
        }
        match self.client.meta_get(&target.key, ask) {
            Ok(found) => Ok(found.map(|found| Present {
                winner: if found.won {
                    Winner::This
                } else {
                    Winner::Another
                },
                cas: found.cas.unwrap_or_default(),
                item: Item::new(
                    found.flags.unwrap_or_default(),
                    found.value.unwrap_or_default(),
                ),
            })),
            Err(error) if error.is_unsupported() => {
                let found = self.client.gets_item(&target.key)?;
                Ok(found.map(|item| Present {
                    winner: Winner::Unnamed,
                    cas: item.cas.unwrap_or_default(),
                    item,
                }))
            }
            Err(error) => Err(error),
        }
    }

    /// Puts a placeholder where nothing is, or in place of what has the cas id `over`. `None` if
    /// another was faster; otherwise its own cas id.
    fn place(&self, target: &Target, over: Option<u64>) -> Result<Option<u64>> {
        let (client, key) = (&self.client, &target.key);
        let (data, lease) = (
            envelope::placeholder(),
            on_the_server(target.settings.lease),
        );
        let set = MetaSet::new().return_cas();
        let set = match over {
            Some(cas) => set.cas(cas),
            None => set.mode(MetaMode::Add),
        };
        match client.meta_set(key, (0, &data), lease, set) {
            Ok(MetaSetOutcome::Stored { cas }) => return Ok(cas),
            Ok(_) => return Ok(None),
            Err(error) if error.is_unsupported() => {}
            Err(error) => return Err(error),
        }
        let is_placed = match over {
            Some(cas) => {
                let outcome = client.compare_and_swap_item(key, (0, &data), lease, cas)?;
                outcome == CasOutcome::Stored
            }
            None => client.add_item(key, (0, &data), lease)?,
        };
        let placed = if is_placed {
            client.gets_item(key)?
        } else {
            None
        };
        let placed = placed.filter(|item| item.data == data);
        Ok(placed.and_then(|item| item.cas))
    }

    /// Where the server names no winner: it is who adds an item beside the entry, if that still has its
    /// cas id then.
    fn lock(&self, target: &Target, cas: u64, old: Instead) -> Result<Option<Held<'_>>> {
        let lock = key::of_lock(&target.key);
        if !self
            .client
            .add_item(&lock, (0, ""), on_the_server(target.settings.lease))?
        {
            return Ok(None);
        }
        let mut held = Held::new(self, target, cas, old);
        held.lock = Some(lock);
        let now = self.client.gets_item(&target.key)?;
        Ok(now.filter(|item| item.cas == Some(cas)).map(|_| held))
    }

    /// Takes what there is, or a placeholder, as that which is to be replaced, whoever else does.
    pub(super) fn hold(&self, target: &Target) -> Result<Option<Held<'_>>> {
        let hold = || {
            if let Some(cas) = self.client.gets_item(&target.key)?.and_then(|it| it.cas) {
                return Ok(Some(Held::new(self, target, cas, Instead::Nothing)));
            }
            let placed = self.place(target, None)?;
            Ok(placed.map(|cas| Held::new(self, target, cas, Instead::Placeholder)))
        };
        Ok(reached(hold())?.flatten())
    }
}

/// The right to put an entry in place of what is there. Whoever drops it without, gives it up, so that
/// another gets it at once.
#[derive(Debug)]
pub(super) struct Held<'c> {
    cache: &'c Cache,
    key: Vec<u8>,
    cas: u64,
    instead: Option<Instead>,
    lock: Option<Vec<u8>>,
}

/// What is there meanwhile.
#[derive(Debug)]
enum Instead {
    /// Made to hold the place.
    Placeholder,
    /// What may be used until it is made anew.
    Old { envelope: Envelope, value: Item },
    /// What is not this call's.
    Nothing,
}

/// What became of an entry that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Stored,
    /// What was to be replaced is not there any more: it was invalidated, or another stored.
    Overtaken,
    /// The server fails, or would not have it.
    Unreachable,
}

impl<'c> Held<'c> {
    fn new(cache: &'c Cache, target: &Target, cas: u64, instead: Instead) -> Self {
        Self {
            cache,
            key: target.key.clone(),
            cas,
            instead: Some(instead),
            lock: None,
        }
    }

    /// Puts the entry there, which counts for so long.
    pub(super) fn store(mut self, data: &[u8], kept: Duration) -> Result<Kept> {
        let client = &self.cache.client;
        let stored =
            client.compare_and_swap_item(&self.key, (FLAGS, data), on_the_server(kept), self.cas);
        let outcome = reached(stored)?;
        if outcome.is_some() {
            self.instead = None;
        }
        Ok(match outcome {
            Some(CasOutcome::Stored) => Kept::Stored,
            Some(_) => Kept::Overtaken,
            None => Kept::Unreachable,
        })
    }

    /// Lets another make it.
    fn give_up(&mut self) -> Result<()> {
        let (client, key, cas) = (&self.cache.client, &self.key, self.cas);
        match self.instead.take() {
            Some(Instead::Placeholder) => {
                let _ = client.compare_and_swap_item(key, (0, ""), AT_ONCE, cas)?;
            }
            // The same once more, so that the server names another winner.
            Some(Instead::Old { envelope, value }) if self.lock.is_none() => {
                let now = milliseconds(SystemTime::now());
                let left = Duration::from_millis(envelope.stale_until.saturating_sub(now));
                let left = on_the_server(left);
                let data = envelope.seal(&value)?;
                let _ = client.compare_and_swap_item(key, (FLAGS, &data), left, cas)?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // What cannot be given up ends with its lease.
        let _ = self.give_up();
        if let Some(lock) = &self.lock {
            let _ = self.cache.client.delete(lock);
        }
    }
}
