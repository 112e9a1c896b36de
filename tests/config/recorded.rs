//! Where libmemcached and pylibmc themselves put keys, set up by a string or a dictionary.

use moecache::value::Format;
use moecache::{Behaviors, Config};
use serde::Deserialize;

#[derive(Deserialize)]
struct Recorded {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    string: Option<String>,
    #[serde(default)]
    listed: Vec<String>,
    #[serde(default)]
    behaviors: Behaviors,
    servers: Vec<String>,
    index: String,
}

#[test]
fn keys_are_where_libmemcached_and_pylibmc_put_them() {
    let recorded = include_str!("../vectors/config.json");
    let recorded: Recorded = serde_json::from_str(recorded).unwrap();
    let mut checked = 0;
    for row in recorded.rows {
        let (name, read) = match &row.string {
            Some(string) => (string.clone(), Config::from_libmemcached(string)),
            None => (
                format!("{:?} {:?}", row.listed, row.behaviors),
                Config::from_pylibmc(&row.listed, &row.behaviors),
            ),
        };
        let (mut config, _) = read.unwrap();
        // Of no matter here, and some need a feature.
        config.format = Some(Format::Moecache);
        let client = config.client().unwrap();
        let scheme = client.scheme().unwrap();
        for (n, digit) in row.index.chars().enumerate() {
            let server = client.server_for(format!("key:{n}")).unwrap();
            let expected = &row.servers[digit.to_digit(10).unwrap() as usize];
            assert_eq!(server, expected, "key:{n} by {scheme}: {name}");
            checked += 1;
        }
    }
    assert_eq!(checked, 67 * 200);
}
