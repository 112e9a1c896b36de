//! What one server, or one request, does to the others of the same call; and what does not fit any buffer.

mod many;
mod neighbors;
mod repeated;
use crate::support;

use moecache::{Client, IntoServers, Protocol};
use std::io::Read as _;
use std::net::TcpStream;
use std::time::Duration;

/// What never takes so long, unless something hangs.
const GUARD: Duration = Duration::from_secs(20);

fn client(servers: impl IntoServers, protocol: Protocol, timeout: Duration) -> Client {
    let client = Client::builder().servers(servers).protocol(protocol);
    client.timeout(timeout).build().unwrap()
}

/// The next line; `None` at the end.
fn line_of(connection: &mut TcpStream) -> Option<Vec<u8>> {
    let (mut line, mut byte) = (Vec::new(), [0]);
    while !line.ends_with(b"\r\n") {
        connection.read_exact(&mut byte).ok()?;
        line.push(byte[0]);
    }
    Some(line)
}
