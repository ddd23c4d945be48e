//! What the commands say of themselves: a change of any help text is seen here.

use super::Place;
use expect_test::expect_file;

#[test]
fn help_texts_are_reviewed() {
    let place = Place::new("help");
    let mut all = String::new();
    for command in [&[][..], &["run"], &["test"], &["pin"], &["facts"], &["schema"]] {
        let args = [command, &["--help"]].concat();
        let ran = place.run(&args);
        all.push_str(&format!("$ inflight {}\n{}\n", args.join(" "), ran.ends(0).out));
    }
    expect_file!["help.txt"].assert_eq(&all);
    place.run(&["--version"]).ends(0).out("inflight 0.1.0\n");
    place.run(&[]).ends(2).err("Usage: inflight");
    place.run(&["runn"]).ends(2).err("a similar subcommand exists: 'run'");
}
