use super::connect::exchange;
use super::connection::Connection;
use super::deadline::Deadline;
use super::fault::Fault;
use super::sink::Sink;
use super::version::Protocol;
use crate::error::Error;
use crate::protocol::{Confidential, Dialect, Excerpt, Reply, Request};
use crate::secret::Credentials;

/// Says who the client is, on a new connection, before anything else is said on it.
///
/// In binary by SASL's PLAIN. In text as memcached's `doc/protocol.txt` has it under
/// "Authentication": a `set` whose value is the user name and the password, while its key and all
/// else in its line are ignored. It is the same for meta, and where the server is still to be asked
/// what it speaks.
pub(super) fn authenticate(
    connection: &mut Connection,
    credentials: &Credentials,
    dialect: Dialect,
    deadline: Deadline,
) -> Result<(), Fault> {
    let message = match dialect {
        Dialect::Binary => format!("\0{}\0{}", credentials.username(), credentials.reveal()),
        Dialect::Text | Dialect::Meta => {
            format!("{} {}", credentials.username(), credentials.reveal())
        }
    };
    let request = Request::Authenticate {
        message: Confidential(message.as_bytes()),
    };
    let mut verdict = Verdict(Ok(()));
    exchange(connection, dialect, &request, &mut verdict, deadline)?;
    verdict.0
}

/// Refuses credentials that the protocol cannot say.
pub(super) fn check(credentials: &Credentials, protocol: Protocol) -> Result<(), Error> {
    match protocol {
        Protocol::Binary => credentials.check(),
        Protocol::Text | Protocol::Meta | Protocol::Auto => credentials.check_for_a_line(),
    }
}

/// What the server made of it.
struct Verdict(Result<(), Fault>);

impl Sink for Verdict {
    fn reply(&mut self, _: usize, reply: Result<Reply<'_>, Error>) {
        // The decoder lets nothing else through than that, and that it was stored.
        if let Ok(Reply::Refused(refused)) = reply {
            self.0 = Err(match &*refused.line {
                b"Unknown command" => Fault::NoAuthentication,
                line => Fault::Authentication(Excerpt::new(line)),
            });
        }
    }
}
