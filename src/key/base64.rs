//! Base64 as .NET, Ruby and memcached have it: the standard alphabet, with padding (RFC 4648).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Hands the characters to `push`, one by one.
pub(crate) fn encode(bytes: &[u8], mut push: impl FnMut(u8)) {
    for group in bytes.chunks(3) {
        let byte = |at: usize| usize::from(group.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let is_padding = at > group.len();
            let letter = ALPHABET[bits >> (18 - 6 * at) & 0x3f];
            push(if is_padding { b'=' } else { letter });
        }
    }
}

/// What `text` stands for, if it is what [`encode`] makes of something.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.chunks(4) {
        let padding = group
            .iter()
            .rev()
            .take_while(|&&letter| letter == b'=')
            .count();
        let digits = &group[..group.len() - padding];
        let mut bits = 0;
        for letter in digits {
            let digit = ALPHABET.iter().position(|known| known == letter)?;
            bits = bits << 6 | u32::try_from(digit).ok()?;
        }
        let [_, decoded @ ..] = (bits << (6 * padding)).to_be_bytes();
        bytes.extend_from_slice(decoded.get(..3_usize.checked_sub(padding)?)?);
    }
    // One that is cut off, padded in the middle or has bits to spare is not its own encoding.
    let mut again = Vec::with_capacity(text.len());
    encode(&bytes, |letter| again.push(letter));
    (again == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(bytes: &[u8]) -> String {
        let mut text = String::new();
        encode(bytes, |letter| text.push(letter.into()));
        text
    }

    /// RFC 4648, section 10.
    #[test]
    fn the_vectors_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encoded(bytes.as_bytes()), text);
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(bytes.as_bytes()));
        }
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(decode(encoded(&all).as_bytes()), Some(all));
    }

    #[test]
    fn what_nothing_encodes_to() {
        for text in [
            "Zg",
            "Zg=",
            "Zg==Zg==x",
            "Zh==",
            "=",
            "====",
            "Z===",
            "Z=g=",
            "Zm9v\n",
            "Zm9-",
            "Zg==Zg==",
        ] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
    }
}
