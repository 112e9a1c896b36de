use std::error::Error as StdError;
use std::io;

/// Why a call to a [`KeyValueStore`](super::KeyValueStore) failed.
///
/// Keys are shown, data never is. [`source`](StdError::source) is what it was caused by, if anything.
///
/// ```
/// use moecache::store::{KeyValueStore, MemoryStore, StoreError};
///
/// let store = MemoryStore::new();
/// let name = match store.get("name") {
///     Ok(name) => String::from_utf8_lossy(&name).into_owned(),
///     Err(StoreError::NotFound(_)) => "nobody".to_owned(),
///     Err(error) => return Err(error.into()),
/// };
/// assert_eq!(name, "nobody");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no data of this key, or not any more.
    #[error("{0}: not found")]
    NotFound(String),
    /// This is not a key: what is wrong with it, and what is allowed. Nothing was done.
    #[error("{0}")]
    InvalidKey(String),
    /// The data cannot be kept for so long: why, and what is allowed. Nothing was done.
    #[error("{0}")]
    InvalidLifetime(String),
    /// The store cannot do this, whatever the key. Nothing was done.
    #[error("{what}")]
    Unsupported {
        /// What it cannot do, and why.
        what: String,
        /// What a layer below says about it.
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// The store failed, or could not be reached; or a file, a reader or a writer did. Of a
    /// [`MemcacheStore`](super::MemcacheStore), the [`moecache::Error`](crate::Error) is what
    /// [`get_ref`](io::Error::get_ref) gives, or where that is about data that is too large, its source.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl StoreError {
    /// What a store cannot do, and why, for stores of your own.
    ///
    /// ```
    /// use moecache::store::StoreError;
    ///
    /// let error = StoreError::unsupported("keys: a tape cannot be searched");
    /// assert_eq!(error.to_string(), "keys: a tape cannot be searched");
    /// ```
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported {
            what: what.into(),
            source: None,
        }
    }
}

/// For functions that return [`io::Result`]: the kind is `NotFound`, `InvalidInput`, `Unsupported`, or
/// that of the error inside.
///
/// ```
/// use moecache::store::StoreError;
/// use std::io;
///
/// let error = io::Error::from(StoreError::NotFound("key".to_owned()));
/// assert_eq!(error.kind(), io::ErrorKind::NotFound);
/// ```
impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> Self {
        let kind = match error {
            StoreError::Io(error) => return error,
            StoreError::NotFound(_) => io::ErrorKind::NotFound,
            StoreError::InvalidKey(_) | StoreError::InvalidLifetime(_) => {
                io::ErrorKind::InvalidInput
            }
            StoreError::Unsupported { .. } => io::ErrorKind::Unsupported,
        };
        Self::new(kind, error)
    }
}

/// What the client cannot do, the store cannot; everything else is [`StoreError::Io`].
impl From<crate::Error> for StoreError {
    fn from(error: crate::Error) -> Self {
        if error.is_unsupported() {
            return Self::Unsupported {
                what: error.to_string(),
                source: Some(error.into()),
            };
        }
        Self::Io(error.into())
    }
}
