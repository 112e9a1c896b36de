//! What is there, or else what one makes for all.

use super::Cache;
use super::claim::{Claim, Held, Kept, Wish};
use super::entry::Target;
use super::flight::{Joined, Made};
use super::look::{Found, Settled, State, View};
use crate::error::{Error, Result};
use crate::item::Item;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::thread;
use std::time::{Duration, Instant};

/// How long another process is left alone that makes an entry, at first and at last.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

impl Cache {
    /// The value of the entry, or what the loader makes of it, which runs once at most.
    pub(super) fn load<T, E>(
        &self,
        target: &Target,
        loader: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: From<Error>,
    {
        let deadline = Instant::now().checked_add(target.settings.max_wait);
        let mut pause = SHORTEST_PAUSE;
        let mut lead = None;
        loop {
            let View {
                mut generations,
                found,
                envelope,
            } = self.look(target)?;
            let mut old = None;
            let known = match found {
                Found::Value(item, state) => {
                    // A value of another shape, of an earlier version of the program say, is made anew.
                    if let Ok(value) = self.client.decode(item) {
                        if state == State::Fresh {
                            return Ok(value);
                        }
                        old = Some(value);
                    }
                    None
                }
                Found::Nothing => None,
                Found::Placeholder => Some(Claim::Lost),
                Found::Unreachable => Some(Claim::Unreachable),
            };
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) && old.is_none() {
                // Whoever makes it takes too long.
                let settled = self.settle(target, &generations)?;
                let held = self.hold(target)?;
                return Ok(self.make(target, settled, held, loader)?.0);
            }
            let lead = match &mut lead {
                Some(lead) => lead,
                none => match self.flights.join(&target.key) {
                    Joined::Lead(lead) => none.insert(lead),
                    Joined::Follow(flight) => {
                        if let Some(value) = old {
                            return Ok(value);
                        }
                        let made = flight.wait(deadline);
                        let made = made.filter(|made| generations.agree(made.settled.as_ref()));
                        let value = made.map(|made| self.client.decode(made.value.clone()));
                        match value {
                            Some(Ok(value)) => return Ok(value),
                            _ => continue,
                        }
                    }
                },
            };
            let settled = self.settle(target, &generations)?;
            let wish = match (&old, &envelope) {
                (Some(_), Some(old)) => Wish::Renew { old },
                (_, rejected) => Wish::Make {
                    rejected: rejected.as_ref(),
                },
            };
            let claim = match (known, &settled) {
                (Some(claim), _) => claim,
                (None, None) => Claim::Unreachable,
                (None, Some(_)) => self.claim(target, &mut generations, wish)?,
            };
            let held = match claim {
                Claim::Won(held) => Some(held),
                Claim::There(item) | Claim::Old(item) => match self.client.decode(item) {
                    Ok(value) => return Ok(value),
                    Err(_) => continue,
                },
                Claim::LookAgain => continue,
                Claim::Lost => {
                    if let Some(value) = old {
                        return Ok(value);
                    }
                    thread::sleep(left.map_or(pause, |left| left.min(pause)));
                    pause = (2 * pause).min(LONGEST_PAUSE);
                    continue;
                }
                Claim::Unreachable => {
                    if let Some(value) = old {
                        return Ok(value);
                    }
                    None
                }
            };
            let (value, made) = self.make(target, settled, held, loader)?;
            if let Some(made) = made {
                lead.finish(made);
            }
            return Ok(value);
        }
    }

    /// Makes the value and keeps it where that is possible. What others may have of it comes with it.
    fn make<T: Serialize, E: From<Error>>(
        &self,
        target: &Target,
        settled: Option<Settled>,
        held: Option<Held<'_>>,
        loader: impl FnOnce() -> Result<T, E>,
    ) -> Result<(T, Option<Made>), E> {
        let value = loader()?;
        let item = self.client.encode(&value)?;
        let kept = match keep(target, settled.clone(), held, &item) {
            // It refuses the value, which is too large, say: that is no reason not to have it.
            Err(error) if error.is_server() => Kept::Unreachable,
            kept => kept?,
        };
        // What is stored they get from there, if it was not invalidated since.
        let made = (kept == Kept::Unreachable).then_some(Made {
            value: item,
            settled,
        });
        Ok((value, made))
    }
}

/// Stores the entry in place of what is held.
pub(super) fn keep(
    target: &Target,
    settled: Option<Settled>,
    held: Option<Held<'_>>,
    value: &Item,
) -> Result<Kept> {
    let (Some(settled), Some(held)) = (settled, held) else {
        return Ok(Kept::Unreachable);
    };
    let (data, kept) = settled.seal(value, target)?;
    held.store(&data, kept)
}
