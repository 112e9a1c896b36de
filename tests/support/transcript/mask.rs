//! What is not compared: the version, and numbers that depend on the run.

use super::packets;

/// Statistics whose value depends on the run: the version, the time, buffers, background threads, and the
/// connection that waited for the server to start.
const VOLATILE: [&str; 36] = [
    "pid",
    "uptime",
    "time",
    "version",
    "libevent",
    "rusage_user",
    "rusage_system",
    "curr_connections",
    "total_connections",
    "connection_structures",
    "response_obj_count",
    "response_obj_bytes",
    "read_buf_count",
    "read_buf_bytes",
    "read_buf_bytes_free",
    "conn_yields",
    "lru_crawler_running",
    "lru_crawler_starts",
    "lru_maintainer_juggles",
    "crawler_reclaimed",
    "crawler_items_checked",
    "lrutail_reflocked",
    "moves_to_cold",
    "moves_to_warm",
    "moves_within_lru",
    "lru_bumps_dropped",
    "tcpport",
    "age",
    "age_hot",
    "age_warm",
    "number_hot",
    "number_warm",
    "number_cold",
    "hits_to_hot",
    "hits_to_warm",
    "hits_to_cold",
];

/// The reply, with such numbers replaced by `*`.
pub fn masked(reply: &[u8]) -> Vec<u8> {
    let packets = packets::split(reply);
    if !packets.is_empty() {
        return packets.into_iter().flat_map(masked_packet).collect();
    }
    let lines = reply.split_inclusive(|&byte| byte == b'\n');
    lines.flat_map(masked_line).collect()
}

fn masked_packet(packet: &[u8]) -> Vec<u8> {
    match packets::statistic(packet) {
        Some((name, _)) if is_volatile(name) => packets::with_value(packet, name, b"*"),
        None if packets::is_version(packet) => packets::with_value(packet, "", b"*"),
        _ => packet.to_vec(),
    }
}

fn masked_line(line: &[u8]) -> Vec<u8> {
    let is_volatile: fn(&[u8]) -> bool = match line {
        [b'S', b'T', b'A', b'T', b' ', ..] => return masked_stat(line),
        [b'V', b'E', b'R', b'S', b'I', b'O', b'N', b' ', ..] => return b"VERSION *\r\n".to_vec(),
        [b'H', b'D', b' ', ..] | [b'V', b'A', b' ', ..] => is_relative_time,
        [b'M', b'E', b' ', ..] | [b'k', b'e', b'y', b'=', ..] => is_time,
        _ => return line.to_vec(),
    };
    let words = line.split(|&byte| byte == b' ').map(|word| {
        let end = word.iter().position(|byte| b"\r\n".contains(byte));
        let (word, ending) = word.split_at(end.unwrap_or(word.len()));
        if is_volatile(word) {
            let name = word
                .iter()
                .position(|byte| !byte.is_ascii_lowercase() && *byte != b'=');
            [&word[..name.unwrap_or_default()], b"*", ending].concat()
        } else {
            [word, ending].concat()
        }
    });
    words.collect::<Vec<_>>().join(&b' ')
}

/// What the flags `t` and `l` of a meta command return, unless it is `t-1`.
fn is_relative_time(word: &[u8]) -> bool {
    matches!(word, [b't' | b'l', digits @ ..] if is_number(digits))
}

/// Times in dumps, unless an item never expires.
fn is_time(word: &[u8]) -> bool {
    match word.strip_prefix(b"exp=") {
        Some(time) => time != b"-1",
        None => word.strip_prefix(b"la=").is_some_and(is_number),
    }
}

fn is_number(digits: &[u8]) -> bool {
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn masked_stat(line: &[u8]) -> Vec<u8> {
    let name = std::str::from_utf8(line)
        .ok()
        .and_then(|line| line.strip_prefix("STAT ")?.split(' ').next());
    match name {
        Some(name) if is_volatile(name) => format!("STAT {name} *\r\n").into_bytes(),
        _ => line.to_vec(),
    }
}

/// The name may have a slab class before it.
fn is_volatile(name: &str) -> bool {
    name.rsplit(':')
        .next()
        .is_some_and(|name| VOLATILE.contains(&name))
}
