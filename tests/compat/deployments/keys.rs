//! The keys.

use moecache::KeyBytes;

/// How many keys go each way.
pub const COUNT: usize = 500;

/// Keys such as programs have, and any printable ones of every length up to `longest`, always the same.
/// But for `/`, which no file name has: libmemcached's tools take keys for names of files.
pub fn keys(longest: u8, bytes: KeyBytes) -> Vec<String> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut keys = vec!["!".to_owned(), "~".repeat(longest.into())];
    keys.extend((0..100).map(|number| format!("key{number}")));
    keys.extend((0..50).map(|user| format!("user:{user}:name")));
    keys.extend((0..50).map(|_| format!("{:016x}", random.next())));
    if bytes == KeyBytes::NonAscii {
        keys.extend((0..20).map(|number| format!("schlüssel{number}")));
        keys.extend((0..20).map(|number| format!("鍵:{number}")));
        keys.extend((0..10).map(|number| "🔑".repeat(number + 1)));
    }
    keys.extend((0..150).map(|_| random.key(1, 40)));
    while keys.len() < COUNT {
        keys.push(random.key(41, longest));
    }
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), COUNT);
    keys
}

/// Knuth's MMIX generator: the same keys on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 16
    }

    /// From `first` to `last`.
    fn within(&mut self, first: u8, last: u8) -> u8 {
        let count = u64::from(last - first) + 1;
        first + u8::try_from(self.next() % count).unwrap()
    }

    fn key(&mut self, least: u8, most: u8) -> String {
        let length = self.within(least, most);
        let bytes = (0..length).map(|_| char::from(self.within(b'!', b'~')));
        bytes.collect::<String>().replace('/', "_")
    }
}
