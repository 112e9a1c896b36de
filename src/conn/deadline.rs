use std::time::{Duration, Instant};

/// When an operation must be over. It covers everything the operation does: resolution, connect,
/// write, read and a retry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    /// When the operation began.
    started: Instant,
    /// `None` where the timeout is too long for the clock to hold: never.
    at: Option<Instant>,
    timeout: Duration,
    /// How much of that there was for the server that is asked.
    share: Duration,
}

/// The deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expired;

impl Deadline {
    /// This long after `now`.
    pub(crate) fn after(timeout: Duration, now: Instant) -> Self {
        Self {
            started: now,
            at: now.checked_add(timeout),
            timeout,
            share: timeout,
        }
    }

    /// When the operation began, or its [rest](Self::rest).
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// The timeout that it was made from.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long the server that is asked has: less than the timeout, if another was asked before.
    pub(crate) fn share(&self) -> Duration {
        self.share
    }

    /// What is left of it for another server, which is asked from now on.
    pub(crate) fn rest(&self, now: Instant) -> Result<Self, Expired> {
        let left = self.remaining(now)?;
        Ok(Self {
            started: now,
            share: left.unwrap_or(self.timeout),
            ..*self
        })
    }

    /// How long is left, never zero; `None` where it never ends.
    pub(crate) fn remaining(&self, now: Instant) -> Result<Option<Duration>, Expired> {
        let Some(at) = self.at else { return Ok(None) };
        match at.saturating_duration_since(now) {
            Duration::ZERO => Err(Expired),
            left => Ok(Some(left)),
        }
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
    pub(crate) fn postponed(self, by: Duration) -> Self {
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
            deadline.postponed(SECOND).remaining(now + SECOND),
            Ok(Some(SECOND))
        );
    }

    #[test]
    fn the_rest_ends_with_the_whole() {
        let now = Instant::now();
        let deadline = Deadline::after(SECOND, now);
        let later = now + SECOND / 4;
        let rest = deadline.rest(later).unwrap();
        assert_eq!((rest.started(), rest.share()), (later, SECOND * 3 / 4));
        assert_eq!(rest.timeout(), SECOND);
        assert_eq!(rest.remaining(now + SECOND), Err(Expired));
        assert!(deadline.rest(now + SECOND).is_err());
        let never = Deadline::after(Duration::MAX, now);
        assert_eq!(never.rest(later).unwrap().share(), Duration::MAX);
    }

    #[test]
    fn the_longest_timeout_never_ends() {
        let now = Instant::now();
        let never = Deadline::after(Duration::MAX, now);
        assert_eq!(never.remaining(now + SECOND), Ok(None));
        let soon = Deadline::after(SECOND, now);
        assert_eq!(never.min(soon).remaining(now), Ok(Some(SECOND)));
        assert_eq!(soon.min(never).remaining(now), Ok(Some(SECOND)));
        assert_eq!(
            soon.min(soon.postponed(SECOND)).remaining(now),
            Ok(Some(SECOND))
        );
    }
}
