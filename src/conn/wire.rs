use super::deadline::{Deadline, Expired};
use super::fault::Fault;
use crate::protocol::MAX_PARTS;
use socket2::{Domain, Protocol, SockAddr, Socket, TcpKeepalive, Type};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read as _};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long a connection may be silent before the kernel asks whether the peer is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);

/// How much later than the deadline a blocked call may return: below this, the `setsockopt` that
/// would shorten the socket's own timeout costs more than it gains.
const SLACK: Duration = Duration::from_millis(5);

/// The shortest socket timeout: the kernel takes 0 as "never", and counts in milliseconds or worse.
const SHORTEST: Duration = Duration::from_millis(1);

/// The most that one call sends. While the kernel copies it looks at no timeout, so a longer call
/// could outlast the deadline by as long as the peer keeps up.
const LONGEST_SEND: usize = 2 << 20;

/// The same on a unix socket, where the timeout begins anew with each piece of some 32 KB.
const LONGEST_UNIX_SEND: usize = 64 << 10;

/// So much a socket takes without waiting, in bytes, if all that was sent before has been read.
const NEVER_BLOCKS: usize = 16 << 10;

/// The flags of `send`: a peer that is gone is an error, not a signal that ends the process. (On
/// Apple's systems socket2 sees to that when it makes a socket; Windows knows no such signal.)
#[cfg(all(unix, not(target_vendor = "apple")))]
const SEND: Flags = libc::MSG_NOSIGNAL;
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const SEND: Flags = 0;

/// The flag of `send` for one that does not wait.
#[cfg(unix)]
const DONT_WAIT: Flags = libc::MSG_DONTWAIT;
#[cfg(not(unix))]
const DONT_WAIT: Flags = 0;

/// C's `int`.
type Flags = i32;

/// The longest that one call on a socket waits. Whoever waits for several servers looks at another
/// one after it; whoever waits for one goes on until the deadline.
const TICK: Duration = Duration::from_millis(20);

/// How long to wait for a socket that is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// Until the deadline.
    UntilDeadline,
    /// Polls briefly: others are waited for as well. (On Windows until the deadline: a socket there
    /// is of no use after a timeout.)
    Briefly,
    /// Not at all.
    No,
}

/// When a step ends that does not wait until the deadline, however much comes: others are waited for.
#[derive(Debug)]
pub(super) struct StepEnd(Option<Instant>);

impl StepEnd {
    pub(super) fn new(wait: Wait) -> Self {
        let length = match wait {
            Wait::UntilDeadline => return Self(None),
            Wait::Briefly => TICK,
            Wait::No => TICK / 10,
        };
        Self(Some(Instant::now() + length))
    }

    pub(super) fn is_reached(&self) -> bool {
        self.0.is_some_and(|end| Instant::now() >= end)
    }
}

/// Bytes received and not used yet.
#[derive(Debug)]
pub(super) struct Input {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Input {
    /// An empty buffer of so many bytes.
    pub(super) fn new(size: usize) -> Self {
        let buffer = vec![0; size];
        let (start, end) = (0, 0);
        Self { buffer, start, end }
    }

    /// Grows to so many bytes.
    pub(super) fn grow(&mut self, size: usize) {
        self.buffer.resize(self.buffer.len().max(size), 0);
    }

    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    #[inline]
    pub(super) fn consume(&mut self, used: usize) {
        self.start += used;
    }

    /// Where the next bytes go, behind what is left.
    #[inline]
    pub(super) fn space(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        &mut self.buffer[self.end..]
    }

