//! Base64 as memcached reads it: bytes that are none of its digits are skipped.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What the text stands for; nothing if its digits are not a multiple of four, or it is padded too
/// much. What follows the padding is not looked at.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<(u8, bool)> = text.iter().filter_map(|&byte| digit(byte)).collect();
    if digits.is_empty() || digits.len() % 4 != 0 {
        return None;
    }
    let mut bytes = Vec::new();
    for group in digits.chunks(4) {
        let [a, b, c, d] = [group[0].0, group[1].0, group[2].0, group[3].0];
        bytes.extend([a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]);
        match group.iter().filter(|(_, is_padding)| *is_padding).count() {
            0 => {}
            padding @ (1 | 2) => {
                bytes.truncate(bytes.len() - padding);
                break;
            }
            _ => return None,
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

pub(super) fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for group in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| group.get(at).copied().unwrap_or_default());
        let digits = [
            a >> 2,
            a << 4 & 0x30 | b >> 4,
            b << 2 & 0x3c | c >> 6,
            c & 0x3f,
        ];
        let used = group.len() + 1;
        text.extend(
            digits[..used]
                .iter()
                .map(|&digit| DIGITS[usize::from(digit)]),
        );
        text.resize(text.len() + 4 - used, b'=');
    }
    text
}

/// The value of a digit, and whether it is padding, which counts as 0.
fn digit(byte: u8) -> Option<(u8, bool)> {
    if byte == b'=' {
        return Some((0, true));
    }
    let value = DIGITS.iter().position(|&digit| digit == byte)?;
    Some((u8::try_from(value).ok()?, false))
}
