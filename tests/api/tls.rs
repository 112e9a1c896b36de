//! TLS, against a real memcached with certificates that the test makes.

use crate::support;
use crate::support::needs_memcached;

use moecache::{Bytes, Client, ClientBuilder, Error, ItemRef, Protocol, Server, Tls};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use std::collections::HashMap;
use std::error::Error as _;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};
use support::behind::routes;
use support::passwords::{Folder, PASSWORD, USER};
use support::{Heard, Memcached};

const PROTOCOLS: [Protocol; 4] = [
    Protocol::Text,
    Protocol::Meta,
    Protocol::Binary,
    Protocol::Auto,
];

/// How long a call may take before a test fails.
const LONG: Duration = Duration::from_secs(20);

/// The names of the servers' certificates.
const NAMES: [&str; 2] = ["127.0.0.1", "cache.test"];

/// Someone who signs certificates.
struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, in PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn root(&self) -> String {
        self.0.pem()
    }

    fn sign(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let names = names.iter().map(ToString::to_string);
        let mut params = CertificateParams::new(names.collect::<Vec<_>>()).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// memcached with a certificate that this authority signed.
    fn server(&self) -> (Memcached, Folder) {
        self.server_with(&self.sign(&NAMES, |_| ()), "", &[])
    }

    fn server_with(
        &self,
        identity: &Identity,
        options: &str,
        args: &[&str],
    ) -> (Memcached, Folder) {
        let folder = Folder::new();
        let certificate = folder.file("certificate.pem", &identity.certificate);
        let key = folder.file("key.pem", &identity.key);
        let roots = folder.file("roots.pem", &self.root());
        let tls =
            format!("ssl_chain_cert={certificate},ssl_key={key},ssl_ca_cert={roots}{options}");
        let args = [&["-Z", "-o", &tls, "-I", "2m"], args].concat();
        (Memcached::with_args(&args), folder)
    }

    /// The settings of a client that trusts it.
    fn trusted(&self) -> Tls {
        Tls::new().root_certificates_pem(self.root())
    }
}

fn client(server: &Memcached, tls: Tls) -> Client {
    builder(tls).servers(server.address()).build().unwrap()
}

fn builder(tls: Tls) -> ClientBuilder {
    Client::builder().tls(tls).timeout(LONG)
}

fn total_connections(client: &Client) -> u64 {
    let stats = client.stats().unwrap().remove(0).result.unwrap();
    stats.get("total_connections").unwrap().parse().unwrap()
}

/// No connection was made, and this is why.
#[track_caller]
fn assert_refused(client: &Client, why: &str) {
    let started = Instant::now();
    for error in [
        client.get::<String>("key").unwrap_err(),
        client.incr("key", 1).unwrap_err(),
    ] {
        assert!(error.is_connect() && !error.is_ambiguous(), "{error:?}");
        let shown = format!("{error:#}");
        assert!(shown.contains(why), "{shown}");
    }
    assert!(started.elapsed() < LONG);
}

