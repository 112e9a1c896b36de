use crate::names::names;
use crate::protocol::Dialect;

/// Which of memcached's protocols is spoken to the servers.
///
/// ```
/// use moecache::{Client, Protocol};
///
/// let client = Client::builder()
///     .servers("10.0.0.1:11211")
///     .protocol(Protocol::Auto)
///     .build()?;
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Protocol {
    /// The classic text protocol, which every server and every proxy knows.
    #[default]
    Text,
    /// The meta protocol of memcached 1.6.18 and later: lines as well, with replies that name their
    /// requests, and more commands. Not for older servers: before 1.6.10 its syntax was another, and
    /// such a server **may run the values that it is sent as commands**. `Auto` asks first.
    Meta,
    /// The binary protocol, for old deployments. Later versions of memcached call it deprecated,
    /// and proxies do not know it.
    Binary,
    /// Meta on the connections on which a memcached of 1.6.18 or later answers, and text on all others.
    ///
    /// Each connection is asked as it is made: a version number alone proves nothing, because proxies
    /// pass on that of the server behind them, and one address may lead to several servers. `version`
    /// and `mn`, the meta command that does nothing, are sent together, before anything else. Meta is
    /// spoken if the answers are a version of memcached and `MN`. With any other answer to either of
    /// them, text is: with an error, with another product's version, with none to the second, or where
    /// the connection is closed. A connection on which it is not certain what comes next is replaced,
    /// and the new one is not asked: the server is taken to speak text until it fails, or the client
    /// is [closed](crate::Client::close). (twemproxy closes the connection on `mn`.)
    ///
    /// So the connections to one server may speak different protocols. A call that text does not have
    /// is an error there that [`is_unsupported`](crate::Error::is_unsupported), and nothing of it is sent.
    Auto,
}

impl Protocol {
    /// The one that it says; `None` where the server is to be asked.
    pub(crate) fn dialect(self) -> Option<Dialect> {
        match self {
            Self::Text => Some(Dialect::Text),
            Self::Meta => Some(Dialect::Meta),
            Self::Binary => Some(Dialect::Binary),
            Self::Auto => None,
        }
    }
}

names!(
    Protocol, "protocol", word;
    Text "text"
    Meta "meta"
    Binary "binary"
    Auto "auto"
);

/// Protocols are named in any case, and text is `ascii` to others.
fn word(text: &str) -> String {
    let word = text.to_ascii_lowercase();
    if word == "ascii" {
        "text".to_owned()
    } else {
        word
    }
}

/// What a new connection is asked: the server's version, and whether it has the meta commands.
/// memcached's `doc/protocol.txt`, "Meta No-Op": "The response looks like: `MN\\r\\n`".
pub(super) const QUESTIONS: &[u8] = b"version\r\nmn\r\n";

/// The longest line of an answer, in bytes.
const LONGEST_LINE: usize = 1024;

/// What came in answer to the [`QUESTIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answers {
    /// So many lines, of two.
    Incomplete { lines: usize },
    /// One line to each question.
    Complete(Dialect),
    /// Nothing that says where the answers end.
    Unclear,
}

/// What the server speaks that answered so. Meta needs both answers, in their order.
pub(super) fn understand(received: &[u8]) -> Answers {
    let mut lines = received.split_inclusive(|&byte| byte == b'\n');
    let [first, second] = [lines.next(), lines.next()].map(Option::unwrap_or_default);
    for (lines, line) in [first, second].into_iter().enumerate() {
        if !line.ends_with(b"\n") && line.len() < LONGEST_LINE {
            return Answers::Incomplete { lines };
        }
        if !is_answer(line) {
            return Answers::Unclear;
        }
    }
    if lines.next().is_some() {
        return Answers::Unclear;
    }
    let version = first.strip_prefix(b"VERSION ");
    let version = version.and_then(|version| version.strip_suffix(b"\r\n"));
    let has_meta = second == b"MN\r\n" && version.is_some_and(has_todays_meta_commands);
    Answers::Complete(if has_meta {
        Dialect::Meta
    } else {
        Dialect::Text
    })
}

/// Whether it is a whole line that answers one of the questions, or refuses to.
fn is_answer(line: &[u8]) -> bool {
    let Some(line) = line.strip_suffix(b"\r\n") else {
        return false;
    };
    let word = line.split(|&byte| byte == b' ').next();
    line == b"MN" || word.is_some_and(|word| WORDS.contains(&word))
}

const WORDS: [&[u8]; 4] = [b"VERSION", b"ERROR", b"CLIENT_ERROR", b"SERVER_ERROR"];

