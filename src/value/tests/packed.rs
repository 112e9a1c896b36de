//! What is compressed in our own format, and what may be asked for in each.

use super::super::codec;
use super::*;

const LIMIT: usize = 1 << 20;

fn moecache(compression: Compression) -> Box<dyn Transcoder> {
    Format::Moecache.transcoder(compression, LIMIT).unwrap()
}

fn stored_by<V: Serialize + ?Sized>(transcoder: &dyn Transcoder, value: &V) -> Item {
    encode_item(transcoder, value).unwrap()
}

/// Those that are compiled in, and their flags.
fn algorithms() -> Vec<(Compression, u32)> {
    vec![
        #[cfg(feature = "lz4")]
        (Compression::lz4(), 0x4d20),
        #[cfg(feature = "zstd")]
        (Compression::zstd(), 0x4d60),
    ]
}

#[test]
fn from_the_threshold_on() {
    let text = "to be, or not to be, ".repeat(50);
    let words: Vec<&str> = text.split(' ').collect();
    for (compression, flags) in algorithms() {
        let small = moecache(compression.threshold(text.len() + 1));
        assert_eq!(stored_by(&*small, &text), stored(&text).unwrap());
        let large = moecache(compression.threshold(text.len()));
        for item in [
            stored_by(&*large, &text),
            stored_by(&*large, text.as_bytes()),
            stored_by(&*large, &words),
        ] {
            assert_eq!(item.flags, flags);
            assert!(item.data.len() < text.len() / 4);
        }
        // What is compressed is read, whatever is set.
        let off = moecache(Compression::off());
        let item = stored_by(&*large, &text);
        assert_eq!(item.data[..4], 274_u32.to_le_bytes());
        assert_eq!(item.data[4..8], 1050_u32.to_le_bytes());
        assert_eq!(decode::<String>(&*off, item).unwrap(), text);
        let item = stored_by(&*large, text.as_bytes());
        assert_eq!(decode_bytes(&*off, item).unwrap(), text.as_bytes());
        let item = stored_by(&*large, &words);
        assert_eq!(decode::<Vec<String>>(&*off, item).unwrap(), words);
    }
}

#[test]
fn never_larger() {
    for (compression, _) in algorithms() {
        let transcoder = moecache(compression.threshold(0));
        for value in ["", "a", "no two letters alike"] {
            assert_eq!(stored_by(&*transcoder, value), stored(value).unwrap());
        }
        assert_eq!(stored_by(&*transcoder, &7_u64), stored(&7_u64).unwrap());
    }
}

#[test]
fn bodies_that_lie() {
    for (compression, flags) in algorithms() {
        let transcoder = moecache(compression.threshold(0));
        let complaint = |data: Vec<u8>| {
            let error = complaint(decode::<String>(&*transcoder, Item::new(flags, data)));
            let start = Enyim::default().describe(flags);
            let how = error.strip_prefix(&format!("the item is {start} (flags {flags}) "));
            how.map(str::to_owned).unwrap_or(error)
        };
        let bomb = stored_by(&*transcoder, &"z".repeat(LIMIT + 1));
        assert!(bomb.data.len() < LIMIT / 200);
        let too_large = codec::Damage::TooLarge(LIMIT).to_string();
        assert_eq!(complaint(bomb.data), too_large);

        let good = stored_by(&*transcoder, &"z".repeat(100)).data;
        for length in [0, 99, 101] {
            let mut data = good.clone();
            data[4] = length;
            assert_eq!(complaint(data), "of another length than it claims");
        }
        assert_eq!(complaint(good[..7].to_vec()), "that is cut short");
        assert_eq!(complaint(Vec::new()), "that is cut short");

        let mut within = good.clone();
        within[..4].copy_from_slice(&flags.to_le_bytes());
        assert_eq!(complaint(within), "in another one");
        let mut pickle = good;
        pickle[..4].copy_from_slice(&256_u32.to_le_bytes());
        assert!(complaint(pickle).contains("a Python pickle"));
    }
}

#[test]
fn without_the_feature() {
    let rows = [
        (cfg!(feature = "lz4"), Compression::lz4(), "lz4", 0x4d20),
        (cfg!(feature = "zstd"), Compression::zstd(), "zstd", 0x4d60),
    ];
    for (is_there, compression, feature, flags) in rows {
        if is_there {
            continue;
        }
        let error = Format::Moecache.transcoder(compression, LIMIT).unwrap_err();
        let expected = format!("compression: {feature} needs the feature {feature} of moecache");
        assert_eq!(error.to_string(), expected);
        let error = complaint(read::<String>(flags, [0; 9]));
        let expected = format!("which needs the feature {feature} of moecache");
        assert!(error.ends_with(&expected), "{error}");
    }
}

#[test]
fn what_each_format_knows() {
    let rows = [
        (Format::Moecache, "off, lz4, zstd"),
        (Format::Enyim, "off, lz4, zstd"),
        (Format::EnyimCoreMessagePack, "off, lz4, zstd"),
        (Format::Raw, "off"),
        (Format::MoecachePickle, "off"),
        (Format::Pymemcache, "off"),
        (Format::Pyermc, "off, lz4"),
        (Format::DalliRaw, "off"),
    ];
    for (format, known) in rows {
        for compression in [Compression::zlib(), Compression::gzip()] {
            let error = format.transcoder(compression, LIMIT).unwrap_err();
            assert!(error.is_validation());
            let error = error.to_string();
            assert!(error.starts_with("compression: "), "{error}");
            assert!(
                error.ends_with(&format!("; allowed are {known}")),
                "{error}"
            );
        }
    }
}

/// On only where the algorithm is compiled in, so that every format can be made in every build.
#[test]
fn defaults() {
    for format in Format::all() {
        let needs_json = matches!(format, Format::DalliJson | Format::PhpJson);
        let made = format.transcoder(format.default_compression(), LIMIT);
        match made {
            Ok(_) => assert!(cfg!(feature = "json") || !needs_json),
            Err(error) => assert_eq!(
                error.to_string(),
                format!("format: {format} needs the feature json of moecache")
            ),
        }
    }
    let rows = [
        (Format::Moecache, "off"),
        (Format::Dalli, "zlib:4096"),
        (Format::DalliRaw, "off"),
        (Format::Php, "zlib:2000"),
        (Format::Spymemcached, "gzip:16385"),
        (Format::Pylibmc, "off"),
    ];
    for (format, expected) in rows {
        let expected = if cfg!(feature = "zlib") {
            expected
        } else {
            "off"
        };
        assert_eq!(format.default_compression().to_string(), expected);
    }
}