#[test]
fn every_protocol() {
    needs_memcached!();
    let authority = Authority::new("one");
    let servers = [authority.server(), authority.server()];
    for protocol in PROTOCOLS {
        let client = builder(authority.trusted())
            .servers(servers.each_ref().map(|(server, _)| server.address()))
            .protocol(protocol)
            .build()
            .unwrap();
        client.set("key", "value", 60).unwrap();
        assert_eq!(client.get("key").unwrap(), Some("value".to_owned()));
        assert_eq!(client.get::<String>("missing").unwrap(), None);
        for size in [0, 1, 16 << 10, (16 << 10) + 1, 100_000, 1 << 20] {
            let value: Vec<u8> = (0..size).map(|at: u32| (at % 251) as u8).collect();
            client.set_bytes("large", &value, 0).unwrap();
            assert!(client.get_bytes("large").unwrap() == Some(value), "{size}");
        }
        let items: HashMap<String, u32> = (0..500).map(|i| (format!("key{i}"), i)).collect();
        client.set_many(&items, 0).all().unwrap();
        let many = client.get_many::<u32, _>(items.keys().cloned());
        assert_eq!(many.all().unwrap(), items);
        // Many values that go together, each way, to several servers.
        let value = vec![7; 30_000];
        let keys: Vec<String> = (0..60).map(|i| format!("big{i}")).collect();
        let stored = client.set_many(keys.iter().map(|key| (key, Bytes(&value[..]))), 0);
        stored.all().unwrap();
        let many = client.get_many::<Bytes, _>(&keys).all().unwrap();
        assert!(many.len() == 60 && many.values().all(|data| data.0 == value));
        // Records that end anywhere in memcached's buffer, and in a value: more commands follow it.
        for size in (0..60_000).step_by(997) {
            let value = vec![7; size];
            let mut pipeline = client.pipeline();
            let stored = pipeline.set("value", ItemRef::new(0, &value[..]), 0);
            let touched = pipeline.touch("value", 60);
            let deleted = pipeline.delete("value");
            let mut replies = pipeline.run();
            replies.take(stored).unwrap();
            assert!(replies.take(touched).unwrap() && replies.take(deleted).unwrap());
        }
        let long: Vec<String> = (0..200).map(|i| format!("{i:0>250}")).collect();
        for count in (50..200).step_by(7) {
            let keys = &long[..count];
            client
                .set_many(keys.iter().map(|key| (key, 1)), 0)
                .all()
                .unwrap();
            assert_eq!(client.get_many::<i32, _>(keys).all().unwrap().len(), count);
        }
    }
}

#[test]
fn threads_share_a_client() {
    needs_memcached!();
    let authority = Authority::new("one");
    let (server, _folder) = authority.server();
    let (client, heard) = Heard::of(builder(authority.trusted()).servers(server.address()));
    thread::scope(|scope| {
        for name in 0..8 {
            let client = &client;
            scope.spawn(move || {
                for i in 0..200 {
                    client.set(format!("key{name}"), i, 0).unwrap();
                    assert_eq!(client.get(format!("key{name}")).unwrap(), Some(i));
                }
            });
        }
    });
    let events = heard.take();
    assert!(
        events.len() <= 8 && events.iter().all(|it| it == "connected"),
        "{events:?}"
    );
}

/// What TLS 1.3 sends after the handshake is not taken for stray bytes.
#[test]
fn an_idle_connection_is_used_again() {
    needs_memcached!();
    let authority = Authority::new("one");
    let (server, _folder) = authority.server();
    let client = client(&server, authority.trusted());
    client.set("key", 1, 0).unwrap();
    let before = total_connections(&client);
    for _ in 0..20 {
        thread::sleep(Duration::from_millis(5)); // Idling is what this is about.
        assert_eq!(client.get("key").unwrap(), Some(1));
    }
    assert_eq!(total_connections(&client), before);

    // One that the server has closed is not.
    let mut server = server;
    server.restart();
    thread::sleep(Duration::from_millis(5));
    assert_eq!(client.incr("key", 1).unwrap(), None);
}

