use super::Worker;
use super::read::Reading;
use super::write::Write;
use moecache::Pending;

/// A command of a pipeline, and what it is about.
enum Command {
    Get(Reading, Pending<Option<String>>),
    /// And a get behind it.
    Set(Write, Pending<()>, Pending<Option<String>>),
    Delete(Write, Pending<bool>),
    Touch(Reading, Pending<bool>),
}

impl Worker<'_> {
    /// One command for each of some keys of its own, what was set is read behind it, and one key of
    /// another thread.
    pub(super) fn pipeline(&mut self) {
        let mine = self.keys.of(self.thread);
        let indexes = self.some(mine.clone(), 12);
        let any = self.random.below(self.keys.len());
        let other = self.reading(any);
        let mut pipeline = self.client.pipeline();
        let mut commands = Vec::new();
        for index in indexes {
            commands.push(match self.random.below(6) {
                0..3 => {
                    let write = self.write(index);
                    let pending = pipeline.set(&write.key, self.value(&write), 0);
                    let read = pipeline.get(&write.key);
                    Command::Set(write, pending, read)
                }
                3 => {
                    let write = self.delete_write(index);
                    let pending = pipeline.delete(&write.key);
                    Command::Delete(write, pending)
                }
                4 => {
                    let reading = self.reading(index);
                    let pending = pipeline.touch(&reading.key, 3600);
                    Command::Touch(reading, pending)
                }
                _ => {
                    let reading = self.reading(index);
                    let pending = pipeline.get(&reading.key);
                    Command::Get(reading, pending)
                }
            });
        }
        if !mine.contains(&other.index) {
            let pending = pipeline.get(&other.key);
            commands.push(Command::Get(other, pending));
        }
        let mut replies = self.call("pipeline", |_| pipeline.run());
        for command in commands {
            match command {
                Command::Get(reading, pending) => {
                    let result = replies.take(pending);
                    let result = self.judge("get", &reading.key, false, result);
                    self.read(&reading, result);
                }
                Command::Set(write, pending, read) => {
                    let result = self.judge("set", &write.key, true, replies.take(pending));
                    self.written(&write, result);
                    let found = self.judge("get", &write.key, false, replies.take(read));
                    let reading = self.reading_of(write);
                    self.read(&reading, found);
                }
                Command::Delete(write, pending) => {
                    let result = self.judge("delete", &write.key, true, replies.take(pending));
                    self.deleted(&write, result);
                }
                Command::Touch(reading, pending) => {
                    let result = self.judge("touch", &reading.key, true, replies.take(pending));
                    self.touched(&reading, result);
                }
            }
        }
    }
}
