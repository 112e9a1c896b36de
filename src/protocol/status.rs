use super::lines::{number, refused};
use super::options::Mode;
use super::reply::{Excerpt, Malformed, Reply, Status};
use super::request::Request;

/// The reply that one line is.
pub(super) fn status<'b>(request: &Request<'_>, line: &'b [u8]) -> Result<Reply<'b>, Malformed> {
    let status = match (request, line) {
        (Request::Store { .. } | Request::Authenticate { .. }, b"STORED") => Status::Stored,
        (
            Request::Store {
                mode: Mode::Add | Mode::Replace | Mode::Append | Mode::Prepend,
                ..
            },
            b"NOT_STORED",
        ) => Status::NotStored,
        (
            Request::Store {
                mode: Mode::Cas(_), ..
            },
            b"EXISTS",
        ) => Status::Exists,
        (
            Request::Store {
                mode: Mode::Cas(_), ..
            }
            | Request::Delete { .. }
            | Request::Touch { .. }
            | Request::Arithmetic { .. },
            b"NOT_FOUND",
        ) => Status::NotFound,
        (Request::Delete { key, .. }, b"TOUCHED") if key.is_word() => Status::Deleted,
        (Request::Delete { key, .. }, b"DELETED") if !key.is_word() => Status::Deleted,
        (Request::Touch { .. }, b"TOUCHED") => Status::Touched,
        (Request::FlushAll { .. } | Request::Verbosity { .. }, b"OK") => Status::Ok,
        (Request::Arithmetic { .. }, [b'0'..=b'9', ..]) => {
            let number = number(line).map(Reply::Number);
            return number.ok_or_else(|| Malformed::Unexpected(Excerpt::new(line)));
        }
        (Request::Version, _) if line.starts_with(b"VERSION ") => {
            return Ok(Reply::Version(line[b"VERSION ".len()..].into()));
        }
        _ => {
            let refused = refused(line).map(Reply::Refused);
            return refused.ok_or_else(|| Malformed::Unexpected(Excerpt::new(line)));
        }
    };
    Ok(Reply::Status(status))
}
