//! What a caller sees when a server fails, and what the client does about it.

mod calls;
mod claims;
mod connecting;
mod cut;
mod embedded;
mod late;
mod malformed;
mod nonsense;
mod panics;
mod pretender;
mod proxied;
mod refusals;
mod row;
mod sharing;
mod strays;
mod unharmed;

#[path = "../support/mod.rs"]
mod support;
