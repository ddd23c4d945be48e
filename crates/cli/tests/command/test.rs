//! `inflight test`

use super::{DUPLICATE, Place};
use expect_test::expect;

fn suite(name: &str) -> Place {
    let place = Place::new(name);
    place.write("all/b/lost.json", DUPLICATE);
    place.write(
        "all/a/wrong.json",
        &DUPLICATE.replace("\"duplicated\": 1", "\"duplicated\": { \"at-least\": 2 }"),
    );
    place.write("all/c.json", &DUPLICATE.replace("orders-0", "orders-1"));
    place.write("all/.hidden/x.json", "nothing");
    place.write("all/notes.txt", "nothing");
    place
}

#[test]
fn results_come_in_order_with_what_came_instead() {
    let place = suite("suite");
    let ran = place.run(&["test", "all"]);
    ran.ends(2);
    expect![[r#"
        FAIL  all/a/wrong.json  allowed: 2 of 2 acked, 1 duplicated
                counts.duplicated: expected at least 2, found 1
        ok      with enable.idempotence=true  ok: 2 of 2 acked
        ok    all/b/lost.json  allowed: 2 of 2 acked, 1 duplicated
        ok      with enable.idempotence=true  ok: 2 of 2 acked
        BAD   all/c.json
                error: unknown partition "orders-1"
                  --> all/c.json:12:65 (faults[0].when.where.broker)
                   |
                12 |     "when": { "happened": "BatchAppended", "where": { "broker": "leader of orders-1" } },
                   |                                                                 ^^^^^^^^^^^^^^^^^^^^ did you mean "orders-0"?

        3 scenarios: 3 passed, 1 failed, 1 unusable
    "#]]
    .assert_eq(&ran.out);
    place.run(&["test", "all/a", "all/b/lost.json"]).ends(1);
    place.run(&["test", "all/b"]).ends(0).out("1 scenario: 2 passed\n");
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let place = Place::new("threads");
    for number in 0..20 {
        let text = DUPLICATE.replace("\"records\": 2", &format!("\"records\": {}", 2 + number));
        place.write(&format!("all/{number:02}.json"), &text);
    }
    let one = place.run(&["test", "all", "--jobs", "1"]);
    for jobs in ["2", "3", "16", "64"] {
        assert_eq!(place.run(&["test", "all", "--jobs", jobs]).out, one.out);
    }
    assert_eq!(place.run(&["test", "all"]).out, one.out);
    one.ends(1).out("20 scenarios: 21 passed, 19 failed");
    place.run(&["test", "all", "--jobs", "0"]).ends(2);
}

#[test]
fn results_are_written_as_xml() {
    let place = suite("xml");
    place.run(&["test", "all", "--junit", "out.xml"]).ends(2);
    let xml = place.read("out.xml");
    assert!(xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"5\" failures=\"1\" errors=\"1\">"), "{xml}");
    assert!(
        xml.contains(
            "<testcase classname=\"all/b/lost.json\" name=\"with enable.idempotence=true\"/>"
        ),
        "{xml}"
    );
    assert!(
        xml.contains("<failure message=\"counts.duplicated: expected at least 2, found 1\">"),
        "{xml}"
    );
    assert!(xml.contains("did you mean &quot;orders-0&quot;?"), "{xml}");
    place
        .run(&["test", "all/b", "--junit", "absent/out.xml"])
        .ends(2)
        .err("cannot write absent/out.xml");
}

#[test]
fn a_suite_has_scenarios() {
    let place = Place::new("empty");
    place.write("all/notes.txt", "");
    place.run(&["test", "all"]).ends(2).err("error: there is no scenario (.json) below all\n");
    place.run(&["test", "absent"]).ends(2).err("cannot read absent");
    place.run(&["test"]).ends(2).err("Usage: inflight test");
}
