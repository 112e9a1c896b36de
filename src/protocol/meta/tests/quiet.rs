use super::*;

#[test]
fn quiet_gets() {
    let miss = |index| status_of(index, Status::NotFound);
    let hit = |index| value_of(index, 0, None, b"x");
    let error = |index| refused_to(index, "SERVER_ERROR oom", false);
    let unexpected = |line: &[u8]| Event::Malformed(unexpected(line));
    let surplus = |surplus| Event::Done { surplus };
    let rows: Vec<(&[u8], Vec<Event>)> = vec![
        (b"MN\r\n", vec![miss(0), miss(1), miss(2), DONE]),
        (
            b"VA 1 f0 O1\r\nx\r\nMN\r\n",
            vec![miss(0), hit(1), miss(2), DONE],
        ),
        (
            b"VA 1 f0 O2\r\nx\r\nMN\r\n!",
            vec![miss(0), miss(1), hit(2), surplus(1)],
        ),
        // A proxy may send what memcached leaves out.
        (
            b"EN O0\r\nVA 1 f0 O1\r\nx\r\nMN\r\n",
            vec![miss(0), hit(1), miss(2), DONE],
        ),
        (b"VA 1 f0 O0\r\nx\r\n", vec![hit(0), Event::Incomplete]),
        // An error stands for all that it may be about.
        (
            b"SERVER_ERROR oom\r\nMN\r\n",
            vec![error(0), error(1), error(2), DONE],
        ),
        (
            b"SERVER_ERROR oom\r\nVA 1 f0 O1\r\nx\r\nMN\r\n",
            vec![error(0), hit(1), miss(2), DONE],
        ),
        (
            b"VA 1 f0 O0\r\nx\r\nSERVER_ERROR a\r\nSERVER_ERROR oom\r\nMN\r\n",
            vec![hit(0), error(1), error(2), DONE],
        ),
        (b"SERVER_ERROR oom\r\n", vec![Event::Incomplete]),
        // And for one at least.
        (
            b"SERVER_ERROR oom\r\nVA 1 f0 O0\r\nx\r\nMN\r\n",
            vec![unexpected(b"SERVER_ERROR oom")],
        ),
        (
            b"VA 1 f0 O2\r\nx\r\nSERVER_ERROR oom\r\nMN\r\n",
            vec![miss(0), miss(1), hit(2), unexpected(b"SERVER_ERROR oom")],
        ),
        (
            b"VA 1 f0 O3\r\n",
            vec![Event::Malformed(Malformed::WrongOpaque)],
        ),
        (
            b"VA 1 f0 O1\r\nx\r\nVA 1 f0 O1\r\n",
            vec![miss(0), hit(1), Event::Malformed(Malformed::WrongOpaque)],
        ),
        // Nothing follows from a line that is wrong.
        (b"VA 1 O2\r\n", vec![unexpected(b"VA 1 O2")]),
        (b"HD O2\r\n", vec![unexpected(b"HD O2")]),
        (b"MN \r\n", vec![unexpected(b"MN ")]),
        (b"END\r\n", vec![unexpected(b"END")]),
    ];
    let requests = [
        get_of(b" a", false),
        get_of(b" b", false),
        get_of(b" c", false),
    ];
    for (bytes, expected) in rows {
        let shown = bytes.escape_ascii().to_string();
        assert_eq!(outcome(&requests, bytes), expected, "{shown:?}");
    }
}

#[test]
fn quiet_sets() {
    let stored = |index| status_of(index, Status::Stored);
    let client_error = unexpected(b"CLIENT_ERROR bad");
    let rows: Vec<(&[u8], Vec<Event>, bool)> = vec![
        (
            b"MN\r\n",
            vec![stored(0), stored(1), stored(2), DONE],
            false,
        ),
        (
            b"HD O1\r\nMN\r\n",
            vec![stored(0), stored(1), stored(2), DONE],
            false,
        ),
        // Whose it is, another pass tells.
        (
            b"SERVER_ERROR out of memory\r\nSERVER_ERROR too large\r\nMN\r\n",
            vec![stored(0), stored(1), stored(2), DONE],
            true,
        ),
        (
            b"CLIENT_ERROR bad\r\nMN\r\n",
            vec![Event::Malformed(client_error)],
            false,
        ),
        (
            b"NS O1\r\nMN\r\n",
            vec![Event::Malformed(unexpected(b"NS O1"))],
            false,
        ),
    ];
    let requests = [set(), set(), set()];
    for (bytes, expected, is_unclear) in rows {
        let shown = bytes.escape_ascii().to_string();
        assert_eq!(outcome(&requests, bytes), expected, "{shown:?}");
        let (window, _) = encode(Dialect::Meta, &requests);
        let mut decoder = Decoder::new(Dialect::Meta, &requests, window, bounds(MAX_VALUE));
        let first = decoder.decode(bytes);
        assert_eq!(decoder.is_unclear(), is_unclear, "{shown:?}: {first:?}");
    }
}
