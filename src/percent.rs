/// Decodes percent-encoding (RFC 3986, section 2.1); a `+` is itself. `None` if two hexadecimal digits do
/// not follow a `%`.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let ([high, low], tail) = tail.split_first_chunk()?;
        let digit = |digit: &u8| char::from(*digit).to_digit(16);
        bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
        rest = tail;
    }
    Some(bytes)
}
