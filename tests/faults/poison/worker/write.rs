use super::read::Reading;
use super::{Failed, Judged, Worker};
use crate::poison::keys::Known;
use crate::poison::tally::Never;
use crate::poison::values;
use moecache::CasOutcome;

/// A write of a key that has begun.
pub(super) struct Write {
    index: usize,
    pub(super) key: String,
    version: u64,
    /// What was known before.
    before: Known,
}

impl Worker<'_> {
    pub(super) fn write(&self, index: usize) -> Write {
        let before = self.keys.known(index);
        let version = self.keys.begin(index);
        let key = self.keys.name(index, before.generation);
        Write {
            index,
            key,
            version,
            before,
        }
    }

    pub(super) fn delete_write(&self, index: usize) -> Write {
        let write = self.write(index);
        self.keys.set_absent(index, write.version);
        write
    }

    /// A read of the key behind the write, of which by now it is known what came of it.
    pub(super) fn reading_of(&self, write: Write) -> Reading {
        let now = self.keys.known(write.index);
        let is_abandoned = now.generation != write.before.generation;
        Reading {
            index: write.index,
            key: write.key,
            before: if is_abandoned { write.before } else { now },
        }
    }

    pub(super) fn value(&mut self, write: &Write) -> String {
        let length = values::length(&mut self.random);
        values::value(&write.key, write.version, length)
    }

    pub(super) fn set(&mut self, index: usize) {
        let write = self.write(index);
        let value = self.value(&write);
        let result = self.call("set", |client| client.set(&write.key, &value, 0));
        let result = self.judge("set", &write.key, true, result);
        self.written(&write, result);
    }

    pub(super) fn set_many(&mut self) {
        let indexes = self.some(self.keys.of(self.thread), 8);
        let writes: Vec<Write> = indexes.into_iter().map(|index| self.write(index)).collect();
        let values: Vec<String> = writes.iter().map(|write| self.value(write)).collect();
        let items = writes.iter().map(|write| &write.key).zip(values);
        let each = self.call("set_many", |client| client.set_many(items, 0));
        let keys = each.iter().map(|(key, _)| key.as_str());
        if !keys.eq(writes.iter().map(|write| write.key.as_str())) {
            let case =
                || format!("set_many answered for other keys, or in another order: {each:?}");
            self.tally.never(Never::OtherKey, case);
            return;
        }
        for ((key, result), write) in each.into_iter().zip(&writes) {
            let result = self.judge("set_many", key, true, result);
            self.written(write, result);
        }
    }

    pub(super) fn add(&mut self, index: usize) {
        let write = self.write(index);
        let value = self.value(&write);
        let result = self.call("add", |client| client.add(&write.key, &value, 0));
        match self.judge("add", &write.key, true, result) {
            Ok(true) if write.before.is_there() => {
                self.tally.never(Never::Miss, || {
                    format!("{}: added, and was there", write.key)
                });
                self.written(&write, Ok(()));
            }
            Ok(true) => self.written(&write, Ok(())),
            Ok(false) => self.expect(&write.key, "is there", true, write.before.is_there()),
            Err(failed) => self.written(&write, Err(failed)),
        }
    }

    pub(super) fn delete(&mut self, index: usize) {
        let write = self.delete_write(index);
        let result = self.call("delete", |client| client.delete(&write.key));
        let result = self.judge("delete", &write.key, true, result);
        self.deleted(&write, result);
    }

    pub(super) fn deleted(&mut self, write: &Write, result: Judged<bool>) {
        match result {
            // `false` is allowed where it was there: the call may have repeated itself.
            Ok(true) => self.expect(&write.key, "was there", true, write.before.is_there()),
            Err(Failed::WithoutEffect) => self.keys.set_absent(write.index, write.before.absent),
            _ => {}
        }
        self.written(write, result.map(|_| ()));
    }

    pub(super) fn compare_and_swap(&mut self, index: usize) {
        let reading = self.reading(index);
        let result = self.call("gets", |client| client.gets::<String>(&reading.key));
        let result = self.judge("gets", &reading.key, false, result);
        let Ok(found) = result else { return };
        let (value, cas) = found.unzip();
        self.read(&reading, Ok(value));
        let Some(cas) = cas else { return };
        let write = self.write(index);
        let (key, value) = (&write.key, self.value(&write));
        let operation = "compare_and_swap";
        let result = self.call(operation, |client| {
            client.compare_and_swap(key, value, 0, cas)
        });
        match self.judge(operation, key, true, result) {
            Ok(CasOutcome::Stored) => self.written(&write, Ok(())),
            // Nobody else writes it.
            Ok(outcome) => self
                .tally
                .never(Never::Phantom, || format!("{key}: {outcome:?} by nobody")),
            Err(failed) => self.written(&write, Err(failed)),
        }
    }

    pub(super) fn touch(&mut self, index: usize) {
        let reading = self.reading(index);
        let result = self.call("touch", |client| client.touch(&reading.key, 3600));
        let result = self.judge("touch", &reading.key, true, result);
        self.touched(&reading, result);
    }

    pub(super) fn touched(&mut self, reading: &Reading, result: Judged<bool>) {
        // Whether one that failed had an effect does not matter: nothing expires so soon.
        if let Ok(is_touched) = result {
            self.expect(
                &reading.key,
                "touched",
                is_touched,
                reading.before.is_there(),
            );
        }
    }

    /// What came of a write.
    pub(super) fn written(&mut self, write: &Write, result: Judged<()>) {
        match result {
            Ok(()) => self.keys.acknowledge(write.index, write.version),
            Err(Failed::WithoutEffect) => {}
            Err(Failed::Ambiguously) => {
                self.keys.abandon(write.index);
                self.discard(&write.key);
            }
        }
    }

    /// Nobody needs the key any more: its memory may be used again, if this gets through.
    pub(super) fn discard(&mut self, key: &str) {
        let result = self.call("delete", |client| client.delete(key));
        let _ = self.judge("delete", key, true, result);
    }
}
