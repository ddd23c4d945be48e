//! Sources: how long they are, and what must not be in them.

use inflight_tests::{files_below, name_of, text_of, workspace};
use std::path::PathBuf;

/// A file that is longer holds more than one idea.
const LINES_MAX: usize = 800;

/// The crates that take part in a run, judge it or draw it: the same bytes on every machine.
const RUN: [&str; 9] =
    ["des", "protocol", "net", "producer", "broker", "sim", "trace", "check", "view"];

/// What depends on the machine, the moment or the process.
const WAVERING: [&str; 10] = [
    "HashMap",
    "HashSet",
    "std::time",
    "SystemTime",
    "std::thread",
    "thread::",
    "thread_local",
    "std::net",
    "available_parallelism",
    "type_name",
];

/// Functions of floating point numbers that every platform computes in its own way. The square
/// root is exact by the standard; everything else comes from `libm`.
const PLATFORM_FLOATS: [&str; 17] = [
    "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "ln", "log", "log2", "log10", "exp",
    "exp2", "exp_m1", "ln_1p", "powf", "powi",
];

/// Every source of the project.
fn sources() -> Vec<PathBuf> {
    let mut files = files_below(&workspace().join("crates"), ".rs");
    files.extend(files_below(&workspace().join("tests"), ".rs"));
    files
}

/// The sources of the crates that take part in a run, without their tests.
fn run_sources() -> Vec<PathBuf> {
    let source = |name| files_below(&workspace().join("crates").join(name).join("src"), ".rs");
    RUN.into_iter().flat_map(source).collect()
}

/// The lines of a file that are not comments, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    numbered.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether a line calls such a function as a method or by its path.
fn calls(line: &str, function: &str) -> bool {
    [".", "f64::", "f32::"].iter().any(|before| {
        let call = format!("{before}{function}(");
        line.contains(&call) && !line.contains(&format!("libm::{function}("))
    })
}

fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_is_too_long() {
    let long = sources().into_iter().filter_map(|path| {
        let lines = text_of(&path).lines().count();
        (lines > LINES_MAX).then(|| format!("{}: {lines} lines", name_of(&path)))
    });
    assert_none(&long.collect::<Vec<_>>());
}

#[test]
fn nothing_in_a_run_depends_on_the_machine() {
    let mut found = Vec::new();
    for path in run_sources() {
        for (number, line) in code(&text_of(&path)) {
            let words = WAVERING.iter().filter(|word| line.contains(*word));
            found.extend(words.map(|word| format!("{}:{number}: {word}", name_of(&path))));
            let floats = PLATFORM_FLOATS.iter().filter(|function| calls(line, function));
            found.extend(floats.map(|name| format!("{}:{number}: {name}()", name_of(&path))));
        }
    }
    assert_none(&found);
}

#[test]
fn a_world_reads_and_writes_no_files() {
    let mut found = Vec::new();
    for path in run_sources() {
        let name = name_of(&path);
        // Traces are files.
        if name.starts_with("crates/trace/src/jsonl/") {
            continue;
        }
        for (number, line) in code(&text_of(&path)) {
            let words = ["std::fs", "std::env", "std::process"];
            let words = words.into_iter().filter(|word| line.contains(word));
            found.extend(words.map(|word| format!("{name}:{number}: {word}")));
        }
    }
    assert_none(&found);
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not find itself.
    let marks = [["FIX", "ME"], ["todo", "!("], ["#[ig", "nore"]].map(|parts| parts.concat());
    let mut found = Vec::new();
    for path in sources() {
        for (index, line) in text_of(&path).lines().enumerate() {
            let marks = marks.iter().filter(|mark| line.contains(mark.as_str()));
            found.extend(marks.map(|mark| format!("{}:{}: {mark}", name_of(&path), index + 1)));
        }
    }
    assert_none(&found);
}

#[test]
fn no_file_knows_where_it_was_written() {
    let roots = ["work", "tmp", "home", "root", "Users"].map(|name| format!("/{name}/"));
    let endings = [".rs", ".toml", ".json", ".md", ".txt", ".lock", ".properties"];
    let top = fs_files(&endings);
    let mut found = Vec::new();
    for path in top {
        for (index, line) in text_of(&path).lines().enumerate() {
            let roots = roots.iter().filter(|root| line.contains(root.as_str()));
            found.extend(roots.map(|root| format!("{}:{}: {root}", name_of(&path), index + 1)));
        }
    }
    assert_none(&found);
}

/// Files of these kinds in the directories that belong to the project, and at the top.
fn fs_files(endings: &[&str]) -> Vec<PathBuf> {
    let below = ["crates", "docs", "reports", "scenarios", "tests"];
    let mut files = Vec::new();
    for ending in endings {
        for directory in below {
            let directory = workspace().join(directory);
            if directory.is_dir() {
                files.extend(files_below(&directory, ending));
            }
        }
    }
    let top = std::fs::read_dir(workspace()).expect("the workspace");
    let top = top.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
    let is_one = |path: &PathBuf| {
        let name = path.to_string_lossy();
        endings.iter().any(|ending| name.ends_with(ending))
    };
    files.extend(top.filter(is_one));
    files
}

#[test]
fn comments_and_libm_are_no_calls() {
    assert!(calls("let x = y.ln();", "ln"));
    assert!(calls("f64::exp(2.0)", "exp"));
    assert!(!calls("libm::log(2.0)", "log"));
    assert!(!calls("self.login()", "log"));
    let lines: Vec<_> = code("a\n  // b\n/// c\nd").collect();
    assert_eq!(lines, [(1, "a"), (4, "d")]);
}
