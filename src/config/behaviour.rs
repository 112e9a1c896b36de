//! The behaviours of libmemcached, what pylibmc and a configuration string call them, and what each
//! does here. `src/guide/behaviours.md` is the same table for people.

use super::libmemcached::Libmemcached;
use std::time::Duration;

/// Something that can be set in libmemcached.
pub(super) struct Behaviour {
    /// libmemcached's name, without `MEMCACHED_BEHAVIOR_`; empty for what it has no behaviour for.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "for people, and the guide's test")
    )]
    pub(super) name: &'static str,
    /// The name in pylibmc's dictionary, or of its constructor's argument; empty for none.
    pub(super) pylibmc: &'static str,
    /// The option of a configuration string, with `=` if it takes a value; empty for none.
    pub(super) option: &'static str,
    pub(super) effect: Effect,
}

/// What a behaviour does here.
#[derive(Clone, Copy)]
pub(super) enum Effect {
    /// The name of a hash.
    Hash,
    /// The name of a distribution.
    Distribution,
    /// The text that is put before every key.
    Namespace,
    Switch(fn(&mut Libmemcached, bool)),
    /// Milliseconds; below 0 for no limit.
    Millis(fn(&mut Libmemcached, Duration)),
    Count(fn(&mut Libmemcached, usize)),
    /// Nothing, and why. `usual` is the number that asks for what happens anyway; 1 is any but 0.
    None {
        usual: Option<i64>,
        reason: &'static str,
    },
    /// The name of a hash that libmemcached takes and never uses.
    UnusedHash,
    /// Not possible, and why.
    Refused(&'static str),
}

/// As [`Effect::None`], for a switch that is off here, and always.
const fn never(reason: &'static str) -> Effect {
    let usual = Some(0);
    Effect::None { usual, reason }
}

/// As [`Effect::None`], for a switch that is on here, and always.
const fn always(reason: &'static str) -> Effect {
    let usual = Some(1);
    Effect::None { usual, reason }
}

/// As [`Effect::None`], for what there is nothing like here.
const fn nothing(reason: &'static str) -> Effect {
    let usual = None;
    Effect::None { usual, reason }
}

pub(super) const UNUSED_HASH: &str = "libmemcached never uses the hash of the points: they are \
                                      hashed as keys are, or by MD5 if weighted";

const NOT_EJECTED: &str = "a failing server keeps its keys, and its calls fail; \
                           a libmemcached client that ejects it has them elsewhere meanwhile";
const WAITS: &str = "libmemcached sets it on sockets that never block, where it has no effect; \
                     _poll_timeout, POLL_TIMEOUT, is what bounds its waits";
const WATERMARK: &str = "how much is sent before replies are read is chosen so that no call blocks";
const BUFFER_SIZE: &str = "the kernel's own buffer sizes are used; setting them makes it slower";
const ONE_COPY: &str = "each item is written, read and deleted on its own server alone; \
                        copies that others made keep what they have";
const KEEPALIVE: &str = "a connection is looked at before it is used again, and closed after \
                         idle_timeout; a call that gets no answer ends at its timeout";

/// In pylibmc's order, which is the one in which it sets them, whatever that of the dictionary.
pub(super) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        name: "BINARY_PROTOCOL",
        pylibmc: "binary",
        option: "--BINARY-PROTOCOL",
        effect: Effect::Switch(Libmemcached::binary),
    },
    Behaviour {
        name: "",
        pylibmc: "username",
        option: "",
        effect: Effect::Refused(AUTHENTICATION),
    },
    Behaviour {
        name: "",
        pylibmc: "password",
        option: "",
        effect: Effect::Refused(AUTHENTICATION),
    },
    Behaviour {
        name: "NO_BLOCK",
        pylibmc: "no_block",
        option: "",
        effect: never(
            "a call returns when the server has answered; pipelines and the calls for \
                       many keys send without waiting in between",
        ),
    },
    Behaviour {
        name: "TCP_NODELAY",
        pylibmc: "tcp_nodelay",
        option: "--TCP-NODELAY",
        effect: always("it is always on: what is written is sent at once"),
    },
    Behaviour {
        name: "TCP_KEEPALIVE",
        pylibmc: "tcp_keepalive",
        option: "--TCP-KEEPALIVE",
        effect: never(KEEPALIVE),
    },
    Behaviour {
        name: "TCP_KEEPIDLE",
        pylibmc: "",
        option: "--TCP-KEEPIDLE",
        effect: never(KEEPALIVE),
    },
    Behaviour {
        name: "HASH",
        pylibmc: "hash",
        option: "--HASH=",
        effect: Effect::Hash,
    },
    Behaviour {
        name: "KETAMA_HASH",
        pylibmc: "ketama_hash",
        option: "",
        effect: Effect::UnusedHash,
    },
    Behaviour {
        name: "KETAMA",
        pylibmc: "ketama",
        option: "",
        effect: Effect::Switch(Libmemcached::ketama),
    },
    Behaviour {
        name: "KETAMA_WEIGHTED",
        pylibmc: "ketama_weighted",
        option: "",
        effect: Effect::Switch(Libmemcached::ketama_weighted),
    },
    Behaviour {
        name: "DISTRIBUTION",
        pylibmc: "distribution",
        option: "--DISTRIBUTION=",
        effect: Effect::Distribution,
    },
    Behaviour {
        name: "SUPPORT_CAS",
        pylibmc: "cas",
        option: "--SUPPORT-CAS",
        effect: always("it is always on: gets and compare_and_swap need no setting"),
    },
    Behaviour {
        name: "BUFFER_REQUESTS",
        pylibmc: "buffer_requests",
        option: "--BUFFER-REQUESTS",
        effect: never(
            "nothing is held back: a call returns when the server has answered; to send \
                       much at once, use a pipeline or the calls for many keys",
        ),
    },
    Behaviour {
        name: "VERIFY_KEY",
        pylibmc: "verify_keys",
        option: "--VERIFY-KEY",
        effect: always(
            "keys are always checked: a server may run what follows a bad one as \
                        commands",
        ),
    },
    Behaviour {
        name: "CONNECT_TIMEOUT",
        pylibmc: "connect_timeout",
        option: "--CONNECT-TIMEOUT=",
        effect: Effect::Millis(Libmemcached::connect_timeout),
    },
    Behaviour {
        name: "SND_TIMEOUT",
        pylibmc: "send_timeout",
        option: "--SND-TIMEOUT=",
        effect: never(WAITS),
    },
    Behaviour {
        name: "RCV_TIMEOUT",
        pylibmc: "receive_timeout",
        option: "--RCV-TIMEOUT=",
        effect: never(WAITS),
    },
    Behaviour {
        name: "NUMBER_OF_REPLICAS",
        pylibmc: "num_replicas",
        option: "--NUMBER-OF-REPLICAS=",
        effect: never(ONE_COPY),
    },
    Behaviour {
        name: "RANDOMIZE_REPLICA_READ",
        pylibmc: "",
        option: "--RANDOMIZE-REPLICA-READ",
        effect: never(ONE_COPY),
    },
    Behaviour {
        name: "AUTO_EJECT_HOSTS",
        pylibmc: "auto_eject",
        option: "",
        effect: never(NOT_EJECTED),
    },
    Behaviour {
        name: "RETRY_TIMEOUT",
        pylibmc: "retry_timeout",
        option: "--RETRY-TIMEOUT=",
        effect: never("a server that failed is asked again by the next call"),
    },
    Behaviour {
        name: "REMOVE_FAILED_SERVERS",
        pylibmc: "remove_failed",
        option: "--REMOVE-FAILED-SERVERS=",
        effect: never(NOT_EJECTED),
    },
    Behaviour {
        name: "SERVER_FAILURE_LIMIT",
        pylibmc: "failure_limit",
        option: "",
        effect: nothing(NOT_EJECTED),
    },
    Behaviour {
        name: "DEAD_TIMEOUT",
        pylibmc: "dead_timeout",
        option: "",
        effect: never(NOT_EJECTED),
    },
    Behaviour {
        name: "IO_MSG_WATERMARK",
        pylibmc: "_io_msg_watermark",
        option: "--IO-MSG-WATERMARK=",
        effect: nothing(WATERMARK),
    },
    Behaviour {
        name: "IO_BYTES_WATERMARK",
        pylibmc: "_io_bytes_watermark",
        option: "--IO-BYTES-WATERMARK=",
        effect: nothing(WATERMARK),
    },
    Behaviour {
        name: "IO_KEY_PREFETCH",
        pylibmc: "_io_key_prefetch",
        option: "--IO-KEY-PREFETCH=",
        effect: never(WATERMARK),
    },
    Behaviour {
        name: "HASH_WITH_PREFIX_KEY",
        pylibmc: "_hash_with_prefix_key",
        option: "--HASH-WITH-NAMESPACE",
        effect: Effect::Switch(Libmemcached::hash_with_namespace),
    },
    Behaviour {
        name: "NOREPLY",
        pylibmc: "_noreply",
        option: "--NOREPLY",
        effect: never("every command is answered, and a call says what the server said"),
    },
    Behaviour {
        name: "USE_UDP",
        pylibmc: "",
        option: "--USE-UDP",
        effect: never(
            "all goes over TCP, to the same host and port, where the server must listen \
                       too; every command is answered",
        ),
    },
    Behaviour {
        name: "SORT_HOSTS",
        pylibmc: "_sort_hosts",
        option: "--SORT-HOSTS",
        effect: Effect::Switch(Libmemcached::sort_hosts),
    },
    Behaviour {
        name: "POLL_TIMEOUT",
        pylibmc: "_poll_timeout",
        option: "--POLL-TIMEOUT=",
        effect: Effect::Millis(Libmemcached::poll_timeout),
    },
    Behaviour {
        name: "SOCKET_SEND_SIZE",
        pylibmc: "_socket_send_size",
        option: "--SOCKET-SEND-SIZE=",
        effect: never(BUFFER_SIZE),
    },
    Behaviour {
        name: "SOCKET_RECV_SIZE",
        pylibmc: "_socket_recv_size",
        option: "--SOCKET-RECV-SIZE=",
        effect: never(BUFFER_SIZE),
    },
    Behaviour {
        name: "USER_DATA",
        pylibmc: "",
        option: "--USER-DATA",
        effect: nothing("nor has it any in libmemcached"),
    },
    Behaviour {
        name: "",
        pylibmc: "",
        option: "--FETCH-VERSION",
        effect: nothing("a server's version is asked for where it matters, with protocol auto"),
    },
    Behaviour {
        name: "",
        pylibmc: "",
        option: "--POOL-MIN=",
        effect: Effect::Count(Libmemcached::pool_min),
    },
    Behaviour {
        name: "",
        pylibmc: "",
        option: "--POOL-MAX=",
        effect: Effect::Count(Libmemcached::pool_max),
    },
    Behaviour {
        name: "",
        pylibmc: "",
        option: "--CONFIGURE-FILE=",
        effect: Effect::Refused(FILES),
    },
    Behaviour {
        name: "",
        pylibmc: "pickle_protocol",
        option: "",
        effect: Effect::None {
            usual: Some(2),
            reason: "pickles are written in protocol 2, and read in any, with the feature pickle",
        },
    },
    // A callback; pylibmc sets it last.
    Behaviour {
        name: "",
        pylibmc: "namespace",
        option: "--NAMESPACE=",
        effect: Effect::Namespace,
    },
];

const AUTHENTICATION: &str = "authentication (SASL) is not supported";

pub(super) const FILES: &str = "a text must not make a program read files; read the file, and give \
                                what is in it";

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_guide_lists_them_all_and_no_others() {
        let guide = include_str!("../guide/behaviours.md");
        let rows = guide.lines().filter(|line| line.starts_with("| "));
        let listed: Vec<Vec<&str>> = rows
            .skip(1)
            .map(|row| {
                let cells = row.split('|').skip(1).take(3);
                cells.map(|cell| cell.trim().trim_matches('`')).collect()
            })
            .collect();
        let known: BTreeSet<Vec<&str>> = BEHAVIOURS
            .iter()
            .map(|behaviour| vec![behaviour.name, behaviour.pylibmc, behaviour.option])
            .collect();
        assert_eq!(listed.len(), BEHAVIOURS.len());
        assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), known);
    }
}
