//! Passwords, and whose they are.

use crate::error::Error;
use std::fmt;

/// A password, or a user name. Nothing shows it: `Debug` gives `Secret(..)`, there is no `Display`, and it is not
/// serialised.
///
/// ```
/// use moecache::Secret;
///
/// let password = Secret::from("hunter2");
/// assert_eq!(format!("{password:?}"), "Secret(..)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<&Secret> for Secret {
    fn from(secret: &Secret) -> Self {
        secret.clone()
    }
}

/// What a server wants to know before it serves.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    username: String,
    password: Secret,
}

/// Not even the user name: whose they are is nobody's business.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// The longest user name and the longest password, in bytes: a line of memcached's password file
/// holds no more than 256 (`MAX_ENTRY_LEN` in its `authfile.c`), and RFC 4616 has 255 for each.
const MAX_LENGTH: usize = 255;

impl Credentials {
    pub(crate) fn new(username: impl Into<String>, password: impl Into<Secret>) -> Self {
        Self {
            username: username.into(),
            password: password.into(),
        }
    }

    pub(crate) fn username(&self) -> &str {
        &self.username
    }

    /// The password itself, for what goes over the wire.
    pub(crate) fn reveal(&self) -> &str {
        self.password.reveal()
    }

    /// Refuses what a line `user password`, or `user:password` in memcached's password file, cannot
    /// say: it must not come to stand for something else.
    pub(crate) fn check_for_a_line(&self) -> Result<(), Error> {
        self.check()?;
        if self.username.contains([':', ' ']) {
            return Err(refused(
                "the user name holds a colon or a space, which are allowed in the binary protocol alone",
            ));
        }
        if [&self.username, &self.password.0].map(|it| it.contains(char::is_control)) != [false; 2]
        {
            return Err(refused(
                "they hold a control character, which is allowed in the binary protocol alone",
            ));
        }
        Ok(())
    }

    /// Refuses what the message of SASL's PLAIN cannot say: zero bytes stand between its parts (RFC
    /// 4616, section 2).
    pub(crate) fn check(&self) -> Result<(), Error> {
        let both = [&self.username, &self.password.0];
        if both.iter().any(|it| it.is_empty() || it.len() > MAX_LENGTH) {
            return Err(refused(&format!(
                "the user name and the password must each have 1 to {MAX_LENGTH} bytes"
            )));
        }
        if both.iter().any(|it| it.contains('\0')) {
            return Err(refused("they hold a zero byte"));
        }
        Ok(())
    }
}

fn refused(reason: &str) -> Error {
    Error::validation(format!("credentials: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed() {
        let long = "x".repeat(MAX_LENGTH + 1);
        let length = "credentials: the user name and the password must each have 1 to 255 bytes";
        let in_binary_alone = "allowed in the binary protocol alone";
        // The part of the error in the protocols of lines, and in binary.
        let rows = [
            ("ann", "s3cret", None, None),
            ("ann", "s3 c:ret", None, None),
            ("änne", "geheim", None, None),
            ("", "s3cret", Some(length), Some(length)),
            ("ann", "", Some(length), Some(length)),
            (&long, "s3cret", Some(length), Some(length)),
            ("ann", &long, Some(length), Some(length)),
            ("ann", "s3\0cret", Some("zero byte"), Some("zero byte")),
            ("a:nn", "s3cret", Some(in_binary_alone), None),
            ("a nn", "s3cret", Some(in_binary_alone), None),
            ("ann\n", "s3cret", Some(in_binary_alone), None),
            ("ann", "s3cret\r\nflush_all", Some(in_binary_alone), None),
        ];
        for (username, password, line, binary) in rows {
            let credentials = Credentials::new(username, password);
            for (checked, expected) in [
                (credentials.check_for_a_line(), line),
                (credentials.check(), binary),
            ] {
                let error = checked.err().map(|error| error.to_string());
                match (&error, expected) {
                    (None, None) => {}
                    (Some(error), Some(expected)) => assert!(error.contains(expected), "{error}"),
                    _ => panic!("{username:?}: {error:?}"),
                }
                assert!(!error.is_some_and(|error| error.contains("s3")));
            }
        }
    }

    #[test]
    fn nothing_shows_them() {
        let credentials = Credentials::new("ann", "s3cret");
        assert_eq!(format!("{credentials:?}"), "Credentials(..)");
    }
}
