//! Every algorithm against streams that are cut, prolonged, altered, or far larger than they look.

use super::*;

type Compress = fn(&[u8]) -> Option<Vec<u8>>;
type Unpacked<'a> = Result<&'a [u8], Damage>;
type Decompress = fn(&[u8], usize, usize) -> Result<Vec<u8>, Damage>;

/// Those that are compiled in; the second number is the length, for those that take one.
const CODECS: &[(&str, Compress, Decompress)] = &[
    #[cfg(feature = "zlib")]
    ("zlib", zlib::compress, |data, limit, _| {
        zlib::decompress(data, limit)
    }),
    #[cfg(feature = "zlib")]
    ("gzip", gzip::compress, |data, limit, _| {
        gzip::decompress(data, limit)
    }),
    #[cfg(feature = "lz4")]
    ("lz4", lz4::compress, lz4::decompress),
    #[cfg(feature = "zstd")]
    ("zstd", zstd::compress, |data, limit, _| {
        zstd::decompress(data, limit)
    }),
    ("fastlz", with_fastlz, fastlz::decompress),
];

/// Literals and runs of one byte: as much of a compressor as the decompressor's test needs.
#[expect(clippy::unnecessary_wraps, reason = "as all algorithms have it")]
fn with_fastlz(data: &[u8]) -> Option<Vec<u8>> {
    let mut output = Vec::new();
    let mut rest = data;
    while let Some(&byte) = rest.first() {
        let run = rest
            .iter()
            .take(265)
            .take_while(|&&other| other == byte)
            .count();
        // The shortest of the long matches has 9 bytes, and one byte to copy from comes first.
        if (10..).contains(&run) {
            output.extend([0, byte]);
            let matched = (run - 1).min(264);
            output.extend([0xe0, u8::try_from(matched - 9).unwrap(), 0]);
            rest = &rest[1 + matched..];
        } else {
            let literals = rest.len().min(32).min(run);
            output.push(u8::try_from(literals - 1).unwrap());
            output.extend(&rest[..literals]);
            rest = &rest[literals..];
        }
    }
    Some(output)
}

fn samples() -> Vec<Vec<u8>> {
    let mixed: Vec<u8> = (0..20_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> (n % 8)).to_be_bytes()[0])
        .collect();
    vec![
        b"a".to_vec(),
        b"abcabcabcabcabcabcabcabcabc, and on it goes".to_vec(),
        vec![0; 4096],
        vec![b'z'; 100_000],
        mixed,
    ]
}

#[test]
fn round_trips() {
    for (name, compress, decompress) in CODECS {
        for sample in samples() {
            let length = sample.len();
            let packed = compress(&sample).unwrap();
            for limit in [length, length + 1, 1 << 20, usize::MAX] {
                let unpacked = decompress(&packed, limit, length);
                assert!(unpacked.as_ref() == Ok(&sample), "{name} {length} {limit}");
            }
        }
    }
}

#[test]
fn cut_or_prolonged() {
    for (name, compress, decompress) in CODECS {
        for sample in samples() {
            let packed = compress(&sample).unwrap();
            let step = packed.len().div_ceil(500);
            for cut in (0..packed.len()).step_by(step) {
                let outcome = decompress(&packed[..cut], 1 << 20, sample.len());
                assert!(outcome.is_err(), "{name} cut to {cut} of {}", packed.len());
            }
            let prolonged = [&packed[..], b"\0"].concat();
            assert!(
                decompress(&prolonged, 1 << 20, sample.len()).is_err(),
                "{name}"
            );
        }
    }
}

/// One altered byte gives an error or other bytes, and neither a panic nor more than the limit.
#[test]
fn altered() {
    for (name, compress, decompress) in CODECS {
        for sample in samples() {
            let packed = compress(&sample).unwrap();
            let step = packed.len().div_ceil(200);
            for at in (0..packed.len()).step_by(step) {
                for mask in [1, 0x80, 0xff] {
                    let mut packed = packed.clone();
                    packed[at] ^= mask;
                    if let Ok(output) = decompress(&packed, 200_000, sample.len()) {
                        assert!(output.len() <= 200_000, "{name}");
                    }
                }
            }
        }
    }
}

#[test]
fn bombs() {
    for (name, compress, decompress) in CODECS {
        let bomb = compress(&vec![0; 16 << 20]).unwrap();
        for limit in [0, 1, 1000, 1 << 20, (16 << 20) - 1] {
            let outcome = decompress(&bomb, limit, 16 << 20);
            let refused = outcome == Err(Damage::TooLarge(limit))
                // Its frame says how large a window it needs.
                || *name == "zstd" && outcome == Err(Damage::Malformed("Zstandard frame"));
            assert!(refused, "{name} {limit}");
        }
    }
}

/// A length that the data cannot have is refused before memory is taken for it.
#[test]
fn claims() {
    let lengths: &[(&str, Decompress)] = &[
        #[cfg(feature = "lz4")]
        ("lz4", lz4::decompress),
        ("fastlz", fastlz::decompress),
    ];
    for (name, decompress) in lengths {
        for length in [0, 4, 6, 1275, 1276, usize::MAX] {
            let outcome = decompress(b"\x04abcd", usize::MAX, length);
            assert!(outcome.is_err(), "{name} {length}");
        }
        let outcome = decompress(b"\x04abcde", 4, 5);
        assert_eq!(outcome, Err(Damage::TooLarge(4)), "{name}");
    }
    assert_eq!(
        fastlz::decompress(b"\x04abcde", 5, 5).as_deref(),
        Ok(&b"abcde"[..])
    );
}

#[test]
fn blocks_of_fastlz() {
    // "b", 8,192 times "a", and three bytes from 8,193 back.
    let far = [
        b"\x21ba\xe0",
        &[0xff; 32][..],
        b"\x16\x00",
        b"\x3f\xff\x00\x01",
    ]
    .concat();
    let from_far = [b"b", &[b'a'; 8192][..], b"baa"].concat();
    let malformed = Err(Damage::Malformed("block of FastLZ"));
    let rows: [(&str, &[u8], Unpacked<'_>); 9] = [
        ("nothing", b"", Ok(b"")),
        ("a short match", b"\x02abc\x20\x02", Ok(b"abcabc")),
        ("an overlap", b"\x01ab\x80\x01", Ok(b"abababab")),
        ("a long match", b"\x00a\xe0\x01\x00", Ok(&[b'a'; 11])),
        (
            "longer, at level 2",
            b"\x20a\xe0\xff\x02\x00",
            Ok(&[b'a'; 267]),
        ),
        ("farther, at level 2", &far, Ok(&from_far)),
        ("a level that is none", b"\x40a", malformed),
        ("from before the start", b"\x00a\x20\x01", malformed),
        ("a match cut short", b"\x00a\x20", Err(Damage::Truncated)),
    ];
    for (name, block, expected) in rows {
        let length = expected.map_or(4, <[u8]>::len);
        let outcome = fastlz::decompress(block, 1 << 20, length);
        assert_eq!(
            outcome.as_deref().map_err(|damage| *damage),
            expected,
            "{name}"
        );
    }
}
