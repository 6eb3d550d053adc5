//! A file is written completely or not at all, whatever ends the process.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = ".fastmlp-";
const SUFFIX: &str = ".tmp";
/// Longest chain of links that is followed, as on Linux.
const MAX_LINKS: usize = 40;

/// Writes to a new file in the same folder and then renames it. The new file gets the permissions of a file that it
/// replaces and, where the process may set them, its owner and group. A link stays a link, and its target is created if
/// it does not exist; anything that is not a file, or not writable, is refused. Files that killed saves left in the
/// folder are removed.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let (target, former) = find(path)?;
    if former.is_some() {
        OpenOptions::new().write(true).open(&target)?;
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    remove_stale(folder);
    let (temporary, file) = new_temporary(folder, former.is_some())?;
    let replaced = (|| {
        let mut to = BufWriter::new(&file);
        write(&mut to)?;
        to.flush()?;
        if let Some(former) = &former {
            pass_on(former, &file)?;
        }
        file.sync_all()?;
        fs::rename(&temporary, &target)
    })();
    if replaced.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    sync_folder(folder);
    replaced
}

/// The file that a path leads to through links, and its metadata if it exists.
fn find(path: &Path) -> io::Result<(PathBuf, Option<Metadata>)> {
    match fs::metadata(path) {
        Ok(former) if !former.is_file() => return Err(io::Error::other("not a regular file")),
        Ok(former) => return Ok((fs::canonicalize(path)?, Some(former))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut target = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        // The path ends at what is not a link or does not exist.
        let Ok(next) = fs::read_link(&target) else { return Ok((target, None)) };
        // A relative link starts in the link's folder.
        target.pop();
        target.push(next);
    }
    Err(io::Error::other("too many links"))
}

/// Gives a file the owner, group and permissions of the one that it replaces. If the process may not set the group,
/// the new file's group gets the permissions of all others and no more.
#[cfg(unix)]
fn pass_on(former: &Metadata, file: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

    let made = file.metadata()?;
    let keeps_group = made.gid() == former.gid() || fchown(file, None, Some(former.gid())).is_ok();
    let keeps_owner = made.uid() == former.uid() || fchown(file, Some(former.uid()), None).is_ok();
    let mut mode = former.mode() & 0o7777;
    if !keeps_group {
        mode &= !0o070 | ((mode & 0o007) << 3);
    }
    if !(keeps_group && keeps_owner) {
        // The set-ID bits would run the file as another owner or group than the former one.
        mode &= 0o777;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn pass_on(former: &Metadata, file: &File) -> io::Result<()> {
    file.set_permissions(former.permissions())
}

/// A file that is locked for as long as it is open, which distinguishes it from what a killed save left. If it is to
/// replace another file, only its creator can access it until it has the permissions of that file.
fn new_temporary(folder: &Path, is_private: bool) -> io::Result<(PathBuf, File)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = is_private;
    loop {
        let (process, count) = (process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = folder.join(format!("{PREFIX}{process}-{count}{SUFFIX}"));
        let file = match options.open(&path) {
            Ok(file) => file,
            // Left by a process that had the same number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        // Before the file was locked, another save may have considered it stale: that save holds the lock, or has
        // removed the file. Where files cannot be locked, none is considered stale.
        let is_taken = matches!(file.try_lock(), Err(TryLockError::WouldBlock));
        if !is_taken && path.exists() {
            return Ok((path, file));
        }
    }
}

/// Removes what killed saves left: files that are not locked. Files that cannot be read or removed stay.
fn remove_stale(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX));
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Ok(file) = File::open(entry.path()) else { continue };
        // The lock is held until the file is gone; otherwise a save that has just created the file could lock
        // it.
        if file.try_lock().is_ok() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes the new name survive a power failure, where a folder can be synchronised. Where it cannot, the file exists
/// all the same.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn a_save_that_fails_leaves_the_old_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        fs::write(&path, "old").unwrap();
        let full = replace(&path, |to| {
            to.write_all(b"new")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(full.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["model"]);
    }

    #[test]
    fn what_a_killed_save_left_is_removed_and_what_is_being_written_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let in_folder = |name: &str| folder.path().join(name);
        let (stale, other) = (in_folder(".fastmlp-1-0.tmp"), in_folder(".fastmlp-notes"));
        fs::write(&stale, "half").unwrap();
        fs::write(&other, "mine").unwrap();
        let (writing, file) = new_temporary(folder.path(), false).unwrap();
        replace(&in_folder("model"), |to| to.write_all(b"new")).unwrap();
        assert!(!stale.exists());
        assert!(other.exists() && writing.exists());
        drop(file);
        replace(&in_folder("model"), |to| to.write_all(b"newer")).unwrap();
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, [".fastmlp-notes", "model"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_replaces_a_file_is_its_maker_s_alone_until_it_has_the_file_s_permissions() {
        use std::os::unix::fs::PermissionsExt;

        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        fs::write(&path, "old").unwrap();
        for expected in [0o600, 0o640, 0o604, 0o755, 0o4600] {
            fs::set_permissions(&path, fs::Permissions::from_mode(expected)).unwrap();
            replace(&path, |to| {
                let written = names(folder.path()).into_iter().find(|name| name.starts_with(PREFIX)).unwrap();
                assert_eq!(mode(&folder.path().join(written)), 0o600);
                to.write_all(b"new")
            })
            .unwrap();
            assert_eq!(mode(&path), expected, "{expected:o}");
        }
    }

    #[test]
    fn a_missing_folder_is_the_system_s_own_error() {
        let error = replace(Path::new("no/such/folder/model"), |_| Ok(())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(error.raw_os_error().is_some());
    }
}
