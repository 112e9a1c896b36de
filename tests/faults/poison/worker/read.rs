use super::{Judged, Worker};
use crate::poison::keys::Known;
use crate::poison::tally::Never;
use crate::poison::values::{self, Wrong};

/// A key that is being read, and what was known of it before.
pub(super) struct Reading {
    pub(super) index: usize,
    pub(super) key: String,
    pub(super) before: Known,
}

impl Worker<'_> {
    pub(super) fn reading(&self, index: usize) -> Reading {
        let before = self.keys.known(index);
        let key = self.keys.name(index, before.generation);
        Reading { index, key, before }
    }

    /// Reads a key; whoever's it is.
    pub fn get(&mut self, index: usize) {
        let reading = self.reading(index);
        let result = self.call("get", |client| client.get::<String>(&reading.key));
        let result = self.judge("get", &reading.key, false, result);
        self.read(&reading, result);
    }

    pub(super) fn gets(&mut self, index: usize) {
        let reading = self.reading(index);
        let result = self.call("gets", |client| client.gets::<String>(&reading.key));
        let result = self.judge("gets", &reading.key, false, result);
        self.read(&reading, result.map(|found| found.map(|(value, _)| value)));
    }

    pub(super) fn get_and_touch(&mut self, index: usize) {
        let reading = self.reading(index);
        let key = &reading.key;
        let result = self.call("get_and_touch", |client| client.get_and_touch(key, 3600));
        // The expiry is written.
        let result = self.judge("get_and_touch", key, true, result);
        self.read(&reading, result);
    }

    pub(super) fn get_many(&mut self) {
        let indexes = self.some(0..self.keys.len(), 30);
        let readings: Vec<Reading> = indexes.iter().map(|&index| self.reading(index)).collect();
        let keys = readings.iter().map(|reading| reading.key.as_str());
        let mut many = self.call("get_many", |client| client.get_many::<String, _>(keys));
        for reading in &readings {
            let key = reading.key.as_str();
            let failed = many.failed.iter().position(|(failed, _)| *failed == key);
            let result = match failed {
                Some(at) => Err(many.failed.swap_remove(at).1),
                None => Ok(many.found.remove(key)),
            };
            let result = self.judge("get_many", key, false, result);
            self.read(reading, result);
        }
        if !many.found.is_empty() || !many.failed.is_empty() {
            self.tally.never(Never::OtherKey, || {
                format!("get_many gave what was not asked for: {many:?}")
            });
        }
    }

    /// Whether what was read is what may be there.
    pub(super) fn read(&mut self, reading: &Reading, result: Judged<Option<String>>) {
        let Ok(value) = result else { return };
        let (key, before) = (&reading.key, reading.before);
        let mut after = self.keys.known(reading.index);
        if self.keys.of(self.thread).contains(&reading.index) {
            // Nothing is under way: what was begun and not acknowledged had no effect.
            after.begun = after.acknowledged;
        }
        let is_known = before.generation == after.generation;
        let Some(value) = value else {
            if is_known && after.absent < before.acknowledged {
                self.wrong(Never::Miss, reading, "a miss", after);
            }
            return;
        };
        match values::version(key, &value) {
            Err(Wrong::OfAnotherKey(other)) => self.wrong(Never::OtherKey, reading, &other, after),
            Err(Wrong::Corrupt) => {
                let start: String = value.chars().take(60).collect();
                self.wrong(Never::Corrupt, reading, &start, after);
            }
            Ok(version) if is_known && version < before.acknowledged => {
                self.wrong(Never::Older, reading, &format!("version {version}"), after);
            }
            Ok(version) if is_known && version > after.begun => {
                self.wrong(
                    Never::Phantom,
                    reading,
                    &format!("version {version}"),
                    after,
                );
            }
            Ok(_) => {}
        }
    }

    fn wrong(&mut self, never: Never, reading: &Reading, what: &str, after: Known) {
        let Reading { key, before, .. } = reading;
        self.tally.never(never, || {
            format!("{key}: {what}; known before {before:?}, after {after:?}")
        });
    }
}
