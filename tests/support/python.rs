//! A Python program that answers calls.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// Skips a test where `tests/run` could not make that Python, and says why.
macro_rules! needs_python {
    () => {
        if let Ok(why) = std::env::var("MOECACHE_WITHOUT_PYTHON") {
            let thread = std::thread::current();
            let test = thread.name().unwrap_or("a test");
            return $crate::support::skipped(format_args!("{test}: {why}"));
        }
    };
}
pub(crate) use needs_python;

/// A Python that has the other clients.
///
/// # Panics
///
/// If nobody says where it is.
pub fn interpreter() -> String {
    std::env::var("MOECACHE_PYTHON").expect(
        "MOECACHE_PYTHON must name a Python that has moecache, pylibmc, pymemcache and \
         python-memcached; tests/run makes one and sets it",
    )
}

/// A running program that reads a line of JSON and answers with one. It is killed when this is
/// dropped.
#[derive(Debug)]
pub struct Python {
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    process: Child,
}

impl Python {
    /// Starts a program, given as its text, with arguments.
    pub fn start(program: &str, arguments: impl IntoIterator<Item = String>) -> Self {
        let interpreter = interpreter();
        let mut process = Command::new(&interpreter)
            .args(["-c", program])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("MOECACHE_PYTHON, {interpreter}: {error}"));
        Self {
            questions: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    pub fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.questions, "{question}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_ne!(answer, "", "the program ended: {:?}", self.process.wait());
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
