//! `inflight draw`

use super::{DUPLICATE, Place};

#[test]
fn a_picture_is_drawn_in_every_format() {
    let place = Place::new("draw-formats");
    place.write("story.json", DUPLICATE);
    let svg = place.run(&["draw", "story.json", "--theme", "dark"]);
    svg.ends(0).out("<svg xmlns").out("append again [A]").out("#0D1117");
    let text = place.run(&["draw", "story.json", "--kind", "truth", "--format", "text"]);
    text.ends(0).out("[≡ @0 @1]");
    place.run(&["draw", "story.json", "--format", "png", "-o", "picture.png"]).ends(0);
    let bytes = std::fs::read(place.0.join("picture.png")).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"), "{:?}", &bytes[..8]);
    let page = place.run(&["draw", "story.json", "--format", "html", "--lang", "ko"]);
    page.ends(0)
        .out("<html lang=\"ko\">")
        .out("중복: 1")
        .out("inflight draw story.json --format html");
}

#[test]
fn twins_stand_side_by_side() {
    let place = Place::new("draw-twin");
    place.write("story.json", DUPLICATE);
    let twin = place.run(&["draw", "story.json", "--twin", "--kind", "log", "--format", "text"]);
    twin.ends(0).out("with enable.idempotence=true").out("◆ here the runs part");
    let (without, _) = DUPLICATE.split_once("\"fix\"").unwrap();
    place.write("single.json", &format!("{without}}}"));
    place.run(&["draw", "single.json", "--twin"]).ends(2).err("single.json has no fix");
}

#[test]
fn a_trace_of_yesterday_gives_the_same_picture() {
    let place = Place::new("draw-trace");
    place.write("story.json", DUPLICATE);
    place.run(&["run", "story.json", "--trace", "facts.jsonl"]).ends(0);
    let now = place.run(&["draw", "story.json", "--kind", "latency"]);
    let then = place.run(&["draw", "facts.jsonl", "--kind", "latency"]);
    assert_eq!(now.ends(0).out, then.ends(0).out);
    place.run(&["draw", "facts.jsonl", "--twin"]).ends(2).err("a trace is drawn as it is");
}

#[test]
fn a_focus_that_is_not_there_is_refused() {
    let place = Place::new("draw-focus");
    place.write("story.json", DUPLICATE);
    place
        .run(&["draw", "story.json", "--focus", "Z"])
        .ends(2)
        .err("no record of the run is called");
    place.run(&["draw", "story.json", "--focus", "1ms..x"]).ends(2).err("--focus \"x\"");
    place.run(&["draw", "story.json", "--focus", "0ms..1s"]).ends(0).out("send [A]");
}

#[test]
fn the_grid_takes_nothing_that_it_would_not_look_at() {
    let place = Place::new("draw-grid-alone");
    place.write("story.json", DUPLICATE);
    for (more, told) in [
        (&["story.json"][..], "takes no file"),
        (&["--seed", "2"], "takes no --seed"),
        (&["--set", "acks=1"], "takes no --set"),
        (&["--twin"], "takes no --twin"),
        (&["--focus", "anomaly"], "takes no --focus"),
        (&["--format", "html"], "takes --format svg, png or text"),
        (&["--format", "mermaid"], "takes --format svg, png or text"),
    ] {
        let args: Vec<&str> = ["draw", "--kind", "isr-grid"].iter().chain(more).copied().collect();
        let ran = place.run(&args);
        ran.ends(2).err(told);
        assert_eq!(ran.out, "", "{more:?}");
    }
}

#[test]
fn the_grid_says_what_a_leader_answers() {
    let place = Place::new("draw-grid");
    let grid = place.run(&["draw", "--kind", "isr-grid", "--format", "text"]);
    grid.ends(0);
    let rows: Vec<&str> = grid.out.lines().filter(|line| line.contains('│')).collect();
    let cells = |line: usize| -> Vec<String> {
        let cells = rows[line].split('│').map(str::trim).filter(|cell| !cell.is_empty());
        cells
            .filter(|cell| cell.starts_with(['✓', '✕', '?', '•', '!', '↯']))
            .map(str::to_owned)
            .collect()
    };
    // Three in sync: only acks=all outlives the leader, whatever min.insync.replicas.
    assert_eq!(cells(0)[0], "? no answer");
    assert_eq!(cells(0)[1..], ["✓ accepted"; 4]);
    assert_eq!(cells(2)[..2], ["↯ lost with the leader"; 2]);
    assert_eq!(cells(2)[2..], ["✓ survives the leader"; 3]);
    // Two and one: min.insync.replicas refuses, and acks=all with 1 protects nothing.
    assert_eq!(cells(3)[4], "✕ NOT_ENOUGH_REPLICAS");
    assert_eq!(cells(6)[3..], ["✕ NOT_ENOUGH_REPLICAS"; 2]);
    assert_eq!(cells(7)[3..], ["• not in the log"; 2]);
    assert_eq!(cells(8)[2], "↯ lost with the leader");
    // The followers go while the leader waits: below min.insync.replicas the high watermark stays,
    // so the request times out, and the record is there. Kafka: Partition.maybeIncrementLeaderHW.
    assert_eq!(cells(9)[3..], ["✕ REQUEST_TIMED_OUT"; 2]);
    assert_eq!(cells(10)[3..], ["! in the leader's log"; 2]);
    assert_eq!(cells(12), ["✕ no leader"; 5]);
    place.run(&["draw"]).ends(2).err("a scenario or a trace is needed");
}
