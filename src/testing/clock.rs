//! The time an embedded server goes by.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The clock of an embedded server: the system's or one that stands still, and in either case as
/// far ahead as it was [advanced](Self::advance).
///
/// A clone is a handle on the same clock, so one clock can drive several servers. Servers read whole
/// seconds from it, as memcached does.
///
/// ```
/// use moecache::testing::{Clock, Server};
/// use std::time::{Duration, SystemTime};
///
/// let clock = Clock::fixed(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
/// let _server = Server::builder().clock(clock.clone()).start()?;
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_060));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    base: Base,
    advanced: Mutex<Duration>,
}

#[derive(Debug)]
enum Base {
    Real,
    Fixed(SystemTime),
}

impl Clock {
    /// A clock that goes with the system's.
    #[must_use]
    pub fn real() -> Self {
        Self::from_base(Base::Real)
    }

    /// A clock that stands at `time` until it is advanced.
    #[must_use]
    pub fn fixed(time: SystemTime) -> Self {
        Self::from_base(Base::Fixed(time))
    }

    fn from_base(base: Base) -> Self {
        Self(Arc::new(Inner {
            base,
            advanced: Mutex::new(Duration::ZERO),
        }))
    }

    /// What the clock shows.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        let base = match self.0.base {
            Base::Real => SystemTime::now(),
            Base::Fixed(time) => time,
        };
        let advanced = *self
            .0
            .advanced
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        base.checked_add(advanced).unwrap_or(base)
    }

    /// Sets the clock to `time`, for all its handles. One that shows a later time already stays as it
    /// is: no server's clock goes back. A [fixed](Self::fixed) clock then stands there, and a
    /// [real](Self::real) one goes on from there.
    ///
    /// ```
    /// use moecache::testing::Clock;
    /// use std::time::{Duration, SystemTime};
    ///
    /// let new_year_2030 = SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_456_000);
    /// let clock = Clock::fixed(new_year_2030 - Duration::from_secs(1));
    /// clock.set(new_year_2030);
    /// assert_eq!(clock.now(), new_year_2030);
    /// ```
    pub fn set(&self, time: SystemTime) {
        if let Ok(ahead) = time.duration_since(self.now()) {
            self.advance(ahead);
        }
    }

    /// Moves the clock forward, for all its handles.
    pub fn advance(&self, by: Duration) {
        let mut advanced = self
            .0
            .advanced
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *advanced = advanced.saturating_add(by);
    }
}

/// [`Clock::real`].
impl Default for Clock {
    fn default() -> Self {
        Self::real()
    }
}
