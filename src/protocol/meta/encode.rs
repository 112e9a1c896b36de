use crate::key::{Key, base64};
use crate::meta_options::Wanted;
use crate::protocol::meta_line::got;
use crate::protocol::options::More;
use crate::protocol::options::{Direction, Mode};
use crate::protocol::output::Output;
use crate::protocol::request::Request;
use crate::protocol::text;

/// Encodes one request.
pub(super) fn encode<'a>(request: &Request<'a>, quiet: bool, opaque: u32, out: &mut Output<'a>) {
    let Some(key) = request.key() else {
        return text::encode(request, out);
    };
    out.push(match request {
        Request::Store { .. } | Request::MetaSet { .. } => b"ms ",
        Request::Delete { .. } | Request::MetaDelete { .. } => b"md ",
        Request::Arithmetic { .. } | Request::MetaArithmetic { .. } => b"ma ",
        _ => b"mg ",
    });
    encode_key(key, out);
    let body = request.body();
    if let Some(body) = body {
        out.byte(b' ');
        out.number(body.len() as u64);
    }
    flag(key.is_binary(), b'b', out);
    flag(quiet, b'q', out);
    encode_flags(request, out);
    // A store that is quiet has no reply but an error, and that carries none.
    if !(quiet && body.is_some()) {
        token(b'O', Some(opaque), out);
    }
    out.push(b"\r\n");
    if let Some(body) = body {
        out.body(body);
        out.push(b"\r\n");
    }
}

/// As it is, or in base64: the standard alphabet, with padding, which memcached insists on.
fn encode_key(key: Key<'_>, out: &mut Output<'_>) {
    if key.is_binary() {
        base64::encode(key.as_bytes(), |letter| out.byte(letter));
    } else {
        out.push(key.as_bytes());
    }
}

/// What the request says besides. Flags that change the item go first: the server works through them
/// one by one, and what it returns is to be the state after them.
fn encode_flags(request: &Request<'_>, out: &mut Output<'_>) {
    match request {
        Request::Get { cas, .. } => wanted(got(*cas), out),
        Request::GetAndTouch { exptime, cas, .. } => {
            token(b'T', Some(*exptime), out);
            wanted(got(*cas), out);
        }
        Request::Touch { exptime, .. } => token(b'T', Some(*exptime), out),
        Request::MetaGet { options, .. } => {
            token(b'T', options.touch, out);
            token(b'N', options.vivify, out);
            token(b'R', options.recache, out);
            token(b'C', options.unless_cas, out);
            wanted(options.wanted, out);
            more(options.more, out);
        }
        Request::Store {
            mode,
            item,
            exptime,
            ..
        } => stored(*mode, item.flags, *exptime, out),
        Request::MetaSet {
            item,
            exptime,
            options,
            ..
        } => {
            stored(options.mode, item.flags, *exptime, out);
            token(b'C', options.cas, out);
            flag(options.invalidate, b'I', out);
            flag(options.return_cas, b'c', out);
            flag(options.asks_for_size(), b's', out);
            more(options.more, out);
        }
        Request::Delete { cas, .. } => token(b'C', *cas, out),
        Request::MetaDelete { options, .. } => {
            token(b'C', options.cas, out);
            flag(options.invalidate, b'I', out);
            token(b'T', options.exptime, out);
            flag(options.tombstone, b'x', out);
            more(options.more, out);
        }
        Request::Arithmetic {
            direction,
            delta,
            initial,
            ..
        } => {
            counted(*direction, *delta, out);
            token(b'N', initial.map(|initial| initial.exptime), out);
            token(b'J', initial.map(|initial| initial.value), out);
            flag(true, b'v', out);
        }
        Request::MetaArithmetic { options, .. } => {
            counted(options.direction, options.delta, out);
            token(b'N', options.initial.map(|initial| initial.exptime), out);
            token(b'J', options.initial.map(|initial| initial.value), out);
            token(b'C', options.cas, out);
            token(b'T', options.touch, out);
            flag(true, b'v', out);
            wanted(options.wanted, out);
            more(options.more, out);
        }
        // They have no key.
        Request::FlushAll { .. }
        | Request::Verbosity { .. }
        | Request::Stats { .. }
        | Request::Version
        | Request::Authenticate { .. }
        | Request::Metadump { .. }
        | Request::Raw { .. } => {}
    }
}

fn stored(mode: Mode, flags: u32, exptime: u32, out: &mut Output<'_>) {
    token(b'F', Some(flags).filter(|&flags| flags != 0), out);
    token(b'T', Some(exptime).filter(|&exptime| exptime != 0), out);
    match mode {
        Mode::Set => {}
        Mode::Add => out.push(b" ME"),
        Mode::Replace => out.push(b" MR"),
        Mode::Append => out.push(b" MA"),
        Mode::Prepend => out.push(b" MP"),
        Mode::Cas(id) => token(b'C', Some(id), out),
    }
}

fn counted(direction: Direction, delta: u64, out: &mut Output<'_>) {
    if direction == Direction::Down {
        out.push(b" MD");
    }
    token(b'D', Some(delta), out);
}

fn more(more: Option<&More>, out: &mut Output<'_>) {
    let Some(more) = more else { return };
    token(b'E', more.new_cas, out);
    token(b'N', more.vivify, out);
    for flag in more.flags.iter() {
        out.byte(b' ');
        out.push(flag);
    }
}

fn wanted(wanted: Wanted, out: &mut Output<'_>) {
    wanted.letters().for_each(|letter| flag(true, letter, out));
}

fn flag(is_set: bool, letter: u8, out: &mut Output<'_>) {
    if is_set {
        out.push(&[b' ', letter]);
    }
}

fn token(letter: u8, number: Option<impl Into<u64>>, out: &mut Output<'_>) {
    if let Some(number) = number {
        out.push(&[b' ', letter]);
        out.number(number);
    }
}
