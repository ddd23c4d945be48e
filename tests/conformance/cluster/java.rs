//! Java processes. Each one ends when its standard input does, so none outlives this process.

use crate::outcome::Told;
use inflight_tests::workspace;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// How long a process may live, in seconds, if everything else fails to end it.
const LIFE_MAX: u32 = 7200;
/// How long a client may take for one command or callback.
const PATIENCE: Duration = Duration::from_secs(90);

fn directory() -> PathBuf {
    workspace().join("tests/conformance")
}

/// Builds the Maven project.
pub(crate) fn build() {
    let maven = Command::new("mvn").args(["-q", "-B", "package"]).current_dir(directory()).status();
    assert!(maven.expect("mvn is installed").success(), "mvn package");
}

/// A Java process with a small heap.
fn java(program: &str, heap: &str, arguments: &[&str]) -> Command {
    let mut java = Command::new("java");
    java.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", heap])
        .args(["-cp", "target/classes:target/lib/*"])
        .arg(format!("conformance.cluster.{program}"))
        .args(arguments)
        .arg(LIFE_MAX.to_string())
        .current_dir(directory())
        .stdin(Stdio::piped());
    java
}

/// A broker or the controller.
#[derive(Debug)]
pub(crate) struct Node {
    child: Child,
    input: ChildStdin,
}

impl Node {
    /// Starts a node with this file of properties.
    pub(crate) fn start(properties: &Path, cluster: &str) -> Self {
        let properties = properties.to_string_lossy();
        let mut java = java("Node", "-Xmx256m", &[&properties, cluster]);
        let mut child = java.stdout(Stdio::null()).spawn().expect("java is installed");
        let input = child.stdin.take().expect("a pipe");
        Self { child, input }
    }

    /// Asks for a controlled shutdown, and waits for its end.
    pub(crate) fn stop(mut self) {
        writeln!(self.input, "stop").expect("it listens");
        self.child.wait().expect("a process ends");
    }
}

impl Drop for Node {
    /// SIGKILL.
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// An application with real producers.
#[derive(Debug)]
pub(crate) struct Client {
    child: Child,
    input: ChildStdin,
    lines: Receiver<Value>,
    told: Vec<(u64, Told)>,
}

impl Client {
    /// Starts it with these bootstrap.servers.
    pub(crate) fn start(servers: &str) -> Self {
        let mut java = java("Client", "-Xmx128m", &[servers]);
        let mut child = java.stdout(Stdio::piped()).spawn().expect("java is installed");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect("a line of JSON");
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, input, lines, told: Vec::new() }
    }

    /// Carries a command out and returns its answer, or what went wrong.
    pub(crate) fn attempt(&mut self, command: &Value) -> Result<Value, String> {
        writeln!(self.input, "{command}").expect("it listens");
        loop {
            let line = self.next_line(&command.to_string());
            match line.get("wrong") {
                Some(wrong) => return Err(wrong.to_string()),
                None if line.get("done").is_some() => return Ok(line),
                None => {}
            }
        }
    }

    /// Carries a command out that must succeed.
    pub(crate) fn ask(&mut self, command: &Value) -> Value {
        self.attempt(command).unwrap_or_else(|wrong| panic!("{wrong}: {command}"))
    }

    /// The next line; what callbacks say is noted.
    fn next_line(&mut self, what: &str) -> Value {
        let line = self.lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|wrong| panic!("{wrong} while waiting for {what}"));
        if let Some(message) = line.get("told").and_then(Value::as_u64) {
            let told = match (line["error"].as_str(), line["offset"].as_u64()) {
                (Some(error), _) => Told::Failed(error.to_owned()),
                (None, offset) => Told::Acked(offset),
            };
            self.told.push((message, told));
        }
        line
    }

    /// How often a message's callback was called.
    pub(crate) fn callbacks(&self, message: u64) -> usize {
        self.told.iter().filter(|(told, _)| *told == message).count()
    }

    /// Waits until a message's callback was called so many times. Returns the last word.
    pub(crate) fn wait_for(&mut self, message: u64, times: usize) -> Told {
        while self.callbacks(message) < times {
            self.next_line(&format!("the callback of message {message}"));
        }
        let last = self.told.iter().rev().find(|(told, _)| *told == message);
        last.expect("it was told").1.clone()
    }

    /// Everything that callbacks said, in order, which is then forgotten.
    pub(crate) fn take_told(&mut self) -> Vec<(u64, Told)> {
        // What has been printed before this answer has been read by then.
        self.ask(&json!({ "do": "nothing" }));
        std::mem::take(&mut self.told)
    }
}

impl Drop for Client {
    /// SIGKILL.
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
