//! The meta protocol: "Meta Commands" in memcached's `doc/protocol.txt`, as memcached has them since
//! 1.6.18. A reply carries the opaque of its request: a number, counted up from request to request.
//!
//! Gets in a row share classic `get` lines here, too: those are faster than any `mg`s.

use super::decoder::{Decoder, Place};
use super::lines::{first_line, length, number, refused};
use super::output::Output;
use super::reply::{Counter, Excerpt, Malformed, Refused, Reply, Status, Step, ValueHeader};
use super::request::{Direction, Mode, Request};
use super::text;
use crate::key::Key;
use crate::meta::Wanted;

/// Encodes all of `requests`. Each has an opaque, one more than the one before it. Quietly, the
/// replies that say nothing new are left out, and a fence tells when all others have come.
pub(super) fn encode_all<'a>(
    requests: &[Request<'a>],
    quiet: bool,
    opaque: u32,
    out: &mut Output<'a>,
) {
    let (mut rest, mut opaque) = (requests, opaque);
    while let Some(request) = rest.first() {
        let run = if quiet { 1 } else { text::run(rest) };
        let opaques = u32::try_from(run).unwrap_or(u32::MAX);
        if run > 1 {
            text::encode_all(&rest[..run], out);
        } else {
            encode(request, quiet, opaque, out);
        }
        opaque = opaque.wrapping_add(opaques);
        rest = &rest[run..];
    }
    if quiet {
        out.push(b"mn\r\n");
    }
}

/// Whether it may share a classic `get` line with others.
pub(super) fn is_classic(request: &Request<'_>) -> bool {
    matches!(request, Request::Get { key, .. } if !key.is_binary())
}

fn encode<'a>(request: &Request<'a>, quiet: bool, opaque: u32, out: &mut Output<'a>) {
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
    token(b'O', Some(opaque), out);
    out.push(b"\r\n");
    if let Some(body) = body {
        out.body(body);
        out.push(b"\r\n");
    }
}

/// As it is, or in base64: the standard alphabet, with padding, which memcached insists on.
fn encode_key(key: Key<'_>, out: &mut Output<'_>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if !key.is_binary() {
        return out.push(key.as_bytes());
    }
    for group in key.as_bytes().chunks(3) {
        let byte = |at: usize| usize::from(group.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let is_padding = at > group.len();
            let letter = ALPHABET[bits >> (18 - 6 * at) & 0x3f];
            out.byte(if is_padding { b'=' } else { letter });
        }
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
            wanted(options.wanted, out);
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
        }
        Request::Delete { cas, .. } => token(b'C', *cas, out),
        Request::MetaDelete { options, .. } => {
            token(b'C', options.cas, out);
            flag(options.invalidate, b'I', out);
            token(b'T', options.exptime, out);
            flag(options.tombstone, b'x', out);
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
        }
        // They have no key.
        Request::FlushAll { .. }
        | Request::Verbosity { .. }
        | Request::Stats { .. }
        | Request::Version
        | Request::Metadump => {}
    }
}

/// What a plain get asks for.
const fn got(cas: bool) -> Wanted {
    let wanted = Wanted::NONE.with(b'v').with(b'f');
    if cas { wanted.with(b'c') } else { wanted }
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

/// The next step of the reply that is due.
pub(super) fn decode<'b>(
    decoder: &mut Decoder<'_>,
    input: &'b [u8],
) -> Result<Step<'b>, Malformed> {
    match decoder.due() {
        Some(Request::Get { cas, .. }) if shares_line(decoder) => {
            text::values(decoder, *cas, input)
        }
        Some(request) if request.key().is_none() => text::decode(decoder, input),
        None if !decoder.window.quiet => Ok(Step::NeedMore),
        _ => match decoder.place {
            Place::EndOfValue => Ok(match text::after_data(input)? {
                Some(_) => decoder.reply(2, Reply::Hit),
                None => Step::NeedMore,
            }),
            Place::EndOfHeader => Ok(decoder.reply(0, Reply::Hit)),
            _ if decoder.next < decoder.found => Ok(implied(decoder)),
            _ => match first_line(input)? {
                None => Ok(Step::NeedMore),
                Some((line, used)) if decoder.window.quiet => quiet(decoder, input, line, used),
                Some((line, used)) => loud(decoder, input, line, used),
            },
        },
    }
}

