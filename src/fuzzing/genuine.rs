use crate::protocol::{Hit, Request};

/// Whether the value stands in what the server sent as one for the request's key: looked for in the
/// forms of all protocols, by other means than the decoders'.
pub(super) fn is_genuine(sent: &[u8], request: &Request<'_>, hit: &Hit<'_>) -> bool {
    let Some(key) = request.key() else {
        return false;
    };
    (0..sent.len()).any(|at| {
        let rest = &sent[at..];
        if rest.starts_with(b"VALUE ") {
            is_classic(rest, key.as_bytes(), hit)
        } else if rest.starts_with(b"VA ") {
            is_meta(rest, hit)
        } else {
            is_packet(rest, hit) || is_bare(rest, request, hit)
        }
    })
}

/// `VALUE <key> <flags> <bytes>[ <cas>]`, and the data.
fn is_classic(rest: &[u8], key: &[u8], hit: &Hit<'_>) -> bool {
    let Some((line, after)) = line(rest) else {
        return false;
    };
    let mut words = line.split(|&byte| byte == b' ').skip(1);
    let is_key = words.next() == Some(key);
    let mut number = || words.next().and_then(number);
    let numbers = (number(), number(), number());
    let expected = (Some(u64::from(hit.flags)), Some(hit.data.len() as u64));
    is_key
        && (numbers.0, numbers.1) == expected
        && numbers.2 == hit.cas
        && is_ended(after, &hit.data)
}

/// `VA <bytes> <flags>*`, and the data.
fn is_meta(rest: &[u8], hit: &Hit<'_>) -> bool {
    let Some((line, after)) = line(rest) else {
        return false;
    };
    let mut words = line.split(|&byte| byte == b' ').skip(1);
    let is_length = words.next().and_then(number) == Some(hit.data.len() as u64);
    let of = |letter: u8, number: Option<u64>| {
        let mut tokens = line.split(|&byte| byte == b' ').skip(2);
        let token = tokens.find_map(|word| word.strip_prefix(&[letter]));
        token.and_then(self::number) == number
    };
    let has_flags = hit.flags == 0 || of(b'f', Some(hit.flags.into()));
    is_length && has_flags && of(b'c', hit.cas) && is_ended(after, &hit.data)
}

/// `HD <flags>*`: what the meta protocol says of an item without its value.
fn is_bare(rest: &[u8], request: &Request<'_>, hit: &Hit<'_>) -> bool {
    let asks = matches!(request, Request::MetaGet { options, .. } if !options.wanted.has(b'v'));
    asks && hit.data.is_empty() && rest.starts_with(b"HD ")
}

/// A packet of the binary protocol: 24 bytes of header, the flags, and the data.
fn is_packet(rest: &[u8], hit: &Hit<'_>) -> bool {
    let Some((packet, after)) = rest.split_at_checked(28) else {
        return false;
    };
    let body = (4 + hit.data.len() as u32).to_be_bytes();
    let cas = hit.cas.map(u64::to_be_bytes);
    packet[0] == 0x81
        && packet[6..12] == [&[0, 0], &body[..]].concat()[..]
        && cas.is_none_or(|cas| packet[16..24] == cas)
        && packet[24..] == hit.flags.to_be_bytes()
        && after.starts_with(&hit.data)
}

/// The first line, and what comes after it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&bytes[..end], &bytes[end + 2..]))
}

fn is_ended(after: &[u8], data: &[u8]) -> bool {
    let rest = after.strip_prefix(data);
    rest.is_some_and(|rest| rest.starts_with(b"\r\n"))
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
