//! Feeds a decoder recorded bytes in pieces, as a socket would: for tests and fuzzing.

use super::text::Decoder;
use super::{Malformed, Request, Step};

/// What a decoder made of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A line, as its `Debug` says.
    Line(String),
    Value {
        flags: u32,
        data: Vec<u8>,
    },
    /// The reply is complete, with so many bytes left over.
    Done {
        surplus: usize,
    },
    Malformed(Malformed),
    /// The bytes ended before the reply did.
    Incomplete,
}

/// Decodes `bytes` as the reply to `request`, handed over in pieces of these lengths, over and over.
/// A length of 0 counts as 1.
pub(crate) fn replay(
    request: &Request<'_>,
    max_value: usize,
    bytes: &[u8],
    pieces: &[usize],
) -> Vec<Event> {
    let mut decoder = Decoder::new(request, max_value);
    let mut events = Vec::new();
    let mut pieces = pieces.iter().cycle();
    let (mut used, mut received) = (0, 0);
    // The rest of a value that is not here yet.
    let mut missing = 0;
    loop {
        if missing > 0 {
            let taken = missing.min(received - used);
            if let Some(Event::Value { data, .. }) = events.last_mut() {
                data.extend_from_slice(&bytes[used..used + taken]);
            }
            (used, missing) = (used + taken, missing - taken);
        }
        let step = if missing > 0 {
            Ok(Step::NeedMore)
        } else {
            decoder.decode(&bytes[used..received])
        };
        match step {
            Err(malformed) => {
                events.push(Event::Malformed(malformed));
                return events;
            }
            Ok(Step::NeedMore) if received == bytes.len() => {
                events.push(Event::Incomplete);
                return events;
            }
            Ok(Step::NeedMore) => {
                let piece = pieces.next().map_or(1, |&piece| piece.max(1));
                received = bytes.len().min(received.saturating_add(piece));
            }
            Ok(Step::Value { used: line, header }) => {
                used += line;
                missing = header.length;
                events.push(Event::Value {
                    flags: header.flags,
                    data: Vec::new(),
                });
            }
            Ok(Step::Line { used: line, reply }) => {
                events.push(Event::Line(format!("{reply:?}")));
                used += line;
                if decoder.is_done() {
                    events.push(Event::Done {
                        surplus: bytes.len() - used,
                    });
                    return events;
                }
            }
        }
    }
}
