//! Files appear whole or not at all.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that could not be written.
#[derive(Debug)]
pub struct SaveError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write {}: {}", self.path.display(), self.source)
    }
}

impl std::error::Error for SaveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Writes a file through `content`. The bytes go to a temporary file in the same directory, which
/// takes the name at the end, so that nobody ever sees half a file. A device or a pipe is written to
/// as it is.
pub fn save(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), SaveError> {
    // A device or a pipe is written to, not replaced.
    if fs::metadata(path).is_ok_and(|known| !known.is_file() && !known.is_dir()) {
        let written = fs::OpenOptions::new().write(true).open(path).and_then(|file| {
            let mut out = BufWriter::new(file);
            content(&mut out)?;
            out.flush()
        });
        return written.map_err(|source| SaveError { path: path.to_owned(), source });
    }
    let temporary = temporary(path);
    let written = File::create(&temporary).and_then(|file| {
        let mut out = BufWriter::new(file);
        content(&mut out)?;
        out.flush()?;
        out.get_ref().sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&temporary, path));
    renamed.map_err(|source| {
        // What failed may have failed before the file was there; the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
        SaveError { path: path.to_owned(), source }
    })
}

/// A hidden name beside the file that no other process uses.
fn temporary(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.partial", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_is_written_to_and_stays() {
        use std::os::unix::fs::FileTypeExt;
        let full = Path::new("/dev/full");
        let failed = save(full, |out| out.write_all(b"much")).unwrap_err();
        assert_eq!(failed.source.kind(), io::ErrorKind::StorageFull);
        assert!(fs::metadata(full).unwrap().file_type().is_char_device());
        save(Path::new("/dev/null"), |out| out.write_all(b"much")).unwrap();
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let directory = std::env::temp_dir().join(format!("inflight-save-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("run.jsonl");
        save(&path, |out| out.write_all(b"whole")).unwrap();
        let failed = save(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("the disk is full"))
        });
        let text = failed.unwrap_err().to_string();
        assert!(text.ends_with("run.jsonl: the disk is full"), "{text}");
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        fs::remove_dir_all(&directory).unwrap();
    }
}
