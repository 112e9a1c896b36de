//! The meta protocol.
use super::decoder::Decoder;
use super::output::Output;
use super::reply::{Malformed, Step};
use super::request::Request;

pub(super) fn encode_all<'a>(
    requests: &[Request<'a>],
    _quiet: bool,
    _opaque: u32,
    out: &mut Output<'a>,
) {
    super::text::encode_all(requests, out);
}

pub(super) fn is_classic(_request: &Request<'_>) -> bool {
    true
}

pub(super) fn decode<'b>(
    decoder: &mut Decoder<'_>,
    input: &'b [u8],
) -> Result<Step<'b>, Malformed> {
    super::text::decode(decoder, input)
}
