#[cfg(feature = "tls")]
use crate::error::Error;
#[cfg(feature = "tls")]
use rustls::RootCertStore;
#[cfg(feature = "tls")]
use rustls::pki_types::pem::PemObject as _;
#[cfg(feature = "tls")]
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
#[cfg(feature = "tls")]
use std::borrow::Cow;
use std::fmt;
#[cfg(feature = "tls")]
use std::fs;
use std::path::PathBuf;

/// Certificates or a key in PEM.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Pem {
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
pub(super) fn refused(reason: &str) -> Error {
    Error::validation(format!("tls: {reason}"))
}

/// The roots given, or else the system's.
#[cfg(feature = "tls")]
pub(super) fn roots(given: Option<&Pem>) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    if let Some(pem) = given {
        for certificate in certificates(pem, "root certificates")? {
            let added = roots.add(certificate);
            added.map_err(|error| refused(&format!("root certificates: {error}")))?;
        }
        return Ok(roots);
    }
    // Some that cannot be read do no harm: what they signed is refused.
    let loaded = rustls_native_certs::load_native_certs();
    let (added, _) = roots.add_parsable_certificates(loaded.certs);
    if added == 0 {
        let why = loaded.errors.first();
        let why = why.map_or_else(String::new, |error| format!(" ({error})"));
        return Err(refused(&format!(
            "the system has no root certificates{why}; root_certificates_pem sets others"
        )));
    }
    Ok(roots)
}

/// At least one.
#[cfg(feature = "tls")]
pub(super) fn certificates(pem: &Pem, what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let text = text(pem, what)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(refused(&format!(
            "{what}: there is none; it must be PEM with -----BEGIN CERTIFICATE-----"
        ))),
        Ok(certificates) => Ok(certificates),
        Err(_) => Err(refused(&format!("{what}: it is not PEM"))),
    }
}

/// The errors of rustls are not passed on: they might quote the key.
#[cfg(feature = "tls")]
pub(super) fn key(pem: &Pem) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(&text(pem, "client key")?)
        .map_err(|_| refused("client key: it must be a private key in PEM, not encrypted"))
}

#[cfg(feature = "tls")]
fn text<'p>(pem: &'p Pem, what: &str) -> Result<Cow<'p, [u8]>, Error> {
    match pem {
        Pem::Text(text) => Ok(Cow::Borrowed(text)),
        Pem::File(path) => match fs::read(path) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(error) => {
                let path = path.display();
                Err(refused(&format!("{what}: {path} cannot be read: {error}")))
            }
        },
    }
}
