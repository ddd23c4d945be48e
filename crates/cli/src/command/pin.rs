//! `inflight pin`

use crate::args::{ColourChoice, PinArgs};
use crate::failure::{Exit, Failure, warn};
use crate::printer::Printer;
use inflight::{Keep, play, realised};

/// Prints a scenario that repeats a run.
pub(crate) fn pin(
    args: &PinArgs,
    colour: ColourChoice,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let scenario = super::read(&args.file, &args.read)?;
    warn(&scenario.warnings, colour)?;
    let played = play(&scenario, Keep::Expected);
    printer.text(&realised(&scenario, &played.faults))?;
    Ok(Exit::Fine)
}
