//! Feeds a decoder recorded bytes in pieces, as a socket would: for tests and fuzzing.

use super::reply::Details;
use super::{
    Bounds, Decoder, Dialect, Limits, Malformed, Output, Request, Step, ValueHeader, Window,
};

/// What a decoder made of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A line of many, as its `Debug` says.
    Part(String),
    /// What is said about the value that comes next, besides.
    Details(Details),
    Value {
        index: usize,
        flags: u32,
        cas: Option<u64>,
        data: Vec<u8>,
    },
    /// A reply, as its `Debug` says.
    Reply(usize, String),
    /// The replies are complete, with so many bytes left over.
    Done {
        surplus: usize,
    },
    Malformed(Malformed),
    /// The bytes ended before the replies did.
    Incomplete,
}

/// A line of any usual length.
pub(crate) fn bounds(value: usize) -> Bounds {
    Bounds {
        value,
        line: Bounds::DEFAULT_LINE,
        queues: false,
    }
}

/// What `requests` are on the wire, as one window.
pub(crate) fn encode(dialect: Dialect, requests: &[Request<'_>]) -> (Window, Vec<u8>) {
    let mut output = Output::default();
    let all = (0, requests.len());
    let window = Window::encode(dialect, requests, all, Limits::TCP, true, 0, &mut output);
    assert_eq!(window.end, requests.len(), "they do not fit one window");
    let (parts, count) = output.parts(0);
    let bytes = parts[..count].iter().flat_map(|part| part.to_vec());
    (window, bytes.collect())
}

/// Decodes `bytes` as the replies to `requests`, handed over in pieces of these lengths, over and
/// over. A length of 0 counts as 1.
pub(crate) fn replay(
    dialect: Dialect,
    requests: &[Request<'_>],
    max_value: usize,
    bytes: &[u8],
    pieces: &[usize],
) -> Vec<Event> {
    let (window, _) = encode(dialect, requests);
    let mut decoder = Decoder::new(dialect, requests, window, bounds(max_value));
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
        let line = match step {
            Err(malformed) => {
                events.push(Event::Malformed(malformed));
                return events;
            }
            // Its reply is among the bytes.
            Ok(Step::NeedMore) if decoder.late_fence().is_some() => continue,
            Ok(Step::NeedMore) if received == bytes.len() && decoder.end_of_input() => continue,
            Ok(Step::NeedMore) if received == bytes.len() => {
                events.push(Event::Incomplete);
                return events;
            }
            Ok(Step::NeedMore) => {
                let piece = pieces.next().map_or(1, |&piece| piece.max(1));
                received = bytes.len().min(received.saturating_add(piece));
                continue;
            }
            Ok(Step::Value {
                used: line,
                index,
                header,
            }) => {
                missing = header.length;
                push_value(&mut events, index, header, &[]);
                line
            }
            Ok(Step::Whole {
                used: line,
                index,
                header,
                tail,
            }) => {
                let data = &bytes[used + line..][..header.length];
                push_value(&mut events, index, header, data);
                line + header.length + tail
            }
            // The value has said that it is there.
            Ok(Step::Skip { used: line } | Step::EndOfValue { used: line, .. }) => line,
            Ok(Step::Part { used: line, part }) => {
                events.push(Event::Part(format!("{part:?}")));
                line
            }
            Ok(Step::LineError { used: line, index }) => {
                let reply = decoder.line_error();
                events.push(Event::Reply(index, format!("{reply:?}")));
                line
            }
            Ok(Step::Reply {
                used: line,
                index,
                reply,
            }) => {
                events.push(Event::Reply(index, format!("{reply:?}")));
                line
            }
        };
        used += line;
        if decoder.is_done() {
            events.push(Event::Done {
                surplus: bytes.len() - used,
            });
            return events;
        }
    }
}

fn push_value(events: &mut Vec<Event>, index: usize, header: ValueHeader, data: &[u8]) {
    if header.details != Details::default() {
        events.push(Event::Details(header.details));
    }
    events.push(Event::Value {
        index,
        flags: header.flags,
        cas: header.cas,
        data: data.to_vec(),
    });
}
