//! What a caller sees when a server fails, and what the client does about it.

mod calls;
mod claims;
mod cut;
mod late;
mod malformed;
mod nonsense;
mod pretender;
mod refusals;
mod row;
mod strays;

#[path = "../support/mod.rs"]
mod support;
