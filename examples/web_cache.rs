//! A synchronous web service with a cache before a slow database.
//!
//! ```console
//! $ cargo run --example web_cache
//! $ curl http://127.0.0.1:8080/users/7    # 100 ms, and then less than 1 ms for a minute
//! $ curl http://127.0.0.1:8080/metrics    # for Prometheus
//! ```
//!
//! `MEMCACHED_SERVERS` names the servers, separated by commas; without it, the program starts an embedded one.
//! `--port 0` takes a free port.

use moecache::cache::Cache;
use moecache::{Client, testing};
use std::error::Error;
use std::fmt::Write;
use std::thread;
use std::time::Duration;
use tiny_http::{Response, Server};

const THREADS: usize = 8;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<String> = std::env::args().collect();
    let port = match &arguments[1..] {
        [] => "8080",
        [option, port] if option == "--port" => port,
        _ => return Err("usage: web_cache [--port PORT]".into()),
    };
    let embedded = testing::Server::start()?;
    let client = match std::env::var("MEMCACHED_SERVERS") {
        Ok(servers) => Client::new(servers.split(',').collect::<Vec<_>>())?,
        Err(_) => Client::new(&embedded)?,
    };
    // While memcached is down, the cache misses, and the database answers.
    let client = client.with_timeout(Duration::from_millis(100));
    let cache = Cache::new(client.clone()).default_lifetime(Duration::from_secs(60));

    let server = Server::http(format!("127.0.0.1:{port}"))?;
    println!("listening on http://{}", server.server_addr());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Ok(request) = server.recv() {
                    let (status, body) = answer(request.url(), &cache, &client);
                    // A browser that is gone by now is no error of ours.
                    let _ = request.respond(Response::from_string(body).with_status_code(status));
                }
            });
        }
    });
    Ok(())
}

fn answer(url: &str, cache: &Cache, client: &Client) -> (u16, String) {
    if url == "/metrics" {
        return (200, metrics(client));
    }
    let Some(Ok(id)) = url.strip_prefix("/users/").map(str::parse) else {
        return (404, "try /users/7 or /metrics\n".to_owned());
    };
    // All threads, and all processes that share the servers, wait for the one that asks the database.
    match cache.get_or_set(("user", id), || load_user(id)) {
        Ok(user) => (200, user),
        Err(error) => (500, format!("{error:#}\n")),
    }
}

/// The slow database.
fn load_user(id: u32) -> String {
    thread::sleep(Duration::from_millis(100));
    format!("user {id}\n")
}

fn metrics(client: &Client) -> String {
    let mut page = String::new();
    for server in client.metrics() {
        let (name, errors) = (&server.server, server.errors.total());
        for (metric, count) in [("hits", server.hits), ("misses", server.misses), ("errors", errors)] {
            // Writing to a string cannot fail.
            let _ = writeln!(page, "memcached_{metric}_total{{server=\"{name}\"}} {count}");
        }
    }
    page
}
