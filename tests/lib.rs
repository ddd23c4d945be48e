//! What whole stories have in common: where the project's files are.

use std::fs;
use std::path::{Path, PathBuf};

/// The directory of the workspace.
///
/// # Panics
///
/// If these sources are not in a workspace.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a member of a workspace")
}

/// Every file below a directory whose name ends like this, in alphabetical order of their paths.
///
/// # Panics
///
/// If a directory cannot be read.
pub fn files_below(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(directory).unwrap_or_else(|wrong| {
        panic!("{}: {wrong}", directory.display());
    });
    for entry in entries {
        let path = entry.expect("an entry of a directory").path();
        if path.is_dir() {
            found.extend(files_below(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A path as seen from the workspace, with `/` on every system.
pub fn name_of(path: &Path) -> String {
    let inside = path.strip_prefix(workspace()).unwrap_or(path);
    let parts = inside.components().map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

/// A file's text.
///
/// # Panics
///
/// If it cannot be read.
pub fn text_of(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|wrong| panic!("{}: {wrong}", path.display()))
}
