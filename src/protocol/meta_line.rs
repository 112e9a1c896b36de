use super::decoder::Decoder;
use super::lines::{length, number};
use super::options::Mode;
use super::reply::{Excerpt, Malformed, Reply, SetReply, Status, ValueHeader};
use super::request::Request;
use crate::meta_options::Wanted;

/// What a line means to the request that it is for.
#[derive(Debug)]
pub(super) enum Meaning {
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
pub(super) struct Line<'b> {
    text: &'b [u8],
    code: &'b [u8],
    opaque: u32,
    header: ValueHeader,
    /// Which flags it carries.
    seen: Wanted,
    /// And which that nothing here asks for: a bit for each letter.
    others: u128,
}

impl<'b> Line<'b> {
    /// `None` if it begins with none of the codes.
    pub(super) fn parse(text: &'b [u8], max: usize) -> Result<Option<Self>, Malformed> {
        let mut words = text.split(|&byte| byte == b' ');
        let code = words.next().unwrap_or_default();
        let mut header = ValueHeader::default();
        match code {
            b"VA" => header.length = length(words.next().unwrap_or_default(), max, text)?,
            b"HD" | b"EN" | b"NF" | b"NS" | b"EX" => {}
            _ => return Ok(None),
        }
        let (mut seen, mut others, mut opaque) = (Wanted::NONE, 0, None);
        for word in words {
            let (&letter, token) = word.split_first().ok_or_else(|| unexpected(text))?;
            let is_new = match letter {
                b'O' => opaque.replace(small(token, text)?).is_none(),
                b'W' => mark(&mut header.details.won, token),
                b'X' => mark(&mut header.details.stale, token),
                b'Z' => mark(&mut header.details.already_won, token),
                _ if Wanted::NONE.with(letter) != Wanted::NONE => {
                    fact(letter, token, &mut header, text)?;
                    let before = seen;
                    seen = seen.with(letter);
                    !before.has(letter)
                }
                _ => {
                    let before = others;
                    others |= bit(letter);
                    before != others
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
            others,
        }))
    }

    /// Whether data follows.
    pub(super) fn has_value(&self) -> bool {
        self.code == b"VA"
    }

    /// The request of the window that it is for.
    pub(super) fn index(&self, decoder: &Decoder<'_>) -> Result<usize, Malformed> {
        let window = &decoder.window;
        let offset = usize::try_from(self.opaque.wrapping_sub(window.opaque));
        let index = offset.ok().and_then(|it| it.checked_add(window.start));
        let index = index.filter(|&it| it < window.end);
        index.ok_or(Malformed::WrongOpaque)
    }

    pub(super) fn meaning(&self, request: &Request<'_>) -> Result<Meaning, Malformed> {
        let expected = expected(request);
        let is_hit = matches!(self.code, b"VA" | b"HD");
        let details = &self.header.details;
        let is_marked = details.won || details.stale || details.already_won;
        if self.others != 0 && self.others & !asked_for(request) != 0 {
            return Err(unexpected(self.text));
        }
        // A server that does not know the flag leaves it out.
        let seen = if asks_for_size(request) {
            self.seen.with(b's')
        } else {
            self.seen
        };
        let is_whole = if is_hit {
            seen == expected && (!is_marked || is_get(request))
        } else {
            // Where there is no item, all of it may be left out.
            self.seen.is_within(expected) && !is_marked
        };
        let meaning = is_whole.then(|| self.of(request)).flatten();
        match meaning.ok_or_else(|| unexpected(self.text))? {
            Meaning::Reply(reply) if asks_for_size(request) => Ok(Meaning::Reply(self.set(&reply))),
            meaning => Ok(meaning),
        }
    }

    /// The reply to a set that asks for the size.
    fn set(&self, reply: &Reply<'_>) -> Reply<'static> {
        let status = match reply {
            Reply::Status(status) => *status,
            _ => Status::Stored,
        };
        Reply::Set(SetReply {
            status,
            cas: self.header.cas.filter(|_| status == Status::Stored),
            size: self.seen.has(b's').then_some(self.header.details.size),
        })
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
            (b"HD", R::MetaGet { options, .. }) if options.unless_cas.is_some() => {
                let mut header = self.header;
                header.details.is_left_out = true;
                let is_it = header.cas == options.unless_cas;
                return is_it.then_some(Meaning::Header(header));
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
        Request::MetaSet { options, .. } => {
            let cas = if options.return_cas {
                Wanted::NONE.with(b'c')
            } else {
                Wanted::NONE
            };
            if options.asks_for_size() {
                cas.with(b's')
            } else {
                cas
            }
        }
        Request::MetaArithmetic { options, .. } => options.wanted,
        _ => Wanted::NONE,
    };
    wanted.without(b'v').without(b'u')
}

fn asks_for_size(request: &Request<'_>) -> bool {
    matches!(request, Request::MetaSet { options, .. } if options.asks_for_size())
}

/// The letters of the flags of the program's own.
fn asked_for(request: &Request<'_>) -> u128 {
    let more = match request {
        Request::MetaGet { options, .. } => options.more,
        Request::MetaSet { options, .. } => options.more,
        Request::MetaDelete { options, .. } => options.more,
        Request::MetaArithmetic { options, .. } => options.more,
        _ => None,
    };
    let letters = more.into_iter().flat_map(|more| more.flags.iter());
    letters.fold(0, |bits, flag| {
        bits | flag.first().map_or(0, |&letter| bit(letter))
    })
}

/// One bit for each letter of ASCII. What is none has that of 0, which no flag begins with.
fn bit(letter: u8) -> u128 {
    if letter.is_ascii() { 1 << letter } else { 1 }
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

/// Whether a value follows a line that is the reply to a command with a key; `None` if it is none.
pub(super) fn is_reply(line: &[u8], max: usize) -> Option<bool> {
    let parsed = Line::parse(line, max).ok()??;
    Some(parsed.has_value())
}

/// What a plain get asks for.
pub(super) const fn got(cas: bool) -> Wanted {
    let wanted = Wanted::NONE.with(b'v').with(b'f');
    if cas { wanted.with(b'c') } else { wanted }
}

pub(super) fn unexpected(line: &[u8]) -> Malformed {
    Malformed::Unexpected(Excerpt::new(line))
}
