use crate::value::tree::MAX_DEPTH;

/// Why a pickle is not plain data. `Display` goes on from "the item is a Python pickle".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(
    not(feature = "pickle"),
    expect(dead_code, reason = "all but the first are found by reading it")
)]
pub(crate) enum Refused {
    #[cfg(not(feature = "pickle"))]
    #[error("which needs the feature pickle of moecache")]
    Feature,
    #[error("that is cut short")]
    Truncated,
    #[error("that is followed by other bytes")]
    Trailing,
    #[error("with an opcode in it, {0:#04x}, that is not known")]
    Opcode(u8),
    #[error("of protocol {0}; known are 0 to 5")]
    Protocol(u8),
    #[error("whose opcodes do not fit together")]
    Incoherent,
    #[error("with a number in it that is none")]
    Number,
    #[error("with an integer in it of more than 128 bits")]
    Wide,
    #[error("with text in it that is not Unicode")]
    Text,
    #[error("that nests deeper than {MAX_DEPTH} levels, or holds itself")]
    TooDeep,
    #[error("that repeats parts of it to more than the {0} bytes of max_decompressed_size")]
    TooLarge(usize),
    #[error("with {0} in it: not plain data; not executed")]
    Object(String),
}
