//! Numbers as memcached reads them, which is as C's `strtoull` and `strtol` do: white space and a
//! sign may stand before, white space and anything after it behind.

/// What C takes for the string: everything up to the first NUL.
pub(super) fn c_string(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// `safe_strtoull`. A minus sign negates within 64 bits; the result is refused only if it is then
/// at or above 2^63.
pub(crate) fn unsigned_64(text: &[u8]) -> Option<u64> {
    let text = c_string(text);
    let (negative, magnitude) = scan(text)?;
    let number = if negative {
        magnitude.wrapping_neg()
    } else {
        magnitude
    };
    (number < 1 << 63 || !text.contains(&b'-')).then_some(number)
}

/// `safe_strtoul`: as [`unsigned_64`], and of that the lower half.
#[expect(
    clippy::cast_possible_truncation,
    reason = "memcached truncates, on machines whose long has 64 bits"
)]
pub(super) fn unsigned_32(text: &[u8]) -> Option<u32> {
    unsigned_64(text).map(|number| number as u32)
}

/// `safe_strtol`: a signed number of 64 bits, and of that the lower half.
#[expect(
    clippy::cast_possible_truncation,
    reason = "memcached truncates, on machines whose long has 64 bits"
)]
pub(super) fn signed_32(text: &[u8]) -> Option<i32> {
    let (negative, magnitude) = scan(c_string(text))?;
    let number = if negative {
        0i64.checked_sub_unsigned(magnitude)?
    } else {
        i64::try_from(magnitude).ok()?
    };
    Some(number as i32)
}

/// Sign and magnitude of the number at the start of `text`.
fn scan(text: &[u8]) -> Option<(bool, u64)> {
    let start = text.iter().position(|&byte| !is_space(byte))?;
    let text = &text[start..];
    let (negative, text) = match text.first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    if rest.first().is_some_and(|&byte| !is_space(byte)) {
        return None;
    }
    // Fails without digits, and on more than 64 bits.
    let magnitude = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((negative, magnitude))
}

/// C's `isspace`.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let rows: [(&str, Option<u64>, Option<i32>); 19] = [
            ("0", Some(0), Some(0)),
            ("007", Some(7), Some(7)),
            ("+5", Some(5), Some(5)),
            ("\t 5", Some(5), Some(5)),
            ("5 x", Some(5), Some(5)),
            ("5\0x", Some(5), Some(5)),
            ("5x", None, None),
            ("", None, None),
            (" ", None, None),
            ("-", None, None),
            ("0x5", None, None),
            ("-1", None, Some(-1)),
            ("2147483648", Some(1 << 31), Some(i32::MIN)),
            ("4294967297", Some((1 << 32) + 1), Some(1)),
            ("9223372036854775808", Some(1 << 63), None),
            ("-9223372036854775808", None, Some(0)),
            ("-18446744073709551615", Some(1), None),
            ("18446744073709551615", Some(u64::MAX), None),
            ("18446744073709551616", None, None),
        ];
        for (text, unsigned, signed) in rows {
            assert_eq!(unsigned_64(text.as_bytes()), unsigned, "{text:?}");
            assert_eq!(signed_32(text.as_bytes()), signed, "{text:?}");
        }
        assert_eq!(unsigned_32(b"4294967297"), Some(1));
    }
}
