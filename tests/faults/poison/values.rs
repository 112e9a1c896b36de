use crate::support::Random;

/// The value of a version of a key. It says which it is, and is not right unless every byte is.
pub fn value(key: &str, version: u64, length: usize) -> String {
    let unit = format!("{key}={version};");
    let mut body = unit.repeat(length / unit.len() + 1);
    body.truncate(length);
    let checksum = checksum(key, version, &body);
    format!("{key} {version} {checksum:08x} {body}")
}

/// Which version of `key` a value is.
pub fn version(key: &str, value: &str) -> Result<u64, Wrong> {
    let mut words = value.splitn(4, ' ');
    let mut next = || words.next().ok_or(Wrong::Corrupt);
    let (name, version, sum, body) = (next()?, next()?, next()?, next()?);
    let version = version.parse().map_err(|_| Wrong::Corrupt)?;
    if format!("{:08x}", checksum(name, version, body)) != sum {
        return Err(Wrong::Corrupt);
    }
    if name != key {
        return Err(Wrong::OfAnotherKey(name.to_owned()));
    }
    Ok(version)
}

/// Why a value is not one of the key's.
#[derive(Debug, PartialEq, Eq)]
pub enum Wrong {
    OfAnotherKey(String),
    Corrupt,
}

fn checksum(key: &str, version: u64, body: &str) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(key.as_bytes());
    crc.update(&version.to_be_bytes());
    crc.update(body.as_bytes());
    crc.finalize()
}

/// From tens of bytes to some 100 KB, each order of magnitude as often as the others.
pub fn length(random: &mut Random) -> usize {
    let magnitude = 1 << (4 + random.below(13));
    magnitude + random.below(magnitude)
}

#[test]
fn what_is_wrong_with_a_value() {
    let right = value("a", 7, 100);
    assert_eq!(version("a", &right), Ok(7));
    assert_eq!(version("b", &right), Err(Wrong::OfAnotherKey("a".into())));
    assert_eq!(version("a", &right[..99]), Err(Wrong::Corrupt));
    assert_eq!(
        version("a", &right.replace("a 7", "a 8")),
        Err(Wrong::Corrupt)
    );
    assert_eq!(version("a", ""), Err(Wrong::Corrupt));
}