/// Whether it is a version of memcached whose meta commands are those that are spoken here. They came
/// with 1.6.0, but had another syntax up to 1.6.9 (`ms` without a length: the value would be run as
/// commands), and a miss has an opaque since 1.6.18 alone. Other products number themselves as they
/// like (Infinispan `15.0.4.Final`, kestrel `2.4.8`, `37.0.0 mcrouter`), so no other first number is
/// taken for memcached's, and behind the third may only be what packages put there: `1.6.18_beta1`,
/// `1.6.38-1`, `1.6.18 (Ubuntu)`.
fn has_todays_meta_commands(version: &[u8]) -> bool {
    let numbers = version
        .iter()
        .position(|byte| !b"0123456789.".contains(byte));
    let (numbers, rest) = version.split_at(numbers.unwrap_or(version.len()));
    let is_packaged = matches!(
        rest,
        [] | [b'_' | b'-' | b'+' | b'~', ..] | [b' ', b'(', ..]
    );
    let mut numbers = numbers.split(|&byte| byte == b'.').map(|digits| {
        let digits = std::str::from_utf8(digits).ok()?;
        digits.parse::<u32>().ok()
    });
    let three = [numbers.next(), numbers.next(), numbers.next()].map(Option::flatten);
    let [Some(1), Some(minor), Some(patch)] = three else {
        return false;
    };
    is_packaged && numbers.next().is_none() && (minor, patch) >= (6, 18)
}

#[cfg(test)]
mod tests {
    use super::*;

    const META: Answers = Answers::Complete(Dialect::Meta);
    const TEXT: Answers = Answers::Complete(Dialect::Text);

    #[test]
    fn versions_with_todays_meta_commands() {
        let rows = [
            ("1.6.18", true),
            ("1.6.18_beta1", true),
            ("1.6.21_12_gabcdef", true),
            ("1.6.38-1", true),
            ("1.6.45 (Ubuntu)", true),
            ("1.10.0", true),
            ("1.6.17", false),
            ("1.6.9", false),
            ("1.6", false),
            ("1.6.", false),
            ("1.6.x", false),
            ("1.5.22", false),
            ("1.4.15 (Ubuntu)", false),
            ("1.6.18.4", false),
            ("1.6.18.Final", false),
            ("1.6.18 mcrouter", false),
            ("1.6.22 DF", false),
            ("2.4.8", false),
            ("2.0.0", false),
            ("3.1.4", false),
            ("15.0.4.Final", false),
            ("37.0.0 mcrouter", false),
            ("16.18.0", false),
            ("unknown", false),
            ("", false),
            ("\u{661}.6.18", false),
            ("-1.6.18", false),
            ("1.+6.18", false),
            ("1.6.99999999999", false),
        ];
        for (version, expected) in rows {
            let found = has_todays_meta_commands(version.as_bytes());
            assert_eq!(found, expected, "{version:?}");
        }
    }

    #[test]
    fn answers() {
        let rows: [(&str, Answers); 22] = [
            ("VERSION 1.6.18\r\nMN\r\n", META),
            ("VERSION 1.6.17\r\nMN\r\n", TEXT),
            ("VERSION 1.6.18\r\nERROR\r\n", TEXT),
            ("VERSION 1.6.18\r\nCLIENT_ERROR what\r\n", TEXT),
            ("VERSION 1.6.18\r\nSERVER_ERROR busy\r\n", TEXT),
            ("VERSION 1.6.18\r\nVERSION 1.6.18\r\n", TEXT),
            ("VERSION 37.0.0 mcrouter\r\nMN\r\n", TEXT),
            ("SERVER_ERROR busy\r\nMN\r\n", TEXT),
            ("ERROR\r\nMN\r\n", TEXT),
            ("ERROR\r\nERROR\r\n", TEXT),
            ("MN\r\nVERSION 1.6.18\r\n", TEXT),
            ("", Answers::Incomplete { lines: 0 }),
            ("VERSION 1.6", Answers::Incomplete { lines: 0 }),
            ("VERSION 1.6.18\r\n", Answers::Incomplete { lines: 1 }),
            ("VERSION 1.6.18\r\nMN\r", Answers::Incomplete { lines: 1 }),
            ("VERSION 1.6.18\nMN\n", Answers::Unclear),
            ("VERSION 1.6.18\r\nMN\r\nMN\r\n", Answers::Unclear),
            ("VERSION 1.6.18\r\nMN\r\nE", Answers::Unclear),
            ("VERSION 1.6.18\r\nEND\r\n", Answers::Unclear),
            ("HTTP/1.1 400 Bad Request\r\n", Answers::Unclear),
            ("\r\n\r\n", Answers::Unclear),
            ("+PONG\r\n-ERR\r\n", Answers::Unclear),
        ];
        for (received, expected) in rows {
            let found = understand(received.as_bytes());
            assert_eq!(found, expected, "{received:?}");
        }
        // A line without end.
        let endless = [b'x'; LONGEST_LINE];
        assert_eq!(understand(&endless), Answers::Unclear);
    }

    /// Whatever of the answers has come, the server is taken for what it is only when all has.
    #[test]
    fn answers_in_pieces() {
        let whole = b"VERSION 1.6.18\r\nMN\r\n";
        for length in 0..whole.len() {
            let found = understand(&whole[..length]);
            assert!(matches!(found, Answers::Incomplete { .. }), "{length}");
        }
    }
}
