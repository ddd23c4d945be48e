//! `inflight schema`

use crate::failure::{Exit, Failure};
use crate::printer::Printer;

/// Prints the JSON Schema of scenario files.
pub(crate) fn schema(printer: &mut Printer) -> Result<Exit, Failure> {
    printer.line(format_args!("{:#}", inflight::schema()))?;
    Ok(Exit::Fine)
}