#[test]
fn who_the_server_is() {
    needs_memcached!();
    let (authority, other) = (Authority::new("one"), Authority::new("other"));
    let (server, _folder) = authority.server();
    let unknown = "invalid peer certificate: UnknownIssuer";
    assert_refused(&client(&server, other.trusted()), unknown);
    assert_refused_with_advice(&client(&server, other.trusted()), "root_certificates_file");
    // The system does not know it either, if it has any roots.
    if let Ok(client) = builder(Tls::new()).servers(server.address()).build() {
        assert_refused(&client, unknown);
    }

    assert!(
        client(&server, authority.trusted().server_name("cache.test"))
            .set("key", 1, 0)
            .is_ok()
    );
    let client_of = |name| client(&server, authority.trusted().server_name(name));
    assert_refused(&client_of("other.test"), "not valid for name");
    assert_refused_with_advice(&client_of("other.test"), "Tls::server_name");
    let by_name = builder(authority.trusted())
        .servers(("localhost", server.address().port()))
        .build()
        .unwrap();
    assert_refused(&by_name, "not valid for name");

    let expired = authority.sign(&NAMES, |params| {
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let (server, _folder) = authority.server_with(&expired, "", &[]);
    assert_refused(&client(&server, authority.trusted()), "certificate expired");
    assert_refused_with_advice(&client(&server, authority.trusted()), "has expired");
    let early = authority.sign(&NAMES, |params| {
        params.not_before = date_time_ymd(2200, 1, 1);
        params.not_after = date_time_ymd(2201, 1, 1);
    });
    let (server, _folder) = authority.server_with(&early, "", &[]);
    assert_refused_with_advice(&client(&server, authority.trusted()), "not valid yet");
}

#[test]
fn who_the_client_is() {
    needs_memcached!();
    let (authority, other) = (Authority::new("one"), Authority::new("other"));
    let server = authority.sign(&NAMES, |_| ());
    for version in ["2", "3"] {
        // 2 demands a certificate.
        let options = format!(",ssl_verify_mode=2,ssl_min_version={version}");
        let (server, folder) = authority.server_with(&server, &options, &[]);
        let known = authority.sign(&["client"], |_| ());
        let settings = authority.trusted();
        let with = settings
            .clone()
            .client_certificate_pem(known.certificate.clone(), known.key.clone());
        let shown = format!("{with:?}");
        assert!(
            !shown.contains("BEGIN") && !shown.contains("45, 45"),
            "{shown}"
        );
        client(&server, with).set("key", 1, 0).unwrap();
        let certificate = folder.file("client.pem", &known.certificate);
        let key = folder.file("client-key.pem", &known.key);
        let with = settings.clone().client_certificate_files(certificate, key);
        assert_eq!(client(&server, with).get("key").unwrap(), Some(1));

        assert_refused(&client(&server, settings.clone()), "fatal alert");
        let without = client(&server, settings.clone());
        assert_refused_with_advice(&without, "Tls::client_certificate_files");
        let stranger = other.sign(&["client"], |_| ());
        let with = settings.client_certificate_pem(stranger.certificate, stranger.key);
        assert_refused(&client(&server, with), "fatal alert");
    }
}

#[test]
fn one_side_alone() {
    needs_memcached!();
    let authority = Authority::new("one");
    let (encrypted, _folder) = authority.server();
    for protocol in PROTOCOLS {
        let plain = || {
            let plain = Client::builder().servers(encrypted.address());
            plain.protocol(protocol).timeout(LONG).build().unwrap()
        };
        let large = vec![7; 1 << 20];
        for error in [
            plain().get::<String>("key").unwrap_err(),
            plain().set("key", 1, 0).unwrap_err(),
            plain().set_bytes("key", &large, 0).unwrap_err(),
            plain().get_many::<i32, _>(["a", "b"]).all().unwrap_err(),
        ] {
            println!("plain to TLS, {protocol}: {error:#}");
            assert!(error.is_io(), "{error:?}");
            assert!(
                error.to_string().contains("speaks TLS on this port"),
                "{error}"
            );
            assert!(error.to_string().contains("ClientBuilder::tls"), "{error}");
        }
    }

    let plain = Memcached::start();
    for tls in [
        authority.trusted(),
        Tls::new().pinned_certificates_pem(authority.root()),
    ] {
        let client = builder(tls).servers(plain.address()).build().unwrap();
        let error = client.get::<String>("key").unwrap_err();
        println!("TLS to plain: {error:#}");
        assert!(error.is_connect(), "{error:?}");
        assert!(error.to_string().contains("not TLS"), "{error}");
        assert!(
            error.to_string().contains("leave out ClientBuilder::tls"),
            "{error}"
        );
    }
}

/// A connection that had served before is not suspected of another protocol.
#[test]
fn a_server_that_is_gone_is_not_taken_for_one_that_speaks_tls() {
    needs_memcached!();
    let mut server = Memcached::start();
    let client = Client::builder().servers(server.address()).timeout(LONG);
    let client = client.build().unwrap();
    client.set("key", 1, 0).unwrap();
    server.freeze();
    thread::scope(|scope| {
        let lost = scope.spawn(|| client.incr("key", 1).unwrap_err());
        thread::sleep(Duration::from_millis(50)); // So that it may be sent: it is lost either way.
        server.stop();
        let error = lost.join().unwrap();
        assert!(!error.to_string().contains("TLS"), "{error}");
    });
}

/// A certificate that signs itself, as `openssl req -x509` makes it.
fn self_signed(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Identity {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    Identity {
        certificate: params.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
    }
}

#[test]
fn a_self_signed_certificate_can_be_pinned() {
    needs_memcached!();
    let authority = Authority::new("one");
    let old = |params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 1);
    let (one, other) = (
        self_signed("somewhere", |_| ()),
        self_signed("somewhere", |_| ()),
    );
    let expired = self_signed("127.0.0.1", old);
    for version in ["2", "3"] {
        let options = format!(",ssl_min_version={version}");
        for identity in [&one, &expired] {
            let (server, folder) = authority.server_with(identity, &options, &[]);
            let certificate = &identity.certificate;
            let pinned = Tls::new().pinned_certificates_pem(certificate.clone());
            client(&server, pinned).set("key", 1, 0).unwrap();
            // From a file, with another that it may have, and by the setting's name.
            let both = [&*other.certificate, certificate].concat();
            let path = folder.file("pinned.pem", &both);
            let pinned = Tls::new().pinned_certificates_file(&path);
            assert_eq!(client(&server, pinned).get("key").unwrap(), Some(1));
            let mut config = moecache::Config::default();
            config.servers = vec![server.address().into()];
            config.tls_pinned = Some(path.into());
            let by_name = config.builder().timeout(LONG).build().unwrap();
            assert_eq!(by_name.get("key").unwrap(), Some(1));

            let stranger = Tls::new().pinned_certificates_pem(other.certificate.clone());
            assert_refused_with_advice(&client(&server, stranger), "none of those that are pinned");
            let trusted = client(&server, Tls::new().root_certificates_pem(&**certificate));
            assert_refused_with_advice(&trusted, "pinned_certificates_file");
        }
    }
    // The key is verified: a server that only copied the certificate is refused. memcached does not
    // even start with a certificate and the key of another, so it is a chain that is tried: the
    // certificate behind the server's own.
    let stolen = Identity {
        certificate: [&*other.certificate, &one.certificate].concat(),
        key: other.key.clone(),
    };
    let (server, _folder) = authority.server_with(&stolen, "", &[]);
    let pinned = Tls::new().pinned_certificates_pem(one.certificate.clone());
    assert_refused_with_advice(&client(&server, pinned), "none of those that are pinned");

    let both = authority.trusted().pinned_certificates_pem(one.certificate);
    let error = builder(both).servers("10.0.0.1").build().unwrap_err();
    assert!(
        error.is_validation() && error.to_string().contains("place of root"),
        "{error}"
    );
    let none = Tls::new().pinned_certificates_pem("x");
    let error = builder(none).servers("10.0.0.1").build().unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("tls: pinned certificates: there is none"),
        "{error}"
    );
}

/// Refused, and the message itself says what to do: not only its cause.
#[track_caller]
fn assert_refused_with_advice(client: &Client, advice: &str) {
    assert_refused(client, advice);
    let error = client
        .with_timeout(LONG)
        .ping()
        .remove(0)
        .result
        .unwrap_err();
    println!("{error:#}");
    assert!(error.to_string().contains(advice), "{error}");
}

#[test]
fn a_handshake_that_stalls_ends_by_the_deadline() {
    let authority = Authority::new("one");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let client = builder(authority.trusted())
        .timeout(Duration::from_millis(500))
        .servers(address)
        .build()
        .unwrap();
    let started = Instant::now();
    let error = client.set("key", 1, 0).unwrap_err();
    assert!(started.elapsed() < LONG);
    assert!(
        error.is_connect() && error.is_timeout() && !error.is_ambiguous(),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("no TLS handshake within 500ms"),
        "{error}"
    );
    drop(listener);
}

#[test]
fn with_a_password() {
    needs_memcached!();
    let authority = Authority::new("one");
    let identity = authority.sign(&NAMES, |_| ());
    let passwords = Folder::new();
    let file = passwords.file("passwords", &format!("{USER}:{PASSWORD}\n"));
    let (server, _folder) = authority.server_with(&identity, "", &["-Y", &file]);
    for protocol in [Protocol::Text, Protocol::Meta, Protocol::Auto] {
        let builder = builder(authority.trusted()).protocol(protocol);
        let builder = builder.servers(server.address());
        let client = builder.clone().credentials(USER, PASSWORD).build().unwrap();
        client.set("key", 1, 0).unwrap();
        assert_eq!(client.get("key").unwrap(), Some(1));
        let error: Error = builder.build().unwrap().get::<i32>("key").unwrap_err();
        assert!(error.is_authentication(), "{error:?}");
    }
}

#[test]
fn what_is_wrong_with_the_settings() {
    let authority = Authority::new("one");
    let (one, other) = (
        authority.sign(&NAMES, |_| ()),
        authority.sign(&NAMES, |_| ()),
    );
    let host = Server::from("10.0.0.1");
    let trusted = authority.trusted();
    let rows = [
        (
            Tls::new().root_certificates_pem("x"),
            &host,
            "tls: root certificates: there is none",
        ),
        (
            Tls::new().root_certificates_file("/nowhere/roots.pem"),
            &host,
            "tls: root certificates: /nowhere/roots.pem cannot be read: ",
        ),
        (
            trusted
                .clone()
                .client_certificate_pem(one.certificate.clone(), "secret"),
            &host,
            "tls: client key: it must be a private key in PEM",
        ),
        (
            trusted
                .clone()
                .client_certificate_pem(one.certificate, other.key),
            &host,
            "tls: client certificate: ",
        ),
        (
            trusted.clone().server_name("no name"),
            &host,
            "tls: \"no name\" is no name",
        ),
        (
            trusted,
            &Server::from("/run/a.sock"),
            "tls: /run/a.sock is a unix socket",
        ),
    ];
    for (tls, server, expected) in rows {
        let error = builder(tls).servers(server).build().unwrap_err();
        assert!(
            error.is_validation() && error.source().is_none(),
            "{error:?}"
        );
        assert!(
            error.to_string().starts_with(expected),
            "{error}\nnot: {expected}"
        );
    }
}

/// Many sets go together, small ones and large ones, so that records end anywhere in them; memcached
/// 1.6.38 and OpenSSL 3.5 read them in other pieces than older ones.
fn many_sets(client: &Client) {
    let sizes = [0, 1, 100, 1_000, 16_383, 16_384, 16_385, 100_000, 300_000];
    let value = |number: usize| vec![number.to_le_bytes()[0]; sizes[number % sizes.len()]];
    let keys: Vec<String> = (0..200).map(|number| format!("key{number}")).collect();
    let items = keys
        .iter()
        .enumerate()
        .map(|(number, key)| (key, value(number)));
    client
        .set_many(items.into_iter().map(|(key, value)| (key, Bytes(value))), 0)
        .all()
        .unwrap();
    let mut found = client.get_many::<Bytes, _>(&keys).all().unwrap();
    for (number, key) in keys.iter().enumerate() {
        assert!(found.remove(key) == Some(Bytes(value(number))), "{key}");
    }
    let small: Vec<String> = (0..5_000).map(|number| format!("small{number}")).collect();
    client.set_many(small.iter().zip(0..), 0).all().unwrap();
    assert_eq!(
        client.get_many::<i32, _>(&small).all().unwrap().len(),
        5_000
    );
}

#[test]
fn many_sets_that_go_together() {
    needs_memcached!();
    let authority = Authority::new("one");
    let (server, _folder) = authority.server();
    for protocol in PROTOCOLS {
        let builder = builder(authority.trusted()).servers(server.address());
        many_sets(&builder.protocol(protocol).build().unwrap());
    }
}

#[test]
fn behind_memcacheds_proxy() {
    let authority = Authority::new("one");
    let backends = [(); 2].map(|()| Memcached::with_args(&["-I", "2m"]));
    let folder = Folder::new();
    let Some(routes) = routes(&folder, backends.each_ref().map(Memcached::address)) else {
        return;
    };
    let identity = authority.sign(&NAMES, |_| ());
    let (proxy, _folder) = authority.server_with(&identity, &format!(",{routes}"), &[]);
    for protocol in [Protocol::Text, Protocol::Meta] {
        let builder = builder(authority.trusted()).servers(proxy.address());
        many_sets(&builder.protocol(protocol).build().unwrap());
    }
}
