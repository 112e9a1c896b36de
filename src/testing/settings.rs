use super::store::Limits;
use super::version::Version;

/// The settings of a server, for its whole life.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) version: Version,
    pub(crate) languages: Languages,
    pub(crate) max_connections: usize,
}

/// The commands that a server understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Languages {
    All,
    /// The classic text protocol, without the meta commands.
    ClassicText,
}
