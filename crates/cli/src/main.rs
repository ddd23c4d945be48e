//! The command line of inflight: parse, call, print.
//!
//! Exit codes: 0 fine, 1 an expectation was not met, 2 unusable input or usage, 70 a bug of ours.
//! A broken pipe is fine.

mod args;
mod command;
mod failure;
mod printer;

use args::{Args, Command};
use clap::Parser;
use failure::{Exit, Failure};
use printer::Printer;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version come this way too. If they cannot be written, nobody reads them.
            let _ = error.print();
            return if error.use_stderr() { Exit::Unusable.into() } else { Exit::Fine.into() };
        }
    };
    let result = catch_unwind(AssertUnwindSafe(|| dispatch(&args)));
    match result {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(failure)) => failure.report(&args).into(),
        Err(_) => {
            let mut errors = Printer::errors(args.colour);
            // Nothing is left to be done if this cannot be written.
            let _ = errors.line("this is a bug of inflight; the message above tells where");
            Exit::Bug.into()
        }
    }
}

fn dispatch(args: &Args) -> Result<Exit, Failure> {
    let mut printer = Printer::output(args.colour);
    let exit = match &args.command {
        Command::Run(run) => command::run::run(run, args.colour, &mut printer),
        Command::Draw(draw) => command::draw::draw(draw, args.colour, &mut printer),
        Command::Report(report) => command::report::report(report, &mut printer),
        Command::Test(test) => command::test::test(test, args.colour, &mut printer),
        Command::Pin(pin) => command::pin::pin(pin, args.colour, &mut printer),
        Command::Facts(facts) => command::facts::facts(facts, &mut printer),
        Command::Schema => command::schema::schema(&mut printer),
    }?;
    printer.flush()?;
    Ok(exit)
}
