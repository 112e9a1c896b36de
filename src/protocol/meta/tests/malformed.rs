use super::*;

const LONG_LINE: Malformed = Malformed::LongLine {
    max: Bounds::DEFAULT_LINE,
};

#[test]
fn malformed_replies() {
    let long = [b"HD ".to_vec(), vec![b'x'; Bounds::DEFAULT_LINE]].concat();
    let stats = Request::Stats {
        arguments: StatsArguments::new("").unwrap(),
    };
    let too_large = Malformed::TooLarge {
        length: 101,
        max: MAX_VALUE,
    };
    let is = |line: &[u8]| unexpected(line);
    let rows: Vec<(Request<'_>, &[u8], Malformed)> = vec![
        (get(), b"EN O1\r\n", Malformed::WrongOpaque),
        (get(), b"VA 1 f0 O1\r\nx\r\n", Malformed::WrongOpaque),
        (get(), b"VA 101 f0 O0\r\n", too_large),
        (get(), b"VA 1 f0 O0\r\nxy", Malformed::Unterminated),
        (set(), &long, LONG_LINE),
        (stats, b"HD\r\n", is(b"HD")),
        (get(), b"VALUE key 0 1\r\n", is(b"VALUE key 0 1")),
    ];
    let unexpected_lines: Vec<(Request<'_>, &[u8])> = vec![
        (get(), b"EN"),
        (get(), b"EN O"),
        (get(), b"EN O-1"),
        (get(), b"EN O4294967296"),
        (get(), b"EN O0 O0"),
        (get(), b"EN  O0"),
        (get(), b"EN O0 "),
        (get(), b"EN O0 W"),
        (get(), b"EN O0 c1"),
        (get(), b"END"),
        (get(), b"MN"),
        (get(), b"en O0"),
        (get(), b"HD f0 O0"),
        (get(), b"NF O0"),
        (get(), b"VA"),
        (get(), b"VA O0"),
        (get(), b"VA 1 O0"),
        (get(), b"VA 1 f0"),
        (get(), b"VA -1 f0 O0"),
        (get(), b"VA 12345678901 f0 O0"),
        (get(), b"VA 1 f-1 O0"),
        (get(), b"VA 1 f4294967296 O0"),
        (get(), b"VA 1 f0 f0 O0"),
        (get(), b"VA 1 f0 c1 O0"),
        (get(), b"VA 1 f0 O0 W1"),
        (get(), b"VA 1 f0 O0 X X"),
        (get(), b"VA 1 f0 O0 q"),
        (get(), b"VA 1 f0 v O0"),
        (get(), b"VA 1 f0 kkey O0"),
        (get_of(b"key", true), b"VA 1 f0 O0"),
        (get_of(b"key", true), b"VA 1 f0 cx O0"),
        (touch(), b"VA 0 O0"),
        (touch(), b"NF O0"),
        (set(), b"HD"),
        (set(), b"NS O0"),
        (set(), b"EX O0"),
        (set(), b"NF O0"),
        (set(), b"HD O0 W"),
        (set(), b"HD O0 c1"),
        (set(), b"STORED"),
        (store(Mode::Cas(1)), b"NS O0"),
        (delete(None), b"EX O0"),
        (delete(None), b"EN O0"),
        (count(Direction::Up, None), b"HD O0"),
        (count(Direction::Up, None), b"NS O0"),
        (count(Direction::Up, None), b"EX O0"),
        (count(Direction::Up, None), b"VA 1 t1 O0"),
        (meta_get(b"v"), b"HD O0"),
        (meta_get(b""), b"VA 1 O0"),
        (meta_get(b"t"), b"HD O0"),
        (meta_get(b"t"), b"HD t-2 O0"),
        (meta_get(b"h"), b"HD h2 O0"),
        (meta_get(b"l"), b"HD l O0"),
        (meta_get(b""), b"HD s1 O0"),
        (meta_set(Mode::Set, None, false, true), b"HD O0"),
        (meta_count(None, None, b"c"), b"VA 1 O0"),
    ];
    let expected = unexpected_lines.iter().map(|&(request, line)| {
        let bytes = [line, b"\r\n"].concat();
        (request, bytes, is(line))
    });
    let rows = rows
        .into_iter()
        .map(|(request, bytes, it)| (request, bytes.to_vec(), it));
    for (request, bytes, expected) in rows.chain(expected) {
        let events = outcome(&[request], &bytes);
        let shown = bytes.escape_ascii().to_string();
        assert_eq!(
            events.last(),
            Some(&Event::Malformed(expected)),
            "{shown:?}"
        );
    }
    // A number that is not one, or not as long as it says.
    for digits in ["x", "12", "", "1 ", "-"] {
        let bytes = format!("VA 1 O0\r\n{digits}\r\n");
        let events = outcome(&[count(Direction::Up, None)], bytes.as_bytes());
        let expected = Event::Malformed(unexpected(digits.as_bytes()));
        assert_eq!(events, [expected], "{digits:?}");
    }
}