/// Whether the request that is due is one of those of a classic `get` line.
fn shares_line(decoder: &Decoder<'_>) -> bool {
    let rest = &decoder.requests[decoder.next..decoder.window.end];
    !decoder.window.quiet && (decoder.next < decoder.group_end || text::run(rest) > 1)
}

/// A line of a window in which each request has its reply.
fn loud<'b>(
    decoder: &mut Decoder<'_>,
    input: &'b [u8],
    line: &'b [u8],
    used: usize,
) -> Result<Step<'b>, Malformed> {
    let Some(parsed) = Line::parse(line, decoder.max_value)? else {
        let refused = refused(line).map(Reply::Refused);
        return Ok(decoder.reply(used, refused.ok_or_else(|| unexpected(line))?));
    };
    if parsed.index(decoder)? != decoder.next {
        return Err(Malformed::WrongOpaque);
    }
    let meaning = parsed.meaning(&decoder.requests[decoder.next])?;
    take(decoder, meaning, &input[used..], used)
}

/// A line of a window in which only surprises have replies, and then the fence comes.
fn quiet<'b>(
    decoder: &mut Decoder<'_>,
    input: &'b [u8],
    line: &'b [u8],
    used: usize,
) -> Result<Step<'b>, Malformed> {
    if let Some(refused) = refused(line) {
        return error(decoder, refused, &input[used..], used);
    }
    let identified = identify(decoder, line)?;
    let index = identified.map_or(decoder.window.end, |(index, _)| index);
    if decoder.next < index {
        decoder.found = index;
        return Ok(implied(decoder));
    }
    if let Some((_, meaning)) = identified {
        return take(decoder, meaning, &input[used..], used);
    }
    decoder.fence = false;
    Ok(Step::Skip { used })
}

/// The request of a quiet window that a line is for, and what it means to it; `None` for the fence.
/// The requests from the one that is due up to it have no reply of their own.
fn identify(decoder: &Decoder<'_>, line: &[u8]) -> Result<Option<(usize, Meaning)>, Malformed> {
    if line == b"MN" {
        return Ok(None);
    }
    let parsed = Line::parse(line, decoder.max_value)?.ok_or_else(|| unexpected(line))?;
    let index = parsed.index(decoder)?;
    if index < decoder.next {
        return Err(Malformed::WrongOpaque);
    }
    let meaning = parsed.meaning(&decoder.requests[index])?;
    Ok(Some((index, meaning)))
}

/// What no reply means, for the request that is due.
fn implied(decoder: &mut Decoder<'_>) -> Step<'static> {
    let status = match decoder.due() {
        Some(Request::Store { .. }) => Status::Stored,
        _ => Status::NotFound,
    };
    decoder.reply(0, Reply::Status(status))
}

/// An error in a quiet window: it carries no opaque. `rest` is what comes after its line.
fn error<'b>(
    decoder: &mut Decoder<'_>,
    refused: Refused<'b>,
    rest: &[u8],
    used: usize,
) -> Result<Step<'b>, Malformed> {
    if decoder.requests[decoder.window.start].body().is_some() {
        // The server may run the value for commands: nothing that comes after is clear.
        if refused.by_grammar {
            return Err(unexpected(refused.line));
        }
        decoder.unclear = true;
        return Ok(Step::Skip { used });
    }
    // One of the gets up to the next that has a reply: which ones of them are misses is not known.
    let Some((line, _)) = first_line(rest)? else {
        return Ok(Step::NeedMore);
    };
    if self::refused(line).is_some() {
        return Ok(Step::Skip { used });
    }
    let identified = identify(decoder, line)?;
    let index = identified.map_or(decoder.window.end, |(index, _)| index);
    if index == decoder.next {
        return Err(unexpected(refused.line));
    }
    let is_last = decoder.next + 1 == index;
    Ok(decoder.reply(if is_last { used } else { 0 }, Reply::Refused(refused)))
}

