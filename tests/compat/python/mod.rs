//! This client and those of Python on the same servers: each reads what the others leave behind.

mod guides;
mod keys;
mod moecache;
mod peer;
mod written_here;
mod written_there;

use ::moecache::{Client, IntoServers, Protocol};
use std::time::Duration;

/// An absolute time, the least that there is: in January 1970. All clients send it as it is.
const PAST: u32 = 2_592_001;

const PROTOCOLS: [Protocol; 3] = [Protocol::Text, Protocol::Meta, Protocol::Binary];

fn client(servers: impl IntoServers, protocol: Protocol) -> Client {
    let client = Client::builder().servers(servers).protocol(protocol);
    client.timeout(Duration::from_secs(20)).build().unwrap()
}

/// On one server: how they spread keys over several is another matter.
macro_rules! peers {
    ($($name:ident $peer:ident)*) => {$(
        mod $name {
            use super::peer::$peer;
            use super::{written_here, written_there};

            #[test]
            #[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
            fn reads_what_is_written_here() {
                crate::support::needs_python!();
                written_here::is_read(&$peer);
            }

            #[test]
            #[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
            fn what_it_writes_is_read_here() {
                crate::support::needs_python!();
                written_there::is_read(&$peer);
            }

            #[test]
            #[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
            fn cas_ids_and_counters_go_both_ways() {
                crate::support::needs_python!();
                written_there::goes_both_ways(&$peer);
            }
        }
    )*};
}

peers! {
    pylibmc PYLIBMC
    pylibmc_binary PYLIBMC_BINARY
    pymemcache PYMEMCACHE
    pymemcache_pickle_serde PYMEMCACHE_PICKLE
    pymemcache_compressed_serde PYMEMCACHE_COMPRESSED
    python_memcached PYTHON_MEMCACHED
}
