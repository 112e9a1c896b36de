//! Which memcached a server says it is, and what that one did not know yet.

/// The memcached that this one copies.
const VERSION: &str = "1.6.18";

/// A release: its text, and its numbers as far as the text has them.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    text: String,
    numbers: Option<[u32; 3]>,
}

/// What came to memcached after 1.4.0.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ability {
    /// `touch`, and in the binary protocol get and touch too.
    Touch,
    Metadump,
    /// `lru_crawler metadump hash`.
    MetadumpHash,
    /// `gat` and `gats`.
    GetAndTouch,
    Meta,
}

impl Ability {
    /// The release that had it first, as its release notes say
    /// (`https://github.com/memcached/memcached/wiki/ReleaseNotes148`, and so on).
    fn since(self) -> [u32; 3] {
        match self {
            Self::Touch => [1, 4, 8],
            Self::Metadump => [1, 4, 31],
            Self::MetadumpHash => [1, 6, 9],
            Self::GetAndTouch => [1, 5, 3],
            Self::Meta => [1, 6, 0],
        }
    }
}

impl Version {
    pub(crate) fn new(text: String) -> Self {
        let numbers = numbers(&text);
        Self { text, numbers }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// A text that is no version knows everything.
    pub(crate) fn has(&self, ability: Ability) -> bool {
        self.numbers
            .is_none_or(|numbers| numbers >= ability.since())
    }
}

impl Default for Version {
    fn default() -> Self {
        Self::new(VERSION.to_owned())
    }
}

/// The three numbers that the text begins with; what follows them does not matter.
fn numbers(text: &str) -> Option<[u32; 3]> {
    let mut parts = text.splitn(3, '.').map(|part| {
        let digits = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        part[..digits].parse().ok()
    });
    Some([parts.next()??, parts.next()??, parts.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abilities() {
        let rows = [
            ("1.4.7", [false, false, false, false]),
            ("1.4.8", [true, false, false, false]),
            ("1.4.24_hopscotch", [true, false, false, false]),
            ("1.4.31", [true, true, false, false]),
            ("1.5.3", [true, true, true, false]),
            ("1.5.22", [true, true, true, false]),
            ("1.6.0-beta1", [true, true, true, true]),
            ("1.10.0", [true, true, true, true]),
            ("1.4", [true, true, true, true]),
            ("something else", [true, true, true, true]),
        ];
        for (text, expected) in rows {
            let version = Version::new(text.to_owned());
            let abilities = [
                Ability::Touch,
                Ability::Metadump,
                Ability::GetAndTouch,
                Ability::Meta,
            ];
            assert_eq!(abilities.map(|it| version.has(it)), expected, "{text}");
        }
    }
}
