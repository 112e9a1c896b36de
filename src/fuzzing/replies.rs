use crate::conn::Protocol;
use crate::item::ItemRef;
use crate::key::{Key, KeyRule};
use crate::meta::Wanted;
use crate::protocol::replay::{Event, replay};
use crate::protocol::{
    ArithmeticOptions, DeleteOptions, Dialect, Direction, GetOptions, Initial, Limits, Mode,
    Output, Request, SetOptions, StatsArguments, Window,
};

/// The longest value that the decoders take here.
const MAX_VALUE: usize = 1 << 10;

/// The keys that are asked for, in turn. One comes twice.
const KEYS: [&[u8]; 4] = [b"key", b"b", b"c", b"key"];

/// The same for keys of any bytes.
const BINARY_KEYS: [&[u8]; 4] = [b"a key", b"\xff", b" ", b"a key"];

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
    let requests = letters.iter().enumerate();
    let mut requests: Vec<_> = requests
        .filter_map(|(place, &letter)| request(dialect, letter, place))
        .filter(|request| dialect.check(request).is_ok())
        .collect();
    if !requests.is_empty() {
        let (all, mut output) = ((0, requests.len()), Output::default());
        let window = Window::encode(dialect, &requests, all, Limits::TCP, true, 0, &mut output);
        let end = window.end;
        requests.truncate(end);
    }
    requests
}

/// The request that a letter stands for; `place` chooses its key.
fn request(dialect: Dialect, letter: u8, place: usize) -> Option<Request<'static>> {
    let key = KeyRule::Printable.key(KEYS[place % KEYS.len()]).ok()?;
    Some(match letter {
        b'g' => Request::Get { key, cas: false },
        b'c' => Request::Get { key, cas: true },
        b'G' => Request::Get {
            key: binary_key(dialect, place)?,
            cas: false,
        },
        b'C' => Request::Get {
            key: binary_key(dialect, place)?,
            cas: true,
        },
        b't' => Request::GetAndTouch {
            key,
            exptime: 60,
            cas: false,
        },
        b's' => store(Mode::Set, key),
        b'a' => store(Mode::Add, key),
        b'r' => store(Mode::Replace, key),
        b'p' => store(Mode::Append, key),
        b'P' => store(Mode::Prepend, key),
        b'w' => store(Mode::Cas(1), key),
        b'd' => Request::Delete { key, cas: None },
        b'D' => Request::Delete { key, cas: Some(1) },
        b'h' => Request::Touch { key, exptime: 60 },
        b'i' => count(Direction::Up, key, None),
        b'I' => count(Direction::Up, key, Some(INITIAL)),
        b'j' => count(Direction::Down, key, None),
        b'f' => Request::FlushAll { delay: 0 },
        b'b' => Request::Verbosity { level: 1 },
        b'v' => Request::Version,
        b'S' => stats("")?,
        b'e' => stats("sizes_enable")?,
        b'E' => stats("detail dump")?,
        b'k' => Request::Metadump,
        letter => return meta_request(letter, key),
    })
}

/// One of the meta commands.
fn meta_request(letter: u8, key: Key<'static>) -> Option<Request<'static>> {
    Some(match letter {
        b'm' => meta_get(b"vfcthls", key),
        b'n' => meta_get(b"", key),
        b'M' => Request::MetaSet {
            key,
            item: ITEM,
            exptime: 60,
            options: SetOptions {
                mode: Mode::Set,
                cas: Some(1),
                invalidate: true,
                return_cas: true,
            },
        },
        b'x' => Request::MetaDelete {
            key,
            options: DeleteOptions {
                cas: Some(1),
                invalidate: true,
                ..DeleteOptions::default()
            },
        },
        b'u' => Request::MetaArithmetic {
            key,
            options: ArithmeticOptions {
                direction: Direction::Up,
                delta: 1,
                initial: Some(INITIAL),
                touch: None,
                cas: None,
                wanted: wanted(b"tc"),
            },
        },
        _ => return None,
    })
}

const ITEM: ItemRef<'static> = ItemRef {
    flags: 7,
    data: b"data",
};

const INITIAL: Initial = Initial {
    value: 1,
    exptime: 60,
};

/// A key of any bytes, where the protocol has them.
fn binary_key(dialect: Dialect, place: usize) -> Option<Key<'static>> {
    let rule = match dialect {
        Dialect::Text => return None,
        Dialect::Meta => KeyRule::Base64,
        Dialect::Binary => KeyRule::Counted,
    };
    rule.key(BINARY_KEYS[place % BINARY_KEYS.len()]).ok()
}

fn store(mode: Mode, key: Key<'static>) -> Request<'static> {
    Request::Store {
        mode,
        key,
        item: ITEM,
        exptime: 60,
    }
}

fn count(direction: Direction, key: Key<'static>, initial: Option<Initial>) -> Request<'static> {
    Request::Arithmetic {
        direction,
        key,
        delta: 1,
        initial,
    }
}

fn stats(arguments: &'static str) -> Option<Request<'static>> {
    let arguments = StatsArguments::new(arguments).ok()?;
    Some(Request::Stats { arguments })
}

fn meta_get(letters: &[u8], key: Key<'static>) -> Request<'static> {
    let options = GetOptions {
        wanted: wanted(letters),
        ..GetOptions::default()
    };
    Request::MetaGet { key, options }
}

fn wanted(letters: &[u8]) -> Wanted {
    letters.iter().fold(Wanted::NONE, |all, &it| all.with(it))
}
