//! Results as JUnit XML.

use super::outcome::{Case, Outcome, Tested};
use crate::failure::Failure;
use inflight::Colour;
use inflight::trace::jsonl::save;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// Writes the results to a file, whole or not at all.
pub(super) fn write(path: &Path, tested: &[Tested]) -> Result<(), Failure> {
    let text = xml(tested);
    let saved = save(path, |out| out.write_all(text.as_bytes()));
    saved.map_err(|error| Failure::Input(error.to_string()))
}

fn xml(tested: &[Tested]) -> String {
    let cases = || tested.iter().flat_map(|tested| &tested.cases);
    let count = |wanted: fn(&Outcome) -> bool| cases().filter(|c| wanted(&c.outcome)).count();
    let failures = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let errors = count(|outcome| matches!(outcome, Outcome::Unusable(_) | Outcome::Panicked(_)));
    let tests = cases().count();
    let numbers = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(text, "<testsuites {numbers}>\n  <testsuite name=\"inflight\" {numbers}>");
    for tested in tested {
        for case in &tested.cases {
            write_case(&mut text, tested, case);
        }
    }
    text.push_str("  </testsuite>\n</testsuites>\n");
    text
}

fn write_case(text: &mut String, tested: &Tested, case: &Case) {
    let path = escaped(&tested.path.display().to_string());
    let name = match &case.fix {
        None => "as it is".to_owned(),
        Some(fix) => escaped(&format!("with {fix}")),
    };
    let _ = write!(text, "    <testcase classname=\"{path}\" name=\"{name}\"");
    let (element, message, details) = match &case.outcome {
        Outcome::Passed => {
            text.push_str("/>\n");
            return;
        }
        Outcome::Failed(unmet) => {
            let lines: Vec<String> = unmet.iter().map(ToString::to_string).collect();
            ("failure", lines.first().cloned().unwrap_or_default(), lines.join("\n"))
        }
        Outcome::Unusable(diagnostics) => {
            let first = diagnostics.iter().next().map(ToString::to_string);
            ("error", first.unwrap_or_default(), diagnostics.render(Colour::Off))
        }
        Outcome::Panicked(message) => ("error", "a bug of inflight".to_owned(), message.clone()),
    };
    let (message, details) = (escaped(&message), escaped(details.trim_end()));
    let _ = writeln!(
        text,
        ">\n      <{element} message=\"{message}\">{details}</{element}>\n    </testcase>"
    );
}

/// A text for attributes and elements. What XML cannot hold is replaced.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn texts_are_safe_in_xml() {
        assert_eq!(escaped("a<b & \"c\"\u{1b}[0m"), "a&lt;b &amp; &quot;c&quot;\u{fffd}[0m");
    }
}
