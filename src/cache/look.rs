//! What there is of an entry, and whether it counts.

use super::Cache;
use super::entry::Target;
use super::envelope::{self, Envelope};
use super::generation::{Scope, Seen, Token, reached, settle};
use crate::error::{Error, Result};
use crate::item::Item;
use std::time::{Duration, SystemTime};

/// What a look at an entry found.
#[derive(Debug)]
pub(super) struct View {
    pub(super) generations: Generations,
    pub(super) found: Found,
    /// What the entry says of itself, if there is one; whether or not it counts.
    pub(super) envelope: Option<Envelope>,
}

#[derive(Debug)]
pub(super) enum Found {
    Value(Item, State),
    /// Nothing that counts.
    Nothing,
    /// Somebody is about to make it.
    Placeholder,
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

impl State {
    pub(super) fn is_to_be_renewed(self) -> bool {
        matches!(self, Self::Ageing | Self::Stale)
    }
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
        let scopes = self.scopes(target);
        let keys = std::iter::once(target.key.clone()).chain(scopes.iter().map(|it| it.key()));
        let got = self.client.get_each_item(keys);
        let mut got = got.into_iter().map(|(_, got)| got);
        let entry = reached(got.next().unwrap_or(Ok(None)))?;
        let mut generations = Generations::of(&target.dependencies, got)?;
        let (found, envelope) = match entry {
            None => (Found::Unreachable, None),
            Some(None) => (Found::Nothing, None),
            Some(Some(item)) if envelope::is_placeholder(&item.data) => (Found::Placeholder, None),
            Some(Some(item)) => match Envelope::open(item) {
                None => (Found::Nothing, None),
                Some((envelope, value)) => {
                    let state = self.judge(&envelope, target, &mut generations)?;
                    let found = match state {
                        State::Invalid => Found::Nothing,
                        State::Unknown => Found::Unreachable,
                        state => Found::Value(value, state),
                    };
                    (found, Some(envelope))
                }
            },
        };
        Ok(View {
            generations,
            found,
            envelope,
        })
    }

    /// Gets the generations alone.
    pub(super) fn look_at_generations(&self, target: &Target) -> Result<Generations> {
        let scopes = self.scopes(target);
        let keys = scopes.iter().map(|scope| scope.key());
        let got = self.client.get_each_item(keys);
        Generations::of(&target.dependencies, got.into_iter().map(|(_, got)| got))
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
        let got = self.client.get_each_item(keys);
        for (&hash, (_, result)) in unseen.iter().zip(got) {
            generations.dependencies.push((hash, Seen::of(result)?));
        }
        Ok(())
    }

    /// The generations that an entry carries whose making begins now: those that were seen, and new
    /// ones for what has none. `None` if a server fails.
    pub(super) fn settle(
        &self,
        target: &Target,
        generations: &Generations,
    ) -> Result<Option<Settled>> {
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

    /// Whether a server fails that has one of them.
    fn is_unreachable(&self) -> bool {
        let dependencies = self.dependencies.iter().map(|(_, seen)| *seen);
        let mut all = dependencies.chain([self.all, self.namespace]);
        all.any(|seen| seen == Seen::Unreachable)
    }

    /// Whether something made under `settled` counts for who sees these. If neither could be told, it
    /// is as good as any.
    pub(super) fn agree(&self, settled: Option<&Settled>) -> bool {
        let Some(settled) = settled else {
            return self.is_unreachable();
        };
        let mut dependencies = settled.dependencies.iter();
        self.all.is(settled.all)
            && self.namespace.is(settled.namespace)
            && dependencies.all(|&(hash, token)| self.seen(hash).is(token))
    }
}

impl Settled {
    /// The data of the entry, from now on, and for how long it counts.
    pub(super) fn seal(self, value: &Item, target: &Target) -> Result<(Vec<u8>, Duration)> {
        let settings = target.settings;
        if settings.lifetime.is_zero() {
            return Err(Error::validation(
                "lifetime: 0; an entry lives for a millisecond at least",
            ));
        }
        let kept = settings.lifetime.saturating_add(settings.stale);
        let now = milliseconds(SystemTime::now());
        let until = |after: Duration| {
            let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
            now.saturating_add(after.max(1))
        };
        let envelope = Envelope {
            fresh_until: until(settings.lifetime),
            stale_until: until(kept),
            all: self.all,
            namespace: self.namespace,
            dependencies: self.dependencies,
        };
        Ok((envelope.seal(value)?, kept))
    }
}

/// How long the server is to keep what is to be there for `time`: its clock goes by whole seconds, so
/// that it may take one off.
pub(super) fn on_the_server(time: Duration) -> Duration {
    time.saturating_add(Duration::from_secs(1))
}

/// Since 1970.
pub(super) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
