//! What came out, why, and what would have helped.

use super::{Shown, Twin, stopped, story};
use crate::command::{in_one_line, repeated};
use crate::printer::{Look, Printer};
use inflight::{Count, Counts, Explanation, Judgement, Reason, Unmet, Verdict};
use std::io;

/// How many findings are told in full, unless all are asked for.
const FINDINGS: usize = 4;

impl Shown<'_> {
    pub(super) fn print_verdict(&self, printer: &mut Printer) -> io::Result<()> {
        let judgement = &self.report.judgement;
        let worst = judgement.worst();
        printer.gap()?;
        let heading = printer.paint(Look::Bold, "Verdict:");
        let word = printer.paint(look(worst), worst);
        printer.line(format_args!("{heading} {word}, {}", meaning(worst)))?;
        printer.line(format_args!("  {}", counted(judgement)))?;
        for stopped::Stopped { client, error } in stopped::of(self.description, self.facts) {
            let note = format!("{client} was stopped by an error: {error}");
            printer.line(format_args!("  {}", printer.paint(Look::Notable, note)))?;
        }
        let mut told = 0;
        for (explanation, before) in self.told() {
            print_finding(explanation, before, printer)?;
            told += 1;
        }
        let rest = judgement.findings.len().saturating_sub(told);
        if rest > 0 {
            printer.gap()?;
            let plural = if rest == 1 { "" } else { "s" };
            let note = format!("  {rest} more finding{plural}; --all tells everything");
            printer.line(printer.paint(Look::Dim, note))?;
        }
        Ok(())
    }

    /// The findings that are told, each with one before it that tells its story.
    pub(super) fn told(&self) -> impl Iterator<Item = (&Explanation, Option<&Explanation>)> {
        let told = if self.args.all { usize::MAX } else { FINDINGS };
        let explanations = &self.report.explanations;
        (0..explanations.len().min(told)).map(|index| {
            let (before, found) = (&explanations[..index], &explanations[index]);
            (found, story::teller(before, found))
        })
    }

    pub(super) fn print_expectations(&self, printer: &mut Printer) -> io::Result<()> {
        let Some(scenario) = self.scenario else { return Ok(()) };
        let expected = scenario.expectations.len();
        if expected == 0 {
            return Ok(());
        }
        printer.gap()?;
        if self.is_changed() {
            let note = "What the file expects is not judged: settings were changed (--set).";
            return printer.line(printer.paint(Look::Dim, note));
        }
        print_unmet(self.unmet, expected, printer)
    }

    pub(super) fn print_twin(&self, printer: &mut Printer) -> io::Result<()> {
        let Some(Twin { fix, played }) = &self.twin else { return Ok(()) };
        let changes: Vec<String> =
            fix.changes.iter().map(|(key, value)| format!("{key}={value}")).collect();
        printer.gap()?;
        let heading = printer.paint(Look::Bold, "The fix:");
        let changes = printer.paint(Look::Good, changes.join(", "));
        printer.line(format_args!("{heading} {changes}"))?;
        printer.line(format_args!("  {}", fix.why))?;
        let row = |name: &str, verdict: &str, counts: [String; 6]| {
            format!(
                "  {name:<12}  {verdict:<9}  {:>7}  {:>7}  {:>7}  {:>7}  {:>10}  {:>9}",
                counts[0], counts[1], counts[2], counts[3], counts[4], counts[5],
            )
        };
        let columns = [
            Count::Sent,
            Count::Acked,
            Count::Failed,
            Count::Lost,
            Count::Duplicated,
            Count::Reordered,
        ];
        let heading = row("", "verdict", columns.map(|count| count.word().to_owned()));
        printer.line(printer.paint(Look::Dim, heading))?;
        let counts = |counts: &Counts| columns.map(|count| count.of(counts).to_string());
        let own = &self.report.judgement;
        printer.line(row("as it is", own.worst().word(), counts(&own.counts)))?;
        let theirs = &played.judgement;
        printer.line(row("with the fix", theirs.worst().word(), counts(&theirs.counts)))?;
        let expected = fix.scenario.expectations.len();
        if expected > 0 && !self.is_changed() {
            print_unmet(&played.unmet, expected, printer)?;
        }
        Ok(())
    }
}

