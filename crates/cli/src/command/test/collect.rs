//! Finds the scenarios below some paths.

use crate::failure::Failure;
use std::fs;
use std::path::{Path, PathBuf};

/// The files in the order of the paths; those of a directory by name. Hidden ones do not count.
pub(crate) fn scenarios(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let unreadable = |error| Failure::Input(format!("cannot read {}: {error}", path.display()));
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            let before = files.len();
            walk(path, &mut files)?;
            if files.len() == before {
                let problem = format!("there is no scenario (.json) below {}", path.display());
                return Err(Failure::Input(problem));
            }
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let unreadable =
        |error| Failure::Input(format!("cannot read {}: {error}", directory.display()));
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        // A link to a directory could lead around in a circle.
        let is_directory = entry.file_type().map_err(unreadable)?.is_dir();
        paths.push((entry.path(), is_directory));
    }
    paths.sort();
    for (path, is_directory) in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let scenario = path.extension().is_some_and(|end| end == "json" || end == "jsonc");
        if name.starts_with('.') {
            continue;
        }
        if is_directory {
            walk(&path, files)?;
        } else if scenario {
            files.push(path);
        }
    }
    Ok(())
}
