//! What is set for TLS, as plain data.

#[cfg(feature = "tls")]
use crate::error::Error;
use std::fmt;
use std::path::PathBuf;

#[cfg(feature = "tls")]
mod pem;

/// How connections are encrypted, for [`ClientBuilder::tls`](crate::ClientBuilder::tls): by TLS 1.2
/// or 1.3, with rustls. It needs the feature `tls`.
///
/// The server's certificate is always verified: it must be signed by a root that is trusted, be of
/// this day, and name the server. There is no way to turn that off; a certificate of one's own needs
/// its root in [`root_certificates_pem`](Self::root_certificates_pem).
///
/// Files are read, and everything is judged, by
/// [`ClientBuilder::build`](crate::ClientBuilder::build).
///
/// ```
/// use moecache::{Client, Tls};
///
/// # if cfg!(feature = "tls") {
/// let client = Client::builder()
///     .servers(["cache1.example.com:11211", "cache2.example.com:11211"])
///     .tls(Tls::new())
///     .build()?;
/// # }
/// # Ok::<(), moecache::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[must_use]
pub struct Tls {
    roots: Option<Pem>,
    certificate: Option<Pem>,
    key: Option<Pem>,
    server_name: Option<String>,
}

impl Tls {
    /// Trusts the system's root certificates, shows none to the server, and wants the certificate of
    /// the host as it was typed.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts these root certificates, in PEM, in place of the system's.
    pub fn root_certificates_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots = Some(Pem::Text(pem.into()));
        self
    }

    /// The same from a file.
    pub fn root_certificates_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.roots = Some(Pem::File(path.into()));
        self
    }

    /// Shows the server this certificate, in PEM with those that it is signed by, and signs with this
    /// private key (PKCS #8, PKCS #1 or SEC 1): for servers that want to know who calls (memcached's
    /// `ssl_verify_mode`). The key is shown nowhere.
    pub fn client_certificate_pem(
        mut self,
        chain: impl Into<Vec<u8>>,
        key: impl Into<Vec<u8>>,
    ) -> Self {
        self.certificate = Some(Pem::Text(chain.into()));
        self.key = Some(Pem::Text(key.into()));
        self
    }

    /// The same from two files.
    pub fn client_certificate_files(
        self,
        chain: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.certificate_file(chain).key_file(key)
    }

    /// The host name or address that the certificates of all servers must have, in place of the one
    /// that each was given by: for servers behind a tunnel, or given by an address.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    pub(crate) fn certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.certificate = Some(Pem::File(path.into()));
        self
    }

    pub(crate) fn key_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.key = Some(Pem::File(path.into()));
        self
    }

    #[cfg(feature = "tls")]
    pub(crate) fn name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }

    /// The same for rustls.
    #[cfg(feature = "tls")]
    pub(crate) fn client_config(&self) -> Result<rustls::ClientConfig, Error> {
        // Not the process's default, which is the program's to choose.
        let provider = rustls::crypto::ring::default_provider();
        let builder = rustls::ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(|error| refused(&error.to_string()))?
            .with_root_certificates(pem::roots(self.roots.as_ref())?);
        match (&self.certificate, &self.key) {
            (None, None) => Ok(builder.with_no_client_auth()),
            (Some(certificate), Some(key)) => {
                let chain = pem::certificates(certificate, "client certificate")?;
                let config = builder.with_client_auth_cert(chain, pem::key(key)?);
                config.map_err(|error| refused(&format!("client certificate: {error}")))
            }
            _ => Err(refused(
                "client certificate: it needs its key, and the key its certificate",
            )),
        }
    }
}

/// Something in PEM.
#[derive(Clone, PartialEq, Eq)]
enum Pem {
    Text(Vec<u8>),
    File(PathBuf),
}

/// Only where it is: it may be a private key.
impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(..)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

#[cfg(feature = "tls")]
fn refused(reason: &str) -> Error {
    Error::validation(format!("tls: {reason}"))
}
