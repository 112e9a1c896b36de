//! Single flight among processes: who makes an entry, and who may store it.
//!
//! While an entry is made, a placeholder is in its place, or the old entry if that may still be used,
//! with a lock beside it. What was made replaces that, and nothing else: it is told by its random id, and
//! then replaced by its cas id. So whatever removes the entry meanwhile, or stores another, wins over
//! what was made before. A cas id alone would not do, because memcached begins to count them anew when it
//! is restarted.
//!
//! It is the same in all protocols, and needs no more than `add`, `gets` and `cas`. The meta protocol
//! could name who makes a missing entry (`N`) and who makes it anew (`R`); but what it makes to hold the
//! place has no id, and `R` takes no more than 30 days.

use super::Cache;
use super::envelope::{FLAGS, Placeholder, id_of};
use super::generation::{Token, accepted, reached};
use super::key;
use super::target::{Target, on_the_server};
use crate::client::CasOutcome;
use crate::error::Result;
use crate::expiry::Expiry;
use crate::item::{Item, ItemRef};

/// A time in January 1970: what is stored with it is gone at once, so that it removes an item if it has
/// a certain cas id, in every protocol.
const AT_ONCE: Expiry = Expiry::Exptime(60 * 60 * 24 * 30 + 1);

/// How often what is in the place of an entry is asked for, while others change it.
const MAX_TRIES: usize = 10;

/// What came of asking who makes the entry.
#[derive(Debug)]
pub(super) enum Claim<'c> {
    /// This call does.
    Won(Held<'c>),
    /// Another, or there is something that was not there at the last look.
    Lost,
    /// The server fails, or stores nothing.
    Unreachable,
}

impl Cache {
    /// Claims to make the entry, in place of what has this id and does not count; or of nothing.
    pub(super) fn claim(&self, target: &Target, rejected: Option<Token>) -> Result<Claim<'_>> {
        let placeholder = Placeholder::new();
        let placed = match rejected {
            None => self.add(target, placeholder),
            Some(id) => self.put(target, placeholder, |item| id_of(item) == id),
        };
        self.claimed(target, placeholder, placed)
    }

    /// Claims to make the entry in place of one who takes too long. Whichever of them is done first may
    /// store it.
    pub(super) fn take_over(&self, target: &Target, late: Placeholder) -> Result<Claim<'_>> {
        let placeholder = late.taken_over();
        let placed = self.put(target, placeholder, |item| {
            Placeholder::open(item) == Some(late)
        });
        self.claimed(target, placeholder, placed)
    }

    fn claimed(
        &self,
        target: &Target,
        placeholder: Placeholder,
        placed: Result<bool>,
    ) -> Result<Claim<'_>> {
        Ok(match accepted(placed)? {
            Some(true) => Claim::Won(self.held(target, placeholder)),
            Some(false) => Claim::Lost,
            None => Claim::Unreachable,
        })
    }

    /// Claims to make anew the entry with this id, which is served meanwhile.
    pub(super) fn renew(&self, target: &Target, old: Option<Token>) -> Result<Claim<'_>> {
        let Some(id) = old else {
            return Ok(Claim::Lost);
        };
        let client = &self.client;
        let lock = key::of_lock(&target.key);
        let lease = on_the_server(target.settings.lease);
        let mut held = Held::new(self, target, id);
        // If the lock's server fails, one thread of each process makes it anew.
        if let Some(is_added) = accepted(client.add(&lock, ItemRef::new(0, ""), lease))? {
            if !is_added {
                return Ok(Claim::Lost);
            }
            held.lock = Some(lock);
        }
        // Somebody may have made it anew since it was looked at.
        let now = accepted(client.gets_item(&target.key))?;
        Ok(match now {
            None => Claim::Unreachable,
            Some(item) if item.as_ref().map(id_of) == Some(id) => Claim::Won(held),
            Some(_) => Claim::Lost,
        })
    }

    /// The right to store the entry in place of what has this id, or of nothing, whoever else has it.
    /// `None` if the server fails.
    pub(super) fn hold(&self, target: &Target, mut id: Option<Token>) -> Result<Option<Held<'_>>> {
        for _ in 0..MAX_TRIES {
            if let Some(id) = id {
                return Ok(Some(Held::new(self, target, id)));
            }
            let placeholder = Placeholder::new();
            match accepted(self.add(target, placeholder))? {
                Some(true) => return Ok(Some(self.held(target, placeholder))),
                Some(false) => {}
                None => return Ok(None),
            }
            let there = accepted(self.client.gets_item(&target.key))?;
            id = there.flatten().as_ref().map(id_of);
        }
        Ok(None)
    }

    /// Stores the entry in place of whatever is there. It is not sent as a `set`: one that times out may
    /// be done later by a server that is slow, also after an invalidation that was sent after it.
    pub(super) fn replace(
        &self,
        target: &Target,
        data: &[u8],
        mut there: Option<Item>,
    ) -> Result<()> {
        let (client, key) = (&self.client, &target.key);
        for _ in 0..MAX_TRIES {
            if let Some(cas) = there.and_then(|item| item.cas) {
                let expiry = on_the_server(target.settings.kept());
                let outcome =
                    client.compare_and_swap(key, ItemRef::new(FLAGS, data), expiry, cas)?;
                if outcome == CasOutcome::Stored {
                    return Ok(());
                }
            } else {
                self.add(target, Placeholder::new())?;
            }
            there = client.gets_item(key)?;
        }
        // Others store it all the time: one of them was just after this.
        Ok(())
    }

    /// Puts a placeholder where nothing is.
    fn add(&self, target: &Target, placeholder: Placeholder) -> Result<bool> {
        let lease = on_the_server(target.settings.lease);
        let data = placeholder.data();
        self.client.add(&target.key, ItemRef::new(0, &data), lease)
    }

    /// Puts a placeholder in place of what is there, if that is what is expected.
    fn put(
        &self,
        target: &Target,
        placeholder: Placeholder,
        is_expected: impl FnOnce(&Item) -> bool,
    ) -> Result<bool> {
        let (client, key) = (&self.client, &target.key);
        let there = client.gets_item(key)?.filter(is_expected);
        let Some(cas) = there.and_then(|item| item.cas) else {
            return Ok(false);
        };
        let (data, lease) = (placeholder.data(), on_the_server(target.settings.lease));
        let outcome = client.compare_and_swap(key, ItemRef::new(0, &data), lease, cas)?;
        Ok(outcome == CasOutcome::Stored)
    }

    fn held(&self, target: &Target, placeholder: Placeholder) -> Held<'_> {
        let mut held = Held::new(self, target, placeholder.id);
        held.placeholder = Some(placeholder);
        held
    }
}

