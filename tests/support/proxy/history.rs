use super::super::Random;
use super::frame::{Exchange, Message};
use std::collections::{HashMap, VecDeque};

/// Replies that were sent, to be sent again.
#[derive(Debug, Default)]
pub struct History {
    replies: VecDeque<(u64, Vec<u8>)>,
    /// The first opaque that each connection has not been seen to use.
    next_opaques: HashMap<u64, u32>,
}

impl History {
    const MOST: usize = 64;
    const LONGEST: usize = 8 << 10;

    pub fn add(&mut self, session: u64, exchange: &Exchange, reply: &[u8]) {
        if let Some(last) = exchange.opaques.iter().max() {
            self.next_opaques.insert(session, last.wrapping_add(1));
        }
        if reply.len() <= Self::LONGEST {
            if self.replies.len() == Self::MOST {
                self.replies.pop_front();
            }
            self.replies.push_back((session, reply.to_vec()));
        }
    }

    pub fn forget(&mut self, session: u64) {
        self.next_opaques.remove(&session);
    }

    /// An earlier reply of such a session, of which the client of `session` can tell that it is not
    /// the right one.
    pub fn replay(
        &self,
        session: u64,
        exchange: &Exchange,
        random: &mut Random,
        is_of: impl Fn(u64) -> bool,
    ) -> Option<Vec<u8>> {
        let seen = self.next_opaques.get(&session).copied().unwrap_or(0);
        let floor = exchange.opaques.iter().min().copied().unwrap_or(seen);
        // Each connection has opaques of its own: any of another one is wrong.
        let may_pass = |of: u64, reply: &[u8]| {
            let floor = (of == session).then_some(floor);
            may_pass(exchange, floor, reply)
        };
        let fits = self
            .replies
            .iter()
            .filter(|(of, reply)| is_of(*of) && !may_pass(*of, reply));
        let fits: Vec<&(u64, Vec<u8>)> = fits.collect();
        (!fits.is_empty()).then(|| random.pick(&fits).1.clone())
    }
}

/// More than the requests that can be under way together.
const NEAR: u32 = 1 << 20;

/// Whether `reply` may be a right one to the requests of `exchange`, of which the first opaque is
/// `floor`, or a later one; `true` also where that is not clear. Without a floor no opaque is right. Its
/// first message decides: the client closes the connection over it.
fn may_pass(exchange: &Exchange, floor: Option<u32>, reply: &[u8]) -> bool {
    let is_right = |opaque: u32| floor.is_some_and(|floor| opaque.wrapping_sub(floor) < NEAR);
    let (request, Some(first)) = (exchange.request(), Message::first(reply)) else {
        return true;
    };
    if request.is_packet() {
        return first.opaque().is_none_or(is_right);
    }
    let (asked, words) = (request.words()[0], first.words());
    let is_meta = matches!(asked, b"mg" | b"ms" | b"md" | b"ma" | b"mn");
    if let Some(opaque) = first.opaque() {
        return is_meta && is_right(opaque);
    }
    match (asked, words[0]) {
        // Errors name no request.
        (_, b"ERROR" | b"CLIENT_ERROR" | b"SERVER_ERROR") => true,
        (_, b"MN") => exchange.is_fenced(),
        (_, b"VALUE") if exchange.asks_for_values() => exchange.keys().contains(&words[1]),
        (_, b"END") => exchange.asks_for_values(),
        (_, _) if is_meta || exchange.asks_for_values() => false,
        (b"set" | b"add" | b"replace" | b"append" | b"prepend" | b"cas", word) => {
            matches!(word, b"STORED" | b"NOT_STORED" | b"EXISTS" | b"NOT_FOUND")
        }
        (b"delete", word) => matches!(word, b"DELETED" | b"NOT_FOUND"),
        (b"touch", word) => matches!(word, b"TOUCHED" | b"NOT_FOUND"),
        (b"incr" | b"decr", word) => word == b"NOT_FOUND" || word[0].is_ascii_digit(),
        _ => true,
    }
}
