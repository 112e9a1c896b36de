//! A session, with rustls at the other end.

use super::*;
use rcgen::CertifiedKey;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

struct Peer {
    tls: ServerConnection,
    socket: TcpStream,
}

impl Peer {
    fn accept(listener: &TcpListener, config: ServerConfig) -> Self {
        let mut tls = ServerConnection::new(config.into()).unwrap();
        let mut socket = listener.accept().unwrap().0;
        while tls.is_handshaking() {
            tls.complete_io(&mut socket).unwrap();
        }
        Self { tls, socket }
    }

    /// Each in a record of its own, all at the same time.
    fn send(&mut self, records: &[&[u8]]) {
        for record in records {
            self.tls.writer().write_all(record).unwrap();
        }
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.socket).unwrap();
        }
    }

    /// Says that it closes, without doing so.
    fn say_close(&mut self) {
        self.tls.send_close_notify();
        self.send(&[]);
    }
}

/// The client's end, which waits for no longer than a test may take.
struct Client {
    wire: Wire,
    session: Box<Session>,
}

impl Client {
    fn read(&mut self) -> Result<Vec<u8>, Fault> {
        let mut buffer = vec![0; INPUT];
        let parts = &mut [IoSliceMut::new(&mut buffer)];
        let read = self
            .session
            .read(&mut self.wire, parts, deadline(), Wait::UntilDeadline)?;
        buffer.truncate(read);
        Ok(buffer)
    }

    fn is_quiet(&mut self) -> bool {
        self.session.is_quiet(&mut self.wire)
    }

    #[track_caller]
    fn assert_lost(&mut self) {
        match self.read() {
            Err(Fault::Lost(error)) => assert_eq!(error.kind(), ErrorKind::UnexpectedEof),
            other => panic!("{other:?}"),
        }
    }
}

fn deadline() -> Deadline {
    Deadline::after(Duration::from_secs(20), Instant::now())
}

/// Both ends of a connection on which the hands are shaken.
fn connected() -> (Client, Peer) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
    let provider = rustls::crypto::ring::default_provider();
    let config = ServerConfig::builder_with_provider(provider.into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key.into())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    let peer = thread::spawn(move || Peer::accept(&listener, config));

    let server = Address::Tcp {
        host: at.ip().to_string(),
        port: at.port(),
    };
    let security = Security::new(&Tls::new().root_certificates_pem(cert.pem())).unwrap();
    let connector = security.connector(&server).unwrap();
    let mut wire = Wire::connect(at, true, None).unwrap();
    let session = Session::handshake(&connector, &mut wire, deadline()).unwrap();
    let client = Client { wire, session };
    (client, peer.join().unwrap())
}

#[test]
fn what_tls_says_itself_is_no_stray_byte() {
    let (mut client, mut peer) = connected();
    assert!(client.is_quiet());
    peer.send(&[b"reply"]);
    assert_eq!(client.read().unwrap(), b"reply");
    assert!(client.session.is_drained() && client.is_quiet());
}

#[test]
fn stray_bytes_while_it_idles() {
    let (mut client, mut peer) = connected();
    peer.send(&[b"stray"]);
    while client.is_quiet() {
        thread::yield_now(); // It is on the way.
    }
}

/// What came with a reply, in another record, is taken from the socket with it.
#[test]
fn stray_bytes_behind_a_reply() {
    let (mut client, mut peer) = connected();
    // rustls takes 4 KB at a time: all of the first record, and a part of the next.
    let reply = [b'x'; 4000];
    peer.send(&[&reply, &[b'y'; 500]]);
    assert_eq!(client.read().unwrap(), reply);
    assert!(!client.session.is_drained());
}

/// Whoever is between the two can end a stream anywhere, but not say so.
#[test]
fn an_end_is_never_the_end_of_a_value() {
    let (mut client, mut peer) = connected();
    peer.send(&[b"part of a value"]);
    drop(peer);
    assert_eq!(client.read().unwrap(), b"part of a value");
    client.assert_lost();

    let (mut client, mut peer) = connected();
    peer.send(&[b"part of a value"]);
    peer.say_close();
    assert_eq!(client.read().unwrap(), b"part of a value");
    client.assert_lost();
    assert!(!client.is_quiet());
}
