//! Middleware in front of servers, in their place, and muddled; and what the older clients had of
//! connections, cas ids and queue servers.

mod cas_cache;
mod commands;
mod connecting;
mod in_front;
mod in_memory;
mod limits;
mod muddled;
mod no_op;
mod queues;
