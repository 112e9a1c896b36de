//! What libmemcached's tools do besides storing and reading: each sees what the other did.

use super::servers::{PROTOCOLS, Servers, THREE};
use super::tools::Tools;
use crate::support::skipped;
use moecache::Library;
use serde_json::json;

/// An absolute time, the least that there is: in January 1970. All clients send it as it is.
const PAST: u32 = 2_592_001;

pub fn agree() {
    if let Some(why) = Tools::missing() {
        skipped(format_args!("libmemcached's tools: {why}"));
        return;
    }
    let servers = Servers::start(&THREE);
    for binary in [false, true] {
        let tools = Tools::new(&json!({ "binary": binary }), &servers.addresses());
        let succeeds = |tool: &str, arguments: &[&str]| tools.run(tool, arguments).status.success();
        for protocol in PROTOCOLS {
            let client = servers.client().compatible_with(Library::Libmemcached);
            let client = client.protocol(protocol).build().unwrap();
            for key in ["one", "two", "three", "four"] {
                let context = format!("{protocol}, binary: {binary}, {key}");
                let is_here = || client.get::<String>(key).unwrap().is_some();

                assert!(!succeeds("exist", &[key]), "{context}");
                client.set(key, "value", 60).unwrap();
                assert!(succeeds("exist", &[key]), "{context}");
                assert!(succeeds("rm", &[key]) && !is_here(), "{context}");

                client.set(key, "value", 60).unwrap();
                assert!(
                    succeeds("touch", &["--expire=600", key]) && is_here(),
                    "{context}"
                );
                let past = format!("--expire={PAST}");
                assert!(succeeds("touch", &[&past, key]) && !is_here(), "{context}");

                tools.store_bytes([(key, b"value".to_vec())]);
                assert!(client.touch(key, 600).unwrap(), "{context}");
                assert!(client.delete(key).unwrap(), "{context}");
                assert!(!succeeds("exist", &[key]), "{context}");
            }
        }
    }
}
