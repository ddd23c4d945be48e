//! The README's examples are what the program prints.

use std::path::Path;

/// Each block that begins with `$ inflight` is run in the project's folder. `UPDATE_EXPECT=1`
/// writes down what came out.
#[test]
fn examples_are_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let mut actual = String::new();
    let mut examples = 0;
    let mut rest = readme.as_str();
    while let Some((before, block)) = rest.split_once("```text\n$ inflight ") {
        let (block, after) = block.split_once("```\n").unwrap();
        let arguments = block.lines().next().unwrap_or_default();
        let program = std::process::Command::new(env!("CARGO_BIN_EXE_inflight"))
            .args(arguments.split(' '))
            .args(["--color", "never"])
            .env("COLUMNS", "92")
            .current_dir(&root)
            .output()
            .unwrap();
        let printed = String::from_utf8([program.stdout, program.stderr].concat()).unwrap();
        let printed = printed.trim_end();
        actual += &format!("{before}```text\n$ inflight {arguments}\n{printed}\n```\n");
        examples += 1;
        rest = after;
    }
    actual += rest;
    assert!(examples > 0, "the README has examples");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &actual).unwrap();
    }
    same_lines(&readme, &actual);
}

fn same_lines(expected: &str, actual: &str) {
    for (number, (old, new)) in expected.lines().zip(actual.lines()).enumerate() {
        assert_eq!(old, new, "README.md, line {}; UPDATE_EXPECT=1 writes it anew", number + 1);
    }
    assert_eq!(expected.lines().count(), actual.lines().count(), "README.md has other lines");
}
