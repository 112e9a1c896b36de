//! Any bytes as the reply to each kind of command: never a panic, and the same reply in pieces of any
//! lengths.
//!
//! Input: a letter for the command, two bytes for the lengths of the pieces, the reply.

#![no_main]

use libfuzzer_sys::fuzz_target;
use moecache::fuzzing::{Command, text_reply};

fuzz_target!(|input: &[u8]| {
    let [command, one, other, reply @ ..] = input else {
        return;
    };
    let command = match command {
        b'g' => Command::Get,
        b's' => Command::Set,
        b'd' => Command::Delete,
        b'v' => Command::Version,
        b't' => Command::Stats,
        b'e' => Command::StatsSizesEnable,
        _ => return,
    };
    text_reply(command, reply, &[usize::from(*one), usize::from(*other)]);
    text_reply(command, reply, &[1]);
});