/// The step that a line of `used` bytes is, for the request that is due. `rest` comes after it.
fn take<'b>(
    decoder: &mut Decoder<'_>,
    meaning: Meaning,
    rest: &[u8],
    used: usize,
) -> Result<Step<'b>, Malformed> {
    let (place, header) = match meaning {
        Meaning::Reply(reply) => return Ok(decoder.reply(used, reply)),
        Meaning::Number(header) | Meaning::Counter(header) => {
            let Some((digits, more)) = first_line(rest)? else {
                return Ok(Step::NeedMore);
            };
            let number = number(digits).filter(|_| digits.len() == header.length);
            let number = number.ok_or_else(|| unexpected(digits))?;
            let reply = match meaning {
                Meaning::Counter(_) => Reply::Counter(Counter {
                    number,
                    cas: header.cas,
                    ttl: header.details.ttl,
                }),
                _ => Reply::Number(number),
            };
            return Ok(decoder.reply(used + more, reply));
        }
        Meaning::Value(header) => (Place::EndOfValue, header),
        Meaning::Header(header) => (Place::EndOfHeader, header),
    };
    decoder.place = place;
    Ok(Step::Value {
        used,
        index: decoder.next,
        header,
    })
}

/// What a line means to the request that it is for.
#[derive(Debug, Clone, Copy)]
enum Meaning {
    Reply(Reply<'static>),
    /// The data follows.
    Value(ValueHeader),
    /// No data follows.
    Header(ValueHeader),
    /// The digits of a counter follow.
    Number(ValueHeader),
    Counter(ValueHeader),
}

/// A line about a request: `<code> [<length>] <flags>*`.
struct Line<'b> {
    text: &'b [u8],
    code: &'b [u8],
    opaque: u32,
    header: ValueHeader,
    /// Which flags it carries.
    seen: Wanted,
}

impl<'b> Line<'b> {
    /// `None` if it begins with none of the codes.
    fn parse(text: &'b [u8], max: usize) -> Result<Option<Self>, Malformed> {
        let mut words = text.split(|&byte| byte == b' ');
        let code = words.next().unwrap_or_default();
        let mut header = ValueHeader::default();
        match code {
            b"VA" => header.length = length(words.next().unwrap_or_default(), max, text)?,
            b"HD" | b"EN" | b"NF" | b"NS" | b"EX" => {}
            _ => return Ok(None),
        }
        let (mut seen, mut opaque) = (Wanted::NONE, None);
        for word in words {
            let (&letter, token) = word.split_first().ok_or_else(|| unexpected(text))?;
            let is_new = match letter {
                b'O' => opaque.replace(small(token, text)?).is_none(),
                b'W' => mark(&mut header.details.won, token),
                b'X' => mark(&mut header.details.stale, token),
                b'Z' => mark(&mut header.details.already_won, token),
                _ => {
                    fact(letter, token, &mut header, text)?;
                    let before = seen;
                    seen = seen.with(letter);
                    !before.has(letter)
                }
            };
            if !is_new {
                return Err(unexpected(text));
            }
        }
        Ok(Some(Self {
            text,
            code,
            opaque: opaque.ok_or_else(|| unexpected(text))?,
            header,
            seen,
        }))
    }

    /// The request of the window that it is for.
    fn index(&self, decoder: &Decoder<'_>) -> Result<usize, Malformed> {
        let window = &decoder.window;
        let offset = usize::try_from(self.opaque.wrapping_sub(window.opaque));
        let index = offset.ok().and_then(|it| it.checked_add(window.start));
        let index = index.filter(|&it| it < window.end);
        index.ok_or(Malformed::WrongOpaque)
    }

    fn meaning(&self, request: &Request<'_>) -> Result<Meaning, Malformed> {
        let expected = expected(request);
        let is_hit = matches!(self.code, b"VA" | b"HD");
        let details = &self.header.details;
        let is_marked = details.won || details.stale || details.already_won;
        let is_whole = if is_hit {
            self.seen == expected && (!is_marked || is_get(request))
        } else {
            // Where there is no item, all of it may be left out.
            self.seen.is_within(expected) && !is_marked
        };
        let meaning = is_whole.then(|| self.of(request)).flatten();
        meaning.ok_or_else(|| unexpected(self.text))
    }

