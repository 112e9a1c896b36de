//! Requests and replies of the binary protocol.

const HEADER: usize = 24;

/// The packets; none, if these are no packets, or something is left over.
pub fn split(reply: &[u8]) -> Vec<&[u8]> {
    let mut packets = Vec::new();
    let mut rest = reply;
    while let [0x80 | 0x81, ..] = rest {
        let Some((packet, after)) =
            body_length(rest).and_then(|length| rest.split_at_checked(HEADER + length))
        else {
            return Vec::new();
        };
        packets.push(packet);
        rest = after;
    }
    if rest.is_empty() { packets } else { Vec::new() }
}

/// The key and the value of a statistic.
pub fn statistic(packet: &[u8]) -> Option<(&str, &[u8])> {
    if packet.get(1) != Some(&0x10) {
        return None;
    }
    let key_length = usize::from(u16::from_be_bytes(packet[2..4].try_into().unwrap()));
    let (key, value) = packet[HEADER..].split_at_checked(key_length)?;
    Some((std::str::from_utf8(key).ok()?, value))
}

/// The packet with another value.
pub fn with_value(packet: &[u8], key: &str, value: &[u8]) -> Vec<u8> {
    let length = u32::try_from(key.len() + value.len()).unwrap();
    let mut packet = packet[..HEADER].to_vec();
    packet[8..12].copy_from_slice(&length.to_be_bytes());
    [&packet, key.as_bytes(), value].concat()
}

/// The version, if that is what was asked for.
pub fn is_version(packet: &[u8]) -> bool {
    packet[..2] == [0x81, 0x0b] && packet[6..8] == [0, 0]
}

pub fn cas(packet: &[u8]) -> u64 {
    u64::from_be_bytes(packet[16..HEADER].try_into().unwrap())
}

pub fn with_cas(packet: &[u8], cas: u64) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet[16..HEADER].copy_from_slice(&cas.to_be_bytes());
    packet
}

fn body_length(packet: &[u8]) -> Option<usize> {
    let length = packet.get(8..12)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(length)).ok()
}
