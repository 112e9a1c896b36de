#![doc = include_str!("index.md")]

#[doc = include_str!("enyim.md")]
pub mod enyim_memcached {}

#[doc = include_str!("lovely.md")]
pub mod lovely_memcached {}

#[doc = include_str!("moecache.md")]
pub mod moecache {}

#[doc = include_str!("pyermc.md")]
pub mod pyermc {}

#[doc = include_str!("pylibmc.md")]
pub mod pylibmc {}

#[doc = include_str!("python_memcached.md")]
pub mod python_memcached {}

#[doc = include_str!("simplekv.md")]
pub mod simplekv {}
