//! The Java programs: built with Maven, and asked line by line.

use inflight_tests::workspace;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

fn directory() -> PathBuf {
    workspace().join("tests/conformance")
}

/// Builds the Maven project.
pub(crate) fn build() {
    let maven = Command::new("mvn").args(["-q", "-B", "package"]).current_dir(directory()).status();
    assert!(maven.expect("mvn is installed").success(), "mvn package");
}

/// A running Java program that answers each line with one.
pub(crate) struct Kafka {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Kafka {
    /// Starts the program of this name.
    pub(crate) fn start(program: &str) -> Self {
        let separator = if cfg!(windows) { ';' } else { ':' };
        let mut child = Command::new("java")
            .args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
            .arg(format!("target/classes{separator}target/lib/*"))
            .arg(format!("conformance.{program}"))
            .current_dir(directory())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("java is installed");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("its output is piped"));
        Self { child, input, output }
    }

    /// What it makes of a script.
    pub(crate) fn ask(&mut self, script: &Value) -> Value {
        let input = self.input.as_mut().expect("it is running");
        writeln!(input, "{script}").expect("it reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it writes");
        serde_json::from_str(&line).unwrap_or_else(|wrong| panic!("{wrong}: {line:?} for {script}"))
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        // The end of its input is the end of it.
        self.input = None;
        let _ended = self.child.wait();
    }
}
