use std::time::{Duration, Instant};

/// When an operation must be over. It covers everything the operation does: resolution, connect,
/// write, read and a retry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    /// When the operation began, or this part of it.
    started: Instant,
    /// `None` where the timeout is too long for the clock to hold: never.
    at: Option<Instant>,
    timeout: Duration,
}

/// The deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expired;

impl Deadline {
    /// This long after `now`; never, if the clock cannot hold it.
    pub(crate) fn after(timeout: Duration, now: Instant) -> Self {
        Self {
            started: now,
            at: now.checked_add(timeout),
            timeout,
        }
    }

    /// The same for a part of the operation that begins now, after others took their time.
    pub(crate) fn restarted(self, now: Instant) -> Self {
        Self {
            started: now,
            ..self
        }
    }

    /// The same, unless nothing is left.
    pub(crate) fn try_restarted(self, now: Instant) -> Result<Self, Expired> {
        self.remaining(now)?;
        Ok(self.restarted(now))
    }

    /// When the operation began, or this part of it.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// How much time there was when it [`started`](Self::started); `None` where it never ends.
    pub(crate) fn duration(&self) -> Option<Duration> {
        let since = |at: Instant| at.saturating_duration_since(self.started);
        self.at.map(since)
    }

    /// The timeout that it was made from.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long is left, never zero; `None` where it never ends.
    pub(crate) fn remaining(&self, now: Instant) -> Result<Option<Duration>, Expired> {
        let Some(at) = self.at else { return Ok(None) };
        match at.saturating_duration_since(now) {
            Duration::ZERO => Err(Expired),
            left => Ok(Some(left)),
        }
    }

    /// When it is; `None` for never.
    pub(crate) fn at(&self) -> Option<Instant> {
        self.at
    }

    /// The earlier of the two.
    pub(crate) fn min(self, other: Self) -> Self {
        match (self.at, other.at) {
            (Some(mine), Some(theirs)) if theirs < mine => other,
            (None, Some(_)) => other,
            _ => self,
        }
    }

    /// The same deadline so much later.
    pub(crate) fn extended(self, by: Duration) -> Self {
        Self {
            at: self.at.and_then(|at| at.checked_add(by)),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn remaining_is_never_zero() {
        let now = Instant::now();
        let deadline = Deadline::after(SECOND, now);
        assert_eq!(deadline.remaining(now), Ok(Some(SECOND)));
        let last = Duration::from_nanos(999_999_999);
        assert_eq!(
            deadline.remaining(now + last),
            Ok(Some(Duration::from_nanos(1)))
        );
        assert_eq!(deadline.remaining(now + SECOND), Err(Expired));
        assert_eq!(deadline.remaining(now + 2 * SECOND), Err(Expired));
        assert_eq!(
            deadline.extended(SECOND).remaining(now + SECOND),
            Ok(Some(SECOND))
        );
    }

    #[test]
    fn what_is_resumed_has_what_is_left() {
        let now = Instant::now();
        let deadline = Deadline::after(3 * SECOND, now);
        assert_eq!(deadline.duration(), Some(3 * SECOND));
        let rest = deadline.restarted(now + SECOND);
        assert_eq!(rest.started(), now + SECOND);
        assert_eq!(rest.duration(), Some(2 * SECOND));
        assert_eq!(rest.timeout(), 3 * SECOND);
        assert_eq!(rest.remaining(now + 2 * SECOND), Ok(Some(SECOND)));
        assert!(deadline.try_restarted(now + 2 * SECOND).is_ok());
        assert_eq!(
            deadline.try_restarted(now + 3 * SECOND).unwrap_err(),
            Expired
        );
        let over = deadline.restarted(now + 4 * SECOND);
        assert_eq!(over.duration(), Some(Duration::ZERO));
    }

    #[test]
    fn the_longest_timeout_never_ends() {
        let now = Instant::now();
        let never = Deadline::after(Duration::MAX, now);
        assert_eq!(never.duration(), None);
        assert_eq!(never.remaining(now + SECOND), Ok(None));
        let soon = Deadline::after(SECOND, now);
        assert_eq!(never.min(soon).remaining(now), Ok(Some(SECOND)));
        assert_eq!(soon.min(never).remaining(now), Ok(Some(SECOND)));
        assert_eq!(
            soon.min(soon.extended(SECOND)).remaining(now),
            Ok(Some(SECOND))
        );
    }
}
