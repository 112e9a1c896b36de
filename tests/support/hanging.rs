use socket2::{Domain, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// A server whose machine takes no connections and refuses none: a listener that nobody accepts from,
/// with a queue that is full.
pub struct Hanging {
    socket: Socket,
    waiting: Vec<TcpStream>,
}

impl Hanging {
    pub fn start() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(&any.into()).unwrap();
        socket.listen(0).unwrap();
        let mut hanging = Self {
            socket,
            waiting: Vec::new(),
        };
        let address = hanging.address();
        let a_moment = Duration::from_millis(200);
        while let Ok(stream) = TcpStream::connect_timeout(&address, a_moment) {
            hanging.waiting.push(stream);
        }
        hanging
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap().as_socket().unwrap()
    }
}
