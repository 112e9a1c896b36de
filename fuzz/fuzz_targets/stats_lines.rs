//! Any bytes as the reply to `stats` with any arguments: never a panic, the same in pieces of any
//! lengths, and what is complete says what a plain reading of its lines says.
//!
//! Input: two bytes for the lengths of the pieces, the arguments up to a line feed, the reply.

#![no_main]

use libfuzzer_sys::fuzz_target;
use moecache::fuzzing::stats_reply;

fuzz_target!(|input: &[u8]| {
    let [one, other, rest @ ..] = input else {
        return;
    };
    let mut parts = rest.splitn(2, |&byte| byte == b'\n');
    let (Some(arguments), Some(reply)) = (parts.next(), parts.next()) else {
        return;
    };
    let pieces = [usize::from(*one), usize::from(*other)];
    stats_reply(&String::from_utf8_lossy(arguments), reply, &pieces);
});
