//! What happened, as lanes.

use super::Shown;
use crate::printer::{Look, Printer};
use inflight::trace::lanes::{self, Focus, GlyphSet, Options};
use inflight::{Colour, Fact, Halt, Instant};
use std::collections::BTreeSet;
use std::io;

/// How many lines are shown of a long run, unless all are asked for.
const HEAD: usize = 40;
const TAIL: usize = 10;
/// How many lines are shown before and after a fault or a fact that decides a finding.
const AROUND: usize = 8;
/// How many faults and findings have their facts shown.
const PLACES: usize = 3;

impl Shown<'_> {
    pub(super) fn print_timeline(&self, printer: &mut Printer) -> io::Result<()> {
        let colour = match printer.colour() {
            Colour::Off => lanes::Colour::Off,
            Colour::Ansi => lanes::Colour::Ansi,
        };
        let options = Options {
            focus: if self.args.all { Focus::ALL } else { Focus::default() },
            glyphs: if self.args.ascii { GlyphSet::Ascii } else { GlyphSet::Unicode },
            colour,
            width: printer.width(),
        };
        printer.gap()?;
        printer.line(printer.paint(Look::Bold, "What happened"))?;
        let text = lanes::render(self.description, self.facts, &options);
        let mut lines = text.lines();
        if let Some(heading) = lines.next() {
            printer.line(heading)?;
        }
        let lines: Vec<&str> = lines.collect();
        let chosen = self.chosen(&options.focus, lines.len());
        let mut next = 0;
        for line in chosen {
            if line == next + 1 {
                printer.line(lines[next])?;
            } else if line > next {
                let skipped = format!("      … {} more …", line - next);
                printer.line(printer.paint(Look::Dim, skipped))?;
            }
            printer.line(lines[line])?;
            next = line + 1;
        }
        let hidden = self.facts.len() - lines.len();
        if hidden > 0 {
            let note =
                format!("      {hidden} facts of less interest are left out; --all shows them");
            printer.line(printer.paint(Look::Dim, note))?;
        }
        match self.halt {
            Halt::Quiescent if self.settled == Some(false) => {
                let note = "The cluster had not come to rest when the run ended (limits.settle).";
                printer.line(printer.paint(Look::Notable, note))
            }
            Halt::Quiescent => Ok(()),
            Halt::Horizon => {
                let note = "The run was cut off at its horizon (limits.horizon).";
                printer.line(printer.paint(Look::Notable, note))
            }
            Halt::EventBudget => {
                let note = "The run was cut off: too many events (limits.events).";
                printer.line(printer.paint(Look::Notable, note))
            }
        }
    }

    /// The lines that are shown, by their position.
    fn chosen(&self, focus: &Focus, lines: usize) -> BTreeSet<usize> {
        if self.args.all || lines <= HEAD + TAIL + 2 * AROUND {
            return (0..lines).collect();
        }
        let mut chosen: BTreeSet<usize> = (0..HEAD).chain(lines - TAIL..lines).collect();
        let findings = self.report.explanations.iter().take(PLACES);
        let decisive = findings.filter_map(|found| found.finding.decisive);
        let decisive = decisive.map(|fact| usize::try_from(fact.index).unwrap_or(usize::MAX));
        let is_fault =
            |(_, (_, fact)): &(usize, &(Instant, Fact))| matches!(fact, Fact::FaultInjected { .. });
        let faults = self.facts.iter().enumerate().filter(is_fault).map(|(index, _)| index);
        let shown = self.facts.iter().enumerate().filter(|(_, (_, fact))| focus.shows(fact));
        let shown: Vec<usize> = shown.map(|(index, _)| index).collect();
        for index in decisive.chain(faults.take(PLACES)) {
            let line = shown.partition_point(|shown| *shown < index);
            chosen.extend(line.saturating_sub(AROUND)..(line + AROUND).min(lines));
        }
        // What an explanation lists is there to be looked up.
        let told = self.told().filter(|(_, before)| before.is_none());
        let steps = told.flat_map(|(found, _)| found.chain.iter().map(|step| step.index));
        chosen.extend(steps.filter_map(|index| shown.binary_search(&index).ok()));
        chosen
    }
}
