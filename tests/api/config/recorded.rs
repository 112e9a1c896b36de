//! Where libmemcached and pylibmc themselves put keys, set up by a string or a dictionary.

use moecache::value::Format;
use moecache::{Behaviors, Config};
use serde::Deserialize;

#[derive(Deserialize)]
struct Recorded {
    options: Vec<String>,
    behaviors: Vec<String>,
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

fn recorded() -> Recorded {
    serde_json::from_str(include_str!("../../vectors/config.json")).unwrap()
}

#[test]
fn every_name_is_known() {
    let Recorded {
        options, behaviors, ..
    } = recorded();
    assert_eq!((options.len(), behaviors.len()), (33, 31));
    for option in options {
        Config::from_libmemcached(&option).unwrap();
    }
    for name in behaviors {
        let behaviors = serde_json::from_str(&format!(r#"{{"{name}": 1}}"#)).unwrap();
        // Some are no numbers.
        if let Err(error) = Config::from_pylibmc(["10.0.0.1"], &behaviors) {
            let expected = format!("{name}: 1 is not possible; it must be a text");
            assert_eq!(error.to_string(), expected);
        }
    }
}

#[test]
fn keys_are_where_libmemcached_and_pylibmc_put_them() {
    let mut checked = 0;
    for row in recorded().rows {
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
            assert_eq!(&server, expected, "key:{n} by {scheme}: {name}");
            checked += 1;
        }
    }
    assert_eq!(checked, 67 * 200);
}
