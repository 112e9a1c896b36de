//! What there is of an entry, and whether it counts.

use super::Cache;
use super::envelope::{self, Envelope, Placeholder};
use super::generation::{Scope, Seen, Token, accepted, reached, renew, settle};
use super::target::Target;
use crate::error::Result;
use crate::item::Item;
use std::time::{Duration, SystemTime};

/// What a look at an entry found.
#[derive(Debug)]
pub(super) struct View {
    pub(super) generations: Generations,
    pub(super) found: Found,
    /// Which item is in its place, if there is one; whether or not it counts.
    pub(super) id: Option<Token>,
}

impl View {
    pub(super) fn unreachable() -> Self {
        Self {
            generations: Generations::unreachable(),
            found: Found::Unreachable,
            id: None,
        }
    }
}

#[derive(Debug)]
pub(super) enum Found {
    Value(Item, State),
    /// Nothing that counts.
    Nothing,
    /// Somebody is about to make it.
    Placeholder(Placeholder),
    /// A server fails without which nobody can tell.
    Unreachable,
}

/// Whether an entry counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Fresh,
    /// Fresh, and soon not any more.
    Ageing,
    /// It may be used while another is made.
    Stale,
    Invalid,
    /// The server of a generation fails.
    Unknown,
}

/// The generations that were seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Generations {
    all: Seen,
    namespace: Seen,
    dependencies: Vec<([u8; 16], Seen)>,
}

/// The generations that an entry will carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settled {
    all: Token,
    namespace: Token,
    dependencies: Vec<([u8; 16], Token)>,
}

impl Cache {
    /// Gets the entry with all generations that are known to matter, in one round trip; an entry that
    /// depends on more takes another.
    pub(super) fn look(&self, target: &Target) -> Result<View> {
        let (entry, mut generations) = self.fetch(target, false)?;
        let Some(entry) = reached(entry)? else {
            return Ok(View::unreachable());
        };
        let id = entry.as_ref().map(envelope::id_of);
        let found = match entry {
            None => Found::Nothing,
            Some(item) => self.found(item, target, &mut generations)?,
        };
        Ok(View {
            generations,
            found,
            id,
        })
    }

    fn found(&self, item: Item, target: &Target, generations: &mut Generations) -> Result<Found> {
        if let Some(placeholder) = Placeholder::open(&item) {
            return Ok(Found::Placeholder(placeholder));
        }
        let Some((envelope, value)) = Envelope::open(item) else {
            return Ok(Found::Nothing);
        };
        Ok(match self.judge(&envelope, target, generations)? {
            State::Invalid => Found::Nothing,
            State::Unknown => Found::Unreachable,
            state => Found::Value(value, state),
        })
    }

    /// Gets what is in the place of the entry, with its cas id if that is needed, and the generations.
    pub(super) fn fetch(
        &self,
        target: &Target,
        cas: bool,
    ) -> Result<(Result<Option<Item>>, Generations)> {
        if !self.begin_list()? {
            return Ok((Ok(None), Generations::unreachable()));
        }
        let scopes = self.scopes(target);
        let keys = std::iter::once(target.key.clone()).chain(scopes.iter().map(|it| it.key()));
        let got = if cas {
            self.client.gets_each_item(keys)
        } else {
            self.client.get_each(keys)
        };
        let mut got = got.into_iter().map(|(_, got)| got);
        let entry = got.next().unwrap_or(Ok(None));
        let generations = Generations::of(&target.dependencies, got)?;
        Ok((entry, generations))
    }

    /// Begins with a new generation of everything after the list of servers became another: what a
    /// server holds that was in the list before is from then, and what was invalidated since is not known
    /// there. `false` if that cannot be had now.
    fn begin_list(&self) -> Result<bool> {
        let Some(list) = self.client.list_to_begin() else {
            return Ok(true);
        };
        let is_renewed = accepted(renew(&self.client, Scope::All))? == Some(true);
        if is_renewed {
            self.client.begin_list(list);
        }
        Ok(is_renewed)
    }

