//! `inflight facts` and `inflight schema`

use super::Place;
use expect_test::expect;

#[test]
fn the_vocabulary_is_listed() {
    let place = Place::new("facts");
    let ran = place.run(&["facts"]);
    ran.ends(0).out("BatchAppended               A batch was written to a replica's log.");
    let all = place.run(&["facts", "--format", "json"]).ends(0).json();
    assert_eq!(all.as_array().unwrap().len(), ran.out.lines().count());
    let one = place.run(&["facts", "batchappended", "--format", "json"]).json();
    assert_eq!(one["fields"][0]["name"], "broker");
}

#[test]
fn one_fact_has_its_fields() {
    let place = Place::new("fact");
    let ran = place.run(&["facts", "BrokerCrashed"]);
    expect![[r#"
        BrokerCrashed
        A broker process is gone.

          broker     The broker.
                     a broker: 1, "b1" or "leader of orders-0"

          surviving  What is left of its logs.
                     one of appended, flushed
    "#]]
    .assert_eq(&ran.ends(0).out);
    let ran = place.run(&["facts", "BrokerCrash"]);
    ran.ends(2).err("error: there is no fact \"BrokerCrash\"; did you mean BrokerCrashed?\n");
    place.run(&["facts", "Weather"]).ends(2).err("\"inflight facts\" lists all");
}

#[test]
fn the_schema_is_one_object() {
    let schema = Place::new("schema").run(&["schema"]).ends(0).json();
    assert_eq!(schema["title"], "inflight scenario");
    assert!(schema["$ref"].is_string());
}
