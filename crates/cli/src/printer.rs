//! The only way to standard output and standard error.

use crate::args::ColourChoice;
use inflight::Colour;
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};

/// How a piece of text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// A heading.
    Bold,
    /// What matters less.
    Dim,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Worth a look.
    Notable,
}

impl Look {
    const fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Bad => "1;31",
            Self::Notable => "33",
        }
    }
}

/// Prints lines, in colour if that is wanted.
pub(crate) struct Printer {
    out: BufWriter<Box<dyn Write>>,
    colour: Colour,
    width: Option<usize>,
}

impl Printer {
    /// To standard output.
    pub(crate) fn output(choice: ColourChoice) -> Self {
        let terminal = io::stdout().is_terminal();
        let width = terminal.then(terminal_width).flatten();
        let out: Box<dyn Write> = Box::new(io::stdout());
        Self { out: BufWriter::new(out), colour: colour(choice, terminal), width }
    }

    /// To standard error.
    pub(crate) fn errors(choice: ColourChoice) -> Self {
        let terminal = io::stderr().is_terminal();
        let out: Box<dyn Write> = Box::new(io::stderr());
        Self { out: BufWriter::new(out), colour: colour(choice, terminal), width: None }
    }

    /// Whether colour is used.
    pub(crate) const fn colour(&self) -> Colour {
        self.colour
    }

    /// The width of the terminal, if it is one.
    pub(crate) const fn width(&self) -> Option<usize> {
        self.width
    }

    /// Prints a line.
    pub(crate) fn line(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.out, "{line}")
    }

    /// Prints a text that ends its own lines.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    /// Prints bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    /// Prints an empty line.
    pub(crate) fn gap(&mut self) -> io::Result<()> {
        self.line("")
    }

    /// A piece of text in a look.
    pub(crate) fn paint(&self, look: Look, text: impl Display) -> String {
        match self.colour {
            Colour::Off => text.to_string(),
            Colour::Ansi => format!("\u{1b}[{}m{text}\u{1b}[0m", look.code()),
        }
    }

    /// Sends everything on its way.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn colour(choice: ColourChoice, terminal: bool) -> Colour {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let wanted = match choice {
        ColourChoice::Always => true,
        ColourChoice::Never => false,
        ColourChoice::Auto => terminal && !set("NO_COLOR") && !dumb,
    };
    if wanted { Colour::Ansi } else { Colour::Off }
}

fn terminal_width() -> Option<usize> {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let asked = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    columns.or_else(asked).filter(|width| *width >= 20)
}
