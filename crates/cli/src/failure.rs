//! What can go wrong, and how a process ends.

use crate::args::{Args, ColourChoice, Command, Format};
use crate::printer::{Look, Printer};
use inflight::Diagnostics;
use std::io;
use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Everything is fine.
    Fine = 0,
    /// An expectation was not met.
    Unmet = 1,
    /// The input or the usage makes no sense.
    Unusable = 2,
    /// A bug of ours.
    Bug = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not come to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Standard output could not be written.
    Output(io::Error),
    /// A scenario is wrong.
    Scenario(Box<Diagnostics>),
    /// Something else that was given is wrong.
    Input(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Scenario(Box::new(diagnostics))
    }
}

impl Failure {
    /// Tells it on standard error.
    pub(crate) fn report(&self, args: &Args) -> Exit {
        if let Self::Output(error) = self
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            return Exit::Fine;
        }
        let mut errors = Printer::errors(args.colour);
        let told = match self {
            Self::Output(error) => complain(&mut errors, &format!("cannot write: {error}")),
            Self::Input(problem) => complain(&mut errors, problem),
            Self::Scenario(diagnostics) if wants_json(&args.command) => {
                let object = serde_json::json!({ "diagnostics": diagnostics.to_json() });
                errors.line(format_args!("{object:#}"))
            }
            Self::Scenario(diagnostics) => tell(&mut errors, diagnostics),
        };
        // If standard error is closed too, the exit code has to do.
        let _ = told.and_then(|()| errors.flush());
        Exit::Unusable
    }
}

fn wants_json(command: &Command) -> bool {
    match command {
        Command::Run(run) => run.format == Format::Json,
        Command::Facts(facts) => facts.format == Format::Json,
        Command::Draw(_)
        | Command::Report(_)
        | Command::Test(_)
        | Command::Pin(_)
        | Command::Schema => false,
    }
}

fn complain(errors: &mut Printer, problem: &str) -> io::Result<()> {
    let word = errors.paint(Look::Bad, "error");
    errors.line(format_args!("{word}: {problem}"))
}

/// Prints diagnostics with their number.
pub(crate) fn tell(printer: &mut Printer, diagnostics: &Diagnostics) -> io::Result<()> {
    printer.text(&diagnostics.render(printer.colour()))?;
    let errors = diagnostics.errors();
    if errors > 1 {
        printer.line(format_args!("{errors} errors"))?;
    }
    Ok(())
}

/// Tells warnings on standard error.
pub(crate) fn warn(diagnostics: &Diagnostics, colour: ColourChoice) -> io::Result<()> {
    if diagnostics.is_empty() {
        return Ok(());
    }
    let mut errors = Printer::errors(colour);
    errors.text(&diagnostics.render(errors.colour()))?;
    errors.flush()
}
