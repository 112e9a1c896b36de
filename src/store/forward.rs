//! What points to a store is one.

use super::{KeyValueStore, Keys, Lifetime, StoreError};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

macro_rules! forward {
    ($($pointer:ty)*) => {$(
        impl<S: KeyValueStore + ?Sized> KeyValueStore for $pointer {
            fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
                (**self).get(key)
            }

            fn put_with(
                &self,
                key: &str,
                data: &[u8],
                lifetime: Lifetime,
            ) -> Result<(), StoreError> {
                (**self).put_with(key, data, lifetime)
            }

            fn delete(&self, key: &str) -> Result<(), StoreError> {
                (**self).delete(key)
            }

            fn iter_keys<'s>(&'s self, prefix: &str) -> Keys<'s> {
                (**self).iter_keys(prefix)
            }

            fn put(&self, key: &str, data: &[u8]) -> Result<(), StoreError> {
                (**self).put(key, data)
            }

            fn contains(&self, key: &str) -> Result<bool, StoreError> {
                (**self).contains(key)
            }

            fn keys(&self, prefix: &str) -> Result<Vec<String>, StoreError> {
                (**self).keys(prefix)
            }

            fn iter_prefixes<'s>(&'s self, delimiter: &str, prefix: &str) -> Keys<'s> {
                (**self).iter_prefixes(delimiter, prefix)
            }

            fn get_file(&self, key: &str, path: &Path) -> Result<(), StoreError> {
                (**self).get_file(key, path)
            }

            fn get_to(&self, key: &str, sink: &mut dyn Write) -> Result<(), StoreError> {
                (**self).get_to(key, sink)
            }

            fn put_file(
                &self,
                key: &str,
                path: &Path,
                lifetime: Lifetime,
            ) -> Result<(), StoreError> {
                (**self).put_file(key, path, lifetime)
            }

            fn put_from(
                &self,
                key: &str,
                source: &mut dyn Read,
                lifetime: Lifetime,
            ) -> Result<(), StoreError> {
                (**self).put_from(key, source, lifetime)
            }

            fn open<'s>(&'s self, key: &str) -> Result<Box<dyn Read + 's>, StoreError> {
                (**self).open(key)
            }

            fn max_key_length(&self) -> usize {
                (**self).max_key_length()
            }

            fn check_lifetime(&self, lifetime: Lifetime) -> Result<(), StoreError> {
                (**self).check_lifetime(lifetime)
            }

            fn check_key(&self, key: &str) -> Result<(), StoreError> {
                (**self).check_key(key)
            }
        }
    )*};
}

forward!(&S Box<S> Arc<S>);
