use super::requests::requests;
use crate::conn::Protocol;
use crate::protocol::replay::{Event, replay};
use crate::protocol::{Dialect, Limits, Output, Request, Window};

/// The longest value that the decoders take here.
const MAX_VALUE: usize = 1 << 10;

/// Any bytes, as the replies to the requests of one window: the same in pieces of any lengths, and
/// each request has one reply, unless the bytes are malformed or end too soon.
///
/// `input` is a letter for each request, a line feed, two bytes for the lengths of the pieces, and the
/// replies.
pub fn replies(protocol: Protocol, input: &[u8]) {
    let Some(dialect) = protocol.dialect() else {
        return;
    };
    let mut parts = input.splitn(2, |&byte| byte == b'\n');
    let (Some(letters), Some([one, other, bytes @ ..])) = (parts.next(), parts.next()) else {
        return;
    };
    let requests = window(dialect, letters);
    if requests.is_empty() {
        return;
    }
    in_any_pieces(dialect, &requests, bytes, &[1]);
    let pieces = [usize::from(*one), usize::from(*other)];
    let events = in_any_pieces(dialect, &requests, bytes, &pieces);
    let mut replies = vec![0; requests.len()];
    for event in &events {
        if let Event::Value { index, .. } | Event::Reply(index, _) = event {
            replies[*index] += 1;
        }
    }
    let is_complete = matches!(events.last(), Some(Event::Done { .. }));
    let is_right = |&count: &i32| count == 1 || count == 0 && !is_complete;
    assert!(replies.iter().all(is_right), "{replies:?}: {events:?}");
}

/// What comes of `bytes` is the same in one piece and in `pieces`.
pub(super) fn in_any_pieces(
    dialect: Dialect,
    requests: &[Request<'_>],
    bytes: &[u8],
    pieces: &[usize],
) -> Vec<Event> {
    let replay = |pieces| replay(dialect, requests, MAX_VALUE, bytes, pieces);
    let (whole, in_pieces) = (replay(&[usize::MAX]), replay(pieces));
    assert_eq!(in_pieces, whole, "in pieces of {pieces:?}");
    whole
}

/// The requests that the letters stand for, as many as fit one window. Those that the protocol does
/// not have are left out.
fn window(dialect: Dialect, letters: &[u8]) -> Vec<Request<'static>> {
    let mut requests = requests(dialect, letters);
    requests.retain(|request| dialect.check(request).is_ok());
    if !requests.is_empty() {
        let (all, mut output) = ((0, requests.len()), Output::default());
        let window = Window::encode(dialect, &requests, all, Limits::TCP, true, 0, &mut output);
        let end = window.end;
        requests.truncate(end);
    }
    requests
}
