//! Where the reply to a `get` line ends in which an error stands.
//!
//! To a line of several keys memcached answers with a `SERVER_ERROR` in place of everything, `END`
//! included; so do twemproxy and mcrouter. memcached's own proxy answers for each key, and then with
//! `END`: `VALUE a ..`, `SERVER_ERROR backend failure`, `VALUE c ..`, `END`. An error alone does not tell
//! which of the two it is, but what comes after it does, since every request has one reply: both ways
//! are followed through the lines that are there, until only one of them makes sense. Where nothing is
//! under way that could tell, a command is sent whose reply is like no other: a fence.

use super::decoder::{Decoder, Fence};
use super::dialect::Dialect;
use super::lines::{first_line, refused, status};
use super::meta_line::is_reply;
use super::request::{Request, Shape, is_classic, keys_on_line};

/// The most bytes that are looked at: as many as surely fit into an input buffer, of which a line can
/// take half.
const MOST_BYTES: usize = 8 << 10;

/// What an error in the reply to several keys is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// More follows, up to `END`.
    GoesOn,
    /// It is all of the reply, or the end of it.
    Ends,
    /// What comes after it cannot be told apart.
    Unclear,
    /// More bytes are needed.
    NeedMore,
}

/// What an `END` is that comes first, after the error to an earlier line of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Late {
    /// The end of the reply before, which came late.
    Earlier,
    /// The reply that is due.
    Due,
    Unclear,
    NeedMore,
}

/// How far a way to read the lines leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// A line cannot be what it would have to be.
    Wrong,
    /// More replies are to come.
    Open,
    /// All replies are there.
    AtEnd,
    /// A value or the fence came where it had to, and no more is looked at.
    Right,
}

/// What the error is that came for the line of several keys that is due. `rest` comes after it.
pub(super) fn after_error(decoder: &mut Decoder<'_>, rest: &[u8]) -> Verdict {
    let (start, end) = decoder.group.bounds();
    let goes_on = follow(decoder, rest, start, true);
    let ends = follow(decoder, rest, end, false);
    match (goes_on, ends) {
        (Way::Wrong, Way::Wrong) => Verdict::Unclear,
        (_, Way::Wrong) => Verdict::GoesOn,
        (Way::Wrong, _) => Verdict::Ends,
        _ if decoder.has_no_more => Verdict::Ends,
        ways if is_hopeless(rest, ways) => Verdict::Unclear,
        (goes_on, ends) if wait(decoder, goes_on.max(ends)) => Verdict::NeedMore,
        _ => Verdict::Unclear,
    }
}

/// What the `END` is that is the first line for what is due. `rest` comes after it.
pub(super) fn after_end(decoder: &mut Decoder<'_>, rest: &[u8]) -> Late {
    let (start, end) = decoder.group.bounds();
    let either = |at| follow(decoder, rest, at, true).max(follow(decoder, rest, at, false));
    let (earlier, due) = (either(start), either(end));
    match (earlier, due) {
        (_, Way::Wrong) => Late::Earlier,
        (Way::Wrong, _) => Late::Due,
        _ if decoder.has_no_more => Late::Due,
        ways if is_hopeless(rest, ways) => Late::Unclear,
        (earlier, due) if wait(decoder, earlier.max(due)) => Late::NeedMore,
        _ => Late::Unclear,
    }
}

/// Whether more lines would not help.
fn is_hopeless(rest: &[u8], ways: (Way, Way)) -> bool {
    rest.len() >= MOST_BYTES || ways.0 == Way::Right || ways.1 == Way::Right
}

/// Waits for more lines: those of a fence, if all others may have come. `false` if there can be none.
fn wait(decoder: &mut Decoder<'_>, way: Way) -> bool {
    if way == Way::AtEnd {
        if !decoder.can_fence {
            return false;
        }
        decoder.late = Fence::Wanted;
    }
    true
}

/// Follows the lines of `input` as the replies to the requests from `at` on. `goes_on` says how the
/// server answers several keys with an error among them.
fn follow(decoder: &Decoder<'_>, mut input: &[u8], mut at: usize, goes_on: bool) -> Way {
    let own = decoder.window;
    let last = decoder.behind.unwrap_or(own);
    let has_fence = decoder.late == Fence::Sent;
    loop {
        let is_over = at == last.end;
        let line = match first_line(input, decoder.bounds.line) {
            Ok(Some((line, used))) => {
                input = &input[used..];
                line
            }
            Ok(None) if is_over && !has_fence => return Way::AtEnd,
            Ok(None) => return Way::Open,
            Err(_) => return Way::Wrong,
        };
        let is_error = refused(line).is_some();
        let is_value = line.starts_with(b"VALUE ");
        if is_over {
            // The fence may be refused: by a server that wants a password first, or by twemproxy, which
            // speaks text and may have no server to answer it.
            let refused = refused(line);
            let is_refused =
                refused.is_some_and(|it| it.by_grammar || decoder.dialect == Dialect::Text);
            let is_fence = has_fence && (is_refused || is_fence(decoder.dialect, line));
            return if is_fence { Way::Right } else { Way::Wrong };
        }
        let window = if at < own.end { own } else { last };
        let request = &decoder.requests[at];
        let run = match request {
            Request::Get { .. } => keys_on_line(&decoder.requests[at..window.end], window.max_keys),
            _ => 1,
        };
        let is_line = match decoder.dialect {
            Dialect::Text => request.asks_for_value(),
            // A key that is alone may have an `mg`.
            _ => run > 1 || (window.lines && is_classic(request)),
        };
        if window.quiet {
            match line {
                b"MN" => at = window.end,
                b"END" => return Way::Wrong,
                _ if is_value => return Way::Wrong,
                _ => {}
            }
        } else if request.shape() == Shape::Lines {
            return Way::Right;
        } else if is_line {
            let line_of = &decoder.requests[at..at + run];
            if line == b"END" {
                at += run;
            } else if is_error {
                at += if goes_on && run > 1 { 0 } else { run };
            } else {
                let is_asked = is_value && line_of.iter().any(|it| is_value_of(it, line));
                return if is_asked { Way::Right } else { Way::Wrong };
            }
        } else if decoder.dialect == Dialect::Meta && request.key().is_some() {
            match is_reply(line, decoder.bounds.value) {
                _ if is_error => at += 1,
                Some(true) => return Way::Right,
                Some(false) => at += 1,
                None => return Way::Wrong,
            }
        } else if status(request, line).is_ok() {
            at += 1;
        } else {
            return Way::Wrong;
        }
    }
}

/// Whether this is the first line of the value that `request` asks for.
fn is_value_of(request: &Request<'_>, line: &[u8]) -> bool {
    let rest = line.strip_prefix(b"VALUE ");
    let rest = rest
        .zip(request.key())
        .and_then(|(rest, key)| rest.strip_prefix(key.as_bytes()));
    rest.is_some_and(|rest| rest.starts_with(b" "))
}

/// What is sent in place of a fence that did not come with the requests.
pub(super) fn fence(dialect: Dialect) -> &'static [u8] {
    if dialect == Dialect::Meta {
        b"mn\r\n"
    } else {
        b"version\r\n"
    }
}

/// Whether it is the reply to that.
pub(super) fn is_fence(dialect: Dialect, line: &[u8]) -> bool {
    if dialect == Dialect::Meta {
        line == b"MN"
    } else {
        line.starts_with(b"VERSION ")
    }
}
