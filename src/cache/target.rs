//! Which entry a call is about, and what is said of it.

use super::envelope::MAX_DEPENDENCIES;
use crate::error::{Error, Result};
use crate::expiry::Expiry;
use std::time::{Duration, SystemTime};

/// What an entry may have a say in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) lifetime: Duration,
    pub(super) stale: Duration,
    pub(super) early: Duration,
    pub(super) max_wait: Duration,
    pub(super) lease: Duration,
}

impl Settings {
    /// How long an entry is of use.
    pub(super) fn kept(self) -> Duration {
        self.lifetime.saturating_add(self.stale)
    }
}

/// An entry, by its key on the server.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) key: Vec<u8>,
    pub(super) dependencies: Vec<[u8; 16]>,
    pub(super) settings: Settings,
}

impl Target {
    pub(super) fn depend_on(&mut self, dependency: [u8; 16]) -> Result<()> {
        if self.dependencies.contains(&dependency) {
            return Ok(());
        }
        if self.dependencies.len() == MAX_DEPENDENCIES {
            return Err(Error::validation(format!(
                "depends_on: more than {MAX_DEPENDENCIES} dependencies; up to {MAX_DEPENDENCIES} are allowed"
            )));
        }
        self.dependencies.push(dependency);
        Ok(())
    }

    /// Refuses what could not be stored, before anything is made that would be.
    pub(super) fn check(&self) -> Result<()> {
        let Settings {
            lifetime,
            stale,
            lease,
            ..
        } = self.settings;
        if lifetime.is_zero() {
            return Err(Error::validation(
                "lifetime: 0; an entry lives for a millisecond at least",
            ));
        }
        let check = |name: &str, time: Duration| {
            let wire = on_the_server(time).to_wire(SystemTime::now());
            wire.map_err(|error| Error::validation(format!("{name}: {error}")))
        };
        let name = format!("lifetime: {lifetime:?} and stale_for {stale:?}");
        check(&name, self.settings.kept())?;
        check("lease", lease)?;
        Ok(())
    }
}

/// How long the server is to keep what is to be there for `time`: its clock goes by whole seconds, so
/// that it may take one off.
pub(super) fn on_the_server(time: Duration) -> Expiry {
    Expiry::After(time.saturating_add(Duration::from_secs(1)))
}
