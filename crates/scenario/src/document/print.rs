//! From tree to text.

use super::{Node, Value};
use std::fmt;

/// A value that is no longer than this stands on one line.
const WIDTH: usize = 96;
const INDENT: usize = 2;

impl fmt::Display for Node {
    /// JSON as a person would lay it out: what fits on one line stands on one line, but for the
    /// outermost object.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write(self, 0, 0, &mut text);
        f.write_str(&text)
    }
}

fn write(node: &Node, depth: usize, used: usize, text: &mut String) {
    let line = one_line(node);
    let outermost = depth == 0 && matches!(node.value, Value::Object(_));
    if !outermost && used + line.chars().count() <= WIDTH {
        text.push_str(&line);
        return;
    }
    let indent = |depth: usize| format!("\n{}", " ".repeat(depth * INDENT));
    match &node.value {
        Value::List(elements) if !elements.is_empty() => {
            text.push('[');
            for (index, element) in elements.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                text.push_str(&indent(depth + 1));
                write(element, depth + 1, (depth + 1) * INDENT + 1, text);
            }
            text.push_str(&indent(depth));
            text.push(']');
        }
        Value::Object(members) if !members.is_empty() => {
            text.push('{');
            for (index, member) in members.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { "," });
                text.push_str(&indent(depth + 1));
                let key = format!("{}: ", string(&member.key));
                text.push_str(&key);
                let used = (depth + 1) * INDENT + key.chars().count() + 1;
                write(&member.node, depth + 1, used, text);
            }
            text.push_str(&indent(depth));
            text.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => text.push_str(&line),
        Value::List(_) | Value::Object(_) => text.push_str(&line),
    }
}

fn one_line(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.clone(),
        Value::Text(text) => string(text),
        Value::List(elements) => {
            let elements: Vec<String> = elements.iter().map(one_line).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let member = |m: &super::Member| format!("{}: {}", string(&m.key), one_line(&m.node));
            let members: Vec<String> = members.iter().map(member).collect();
            format!("{{ {} }}", members.join(", "))
        }
    }
}

fn string(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::document::parse;
    use crate::source::SourceId;
    use expect_test::expect;

    #[test]
    fn a_document_is_laid_out_and_reads_back() {
        let text = r#"{"title":"A \"story\"","seed":1,"topics":[{"name":"orders","partitions":3},
            {"name":"a topic with a name that is rather long","partitions":12,"missing":false}],
            "limits":{},"list":[],"none":null}"#;
        let node = parse(SourceId::default(), text).unwrap();
        let printed = node.to_string();
        expect![[r#"
            {
              "title": "A \"story\"",
              "seed": 1,
              "topics": [
                { "name": "orders", "partitions": 3 },
                { "name": "a topic with a name that is rather long", "partitions": 12, "missing": false }
              ],
              "limits": {},
              "list": [],
              "none": null
            }"#]]
        .assert_eq(&printed);
        let again = parse(SourceId::default(), &printed).unwrap().to_string();
        assert_eq!(again, printed);
    }
}
