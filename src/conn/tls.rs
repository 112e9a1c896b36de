//! TLS over a socket, by rustls, which holds no socket itself.

use super::deadline::Deadline;
use super::fault::{Explained, Fault};
use super::wire::{Input, Wait, Wire};
use crate::address::Address;
use crate::error::Error;
use crate::protocol::MAX_PARTS;
use crate::tls::Tls;
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConfig, ClientConnection};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read as _, Write};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

/// How much is read from the socket at once: two full records.
const INPUT: usize = 32 << 10;

/// The most plaintext in a record (RFC 8446, section 5.1).
const RECORD: usize = 16 << 10;

/// How much plaintext is encrypted ahead of what the socket takes.
const MOST_AHEAD: usize = 64 << 10;

/// What the connections of a client have in common.
#[derive(Debug, Clone)]
pub(crate) struct Security {
    config: Config,
    /// In place of the host as typed.
    name: Option<ServerName<'static>>,
}

/// What rustls shares among connections: settings, and tickets behind a lock of its own. A panic
/// leaves nothing half done in it.
#[derive(Debug, Clone)]
struct Config(Arc<ClientConfig>);

impl UnwindSafe for Config {}
impl RefUnwindSafe for Config {}

impl Security {
    /// # Errors
    ///
    /// A validation error that names the setting.
    pub(crate) fn new(settings: &Tls) -> Result<Self, Error> {
        let name = settings.name().map(parse_name).transpose()?;
        let config = Config(Arc::new(settings.client_config()?));
        Ok(Self { config, name })
    }

    /// What a connection to this server needs.
    pub(super) fn connector(&self, server: &Address) -> Result<Connector, Error> {
        let name = match (&self.name, server) {
            (_, Address::Unix(path)) => {
                return Err(Error::validation(format!(
                    "tls: {path} is a unix socket; TLS is for hosts alone"
                )));
            }
            (Some(name), _) => name.clone(),
            (None, Address::Tcp { host, .. }) => {
                // The scope of an IPv6 address is in no certificate.
                parse_name(host.split_once('%').map_or(&**host, |(address, _)| address))?
            }
        };
        let config = self.config.clone();
        Ok(Connector { config, name })
    }
}

fn parse_name(name: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        Error::validation(format!(
            "tls: {name:?} is no name that a certificate can have; allowed are host names and \
             addresses, and server_name sets another"
        ))
    })
}

/// Who the server has to be.
#[derive(Debug)]
pub(super) struct Connector {
    config: Config,
    name: ServerName<'static>,
}

/// An encrypted connection.
///
/// Nothing is sent when it is dropped: after a fork the socket belongs to the parent.
#[derive(Debug)]
pub(super) struct Session {
    tls: ClientConnection,
    /// Bytes received and not given to rustls yet, which takes small pieces.
    input: Input,
    /// Whether a part of what is to be sent was taken, and the rest is to come.
    has_more: bool,
    /// Whether the server has answered anything on it.
    has_served: bool,
}

impl Session {
    /// Makes the connection an encrypted one, within `limit`, if the server is who it has to be.
    pub(super) fn handshake(
        connector: &Connector,
        wire: &mut Wire,
        limit: Deadline,
    ) -> Result<Box<Self>, Fault> {
        let config = Arc::clone(&connector.config.0);
        let tls = ClientConnection::new(config, connector.name.clone());
        let mut tls = tls.map_err(|error| Fault::Connect(invalid(error)))?;
        tls.set_buffer_limit(Some(MOST_AHEAD));
        let mut session = Box::new(Self {
            tls,
            input: Input::new(INPUT),
            has_more: false,
            has_served: false,
        });
        let shaken = session.shake_hands(wire, limit);
        shaken.map_err(|fault| match fault {
            Fault::Lost(error) if error.get_ref().is_none() => Fault::Connect(closed(error)),
            Fault::Lost(error) => Fault::Connect(error),
            Fault::Timeout => Fault::HandshakeTimeout(limit.timeout()),
            fault => fault,
        })?;
        Ok(session)
    }

    fn shake_hands(&mut self, wire: &mut Wire, limit: Deadline) -> Result<(), Fault> {
        while self.tls.is_handshaking() {
            self.flush(wire, limit, Wait::UntilDeadline)?;
            if self.tls.is_handshaking() {
                self.receive(wire, limit, Wait::UntilDeadline)?;
            }
        }
        self.flush(wire, limit, Wait::UntilDeadline)?;
        Ok(())
    }

    /// Whether nothing has come but what TLS itself says, such as the tickets of TLS 1.3, which come
    /// after the handshake.
    pub(super) fn is_quiet(&mut self, wire: &mut Wire) -> bool {
        /// It says a few words, and not more and more.
        const MOST: usize = 8;
        for _ in 0..MOST {
            if !self.is_drained() {
                return false;
            }
            match wire.read_now(self.input.space()) {
                Ok(read @ 1..) => self.input.received(read),
                Err(error) => return error.kind() == ErrorKind::WouldBlock,
                Ok(0) => return false,
            }
        }
        false
    }

