use crate::protocol::{Request, ValueHeader};

/// Whether the value stands in what the server sent as one for the request's key: looked for in the
/// forms of all protocols, by other means than the decoders'.
pub(super) fn is_genuine(
    sent: &[u8],
    request: &Request<'_>,
    header: &ValueHeader,
    data: &[u8],
) -> bool {
    let Some(key) = request.key() else {
        return false;
    };
    (0..sent.len()).any(|at| {
        let rest = &sent[at..];
        if rest.starts_with(b"VALUE ") {
            is_classic(rest, key.as_bytes(), header, data)
        } else if rest.starts_with(b"VA ") {
            is_meta(rest, header, data)
        } else {
            is_packet(rest, header, data) || is_bare(rest, request)
        }
    })
}

/// `VALUE <key> <flags> <bytes>[ <cas>]`, and the data.
fn is_classic(rest: &[u8], key: &[u8], header: &ValueHeader, data: &[u8]) -> bool {
    let Some((line, after)) = line(rest) else {
        return false;
    };
    let mut words = line.split(|&byte| byte == b' ').skip(1);
    let is_key = words.next() == Some(key);
    let mut number = || words.next().and_then(number);
    let numbers = (number(), number(), number());
    let expected = (Some(u64::from(header.flags)), Some(data.len() as u64));
    is_key && (numbers.0, numbers.1) == expected && numbers.2 == header.cas && is_ended(after, data)
}

/// `VA <bytes> <flags>*`, and the data.
fn is_meta(rest: &[u8], header: &ValueHeader, data: &[u8]) -> bool {
    let Some((line, after)) = line(rest) else {
        return false;
    };
    let mut words = line.split(|&byte| byte == b' ').skip(1);
    let is_length = words.next().and_then(number) == Some(data.len() as u64);
    let of = |letter: u8, number: Option<u64>| {
        let mut tokens = line.split(|&byte| byte == b' ').skip(2);
        let token = tokens.find_map(|word| word.strip_prefix(&[letter]));
        token.and_then(self::number) == number
    };
    let has_flags = header.flags == 0 || of(b'f', Some(header.flags.into()));
    is_length && has_flags && of(b'c', header.cas) && is_ended(after, data)
}

/// `HD <flags>*`: what the meta protocol says of an item without its value.
fn is_bare(rest: &[u8], request: &Request<'_>) -> bool {
    let asks = matches!(request, Request::MetaGet { options, .. } if !options.wanted.has(b'v'));
    asks && rest.starts_with(b"HD ")
}

/// A packet of the binary protocol: 24 bytes of header, the flags, and the data.
fn is_packet(rest: &[u8], header: &ValueHeader, data: &[u8]) -> bool {
    let Some((packet, after)) = rest.split_at_checked(28) else {
        return false;
    };
    let body = (4 + data.len() as u32).to_be_bytes();
    let cas = header.cas.map(u64::to_be_bytes);
    packet[0] == 0x81
        && packet[6..12] == [&[0, 0], &body[..]].concat()[..]
        && cas.is_none_or(|cas| packet[16..24] == cas)
        && packet[24..] == header.flags.to_be_bytes()
        && after.starts_with(data)
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
