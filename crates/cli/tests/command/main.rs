//! The compiled binary, from outside.
#![expect(clippy::unwrap_used, reason = "a test may")]

mod draw;
mod facts;
mod help;
mod pin;
mod readme;
mod report;
mod run;
mod story;
mod test;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A response is lost, and a retry becomes a duplicate. Idempotence cures it.
const DUPLICATE: &str = r#"{
  "title": "A lost response",
  "teaches": "A retry is a new batch to a broker that does not know the sender.",
  "cluster": { "brokers": 3 },
  "topics": [{ "name": "orders", "replication": 3, "config": { "min.insync.replicas": 2 } }],
  "producers": [{
    "name": "p1",
    "config": { "enable.idempotence": false },
    "workload": [{ "topic": "orders", "records": 2, "every": "20ms" }],
  }],
  "faults": [{
    "when": { "happened": "BatchAppended", "where": { "broker": "leader of orders-0" } },
    "then": { "lose": { "next": "response", "to": "p1" } },
  }],
  "expect": { "verdict": "allowed", "counts": { "acked": 2, "duplicated": 1 } },
  "fix": {
    "why": "The leader recognises the retry.",
    "set": { "enable.idempotence": true },
    "expect": { "verdict": "ok", "facts": [{ "happened": "DuplicateRecognized" }] },
  },
}"#;

/// A directory of its own for a test.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_inflight"));
        command.args(args).current_dir(&self.0).env_remove("COLUMNS").stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        Ran::from(self.command(args).output().unwrap())
    }
}

/// What a command printed, and how it ended.
#[derive(Debug)]
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("no signal ends it"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    #[track_caller]
    fn ends(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn out(&self, text: &str) -> &Self {
        assert!(self.out.contains(text), "{text:?} is not in:\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    fn err(&self, text: &str) -> &Self {
        assert!(self.err.contains(text), "{text:?} is not in:\n{}", self.err);
        self
    }

    #[track_caller]
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}:\n{}", self.out))
    }
}
