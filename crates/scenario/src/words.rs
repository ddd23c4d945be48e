//! Faults in words, for readers of a run: the `then` of a rule without its punctuation.

use crate::document::{Node, Value};
use inflight_sim::fault::{Action, FaultRule};

/// What each rule does, in the order of the rules. Rules that another one arms, to wait for the next
/// message, come behind those of the file and are called as that one.
pub(crate) fn of_faults(faults: Option<&Node>, rules: &[FaultRule]) -> Vec<String> {
    let written = match faults.map(|node| &node.value) {
        Some(Value::List(written)) => written.as_slice(),
        _ => &[],
    };
    let mut words: Vec<String> = written.iter().map(words_of).collect();
    words.resize(rules.len(), String::new());
    for (index, rule) in rules.iter().enumerate() {
        for action in &rule.then {
            if let Action::Arm { rule: armed } = action {
                words[*armed as usize] = words[index].replacen("next", "this", 1);
            }
        }
    }
    words
}

fn words_of(rule: &Node) -> String {
    let mut out = String::new();
    if let Some(then) = rule.get("then") {
        write(&mut out, then);
    }
    out
}

fn write(out: &mut String, node: &Node) {
    match &node.value {
        Value::Null => {}
        Value::Bool(value) => push(out, if *value { "yes" } else { "no" }),
        Value::Number(text) | Value::Text(text) => push(out, text),
        Value::List(elements) => {
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(out, element);
            }
        }
        Value::Object(members) => {
            for member in members {
                push(out, &member.key);
                write(out, &member.node);
            }
        }
    }
}

fn push(out: &mut String, word: &str) {
    if !out.is_empty() {
        out.push(' ');
    }
    out.push_str(word);
}

#[cfg(test)]
mod tests {
    #[test]
    fn actions_read_as_they_are_written() {
        let text = r#"{
            "title": "t", "cluster": { "brokers": 1 }, "topics": [{ "name": "orders", "replication": 1 }],
            "producers": [{ "name": "p1", "workload": [{ "topic": "orders", "records": 1 }] }],
            "faults": [
                { "when": { "at": "1ms" }, "then": { "crash": "leader of orders-0" } },
                { "when": { "at": "2ms" }, "then": [
                    { "pause": "p1", "for": "5ms" },
                    { "lose": { "next": "response", "from": "b1", "to": "p1" } }
                ] }
            ]
        }"#;
        let loaded =
            crate::load_text("t.json", text, &crate::Options::default()).expect("a scenario");
        let words = [
            "crash leader of orders-0",
            "pause p1 for 5ms, lose next response from b1 to p1",
            "pause p1 for 5ms, lose this response from b1 to p1",
        ];
        assert_eq!(loaded.description.faults, words);
    }
}
