use crate::item::ItemRef;
use crate::key::{Key, KeyRule};
use crate::meta_options::Wanted;
use crate::protocol::{
    ArithmeticOptions, Confidential, DeleteOptions, Dialect, Direction, GetOptions, Initial, Mode,
    Request, SetOptions, StatsArguments, Walk,
};

/// The keys that are asked for, in turn. One comes twice.
const KEYS: [&[u8]; 4] = [b"key", b"b", b"c", b"key"];

/// The same for keys of any bytes.
const BINARY_KEYS: [&[u8]; 4] = [b"a key", b"\xff", b" ", b"a key"];

/// A key as long as can be: some sixty of them fill a window.
const LONG_KEY: &[u8] = &[b'k'; 250];

/// A value that is sent from where it is.
static LARGE: [u8; 20 << 10] = [b'v'; 20 << 10];

/// The most requests that are made of letters.
const MOST: usize = 600;

/// The requests that the letters stand for. A byte from 0x80 on repeats the request before it, so
/// often as it is more than that.
pub(super) fn requests(dialect: Dialect, letters: &[u8]) -> Vec<Request<'static>> {
    let mut requests = Vec::new();
    let mut last = b' ';
    for &letter in letters {
        let count = match letter.checked_sub(0x80) {
            Some(more) => usize::from(more),
            None => {
                last = letter;
                1
            }
        };
        for _ in 0..count.min(MOST - requests.len()) {
            requests.extend(request(dialect, last, requests.len()));
        }
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
        b'T' => Request::GetAndTouch {
            key,
            exptime: 60,
            cas: true,
        },
        b'l' => Request::Get {
            key: KeyRule::Printable.key(LONG_KEY).ok()?,
            cas: false,
        },
        b's' => store(Mode::Set, key),
        b'B' => store(Mode::Set, binary_key(dialect, place)?),
        b'L' => Request::Store {
            mode: Mode::Set,
            key,
            item: ItemRef {
                flags: 7,
                data: &LARGE,
            },
            exptime: 60,
        },
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
        b'F' => Request::FlushAll { delay: 1 },
        b'b' => Request::Verbosity { level: 1 },
        b'v' => Request::Version,
        b'y' => Request::Authenticate {
            message: Confidential(b"user password"),
        },
        b'S' => stats("")?,
        b'R' => stats("reset")?,
        b'e' => stats("sizes_enable")?,
        b'E' => stats("detail dump")?,
        b'k' => Request::Metadump { walk: Walk::Hash },
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
                more: None,
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
        b'V' => Request::MetaGet {
            key,
            options: GetOptions {
                wanted: wanted(b"vft"),
                touch: Some(60),
                vivify: Some(30),
                recache: Some(20),
                ..GetOptions::default()
            },
        },
        b'A' => Request::MetaSet {
            key,
            item: ITEM,
            exptime: 60,
            options: SetOptions {
                mode: Mode::Append,
                cas: None,
                invalidate: false,
                return_cas: false,
                more: None,
            },
        },
        b'X' => Request::MetaDelete {
            key,
            options: DeleteOptions {
                exptime: Some(30),
                tombstone: true,
                ..DeleteOptions::default()
            },
        },
        b'U' => Request::MetaArithmetic {
            key,
            options: ArithmeticOptions {
                direction: Direction::Down,
                delta: 2,
                initial: None,
                touch: Some(60),
                cas: Some(1),
                wanted: Wanted::NONE,
                more: None,
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
                more: None,
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
