//! Deployments that other clients have: what they store and where, and how they are set up.

#[path = "../support/mod.rs"]
mod support;

#[cfg(all(
    feature = "lz4",
    feature = "pickle",
    feature = "zlib",
    feature = "zstd"
))]
mod deployments;
mod dotnet;
mod guides;
mod placement;
mod python;
mod words;

#[cfg(not(all(
    feature = "lz4",
    feature = "pickle",
    feature = "zlib",
    feature = "zstd"
)))]
#[test]
#[ignore = "needs the features lz4, pickle, zlib and zstd"]
fn deployments() {}