    /// Whether nothing is left of what was received, but for what TLS itself says.
    pub(super) fn is_drained(&mut self) -> bool {
        loop {
            match self.tls.reader().read(&mut [0]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                _ => return false,
            }
            if self.input.bytes().is_empty() {
                return true;
            }
            if self.process().is_err() {
                return false;
            }
        }
    }

    /// As [`Wire::read`], into the first of `parts`.
    pub(super) fn read(
        &mut self,
        wire: &mut Wire,
        parts: &mut [IoSliceMut<'_>],
        deadline: Deadline,
        wait: Wait,
    ) -> Result<usize, Fault> {
        let Some(part) = parts.iter_mut().find(|part| !part.is_empty()) else {
            return Ok(0);
        };
        // What the socket did not take before.
        self.flush(wire, deadline, wait)?;
        loop {
            match self.tls.reader().read(part) {
                // The server has said that it closes.
                Ok(0) => return Err(Fault::Lost(ErrorKind::UnexpectedEof.into())),
                Ok(read) => {
                    self.has_served = true;
                    return Ok(read);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(Fault::Lost(error)),
            }
            if !self.receive(wire, deadline, wait)? {
                return Ok(0);
            }
        }
    }

    /// Takes some of `parts`, and sends it as far as the socket takes it. The rest goes with the next
    /// call: so what is said to be written may have been sent, or a part of it.
    pub(super) fn write(
        &mut self,
        wire: &mut Wire,
        parts: &[IoSlice<'_>],
        deadline: Deadline,
        wait: Wait,
    ) -> Result<usize, Fault> {
        if !self.flush(wire, deadline, wait)? {
            return Ok(0);
        }
        let taken = self.encrypt(parts).map_err(Fault::Lost)?;
        // If this fails, something of it may have been sent; the next call fails as well.
        match self.flush(wire, deadline, wait) {
            Ok(_) | Err(Fault::Lost(_) | Fault::Timeout) => Ok(taken),
            Err(fault) => Err(fault),
        }
    }

    /// Encrypts some of `parts`, all of which is to be sent; how much.
    ///
    /// Where it does not fit into one record, its last byte gets a record of its own. memcached, at
    /// least up to 1.6.18, waits for its socket although OpenSSL still has a part of a record for it:
    /// a record that ends where memcached does not stop reading, at the end of a value or of its
    /// buffer of 16 KB. That wait ends as long as another record is on the way, and of one byte no
    /// part can be left.
    fn encrypt(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let total: usize = parts.iter().map(|part| part.len()).sum();
        let mut writer = self.tls.writer();
        if total <= RECORD && !self.has_more {
            return writer.write_vectored(parts);
        }
        let mut most = [IoSlice::new(&[]); MAX_PARTS];
        let (mut count, mut last) = (0, None);
        for (most, part) in most
            .iter_mut()
            .zip(parts.iter().filter(|part| !part.is_empty()))
        {
            *most = IoSlice::new(part);
            (count, last) = (count + 1, Some(part));
        }
        let Some((end, start)) = last.and_then(|part| part.split_last()) else {
            return Ok(0);
        };
        most[count - 1] = IoSlice::new(start);
        let mut taken = writer.write_vectored(&most[..count])?;
        if taken + 1 == total {
            taken += writer.write(&[*end])?;
        }
        self.has_more = taken < total;
        Ok(taken)
    }

    /// Reads once from the socket, unless there is something left; whether anything came.
    fn receive(&mut self, wire: &mut Wire, deadline: Deadline, wait: Wait) -> Result<bool, Fault> {
        if self.input.bytes().is_empty() {
            let parts = &mut [IoSliceMut::new(self.input.space())];
            let read = wire.read(parts, deadline, wait)?;
            if read == 0 {
                return Ok(false);
            }
            self.input.received(read);
        }
        if let Err(error) = self.process() {
            // So that the server, too, knows why. It need not.
            let _ = self.flush(wire, deadline, Wait::No);
            return Err(if !self.has_served && is_about_certificates(&error) {
                Fault::Connect(invalid(error))
            } else {
                Fault::Lost(invalid(error))
            });
        }
        Ok(true)
    }

    /// Gives rustls some of what was received.
    fn process(&mut self) -> Result<(), rustls::Error> {
        let mut rest = self.input.bytes();
        let taken = self.tls.read_tls(&mut rest);
        let taken = taken.map_err(|error| rustls::Error::General(error.to_string()))?;
        self.input.consume(taken);
        self.tls.process_new_packets()?;
        Ok(())
    }

    /// Sends what rustls has to send; whether that is all sent now.
    fn flush(&mut self, wire: &mut Wire, deadline: Deadline, wait: Wait) -> Result<bool, Fault> {
        while self.tls.wants_write() {
            let mut sender = Sender {
                wire,
                deadline,
                wait,
                fault: None,
            };
            if let Err(error) = self.tls.write_tls(&mut sender) {
                return match sender.fault {
                    Some(fault) => Err(fault),
                    None if error.kind() == ErrorKind::WouldBlock => Ok(false),
                    None => Err(Fault::Lost(error)),
                };
            }
        }
        Ok(true)
    }
}

/// The way out for rustls.
struct Sender<'w> {
    wire: &'w mut Wire,
    deadline: Deadline,
    wait: Wait,
    /// Why it is over.
    fault: Option<Fault>,
}

impl Sender<'_> {
    fn send(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.wire.write(parts, self.deadline, self.wait) {
            Ok(0) => Err(ErrorKind::WouldBlock.into()),
            Ok(sent) => Ok(sent),
            Err(fault) => {
                self.fault = Some(fault);
                Err(ErrorKind::Other.into())
            }
        }
    }
}

impl Write for Sender<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.send(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// In the midst of a handshake the server closed the connection.
fn closed(error: io::Error) -> io::Error {
    let advice = "the server closed the connection during the TLS handshake; perhaps it does not \
                  speak TLS on this port (then leave out ClientBuilder::tls, tls in a Config), or \
                  neither TLS 1.2 nor 1.3";
    explained(error.kind(), error, advice)
}

fn invalid(error: rustls::Error) -> io::Error {
    match advice(&error) {
        Some(advice) => explained(ErrorKind::InvalidData, error, advice),
        None => io::Error::new(ErrorKind::InvalidData, error),
    }
}

fn explained(
    kind: ErrorKind,
    error: impl std::error::Error + Send + Sync + 'static,
    advice: &'static str,
) -> io::Error {
    let error = error.into();
    io::Error::new(kind, Explained { error, advice })
}

/// What it probably is, and which setting mends it: by its name in [`Tls`], and in a
/// [`Config`](crate::Config) and `mc` behind it.
fn advice(error: &rustls::Error) -> Option<&'static str> {
    use rustls::Error as E;

    Some(match error {
        E::InvalidMessage(_) => {
            "what the server answers is not TLS; it probably does not speak it on this port: then \
             leave out ClientBuilder::tls (tls in a Config)"
        }
        E::InvalidCertificate(error) => advice_on_certificate(error)?,
        E::NoCertificatesPresented => {
            "the server shows no certificate (memcached's ssl_chain_cert)"
        }
        E::PeerIncompatible(_) | E::AlertReceived(AlertDescription::ProtocolVersion) => {
            "the server speaks neither TLS 1.2 nor 1.3 with what this client knows; memcached's \
             ssl_min_version and ssl_ciphers set that"
        }
        error if is_about_certificates(error) => {
            "the server refused: it wants a certificate of this client, or another one; \
             Tls::client_certificate_files (tls_certificate and tls_key) shows one"
        }
        _ => return None,
    })
}

fn advice_on_certificate(error: &CertificateError) -> Option<&'static str> {
    use CertificateError as C;

