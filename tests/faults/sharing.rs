//! What clones, threads and processes that share a client do to each other's connections: nothing.

use super::pretender::Then;
use super::pretender::{Pretender, value_of};
use super::row::{client, eventually, says};
use super::support::in_each_protocol;
use moecache::{Client, Protocol};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

in_each_protocol! {
    dropping_a_client_closes_nothing_of_its_clones
    closing_a_client_breaks_no_call_of_its_clones
    closing_and_dropping_all_the_time
    a_child_process_writes_into_no_connection_of_its_parent
}

/// Holds a call of a clone back in the middle, does `meanwhile`, and lets it end.
fn during_a_call_of_a_clone(client: Client, server: &Pretender, meanwhile: impl FnOnce(Client)) {
    let clone = client.clone();
    let (asked, was_asked) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    server.next(move |batch| {
        asked.send(()).unwrap();
        goes_on.recv().unwrap();
        says(batch.honest(), Then::GoOn)
    });
    let call = thread::spawn(move || {
        assert_eq!(clone.get("during").unwrap(), Some(value_of("during")));
        clone
    });
    was_asked.recv().unwrap();
    meanwhile(client);
    go_on.send(()).unwrap();
    let clone = call.join().unwrap();
    eventually(&clone, "after");
}

fn dropping_a_client_closes_nothing_of_its_clones(protocol: Protocol) {
    let server = Pretender::start();
    let client = client(server.address(), protocol);
    eventually(&client, "before");
    during_a_call_of_a_clone(client, &server, drop);
    assert_eq!(server.asked("get after"), [0]);
    assert_eq!(server.connections(), 1);
}

/// What is under way ends as it would have; only then its connection is closed.
fn closing_a_client_breaks_no_call_of_its_clones(protocol: Protocol) {
    let server = Pretender::start();
    let client = client(server.address(), protocol);
    eventually(&client, "before");
    during_a_call_of_a_clone(client, &server, |client| client.close());
    assert_eq!(server.asked("get during"), [0]);
    assert_eq!(server.asked("get after"), [1]);
}

/// Many threads, each with a clone, while others are made, closed and dropped.
fn closing_and_dropping_all_the_time(protocol: Protocol) {
    let server = Pretender::start();
    let client = client(server.address(), protocol);
    thread::scope(|scope| {
        let threads = [(); 4].map(|()| {
            let clone = client.clone();
            scope.spawn(move || {
                for number in 0..200 {
                    let key = format!("key-{number}");
                    assert_eq!(clone.get(&key).unwrap(), Some(value_of(&key)));
                    // Which is never sent twice: a connection that was closed under it would show.
                    assert_eq!(clone.incr("count", 1).unwrap(), Some(1));
                }
            })
        });
        while threads.iter().any(|thread| !thread.is_finished()) {
            let clone = client.clone();
            clone.close();
            drop(clone);
            thread::yield_now();
        }
    });
}

/// The child finds its parent's connections in its copy of the pool, and makes its own in their place, as
/// `Client` says; the parent goes on with its own.
fn a_child_process_writes_into_no_connection_of_its_parent(protocol: Protocol) {
    let server = Pretender::start();
    let client = client(server.address(), protocol);
    eventually(&client, "before");
    let is_right = |key: &str| client.get(key).ok() == Some(Some(value_of(key)));
    let child = || {
        // As the documentation asks for: a connection is looked at when it idled that long.
        thread::sleep(Duration::from_millis(2));
        let counted = client.incr("child-count", 1).ok() == Some(Some(1));
        (0..20).all(|_| is_right("child") && client.set("child", "value", 0).is_ok()) && counted
    };
    let parent = || (0..200).all(|_| is_right("parent"));
    assert_eq!(beside_a_child(child, parent), (true, true), "{protocol}");
    // One connection each, and the parent's outlives the child.
    eventually(&client, "after");
    assert_eq!(server.asked("get child"), [1; 20], "{protocol}");
    assert_eq!(server.asked("set child"), [1; 20], "{protocol}");
    assert_eq!(server.asked("incr child-count"), [1], "{protocol}");
    assert_eq!(server.asked("get parent"), [0; 200], "{protocol}");
    assert_eq!(server.asked("get after"), [0], "{protocol}");
}

/// Runs one in a child process and the other in this one, at the same time; whether they succeeded.
#[expect(unsafe_code, reason = "there is no other way to fork")]
fn beside_a_child(child: impl FnOnce() -> bool, parent: impl FnOnce() -> bool) -> (bool, bool) {
    // SAFETY: the child has this thread alone, so it must take no lock that another thread had. The
    // allocator's are safe after a fork, with the C libraries that Rust has; nobody else uses the
    // client. It leaves by _exit, so nothing of the parent's is flushed or dropped twice.
    let process = unsafe { libc::fork() };
    assert!(process >= 0, "there is no fork");
    if process == 0 {
        let succeeded = catch_unwind(AssertUnwindSafe(child)).unwrap_or(false);
        // SAFETY: it only ends the process.
        unsafe { libc::_exit(i32::from(!succeeded)) }
    }
    let succeeded = parent();
    let mut status = 0;
    // SAFETY: the status is written to a place that is there.
    let waited = unsafe { libc::waitpid(process, &raw mut status, 0) };
    assert_eq!(waited, process);
    (
        libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
        succeeded,
    )
}
