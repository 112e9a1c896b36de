use super::{Line, Replies, Reply};
use crate::conn::Sink;
use crate::error::{Error, Kind};
use crate::protocol::{Malformed, Part, Request};
use std::ops::ControlFlow;

/// The most bytes of lines that are taken.
pub(super) const MAX_LINES: usize = 128 << 20;

/// What a line takes in memory besides its bytes.
const PER_LINE: usize = size_of::<OwnLine>() + 32;

/// What a driver answered to a batch. Nothing of it is passed on before all of it is there: a driver
/// that cannot count must not give one command the reply to another.
#[derive(Debug)]
pub(super) struct Collected {
    replies: Vec<Answer>,
    lines: Vec<OwnLine>,
    length: usize,
    /// Whether something came for a place that is not there.
    has_strays: bool,
}

#[derive(Debug, Clone)]
enum Answer {
    None,
    One(Reply<'static>),
    Several,
}

#[derive(Debug)]
struct OwnLine {
    index: usize,
    /// Of a statistic.
    name: Option<Box<[u8]>>,
    text: Box<[u8]>,
}

impl Collected {
    /// Nothing yet, for so many commands.
    pub(super) fn new(commands: usize) -> Self {
        Self {
            replies: vec![Answer::None; commands],
            lines: Vec::new(),
            length: 0,
            has_strays: false,
        }
    }

    /// Tells `sink` what came of each request, the first of which it knows as `first`.
    pub(super) fn tell(
        self,
        server: &str,
        requests: &[Request<'_>],
        first: usize,
        sink: &mut dyn Sink,
    ) {
        let mut broken: Vec<Option<Malformed>> = requests.iter().map(|_| None).collect();
        if self.length > MAX_LINES {
            let index = self.lines.last().map_or(0, |line| line.index);
            broken[index] = Some(Malformed::TooManyStats(MAX_LINES));
        }
        for line in &self.lines {
            let broken = &mut broken[line.index];
            if broken.is_none() {
                *broken = sink.part(first + line.index, line.as_part()).err();
            }
        }
        let outcomes = requests.iter().zip(self.replies).zip(broken);
        for (index, ((request, answer), broken)) in outcomes.enumerate() {
            let place = first + index;
            let reply = match (broken, judge(answer, request, self.has_strays)) {
                (Some(malformed), _) => Err(Error::from(malformed)),
                (None, Ok(reply)) => Ok(reply),
                (None, Err(reason)) => {
                    let error = Error::new(Kind::Protocol, format!("the driver {reason}"));
                    let is_write = request.is_write();
                    Err(if is_write { error.ambiguous() } else { error })
                }
            };
            match reply {
                Err(error) | Ok(Reply::Failed(error)) => sink.failed(place, error.on(server)),
                Ok(Reply::Value(value)) => {
                    sink.value(place, value.header(), value.data.into_owned());
                }
                Ok(reply) => {
                    if let Some(received) = reply.as_received() {
                        sink.reply(place, received);
                    }
                }
            }
        }
    }
}

/// The reply to the request, or what is the matter with it. What kind of reply a request has, the calls
/// judge, as they do of what comes from a server.
fn judge(
    answer: Answer,
    request: &Request<'_>,
    has_strays: bool,
) -> Result<Reply<'static>, &'static str> {
    if has_strays {
        return Err("gave a reply to a command that was not asked for");
    }
    match answer {
        Answer::None => Err("gave no reply"),
        Answer::Several => Err("gave more than one reply"),
        Answer::One(Reply::Value(value)) => match request {
            Request::Get { cas: true, .. } | Request::GetAndTouch { cas: true, .. }
                if value.cas.is_none() =>
            {
                Err("gave a value without the cas id that was asked for")
            }
            _ => Ok(Reply::Value(value)),
        },
        Answer::One(reply) => Ok(reply),
    }
}

impl Replies for Collected {
    fn reply(&mut self, index: usize, reply: Reply<'_>) {
        match self.replies.get_mut(index) {
            Some(answer @ Answer::None) => *answer = Answer::One(reply.into_owned()),
            Some(answer) => *answer = Answer::Several,
            None => self.has_strays = true,
        }
    }

    fn line(&mut self, index: usize, line: Line<'_>) -> ControlFlow<()> {
        if index >= self.replies.len() {
            self.has_strays = true;
            return ControlFlow::Break(());
        }
        if self.length > MAX_LINES {
            return ControlFlow::Break(());
        }
        let (name, text) = match line {
            Line::Stat { name, value } => (Some(name), value),
            Line::Item(line) => (None, line),
        };
        self.length += name.map_or(0, <[u8]>::len) + text.len() + PER_LINE;
        self.lines.push(OwnLine {
            index,
            name: name.map(Into::into),
            text: text.into(),
        });
        if self.length > MAX_LINES {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

impl OwnLine {
    fn as_part(&self) -> Part<'_> {
        match &self.name {
            Some(name) => Part::Stat {
                name,
                value: &self.text,
            },
            None => Part::Item(&self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Reply as Received, StatsArguments, ValueHeader};

    /// Counts what it is told.
    #[derive(Default)]
    struct Told {
        lines: usize,
        replies: usize,
        errors: Vec<String>,
    }

    impl Sink for Told {
        fn value(&mut self, _: usize, _: ValueHeader, _: Vec<u8>) {
            self.replies += 1;
        }

        fn part(&mut self, _: usize, _: Part<'_>) -> Result<(), Malformed> {
            self.lines += 1;
            Ok(())
        }

        fn reply(&mut self, _: usize, _: Received<'_>) {
            self.replies += 1;
        }

        fn failed(&mut self, _: usize, error: Error) {
            self.errors.push(error.to_string());
        }
    }

    fn told(collected: Collected) -> Told {
        let request = Request::Stats {
            arguments: StatsArguments::RESET,
        };
        let mut told = Told::default();
        collected.tell("a:1", &[request], 0, &mut told);
        told
    }

    #[test]
    fn lines_come_before_the_reply_to_them() {
        let mut collected = Collected::new(1);
        assert!(collected.line(0, Line::stat(b"a", b"1")).is_continue());
        assert!(collected.line(0, Line::Item(b"key=a")).is_continue());
        collected.reply(0, Reply::Done);
        let told = told(collected);
        assert_eq!((told.lines, told.replies), (2, 1));
        assert!(told.errors.is_empty());
    }

    #[test]
    fn endless_lines_end() {
        let line = vec![b'x'; MAX_LINES / 8];
        let mut collected = Collected::new(1);
        let taken = (0..20).take_while(|_| collected.line(0, Line::Item(&line)).is_continue());
        assert_eq!(
            taken.count(),
            7,
            "the eighth is over, with what it takes besides"
        );
        assert!(collected.line(0, Line::Item(b"more")).is_break());
        assert_eq!(collected.lines.len(), 8);
        collected.reply(0, Reply::Done);
        let told = told(collected);
        assert_eq!(told.replies, 0);
        assert_eq!(told.errors.len(), 1);
        assert!(
            told.errors[0].contains("over 134217728 bytes"),
            "{:?}",
            told.errors
        );
    }
}
