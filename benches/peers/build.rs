//! Looks for the C library libmemcached. Without it the bench is built all the same, and leaves the
//! library out.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(libmemcached)");
    if pkg_config() || in_a_usual_place() {
        println!("cargo:rustc-cfg=libmemcached");
    }
}

/// Asks pkg-config, and hands on where the library is.
fn pkg_config() -> bool {
    let answer = Command::new("pkg-config")
        .args(["--libs-only-L", "--libs-only-l", "libmemcached"])
        .output();
    let Ok(answer) = answer else {
        return false;
    };
    let flags = String::from_utf8_lossy(&answer.stdout);
    for place in flags
        .split_whitespace()
        .filter_map(|it| it.strip_prefix("-L"))
    {
        println!("cargo:rustc-link-search=native={place}");
    }
    answer.status.success()
}

fn in_a_usual_place() -> bool {
    ["/usr/lib64", "/usr/lib", "/usr/local/lib"]
        .iter()
        .any(|place| Path::new(place).join("libmemcached.so").exists())
}