    fn scopes(&self, target: &Target) -> Vec<Scope<'_>> {
        let dependencies = target.dependencies.iter();
        let mut scopes = vec![Scope::All, Scope::Namespace(&self.namespace)];
        scopes.extend(dependencies.map(|&hash| Scope::Dependency(hash)));
        scopes
    }

    /// Whether an entry counts, by the clock and by the generations of now.
    pub(super) fn judge(
        &self,
        envelope: &Envelope,
        target: &Target,
        generations: &mut Generations,
    ) -> Result<State> {
        let now = milliseconds(SystemTime::now());
        if now >= envelope.stale_until {
            return Ok(State::Invalid);
        }
        self.see(envelope, generations)?;
        let pairs = [
            (generations.all, envelope.all),
            (generations.namespace, envelope.namespace),
        ];
        let carried = envelope.dependencies.iter();
        let dependencies = carried.map(|&(hash, token)| (generations.seen(hash), token));
        let mut state = match envelope.fresh_until.checked_sub(now) {
            None | Some(0) => State::Stale,
            Some(left) if u128::from(left) <= target.settings.early.as_millis() => State::Ageing,
            Some(_) => State::Fresh,
        };
        for (seen, token) in pairs.into_iter().chain(dependencies) {
            if seen == Seen::Unreachable {
                state = State::Unknown;
            } else if !seen.is(token) {
                return Ok(State::Invalid);
            }
        }
        Ok(state)
    }

    /// Gets the generations of dependencies that were not seen yet.
    fn see(&self, envelope: &Envelope, generations: &mut Generations) -> Result<()> {
        let hashes = envelope.dependencies.iter().map(|&(hash, _)| hash);
        let unseen = hashes.filter(|&hash| !generations.knows(hash));
        let unseen: Vec<[u8; 16]> = unseen.collect();
        if unseen.is_empty() {
            return Ok(());
        }
        let keys = unseen.iter().map(|&hash| Scope::Dependency(hash).key());
        let got = self.client.get_each(keys);
        for (&hash, (_, result)) in unseen.iter().zip(got) {
            generations.dependencies.push((hash, Seen::of(result)?));
        }
        Ok(())
    }

    /// The generations that an entry carries whose making begins now: those that were seen, and new
    /// ones for what has none. `None` if a server fails, or stores none.
    pub(super) fn settle(
        &self,
        target: &Target,
        generations: &Generations,
    ) -> Result<Option<Settled>> {
        Ok(accepted(self.try_to_settle(target, generations))?.flatten())
    }

    fn try_to_settle(&self, target: &Target, generations: &Generations) -> Result<Option<Settled>> {
        let settle = |scope, seen| settle(&self.client, scope, seen);
        let Some(all) = settle(Scope::All, generations.all)? else {
            return Ok(None);
        };
        let namespace = settle(Scope::Namespace(&self.namespace), generations.namespace)?;
        let Some(namespace) = namespace else {
            return Ok(None);
        };
        let mut dependencies = Vec::with_capacity(target.dependencies.len());
        for &hash in &target.dependencies {
            match settle(Scope::Dependency(hash), generations.seen(hash))? {
                Some(token) => dependencies.push((hash, token)),
                None => return Ok(None),
            }
        }
        Ok(Some(Settled {
            all,
            namespace,
            dependencies,
        }))
    }
}

impl Generations {
    fn unreachable() -> Self {
        Self {
            all: Seen::Unreachable,
            namespace: Seen::Unreachable,
            dependencies: Vec::new(),
        }
    }

    /// What came of getting them, in the order of the scopes.
    fn of(
        dependencies: &[[u8; 16]],
        mut got: impl Iterator<Item = Result<Option<Item>>>,
    ) -> Result<Self> {
        let mut next = || Seen::of(got.next().unwrap_or(Ok(None)));
        Ok(Self {
            all: next()?,
            namespace: next()?,
            dependencies: (dependencies.iter())
                .map(|&hash| Ok((hash, next()?)))
                .collect::<Result<_>>()?,
        })
    }

    fn knows(&self, hash: [u8; 16]) -> bool {
        self.dependencies.iter().any(|(known, _)| *known == hash)
    }

    fn seen(&self, hash: [u8; 16]) -> Seen {
        let mut dependencies = self.dependencies.iter();
        let found = dependencies.find(|(known, _)| *known == hash);
        found.map_or(Seen::Missing, |(_, seen)| *seen)
    }
}

impl Settled {
    /// The data of the entry, which counts from now on.
    pub(super) fn seal(self, value: &Item, target: &Target) -> Vec<u8> {
        let settings = target.settings;
        let now = milliseconds(SystemTime::now());
        let until = |after: Duration| {
            let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            now.saturating_add(after.max(1))
        };
        let envelope = Envelope {
            id: Token::fresh(),
            fresh_until: until(settings.lifetime),
            stale_until: until(settings.kept()),
            all: self.all,
            namespace: self.namespace,
            dependencies: self.dependencies,
        };
        envelope.seal(value)
    }
}

/// Since 1970.
fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
