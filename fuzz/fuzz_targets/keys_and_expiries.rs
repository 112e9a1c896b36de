//! The key rule is what it says it is; an expiry goes over the wire as what it means, within 0 to
//! 2^31 - 1; server texts never panic, and what parses prints and parses back.
//!
//! Input: any bytes, which are a key, a server's text and the numbers of an expiry all at once.

#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use moecache::{Expiry, fuzzing};
use std::time::{Duration, SystemTime};

fuzz_target!(|input: &[u8]| {
    fuzzing::key(input);
    let port = input
        .first_chunk()
        .map_or(0, |port| u16::from_be_bytes(*port));
    fuzzing::server(&String::from_utf8_lossy(input), port);
    let _ = expiries(&mut Unstructured::new(input));
});

/// An expiry of every kind, out of the same numbers. Half of them are of a size that is allowed.
fn expiries(numbers: &mut Unstructured<'_>) -> Result<()> {
    let small: bool = numbers.arbitrary()?;
    let mut duration = || -> Result<Duration> {
        let seconds: u64 = numbers.arbitrary()?;
        let nanoseconds = numbers.int_in_range(0..=999_999_999)?;
        Ok(if small {
            Duration::new(seconds % (1 << 32), nanoseconds)
        } else {
            Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanoseconds.into()))
        })
    };
    let (now, length) = (duration()?, duration()?);
    let exptime: i128 = numbers.arbitrary()?;
    fuzzing::expiry(Expiry::Never, now);
    fuzzing::expiry(exptime.into(), now);
    fuzzing::expiry((exptime % (1 << 32)).into(), now);
    fuzzing::expiry(length.into(), now);
    if let Some(at) = SystemTime::UNIX_EPOCH.checked_add(length) {
        fuzzing::expiry(at.into(), now);
    }
    if let Some(before) = SystemTime::UNIX_EPOCH.checked_sub(length) {
        fuzzing::expiry(before.into(), now);
    }
    Ok(())
}
