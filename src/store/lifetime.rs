use super::StoreError;
use std::time::Duration;

/// How long data is kept, if nobody removes it before.
///
/// Memcached and Redis may also drop it sooner, when they run out of memory.
///
/// ```
/// use moecache::store::Lifetime;
/// use std::time::Duration;
///
/// assert_eq!(Lifetime::from(Duration::from_secs(60)), Lifetime::For(Duration::from_secs(60)));
/// assert_eq!(Lifetime::default(), Lifetime::Default);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lifetime {
    /// For as long as the store is set up to keep it: for ever, unless a
    /// [`WithLifetime`](super::WithLifetime) says otherwise.
    #[default]
    Default,
    /// For ever.
    Never,
    /// This long, and not a moment less; rounded up to what the store can tell apart: up to two seconds
    /// longer in memcached, a millisecond in Redis. Zero is an error.
    For(Duration),
}

impl Lifetime {
    /// For how long; `None` for ever.
    ///
    /// ```
    /// use moecache::store::Lifetime;
    /// use std::time::Duration;
    ///
    /// assert_eq!(Lifetime::Never.duration()?, None);
    /// assert!(Lifetime::For(Duration::ZERO).duration().is_err());
    /// # Ok::<(), moecache::store::StoreError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError::InvalidLifetime`] for zero.
    pub fn duration(self) -> Result<Option<Duration>, StoreError> {
        match self {
            Self::Default | Self::Never => Ok(None),
            Self::For(Duration::ZERO) => Err(StoreError::InvalidLifetime(
                "lifetime: a duration of zero; for data that does not expire use Lifetime::Never"
                    .to_owned(),
            )),
            Self::For(duration) => Ok(Some(duration)),
        }
    }

    /// This one, or `other` where this leaves it to the store.
    pub(super) fn or(self, other: Self) -> Self {
        match self {
            Self::Default => other,
            chosen => chosen,
        }
    }
}

impl From<Duration> for Lifetime {
    fn from(duration: Duration) -> Self {
        Self::For(duration)
    }
}
