//! Small files that appear whole, for their owner alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::IdentityError;

/// Longest file of ours, in bytes.
const BYTES_MAX: u64 = 64 * 1024;

/// Makes a directory, and those above it, for their owner alone.
pub(crate) fn make_directory(path: &Path) -> Result<(), IdentityError> {
    if path.exists() {
        return Ok(());
    }
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.and_then(|()| like(directory(path), path))
        .map_err(failed("make", path))
}

/// Puts a file there, in place of another of its name.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), IdentityError> {
    let put = draft(path, bytes).and_then(|draft| fs::rename(draft, path));
    put.and_then(|()| sync_directory(path))
        .map_err(failed("write", path))
}

/// Puts a file there unless one of its name is there already, which is then let be.
pub(crate) fn put_once(path: &Path, bytes: &[u8]) -> Result<(), IdentityError> {
    let put = draft(path, bytes).and_then(|draft| {
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    });
    put.and_then(|()| sync_directory(path))
        .map_err(failed("write", path))
}

/// The file's text; `None` where there is none.
pub(crate) fn read(path: &Path) -> Result<Option<String>, IdentityError> {
    let mut text = String::new();
    match File::open(path).and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text)) {
        Ok(_) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Whether it was there, and whoever asked was the one to remove it.
pub(crate) fn remove(path: &Path) -> Result<bool, IdentityError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("remove", path)(error)),
    }
}

/// Names of the files in a directory, in order; drafts are none.
pub(crate) fn names(directory: &Path) -> Result<Vec<String>, IdentityError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed("read", directory))? {
        let name = entry.map_err(failed("read", directory))?.file_name();
        if let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Random bytes of the system's.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], IdentityError> {
    let source = Path::new("/dev/urandom");
    let mut bytes = [0; N];
    let drawn = File::open(source).and_then(|mut file| file.read_exact(&mut bytes));
    drawn.map_err(failed("read", source))?;
    Ok(bytes)
}

pub(crate) fn failed(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> IdentityError + use<> {
    let path = path.to_owned();
    move |source| IdentityError::File {
        action,
        path,
        source,
    }
}

fn draft(path: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let draft = directory(path).join(format!(".draft-{}-{number}", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(bytes)?;
    like(directory(path), &draft)?;
    file.sync_all()?;
    Ok(draft)
}

/// Gives what was made to whoever has `model`: root may enrol where the service's user reads.
pub(crate) fn like(model: &Path, made: &Path) -> io::Result<()> {
    let (model, own) = (fs::metadata(model)?, fs::metadata(made)?);
    if (model.uid(), model.gid()) == (own.uid(), own.gid()) || own.uid() != 0 {
        return Ok(());
    }
    chown(made, Some(model.uid()), Some(model.gid()))
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

fn directory(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}
