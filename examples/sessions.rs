//! Sessions in memcached: each read renews the TTL, and two requests of one session at the same time lose
//! nothing.
//!
//! ```console
//! $ cargo run --example sessions
//! ```
//!
//! `MEMCACHED_SERVERS` names the servers, separated by commas; without it, the program starts an embedded one.

use moecache::{Client, testing};
use serde::{Deserialize, Serialize};
use std::collections::hash_map::RandomState;
use std::error::Error;
use std::hash::{BuildHasher, Hasher};
use std::thread;
use std::time::Duration;

const TTL: Duration = Duration::from_secs(30 * 60);

#[derive(Debug, Default, Serialize, Deserialize)]
struct Session {
    user: String,
    cart: Vec<String>,
}

struct Sessions(Client);

impl Sessions {
    fn new(client: &Client) -> Self {
        Self(client.with_prefix("session:").expect("a short prefix"))
    }

    /// Starts a session, and returns its id.
    fn log_in(&self, user: &str) -> moecache::Result<String> {
        let id = new_id();
        let session = Session {
            user: user.to_owned(),
            ..Session::default()
        };
        self.0.set(&id, session, TTL)?;
        Ok(id)
    }

    /// Reads a session, and renews its TTL in the same round trip.
    fn get(&self, id: &str) -> moecache::Result<Option<Session>> {
        self.0.get_and_touch(id, TTL)
    }

    /// Changes a session. If another request changes it meanwhile, `change` runs again on the new one.
    fn change(&self, id: &str, change: impl Fn(&mut Session)) -> moecache::Result<Session> {
        self.0.update(id, TTL, |session: Option<Session>| {
            let mut session = session.unwrap_or_default();
            change(&mut session);
            session
        })
    }

    fn log_out(&self, id: &str) -> moecache::Result<bool> {
        self.0.delete(id)
    }
}

/// 128 random bits. A program that has the crate `getrandom` or `rand` takes those.
fn new_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

fn main() -> Result<(), Box<dyn Error>> {
    let embedded = testing::Server::start()?;
    let client = match std::env::var("MEMCACHED_SERVERS") {
        Ok(servers) => Client::new(servers.split(',').collect::<Vec<_>>())?,
        Err(_) => Client::new(&embedded)?,
    };
    let sessions = Sessions::new(&client);
    let id = sessions.log_in("ann")?;
    // Two requests at the same time.
    thread::scope(|scope| {
        for item in ["book", "pen"] {
            let (sessions, id) = (&sessions, &id);
            scope.spawn(move || sessions.change(id, |session| session.cart.push(item.to_owned())));
        }
    });
    println!("{:?}", sessions.get(&id)?);
    println!("logged out: {}", sessions.log_out(&id)?);
    println!("{:?}", sessions.get(&id)?);
    Ok(())
}
