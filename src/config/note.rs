use std::fmt;

/// A setting of another client's configuration that has no effect here, and why.
///
/// ```
/// use moecache::Config;
///
/// let (_, notes) = Config::from_libmemcached("--SERVER=10.0.0.1 --RETRY-TIMEOUT=2")?;
/// assert_eq!(notes[0].name, "--RETRY-TIMEOUT");
/// assert_eq!(
///     notes[0].to_string(),
///     "--RETRY-TIMEOUT=2 has no effect: a server that failed is asked again within max_back_off, \
///      a second by default"
/// );
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// The setting as the other configuration calls it: `--NOREPLY`, `_noreply`.
    pub name: String,
    /// What it was set to; empty for an option that takes no value.
    pub value: String,
    /// What happens here instead.
    pub reason: &'static str,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equals = if self.value.is_empty() { "" } else { "=" };
        let Self {
            name,
            value,
            reason,
        } = self;
        write!(f, "{name}{equals}{value} has no effect: {reason}")
    }
}
