//! A rate limit that any number of processes share: so many requests for each user in each window of time.
//!
//! ```console
//! $ cargo run --example rate_limiter
//! ```
//!
//! `MEMCACHED_SERVERS` names the servers, separated by commas; without it, the program starts an embedded one.

use moecache::{Client, testing};
use std::error::Error;
use std::time::{Duration, SystemTime};

struct RateLimiter {
    client: Client,
    /// The most requests in a window.
    limit: u64,
    window: Duration,
}

impl RateLimiter {
    /// Counts a request, and returns whether it is allowed.
    ///
    /// If memcached cannot be reached, every request is allowed: a limiter should not stop the service that
    /// it protects. Return `Ok(false)` there if the limit matters more.
    fn is_allowed(&self, user: &str) -> moecache::Result<bool> {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let window = since_epoch.unwrap_or_default().as_millis() / self.window.as_millis();
        let key = format!("rate:{user}:{window}");
        // The server counts, so that no request is lost between processes. The counter expires when its window
        // is certainly over.
        match self.client.incr_with_initial(key, 1, 1, self.window * 2) {
            Ok(count) => Ok(count <= self.limit),
            Err(error) if error.is_connect() || error.is_timeout() || error.is_io() => Ok(true),
            Err(error) => Err(error),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let embedded = testing::Server::start()?;
    let client = match std::env::var("MEMCACHED_SERVERS") {
        Ok(servers) => Client::new(servers.split(',').collect::<Vec<_>>())?,
        Err(_) => Client::new(&embedded)?,
    };
    let limiter = RateLimiter {
        client,
        limit: 5,
        window: Duration::from_secs(3600),
    };
    for request in 1..=7 {
        let answer = if limiter.is_allowed("ann")? {
            "allowed"
        } else {
            "refused"
        };
        println!("request {request} of ann: {answer}");
    }
    println!("request 1 of bob: {}", limiter.is_allowed("bob")?);
    Ok(())
}
