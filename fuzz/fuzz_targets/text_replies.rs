//! Any bytes as the replies to requests of the text protocol that are sent together: never a panic, the
//! same replies in pieces of any lengths, and one reply for each request.
//!
//! Input: a letter for each request, a line feed, two bytes for the lengths of the pieces, the replies.

#![no_main]

use libfuzzer_sys::fuzz_target;
use moecache::{Protocol, fuzzing};

fuzz_target!(|input: &[u8]| fuzzing::replies(Protocol::Text, input));
