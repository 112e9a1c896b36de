use super::decoded::Decoded;

/// The number that the text is, without what fills it up: memcached keeps the length of a counter
/// that decr made shorter, and puts spaces in place of digits (`decr` in its `doc/protocol.txt`).
pub(super) fn decimal(text: &[u8]) -> Option<&str> {
    let end = text.iter().rposition(|&byte| byte != b' ')?;
    let number = text.get(..=end)?;
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    let is_decimal = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(number).ok().filter(|_| is_decimal)
}

/// An integer in text, in the smallest of four types.
pub(super) fn integer(text: &[u8]) -> Result<Decoded, &'static str> {
    let number = decimal(text).ok_or("that is no decimal number")?;
    None.or_else(|| number.parse().ok().map(Decoded::I64))
        .or_else(|| number.parse().ok().map(Decoded::U64))
        .or_else(|| number.parse().ok().map(Decoded::I128))
        .or_else(|| number.parse().ok().map(Decoded::U128))
        .ok_or("of more than 128 bits")
}
