//! The data folder: one node, one folder, one process.
//!
//! ```text
//! sereno.db   blobs/   keys/ (0700, files 0600)   run/ (0700: sockets)   backups/   lock
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use nix::fcntl::{Flock, FlockArg};
use ports::Random;

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Another process has it.
    #[error(
        "the data folder {folder} is in use by process {holder}; stop it, or run the command beside it without starting a second node"
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// What the lock file says.
        holder: String,
    },
    /// The file system refused.
    #[error("{path}: {cause}")]
    Io {
        /// The place.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
}

impl DataError {
    fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |cause| Self::Io { path, cause }
    }
}

/// An opened and locked data folder.
#[derive(Debug)]
pub struct DataFolder {
    root: PathBuf,
    _lock: Option<Flock<File>>,
}

impl DataFolder {
    /// Opens and locks the folder, making what is missing.
    ///
    /// # Errors
    /// Another process holds the lock, or the file system refuses.
    pub fn open(root: &Path) -> Result<Self, DataError> {
        for folder in ["", "blobs", "backups"] {
            make_folder(&root.join(folder), 0o750)?;
        }
        for folder in ["keys", "run"] {
            make_folder(&root.join(folder), 0o700)?;
        }
        let lock = lock(root)?;
        Ok(Self { root: root.to_path_buf(), _lock: Some(lock) })
    }

    /// The folder without a lock, for commands that only read files or talk to the running node.
    pub fn beside(root: &Path) -> Self {
        Self { root: root.to_path_buf(), _lock: None }
    }

    /// True when a running node holds the folder.
    pub fn in_use(root: &Path) -> bool {
        root.join("lock").exists() && matches!(lock(root), Err(DataError::InUse { .. }))
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }
    /// The SQLite file.
    pub fn database(&self) -> PathBuf {
        self.root.join("sereno.db")
    }
    /// The admin socket of the running node.
    pub fn admin_socket(&self) -> PathBuf {
        self.root.join("run/admin.sock")
    }
    /// The socket for edges on this machine.
    pub fn edge_socket(&self) -> PathBuf {
        self.root.join("run/edge.sock")
    }
    /// A file under `keys/`.
    pub fn key_file(&self, name: &str) -> PathBuf {
        self.root.join("keys").join(name)
    }

    /// A secret of `bytes` random bytes as hex, made at first use, 0600.
    ///
    /// # Errors
    /// The file system refuses, or the file is not what was written.
    pub fn secret_hex(
        &self,
        name: &str,
        bytes: usize,
        random: &dyn Random,
    ) -> Result<String, DataError> {
        // Two that made the same secret at once would make two, and what the first one signed would be worth nothing.
        static MAKING: Mutex<()> = Mutex::new(());
        let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.key_file(name);
        if let Some(text) = read_text(&path)? {
            return Ok(text.trim().to_owned());
        }
        let mut secret = vec![0; bytes];
        random.fill(&mut secret);
        let text = hex::encode(&secret);
        self.write_key(name, text.as_bytes())?;
        Ok(text)
    }

    /// Writes a file under `keys/` whole or not at all, 0600.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn write_key(&self, name: &str, content: &[u8]) -> Result<(), DataError> {
        let path = self.key_file(name);
        let fresh = self.key_file(&format!("{name}.new"));
        let write = || -> std::io::Result<()> {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&fresh)?;
            file.write_all(content)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            File::open(self.root.join("keys"))?.sync_all()
        };
        write().map_err(DataError::io(&path))
    }

    /// Takes a file under `keys/` away, if it is there.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn remove_key(&self, name: &str) -> Result<(), DataError> {
        let path = self.key_file(name);
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                Err(DataError::io(&path)(cause))
            }
            _ => Ok(()),
        }
    }

    /// A file under `keys/`, if it is there.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn read_key(&self, name: &str) -> Result<Option<String>, DataError> {
        read_text(&self.key_file(name))
    }
}

fn read_text(path: &Path) -> Result<Option<String>, DataError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(DataError::io(path)(cause)),
    }
}

fn make_folder(path: &Path, mode: u32) -> Result<(), DataError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(mode).create(path).map_err(DataError::io(path))
}

fn lock(root: &Path) -> Result<Flock<File>, DataError> {
    let path = root.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o640)
        .open(&path)
        .map_err(DataError::io(&path))?;
    let mut holder = String::new();
    let _ = file.read_to_string(&mut holder);
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut held) => {
            let write = held
                .set_len(0)
                .and_then(|()| std::io::Seek::rewind(&mut *held))
                .and_then(|()| held.write_all(format!("{}\n", std::process::id()).as_bytes()));
            write.map_err(DataError::io(&path))?;
            Ok(held)
        }
        Err((_, nix::errno::Errno::EWOULDBLOCK)) => {
            Err(DataError::InUse { folder: root.to_path_buf(), holder: holder.trim().to_owned() })
        }
        Err((_, errno)) => Err(DataError::io(&path)(errno.into())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::system::SystemRandom;

    #[test]
    fn a_second_process_on_the_same_folder_is_refused_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let held = DataFolder::open(folder.path()).unwrap();
        assert!(DataFolder::in_use(folder.path()));
        let refused = DataFolder::open(folder.path()).unwrap_err().to_string();
        assert!(refused.contains(&std::process::id().to_string()), "{refused}");
        drop(held);
        assert!(!DataFolder::in_use(folder.path()));
        DataFolder::open(folder.path()).unwrap();
    }

    #[test]
    fn a_secret_that_many_ask_for_at_once_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let made: std::collections::BTreeSet<String> = std::thread::scope(|scope| {
            let ask = || scope.spawn(|| data.secret_hex("many", 32, &SystemRandom).unwrap());
            let asked: Vec<_> = (0..16).map(|_| ask()).collect();
            asked.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(made.len(), 1);
    }

    #[test]
    fn secrets_are_made_once_and_readable_by_the_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let first = data.secret_hex("edge.token", 32, &SystemRandom).unwrap();
        assert_eq!(first.len(), 64);
        assert_eq!(data.secret_hex("edge.token", 32, &SystemRandom).unwrap(), first);
        let mode = fs::metadata(data.key_file("edge.token")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
