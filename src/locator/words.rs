//! Parses the names of schemes and distributions. A word of a library's own settings for one of them is
//! answered with the name to use.

use super::scheme::PHP;
use super::{Distribution, Scheme};
use crate::error::Error;
use crate::hash::Hash;
use crate::library::Library;
use std::str::FromStr;

/// Words of a library, and what they are here.
struct Row {
    libraries: &'static [Library],
    /// In the form that [`plain`] gives.
    words: &'static [&'static str],
    answer: Answer,
}

enum Answer {
    /// The rule, without the library.
    Rule(&'static str),
    /// There is none, and why, or what to do.
    Nothing(&'static str),
}

const LIBMEMCACHED: &[Library] = &[
    Library::Libmemcached,
    Library::Pylibmc,
    Library::PhpMemcached,
];
const ENYIM: &[Library] = &[Library::Enyim];
const CORE: &[Library] = &[Library::EnyimCore, Library::EnyimCoreMessagePack];
const DOT_NET: &[Library] = &[
    Library::Enyim,
    Library::EnyimCore,
    Library::EnyimCoreMessagePack,
];

const OWN_LOCATOR: &str = "give a locator of yours, ClientBuilder::locator";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    // pylibmc's behaviors, libmemcached's MEMCACHED_BEHAVIOR_, MEMCACHED_DISTRIBUTION_ and
    // configuration string, php-memcached's OPT_ and DISTRIBUTION_.
    row(&[Library::PhpMemcached], &["libketamacompatible", "ketamaweighted", "libketama"], Rule("libketama_compatible")),
    row(&[Library::PhpMemcached], &["modula"], Rule("default")),
    row(&[Library::PhpMemcached], &["ketama"], Nothing("OPT_LIBKETAMA_COMPATIBLE is php-memcached:libketama_compatible, and DISTRIBUTION_CONSISTENT is php-memcached:consistent")),
    row(LIBMEMCACHED, &["ketama", "consistentketama", "consistenthashing"], Rule("consistent/default")),
    row(LIBMEMCACHED, &["consistentweighted"], Rule("ketama_weighted/default")),
    row(LIBMEMCACHED, &["libketamacompatible", "libketama", "weightedketama"], Rule("ketama_weighted/md5")),
    row(LIBMEMCACHED, &["consistentketamaspy", "spy"], Rule("ketama_spy_unweighted/default")),
    row(LIBMEMCACHED, &["sorthosts"], Rule("modula_sort_hosts/default")),
    row(LIBMEMCACHED, &["default", "modulo", "mod", "distribution", "hash"], Rule("modula/default")),
    row(LIBMEMCACHED, &["random"], Nothing("it finds no key again; allowed are modula and consistent")),
    row(LIBMEMCACHED, &["virtualbucket", "vbucket"], Nothing("it places keys by a map of buckets, which only the program has; give a locator of yours, ClientBuilder::locator")),
    // python-memcached: `memcache.serverHashFunction`, which is `cmemcache_hash`.
    row(&[Library::PythonMemcached], &["cmemcachehash", "default", "modulo", "modula", "serverhashfunction"], Rule("crc32")),
    row(&[Library::PythonMemcached], &["useoldserverhashfunction", "binasciicrc32", "zlibcrc32", "crc32old", "old"], Rule("crc32_old_useOldServerHashFunction")),
    // pymemcache: `HashClient(hasher=RendezvousHash)`.
    row(&[Library::Pymemcache], &["rendezvoushash", "rendezvous", "hashclient", "murmur332", "murmur3", "hasher", "default"], Rule("rendezvous_murmur3")),
    row(&[Library::Pyermc], &["client", "default"], Rule("single")),
    row(&[Library::Dalli], &["dalliring", "ketama", "consistent", "consistenthashing", "continuum", "crc32", "sha1", "default"], Rule("ring")),
    row(&[Library::Gomemcache], &["serverlist", "pickserver", "crc32", "crc32checksumieee", "modulo", "modula", "mod", "default"], Rule("crc32_mod")),
    row(&[Library::Gomemcache], &["serverselector", "newfromselector"], Nothing(OWN_LOCATOR)),
    // spymemcached: `ConnectionFactoryBuilder.Locator`, factories, `KetamaNodeKeyFormatter.Format`.
    row(&[Library::Spymemcached], &["arraymod", "arraymodnodelocator", "defaultconnectionfactory", "binaryconnectionfactory", "modulo", "default"], Rule("arraymod/NATIVE_HASH")),
    row(&[Library::Spymemcached], &["consistent"], Nothing("it is spymemcached:ketama_spy_format/NATIVE_HASH, and with setHashAlg(KETAMA_HASH) spymemcached:ketama_spy_format/KETAMA_HASH")),
    row(&[Library::Spymemcached], &["ketama", "ketamanodelocator", "ketamaconnectionfactory", "ketamahash", "spymemcached", "formatspymemcached"], Rule("ketama_spy_format/KETAMA_HASH")),
    row(&[Library::Spymemcached], &["libmemcached", "formatlibmemcached"], Rule("ketama_libmemcached_format/KETAMA_HASH")),
    row(&[Library::Spymemcached], &["vbucket", "vbucketnodelocator"], Nothing("it places keys by a map of buckets, which only the program has; give a locator of yours, ClientBuilder::locator")),
    // twemproxy's nutcracker.yml.
    row(&[Library::Twemproxy], &["consistent", "default", "distribution"], Rule("ketama/fnv1a_64")),
    row(&[Library::Twemproxy], &["modulo"], Rule("modula/fnv1a_64")),
    row(&[Library::Twemproxy], &["random"], Nothing("it finds no key again but through the proxy: give the proxy as the one server")),
    // .NET: `<locator type=..>`, `<locator factory=..>`, `NodeLocator`, `UseLegacyNodeLocator`.
    row(ENYIM, &["ketamanodelocator", "ketamanodelocatorfactory"], Rule("ketama/md5")),
    row(DOT_NET, &["defaultnodelocator", "defaultnodelocatorfactory", "default"], Rule("DefaultNodeLocator")),
    row(CORE, &["legacynodelocator", "uselegacynodelocator", "legacy"], Rule("LegacyNodeLocator")),
    row(CORE, &["dnsendpoint"], Rule("DefaultNodeLocator/DnsEndPoint")),
    row(CORE, &["ketama", "ketamanodelocator", "ketamanodelocatorfactory"], Nothing("EnyimMemcachedCore has no ketama; a port of EnyimMemcached's is enyim:ketama/md5, which any library takes by its whole name: enyimmemcachedcore:enyim:ketama/md5")),
    row(DOT_NET, &["singlenodelocator"], Nothing("it sends all keys to the first server: give that server alone")),
    row(DOT_NET, &["vbucketnodelocator", "vbucketnodelocatorfactory"], Nothing("it places keys by a map of buckets, which only the program has; give a locator of yours, ClientBuilder::locator")),
    row(&[Library::Moecache], &["ring", "consistent", "consistenthashing", "fnv1a", "defaultnodelocator", "ketama"], Rule("default")),
];

use Answer::{Nothing, Rule};

const fn row(libraries: &'static [Library], words: &'static [&'static str], answer: Answer) -> Row {
    Row {
        libraries,
        words,
        answer,
    }
}

/// What to say to a rule that `library` has under another name here; `None` if nothing is
/// known of it.
fn answer(library: Library, text: &str) -> Option<String> {
    // A hash may follow.
    let (word, hash) = match text.split_once('/') {
        Some((word, hash)) => (word, Some(hash)),
        None => (text, None),
    };
    for plain in plain(word) {
        let mut rows = ROWS.iter();
        let row = rows.find(|row| row.libraries.contains(&library) && row.words.contains(&&*plain));
        match row.map(|row| &row.answer) {
            Some(Nothing(reason)) => return Some((*reason).to_owned()),
            Some(Rule(rule)) => return Some(named(library, rule, hash)),
            // The same word, written otherwise, or a hash.
            None => {
                if let Some(rule) = rule_of(library, &plain) {
                    return Some(named(library, rule, hash));
                }
                let scheme = Scheme::from(library);
                if let Some(hash) = hash_of(scheme.distribution(), &plain) {
                    let scheme = scheme.with_hash(hash).ok()?;
                    return Some(format!("it is a hash, and by name {scheme}"));
                }
            }
        }
    }
    None
}

/// The library's rule of that name, but for its spelling.
fn rule_of(library: Library, plain: &str) -> Option<&'static str> {
    let mut own = Distribution::ALL.iter().filter(|it| it.is_of(library));
    let found = own.find(|it| alphanumeric(it.rule()) == plain)?;
    Some(found.rule())
}

/// The whole name, as it is printed, with the hash that stood behind the word.
fn named(library: Library, rule: &str, hash: Option<&str>) -> String {
    let name = format!("{library}:{rule}");
    let scheme = name.parse::<Scheme>().ok();
    let scheme = scheme.map(|scheme| {
        let hash = hash.and_then(|hash| hash_in(scheme.distribution(), hash));
        let with = hash.and_then(|hash| scheme.with_hash(hash).ok());
        with.unwrap_or(scheme)
    });
    let rule = scheme.map_or(name, |scheme| scheme.to_string());
    format!("its name here is {rule}")
}

/// A hash by a library's own word for it: `MEMCACHED_HASH_MD5`, `HASH_MD5`, `DefaultHashAlgorithm.CRC_HASH`,
/// `System.Security.Cryptography.SHA1`.
fn hash_in(distribution: Distribution, text: &str) -> Option<Hash> {
    let mut plain = plain(text);
    plain.find_map(|plain| hash_of(distribution, &plain))
}

fn hash_of(distribution: Distribution, plain: &str) -> Option<Hash> {
    const MADE_OF: [&str; 4] = ["", "managed", "cryptoserviceprovider", "cng"];

    let hashes = distribution.hashes();
    let known = hashes.iter().find(|(_, name)| {
        MADE_OF
            .iter()
            .any(|end| plain.strip_suffix(end) == Some(&*alphanumeric(name)))
    });
    // Which Enyim has as another word for MD5.
    let default = || distribution.default_hash().filter(|_| plain == "default");
    known.map(|&(hash, _)| hash).or_else(default)
}

/// The ways to read what was written: letters and digits, in lower case, first with all that stands
/// before them and then without.
fn plain(text: &str) -> impl Iterator<Item = String> {
    const BEFORE: [&str; 9] = [
        "memcacheddistribution",
        "memcachedbehavior",
        "memcachedhash",
        "memcachedopt",
        "distribution",
        "behavior",
        "optdistribution",
        "opt",
        "hash",
    ];

    // An assembly may follow the type's name, and a switch be on.
    let text = text.split(',').next().unwrap_or_default();
    let is_on = |part: &&str| !matches!(&*alphanumeric(part), "true" | "1" | "yes" | "on");
    let mut parts = text.split([':', '=']).map(str::trim).filter(is_on);
    let value = parts.next_back().unwrap_or_default();
    let whole = alphanumeric(value);
    let last = alphanumeric(value.rsplit('.').next().unwrap_or_default());
    let bare = BEFORE.iter().find_map(|before| last.strip_prefix(before));
    let bare = bare.unwrap_or_default().to_owned();
    [whole, last, bare]
        .into_iter()
        .filter(|word| !word.is_empty())
}

fn alphanumeric(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// What several libraries call `text`, as [`Distribution`] names it.
fn distributions(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for library in Library::ALL {
        for plain in plain(text) {
            let rows = ROWS.iter().filter(|row| row.libraries.contains(&library));
            let rule = rows.into_iter().find_map(|row| match row.answer {
                Rule(rule) if row.words.contains(&&*plain) => Some(rule),
                _ => None,
            });
            let Some(rule) = rule.or_else(|| rule_of(library, &plain)) else {
                continue;
            };
            let scheme = format!("{library}:{rule}").parse::<Scheme>();
            let name = scheme.map(|scheme| scheme.distribution().to_string());
            names.extend(name.ok().filter(|name| !names.contains(name)));
            break;
        }
    }
    names
}

impl FromStr for Scheme {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (peer, rule) = match text.split_once(':') {
            Some((peer, rule)) => (peer.parse::<Library>()?, rule),
            None => return Ok(text.parse::<Library>()?.into()),
        };
        let scheme = Self::from(peer);
        let php = PHP
            .iter()
            .find(|(name, ..)| peer == Library::PhpMemcached && *name == rule);
        if let Some(&(_, distribution, hash)) = php {
            return scheme.with_distribution(distribution).with_hash(hash);
        }
        // Rules have slashes of their own: the longest that fits is meant.
        let rule_of = |distribution: Distribution| {
            if distribution.is_of(peer) {
                distribution.rule().to_owned()
            } else {
                distribution.to_string()
            }
        };
        let found = Distribution::ALL
            .iter()
            .filter_map(|&distribution| {
                let name = rule_of(distribution);
                let rest = rule.strip_prefix(&*name)?;
                let hash = rest.strip_prefix('/');
                (rest.is_empty() || hash.is_some()).then_some((name.len(), distribution, hash))
            })
            .max_by_key(|&(length, ..)| length);
        let Some((_, distribution, hash)) = found else {
            return Err(has_no_rule(peer, rule));
        };
        let scheme = scheme.with_distribution(distribution);
        match hash {
            Some(name) => scheme.with_hash(hash_named(distribution, name)?),
            None => Ok(scheme),
        }
    }
}

/// The hash of this name: the owner's, or libmemcached's. Case does not matter.
fn hash_named(distribution: Distribution, name: &str) -> Result<Hash, Error> {
    let mut hashes = distribution.hashes().iter();
    let known = hashes.find(|(_, known)| known.eq_ignore_ascii_case(name));
    if let Some(&(hash, _)) = known {
        return Ok(hash);
    }
    let hash = hash_in(distribution, name);
    let hash = hash.map_or_else(|| name.parse(), Ok);
    hash.map_err(|_| distribution.has_no_hash(name))
}

fn has_no_rule(peer: Library, rule: &str) -> Error {
    let answer = answer(peer, rule).map_or_else(String::new, |answer| format!("; {answer}"));
    let distributions = Distribution::ALL.iter();
    let own = distributions.filter(|distribution| distribution.is_of(peer));
    let php = PHP.iter().filter(|_| peer == Library::PhpMemcached);
    let mut known: Vec<&str> = php.map(|&(name, ..)| name).collect();
    for distribution in own {
        // php-memcached has a `consistent` of its own.
        if !known.contains(&distribution.rule()) {
            known.push(distribution.rule());
        }
    }
    Error::validation(format!(
        "scheme: {peer} has no {rule:?}{answer}; allowed are {}, and those of others by their whole names, \
         as in {peer}:{}",
        known.join(", "),
        Distribution::PythonMemcached
    ))
}

impl FromStr for Distribution {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let known = Self::ALL.iter().find(|known| known.to_string() == text);
        known.copied().ok_or_else(|| {
            let names: Vec<String> = Self::ALL.iter().map(ToString::to_string).collect();
            let meant = distributions(text).join(" or ");
            let meant = match &*meant {
                "" => String::new(),
                meant => format!("; here it is {meant}"),
            };
            Error::validation(format!(
                "distribution: {text:?} is not known; allowed are {}{meant}",
                names.join(", ")
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a user of the library would type, as the scheme behind its name, and the name to use.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn the_words_of_each_library() {
        let rows: &[(&str, &[&str], &str)] = &[
            (
                "pylibmc",
                &[
                    "ketama",
                    "\"ketama\": True",
                    "consistent ketama",
                    "consistent_ketama",
                ],
                "pylibmc:consistent/default",
            ),
            (
                "pylibmc",
                &["ketama/md5", "ketama/MEMCACHED_HASH_MD5"],
                "pylibmc:consistent/md5",
            ),
            (
                "pylibmc",
                &["consistent weighted", "consistent_weighted"],
                "pylibmc:ketama_weighted/default",
            ),
            (
                "pylibmc",
                &["consistent ketama spy"],
                "pylibmc:ketama_spy_unweighted/default",
            ),
            (
                "pylibmc",
                &["_sort_hosts"],
                "pylibmc:modula_sort_hosts/default",
            ),
            ("pylibmc", &["md5", "hash: md5"], "pylibmc:modula/md5"),
            (
                "libmemcached",
                &["MEMCACHED_DISTRIBUTION_MODULA"],
                "libmemcached:modula/default",
            ),
            (
                "libmemcached",
                &[
                    "MEMCACHED_DISTRIBUTION_CONSISTENT",
                    "MEMCACHED_DISTRIBUTION_CONSISTENT_KETAMA",
                    "MEMCACHED_BEHAVIOR_KETAMA",
                    "--DISTRIBUTION=consistent",
                    "KETAMA",
                ],
                "libmemcached:consistent/default",
            ),
            (
                "libmemcached",
                &["MEMCACHED_DISTRIBUTION_CONSISTENT_WEIGHTED"],
                "libmemcached:ketama_weighted/default",
            ),
            (
                "libmemcached",
                &["MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED", "KETAMA_WEIGHTED"],
                "libmemcached:ketama_weighted/md5",
            ),
            (
                "libmemcached",
                &["MEMCACHED_DISTRIBUTION_CONSISTENT_KETAMA_SPY"],
                "libmemcached:ketama_spy_unweighted/default",
            ),
            (
                "libmemcached",
                &["MEMCACHED_BEHAVIOR_SORT_HOSTS", "--SORT-HOSTS"],
                "libmemcached:modula_sort_hosts/default",
            ),
            (
                "libmemcached",
                &["MEMCACHED_HASH_FNV1A_32", "--HASH=FNV1A_32"],
                "libmemcached:modula/fnv1a_32",
            ),
            (
                "php-memcached",
                &[
                    "OPT_LIBKETAMA_COMPATIBLE",
                    "Memcached::OPT_LIBKETAMA_COMPATIBLE",
                ],
                "php-memcached:libketama_compatible",
            ),
            (
                "php-memcached",
                &[
                    "DISTRIBUTION_CONSISTENT",
                    "Memcached::DISTRIBUTION_CONSISTENT",
                ],
                "php-memcached:consistent",
            ),
            (
                "php-memcached",
                &["Memcached::DISTRIBUTION_MODULA"],
                "php-memcached:default",
            ),
            (
                "php-memcached",
                &["Memcached::HASH_MD5"],
                "php-memcached:modula/md5",
            ),
            (
                "python-memcached",
                &["cmemcache_hash"],
                "python-memcached:crc32",
            ),
            (
                "python-memcached",
                &["useOldServerHashFunction", "binascii.crc32"],
                "python-memcached:crc32_old_useOldServerHashFunction",
            ),
            (
                "pymemcache",
                &["RendezvousHash", "rendezvous", "HashClient", "murmur3_32"],
                "pymemcache:rendezvous_murmur3",
            ),
            ("dalli", &["Dalli::Ring", "ketama", "crc32"], "dalli:ring"),
            (
                "gomemcache",
                &["ServerList", "crc32", "crc32.ChecksumIEEE"],
                "gomemcache:crc32_mod",
            ),
            (
                "spymemcached",
                &[
                    "ARRAY_MOD",
                    "Locator.ARRAY_MOD",
                    "ArrayModNodeLocator",
                    "DefaultConnectionFactory",
                ],
                "spymemcached:arraymod/NATIVE_HASH",
            ),
            (
                "spymemcached",
                &["KetamaConnectionFactory", "KetamaNodeLocator", "ketama"],
                "spymemcached:ketama_spy_format/KETAMA_HASH",
            ),
            (
                "spymemcached",
                &["Locator.CONSISTENT", "CONSISTENT"],
                "spymemcached:ketama_spy_format/NATIVE_HASH",
            ),
            (
                "spymemcached",
                &["KetamaNodeKeyFormatter.Format.LIBMEMCACHED"],
                "spymemcached:ketama_libmemcached_format/KETAMA_HASH",
            ),
            (
                "spymemcached",
                &["ARRAY_MOD/DefaultHashAlgorithm.FNV1A_64_HASH"],
                "spymemcached:arraymod/FNV1A_64_HASH",
            ),
            (
                "twemproxy",
                &["distribution: ketama", "Ketama"],
                "twemproxy:ketama/fnv1a_64",
            ),
            (
                "twemproxy",
                &["distribution: modula"],
                "twemproxy:modula/fnv1a_64",
            ),
            (
                "twemproxy",
                &["hash: murmur", "murmur"],
                "twemproxy:ketama/murmur",
            ),
            (
                "enyim",
                &[
                    "KetamaNodeLocator",
                    "KetamaNodeLocatorFactory",
                    "Enyim.Caching.Memcached.KetamaNodeLocatorFactory, Enyim.Caching",
                ],
                "enyim:ketama/md5",
            ),
            (
                "enyim",
                &[
                    "KetamaNodeLocator/sha1",
                    "ketama_node_locator/System.Security.Cryptography.SHA1",
                ],
                "enyim:ketama/sha1",
            ),
            (
                "enyim",
                &["Enyim.Caching.Memcached.DefaultNodeLocator", "default"],
                "enyim:DefaultNodeLocator",
            ),
            (
                "enyimmemcachedcore",
                &[
                    "UseLegacyNodeLocator",
                    "Enyim.Caching.Memcached.LegacyNodeLocator",
                ],
                "enyimmemcachedcore:LegacyNodeLocator",
            ),
            (
                "enyimmemcachedcore",
                &["KetamaNodeLocator", "ketama"],
                "enyimmemcachedcore:enyim:ketama/md5",
            ),
            (
                "enyimmemcachedcore-messagepack",
                &["DefaultNodeLocatorFactory"],
                "enyimmemcachedcore-messagepack:DefaultNodeLocator",
            ),
            ("moecache", &["ketama", "ring"], "moecache:default"),
        ];
        for (library, words, name) in rows {
            for word in *words {
                let error = format!("{library}:{word}").parse::<Scheme>().unwrap_err();
                let error = error.to_string();
                assert!(
                    error.starts_with(&format!("scheme: {library} has no")),
                    "{error}"
                );
                assert!(error.contains(name), "{library}:{word}: {error}");
                assert!(name.parse::<Scheme>().is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn what_there_is_not() {
        let rows = [
            ("pylibmc:random", "finds no key again"),
            ("pylibmc:virtual bucket", "ClientBuilder::locator"),
            (
                "libmemcached:MEMCACHED_DISTRIBUTION_VIRTUAL_BUCKET",
                "ClientBuilder::locator",
            ),
            (
                "php-memcached:DISTRIBUTION_VIRTUAL_BUCKET",
                "ClientBuilder::locator",
            ),
            ("gomemcache:ServerSelector", "ClientBuilder::locator"),
            ("spymemcached:Locator.VBUCKET", "ClientBuilder::locator"),
            ("twemproxy:random", "through the proxy"),
            ("enyim:SingleNodeLocator", "first server"),
            ("enyim:VBucketNodeLocatorFactory", "ClientBuilder::locator"),
            ("enyim:ketama/SHA256", "allowed are md5, sha1, "),
            (
                "enyim:ketama/System.Security.Cryptography.SHA512",
                "ClientBuilder::locator",
            ),
        ];
        for (scheme, expected) in rows {
            let error = scheme.parse::<Scheme>().unwrap_err().to_string();
            assert!(error.contains(expected), "{scheme}: {error}");
        }
    }

    /// Where the distribution is named, the hash may be called what it is there.
    #[test]
    fn hashes() {
        let rows = [
            (
                "libmemcached:consistent/MEMCACHED_HASH_FNV1A_32",
                "libmemcached:consistent/fnv1a_32",
            ),
            (
                "libmemcached:modula/MEMCACHED_HASH_DEFAULT",
                "libmemcached:modula/default",
            ),
            (
                "php-memcached:consistent/Memcached::HASH_MD5",
                "php-memcached:consistent/md5",
            ),
            (
                "spymemcached:arraymod/DefaultHashAlgorithm.CRC_HASH",
                "spymemcached:arraymod/CRC_HASH",
            ),
            (
                "enyim:ketama/System.Security.Cryptography.MD5",
                "enyim:ketama/md5",
            ),
            ("enyim:ketama/SHA1Managed", "enyim:ketama/sha1"),
            ("enyim:ketama/default", "enyim:ketama/md5"),
            (
                "twemproxy:ketama/hash: fnv1a_32",
                "twemproxy:ketama/fnv1a_32",
            ),
        ];
        for (scheme, expected) in rows {
            assert_eq!(
                scheme.parse::<Scheme>().unwrap().to_string(),
                expected,
                "{scheme}"
            );
        }
    }

    #[test]
    fn distributions_without_their_library() {
        let rows = [
            (
                "KetamaNodeLocator",
                "; here it is enyim:ketama or spymemcached:ketama_spy_format",
            ),
            ("cmemcache_hash", "; here it is python-memcached:crc32"),
            (
                "MEMCACHED_DISTRIBUTION_CONSISTENT",
                "libmemcached:consistent",
            ),
            ("Locator.ARRAY_MOD", "; here it is spymemcached:arraymod"),
            ("nonsense", "allowed are moecache:default, "),
        ];
        for (text, expected) in rows {
            let error = text.parse::<Distribution>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
