//! Two batches of requests, over real sockets, to a server that sends any bytes and ends its connections
//! in any way: never a panic, the same in pieces of any lengths, one answer for each request, no value of
//! another key, no connection used again that must not be.
//!
//! Input: eight bytes that say how, the letters of both batches, each with a line feed behind it, and
//! what the server sends.

#![no_main]

use libfuzzer_sys::fuzz_target;
use moecache::fuzzing;

fuzz_target!(|input: &[u8]| fuzzing::conversation(input));
