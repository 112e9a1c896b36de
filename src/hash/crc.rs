//! Cyclic redundancy checks.

/// CRC-32, that of zlib and Ethernet.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

/// The 15 bits of a CRC-32 that the first Perl client took, and libmemcached, twemproxy,
/// python-memcached, spymemcached and EnyimMemcached after it.
pub(super) fn crc32_15_bits(bytes: &[u8]) -> u32 {
    (crc32(bytes) >> 16) & CRC32_15_BITS_MAX
}

pub(super) const CRC32_15_BITS_MAX: u32 = 0x7fff;

/// CRC-16 of the CCITT polynomial, started from 0, as twemproxy has it: its register has 32 bits
/// and is never cut to 16, so that the upper half keeps what was shifted out.
pub(super) fn crc16(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc: u32, &byte| {
        let index = (crc >> 8) & 0xff ^ u32::from(byte);
        (crc << 8) ^ u32::from(CRC16[index as usize])
    })
}

const CRC16: [u16; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = 0;
        let mut bit = 0x80;
        while bit > 0 {
            let out = (crc & 0x8000 != 0) != (index & bit != 0);
            crc = (crc << 1) ^ if out { 0x1021 } else { 0 };
            bit >>= 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue of parametrised CRC algorithms: CRC-32/ISO-HDLC and
    /// CRC-16/XMODEM.
    #[test]
    fn known_hashes() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
        assert_eq!(crc32_15_bits(b"123456789"), 0x4bf4);
        assert_eq!(crc16(b"123456789") & 0xffff, 0x31c3);
        assert_eq!(crc16(b""), 0);
    }

    /// One step by hand: the table's entry of `1` is 0x2672, that of 0x26 ^ `2` is 0x5295.
    #[test]
    fn crc16_is_not_cut_to_16_bits() {
        assert_eq!(crc16(b"1"), 0x2672);
        assert_eq!(crc16(b"12"), 0x0026_7200 ^ u32::from(CRC16[0x26 ^ 0x32]));
    }
}
