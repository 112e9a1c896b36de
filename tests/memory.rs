//! The form of a call for many keys that copies least holds least: a gigabyte goes through it, and
//! the memory of the process stays flat. A test program of its own, so that no other test's memory
//! counts.

mod support;

use moecache::{Client, IntoServers};
use std::time::Duration;
use support::{Memcached, UnixMemcached};

/// 10,000 values of 100 KB.
fn a_gigabyte(servers: impl IntoServers) {
    let client = Client::builder()
        .servers(servers)
        .timeout(Duration::from_secs(120));
    let client = client.build().unwrap();
    let keys: Vec<String> = (0..10_000).map(|number| format!("key-{number}")).collect();
    let value = vec![b'v'; 100_000];
    client
        .set_many_bytes(keys.iter().map(|key| (key, &value)), 0)
        .all()
        .unwrap();
    let before = peak_memory();
    let mut seen = 0;
    let failed = client.get_many_with(&keys, |_, item| {
        assert!(item.data == value);
        seen += 1;
    });
    assert_eq!((seen, failed.len()), (10_000, 0));
    if let (Some(before), Some(after)) = (before, peak_memory()) {
        let grown = after - before;
        assert!(grown < 16 << 10, "{grown} KB more for values of 100 KB");
    } else {
        println!("memory not measured: there is no /proc/self/status");
    }
}

/// The most memory that this process ever had, in KB.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn memory_stays_flat() {
    let args = ["-m", "2048"];
    let servers = [(); 2].map(|()| Memcached::with_args(&args));
    a_gigabyte(servers.each_ref().map(Memcached::address));
    let server = UnixMemcached::with_args(&args);
    a_gigabyte(server.path());
}
