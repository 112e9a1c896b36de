//! What a peer's name stands for, besides the placement that [`Scheme`](crate::Scheme) has. May use
//! the placement, the value formats and the leaves.

use crate::peer::Peer;
use crate::value::Format;

/// How the peer stores values, unless it is set up otherwise.
pub(crate) fn format(peer: Peer) -> Format {
    match peer {
        Peer::Moecache => Format::Moecache,
        Peer::Enyim | Peer::EnyimCore => Format::Enyim,
        Peer::EnyimCoreMessagePack => Format::EnyimCoreMessagePack,
        Peer::Libmemcached | Peer::Gomemcache | Peer::Twemproxy => Format::Raw,
        Peer::Pylibmc => Format::Pylibmc,
        Peer::PhpMemcached => Format::Php,
        Peer::PythonMemcached => Format::PythonMemcached,
        Peer::Pymemcache => Format::Pymemcache,
        Peer::Pyermc => Format::Pyermc,
        Peer::Dalli => Format::Dalli,
        Peer::Spymemcached => Format::Spymemcached,
    }
}
