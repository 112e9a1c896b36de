//! What is there, or else what one makes for all.

use super::Cache;
use super::claim::{Claim, Held};
use super::flight::{Joined, Made, Wait, Waited};
use super::generation::accepted;
use super::look::{Found, Settled, State, View};
use super::target::{Target, on_the_server};
use crate::error::{Error, Result};
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
        target.check()?;
        let wait = Wait::begin(target.settings.max_wait);
        let mut pause = SHORTEST_PAUSE;
        let mut lead = None;
        // Who of this process is waited for no longer.
        let mut late = None;
        // Since when another process makes it, as far as it is known.
        let mut since = wait.began;
        loop {
            // A server that answers with an error line is of no more use than one that does not.
            let view = accepted(self.look(target))?.unwrap_or_else(View::unreachable);
            let is_reachable = !matches!(view.found, Found::Unreachable);
            let mut old = None;
            let mut placeholder = None;
            match view.found {
                // A value of another shape, of an earlier version of the program say, is made anew.
                Found::Value(item, state) => match self.client.decode(item) {
                    Ok(value) if state == State::Fresh => return Ok(value),
                    value => old = value.ok(),
                },
                Found::Placeholder(there) => placeholder = Some(there),
                Found::Nothing | Found::Unreachable => {}
            }
            if old.is_none() && wait.is_over() {
                let settled = self.settle(target, &view.generations)?;
                let held = self.hold(target, view.id)?;
                return Ok(self.make(target, settled, held, loader)?.0);
            }
            let lead = match lead.take() {
                Some(own) => lead.insert(own),
                None => match self.flights.join(&target.key, late.take().as_ref()) {
                    Joined::Lead(own) => lead.insert(own),
                    Joined::Follow(flight) => {
                        if let Some(value) = old {
                            return Ok(value);
                        }
                        match flight.wait(wait) {
                            Waited::Made(made) if made.began > wait.began => {
                                if let Ok(value) = self.client.decode(made.value.clone()) {
                                    return Ok(value);
                                }
                            }
                            Waited::TimeUp => late = Some(flight),
                            Waited::Made(_) | Waited::Over => {}
                        }
                        continue;
                    }
                },
            };
            // Who has just taken over in another process has time of its own.
            if placeholder.is_some_and(|there| lead.see(there.maker)) {
                since = Instant::now();
                lead.begin();
            }
            let until = wait.until(since);
            let left = until.map(|at| at.saturating_duration_since(Instant::now()));
            let mut settled = None;
            let claim = if !is_reachable {
                Claim::Unreachable
            } else if placeholder.is_some() && left != Some(Duration::ZERO) {
                Claim::Lost
            } else {
                lead.begin();
                settled = self.settle(target, &view.generations)?;
                match (&settled, placeholder, &old) {
                    (None, _, _) => Claim::Unreachable,
                    (_, Some(late), _) => self.take_over(target, late)?,
                    (_, None, Some(_)) => self.renew(target, view.id)?,
                    (_, None, None) => self.claim(target, view.id)?,
                }
            };
            let held = match (claim, old) {
                (Claim::Won(held), _) => Some(held),
                // It is good enough meanwhile.
                (Claim::Lost | Claim::Unreachable, Some(value)) => return Ok(value),
                (Claim::Unreachable, None) => None,
                (Claim::Lost, None) => {
                    let left = left.filter(|left| !left.is_zero());
                    thread::sleep(left.map_or(pause, |left| left.min(pause)));
                    pause = (2 * pause).min(LONGEST_PAUSE);
                    continue;
                }
            };
            if let Some(maker) = held.as_ref().and_then(Held::maker) {
                lead.see(maker);
            }
            lead.begin();
            let (value, made) = self.make(target, settled, held, loader)?;
            lead.finish(made);
            return Ok(value);
        }
    }

    /// Makes the value, and stores it where that is possible: it is had all the same.
    fn make<T: Serialize, E: From<Error>>(
        &self,
        target: &Target,
        settled: Option<Settled>,
        held: Option<Held<'_>>,
        loader: impl FnOnce() -> Result<T, E>,
    ) -> Result<(T, Made), E> {
        let began = Instant::now();
        let value = loader()?;
        let item = self.client.encode(&value)?;
        if let (Some(settled), Some(held)) = (settled, held) {
            let data = settled.seal(&item, target);
            // It may be too large, say, or the server out of memory.
            let _ = held.store(&data, on_the_server(target.settings.kept()));
        }
        Ok((value, Made { value: item, began }))
    }
}
