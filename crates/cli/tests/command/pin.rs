//! `inflight pin`

use super::{DUPLICATE, Place};

#[test]
fn a_pinned_scenario_repeats_the_run() {
    let place = Place::new("pin");
    let random = DUPLICATE.replace(
        r#""when": { "happened": "BatchAppended", "where": { "broker": "leader of orders-0" } }"#,
        r#""when": { "happened": "BatchAppended", "odds": "1 in 5", "limit": 2 }"#,
    );
    let random = random.replace("\"records\": 2", "\"records\": 30");
    place.write("random.json", &random);
    let pinned = place.run(&["pin", "random.json", "--seed", "5"]);
    pinned.ends(0).out("\"seed\": 5").out("\"nth\": ");
    assert!(!pinned.out.contains("odds"), "{}", pinned.out);
    place.write("pinned.json", &pinned.out);
    let counts = |file: &str| {
        let ran = place.run(&["run", file, "--seed", "5", "--format", "json", "--no-twin"]);
        (ran.json()["counts"].clone(), ran.json()["end-ns"].clone())
    };
    assert_eq!(counts("pinned.json"), counts("random.json"));
}