fn print_finding(
    found: &Explanation,
    before: Option<&Explanation>,
    printer: &mut Printer,
) -> io::Result<()> {
    let finding = &found.finding;
    printer.gap()?;
    let word = printer.paint(look(finding.verdict), finding.verdict);
    let (id, name) = (finding.checker.id(), finding.checker.word());
    printer.line(format_args!("  {id} {name}: {word}"))?;
    printer.line(format_args!("  {}.", capital(&found.headline)))?;
    if finding.excuse == Some(Reason::NeverPromised) {
        printer.line(format_args!("  {}.", Reason::NeverPromised))?;
    } else if let Some(excuse) = finding.excuse {
        let (guarantee, name) = (finding.guarantee, finding.guarantee.terms().name);
        printer.line(format_args!("  {guarantee} ({name}) does not hold: {excuse}."))?;
    }
    if let Some(before) = before {
        let id = before.finding.checker.id();
        if before.mechanism == found.mechanism {
            let note = format!("  The story is that of {id}.");
            return printer.line(printer.paint(Look::Dim, note));
        }
        let note = format!("  The story is told with {id}.");
        printer.line(printer.paint(Look::Dim, note))?;
        return printer.line(format_args!("  {}", found.mechanism.sentence()));
    }
    let decisive = finding.decisive.map(|fact| fact.index);
    for step in &found.chain {
        let is_decisive = decisive == u64::try_from(step.index).ok();
        let mark = if is_decisive { ">" } else { " " };
        let line = format!("  {mark} {:>5}  {}", step.index + 1, step.sentence);
        let line = if is_decisive { printer.paint(Look::Notable, line) } else { line };
        printer.line(line)?;
    }
    printer.line(format_args!("  {}", found.mechanism.sentence()))?;
    if let Some(otherwise) = &found.otherwise {
        printer.line(format_args!("  {}", capital(otherwise)))?;
    }
    for remedy in &found.remedies {
        let what = printer.paint(Look::Good, remedy.what);
        printer.line(format_args!("  + {what}: {}", remedy.why))?;
    }
    Ok(())
}

fn print_unmet(unmet: &[Unmet], expected: usize, printer: &mut Printer) -> io::Result<()> {
    let count = match expected {
        1 => "The one expectation".to_owned(),
        more => format!("All {more} expectations"),
    };
    if unmet.is_empty() {
        let met = if expected == 1 { "is met" } else { "are met" };
        return printer.line(printer.paint(Look::Good, format!("{count} {met}.")));
    }
    let heading = format!("{} of {expected} expectations not met:", unmet.len());
    printer.line(printer.paint(Look::Bad, heading))?;
    for one in unmet {
        printer.line(format_args!("  {}", in_one_line(one)))?;
    }
    Ok(())
}

const fn look(verdict: Verdict) -> Look {
    match verdict {
        Verdict::Ok => Look::Good,
        Verdict::Vacuous => Look::Dim,
        Verdict::Allowed | Verdict::Possible => Look::Notable,
        Verdict::Violation => Look::Bad,
    }
}

/// A verdict in words.
const fn meaning(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Vacuous => "nothing was examined",
        Verdict::Ok => "everything holds that was examined",
        Verdict::Allowed => "something went wrong that Kafka does not promise to prevent here",
        Verdict::Possible => "a promise may be broken",
        Verdict::Violation => "a promise of Kafka's is broken",
    }
}

/// A text with a capital.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().iter().flat_map(|c| c.to_uppercase()).collect();
    first + letters.as_str()
}

/// Counts in a line: those that always matter, and others that are not 0.
fn counted(judgement: &Judgement) -> String {
    let counts = &judgement.counts;
    let always = [Count::Sent, Count::Acked, Count::Lost, Count::Duplicated, Count::Reordered];
    let shown = Count::ALL
        .iter()
        .filter(|count| always.contains(count) || (count.of(counts) > 0 && **count != Count::Read));
    let mut texts: Vec<String> =
        shown.map(|count| format!("{} {}", count.of(counts), count.word())).collect();
    let repeated = repeated(judgement);
    if repeated > 0 {
        texts.push(format!("{repeated} repeated"));
    }
    texts.join(", ")
}