/// The right to put an entry in place of what is there. Whoever drops it without, gives it up, so that
/// another gets it at once.
#[derive(Debug)]
pub(super) struct Held<'c> {
    cache: &'c Cache,
    key: Vec<u8>,
    /// What is to be replaced.
    id: Token,
    /// Made by this call to hold the place.
    placeholder: Option<Placeholder>,
    lock: Option<Vec<u8>>,
}

/// What became of an entry that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Stored,
    /// What was to be replaced is not there any more: it was invalidated, or another stored.
    Overtaken,
    /// The server fails.
    Unreachable,
}

impl<'c> Held<'c> {
    fn new(cache: &'c Cache, target: &Target, id: Token) -> Self {
        Self {
            cache,
            key: target.key.clone(),
            id,
            placeholder: None,
            lock: None,
        }
    }

    /// Who makes the entry, as others see it.
    pub(super) fn maker(&self) -> Option<Token> {
        self.placeholder.map(|it| it.maker)
    }

    /// Puts the entry there.
    pub(super) fn store(mut self, data: &[u8], expiry: Expiry) -> Result<Kept> {
        let client = &self.cache.client;
        let Some(there) = reached(client.gets_item(&self.key))? else {
            return Ok(Kept::Unreachable);
        };
        let there = there.filter(|item| id_of(item) == self.id);
        let Some(cas) = there.and_then(|item| item.cas) else {
            self.placeholder = None;
            return Ok(Kept::Overtaken);
        };
        // The id was just seen with this cas id: for another to have that, the server would have to be
        // restarted before the next command comes.
        let stored = client.compare_and_swap(&self.key, ItemRef::new(FLAGS, data), expiry, cas);
        let outcome = reached(stored)?;
        if outcome.is_some() {
            self.placeholder = None;
        }
        Ok(match outcome {
            Some(CasOutcome::Stored) => Kept::Stored,
            Some(_) => Kept::Overtaken,
            None => Kept::Unreachable,
        })
    }

    /// Lets another make it, unless another does already.
    fn give_up(&mut self) -> Result<()> {
        let (client, key) = (&self.cache.client, &self.key);
        let Some(placeholder) = self.placeholder.take() else {
            return Ok(());
        };
        let there = client.gets_item(key)?;
        let own = there.filter(|item| Placeholder::open(item) == Some(placeholder));
        if let Some(cas) = own.and_then(|item| item.cas) {
            let _ = client.compare_and_swap(key, ItemRef::new(0, ""), AT_ONCE, cas)?;
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
