use super::base64;
use super::rule::KeyError;
use crate::names::{name, names};

/// What is made of each key before it is sent: one of EnyimMemcached's key transformers. The key's
/// server is chosen by what comes out.
///
/// Keys that are transformed may be any bytes (the hashes take UTF-8), and those that are hashed may
/// be of any length.
///
/// ```
/// use moecache::{Client, KeyTransform};
///
/// let client = Client::builder()
///     .servers("10.0.0.1")
///     .key_transform(KeyTransform::Base64)
///     .build()?;
/// client.server_for("not a key as it is")?;
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeyTransform {
    /// None, as with EnyimMemcached's `DefaultKeyTransformer`.
    #[default]
    None,
    /// `Base64KeyTransformer`: the base64 of the key, which may be up to 186 bytes long.
    Base64,
    /// `SHA1KeyTransformer`: the base64 of the SHA-1 of the key in UTF-16, 28 characters. Needs the
    /// feature `sha1`.
    Sha1,
    /// `TigerHashKeyTransformer`: the base64 of the Tiger hash of the key in UTF-16, 32 characters.
    /// Needs the feature `tiger`.
    Tiger,
}

type Hash = fn(&[u8]) -> Vec<u8>;

impl KeyTransform {
    /// Whether the crate was built with what it needs.
    pub(crate) fn check(self) -> Result<(), KeyError> {
        self.apply(&mut Vec::new(), 0)
    }

    /// Transforms what is in `key` from `start` on.
    pub(super) fn apply(self, key: &mut Vec<u8>, start: usize) -> Result<(), KeyError> {
        let made_of = match self {
            Self::None => return Ok(()),
            Self::Base64 => key.split_off(start),
            Self::Sha1 | Self::Tiger => {
                let transform = name(Self::NAMES, &self);
                let hash = self.hash().ok_or(KeyError::NoFeature { transform })?;
                let text = std::str::from_utf8(&key[start..]);
                let text = text.map_err(|_| KeyError::NotText { transform })?;
                hash(&utf_16(text))
            }
        };
        key.truncate(start);
        base64::encode(&made_of, |letter| key.push(letter));
        Ok(())
    }

    /// The hash, if the crate was built with it.
    fn hash(self) -> Option<Hash> {
        match self {
            #[cfg(feature = "sha1")]
            Self::Sha1 => Some(|text| <sha1::Sha1 as sha1::Digest>::digest(text).to_vec()),
            // Enyim's own `TigerHash` pads wrongly where a message is 55 bytes longer than a multiple
            // of 64, which none is in UTF-16: their length is even.
            #[cfg(feature = "tiger")]
            Self::Tiger => Some(|text| <tiger::Tiger as tiger::Digest>::digest(text).to_vec()),
            _ => None,
        }
    }

    /// Whether nobody can tell from what it makes what it was made of.
    pub(super) fn is_one_way(self) -> bool {
        matches!(self, Self::Sha1 | Self::Tiger)
    }

    /// What it was made of; `None` if it was made of nothing.
    pub(super) fn undo(self, key: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => base64::decode(&key),
            Self::None | Self::Sha1 | Self::Tiger => Some(key),
        }
    }
}

names!(
    KeyTransform, "key_transform", word;
    None "none"
    Base64 "base64"
    Sha1 "sha1"
    Tiger "tiger"
);

/// .NET names them by their classes: `Enyim.Caching.Memcached.SHA1KeyTransformer, Enyim.Caching`.
fn word(text: &str) -> &str {
    let class = text.split(',').next().unwrap_or_default();
    match class.rsplit('.').next().unwrap_or_default() {
        "DefaultKeyTransformer" => "none",
        "Base64KeyTransformer" => "base64",
        "SHA1KeyTransformer" => "sha1",
        "TigerHashKeyTransformer" => "tiger",
        _ => text,
    }
}

/// `Encoding.Unicode.GetBytes`: UTF-16, little endian, without a mark.
fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[cfg(all(test, feature = "tiger"))]
mod tests {
    use super::*;

    /// The test vectors of Tiger's authors, byte by byte as Enyim writes them: each of the three words
    /// with its low byte first.
    #[test]
    fn tiger_is_tiger() {
        let tiger = KeyTransform::Tiger.hash().unwrap();
        // The first word of each, which is enough to tell Tiger from Tiger2.
        for (text, expected) in [
            ("", [0x32, 0x93, 0xac, 0x63, 0x0c, 0x13, 0xf0, 0x24]),
            ("abc", [0x2a, 0xab, 0x14, 0x84, 0xe8, 0xc1, 0x58, 0xf2]),
        ] {
            assert_eq!(tiger(text.as_bytes())[..8], expected);
        }
    }
}
