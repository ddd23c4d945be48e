//! The commands.

pub(crate) mod draw;
pub(crate) mod facts;
pub(crate) mod grid;
pub(crate) mod pin;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod test;

use crate::args::ReadArgs;
use crate::failure::Failure;
use inflight::{CheckerId, Judgement, Loaded, Options, Unmet, load_file};
use std::path::Path;

/// Reads a scenario as the arguments say.
fn read(file: &Path, args: &ReadArgs) -> Result<Loaded, Failure> {
    let options = Options { overrides: args.set.clone(), ..Options::default() };
    let loaded = load_file(file, &options)?;
    Ok(match args.seed {
        Some(seed) => loaded.with_seed(seed),
        None => loaded,
    })
}

/// How many records repeat a message that the log has already.
fn repeated(judgement: &Judgement) -> u64 {
    judgement.findings_of(CheckerId::MessageDuplicate).map(|finding| finding.total).sum()
}

/// What was not met, on one line: patterns are quoted as they stand in the file.
fn in_one_line(unmet: &Unmet) -> String {
    let text = unmet.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
