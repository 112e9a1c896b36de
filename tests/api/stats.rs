//! `stats`: every recorded transcript, every argument on a real server, and a fleet with holes in it.

use crate::support;

use moecache::{Client, Stats};
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;
use support::scripted::{accept, answer, scripted};
use support::{Memcached, reserve};

/// How long a server that is there may take, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// What memcached 1.6.18 answered, and what is to come of it: how many entries, and some of them.
/// `Err` holds the server's own words.
type Row = (
    &'static str,
    Result<(usize, &'static [(&'static str, &'static str)]), &'static str>,
);

const USAGE: &str = "CLIENT_ERROR usage: stats detail on|off|dump";

const ROWS: &[Row] = &[
    (
        "stats",
        Ok((
            92,
            &[
                ("version", "1.6.18"),
                ("cmd_get", "120"),
                ("lru_bumps_dropped", "0"),
            ],
        )),
    ),
    (
        "stats_after_reset",
        Ok((92, &[("cmd_get", "0"), ("total_connections", "1")])),
    ),
    ("stats_bogus", Err("ERROR")),
    (
        "stats_cachedump",
        Ok((
            2,
            &[("user:17", "[2024 b; 0 s]"), ("user:16", "[1793 b; 0 s]")],
        )),
    ),
    ("stats_cachedump_bad", Err("CLIENT_ERROR bad command line")),
    (
        "stats_conns",
        Ok((
            15,
            &[
                ("23:addr", "tcp:127.0.0.1:38810"),
                ("22:state", "conn_listening"),
            ],
        )),
    ),
    ("stats_detail_bogus", Err(USAGE)),
    (
        "stats_detail_dump",
        Ok((3, &[("user", "get 32 hit 32 set 32 del 5")])),
    ),
    ("stats_detail_dump_off_empty", Ok((0, &[]))),
    ("stats_detail_noarg", Err(USAGE)),
    ("stats_detail_off", Ok((0, &[]))),
    ("stats_detail_on", Ok((0, &[]))),
    ("stats_dump", Err("ERROR")),
    ("stats_extstore", Ok((0, &[]))),
    ("stats_items", Ok((644, &[("items:1:number", "2")]))),
    ("stats_items_empty", Ok((0, &[]))),
    ("stats_long_arg", Err("ERROR")),
    ("stats_maps", Err("ERROR")),
    ("stats_noreply", Err("ERROR")),
    ("stats_proxy", Err("ERROR")),
    ("stats_reset", Ok((0, &[]))),
    (
        "stats_settings",
        Ok((
            76,
            &[
                ("maxbytes", "67108864"),
                ("domain_socket", "NULL"),
                ("stat_key_prefix", ":"),
            ],
        )),
    ),
    ("stats_sizes", Ok((50, &[("96", "2")]))),
    (
        "stats_sizes_after_disable",
        Ok((1, &[("sizes_status", "disabled")])),
    ),
    (
        "stats_sizes_disable",
        Ok((1, &[("sizes_status", "disabled")])),
    ),
    (
        "stats_sizes_disabled",
        Ok((1, &[("sizes_status", "disabled")])),
    ),
    (
        "stats_sizes_enable",
        Ok((1, &[("sizes_status", "enabled")])),
    ),
    ("stats_slabs", Ok((362, &[("1:chunk_size", "96")]))),
    (
        "stats_slabs_empty",
        Ok((2, &[("active_slabs", "0"), ("total_malloced", "0")])),
    ),
    ("stats_threads", Err("ERROR")),
    ("stats_two_spaces", Ok((76, &[("maxbytes", "67108864")]))),
    ("stats_uppercase", Err("ERROR")),
    (
        "unix_socket_with_space_stats_conns",
        Ok((
            7,
            &[
                ("22:addr", "unix:/srv/moecache/run/open/my "),
                ("23:addr", "?:<AF 0>"),
                (
                    "23:listen_addr",
                    "unix:/srv/moecache/run/open/my dir/mem cached.sock",
                ),
            ],
        )),
    ),
    (
        "unix_socket_with_space_stats_settings",
        Ok((
            76,
            &[
                (
                    "domain_socket",
                    "/srv/moecache/run/open/my dir/mem cached.sock",
                ),
                ("inter", "NULL"),
            ],
        )),
    ),
];

#[test]
fn every_transcript() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/stats");
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        ROWS.len(),
        "a transcript without a row"
    );
    for (name, expected) in ROWS {
        let reply = fs::read(folder.join(format!("{name}.txt"))).unwrap();
        // What follows `stats` on the line decides when a reply ends.
        let arguments = match *name {
            "stats_sizes_enable" => "sizes_enable",
            "stats_sizes_disable" => "sizes_disable",
            _ => "",
        };
        let (address, server) = scripted(move |listener| answer(&mut accept(listener), &reply));
        let stats = Client::new(address)
            .unwrap()
            .stats_of(arguments)
            .unwrap()
            .remove(0);
        server.join().unwrap();
        assert_eq!(stats.server, address.to_string());
        match (stats.result, expected) {
            (Ok(stats), Ok((count, entries))) => {
                assert_eq!(stats.len(), *count, "{name}");
                for (entry, value) in *entries {
                    assert_eq!(stats.get(entry), Some(*value), "{name}: {entry}");
                }
            }
            (Err(error), Err(words)) => {
                assert!(error.is_server(), "{name}: {error:?}");
                assert!(
                    error.to_string().ends_with(&format!("\"{words}\"")),
                    "{name}: {error}"
                );
            }
            (result, expected) => panic!("{name}: {result:?} instead of {expected:?}"),
        }
    }
}

