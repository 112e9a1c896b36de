//! The behaviours of libmemcached, what pylibmc and a configuration string call them, and what each
//! does here. `src/guide/behaviours.md` is the same table for people.

use super::libmemcached::Libmemcached;
use Effect::{
    Count, Distribution, Hash, Millis, Namespace, Nothing, Password, Refused, Switch, UnusedHash,
    Username,
};
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
    /// Who the client is, for servers with SASL.
    Username,
    Password,
    /// The text that is put before every key.
    Namespace,
    Switch(fn(&mut Libmemcached, bool)),
    /// Milliseconds; below 0 for no limit.
    Millis(fn(&mut Libmemcached, Duration)),
    Count(fn(&mut Libmemcached, usize)),
    /// None, and why. `usual` is the number that asks for what happens anyway; 1 is any but 0.
    Nothing {
        usual: Option<i64>,
        reason: &'static str,
    },
    /// The name of a hash that libmemcached takes and never uses.
    UnusedHash,
    /// Not possible, and why.
    Refused(&'static str),
}

/// In pylibmc's order, which is the one in which it sets them, whatever that of the dictionary.
#[rustfmt::skip]
pub(super) const BEHAVIOURS: &[Behaviour] = &[
    row("BINARY_PROTOCOL", "binary", "--BINARY-PROTOCOL", Switch(Libmemcached::binary)),
    row("", "username", "", Username),
    row("", "password", "", Password),
    row("NO_BLOCK", "no_block", "", never(NO_BLOCK)),
    row("TCP_NODELAY", "tcp_nodelay", "--TCP-NODELAY", Switch(Libmemcached::tcp_nodelay)),
    row("TCP_KEEPALIVE", "tcp_keepalive", "--TCP-KEEPALIVE", never(KEEPALIVE)),
    row("TCP_KEEPIDLE", "", "--TCP-KEEPIDLE", never(KEEPALIVE)),
    row("HASH", "hash", "--HASH=", Hash),
    row("KETAMA_HASH", "ketama_hash", "", UnusedHash),
    row("KETAMA", "ketama", "", Switch(Libmemcached::ketama)),
    row("KETAMA_WEIGHTED", "ketama_weighted", "", Switch(Libmemcached::ketama_weighted)),
    row("DISTRIBUTION", "distribution", "--DISTRIBUTION=", Distribution),
    row("SUPPORT_CAS", "cas", "--SUPPORT-CAS", always(CAS)),
    row("BUFFER_REQUESTS", "buffer_requests", "--BUFFER-REQUESTS", never(BUFFER_REQUESTS)),
    row("VERIFY_KEY", "verify_keys", "--VERIFY-KEY", Switch(Libmemcached::verify_key)),
    row("CONNECT_TIMEOUT", "connect_timeout", "--CONNECT-TIMEOUT=", Millis(Libmemcached::connect_timeout)),
    row("SND_TIMEOUT", "send_timeout", "--SND-TIMEOUT=", never(SOCKET_TIMEOUT)),
    row("RCV_TIMEOUT", "receive_timeout", "--RCV-TIMEOUT=", never(SOCKET_TIMEOUT)),
    row("NUMBER_OF_REPLICAS", "num_replicas", "--NUMBER-OF-REPLICAS=", never(ONE_COPY)),
    row("RANDOMIZE_REPLICA_READ", "", "--RANDOMIZE-REPLICA-READ", never(ONE_COPY)),
    row("AUTO_EJECT_HOSTS", "auto_eject", "", never(NOT_EJECTED)),
    row("RETRY_TIMEOUT", "retry_timeout", "--RETRY-TIMEOUT=", never(RETRY)),
    row("REMOVE_FAILED_SERVERS", "remove_failed", "--REMOVE-FAILED-SERVERS=", never(NOT_EJECTED)),
    row("SERVER_FAILURE_LIMIT", "failure_limit", "", nothing(NOT_EJECTED)),
    row("DEAD_TIMEOUT", "dead_timeout", "", never(NOT_EJECTED)),
    row("IO_MSG_WATERMARK", "_io_msg_watermark", "--IO-MSG-WATERMARK=", nothing(WATERMARK)),
    row("IO_BYTES_WATERMARK", "_io_bytes_watermark", "--IO-BYTES-WATERMARK=", nothing(WATERMARK)),
    row("IO_KEY_PREFETCH", "_io_key_prefetch", "--IO-KEY-PREFETCH=", never(WATERMARK)),
    row("HASH_WITH_PREFIX_KEY", "_hash_with_prefix_key", "--HASH-WITH-NAMESPACE", Switch(Libmemcached::hash_with_namespace)),
    row("NOREPLY", "_noreply", "--NOREPLY", never(NOREPLY)),
    row("USE_UDP", "", "--USE-UDP", never(UDP)),
    row("SORT_HOSTS", "_sort_hosts", "--SORT-HOSTS", Switch(Libmemcached::sort_hosts)),
    row("POLL_TIMEOUT", "_poll_timeout", "--POLL-TIMEOUT=", Millis(Libmemcached::poll_timeout)),
    row("SOCKET_SEND_SIZE", "_socket_send_size", "--SOCKET-SEND-SIZE=", never(BUFFER_SIZE)),
    row("SOCKET_RECV_SIZE", "_socket_recv_size", "--SOCKET-RECV-SIZE=", never(BUFFER_SIZE)),
    row("USER_DATA", "", "--USER-DATA", nothing(USER_DATA)),
    row("", "", "--FETCH-VERSION", nothing(FETCH_VERSION)),
    row("", "", "--POOL-MIN=", Count(Libmemcached::pool_min)),
    row("", "", "--POOL-MAX=", Count(Libmemcached::pool_max)),
    row("", "", "--CONFIGURE-FILE=", Refused(FILES)),
    row("", "pickle_protocol", "", Nothing { usual: Some(2), reason: PICKLES }),
    // No behaviour but a callback; pylibmc sets it last.
    row("", "namespace", "--NAMESPACE=", Namespace),
];

