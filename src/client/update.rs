use super::{CasOutcome, Client};
use crate::error::{Error, Kind, Result};
use crate::expiry::Expiry;
use crate::key::Scratch;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Instant;

/// How often [`Client::update`] tries.
const MAX_TRIES: usize = 32;

/// # Changing a value that others may change
impl Client {
    /// Replaces the value of `key` by what `change` makes of it (of `None`, if the key is not there),
    /// and gives the new value. If somebody else changes the item in between, all is done again with
    /// their value: no change is lost.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// let tags = client.update("tags", 0, |old: Option<Vec<String>>| {
    ///     let mut tags = old.unwrap_or_default();
    ///     tags.push("new".to_owned());
    ///     tags
    /// })?;
    /// assert_eq!(tags, ["new"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// `change` runs once for each try, up to 32 times, and may take its time: the timeout counts for
    /// each request on its own.
    ///
    /// # Errors
    ///
    /// A [conflict](Error::is_conflict) if others were faster 32 times in a row; besides those of
    /// [`gets`](Self::gets) and [`compare_and_swap`](Self::compare_and_swap).
    pub fn update<T: Serialize + DeserializeOwned>(
        &self,
        key: impl AsRef<[u8]>,
        expiry: impl Into<Expiry>,
        mut change: impl FnMut(Option<T>) -> T,
    ) -> Result<T> {
        let (key, expiry) = (key.as_ref(), expiry.into());
        let started = Instant::now();
        let client = self.steps();
        let mut update = || {
            for _ in 0..MAX_TRIES {
                let (old, cas) = match client.gets(key)? {
                    Some((old, cas)) => (Some(old), Some(cas)),
                    None => (None, None),
                };
                let new = change(old);
                let is_stored = match cas {
                    Some(cas) => {
                        let outcome = client.compare_and_swap(key, &new, expiry, cas)?;
                        outcome == CasOutcome::Stored
                    }
                    None => client.add(key, &new, expiry)?,
                };
                if is_stored {
                    return Ok(new);
                }
            }
            let server = client.server_for(key)?;
            let reason = format!("others changed the item, {MAX_TRIES} times in a row");
            Err(Error::new(Kind::Conflict, reason).on(&server))
        };
        let updated = update();
        let mut scratch = Scratch::default();
        if let Ok(key) = self.key(key, &mut scratch) {
            self.counted(key, started, &updated)?;
        }
        updated.map_err(|error: Error| error.of("update"))
    }
}
