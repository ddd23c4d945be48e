//! The commands.

pub(crate) mod facts;
pub(crate) mod pin;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod test;

use crate::args::ReadArgs;
use crate::failure::Failure;
use inflight::{Loaded, Options, load_file};
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
