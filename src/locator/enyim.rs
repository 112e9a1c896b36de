//! The rings of EnyimMemcached and EnyimMemcachedCore, and of moecache, which copied the first.

use super::Named;
use super::ring::{Ring, Search, Tie};
use crate::error::Error;
use crate::hash::{
    FNV_32_INIT, FNV_64_INIT, Hash, KeyHash, crc32_15_bits, fnv1_32, fnv1_64, fnv1a_32, fnv1a_64,
    md5_words, murmur2,
};

/// How many points a server has (Enyim's `ServerAddressMutations`).
const POINTS: usize = 100;

/// And in its ketama.
const KETAMA_POINTS: usize = 160;

/// `DefaultNodeLocator`, EnyimMemcachedCore's `LegacyNodeLocator` and moecache's ring: points of
/// `text-0` to `text-99`.
///
/// Enyim's quirk: the first point of each server, and every key, is hashed by a hasher that was
/// never initialised: FNV-1a from 0 instead of the offset basis.
pub(super) fn default_node_locator(servers: &[Named]) -> Ring {
    let point = |text: &str, number| {
        let seed = if number == 0 { 0 } else { FNV_32_INIT };
        fnv1a_32(seed, format!("{text}-{number}").as_bytes())
    };
    ring(KeyHash::FNV1A_32_UNSEEDED, servers, |server| {
        let text = &server.text;
        (0..POINTS).map(move |number| point(text, number))
    })
}

/// EnyimMemcachedCore's `DefaultNodeLocator`: points of `0-text` to `99-text`, all hashers
/// initialised.
pub(super) fn core_node_locator(servers: &[Named]) -> Ring {
    ring(KeyHash::FNV1A_32, servers, |server| {
        let text = &server.text;
        (0..POINTS).map(move |number| fnv1a_32(FNV_32_INIT, format!("{number}-{text}").as_bytes()))
    })
}

/// `KetamaNodeLocator`: as many digests of `text-0`, `text-1` and so on as make 160 points at most,
/// each word of a digest a point.
pub(super) fn ketama(hash: Hash, servers: &[Named]) -> Result<Ring, Error> {
    let Algorithm { key, words, digest } = Algorithm::new(hash)?;
    // Enyim's quirk: one hasher makes all the points, and before the very first of them it was
    // never initialised.
    let mut is_initialised = false;
    Ok(ring(key, servers, |server| {
        let digests = (0..KETAMA_POINTS / words).map(|number| {
            let text = format!("{}-{number}", server.text);
            digest(
                std::mem::replace(&mut is_initialised, true),
                text.as_bytes(),
            )
        });
        digests.flatten().collect::<Vec<_>>()
    }))
}

/// All of Enyim's rings have its quirk in the search, and a dictionary of the points in which later
/// servers overwrite earlier ones.
fn ring<'s, P: IntoIterator<Item = u32>>(
    key: KeyHash,
    servers: &'s [Named],
    mut points: impl FnMut(&'s Named) -> P,
) -> Ring {
    let mut all = Vec::with_capacity(servers.len() * KETAMA_POINTS);
    for server in servers {
        all.extend(
            points(server)
                .into_iter()
                .map(|point| (point, server.place)),
        );
    }
    let search = Search::NextButLargestBelowAll;
    Ring::new(key, search, Tie::Last, all, servers.len())
}

/// A hash of Enyim's ketama.
struct Algorithm {
    /// Of a key.
    key: KeyHash,
    /// How many words a digest has.
    words: usize,
    /// Of a server's text; by a hasher that was initialised, or not. Only FNV tells them apart.
    digest: fn(bool, &[u8]) -> Vec<u32>,
}

impl Algorithm {
    /// The hash that Enyim has under this name. The names of FNV are scrambled there, two more of
    /// these hashes are not what they are called, and the vectors prove it.
    fn new(hash: Hash) -> Result<Self, Error> {
        let of_32 = |key, digest| Self {
            key: KeyHash::new(key),
            words: 1,
            digest,
        };
        let of_64 = |key, digest| Self {
            words: 2,
            ..of_32(key, digest)
        };
        Ok(match hash {
            Hash::Md5 => Self {
                key: KeyHash::MD5,
                words: 4,
                digest: |_, text| md5_words(text).to_vec(),
            },
            Hash::Sha1 => Self::sha1()?,
            Hash::Tiger => Self::tiger()?,
            // CRC-32, cut to 15 bits "to be on the safe side".
            Hash::Crc => Self {
                key: KeyHash::CRC32_15_BITS,
                words: 1,
                digest: |_, text| vec![crc32_15_bits(text)],
            },
            Hash::Fnv1_32 => of_32(
                |key| fnv1_32(FNV_32_INIT, key),
                |seeded, text| vec![fnv1_32(seed_32(seeded), text)],
            ),
            // FNV-1a of 32 bits.
            Hash::Fnv1_64 => of_32(
                |key| fnv1a_32(FNV_32_INIT, key),
                |seeded, text| vec![fnv1a_32(seed_32(seeded), text)],
            ),
            // FNV-1 of 64 bits.
            Hash::Fnv1a32 => of_64(
                |key| halves(fnv1_64(FNV_64_INIT, key))[0],
                |seeded, text| halves(fnv1_64(seed_64(seeded), text)).to_vec(),
            ),
            Hash::Fnv1a64 => of_64(
                |key| halves(fnv1a_64(FNV_64_INIT, key))[0],
                |seeded, text| halves(fnv1a_64(seed_64(seeded), text)).to_vec(),
            ),
            Hash::Murmur => of_32(murmur2, |_, text| vec![murmur2(text)]),
            // It is computed, and thrown away: every text hashes to 0, and the last server has all.
            Hash::OneAtATime => Self {
                key: KeyHash {
                    of: |_| 0,
                    max: Some(0),
                },
                words: 1,
                digest: |_, _| vec![0],
            },
            _ => {
                return Err(Error::validation(format!(
                    "hash: EnyimMemcached's ketama has no {hash}"
                )));
            }
        })
    }

    #[cfg(feature = "sha1")]
    #[expect(clippy::unnecessary_wraps, reason = "without the feature it fails")]
    fn sha1() -> Result<Self, Error> {
        use crate::hash::sha1_words;
        Ok(Self {
            key: KeyHash::new(|key| sha1_words(key)[0]),
            words: 5,
            digest: |_, text| sha1_words(text).to_vec(),
        })
    }

    #[cfg(not(feature = "sha1"))]
    fn sha1() -> Result<Self, Error> {
        Err(super::needs_feature("hash", "sha1", "sha1"))
    }

    #[cfg(feature = "tiger")]
    #[expect(clippy::unnecessary_wraps, reason = "without the feature it fails")]
    fn tiger() -> Result<Self, Error> {
        use crate::hash::tiger_words;
        Ok(Self {
            key: KeyHash::new(|key| tiger_words(key)[0]),
            words: 6,
            digest: |_, text| tiger_words(text).to_vec(),
        })
    }

    #[cfg(not(feature = "tiger"))]
    fn tiger() -> Result<Self, Error> {
        Err(super::needs_feature("hash", "tiger", "tiger"))
    }
}

fn seed_32(seeded: bool) -> u32 {
    if seeded { FNV_32_INIT } else { 0 }
}

fn seed_64(seeded: bool) -> u64 {
    if seeded { FNV_64_INIT } else { 0 }
}

/// The lower half first.
fn halves(hash: u64) -> [u32; 2] {
    [(hash & 0xffff_ffff) as u32, (hash >> 32) as u32]
}
