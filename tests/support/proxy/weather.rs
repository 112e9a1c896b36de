use super::super::Random;
use super::fault::{Fault, Length};
use std::time::Duration;

/// Faults at random.
#[derive(Debug, Clone)]
pub struct Weather {
    pub mix: Mix,
    /// Of so many replies of a thousand one goes wrong; and half as many connections.
    pub per_mille: u32,
    /// The deadline of the client's calls: of what is delayed, some is in time and some is not.
    pub deadline: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// A right server on a bad network.
    Honest,
    /// A server that lies, and, every fourth time, the network besides.
    Hostile,
}

impl Weather {
    pub(super) fn reply_fault(&self, random: &mut Random) -> Option<Fault> {
        if !random.per_mille(self.per_mille) {
            return None;
        }
        let is_lie = self.mix == Mix::Hostile && !random.per_mille(250);
        Some(if is_lie {
            lie(random)
        } else {
            self.mishap(random)
        })
    }

    pub(super) fn connection_fault(&self, random: &mut Random) -> Option<Fault> {
        let faults = [
            Fault::AcceptAndClose,
            Fault::TooManyConnections,
            Fault::Mute,
        ];
        random
            .per_mille(self.per_mille / 2)
            .then(|| random.pick(&faults).clone())
    }

    fn mishap(&self, random: &mut Random) -> Fault {
        let deadline = self.deadline;
        let past = deadline + part(deadline, random);
        // A few bytes, or any part of most replies, or all of it.
        let longest = *random.pick(&[4, 60, 100_000]);
        let after = random.below(longest);
        match random.below(20) {
            0 | 1 => Fault::Delay(part(deadline, random)),
            2 => Fault::Delay(past),
            3 => Fault::DelayRequest(part(deadline, random)),
            4 => Fault::DelayRequest(past),
            5 => Fault::Drip(Duration::from_millis(1)),
            6 => Fault::Drip(part(deadline, random)),
            7 => Fault::Cut { after: 0 },
            8 => Fault::Cut { after },
            9 => Fault::Cut { after: usize::MAX },
            10 => Fault::Reset { after: 0 },
            11 => Fault::Reset { after },
            12 | 13 => Fault::Hangup,
            14 => Fault::Stall { after },
            15 => Fault::SwallowRequest,
            16 => Fault::SwallowReply,
            17 => Fault::Refuse(part(2 * deadline, random)),
            _ => Fault::Chunks((0..8).map(|_| 1 + random.below(longest)).collect()),
        }
    }
}

fn part(of: Duration, random: &mut Random) -> Duration {
    of * u32::try_from(random.below(100)).unwrap_or(0) / 100
}

fn lie(random: &mut Random) -> Fault {
    match random.below(14) {
        0 | 1 => Fault::ReplayOwn,
        2 | 3 => Fault::ReplayOther,
        4 => Fault::ForgedKey,
        5 => Fault::ForgedOpaque,
        6 => Fault::ForgedCommand,
        7 => Fault::Doubled,
        8 => Fault::NoLineEnd,
        9 => Fault::Truncated,
        10 => Fault::BadLength(*random.pick(&Length::ALL)),
        11 => Fault::EndlessLine,
        12 => Fault::Garbage(junk(random)),
        _ if random.per_mille(500) => Fault::Surplus(junk(random)),
        _ => Fault::Stray(junk(random)),
    }
}

/// What is the reply to no request at all, in any protocol: whichever comes next, its grammar, key or
/// opaque tells. A plain `STORED` or `END` would not do: in text it may be the reply to anything.
fn junk(random: &mut Random) -> Vec<u8> {
    const JUNK: [&[u8]; 8] = [
        b"VALUE ~nobody-asked 0 3\r\nabc\r\nEND\r\n",
        b"VALUE \r\n",
        b"HD O4000000000\r\n",
        b"VA 3 f0 O4000000001\r\nabc\r\n",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\r\n",
        b"~\0\xff\xfe\n",
        // The reply to a get that was never sent.
        b"\x81\0\0\0\x04\0\0\0\0\0\0\x07\xee\xee\xee\xee\0\0\0\0\0\0\0\0\0\0\0\0abc",
    ];
    let mut junk = (*random.pick(&JUNK)).to_vec();
    if random.per_mille(250) {
        junk.extend((0..random.below(5000)).map(|_| *random.pick(b"abc XYZ 0189 \0\r\t~")));
        junk.extend(b"\r\n");
    }
    junk
}
