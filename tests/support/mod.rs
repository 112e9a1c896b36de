//! What the integration tests share: real servers to run against, a proxy that
//! commits faults, scripted servers, raw connections,
//! transcripts to play, programs in Python, pages of the guide, and processes for tests that run alone.

// Each test program uses its own part of it.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "shared by several programs"
)]

/// Makes of each function a test in each protocol, such as `nothing_comes::text`. It is told the protocol.
/// With `and Auto;` in front of them, in [`Protocol::Auto`](moecache::Protocol::Auto) too.
macro_rules! in_each_protocol {
    (and Auto; $($check:ident)*) => {
        $crate::support::in_each_protocol! { @ [Text text Meta meta Binary binary Auto auto] $($check)* }
    };
    (@ $protocols:tt $($check:ident)*) => {
        $($crate::support::in_each_protocol! { # $check $protocols })*
    };
    (# $check:ident [$($protocol:ident $name:ident)*]) => {
        mod $check {
            $(
                #[test]
                fn $name() {
                    super::$check(moecache::Protocol::$protocol);
                }
            )*
        }
    };
    ($($check:ident)*) => {
        $crate::support::in_each_protocol! { @ [Text text Meta meta Binary binary] $($check)* }
    };
}
pub(crate) use in_each_protocol;

mod alone;
pub mod behind;
mod hanging;
mod heard;
pub mod memcached;
pub mod pages;
pub mod passwords;
pub mod proxy;
mod python;
mod random;
mod raw;
pub mod scripted;
mod skipped;
pub mod transcript;

pub use alone::alone;
pub use hanging::Hanging;
pub use heard::Heard;
pub(crate) use memcached::needs_memcached;
pub use memcached::{Memcached, UnixMemcached, reserve};
pub(crate) use python::needs_python;
pub use python::{Python, interpreter};
pub use random::Random;
pub use raw::{RawClient, wait_until};
pub use skipped::{noted, skipped};
