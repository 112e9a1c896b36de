//! What the two protocols of lines, text and meta, have in common.

use super::options::Mode;
use super::reply::{Excerpt, Malformed, Refused, Reply, Status};
use super::request::Request;

/// The first line of `input` without its end, and its length with it, which is `max` at most.
pub(super) fn first_line(input: &[u8], max: usize) -> Result<Option<(&[u8], usize)>, Malformed> {
    match bare_line(input, max)? {
        None => Ok(None),
        Some((line, used)) => match line.strip_suffix(b"\r") {
            Some(line) => Ok(Some((line, used))),
            None => Err(Malformed::Unexpected(Excerpt::new(&input[..used]))),
        },
    }
}

/// The same, of a line that ends with LF alone.
pub(super) fn bare_line(input: &[u8], max: usize) -> Result<Option<(&[u8], usize)>, Malformed> {
    match memchr::memchr(b'\n', &input[..input.len().min(max)]) {
        Some(at) => Ok(Some((&input[..at], at + 1))),
        None if input.len() >= max => Err(Malformed::LongLine { max }),
        None => Ok(None),
    }
}

/// `ERROR`, `CLIENT_ERROR <text>` or `SERVER_ERROR <text>`.
pub(super) fn refused(line: &[u8]) -> Option<Refused<'_>> {
    let word = line.split(|&byte| byte == b' ').next()?;
    let by_grammar = match word {
        b"ERROR" | b"CLIENT_ERROR" => true,
        b"SERVER_ERROR" => false,
        _ => return None,
    };
    let line = line.into();
    Some(Refused { line, by_grammar })
}

/// The length of a value, of 1 to 10 digits.
pub(super) fn length(digits: &[u8], max: usize, line: &[u8]) -> Result<usize, Malformed> {
    let number = (digits.len() <= 10).then(|| number(digits)).flatten();
    let length = number.ok_or_else(|| Malformed::Unexpected(Excerpt::new(line)))?;
    length_within(length, max)
}

/// The length of a value, if that is allowed.
pub(super) fn length_within(length: u64, max: usize) -> Result<usize, Malformed> {
    match usize::try_from(length) {
        Ok(length) if length <= max => Ok(length),
        _ => Err(Malformed::TooLarge { length, max }),
    }
}

/// Decimal digits, of a number that 64 bits hold.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 20 {
        return None;
    }
    digits.iter().try_fold(0, |number: u64, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

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