    #[inline]
    pub(super) fn received(&mut self, bytes: usize) {
        self.end += bytes;
    }
}

/// A connected socket, each of whose calls ends by a deadline.
#[derive(Debug)]
pub(super) struct Wire {
    socket: Socket,
    longest_send: usize,
    /// When the last operation began.
    began: Instant,
    /// The socket's own timeouts as last set. They are only changed when they would hold a call for
    /// longer than the deadline allows, which on a warm connection is never.
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
    /// What the first write of an operation takes for the time. It was so a moment ago, and it waits for
    /// no more than [`TICK`]: that is near enough, and a look at the clock is worth a hundredth of a
    /// round trip.
    first_write: Option<Instant>,
    /// The limit of the first read: that of the write before it, unless that may have waited.
    first_read: Option<Duration>,
    /// How long it was waited for the peer since the operation began.
    waited: Duration,
    /// When it was last looked for something to read, without waiting.
    looked: Option<Instant>,
}

impl Wire {
    pub(super) fn connect(
        address: SocketAddr,
        nodelay: bool,
        timeout: Option<Duration>,
    ) -> io::Result<Self> {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_tcp_nodelay(nodelay)?;
        socket.set_keepalive(true)?;
        socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEPALIVE_AFTER))?;
        let address = SockAddr::from(address);
        // A connect without a timeout would end with any signal that comes.
        let timeout = timeout.unwrap_or(Duration::MAX).max(SHORTEST);
        socket.connect_timeout(&address, timeout)?;
        Ok(Self::of(socket))
    }

    /// Connects to a unix socket.
    pub(super) fn connect_path(path: &str, timeout: Option<Duration>) -> io::Result<Self> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        let address = SockAddr::unix(path)?;
        let limit = Deadline::after(timeout.unwrap_or(Duration::MAX), Instant::now());
        let write_timeout = loop {
            let left = limit.remaining(Instant::now());
            let left = left.map_err(|Expired| io::Error::from(ErrorKind::TimedOut))?;
            // Where the server's queue is full, this is what the kernel waits by.
            let timeout = left.map(|left| left.max(SHORTEST));
            socket.set_write_timeout(timeout)?;
            match socket.connect(&address) {
                Ok(()) => break timeout,
                // By a signal, while it waited: nothing has begun.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    return Err(ErrorKind::TimedOut.into());
                }
                Err(error) => return Err(error),
            }
        };
        Ok(Self {
            write_timeout,
            longest_send: LONGEST_UNIX_SEND,
            ..Self::of(socket)
        })
    }

    pub(super) fn of(socket: Socket) -> Self {
        Self {
            socket,
            longest_send: LONGEST_SEND,
            began: Instant::now(),
            read_timeout: None,
            write_timeout: None,
            first_read: None,
            first_write: None,
            waited: Duration::ZERO,
            looked: None,
        }
    }

    /// An operation begins, at this time.
    pub(super) fn begin(&mut self, now: Instant) {
        (self.began, self.first_read, self.first_write) = (now, None, Some(now));
        (self.waited, self.looked) = (Duration::ZERO, None);
    }

    /// When the last operation began.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// How long it was waited for the peer since the operation began: what the caller did with its time
    /// meanwhile is not in it.
    pub(super) fn waited(&self) -> Duration {
        self.waited
    }

    /// There was nothing yet when it was looked for, `now`. Between two looks others are waited for, or
    /// the caller's code runs, which may take any time.
    fn looked_in_vain(&mut self, now: Instant) {
        if let Some(before) = self.looked.replace(now) {
            self.waited += now.saturating_duration_since(before).min(TICK);
        }
    }

    /// A call waited in vain, for as long as the socket's own timeout.
    fn waited_in_vain(&mut self, timeout: Option<Duration>) {
        self.waited += timeout.unwrap_or(TICK);
        self.looked = None;
    }

    /// Whether the connection is as it was left: open, and with nothing to read.
    pub(super) fn is_quiet(&self) -> bool {
        let mut byte = [MaybeUninit::uninit()];
        matches!(peek(&self.socket, &mut byte), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// Reads what there is, without waiting.
    #[cfg(feature = "tls")]
    pub(super) fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Looked for first, as `recv` without waiting wants a buffer that need not be initialised.
        peek(&self.socket, &mut [MaybeUninit::uninit()])?;
        self.socket.read(buffer)
    }

    /// Reads at least one byte, into the first of `parts` as long as it has room; 0 if nothing came
    /// in that time.
    pub(super) fn read(
        &mut self,
        parts: &mut [IoSliceMut<'_>],
        deadline: Deadline,
        wait: Wait,
    ) -> Result<usize, Fault> {
        if wait == Wait::No && self.is_quiet() {
            let now = Instant::now();
            self.looked_in_vain(now);
            self.first_read = None;
            deadline.remaining(now)?;
            return Ok(0);
        }
        let mut timed_out = false;
        loop {
            let limit = match self.first_read.take() {
                Some(limit) => Some(limit),
                None => limit(deadline, Instant::now())?,
            };
            if must_set(self.read_timeout, limit, timed_out) {
                self.socket.set_read_timeout(limit).map_err(Fault::Lost)?;
                self.read_timeout = limit;
            }
            let read = match parts {
                [part] => self.socket.read(part),
                _ => self.socket.read_vectored(parts),
            };
            match read {
                Ok(0) => return Err(Fault::Lost(ErrorKind::UnexpectedEof.into())),
                Ok(read) => return Ok(read),
                Err(error) => timed_out = is_timeout(error)?,
            }
            if timed_out {
                self.waited_in_vain(self.read_timeout);
            }
            if timed_out && wait != Wait::UntilDeadline {
                return Ok(0);
            }
        }
    }

    /// Writes some of `parts`; 0 bytes if the socket took none in that time.
    pub(super) fn write(
        &mut self,
        parts: &[IoSlice<'_>],
        deadline: Deadline,
        wait: Wait,
    ) -> Result<usize, Fault> {
        let flags = match wait {
            Wait::No => SEND | DONT_WAIT,
            Wait::Briefly | Wait::UntilDeadline => SEND,
        };
        let mut timed_out = false;
        loop {
            let first = self.first_write.take();
            let limit = limit(deadline, first.unwrap_or_else(Instant::now))?;
            if must_set(self.write_timeout, limit, timed_out) {
                self.socket.set_write_timeout(limit).map_err(Fault::Lost)?;
                self.write_timeout = limit;
            }
            let sent = match parts {
                [part] => {
                    let part = &part[..part.len().min(self.longest_send)];
                    self.socket.send_with_flags(part, flags)
                }
                _ => self.send_parts(parts, flags),
            };
            match sent {
                Ok(0) => return Err(Fault::Lost(ErrorKind::WriteZero.into())),
                Ok(sent) => {
                    if sent > NEVER_BLOCKS {
                        self.first_read = None; // It may have waited: the clock is read anew.
                    } else if first.is_some() {
                        self.first_read = limit;
                    }
                    return Ok(sent);
                }
                Err(error) => timed_out = is_timeout(error)?,
            }
            if timed_out && wait != Wait::No {
                self.waited_in_vain(self.write_timeout);
            }
            if timed_out && wait != Wait::UntilDeadline {
                return Ok(0);
            }
        }
    }

    /// One call, of a bounded length.
    fn send_parts(&self, parts: &[IoSlice<'_>], flags: Flags) -> io::Result<usize> {
        let mut clipped = [IoSlice::new(&[]); MAX_PARTS];
        let (mut room, mut count) = (self.longest_send, 0);
        for (clipped, part) in clipped.iter_mut().zip(parts) {
            if room == 0 {
                break;
            }
            *clipped = IoSlice::new(&part[..part.len().min(room)]);
            room -= clipped.len();
            count += 1;
        }
        self.socket
            .send_vectored_with_flags(&clipped[..count], flags)
    }
}

/// How long a socket's own timeout should be.
fn limit(deadline: Deadline, now: Instant) -> Result<Option<Duration>, Fault> {
    let left = deadline.remaining(now)?;
    if cfg!(windows) {
        return Ok(left.map(|left| left.max(SHORTEST)));
    }
    Ok(Some(left.map_or(TICK, |left| left.clamp(SHORTEST, TICK))))
}

/// Whether a socket timeout of `set` has to be changed where it should be `limit`: because it would
/// end too late, or because it has ended too early.
fn must_set(set: Option<Duration>, limit: Option<Duration>, timed_out: bool) -> bool {
    match (set, limit) {
        (Some(set), Some(limit)) => {
            // Far too short, it would end again and again.
            let is_short = set < limit && (timed_out || set < limit / 4);
            is_short || set > limit.saturating_add(SLACK)
        }
        (None, Some(_)) => true,
        (Some(_), None) => timed_out,
        (None, None) => false,
    }
}

/// Whether the call only ended because the socket's timeout did; `false` for an interrupted one.
fn is_timeout(error: io::Error) -> Result<bool, Fault> {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Ok(true),
        ErrorKind::Interrupted => Ok(false),
        _ => Err(Fault::Lost(error)),
    }
}

/// Looks at what there is to read without waiting and without taking it: one call.
#[cfg(unix)]
fn peek(socket: &Socket, byte: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    socket.recv_with_flags(byte, libc::MSG_PEEK | libc::MSG_DONTWAIT)
}

#[cfg(not(unix))]
fn peek(socket: &Socket, byte: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    socket.set_nonblocking(true)?;
    let peeked = socket.peek(byte);
    socket.set_nonblocking(false)?;
    peeked
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn options_of_the_socket() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let nagles = Wire::connect(address, false, Some(SECOND)).unwrap();
        assert!(!nagles.socket.tcp_nodelay().unwrap());
        drop(listener.accept().unwrap());
        let wire = Wire::connect(address, true, Some(SECOND)).unwrap();
        assert!(wire.socket.tcp_nodelay().unwrap());
        assert!(wire.socket.keepalive().unwrap());
        assert!(wire.is_quiet());
        drop(listener.accept().unwrap());
        while wire.is_quiet() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn the_timeout_of_the_socket_is_set_as_seldom_as_can_be() {
        let milliseconds = |count| Some(Duration::from_millis(count));
        let rows = [
            ("not set yet", None, milliseconds(20), false, true),
            (
                "as good as set",
                milliseconds(20),
                milliseconds(16),
                false,
                false,
            ),
            ("too long", milliseconds(20), milliseconds(14), false, true),
            (
                "shorter, has not ended",
                milliseconds(10),
                milliseconds(20),
                false,
                false,
            ),
            (
                "shorter, has ended",
                milliseconds(10),
                milliseconds(20),
                true,
                true,
            ),
            (
                "far too short",
                milliseconds(1),
                milliseconds(20),
                false,
                true,
            ),
            (
                "as it should be, has ended",
                milliseconds(20),
                milliseconds(20),
                true,
                false,
            ),
            ("never ends, not set", None, None, false, false),
            (
                "never ends, was set and has ended",
                milliseconds(10),
                None,
                true,
                true,
            ),
        ];
        for (row, set, limit, timed_out, expected) in rows {
            assert_eq!(must_set(set, limit, timed_out), expected, "{row}");
        }
    }

    /// A write that waited for the peer until the deadline leaves no time to read, although the operation
    /// has read the clock but once until then; and what waited is known.
    #[test]
    fn the_clock_is_read_anew_after_a_long_write() {
        for (length, expected) in [(100, None), (4 << 20, Some("Timeout"))] {
            let (ours, theirs) = Socket::pair(Domain::UNIX, Type::STREAM, None).unwrap();
            let mut wire = Wire::of(ours);
            let now = Instant::now();
            let deadline = Deadline::after(SECOND / 20, now);
            wire.begin(now);
            let peer = std::thread::spawn(move || {
                let mut peer = &theirs;
                let (mut left, mut buffer) = (length, vec![0; 1 << 20]);
                while left > 0 {
                    left -= peer.read(&mut buffer).unwrap().min(left);
                }
                io::Write::write_all(&mut peer, b"reply").unwrap();
                // Time passes until the deadline is over.
                while deadline.remaining(Instant::now()).is_ok() {
                    std::thread::yield_now();
                }
                theirs
            });
            let request = vec![0; length];
            let mut sent = 0;
            while sent < length {
                let part = [IoSlice::new(&request[sent..])];
                let long = Deadline::after(20 * SECOND, now);
                sent += wire.write(&part, long, Wait::UntilDeadline).unwrap();
            }
            let _theirs = peer.join().unwrap();
            let mut buffer = [0; 5];
            let read = wire.read(
                &mut [IoSliceMut::new(&mut buffer)],
                deadline,
                Wait::UntilDeadline,
            );
            let fault = read.err().map(|fault| format!("{fault:?}"));
            assert_eq!(fault.as_deref(), expected, "{length} bytes");
        }
    }

    /// What the caller does with its time is not waited for the peer.
    #[test]
    fn what_is_waited_for_the_peer() {
        let (ours, _theirs) = Socket::pair(Domain::UNIX, Type::STREAM, None).unwrap();
        let mut wire = Wire::of(ours);
        let now = Instant::now();
        let mut buffer = [0; 5];
        let mut read = |wire: &mut Wire, deadline, wait| {
            let mut parts = [IoSliceMut::new(&mut buffer)];
            wire.read(&mut parts, deadline, wait)
        };
        wire.begin(now);
        assert_eq!(wire.waited(), Duration::ZERO);
        // The deadline is long over, and was so before the server had a chance.
        let over = Deadline::after(SECOND, now.checked_sub(2 * SECOND).unwrap());
        wire.begin(now);
        assert!(read(&mut wire, over, Wait::UntilDeadline).is_err());
        assert_eq!(wire.waited(), Duration::ZERO);
        // Looks that are far apart.
        let long = Deadline::after(20 * SECOND, now);
        wire.begin(now);
        for _ in 0..3 {
            assert_eq!(read(&mut wire, long, Wait::No).unwrap(), 0);
            let since = Instant::now();
            while since.elapsed() < 3 * TICK {
                std::thread::yield_now();
            }
        }
        assert_eq!(wire.waited(), 2 * TICK);
        // Nothing else was done.
        wire.begin(now);
        let soon = Deadline::after(SECOND / 5, Instant::now());
        assert!(read(&mut wire, soon, Wait::UntilDeadline).is_err());
        assert!(wire.waited() >= SECOND / 10, "{:?}", wire.waited());
    }
}
