//! What is set for TLS, as plain data.

use self::pem::Pem;
#[cfg(feature = "tls")]
use self::pem::refused;
#[cfg(feature = "tls")]
use self::pinned::Pinned;
#[cfg(feature = "tls")]
use crate::error::Error;
use std::path::PathBuf;
#[cfg(feature = "tls")]
use std::sync::Arc;

mod pem;
#[cfg(feature = "tls")]
mod pinned;

/// How connections are encrypted, for [`ClientBuilder::tls`](crate::ClientBuilder::tls): by TLS 1.2
/// or 1.3, with rustls. It needs the feature `tls`.
///
/// The server's certificate is always verified: it must be signed by a root that is trusted, be of
/// this day, and name the server. There is no way to turn that off. A certificate of one's own needs
/// its root in [`root_certificates_pem`](Self::root_certificates_pem); one that is self-signed is
/// [pinned](Self::pinned_certificates_pem).
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
    pinned: Option<Pem>,
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

    /// Trusts these certificates of servers, in PEM, and no others, in place of roots: for those that
    /// are self-signed. A server has to show one of them, byte by byte, and prove that it has its key.
    ///
    /// Which names and dates are in it, and who signed it, is then not looked at: the certificate itself
    /// says which server it is. It is trusted until it is left out here. While a server changes its
    /// certificate, the old and the new one can both be there.
    ///
    /// ```
    /// # fn main() -> Result<(), moecache::Error> {
    /// use moecache::{Client, Tls};
    ///
    /// # if false {
    /// // Made by: openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=cache -keyout key.pem -out cache.pem
    /// let client = Client::builder()
    ///     .servers("10.0.0.1:11211")
    ///     .tls(Tls::new().pinned_certificates_file("/etc/ssl/cache.pem"))
    ///     .build()?;
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// With root certificates besides it is a validation error of
    /// [`build`](crate::ClientBuilder::build).
    pub fn pinned_certificates_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.pinned = Some(Pem::Text(pem.into()));
        self
    }

    /// The same from a file.
    pub fn pinned_certificates_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.pinned = Some(Pem::File(path.into()));
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
        mut self,
        chain: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.certificate = Some(Pem::File(chain.into()));
        self.key = Some(Pem::File(key.into()));
        self
    }

    /// The host name or address that the certificates of all servers must have, in place of the one
    /// that each was given by: for servers behind a tunnel, or given by an address.
    pub fn server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// The files of a [`Config`](crate::Config): roots, pinned certificates, client certificate and key.
    pub(crate) fn of_files(files: [&Option<PathBuf>; 4], server_name: Option<String>) -> Self {
        let [roots, pinned, certificate, key] = files.map(|path| path.clone().map(Pem::File));
        Self {
            roots,
            pinned,
            certificate,
            key,
            server_name,
        }
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
        let algorithms = provider.signature_verification_algorithms;
        let builder = rustls::ClientConfig::builder_with_provider(provider.into())
            .with_safe_default_protocol_versions()
            .map_err(|error| refused(&error.to_string()))?;
        let builder = match (&self.pinned, &self.roots) {
            (None, roots) => builder.with_root_certificates(pem::roots(roots.as_ref())?),
            (Some(pinned), None) => {
                let certificates = pem::certificates(pinned, "pinned certificates")?;
                let pinned = Pinned::new(certificates, algorithms);
                let builder = builder.dangerous();
                builder.with_custom_certificate_verifier(Arc::new(pinned))
            }
            (Some(_), Some(_)) => {
                return Err(refused(
                    "pinned certificates: they take the place of root certificates; only one of the two \
                     can be given",
                ));
            }
        };
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
