//! The options for servers that want a password, and for those that speak TLS.

use crate::fleet::variable;
use crate::outcome::Failure;
use clap::Args;
use moecache::{Config, Secret};
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Security {
    /// The user name for servers that want a password, which comes from --password-file
    /// [env: MEMCACHED_USERNAME]
    #[arg(long, global = true, value_name = "NAME")]
    username: Option<String>,
    /// The file whose first line is the password, which has no option of its own: others can read
    /// those [env: MEMCACHED_PASSWORD, the password itself]
    #[arg(long, global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Speak TLS, as each of the following options does
    #[arg(long, global = true)]
    tls: bool,
    /// The certificates that sign those of servers, in PEM, in place of the system's
    #[arg(long, global = true, value_name = "FILE")]
    tls_roots: Option<PathBuf>,
    /// The certificates of the servers themselves, in PEM, such as self-signed ones: no others are
    /// trusted, and their names and dates are not looked at
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "tls_roots")]
    tls_pinned: Option<PathBuf>,
    /// A certificate to show to servers that want one, in PEM
    #[arg(long, global = true, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// Its key, in PEM
    #[arg(long, global = true, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// The name that is in the servers' certificates, where they are reached by another
    #[arg(long, global = true, value_name = "NAME")]
    tls_server_name: Option<String>,
}

impl Security {
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), Failure> {
        if let Some((username, password)) = self.credentials()? {
            (config.username, config.password) = (Some(username.into()), Some(password));
        }
        config.tls = self.tls;
        config.tls_roots.clone_from(&self.tls_roots);
        config.tls_pinned.clone_from(&self.tls_pinned);
        config.tls_certificate.clone_from(&self.tls_certificate);
        config.tls_key.clone_from(&self.tls_key);
        config.tls_server_name.clone_from(&self.tls_server_name);
        Ok(())
    }

    fn credentials(&self) -> Result<Option<(String, Secret)>, Failure> {
        let name = self.username.clone();
        let Some(username) = name.or_else(|| variable("MEMCACHED_USERNAME")) else {
            return match self.password_file {
                Some(_) => refused("password-file: it needs --username"),
                None => Ok(None),
            };
        };
        let password = match (&self.password_file, variable("MEMCACHED_PASSWORD")) {
            (Some(path), _) => first_line(path)?.into(),
            (None, Some(password)) => password.into(),
            (None, None) => {
                return refused("username: it needs --password-file, or MEMCACHED_PASSWORD");
            }
        };
        Ok(Some((username, password)))
    }
}

fn first_line(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::File(format!("password-file {}", path.display()), error))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn refused<T>(reason: &str) -> Result<T, Failure> {
    Err(Failure::Usage(reason.to_owned()))
}