    /// `None` if it is no reply to such a request.
    fn of(&self, request: &Request<'_>) -> Option<Meaning> {
        use Request as R;
        let status = match (self.code, request) {
            (b"VA", R::Get { .. } | R::GetAndTouch { .. }) => {
                return Some(Meaning::Value(self.header));
            }
            (b"VA", R::MetaGet { options, .. }) if options.wanted.has(b'v') => {
                return Some(Meaning::Value(self.header));
            }
            (b"HD", R::MetaGet { options, .. }) if !options.wanted.has(b'v') => {
                return Some(Meaning::Header(self.header));
            }
            (b"VA", R::Arithmetic { .. }) => return Some(Meaning::Number(self.header)),
            (b"VA", R::MetaArithmetic { .. }) => return Some(Meaning::Counter(self.header)),
            (b"HD", R::Store { .. } | R::MetaSet { .. }) => {
                let stored = Reply::Status(Status::Stored);
                let reply = self.header.cas.map_or(stored, Reply::Cas);
                return Some(Meaning::Reply(reply));
            }
            (b"HD", R::Delete { .. } | R::MetaDelete { .. }) => Status::Deleted,
            (b"HD", R::Touch { .. }) => Status::Touched,
            (b"EN", request) if is_get(request) => Status::NotFound,
            (b"NS", request) if may_not_store(request) => Status::NotStored,
            (b"EX", request) if has_cas(request) => Status::Exists,
            (b"NF", request) if has_cas(request) => Status::NotFound,
            (
                b"NF",
                R::Delete { .. }
                | R::MetaDelete { .. }
                | R::Arithmetic { .. }
                | R::MetaArithmetic { .. },
            ) => Status::NotFound,
            _ => return None,
        };
        Some(Meaning::Reply(Reply::Status(status)))
    }
}

/// What a hit says about the item, besides its value.
fn expected(request: &Request<'_>) -> Wanted {
    let wanted = match request {
        Request::Get { cas, .. } | Request::GetAndTouch { cas, .. } => got(*cas),
        Request::MetaGet { options, .. } => options.wanted,
        Request::MetaSet { options, .. } if options.return_cas => Wanted::NONE.with(b'c'),
        Request::MetaArithmetic { options, .. } => options.wanted,
        _ => Wanted::NONE,
    };
    wanted.without(b'v').without(b'u')
}

/// Whether it is an `mg`.
fn is_get(request: &Request<'_>) -> bool {
    matches!(
        request,
        Request::Get { .. }
            | Request::GetAndTouch { .. }
            | Request::Touch { .. }
            | Request::MetaGet { .. }
    )
}

/// Whether there may be nothing to store to, or to make.
fn may_not_store(request: &Request<'_>) -> bool {
    match request {
        Request::Store { mode, .. } => !matches!(mode, Mode::Set | Mode::Cas(_)),
        Request::MetaSet { options, .. } => options.mode != Mode::Set,
        Request::Arithmetic { initial, .. } => initial.is_some(),
        Request::MetaArithmetic { options, .. } => options.initial.is_some(),
        _ => false,
    }
}

fn has_cas(request: &Request<'_>) -> bool {
    match request {
        Request::Store { mode, .. } => matches!(mode, Mode::Cas(_)),
        Request::MetaSet { options, .. } => options.cas.is_some(),
        Request::Delete { cas, .. } => cas.is_some(),
        Request::MetaDelete { options, .. } => options.cas.is_some(),
        Request::MetaArithmetic { options, .. } => options.cas.is_some(),
        _ => false,
    }
}

/// One of the things that can be asked for.
fn fact(letter: u8, token: &[u8], header: &mut ValueHeader, line: &[u8]) -> Result<(), Malformed> {
    let details = &mut header.details;
    match (letter, token) {
        (b'f', _) => header.flags = small(token, line)?,
        (b'c', _) => header.cas = Some(number(token).ok_or_else(|| unexpected(line))?),
        (b't', b"-1") => details.ttl = None,
        (b't', _) => details.ttl = Some(small(token, line)?),
        (b'h', b"0") => details.hit_before = Some(false),
        (b'h', b"1") => details.hit_before = Some(true),
        (b'l', _) => details.last_access = small(token, line)?,
        (b's', _) => details.size = small(token, line)?,
        _ => return Err(unexpected(line)),
    }
    Ok(())
}

/// Whether it was not set before.
fn mark(mark: &mut bool, token: &[u8]) -> bool {
    !std::mem::replace(mark, true) && token.is_empty()
}

/// A number that 32 bits hold.
fn small(digits: &[u8], line: &[u8]) -> Result<u32, Malformed> {
    let number = number(digits).and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| unexpected(line))
}

fn unexpected(line: &[u8]) -> Malformed {
    Malformed::Unexpected(Excerpt::new(line))
}

#[cfg(test)]
#[path = "meta_tests.rs"]
mod tests;
