//! The C library libmemcached, through the few declarations that the bench needs.
//!
//! It keeps its defaults: the text protocol, modulo placement, no timeouts; with TCP_NODELAY, as its
//! documentation advises.

use super::Peer;
use crate::work::{Form, Task, Work};
use libc::{c_char, c_int, c_void, free, size_t, time_t};
use std::ffi::CString;
use std::net::SocketAddr;
use std::ptr;

/// `memcached_st` or `memcached_result_st`: only the library knows what is in them.
type Handle = *mut c_void;

/// `memcached_return_t`, as in libmemcached-1.0/types/return.h.
type Return = c_int;

const SUCCESS: Return = 0;
const NOT_FOUND: Return = 16;
const END: Return = 21;

/// `memcached_behavior_t`, as in libmemcached-1.0/types/behavior.h.
const TCP_NODELAY: c_int = 1;

#[link(name = "memcached")]
unsafe extern "C" {
    fn memcached_create(memory: Handle) -> Handle;
    fn memcached_free(client: Handle);
    fn memcached_behavior_set(client: Handle, behavior: c_int, value: u64) -> Return;
    fn memcached_server_add(client: Handle, host: *const c_char, port: u16) -> Return;
    fn memcached_get(
        client: Handle,
        key: *const c_char,
        key_length: size_t,
        length: *mut size_t,
        flags: *mut u32,
        error: *mut Return,
    ) -> *mut c_char;
    fn memcached_set(
        client: Handle,
        key: *const c_char,
        key_length: size_t,
        value: *const c_char,
        length: size_t,
        expiry: time_t,
        flags: u32,
    ) -> Return;
    fn memcached_delete(client: Handle, key: *const c_char, length: size_t, at: time_t) -> Return;
    fn memcached_increment(
        client: Handle,
        key: *const c_char,
        length: size_t,
        delta: u32,
        count: *mut u64,
    ) -> Return;
    fn memcached_mget(
        client: Handle,
        keys: *const *const c_char,
        lengths: *const size_t,
        count: size_t,
    ) -> Return;
    fn memcached_result_create(client: Handle, memory: Handle) -> Handle;
    fn memcached_result_free(result: Handle);
    fn memcached_fetch_result(client: Handle, result: Handle, error: *mut Return) -> Handle;
}

pub struct Libmemcached {
    client: Handle,
    /// Room for a `memcached_result_st`, which has some 500 bytes. It has to be the caller's: one
    /// that the library allocates it also frees after the last value.
    result: Box<[u64; 512]>,
}

impl Peer for Libmemcached {
    const TAG: &'static str = "lib";

    fn can(task: &Task) -> bool {
        let form = !matches!(
            task.work,
            Work::GetMany(_, Form::List | Form::Map)
                | Work::SetMany(_)
                | Work::SetManyQuiet(_)
                | Work::Threads
        );
        form && !task.on_unix()
    }

    fn connect(servers: &[String]) -> Self {
        // SAFETY: with no memory given, it allocates.
        let client = unsafe { memcached_create(ptr::null_mut()) };
        assert!(!client.is_null());
        for server in servers {
            let address: SocketAddr = server.parse().expect("an address");
            let host = CString::new(address.ip().to_string()).expect("it has no zero");
            // SAFETY: the host is a C string, and copied.
            let added = unsafe { memcached_server_add(client, host.as_ptr(), address.port()) };
            assert_eq!(added, SUCCESS);
        }
        // SAFETY: the client lives.
        let set = unsafe { memcached_behavior_set(client, TCP_NODELAY, 1) };
        assert_eq!(set, SUCCESS);
        let mut result = Box::new([0; 512]);
        // SAFETY: the client lives until the drop, and so does the memory, which does not move.
        unsafe { memcached_result_create(client, result.as_mut_ptr().cast()) };
        Self { client, result }
    }

    fn get(&mut self, key: &str) -> Option<usize> {
        let (mut length, mut flags, mut error) = (0, 0, SUCCESS);
        // SAFETY: the key lives through the call, and the rest is written to.
        let value = unsafe {
            memcached_get(
                self.client,
                key.as_ptr().cast(),
                key.len(),
                &raw mut length,
                &raw mut flags,
                &raw mut error,
            )
        };
        if error == NOT_FOUND {
            return None;
        }
        assert_eq!(error, SUCCESS);
        // SAFETY: the value was allocated by malloc for the caller.
        unsafe { free(value.cast()) };
        Some(length)
    }

    fn set(&mut self, key: &str, value: &[u8]) {
        // SAFETY: key and value live through the call.
        let stored = unsafe {
            memcached_set(
                self.client,
                key.as_ptr().cast(),
                key.len(),
                value.as_ptr().cast(),
                value.len(),
                0,
                0,
            )
        };
        assert_eq!(stored, SUCCESS);
    }

    fn delete(&mut self, key: &str) -> bool {
        // SAFETY: the key lives through the call.
        let deleted = unsafe { memcached_delete(self.client, key.as_ptr().cast(), key.len(), 0) };
        assert!(deleted == SUCCESS || deleted == NOT_FOUND);
        deleted == SUCCESS
    }

    fn increment(&mut self, key: &str) -> u64 {
        let mut count = 0;
        // SAFETY: the key lives through the call, and the count is written to.
        let counted = unsafe {
            memcached_increment(
                self.client,
                key.as_ptr().cast(),
                key.len(),
                1,
                &raw mut count,
            )
        };
        assert_eq!(counted, SUCCESS);
        count
    }

    fn get_many(&mut self, keys: &[&str], _: Form) -> usize {
        let pointers: Vec<_> = keys.iter().map(|key| key.as_ptr().cast()).collect();
        let lengths: Vec<_> = keys.iter().map(|key| key.len()).collect();
        // SAFETY: pointers and lengths are as many as is said, and live through the call.
        let asked =
            unsafe { memcached_mget(self.client, pointers.as_ptr(), lengths.as_ptr(), keys.len()) };
        assert_eq!(asked, SUCCESS);
        let (mut found, mut error) = (0, SUCCESS);
        loop {
            let result = self.result.as_mut_ptr().cast();
            // SAFETY: client and result live, and the error is written to.
            let result = unsafe { memcached_fetch_result(self.client, result, &raw mut error) };
            if result.is_null() {
                assert!(error == END || error == NOT_FOUND, "{error}");
                return found;
            }
            found += 1;
        }
    }
}

impl Drop for Libmemcached {
    fn drop(&mut self) {
        // SAFETY: both were created, and are not used again.
        unsafe {
            memcached_result_free(self.result.as_mut_ptr().cast());
            memcached_free(self.client);
        }
    }
}
