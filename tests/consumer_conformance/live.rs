//! Scripts on the real thing.

use crate::generate::{self, Space};
use crate::script::{Recorded, Script};
use crate::{difference, fixtures};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// How many fixtures of each space there are.
const FIXTURES_EACH: usize = 40;
/// Scripts with more lines are no fixtures.
const FIXTURE_LINES: usize = 60;

/// Kafka's consumer in a process of its own.
struct Kafka {
    process: Child,
    scripts: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Kafka {
    fn start() -> Self {
        let program = inflight_tests::workspace().join("tests/conformance/consumer/run");
        let mut process = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a JDK and Maven");
        let scripts = process.stdin.take().expect("a pipe");
        let answers = BufReader::new(process.stdout.take().expect("a pipe"));
        Self { process, scripts, answers }
    }

    fn play(&mut self, script: &Script) -> Recorded {
        let text = serde_json::to_string(script).expect("scripts are plain data");
        writeln!(self.scripts, "{text}").expect("Kafka listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("Kafka answers");
        let recorded: Recorded = serde_json::from_str(&line)
            .unwrap_or_else(|wrong| panic!("{wrong}\n{text}\nwas answered with\n{line}"));
        assert_eq!(recorded.script, *script, "Kafka played another script");
        recorded
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `how` is `record`, a file of scripts or a number of scripts.
pub(crate) fn run(how: &str) {
    let mut kafka = Kafka::start();
    if how == "record" {
        return record(&mut kafka);
    }
    if let Ok(scripts) = std::fs::read_to_string(how) {
        return show(&mut kafka, &scripts);
    }
    let count: u64 = how.parse().expect("CONSUMER_CONFORMANCE is `record` or a number");
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("CONSUMER_CONFORMANCE_SEED").unwrap_or(0_u64);
    let mut failures: Vec<Script> = Vec::new();
    let mut report = String::new();
    let only = std::env::var("CONSUMER_CONFORMANCE_SPACE").ok();
    for space in Space::ALL {
        if only.as_ref().is_some_and(|name| *name != space.name()) {
            continue;
        }
        let mut differ = 0;
        for seed in first..first + count {
            let script = generate::script(space, seed);
            if difference(&kafka.play(&script)).is_some() {
                differ += 1;
                if differ <= 3 {
                    failures.push(script);
                }
            }
        }
        let _ = writeln!(report, "{space:?}: {differ} of {count} differ");
    }
    if failures.is_empty() {
        return;
    }
    for script in failures {
        let small = shrink(&mut kafka, script);
        let text = serde_json::to_string(&small).expect("scripts are plain data");
        let shown = difference(&kafka.play(&small)).unwrap_or("but not always".to_owned());
        let _ = writeln!(report, "\n{text}\n{shown}");
    }
    panic!("{report}");
}

/// Plays the scripts of a file, one a line; the first that differs is shown.
fn show(kafka: &mut Kafka, scripts: &str) {
    for line in scripts.lines() {
        let script: Script = serde_json::from_str(line).expect("a script");
        if let Some(shown) = difference(&kafka.play(&script)) {
            panic!("{}\n{shown}", script.id);
        }
    }
}

/// Writes the fixtures anew.
fn record(kafka: &mut Kafka) {
    let mut text = String::new();
    for space in Space::ALL {
        let recordings = (0..).map(|seed| kafka.play(&generate::script(space, seed)));
        let short = recordings.filter(|recorded| recorded.lines.len() <= FIXTURE_LINES);
        for recorded in short.take(FIXTURES_EACH) {
            text.push_str(&serde_json::to_string(&recorded).expect("plain data"));
            text.push('\n');
        }
    }
    std::fs::write(fixtures(), text).expect("the fixtures");
}

/// The smallest script found that still differs: without steps, with earlier ones, sooner over.
fn shrink(kafka: &mut Kafka, mut script: Script) -> Script {
    loop {
        let before = script.clone();
        for size in [8, 4, 2, 1] {
            let mut start = 0;
            while start < script.steps.len() {
                let mut smaller = script.clone();
                smaller.steps.drain(start..(start + size).min(script.steps.len()));
                if difference(&kafka.play(&smaller)).is_some() {
                    script = smaller;
                } else {
                    start += size;
                }
            }
        }
        for candidate in simpler(&script) {
            if difference(&kafka.play(&candidate)).is_some() {
                script = candidate;
            }
        }
        if script == before {
            return script;
        }
    }
}

fn simpler(script: &Script) -> Vec<Script> {
    let mut found = Vec::new();
    let mut change = |with: &dyn Fn(&mut Script)| {
        let mut changed = script.clone();
        with(&mut changed);
        if changed != *script {
            found.push(changed);
        }
    };
    change(&|script| script.config.committed = false);
    change(&|script| script.config.max_poll_records = 500);
    change(&|script| script.config.auto_commit_ms = None);
    change(&|script| script.config.request_timeout_ms = 30_000);
    change(&|script| script.config.retry_backoff_max_ms = script.config.retry_backoff_ms);
    change(&|script| script.config.reconnect_backoff_max_ms = script.config.reconnect_backoff_ms);
    change(&|script| script.starts.fill(0));
    change(&|script| script.leaders.fill(1));
    found
}
