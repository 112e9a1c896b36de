//! What becomes of files when something is wrong with them.

use moecache::store::{KeyValueStore, Lifetime, MemoryStore, StoreError};
use std::error::Error as _;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

#[test]
fn a_file_that_is_not_there() {
    let store = MemoryStore::new();
    let nowhere = Path::new("/no/such/folder/file");
    let error = store.put_file("key", nowhere, Lifetime::Never).unwrap_err();
    assert!(
        matches!(&error, StoreError::Io(error) if error.kind() == ErrorKind::NotFound),
        "{error:?}"
    );
    assert!(!store.contains("key").unwrap());
    store.put("key", b"value").unwrap();
    let error = store.get_file("key", nowhere).unwrap_err();
    // A file is not a key.
    assert!(!matches!(error, StoreError::NotFound(_)), "{error:?}");
    assert_eq!(io::Error::from(error).kind(), ErrorKind::NotFound);
}

#[test]
fn a_writer_that_fails() {
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::new(ErrorKind::StorageFull, "no room"))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let store = MemoryStore::new();
    store.put("key", b"value").unwrap();
    let error = store.get_to("key", &mut Full).unwrap_err();
    assert_eq!(error.to_string(), "no room");
    assert!(error.source().is_none());
    assert_eq!(io::Error::from(error).kind(), ErrorKind::StorageFull);
}
