//! Whatever a server sends or claims, memory is taken for what it has really sent, and within the
//! limits that are set. Memory is counted by an allocator; what libraries in C take for themselves is
//! in `tests/faults/memory.rs`.

#![expect(unsafe_code, reason = "to count what is allocated")]

mod memory;
mod replies;
mod settings;
use crate::support;
mod values;

/// How long a call has where it fails by a limit, and never by the clock.
const LONG: std::time::Duration = std::time::Duration::from_secs(60);

/// How long it has where it fails by the clock, and never by a limit.
const SHORT: std::time::Duration = std::time::Duration::from_millis(300);
