//! Values: every type and size, and what comes back.

use super::{Row, rows};
use moecache::value::DateTime;
use moecache::{Client, Error, Item, ItemRef};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::{Duration, SystemTime};

pub(super) const ROWS: &[Row] = rows! {
    a_miss_is_none set_replaces delete_says_whether_there_was_anything every_type_comes_back
    integers_convert_where_they_fit another_type_is_an_error a_foreign_value_is_refused_by_name
    bytes get_into items counters values_of_every_size values_that_look_like_replies
    keys_of_every_byte_and_length what_has_expired_is_gone what_has_not_expired_is_there
};

fn a_miss_is_none(client: &Client) -> Result<(), Error> {
    assert_eq!(client.get::<String>("missing")?, None);
    assert_eq!(client.get::<Option<String>>("missing")?, None);
    assert_eq!(client.get_bytes("missing")?, None);
    assert_eq!(client.get::<Item>("missing")?, None);
    Ok(())
}

fn set_replaces(client: &Client) -> Result<(), Error> {
    client.set("key", "old", 0)?;
    client.set("key", 7, 0)?;
    assert_eq!(client.get::<i32>("key")?, Some(7));
    Ok(())
}

fn delete_says_whether_there_was_anything(client: &Client) -> Result<(), Error> {
    client.set("key", "value", 0)?;
    assert!(client.delete("key")?);
    assert!(!client.delete("key")?);
    assert_eq!(client.get::<String>("key")?, None);
    Ok(())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    roles: Vec<Role>,
    #[serde(flatten)]
    more: BTreeMap<String, u32>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Role {
    Admin,
    Guest { until: u64 },
}

fn every_type_comes_back(client: &Client) -> Result<(), Error> {
    fn check<T>(client: &Client, value: &T, flags: u32) -> Result<(), Error>
    where
        T: Serialize + for<'de> Deserialize<'de> + PartialEq + Debug,
    {
        client.set("typed", value, 60)?;
        assert_eq!(
            client.get::<Item>("typed")?.map(|item| item.flags),
            Some(flags),
            "{value:?}"
        );
        assert_eq!(client.get::<T>("typed")?.as_ref(), Some(value));
        Ok(())
    }
    check(client, &String::from("h\u{e9}llo"), 274)?;
    check(client, &String::new(), 274)?;
    check(client, &true, 259)?;
    check(client, &'\u{20ac}', 260)?;
    check(client, &i8::MIN, 261)?;
    check(client, &u8::MAX, 262)?;
    check(client, &i16::MIN, 263)?;
    check(client, &u16::MAX, 264)?;
    check(client, &i32::MIN, 265)?;
    check(client, &u32::MAX, 266)?;
    check(client, &i64::MIN, 267)?;
    check(client, &u64::MAX, 268)?;
    check(client, &1.5_f32, 269)?;
    check(client, &-0.0_f64, 270)?;
    check(client, &DateTime(0x48cf_b5ca_130a_6980), 272)?;
    check(client, &vec![0_u8, 13, 10, 255], 0xfa52)?;
    check(client, &None::<String>, 258)?;
    check(client, &Some(7_i32), 265)?;
    check(client, &u128::MAX, 0x4d40)?;
    check(client, &vec!["a".to_owned(), String::new()], 0x4d40)?;
    check(client, &(1, "two".to_owned(), 3.0), 0x4d40)?;
    check(client, &BTreeMap::from([(1, Some(2)), (3, None)]), 0x4d40)?;
    let user = User {
        name: "bob".to_owned(),
        email: None,
        roles: vec![Role::Admin, Role::Guest { until: 1 << 40 }],
        more: BTreeMap::from([("age".to_owned(), 7)]),
    };
    check(client, &user, 0x4d40)
}

fn integers_convert_where_they_fit(client: &Client) -> Result<(), Error> {
    client.set("number", 200_i64, 0)?;
    assert_eq!(client.get::<u8>("number")?, Some(200));
    let error = client.get::<i8>("number").unwrap_err();
    assert!(error.is_decode(), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("an i64 (.NET Int64, flags 267): the stored number does not fit i8"),
        "{error}"
    );
    Ok(())
}

fn another_type_is_an_error(client: &Client) -> Result<(), Error> {
    client.set("number", 42_i32, 0)?;
    let error = client.get::<String>("number").unwrap_err();
    assert!(error.is_decode() && !error.is_retryable(), "{error:?}");
    let server = client.server_for("number")?;
    let expected =
        format!("get on {server}: the item is an i32 (.NET Int32, flags 265), not a string");
    assert_eq!(error.to_string(), expected);
    assert!(client.get::<f64>("number").unwrap_err().is_decode());
    assert!(client.get::<User>("number").unwrap_err().is_decode());
    assert!(client.get_bytes("number").unwrap_err().is_decode());
    Ok(())
}

fn a_foreign_value_is_refused_by_name(client: &Client) -> Result<(), Error> {
    let object = Item::new(257, b"\0\x01\0\0\0\xff\xff\xff\xff");
    client.set("object", ItemRef::new(object.flags, &object.data), 0)?;
    let error = client.get::<i32>("object").unwrap_err();
    let reason = "flags 257: a .NET object of BinaryFormatter";
    assert!(
        error.is_decode() && error.to_string().contains(reason),
        "{error}"
    );
    assert!(error.to_string().ends_with("not executed"), "{error}");
    assert_eq!(client.get::<Item>("object")?, Some(object));
    Ok(())
}

fn bytes(client: &Client) -> Result<(), Error> {
    for bytes in [&b""[..], b"\0\r\n\xff"] {
        client.set_bytes("bytes", bytes, 0)?;
        assert_eq!(client.get_bytes("bytes")?.as_deref(), Some(bytes));
        assert_eq!(
            client.get::<serde_bytes::ByteBuf>("bytes")?.as_deref(),
            Some(&bytes.to_vec())
        );
    }
    client.set("text", "text", 0)?;
    assert_eq!(client.get_bytes("text")?.as_deref(), Some(&b"text"[..]));
    Ok(())
}

fn get_into(client: &Client) -> Result<(), Error> {
    let mut buffer = Vec::with_capacity(1000);
    let start = buffer.as_ptr();
    client.set_bytes("bytes", b"short", 0)?;
    assert!(client.get_into("bytes", &mut buffer)?);
    assert_eq!(buffer, b"short");
    assert!(!client.get_into("missing", &mut buffer)?);
    assert!(buffer.is_empty() && buffer.capacity() == 1000);
    assert!(client.get_into("bytes", &mut buffer)?);
    assert_eq!((buffer.as_slice(), buffer.as_ptr()), (&b"short"[..], start));
    client.set("number", 1, 0)?;
    assert!(client.get_into("number", &mut buffer).is_err());
    assert!(buffer.is_empty());
    Ok(())
}

fn items(client: &Client) -> Result<(), Error> {
    for flags in [0, 1, 274, u32::MAX] {
        let item = Item::new(flags, *b"\0any\r\n");
        client.set("item", &item, 0)?;
        assert_eq!(client.get::<Item>("item")?, Some(item));
    }
    Ok(())
}

fn counters(client: &Client) -> Result<(), Error> {
    for count in [0, 41, u64::MAX] {
        client.set_counter("counter", count, 0)?;
        assert_eq!(
            client.get::<Item>("counter")?,
            Some(Item::new(0, count.to_string()))
        );
        assert_eq!(client.get::<u64>("counter")?, Some(count));
    }
    assert!(client.get::<u8>("counter").unwrap_err().is_decode());
    Ok(())
}

/// Around the sizes at which the client changes its ways: the input buffer, the longest value that
/// is copied behind its command, the step by which a value's buffer grows.
fn values_of_every_size(client: &Client) -> Result<(), Error> {
    let around = [100, 16 << 10, 64 << 10, 1 << 20, 3 << 20];
    let sizes = around
        .iter()
        .flat_map(|size| [-40, -30, -7, -2, -1, 0, 1, 2].map(|d| size + d));
    for size in sizes {
        let value: Vec<u8> = (0..size)
            .map(|i: i32| i.to_le_bytes()[0] ^ i.to_le_bytes()[1])
            .collect();
        client.set_bytes("sized", &value, 0)?;
        assert!(
            client.get_bytes("sized")?.as_deref() == Some(&*value),
            "{size} bytes"
        );
    }
    Ok(())
}

fn values_that_look_like_replies(client: &Client) -> Result<(), Error> {
    for value in [
        "\r\n",
        "END\r\n",
        "\r\nEND\r\n",
        "VALUE key 0 1\r\na\r\nEND\r\n",
        "STORED\r\n",
    ] {
        client.set("key", value, 0)?;
        assert_eq!(client.get::<String>("key")?.as_deref(), Some(value));
    }
    let not_found = b"\x81\0\0\0\0\0\0\x01\0\0\0\x09\0\0\0\0\0\0\0\0\0\0\0\0Not found";
    client.set_bytes("key", not_found, 0)?;
    assert_eq!(client.get_bytes("key")?.as_deref(), Some(&not_found[..]));
    Ok(())
}

fn keys_of_every_byte_and_length(client: &Client) -> Result<(), Error> {
    let every_byte: Vec<u8> = (0x21..=0x7e).collect();
    let longest = vec![b'k'; 250 - client.prefix().len()];
    for key in [&b"k"[..], &every_byte, &longest, b"VALUE", b"noreply", b"0"] {
        client.set(key, "value", 0)?;
        assert_eq!(client.get::<String>(key)?.as_deref(), Some("value"));
        assert!(client.delete(key)?);
    }
    Ok(())
}

fn what_has_expired_is_gone(client: &Client) -> Result<(), Error> {
    client.set("key", "value", SystemTime::now() - Duration::from_secs(60))?;
    assert_eq!(client.get::<String>("key")?, None);
    // The trap that the documentation of Expiry warns of.
    client.set("key", "value", 2_592_001)?;
    assert_eq!(client.get::<String>("key")?, None);
    Ok(())
}

fn what_has_not_expired_is_there(client: &Client) -> Result<(), Error> {
    let day = Duration::from_secs(86_400);
    let expiries: [moecache::Expiry; 4] = [
        2_592_000.into(),
        day.into(),
        (31 * day).into(),
        (SystemTime::now() + day).into(),
    ];
    for expiry in expiries {
        client.set("key", "value", expiry)?;
        assert_eq!(
            client.get::<String>("key")?.as_deref(),
            Some("value"),
            "{expiry:?}"
        );
    }
    Ok(())
}
