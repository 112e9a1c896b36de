use super::fault::Fault;
use super::frame::{Exchange, Wire};
use super::script::{Doomed, Script, Ticket};
use socket2::SockRef;
use std::io::{self, ErrorKind, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Duration;

/// How long a connection idles before stray bytes come.
const IDLE: Duration = Duration::from_millis(3);

/// Between the pieces of a reply, so that the client sees each by itself.
const MOMENT: Duration = Duration::from_millis(1);

/// How much of an endless line is sent to a client that takes all of it.
const ENDLESS: usize = 16 << 20;

/// Serves one connection to its end. An error of the kind `Other` is one that should not be: the
/// client may go at any time, and the server may not.
pub(super) fn serve(
    script: &Script,
    session: u64,
    client: &Arc<TcpStream>,
    fault: Option<&Fault>,
) -> io::Result<()> {
    match fault {
        Some(Fault::AcceptAndClose) => return Ok(()),
        Some(Fault::TooManyConnections) => {
            (&**client).write_all(b"ERROR Too many open connections\r\n")?;
            return client.shutdown(Shutdown::Both);
        }
        Some(_) => return swallow(&mut Wire::new(Arc::clone(client))),
        None => {}
    }
    client.set_nodelay(true)?;
    let server = TcpStream::connect(script.upstream);
    let server = Arc::new(server.map_err(|error| wrong("cannot connect to the server", &error))?);
    server.set_nodelay(true)?;
    script.set_server(session, &server);
    let mut serving = Serving {
        script,
        session,
        client: Wire::new(Arc::clone(client)),
        server: Wire::new(server),
        stray: None,
    };
    while serving.exchange()? {}
    Ok(())
}

struct Serving<'s> {
    script: &'s Script,
    session: u64,
    client: Wire,
    server: Wire,
    /// Bytes to come once the connection idles.
    stray: Option<Vec<u8>>,
}

impl Serving<'_> {
    /// One exchange; whether another may follow.
    fn exchange(&mut self) -> io::Result<bool> {
        self.idle()?;
        let exchange = Exchange::read(&mut self.client)?;
        let Ok(fault) = self.script.begin(self.session) else {
            return Ok(false);
        };
        let goes_on = self.answer(&exchange, fault)?;
        let Err(Doomed) = self.script.end(self.session) else {
            return Ok(goes_on);
        };
        Ok(false)
    }

    /// Waits for a request; there may be stray bytes first.
    fn idle(&mut self) -> io::Result<()> {
        let Some(stray) = self.stray.take() else {
            return Ok(());
        };
        if self.client.has_begun() {
            return Ok(());
        }
        self.client.stream.set_read_timeout(Some(IDLE))?;
        let filled = self.client.fill();
        self.client.stream.set_read_timeout(None)?;
        match filled {
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.send(&stray),
            filled => filled,
        }
    }

    fn answer(&mut self, exchange: &Exchange, fault: Option<Fault>) -> io::Result<bool> {
        let ticket = self.script.ticket();
        // What happens before the server is asked.
        match &fault {
            Some(fault @ Fault::Hangup) => {
                self.script.commit(fault);
                return Ok(false);
            }
            Some(fault @ Fault::SwallowRequest) => {
                self.script.commit(fault);
                return self.swallow();
            }
            Some(fault @ Fault::DelayRequest(delay)) => {
                self.script.commit(fault);
                self.script.pause(*delay, ticket);
            }
            _ => {}
        }
        (&*self.server.stream).write_all(&exchange.bytes)?;
        let reply = exchange.reply(&mut self.server);
        let reply = reply.map_err(|error| wrong("no whole reply of the server", &error))?;
        let goes_on = match fault {
            None | Some(Fault::DelayRequest(_)) => self.send(&reply).map(|()| true),
            Some(fault) if is_lie(&fault) => {
                let forged = self.script.forge(self.session, fault, exchange, &reply);
                self.send(forged.as_ref().unwrap_or(&reply)).map(|()| true)
            }
            Some(fault) => {
                self.script.commit(&fault);
                self.commit(fault, &reply, ticket)
            }
        };
        self.script.remember(self.session, exchange, &reply);
        goes_on
    }

    /// Sends a reply, with a fault that is not a lie about it; whether the connection goes on.
    fn commit(&mut self, fault: Fault, reply: &[u8], ticket: Ticket) -> io::Result<bool> {
        match fault {
            Fault::Delay(delay) => {
                self.script.pause(delay, ticket);
                self.send(reply)?;
            }
            Fault::Drip(pause) => {
                for byte in reply {
                    self.script.pause(pause, ticket);
                    self.send(&[*byte])?;
                }
            }
            Fault::Chunks(lengths) => {
                let mut rest = reply;
                for length in lengths {
                    let (piece, after) = rest.split_at(length.min(rest.len()));
                    self.send(piece)?;
                    rest = after;
                    self.script.pause(MOMENT, ticket);
                }
                self.send(rest)?;
            }
            Fault::Cut { after } => {
                self.send(&reply[..after.min(reply.len())])?;
                return Ok(false);
            }
            Fault::Reset { after } => {
                self.send(&reply[..after.min(reply.len())])?;
                // What is closed with nothing to linger for is reset.
                SockRef::from(&*self.client.stream).set_linger(Some(Duration::ZERO))?;
                return Ok(false);
            }
            Fault::Stall { after } => {
                // Not the last byte: then nothing would be wrong.
                self.send(&reply[..after.min(reply.len() - 1)])?;
                return self.swallow();
            }
            Fault::SwallowReply => return self.swallow(),
            Fault::Refuse(pause) => {
                self.send(reply)?;
                self.script.refuse_for(pause);
            }
            Fault::EndlessLine => {
                self.send(b"VALUE ")?;
                for _ in 0..ENDLESS / 4096 {
                    self.send(&[b'a'; 4096])?;
                }
                return Ok(false);
            }
            Fault::Stray(bytes) => {
                self.send(reply)?;
                self.stray = Some(bytes);
            }
            _ => self.send(reply)?,
        }
        Ok(true)
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        (&*self.client.stream).write_all(bytes)
    }

    /// Nothing comes back any more, until the client hangs up.
    fn swallow(&mut self) -> io::Result<bool> {
        // The server has nothing under way: it may be closed at any time.
        let _ = self.script.end(self.session);
        swallow(&mut self.client)?;
        Ok(false)
    }
}

fn wrong(what: &str, error: &io::Error) -> io::Error {
    io::Error::other(format!("{what}: {error}"))
}

/// Reads until the client hangs up.
fn swallow(client: &mut Wire) -> io::Result<()> {
    loop {
        client.fill()?;
        client.discard();
    }
}

/// Whether the reply is made another one.
fn is_lie(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::ReplayOwn
            | Fault::ReplayOther
            | Fault::ForgedKey
            | Fault::ForgedOpaque
            | Fault::ForgedCommand
            | Fault::Doubled
            | Fault::NoLineEnd
            | Fault::Truncated
            | Fault::BadLength(_)
            | Fault::Garbage(_)
            | Fault::Surplus(_)
    )
}
