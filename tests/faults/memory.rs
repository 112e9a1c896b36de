//! The memory of the process: the form of a call for many keys that copies least holds least, though
//! hundreds of megabytes go through it; and Zstandard, which takes memory for itself, takes little of it. In a
//! process of its own, so that no other test's memory counts.

use crate::support;

use moecache::{Bytes, Client, IntoServers};
use std::time::Duration;
use support::{Memcached, UnixMemcached, alone};

/// 3,000 values of 100 KB.
fn many_large_values(servers: impl IntoServers) {
    let client = Client::builder()
        .servers(servers)
        .timeout(Duration::from_secs(120));
    let client = client.build().unwrap();
    let keys: Vec<String> = (0..3000).map(|number| format!("key-{number}")).collect();
    let value = vec![b'v'; 100_000];
    client
        .set_many(keys.iter().map(|key| (key, Bytes(&value))), 0)
        .all()
        .unwrap();
    let before = new_peak();
    let mut seen = 0;
    let failed = client.get_many_with(&keys, |_, item| {
        assert!(item.data == value);
        seen += 1;
    });
    assert_eq!((seen, failed.len()), (3000, 0));
    has_grown_by_less_than(16 << 10, before, "values of 100 KB");
}

/// Two frames of 128 MiB, one of which claims to need all of that at a time.
#[cfg(feature = "zstd")]
fn bombs_of_zstandard() {
    use moecache::ItemRef;

    const LIMIT: usize = 1 << 20;
    const LENGTH: u32 = 128 << 20;
    let server = Memcached::start();
    let client = Client::builder()
        .servers(server.address())
        .max_decompressed_size(LIMIT)
        .timeout(Duration::from_secs(120));
    let client = client.build().unwrap();
    // What the window's size is a power of two of; and how long a block may be in it.
    for (window, block) in [(10, 1_u32 << 10), (27, 128 << 10)] {
        // Our own item around it: a .NET string of that length.
        let mut data = [274_u32.to_le_bytes(), LENGTH.to_le_bytes()].concat();
        // RFC 8878, section 3.1.1: the magic number, no options, the window.
        data.extend([0x28, 0xb5, 0x2f, 0xfd, 0, (window - 10) << 3]);
        let count = LENGTH / block;
        for number in 1..=count {
            // One byte, so often: type 1.
            let head = u32::from(number == count) | 1 << 1 | block << 3;
            data.extend_from_slice(&head.to_le_bytes()[..3]);
            data.push(b'x');
        }
        let (flags, data) = (0x4d60, &data[..]);
        client.set("key", ItemRef { flags, data }, 0).unwrap();
        let before = new_peak();
        let error = client.get::<String>("key").unwrap_err();
        assert!(error.is_decode(), "{error}");
        has_grown_by_less_than(8 << 10, before, &format!("{error}"));
    }
}

#[cfg(not(feature = "zstd"))]
fn bombs_of_zstandard() {
    println!("Zstandard not measured: the feature zstd is off");
}

/// Begins anew to look for the most memory that this process has; gives what it has now, in KB. On
/// Linux alone.
fn new_peak() -> Option<u64> {
    // proc(5): "5: Reset the peak resident set size to the process's current value".
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    peak_memory()
}

fn has_grown_by_less_than(most: u64, before: Option<u64>, what: &str) {
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        let grown = after.saturating_sub(before);
        assert!(grown < most, "{grown} KB more for {what}");
    } else {
        println!("memory not measured: there is no /proc/self/clear_refs");
    }
}

/// The most memory that this process had, in KB.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn memory_stays_flat() {
    alone("memory::memory_stays_flat", || {
        bombs_of_zstandard();
        let args = ["-m", "2048"];
        let servers = [(); 2].map(|()| Memcached::with_args(&args));
        many_large_values(servers.each_ref().map(Memcached::address));
        let server = UnixMemcached::with_args(&args);
        many_large_values(server.path());
    });
}
