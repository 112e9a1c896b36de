use super::Client;
use super::call;
use super::command::{Ask, Call};
use crate::conn::Deadline;
use crate::error::{Error, Result};
use crate::key::{Key, Scratch};
use crate::meta_options::Wanted;
use crate::protocol::{DeleteOptions, Dialect, GetOptions, Reply, Request};
use std::time::Instant;

/// # One key: whether it is there
impl Client {
    /// Whether `key` is there. What it holds is not looked at, and its expiry stays as it is.
    ///
    /// In the meta protocol the value is not sent. Text and binary have no such question: there it is
    /// a `get`, whose value travels and is thrown away. So where the value is wanted when it is there,
    /// `get` alone is cheaper than both. In each, the server counts it as a hit or a miss, and as a use
    /// of the item.
    ///
    /// An item that is [marked as stale](crate::MetaDelete::invalidate) has one winner among those who
    /// ask with `mg`, and this call does not want to be it: it hands the win back with a second request,
    /// by which the item gets a new cas id.
    ///
    /// The answer is old when it comes: the item may expire, or somebody may remove it. To store what
    /// is not there, [`add`](Self::add) asks and stores in one.
    ///
    /// ```
    /// # let server = moecache::testing::Server::start()?;
    /// # let client = moecache::Client::new(&server)?;
    /// client.set("picture", vec![0x89_u8; 100_000], 60)?;
    /// assert!(client.contains("picture")?);
    /// assert!(!client.contains("pictures")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// None of its own. Where the value travels, one over
    /// [`max_read_size`](crate::ClientBuilder::max_read_size) is a protocol error.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        let spoken = self.shared.options.protocol.dialect();
        if matches!(spoken, Some(Dialect::Text | Dialect::Binary)) {
            return self.run(key.as_ref(), &contains());
        }
        let there = || {
            let mut scratch = Scratch::default();
            self.is_there(self.key(key.as_ref(), &mut scratch)?)
        };
        there().map_err(|error: Error| error.during("contains"))
    }

    fn is_there(&self, key: Key<'_>) -> Result<bool> {
        let deadline = self.deadline();
        let get = contains().command;
        let get = get.request(self, key)?;
        let ask = Request::MetaGet {
            key,
            // What handing back a win needs.
            options: GetOptions {
                wanted: Wanted::NONE.with(b'c'),
                ..GetOptions::default()
            },
        };
        let mut won = None;
        let asked = self.exchange(key, &ask, deadline, |reply| {
            if let Reply::Hit(hit) = &reply {
                won = hit.cas.filter(|_| hit.details.won && hit.details.stale);
            }
            there(reply)
        });
        if let Some(cas) = won {
            self.hand_back(key, cas, deadline.restarted(Instant::now()));
        }
        match asked {
            // The server turned out to be one that is spoken to in text.
            Err(error) if error.is_unsupported() => {
                self.exchange(key, &get, deadline.restarted(Instant::now()), there)
            }
            // A meta command fails under every policy, but this is none to the caller.
            Err(error) => {
                let topology = self.shared.topology();
                let backend = topology.backend_of(key)?;
                there(call::accept(Err(error), self.policy, &get, backend)?)
            }
            found => found,
        }
    }

    /// Marks the item as stale once more, so that another can win it, unless it has changed since.
    fn hand_back(&self, key: Key<'_>, cas: u64, deadline: Deadline) {
        let mark = Request::MetaDelete {
            key,
            options: DeleteOptions {
                cas: Some(cas),
                invalidate: true,
                ..DeleteOptions::default()
            },
        };
        // If that fails, the win is lost, as it is with a client that dies. The call has its answer.
        let _ = self.steps().exchange(key, &mark, deadline, |_| Ok(()));
    }
}

/// By a get, whose value is thrown away: it wins nothing in a pipeline.
pub(super) fn contains() -> Call<'static, bool> {
    let ask = Ask::Get { cas: false };
    Call::new("contains", ask, |_, _, reply| there(reply))
}

fn there(reply: Reply<'_>) -> Result<bool> {
    Ok(call::item(reply)?.is_some())
}