    Some(match error {
        C::UnknownIssuer => {
            "nobody who is trusted has signed the server's certificate; \
             Tls::root_certificates_file (tls_roots) trusts who has, and \
             Tls::pinned_certificates_file (tls_pinned) the certificate itself"
        }
        C::NotValidForName | C::NotValidForNameContext { .. } => {
            "the server's certificate is for other names; Tls::server_name (tls_server_name) says \
             which it must have, or name the server as its certificate does"
        }
        C::Expired | C::ExpiredContext { .. } => {
            "the server's certificate has expired, or the clock of this machine is wrong; the server \
             needs a new one (memcached reads it after refresh_certs); only a pinned one \
             (Tls::pinned_certificates_file, tls_pinned) may be out of date"
        }
        C::NotValidYet | C::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet, or the clock of this machine is wrong; only \
             a pinned one (Tls::pinned_certificates_file, tls_pinned) may be out of date"
        }
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => {
            "the server's certificate is not one for servers (serverAuth); the server needs another, \
             or Tls::pinned_certificates_file (tls_pinned) trusts this one"
        }
        C::ApplicationVerificationFailure => {
            "the server's certificate is none of those that are pinned \
             (Tls::pinned_certificates_file, tls_pinned); if the server has a new one, pin that"
        }
        // What rustls has no variant for comes from webpki, with its name for it.
        C::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            "the server's certificate is self-signed, or otherwise one that signs others; \
             Tls::pinned_certificates_file (tls_pinned) trusts it as it is"
        }
        _ => return None,
    })
}

/// Whether the server does not take this client's certificate, or misses one. In TLS 1.3 it says so
/// only after the handshake, and has taken nothing of what was sent by then.
fn is_about_certificates(error: &rustls::Error) -> bool {
    use AlertDescription as Alert;

    matches!(
        error,
        rustls::Error::AlertReceived(
            Alert::CertificateRequired
                | Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied
                | Alert::DecryptError
                | Alert::HandshakeFailure
        )
    )
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