/// Some are errors, some change the server, and two have a reply without an end; none may hang, and
/// whatever comes of them, the client stays in step.
#[test]
fn every_argument_on_a_real_server() {
    let server = Memcached::start();
    let client = Client::new(server.address())
        .unwrap()
        .with_timeout(Duration::from_secs(10));
    client.set("user:1", "value", 0).unwrap();
    let arguments = [
        "",
        "settings",
        "items",
        "slabs",
        "sizes",
        "conns",
        "extstore",
        "threads",
        "proxy",
        "maps",
        "detail",
        "detail on",
        "detail dump",
        "detail off",
        "detail dump",
        "detail bogus",
        "sizes_enable",
        "sizes",
        "sizes_disable",
        "sizes",
        "cachedump 1 10",
        "cachedump x",
        "cachedump",
        "reset",
        "dump",
        "noreply",
        " settings",
        "  ",
        "SETTINGS",
        "bogus",
        "bogus noreply",
        "sizes_enable x",
        " sizes_disable",
        "malloc",
    ];
    for arguments in arguments {
        let stats = client.stats_of(arguments).unwrap().remove(0);
        if let Err(error) = stats.result {
            assert!(error.is_server(), "{arguments:?}: {error:?}");
        }
        let value = client.get::<String>("user:1").unwrap();
        assert_eq!(value.as_deref(), Some("value"), "after {arguments:?}");
    }
}

#[test]
fn a_fleet_with_holes() {
    let up = [Memcached::start(), Memcached::start()];
    let reserved = reserve().unwrap();
    let refusing = reserved.local_addr().unwrap().as_socket().unwrap();
    let (closing, server) = scripted(|listener| (0..2).for_each(|_| drop(accept(listener))));
    let servers = [refusing, up[0].address(), closing, up[1].address()];
    let client = Client::new(servers).unwrap().with_timeout(PATIENCE);
    for server in [&up[0], &up[1], &up[1]] {
        let alone = Client::new(server.address())
            .unwrap()
            .with_timeout(PATIENCE);
        alone.set("key", "value", 0).unwrap();
        alone.get::<String>("key").unwrap();
    }

    let stats = client.stats().unwrap();
    let names: Vec<_> = stats.iter().map(|server| server.server.clone()).collect();
    assert_eq!(
        names,
        servers.map(|server| server.to_string()),
        "in list order"
    );
    assert!(stats[0].result.as_ref().unwrap_err().is_connect());
    assert!(stats[2].result.as_ref().unwrap_err().is_io());
    assert_eq!(
        stats[2].result.as_ref().unwrap_err().operation(),
        Some("stats")
    );
    assert_eq!(stats[1].result.as_ref().unwrap().curr_items(), Some(1));

    let total = Stats::total(
        stats
            .iter()
            .filter_map(|server| server.result.as_ref().ok()),
    );
    assert_eq!(total.curr_items(), Some(2));
    assert_eq!(total.cmd_set(), Some(3));
    assert_eq!((total.get_hits(), total.get_misses()), (Some(3), Some(0)));
    assert_eq!(total.hit_ratio(), Some(1.0));
    assert_eq!((total.version(), total.uptime()), (None, None));

    let pinged: Vec<_> = client
        .ping()
        .into_iter()
        .map(|server| server.result.is_ok())
        .collect();
    assert_eq!(pinged, [false, true, false, true]);
    server.join().unwrap();
}

/// They are asked at the same time: the first takes all of its own, and none of the others'.
#[test]
fn a_silent_server_costs_the_others_nothing() {
    let silent = [
        TcpListener::bind("127.0.0.1:0").unwrap(),
        TcpListener::bind("127.0.0.1:0").unwrap(),
    ];
    let up = Memcached::start();
    let [first, last] = silent
        .each_ref()
        .map(|listener| listener.local_addr().unwrap());
    let client = Client::new([first, up.address(), last]).unwrap();
    let stats = client.with_timeout(Duration::from_secs(2)).stats().unwrap();
    assert!(stats[0].result.as_ref().unwrap_err().is_timeout());
    assert!(stats[1].result.is_ok());
    assert!(stats[2].result.as_ref().unwrap_err().is_timeout());
}

/// A server that does not know `version` is alive all the same.
#[test]
fn a_ping_needs_no_version() {
    let (address, server) = scripted(|listener| answer(&mut accept(listener), b"ERROR\r\n"));
    assert!(
        Client::new(address)
            .unwrap()
            .ping()
            .remove(0)
            .result
            .is_ok()
    );
    server.join().unwrap();
}

#[test]
fn an_endless_reply_is_cut_off() {
    let long = [b"STAT name ", &[b'x'; 2000][..], b"\r\n"].concat();
    for line in [long, b"STAT a b\r\n".to_vec(), b"STAT \r\n".to_vec()] {
        let lines = line.repeat(1 + 100_000 / line.len());
        let (address, server) = scripted(move |listener| {
            let mut connection = accept(listener);
            while connection.write_all(&lines).is_ok() {}
        });
        let client = Client::new(address).unwrap().with_timeout(Duration::MAX);
        let error = client.stats().unwrap().remove(0).result.unwrap_err();
        assert!(error.is_protocol(), "{error:?}");
        server.join().unwrap();
    }
}