const fn row(
    name: &'static str,
    pylibmc: &'static str,
    option: &'static str,
    effect: Effect,
) -> Behaviour {
    Behaviour {
        name,
        pylibmc,
        option,
        effect,
    }
}

/// For a switch that is off here, and always.
const fn never(reason: &'static str) -> Effect {
    let usual = Some(0);
    Nothing { usual, reason }
}

/// For a switch that is on here, and always.
const fn always(reason: &'static str) -> Effect {
    let usual = Some(1);
    Nothing { usual, reason }
}

/// For what there is nothing like here.
const fn nothing(reason: &'static str) -> Effect {
    let usual = None;
    Nothing { usual, reason }
}

const NO_BLOCK: &str = "a call returns when the server has answered; pipelines and the calls for \
                        many keys send without waiting in between";

const KEEPALIVE: &str = "a connection is looked at before it is used again, and closed after \
                         idle_timeout; a call that gets no answer ends at its timeout";

pub(super) const UNUSED_HASH: &str = "libmemcached never uses the hash of the points: they are \
                                      hashed as keys are, or by MD5 if weighted";

const CAS: &str = "it is always on: gets and compare_and_swap need no setting";

const BUFFER_REQUESTS: &str = "nothing is held back: a call returns when the server has answered; \
                               to send much at once, use a pipeline or the calls for many keys";

const SOCKET_TIMEOUT: &str = "libmemcached sets it on sockets that never block, where it has none \
                              either; POLL_TIMEOUT (_poll_timeout) is what bounds its waits";

const ONE_COPY: &str = "each item is written, read and deleted on its own server alone; copies that \
                        others made keep what they have";

const NOT_EJECTED: &str = "a failing server keeps its keys, and its calls fail, unless \
                           failure_policy is set to rehash; a libmemcached client that ejects it \
                           has them elsewhere meanwhile";

const RETRY: &str = "a server that failed is asked again within max_back_off, a second by default";

const WATERMARK: &str = "how much is sent before replies are read is chosen so that no call blocks";

const NOREPLY: &str = "every command is answered, and a call says what the server said";

const UDP: &str = "all goes over TCP, to the same host and port, where the server must listen too; \
                   every command is answered";

const BUFFER_SIZE: &str = "the kernel's own buffer sizes are used; setting them makes it slower";

const USER_DATA: &str = "nor has it any in libmemcached";

const FETCH_VERSION: &str = "a server is asked for its version where the protocol is auto";

pub(super) const FILES: &str = "a text must not make a program read files; read the file, and give \
                                what is in it";

const PICKLES: &str = "pickles are written in protocol 2, and read in any, with the feature pickle";

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
