use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

/// A server whose every byte the test decides: `script` runs in a thread, with the listener.
pub fn scripted(
    script: impl FnOnce(&TcpListener) + Send + 'static,
) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (address, thread::spawn(move || script(&listener)))
}

/// The next connection.
pub fn accept(listener: &TcpListener) -> TcpStream {
    listener.accept().unwrap().0
}

/// Reads until `ending` has come.
pub fn read_until(stream: &mut TcpStream, ending: &[u8]) -> Vec<u8> {
    let mut received = Vec::new();
    let mut byte = [0];
    while !received.ends_with(ending) {
        stream.read_exact(&mut byte).unwrap();
        received.push(byte[0]);
    }
    received
}

/// Reads a command line, and answers it.
pub fn answer(stream: &mut TcpStream, reply: &[u8]) {
    read_until(stream, b"\r\n");
    stream.write_all(reply).unwrap();
}
