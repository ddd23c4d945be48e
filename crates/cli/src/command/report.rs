//! `inflight report`

use super::draw::{Told, lang};
use super::grid::draw_grid;
use super::test::scenarios;
use crate::args::ReportArgs;
use crate::failure::{Exit, Failure};
use crate::printer::Printer;
use inflight::trace::jsonl::save;
use inflight::{Loaded, Options, load_file};
use inflight_view::report::{Cure, File, Told as Entry, gallery, pair};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A scenario with its runs.
struct Played {
    name: String,
    file: String,
    scenario: Loaded,
    told: Told,
    cured: Option<Told>,
}

/// Runs scenarios and writes their gallery, or says how a gallery differs from it.
pub(crate) fn report(args: &ReportArgs, printer: &mut Printer) -> Result<Exit, Failure> {
    let mut played = Vec::new();
    for file in scenarios(&args.paths)? {
        played.push(play_file(&file)?);
    }
    let entries: Vec<Entry<'_>> = played.iter().map(entry).collect();
    let options = inflight_view::Options { lang: lang(args.lang), ..Default::default() };
    let grid = pair("isr-grid", &draw_grid(&options)?).to_vec();
    let refused = |refusal: inflight_view::Refusal| Failure::Input(refusal.to_string());
    let files = gallery(&entries, grid, lang(args.lang)).map_err(refused)?;
    if args.check {
        return check(&args.out, &files, printer);
    }
    for (path, content) in &files {
        let path = args.out.join(path);
        let parent = path.parent().unwrap_or(Path::new(""));
        let problem = |error: &dyn std::fmt::Display| {
            Failure::Input(format!("cannot write {}: {error}", path.display()))
        };
        fs::create_dir_all(parent).map_err(|error| problem(&error))?;
        save(&path, |out| out.write_all(content)).map_err(|error| problem(&error))?;
    }
    let (count, bytes) = (files.len(), files.iter().map(|(_, b)| b.len()).sum::<usize>());
    let out = args.out.display();
    printer.line(format_args!(
        "{out}: {} scenarios, {count} files, {} kB",
        played.len(),
        bytes / 1000
    ))?;
    Ok(Exit::Fine)
}

fn play_file(file: &Path) -> Result<Played, Failure> {
    let scenario = load_file(file, &Options::default())?;
    let told = Told::of(&scenario);
    let cured = scenario.fix.as_ref().map(|fix| Told::of(&fix.scenario));
    Ok(Played { name: name_of(file), file: slashes(file), scenario, told, cured })
}

/// The theme and the name of a scenario: its folder's name, slash, its own.
fn name_of(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let folder = file.parent().and_then(Path::file_name).map(|name| name.to_string_lossy());
    match folder {
        Some(folder) => format!("{folder}/{stem}"),
        None => format!("scenarios/{stem}"),
    }
}

/// A path with `/` on every system.
fn slashes(file: &Path) -> String {
    let parts = file.components().map(|part| part.as_os_str().to_string_lossy());
    parts.collect::<Vec<_>>().join("/")
}

fn entry(played: &Played) -> Entry<'_> {
    let cure = played.scenario.fix.as_ref().zip(played.cured.as_ref());
    let cure = cure.map(|(fix, cured)| {
        let changes = fix.changes.iter().map(|(key, value)| format!("{key}={value}"));
        let changes = changes.collect::<Vec<_>>().join(", ");
        Cure { changes, why: &fix.why, story: cured.story() }
    });
    Entry {
        name: played.name.clone(),
        file: played.file.clone(),
        teaches: &played.scenario.teaches,
        story: played.told.story(),
        cure,
        trace: played.told.trace(),
    }
}

/// Whether a directory holds exactly these files.
fn check(directory: &Path, files: &[File], printer: &mut Printer) -> Result<Exit, Failure> {
    let mut differences = 0;
    let mut tell = |word: &str, path: &str| {
        differences += 1;
        printer.line(format_args!("{word:<12} {path}"))
    };
    for (path, content) in files {
        match fs::read(directory.join(path)) {
            Err(_) => tell("missing", path)?,
            Ok(there) if there != *content => tell("out of date", path)?,
            Ok(_) => {}
        }
    }
    let known: BTreeSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    let mut there = Vec::new();
    // A directory that cannot be read has no files, which are missing then.
    let _ = walk(directory, directory, &mut there);
    for path in there.iter().filter(|path| !known.contains(path.as_str())) {
        tell("left over", path)?;
    }
    if differences == 0 {
        printer.line(format_args!("{}: up to date, {} files", directory.display(), files.len()))?;
        return Ok(Exit::Fine);
    }
    Ok(Exit::Unmet)
}

fn walk(root: &Path, directory: &Path, found: &mut Vec<String>) -> std::io::Result<()> {
    let entries = fs::read_dir(directory)?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(root, &path, found)?;
        } else {
            found.push(slashes(path.strip_prefix(root).unwrap_or(&path)));
        }
    }
    Ok(())
}
