//! What a server that lies makes of a right reply. All of these lies can be told from the truth: a
//! well-formed reply of the right kind, to the right request, with wrong contents cannot, by any
//! client, and so is none of them.

use super::super::Random;
use super::fault::{Fault, Length};
use super::frame::{Exchange, HEADER, Message};
use super::history::History;
use std::ops::Range;

/// The reply with the fault in it; `None` if there is no place for it.
pub fn forge(
    fault: &Fault,
    exchange: &Exchange,
    reply: &[u8],
    history: &History,
    session: u64,
    random: &mut Random,
) -> Option<Vec<u8>> {
    let messages = Message::all(reply);
    // The place of one of the messages that `change` can do something about, and what it is then.
    let mut one = |change: &dyn Fn(&Message<'_>) -> Option<Change>| {
        let changes = messages.iter().filter_map(|(at, message)| {
            let (range, with) = change(message)?;
            Some((at + range.start..at + range.end, with))
        });
        let changes: Vec<Change> = changes.collect();
        let (range, with) = (!changes.is_empty()).then(|| random.pick(&changes))?;
        let mut forged = reply.to_vec();
        forged.splice(range.clone(), with.iter().copied());
        Some(forged)
    };
    match fault {
        Fault::ForgedKey => one(&forged_key),
        Fault::ForgedOpaque => one(&forged_opaque),
        Fault::ForgedCommand => one(&|message| {
            message
                .is_packet()
                .then(|| (1..2, vec![message.bytes[1] ^ 0x40]))
        }),
        Fault::Doubled => one(&|message| {
            // A line that says nothing about its request may well come twice.
            let is_clear = message.data.is_some() || message.opaque().is_some();
            let end = message.bytes.len();
            is_clear.then(|| (end..end, message.bytes.to_vec()))
        }),
        Fault::NoLineEnd => one(&|message| {
            let end = message.data.as_ref()?.end;
            Some((end..end + 2, Vec::new()))
        }),
        Fault::Truncated => one(&|message| {
            let data = message.data.clone().filter(|data| !data.is_empty())?;
            Some((data.end - 1..data.end, Vec::new()))
        }),
        Fault::BadLength(length) => one(&|message| bad_length(message, *length)),
        Fault::Garbage(bytes) => Some(bytes.clone()),
        Fault::Surplus(bytes) => Some([reply, bytes].concat()),
        Fault::ReplayOwn => history.replay(session, exchange, random, |of| of == session),
        Fault::ReplayOther => history.replay(session, exchange, random, |of| of != session),
        _ => None,
    }
}

/// A part of a message, and what comes in its place.
type Change = (Range<usize>, Vec<u8>);

fn forged_key(message: &Message<'_>) -> Option<Change> {
    if message.is_packet() {
        // A value of which the first byte is the key.
        let is_value = message.bytes[4] == 4 && message.bytes[2..4] == [0, 0];
        let is_long = message.bytes.len() > HEADER + 4;
        return (is_value && is_long).then(|| (2..4, vec![0, 1]));
    }
    let words = message.words();
    let first = *words.get(1).filter(|_| words[0] == b"VALUE")?.first()?;
    let at = b"VALUE ".len();
    Some((at..at + 1, vec![if first == b'~' { b'!' } else { b'~' }]))
}

/// How much is added to an opaque: none of those under way is near.
const FAR: u32 = 1_000_000_000;

fn forged_opaque(message: &Message<'_>) -> Option<Change> {
    let forged = message.opaque()?.wrapping_add(FAR);
    if message.is_packet() {
        return Some((12..16, forged.to_be_bytes().to_vec()));
    }
    let words = message.words();
    let index = words.iter().rposition(|word| word.starts_with(b"O"))?;
    Some((place(&words, index), format!("O{forged}").into_bytes()))
}

fn bad_length(message: &Message<'_>, length: Length) -> Option<Change> {
    if message.is_packet() {
        return Some(match length {
            // Of a value: whatever else there is, is short.
            Length::Gigabyte if message.bytes[4] == 4 => (8..12, vec![0x3f, 0xff, 0xff, 0xff]),
            Length::Gigabyte => return None,
            Length::Huge | Length::Overflow => (8..12, vec![0xff; 4]),
            Length::Negative | Length::NotANumber => (4..5, vec![0xff]),
        });
    }
    message.data.as_ref()?;
    let words = message.words();
    let text = match length {
        Length::Gigabyte => "1073741823",
        Length::Huge => "4294967295",
        Length::Negative => "-1",
        Length::NotANumber => "1e3",
        Length::Overflow => "18446744073709551617",
    };
    Some((place(&words, message.length_word()?), text.into()))
}

/// Where a word of a line is.
fn place(words: &[&[u8]], index: usize) -> Range<usize> {
    let start = words[..index].iter().map(|word| word.len() + 1).sum();
    start..start + words[index].len()
}
