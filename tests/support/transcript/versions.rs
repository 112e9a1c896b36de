//! Replies that are not the same from every version of memcached.

use super::packets;
use crate::support::memcached::release_of;

/// The versions that a file is recorded from, the oldest first.
pub type Versions = Vec<String>;

/// A line of a reply, or a packet of the binary protocol, and the versions that answer it.
pub struct Part {
    pub bytes: Vec<u8>,
    pub versions: Versions,
}

/// A reply of every version.
#[derive(Default)]
pub struct Reply(pub Vec<Part>);

/// What a version is to answer.
pub enum Expected {
    /// It is recorded.
    Exactly(Vec<u8>),
    /// It is not: what its neighbors both answer, and what one of them does; and what each of them answers
    /// in all.
    Between(Vec<(Vec<u8>, Must)>, Vec<Vec<u8>>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Must {
    Come,
    MayCome,
}

impl Reply {
    /// Adds what the file has on one line, which may be several parts.
    pub fn add(&mut self, bytes: &[u8], versions: &Versions) {
        let parts = parts(bytes).into_iter().map(|part| Part {
            bytes: part.to_vec(),
            versions: versions.clone(),
        });
        self.0.extend(parts);
    }

    pub fn of(&self, version: &str) -> Vec<u8> {
        let parts = self.0.iter().filter(|part| part.is_of(version));
        parts.flat_map(|part| &part.bytes).copied().collect()
    }

    pub fn expected(&self, version: &str, recorded: &Versions) -> Expected {
        let neighbors = neighbors(version, recorded);
        if let [same] = neighbors[..]
            && same == version
        {
            return Expected::Exactly(self.of(version));
        }
        let parts = self.0.iter().filter_map(|part| {
            let of = neighbors.iter().filter(|it| part.is_of(it)).count();
            let must = match of {
                0 => return None,
                _ if of == neighbors.len() => Must::Come,
                _ => Must::MayCome,
            };
            Some((part.bytes.clone(), must))
        });
        let replies = neighbors.iter().map(|version| self.of(version));
        Expected::Between(parts.collect(), replies.collect())
    }

    /// The same with another reply of one version. `recorded` has that version too.
    pub fn with(&self, version: &str, reply: &[u8], recorded: &Versions) -> Self {
        let mut merged = Self::default();
        for one in recorded {
            let reply = if one == version {
                reply.to_vec()
            } else {
                self.of(one)
            };
            merged.merge(one, &parts(&reply));
        }
        merged
    }

    /// Adds what one more version answers: what is the same is there once.
    fn merge(&mut self, version: &str, reply: &[&[u8]]) {
        let old = std::mem::take(&mut self.0);
        // How many parts the rest of both have in common, by where they begin.
        let mut common = vec![vec![0; reply.len() + 1]; old.len() + 1];
        for i in (0..old.len()).rev() {
            for j in (0..reply.len()).rev() {
                common[i][j] = if old[i].bytes == reply[j] {
                    common[i + 1][j + 1] + 1
                } else {
                    common[i + 1][j].max(common[i][j + 1])
                };
            }
        }
        let new = |part: &[u8]| Part {
            bytes: part.to_vec(),
            versions: vec![version.to_owned()],
        };
        let mut next = 0;
        for (i, mut part) in old.into_iter().enumerate() {
            while next < reply.len()
                && part.bytes != reply[next]
                && common[i][next + 1] > common[i + 1][next]
            {
                self.0.push(new(reply[next]));
                next += 1;
            }
            if next < reply.len() && part.bytes == reply[next] {
                part.versions.push(version.to_owned());
                next += 1;
            }
            self.0.push(part);
        }
        self.0.extend(reply[next..].iter().map(|part| new(part)));
    }
}

impl Expected {
    /// Whether this is all, and nothing can follow.
    pub fn is_complete(&self, received: &[u8]) -> bool {
        match self {
            Self::Exactly(reply) => received == reply,
            Self::Between(_, replies) => {
                let mut longer = replies.iter().filter(|reply| *reply != received);
                replies.iter().any(|reply| reply == received)
                    && !longer.any(|reply| reply.starts_with(received))
            }
        }
    }
}

impl Part {
    fn is_of(&self, version: &str) -> bool {
        self.versions.iter().any(|it| it == version)
    }
}

/// That version, or those nearest to it, the older and the newer one.
pub fn neighbors<'a>(version: &'a str, recorded: &'a Versions) -> Vec<&'a str> {
    if recorded.iter().any(|it| it == version) {
        return vec![version];
    }
    let release = release_of(version);
    let older = recorded.iter().rfind(|it| release_of(it) <= release);
    let newer = recorded.iter().find(|it| release_of(it) > release);
    older.into_iter().chain(newer).map(String::as_str).collect()
}

/// The lines of a reply, or the packets.
pub fn parts(reply: &[u8]) -> Vec<&[u8]> {
    match packets::split(reply) {
        packets if packets.is_empty() => reply.split_inclusive(|&byte| byte == b'\n').collect(),
        packets => packets,
    }
}

/// What of a reply is not as expected; nothing, if all is.
pub fn differences(reply: &[u8], expected: &[(Vec<u8>, Must)]) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let (mut missing, mut unknown) = (Vec::new(), Vec::new());
    let mut rest = expected;
    for part in parts(reply) {
        let Some(at) = rest.iter().position(|(bytes, _)| bytes == part) else {
            unknown.push(part.to_vec());
            continue;
        };
        let left_out = rest[..at].iter().filter(|(_, must)| *must == Must::Come);
        missing.extend(left_out.map(|(bytes, _)| bytes.clone()));
        rest = &rest[at + 1..];
    }
    let left_out = rest.iter().filter(|(_, must)| *must == Must::Come);
    missing.extend(left_out.map(|(bytes, _)| bytes.clone()));
    (missing, unknown)
}
