//! `inflight run`

mod json;
mod settings;
mod stopped;
mod story;
mod timeline;
mod verdict;

use crate::args::{ColourChoice, Format, RunArgs};
use crate::failure::{Exit, Failure, warn};
use crate::printer::{Look, Printer};
use inflight::trace::jsonl::{Trace, Writer, save};
use inflight::{
    Description, Fact, Fix, Halt, Instant, Keep, Loaded, Played, Report, Unmet, judge_recording,
    play,
};
use inflight_view::{Kind, Lang, Story, plain};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

/// A run as it is shown, whether it was run now or read from a file.
struct Shown<'a> {
    args: &'a RunArgs,
    description: &'a Description,
    facts: &'a [(Instant, Fact)],
    report: Report,
    digest: String,
    events: u64,
    halt: Halt,
    /// What only a scenario has.
    scenario: Option<&'a Loaded>,
    /// Whether the cluster was at rest at the end, if that is known.
    settled: Option<bool>,
    unmet: &'a [Unmet],
    twin: Option<Twin<'a>>,
}

/// The run of a scenario with its fix.
struct Twin<'a> {
    fix: &'a Fix,
    played: Played,
}

/// Runs a scenario, or judges a trace again, and tells what came out.
pub(crate) fn run(
    args: &RunArgs,
    colour: ColourChoice,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    match args.file.extension().is_some_and(|extension| extension == "jsonl") {
        true => run_trace(args, printer),
        false => run_scenario(args, colour, printer),
    }
}

fn run_scenario(
    args: &RunArgs,
    colour: ColourChoice,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let scenario = super::read(&args.file, &args.read)?;
    warn(&scenario.warnings, colour)?;
    let is_changed = !args.read.set.is_empty();
    let judged = |mut played: Played| {
        // The file speaks of other settings.
        if is_changed {
            played.unmet.clear();
        }
        played
    };
    let played = judged(play(&scenario, Keep::Everything));
    if let Some(path) = &args.trace {
        write_trace(path, &scenario, &played)?;
    }
    let fix = scenario.fix.as_deref().filter(|_| !args.no_twin);
    let twin = fix.map(|fix| Twin { fix, played: judged(play(&fix.scenario, Keep::Everything)) });
    let twin_unmet = twin.as_ref().is_some_and(|twin| !twin.played.unmet.is_empty());
    let shown = Shown {
        args,
        description: &scenario.description,
        facts: &played.facts,
        report: played.explain(&scenario.description),
        digest: played.trace_digest(),
        events: played.events,
        halt: played.halt,
        scenario: Some(&scenario),
        settled: Some(played.settled),
        unmet: &played.unmet,
        twin,
    };
    shown.print(printer)?;
    Ok(if played.unmet.is_empty() && !twin_unmet { Exit::Fine } else { Exit::Unmet })
}

fn run_trace(args: &RunArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    if args.read.seed.is_some() || !args.read.set.is_empty() || args.trace.is_some() {
        let problem = "a trace is judged as it is: --seed, --set and --trace need a scenario";
        return Err(Failure::Input(problem.to_owned()));
    }
    let trace = read_trace(&args.file)?;
    let shown = Shown {
        args,
        description: &trace.description,
        facts: &trace.facts,
        report: judge_recording(&trace.description, &trace.facts),
        digest: trace.ending.digest.clone(),
        events: trace.ending.events,
        halt: trace.ending.halt,
        scenario: None,
        settled: None,
        unmet: &[],
        twin: None,
    };
    shown.print(printer)?;
    Ok(Exit::Fine)
}

/// Reads the facts of an earlier run.
pub(crate) fn read_trace(path: &Path) -> Result<Trace, Failure> {
    let name = path.display();
    let file =
        File::open(path).map_err(|error| Failure::Input(format!("cannot read {name}: {error}")))?;
    Trace::read(BufReader::new(file)).map_err(|error| Failure::Input(format!("{name}: {error}")))
}

fn write_trace(path: &Path, scenario: &Loaded, played: &Played) -> Result<(), Failure> {
    let written = save(path, |out| {
        let mut writer = Writer::new(out, &scenario.description)?;
        for (at, fact) in &played.facts {
            writer.write(*at, fact)?;
        }
        writer.finish(played.events, &played.trace_digest(), played.halt).map(drop)
    });
    written.map_err(|error| Failure::Input(error.to_string()))
}

impl Shown<'_> {
    fn print(&self, printer: &mut Printer) -> io::Result<()> {
        if self.args.format == Format::Json {
            return printer.line(format_args!("{:#}", self.to_json()));
        }
        self.print_title(printer)?;
        self.print_settings(printer)?;
        self.print_promises(printer)?;
        self.print_timeline(printer)?;
        self.print_truth(printer)?;
        self.print_verdict(printer)?;
        self.print_expectations(printer)?;
        self.print_twin(printer)?;
        self.print_again(printer)
    }

    /// Whether settings were changed from what the file says.
    fn is_changed(&self) -> bool {
        !self.args.read.set.is_empty()
    }

    fn print_title(&self, printer: &mut Printer) -> io::Result<()> {
        let title = printer.paint(Look::Bold, &self.description.title);
        printer.line(title)?;
        for sentence in self.scenario.iter().flat_map(|scenario| &scenario.teaches) {
            for line in wrapped(sentence, printer.width().unwrap_or(100).saturating_sub(2)) {
                printer.line(format_args!("  {line}"))?;
            }
        }
        let Description { kafka, seed, program, .. } = self.description;
        let facts = format!("Kafka {kafka}, seed {seed}, inflight {program}");
        let facts = printer.paint(Look::Dim, facts);
        printer.line(format_args!("  {facts}"))
    }

    /// What was said of each record, and where it is: the same layout as in pictures.
    fn print_truth(&self, printer: &mut Printer) -> io::Result<()> {
        let story =
            Story { description: self.description, facts: self.facts, report: &self.report };
        // A run without records has nothing to say here.
        let Ok(table) = plain(Kind::Truth, &story, Lang::En) else { return Ok(()) };
        printer.gap()?;
        printer.line(printer.paint(Look::Bold, "What was said, and what is there"))?;
        for line in table.lines() {
            let line: String = match self.args.ascii {
                true => line.chars().map(in_ascii).collect(),
                false => line.to_owned(),
            };
            printer.line(format_args!("  {}", line.trim_end()))?;
        }
        Ok(())
    }

    /// How to see it again.
    fn print_again(&self, printer: &mut Printer) -> io::Result<()> {
        printer.gap()?;
        printer.line(printer.paint(Look::Dim, format!("digest {}", self.digest)))?;
        let mut command = format!("inflight run {}", quoted(&self.args.file.display().to_string()));
        if self.scenario.is_some() {
            command.push_str(&format!(" --seed {}", self.description.seed));
        }
        for change in &self.args.read.set {
            command.push_str(&format!(" --set {}", quoted(change)));
        }
        printer.line(printer.paint(Look::Dim, format!("again: {command}")))
    }
}

/// A sign of a table in plain ASCII.
const fn in_ascii(sign: char) -> char {
    match sign {
        '✓' => 'v',
        '✕' => 'x',
        '≡' => '=',
        '─' | '–' => '-',
        '′' => '\'',
        other => other,
    }
}

/// A text as a shell takes it for one word.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-=,:+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A text in lines that fit.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    use inflight::trace::lanes::display_width;
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.is_empty() {
            line.push_str(word);
        } else if display_width(line) + 1 + display_width(word) <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
