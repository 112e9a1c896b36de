//! Cas ids. Those of memcached 1.6.18 begin at 1, those of newer ones at 2; transcripts have them as they
//! are when the first is 1.

use super::packets;

/// Larger ones are never a server's own here: they are what a case makes up.
const LARGEST: u64 = 10_000;

/// The request with the cas ids of a server whose first is `first`.
pub fn request_to_server(request: &[u8], first: u64) -> Vec<u8> {
    moved(request, request_words, |id| id + first - 1)
}

/// The reply of a server whose first cas id is `first`, as it would be if that were 1.
pub fn reply_from_server(reply: &[u8], first: u64) -> Vec<u8> {
    moved(reply, reply_words, |id| (id + 1).saturating_sub(first))
}

/// Says which words of a line, by their number, are a cas id, behind a prefix of so many bytes.
type Words = fn(&[&[u8]], usize) -> Option<usize>;

fn moved(bytes: &[u8], words: Words, to: impl Fn(u64) -> u64) -> Vec<u8> {
    let is_moved = |id: u64| (1..=LARGEST).contains(&id);
    let packets = packets::split(bytes);
    if !packets.is_empty() {
        let moved = |packet| match packets::cas(packet) {
            id if is_moved(id) => packets::with_cas(packet, to(id)),
            _ => packet.to_vec(),
        };
        return packets.into_iter().flat_map(moved).collect();
    }
    let mut all = Vec::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let content = line.trim_ascii_end();
        let line_words: Vec<&[u8]> = content.split(|&byte| byte == b' ').collect();
        for (number, word) in line_words.iter().enumerate() {
            let id = words(&line_words, number)
                .and_then(|prefix| Some((prefix, std::str::from_utf8(&word[prefix..]).ok()?)))
                .and_then(|(prefix, id)| Some((prefix, id.parse().ok()?)));
            if number > 0 {
                all.push(b' ');
            }
            match id {
                Some((prefix, id)) if is_moved(id) => {
                    all.extend_from_slice(&word[..prefix]);
                    all.extend_from_slice(to(id).to_string().as_bytes());
                }
                _ => all.extend_from_slice(word),
            }
        }
        all.extend_from_slice(&line[content.len()..]);
    }
    all
}

fn request_words(words: &[&[u8]], number: usize) -> Option<usize> {
    match words[0] {
        b"cas" => (number == 5).then_some(0),
        b"mg" | b"ms" | b"md" | b"ma" => {
            (number >= 2 && matches!(words[number], [b'C' | b'E', ..])).then_some(1)
        }
        _ => None,
    }
}

fn reply_words(words: &[&[u8]], number: usize) -> Option<usize> {
    let word = words[number];
    match words[0] {
        b"VALUE" => (number == 4).then_some(0),
        b"HD" | b"VA" | b"EN" | b"EX" | b"NF" | b"NS" => word.starts_with(b"c").then_some(1),
        [b'M', b'E'] | [b'k', b'e', b'y', b'=', ..] => word.starts_with(b"cas=").then_some(4),
        _ => None,
    }
}
