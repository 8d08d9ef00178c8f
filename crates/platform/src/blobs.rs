//! Large things by SHA-256 in a folder: written whole or not at all, never changed.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::data::DataFolder;

/// Largest blob accepted here.
pub const MAX_BLOB_BYTES: usize = 256 << 20;

/// Why a blob cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// Larger than allowed.
    #[error("blob of {0} bytes exceeds the limit of {MAX_BLOB_BYTES}")]
    TooLarge(usize),
    /// The name is not a SHA-256 in lower-case hex.
    #[error("'{0}' is not a SHA-256 in hex")]
    BadName(String),
    /// The content no longer has the hash it is named by.
    #[error("blob {0} is damaged on disk; restore it from a backup")]
    Damaged(String),
    /// The file system refused.
    #[error("blob storage: {0}")]
    Io(#[from] std::io::Error),
}

/// What reading every blob showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Blobs that have the hash they are named by.
    pub sound: u64,
    /// Names of those that have not.
    pub damaged: Vec<String>,
}

/// The blob folder.
#[derive(Clone, Debug)]
pub struct Blobs(PathBuf);

impl Blobs {
    /// The blobs of a data folder.
    pub fn new(data: &DataFolder) -> Self {
        Self(data.root().join("blobs"))
    }

    /// Keeps `content`, returns its SHA-256 in hex; keeping it twice is the same as once.
    ///
    /// # Errors
    /// Too large, or the file system refuses.
    pub async fn put(&self, content: &[u8]) -> Result<String, BlobError> {
        if content.len() > MAX_BLOB_BYTES {
            return Err(BlobError::TooLarge(content.len()));
        }
        let name = hex::encode(Sha256::digest(content));
        let path = self.path(&name)?;
        if tokio::fs::try_exists(&path).await? {
            return Ok(name);
        }
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await?;
        }
        let fresh = path.with_extension("new");
        tokio::fs::write(&fresh, content).await?;
        tokio::fs::File::open(&fresh).await?.sync_all().await?;
        tokio::fs::rename(&fresh, &path).await?;
        Ok(name)
    }

    /// The content of a blob, checked against its name; `None` when it is not here.
    ///
    /// # Errors
    /// Bad name, damaged content, or the file system refuses.
    pub async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, BlobError> {
        let path = self.path(name)?;
        match tokio::fs::read(&path).await {
            Ok(content) if hex::encode(Sha256::digest(&content)) == name => Ok(Some(content)),
            Ok(_) => Err(BlobError::Damaged(name.into())),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(cause.into()),
        }
    }

    /// `length` bytes of a blob from `first` on, fewer at its end; `None` when it is not here. Not checked against the
    /// name: that would read the whole for every part of it.
    ///
    /// # Errors
    /// Bad name, or the file system refuses.
    pub async fn get_range(
        &self,
        name: &str,
        first: u64,
        length: u64,
    ) -> Result<Option<Vec<u8>>, BlobError> {
        use tokio::io::{AsyncReadExt, AsyncSeekExt};
        let mut file = match tokio::fs::File::open(self.path(name)?).await {
            Ok(file) => file,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(cause.into()),
        };
        file.seek(std::io::SeekFrom::Start(first)).await?;
        let mut part = Vec::new();
        file.take(length).read_to_end(&mut part).await?;
        Ok(Some(part))
    }

    /// Reads every blob, one at a time.
    ///
    /// # Errors
    /// The file system refuses.
    pub async fn check(&self) -> Result<Check, BlobError> {
        let mut check = Check::default();
        let mut folders = tokio::fs::read_dir(&self.0).await?;
        while let Some(folder) = folders.next_entry().await? {
            if !folder.file_type().await?.is_dir() {
                continue;
            }
            let mut files = tokio::fs::read_dir(folder.path()).await?;
            while let Some(file) = files.next_entry().await? {
                let name = file.file_name().to_string_lossy().into_owned();
                match self.get(&name).await {
                    Ok(_) => check.sound += 1,
                    Err(BlobError::Damaged(name)) => check.damaged.push(name),
                    // What is being written has another name until it is whole.
                    Err(BlobError::BadName(_)) => {}
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(check)
    }

    fn path(&self, name: &str) -> Result<PathBuf, BlobError> {
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if name.len() != 64 || !name.bytes().all(lower_hex) {
            return Err(BlobError::BadName(name.chars().take(80).collect()));
        }
        Ok(self.0.join(&name[..2]).join(name))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_blob_comes_back_whole_or_is_called_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(&DataFolder::open(folder.path()).unwrap());
        let name = blobs.put(b"lantern").await.unwrap();
        assert_eq!(blobs.put(b"lantern").await.unwrap(), name);
        assert_eq!(blobs.get(&name).await.unwrap().unwrap(), b"lantern");
        assert_eq!(blobs.get_range(&name, 4, 99).await.unwrap().unwrap(), b"ern");
        assert_eq!(blobs.get_range(&name, 99, 9).await.unwrap().unwrap(), b"");
        std::fs::write(blobs.path(&name).unwrap(), b"lanterm").unwrap();
        assert!(matches!(blobs.get(&name).await, Err(BlobError::Damaged(_))));
        blobs.put(b"key").await.unwrap();
        assert_eq!(blobs.check().await.unwrap(), Check { sound: 1, damaged: vec![name] });
        assert!(matches!(blobs.get("../../etc/passwd").await, Err(BlobError::BadName(_))));
        assert!(blobs.get(&"0".repeat(64)).await.unwrap().is_none());
    }
}
