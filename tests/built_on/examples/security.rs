//! Servers that want a password, and those that speak TLS.

use super::{Row, command, text};
use crate::support::needs_memcached;
use crate::support::passwords::{PASSWORD, USER, with_password_file};

#[test]
fn passwords() {
    needs_memcached!();
    let (server, folder) = with_password_file(&[]);
    let servers = server.address().to_string();
    let right = folder.file("right", &format!("{PASSWORD}\n"));
    let wrong = folder.file("wrong", "hunter2");
    let none = folder.path("none");
    let name = "--username ann";
    let with = |file: &str| format!("{name} --password-file {file}");
    let rows = [
        (
            "set a 1".to_owned(),
            3,
            "",
            "it wants a user name and a password",
        ),
        (format!("set a 1 {}", with(&right)), 0, "", ""),
        (
            format!("get a --protocol meta {}", with(&right)),
            0,
            "1\n",
            "",
        ),
        (
            format!("get a {}", with(&wrong)),
            3,
            "",
            "refused the user name and the password",
        ),
        (
            format!("get a {}", with(&none)),
            3,
            "",
            "mc: password-file ",
        ),
        (
            format!("get a {name}"),
            2,
            "",
            "it needs --password-file, or MEMCACHED_PASSWORD",
        ),
        (
            format!("get a --password-file {right}"),
            2,
            "",
            "mc: password-file: it needs --username",
        ),
    ];
    for (arguments, code, output, error) in rows {
        run(&servers, &arguments, code, output, error);
    }
    let mut from_the_environment = command("mc", &servers, &["get", "a"]);
    let from_the_environment = from_the_environment
        .env("MEMCACHED_USERNAME", USER)
        .env("MEMCACHED_PASSWORD", PASSWORD);
    assert_eq!(text(&from_the_environment.output().unwrap().stdout), "1\n");
}

#[cfg(feature = "tls")]
#[test]
fn tls() {
    use crate::support::Memcached;
    use crate::support::passwords::Folder;
    use rcgen::{CertifiedKey, generate_simple_self_signed};

    needs_memcached!();
    let names = ["cache.test".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    let folder = Folder::new();
    let certificate = folder.file("certificate.pem", &cert.pem());
    let key = folder.file("key.pem", &signing_key.serialize_pem());
    let options = format!("ssl_chain_cert={certificate},ssl_key={key}");
    let server = Memcached::with_args(&["-Z", "-o", &options]);
    let servers = server.address().to_string();
    let trusted = format!("--tls-roots {certificate} --tls-server-name cache.test");
    let rows = [
        (format!("set a 1 {trusted}"), 0, "", ""),
        (format!("get a {trusted}"), 0, "1\n", ""),
        ("get a --tls".to_owned(), 3, "", "certificate"),
        (
            format!("get a --tls-roots {certificate}"),
            3,
            "",
            "certificate",
        ),
        (
            "get a --tls-key key.pem".to_owned(),
            2,
            "",
            "--tls-certificate",
        ),
        (
            "get a --tls-roots nosuch.pem".to_owned(),
            2,
            "",
            "nosuch.pem",
        ),
    ];
    for (arguments, code, output, error) in rows {
        run(&servers, &arguments, code, output, error);
    }
}

/// The arguments have no spaces.
fn run(servers: &str, arguments: &str, code: i32, output: &str, error: &str) {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    Row::new(&arguments, code, output, error).run(servers);
}
