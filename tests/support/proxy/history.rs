use super::super::Random;
use super::frame::{Exchange, Message};
use std::collections::{HashMap, VecDeque};

/// Replies that were sent, to be sent again.
#[derive(Debug, Default)]
pub struct History {
    replies: VecDeque<Sent>,
    /// The first opaque that each connection was seen to use, and the first that it was not.
    opaques: HashMap<u64, (u32, u32)>,
}

/// A reply that was sent.
#[derive(Debug)]
struct Sent {
    session: u64,
    /// How many opaques its connection had used before.
    place: Option<u32>,
    reply: Vec<u8>,
}

impl History {
    const MOST: usize = 64;
    const LONGEST: usize = 8 << 10;

    pub fn add(&mut self, session: u64, exchange: &Exchange, reply: &[u8]) {
        let place = self.place(session, exchange);
        if let (Some(first), Some(last)) = (exchange.opaques.first(), exchange.opaques.last()) {
            let (_, next) = self.opaques.entry(session).or_insert((*first, 0));
            *next = last.wrapping_add(1);
        }
        if reply.len() <= Self::LONGEST {
            if self.replies.len() == Self::MOST {
                self.replies.pop_front();
            }
            let reply = reply.to_vec();
            self.replies.push_back(Sent {
                session,
                place,
                reply,
            });
        }
    }

    pub fn forget(&mut self, session: u64) {
        self.opaques.remove(&session);
    }

    /// How many opaques a connection had used before this.
    fn place(&self, session: u64, exchange: &Exchange) -> Option<u32> {
        let first = exchange.opaques.first()?;
        let began = self
            .opaques
            .get(&session)
            .map_or(*first, |(began, _)| *began);
        Some(first.wrapping_sub(began))
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
        let seen = self.opaques.get(&session).map_or(0, |(_, next)| *next);
        let floor = exchange.opaques.first().copied().unwrap_or(seen);
        // Each connection begins its opaques at random: any of another one is wrong.
        let may_pass = |of: u64, reply: &[u8]| {
            let floor = (of == session).then_some(floor);
            may_pass(exchange, floor, reply)
        };
        let mut fits: Vec<&Sent> = self.replies.iter().collect();
        fits.retain(|it| is_of(it.session) && !may_pass(it.session, &it.reply));
        // Most like the right one is that which came at the same place of another connection: to a client
        // that always begins with the same opaque, it is the same.
        let place = self.place(session, exchange);
        let is_there = |it: &&Sent| it.session != session && place.is_some() && it.place == place;
        if fits.iter().any(is_there) {
            fits.retain(is_there);
        }
        (!fits.is_empty()).then(|| random.pick(&fits).reply.clone())
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
