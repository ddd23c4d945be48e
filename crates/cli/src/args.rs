//! What can be typed.

use clap::{Parser, Subcommand, ValueEnum};
use std::num::NonZeroUsize;
use std::path::PathBuf;

const AFTER: &str = "\
Exit codes:
  0   fine
  1   an expectation of a scenario was not met
  2   unusable input or usage
  70  a bug of inflight";

/// Simulates what Kafka producers and brokers do to your records, and says what was lost,
/// duplicated or reordered, and why.
#[derive(Debug, Parser)]
#[command(name = "inflight", version, after_help = AFTER, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Whether to use colour
    #[arg(long = "color", global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) colour: ColourChoice,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColourChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a scenario and tell what came out and why
    Run(RunArgs),
    /// Draw a picture of a run
    Draw(DrawArgs),
    /// Make a gallery: a page with pictures for each scenario, and an index
    Report(ReportArgs),
    /// Run scenarios against what they expect
    Test(TestArgs),
    /// Run a scenario and print one that repeats the run, with everything that was drawn pinned
    Pin(PinArgs),
    /// List the facts that scenarios and traces speak of
    Facts(FactsArgs),
    /// Print the JSON Schema of scenario files, for editors
    Schema,
}

/// How a scenario is to be read.
#[derive(Debug, clap::Args)]
pub(crate) struct ReadArgs {
    /// The seed, in place of the file's
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Change a setting: acks=1, p1.linger.ms=0, orders.min.insync.replicas=2, network.latency=5ms
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// A scenario, or a trace (.jsonl) of an earlier run to be judged again
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
    /// Write all facts to this file, as JSON lines
    #[arg(long, value_name = "FILE.jsonl")]
    pub(crate) trace: Option<PathBuf>,
    /// Show every fact and every finding
    #[arg(long)]
    pub(crate) all: bool,
    /// Do not run the scenario's fix beside it
    #[arg(long)]
    pub(crate) no_twin: bool,
    /// Use ASCII alone
    #[arg(long)]
    pub(crate) ascii: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DrawArgs {
    /// A scenario, or a trace (.jsonl) of an earlier run
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// What to draw
    #[arg(long, value_name = "KIND", default_value = "sequence")]
    pub(crate) kind: PictureKind,
    /// Draw the run and its fix side by side, and mark where they part
    #[arg(long)]
    pub(crate) twin: bool,
    /// How time is drawn
    #[arg(long, value_name = "SCALE", default_value = "hybrid")]
    pub(crate) scale: PictureScale,
    /// What to draw of it: auto, anomaly, a record by its letter, or a window as in 10ms..2s
    #[arg(long, value_name = "FOCUS", default_value = "auto")]
    pub(crate) focus: String,
    /// The format
    #[arg(long, value_name = "FORMAT", default_value = "svg")]
    pub(crate) format: PictureFormat,
    /// Light or dark
    #[arg(long, value_name = "THEME", default_value = "light")]
    pub(crate) theme: PictureTheme,
    /// The language of labels
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(crate) lang: PictureLang,
    /// Write it to this file
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PictureKind {
    /// Who knew what, and when: lifelines and messages.
    Sequence,
    /// What each replica's log holds, offset by offset.
    Log,
    /// Where records wait in the producer.
    Pipeline,
    /// The parts of the time from send() to the callback.
    Latency,
    /// What became of each transaction: calls, states, control records, what readers see.
    Txn,
    /// What the leader compares a batch with.
    Dedup,
    /// What was said of each record, and where it is.
    Truth,
    /// The producer with its settings and counts.
    Overview,
    /// What a leader answers, by acks, min.insync.replicas and replicas in sync. Takes no file.
    IsrGrid,
}

/// How time is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PictureScale {
    /// One event after the other.
    Order,
    /// In proportion.
    Time,
    /// In proportion, with long waits cut.
    Hybrid,
}

/// The format of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PictureFormat {
    /// A vector picture for pages.
    Svg,
    /// Pixels, twice as many as the picture's size.
    Png,
    /// Characters, for terminals and commit messages.
    Text,
    /// A page to step through the whole run, in one file.
    Html,
    /// The sequence as a Mermaid diagram, for code hosts.
    Mermaid,
    /// The sequence as a PlantUML diagram.
    Plantuml,
    /// The sequence as a log for ShiViz.
    Shiviz,
}

/// The ground of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PictureTheme {
    /// On white.
    Light,
    /// On nearly black.
    Dark,
}

/// The language of labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PictureLang {
    /// English.
    En,
    /// Korean.
    Ko,
    /// Korean with English terms beside it.
    Both,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// Scenarios, or directories with scenarios in them
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The directory to write into
    #[arg(long, short, value_name = "DIR", default_value = "reports")]
    pub(crate) out: PathBuf,
    /// Write nothing: say which files are missing, out of date, or left over
    #[arg(long)]
    pub(crate) check: bool,
    /// The language of labels
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(crate) lang: PictureLang,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// Scenarios, or directories with scenarios in them
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Write the results to this file, as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// How many scenarios run at once [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PinArgs {
    /// The scenario
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FactsArgs {
    /// One fact, with its fields
    pub(crate) name: Option<String>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one object.
    Json,
}
