//! `inflight test`

mod collect;
mod junit;
mod outcome;

pub(crate) use collect::scenarios;

use crate::args::{ColourChoice, TestArgs};
use crate::failure::{Exit, Failure};
use crate::printer::{Look, Printer};
use inflight::Colour;
use outcome::{Case, Outcome, Tested};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::{io, thread};

/// Runs scenarios against what they expect. The results come in the order of the paths, with any
/// number of threads.
pub(crate) fn test(
    args: &TestArgs,
    _: ColourChoice,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let files = scenarios(&args.paths)?;
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = args.jobs.map_or(cores, NonZeroUsize::get).min(files.len());
    let tested = run_all(&files, jobs, printer)?;
    let cases = || tested.iter().flat_map(|tested| &tested.cases);
    let count = |wanted: fn(&Outcome) -> bool| cases().filter(|c| wanted(&c.outcome)).count();
    let passed = count(|outcome| matches!(outcome, Outcome::Passed));
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let broken = count(|outcome| matches!(outcome, Outcome::Unusable(_) | Outcome::Panicked(_)));
    let mut summary = format!("{passed} passed");
    for (number, word) in [(failed, "failed"), (broken, "unusable")] {
        if number > 0 {
            summary.push_str(&format!(", {number} {word}"));
        }
    }
    let look = if failed + broken == 0 { Look::Good } else { Look::Bad };
    let scenarios = files.len();
    printer.gap()?;
    let summary = printer.paint(look, summary);
    let plural = if scenarios == 1 { "" } else { "s" };
    printer.line(format_args!("{scenarios} scenario{plural}: {summary}"))?;
    printer.flush()?;
    if let Some(path) = &args.junit {
        junit::write(path, &tested)?;
    }
    Ok(cases().map(|case| case.outcome.exit()).max().unwrap_or(Exit::Fine))
}

/// Tests all files and prints each result as soon as those before it are printed.
fn run_all(files: &[PathBuf], jobs: usize, printer: &mut Printer) -> io::Result<Vec<Tested>> {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(file) = files.get(index) else { return };
                    if sender.send((index, outcome::tested(file))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting: Vec<Option<Tested>> = files.iter().map(|_| None).collect();
        let mut done = Vec::with_capacity(files.len());
        for (index, tested) in receiver {
            waiting[index] = Some(tested);
            while let Some(tested) = waiting.get_mut(done.len()).and_then(Option::take) {
                print(&tested, printer)?;
                done.push(tested);
            }
        }
        Ok(done)
    })
}

fn print(tested: &Tested, printer: &mut Printer) -> io::Result<()> {
    for case in &tested.cases {
        let (word, look) = case.outcome.word();
        let word = printer.paint(look, format!("{word:<4}"));
        let name = match &case.fix {
            None => tested.path.display().to_string(),
            Some(fix) => format!("  with {fix}"),
        };
        let note = printer.paint(Look::Dim, &case.note);
        printer.line(format!("{word}  {name}  {note}").trim_end())?;
        print_details(case, printer)?;
    }
    printer.flush()
}

fn print_details(case: &Case, printer: &mut Printer) -> io::Result<()> {
    match &case.outcome {
        Outcome::Passed => Ok(()),
        Outcome::Failed(unmet) => unmet
            .iter()
            .try_for_each(|one| printer.line(format_args!("        {}", super::in_one_line(one)))),
        Outcome::Unusable(diagnostics) => {
            let colour = printer.colour();
            let text = diagnostics.as_ref().render(colour);
            indented(&text, colour, printer)
        }
        Outcome::Panicked(message) => {
            printer.line("        this is a bug of inflight:")?;
            indented(message, printer.colour(), printer)
        }
    }
}

fn indented(text: &str, _: Colour, printer: &mut Printer) -> io::Result<()> {
    for line in text.trim_end().lines() {
        printer.line(format!("        {line}").trim_end())?;
    }
    Ok(())
}
