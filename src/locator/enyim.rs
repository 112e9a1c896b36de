//! The rings of EnyimMemcached and EnyimMemcachedCore, and of moecache, which copied the first.

use super::ring::{Ring, Search, Tie};
use super::{Distribution, Named, needs_feature};
use crate::error::Error;
use crate::hash::{
    Digest, FNV_32_INIT, FNV_64_INIT, Hash, KeyHash, MD5, SHA1, TIGER, fnv1_32, fnv1_64, fnv1a_32,
    fnv1a_64, murmur2,
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
    let Algorithm { key, words, digest } = Algorithm::of(hash)?;
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
    digest: Box<DigestOfText>,
}

/// The words of a server's text, by a hasher that was initialised, or not: only FNV tells them apart.
type DigestOfText = dyn Fn(bool, &[u8]) -> Vec<u32>;

impl Algorithm {
    /// The hash that Enyim has under this name. The names of FNV are scrambled there, and two more
    /// of these hashes are not what they are called.
    fn of(hash: Hash) -> Result<Self, Error> {
        let needs = |feature| move || needs_feature(&format!("hash: {hash}"), feature);
        Ok(match hash {
            Hash::Md5 => Self::of_digest(MD5),
            Hash::Sha1 => Self::of_digest(SHA1.ok_or_else(needs("sha1"))?),
            Hash::Tiger => Self::of_digest(TIGER.ok_or_else(needs("tiger"))?),
            // 15 bits of it, "to be on the safe side".
            Hash::Crc => Self::of_one_word(KeyHash::CRC32_15_BITS),
            Hash::Fnv1_32 => Self::of_fnv_32(|key| fnv1_32(FNV_32_INIT, key), fnv1_32),
            // FNV-1a of 32 bits.
            Hash::Fnv1_64 => Self::of_fnv_32(|key| fnv1a_32(FNV_32_INIT, key), fnv1a_32),
            // FNV-1 of 64 bits.
            Hash::Fnv1a32 => Self::of_fnv_64(|key| halves(fnv1_64(FNV_64_INIT, key))[0], fnv1_64),
            Hash::Fnv1a64 => Self::of_fnv_64(|key| halves(fnv1a_64(FNV_64_INIT, key))[0], fnv1a_64),
            Hash::Murmur => Self::of_one_word(KeyHash::new(murmur2)),
            // It is computed, and thrown away: every text hashes to 0, and the last server has all.
            Hash::OneAtATime => Self::of_one_word(KeyHash {
                of: |_| 0,
                max: Some(0),
            }),
            _ => return Err(Distribution::EnyimKetama.has_no_hash(&hash.to_string())),
        })
    }

    fn of_digest<const WORDS: usize>(digest: Digest<WORDS>) -> Self {
        Self {
            key: KeyHash::new(digest.first),
            words: WORDS,
            digest: Box::new(move |_, text| (digest.words)(text).to_vec()),
        }
    }

    fn of_one_word(key: KeyHash) -> Self {
        Self {
            key,
            words: 1,
            digest: Box::new(move |_, text| vec![(key.of)(text)]),
        }
    }

    fn of_fnv_32(key: fn(&[u8]) -> u32, fnv: fn(u32, &[u8]) -> u32) -> Self {
        let seed = |is_initialised| if is_initialised { FNV_32_INIT } else { 0 };
        Self {
            key: KeyHash::new(key),
            words: 1,
            digest: Box::new(move |is_initialised, text| vec![fnv(seed(is_initialised), text)]),
        }
    }

    fn of_fnv_64(key: fn(&[u8]) -> u32, fnv: fn(u64, &[u8]) -> u64) -> Self {
        let seed = |is_initialised| if is_initialised { FNV_64_INIT } else { 0 };
        Self {
            key: KeyHash::new(key),
            words: 2,
            digest: Box::new(move |is_initialised, text| {
                halves(fnv(seed(is_initialised), text)).to_vec()
            }),
        }
    }
}

/// The lower half first.
fn halves(hash: u64) -> [u32; 2] {
    [(hash & 0xffff_ffff) as u32, (hash >> 32) as u32]
}
