//! `sereno backup new|list|verify|restore|remove`. Verifying and restoring need no node, only the file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use backup::{BackupError, Opening};
use clap::{Args, Subcommand};
use platform::blobs::Blobs;
use platform::data::DataFolder;
use serde_json::{Value, json};

use super::{read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure, NO};

const PATH: &str = "/api/v1/backups";
/// Largest passphrase or identity file read, bytes.
const MAX_KEY_BYTES: u64 = 64 << 10;
/// Pause between two looks at a backup that is being made.
const LOOK_EVERY: Duration = Duration::from_millis(250);

#[derive(Debug, Subcommand)]
pub(crate) enum BackupCommand {
    /// Make one now, beside the running node or without one.
    New {
        #[command(flatten)]
        place: Place,
        /// Move it there, instead of leaving it in the folder of backups.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Seal it with the passphrase that stands in this file (first line; 14 characters or more).
        #[arg(long, value_name = "FILE", conflicts_with = "recipients")]
        passphrase_file: Option<PathBuf>,
        /// Seal it for an age recipient (age1…); may be given several times.
        #[arg(long = "recipient", value_name = "AGE1")]
        recipients: Vec<String>,
        /// Put the node's keys in, so that it can be restored elsewhere as the same node; only sealed.
        #[arg(long)]
        keys: bool,
    },
    /// Which there are, newest first.
    List(Place),
    /// Read a backup to its signed end, or without FILE the data folder itself. Exit 0 sound, 1 not.
    Verify {
        #[command(flatten)]
        place: Place,
        /// The backup.
        file: Option<PathBuf>,
        #[command(flatten)]
        key: Key,
    },
    /// Put a backup in the place of the data folder; the former folder is renamed, never deleted.
    Restore {
        #[command(flatten)]
        place: Place,
        /// The backup.
        file: PathBuf,
        /// Also where the data folder is not empty.
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        key: Key,
    },
    /// Remove one from the folder of backups.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Its name.
        name: String,
    },
}

/// What opens a sealed backup.
#[derive(Debug, Args)]
pub(crate) struct Key {
    /// File with the passphrase (first line).
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// File with age identities (AGE-SECRET-KEY-1…), as age-keygen writes it.
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_file")]
    identity_file: Option<PathBuf>,
}

impl Key {
    fn read(&self) -> Result<Opening, Failure> {
        let passphrase = self.passphrase_file.as_deref().map(passphrase).transpose()?;
        let identity = self.identity_file.as_deref().map(whole).transpose()?;
        Ok(Opening::of(passphrase, identity))
    }
}

fn whole(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read_file(path, MAX_KEY_BYTES)?).map_err(Failure::file(path))
}

fn passphrase(path: &Path) -> Result<String, Failure> {
    let text = whole(path)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

pub(crate) async fn run(command: BackupCommand, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        BackupCommand::New { place, out, passphrase_file, recipients, keys } => {
            let passphrase = passphrase_file.as_deref().map(passphrase).transpose()?;
            let asked = json!({ "passphrase": passphrase, "recipients": recipients, "keys": keys });
            let api = Api::of(&place).await?;
            let made = new(&api, &asked, out.as_deref()).await;
            api.close().await;
            let (made, lies) = made?;
            if as_json {
                output::value(&made)?;
            } else {
                output::line(&format!("{} ({} bytes)", lies.display(), made["bytes"]));
            }
            Ok(ExitCode::SUCCESS)
        }
        BackupCommand::List(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get(PATH).await;
            api.close().await;
            let fields = ["name", "kind", "bytes", "made_at", "by", "sealed", "keys", "verdict"];
            table(&answer?, &fields, as_json)?;
            Ok(ExitCode::SUCCESS)
        }
        BackupCommand::Verify { place: _, file: Some(file), key } => {
            verify(&file, &key, as_json).await
        }
        BackupCommand::Verify { place, file: None, .. } => {
            verify_folder(&place.data, as_json).await
        }
        BackupCommand::Restore { place, file, replace, key } => {
            restore(&place.data, &file, replace, &key, as_json).await
        }
        BackupCommand::Remove { place, name } => {
            let api = Api::of(&place).await?;
            let answer = api.delete(&format!("{PATH}/{}", escape(&name))).await;
            api.close().await;
            answer?;
            output::note(&format!("{name}: removed"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Begins one, waits for it, and moves it where it shall go.
async fn new(api: &Api, asked: &Value, out: Option<&Path>) -> Result<(Value, PathBuf), Failure> {
    let begun = api.post(PATH, asked).await?;
    let name = text(&begun, "name").to_owned();
    let list = loop {
        let list = api.get(PATH).await?;
        if list["running"]["name"] != name.as_str() {
            break list;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    let made = list["items"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["name"] == name.as_str()));
    let Some(made) = made else {
        return Err(Failure::new(text(&list, "failed").to_owned()));
    };
    let lies = Path::new(text(&list, "folder")).join(&name);
    let Some(out) = out else { return Ok((made.clone(), lies)) };
    let out = if out.is_dir() { out.join(&name) } else { out.to_path_buf() };
    // Beside first: a copy that dies half way must not look like a backup.
    let part = PathBuf::from(format!("{}.part", out.display()));
    std::fs::copy(&lies, &part).map_err(Failure::file(&part))?;
    File::open(&part).and_then(|file| file.sync_all()).map_err(Failure::file(&part))?;
    std::fs::rename(&part, &out).map_err(Failure::file(&out))?;
    api.delete(&format!("{PATH}/{}", escape(&name))).await?;
    Ok((made.clone(), out))
}

async fn verify(file: &Path, key: &Key, as_json: bool) -> Result<ExitCode, Failure> {
    match backup::verify(file, key.read()?).await {
        Ok(checked) => {
            let sound = checked.database == "ok";
            if as_json {
                output::value(&checked)?;
            } else {
                let about = &checked.about;
                output::line(&format!(
                    "{}: {}; {} files, {} bytes; of node {} ({}), made {} by sereno {}; {}; signed with key {}",
                    file.display(),
                    if sound { "sound" } else { &checked.database },
                    checked.files,
                    checked.bytes,
                    about.name,
                    about.node,
                    about.made_at,
                    about.program,
                    if about.keys { "with keys" } else { "without keys" },
                    about.public_key,
                ));
            }
            Ok(output::answer(sound))
        }
        Err(error) => Err(failure(file, error)),
    }
}

async fn restore(
    data: &Path,
    file: &Path,
    replace: bool,
    key: &Key,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    use ports::Clock;
    let now = platform::system::SystemClock.now();
    let restored = backup::restore(file, data, key.read()?, replace, now)
        .await
        .map_err(|error| failure(file, error))?;
    if as_json {
        output::value(&restored)?;
        return Ok(ExitCode::SUCCESS);
    }
    let about = &restored.backup.about;
    output::line(&format!(
        "{}: restored {} as of {} ({} files)",
        restored.folder.display(),
        about.name,
        about.made_at,
        restored.backup.files
    ));
    if let Some(former) = &restored.former {
        output::line(&format!("the former folder is {}", former.display()));
    }
    output::line(match restored.keys {
        "backup" => "keys: from the backup",
        "former folder" => "keys: taken over from the former folder",
        _ => {
            "keys: none; the node makes new ones, so that peers must enrol it again and kept secrets must be set again"
        }
    });
    Ok(ExitCode::SUCCESS)
}

fn failure(file: &Path, error: BackupError) -> Failure {
    let no = matches!(error, BackupError::Damaged(_) | BackupError::Busy(_));
    let mut failure = Failure::new(format!("{}: {error}", file.display()));
    if no {
        failure.code = NO;
    }
    failure
}

/// The data folder itself: database, blobs, accountability log.
async fn verify_folder(data: &Path, as_json: bool) -> Result<ExitCode, Failure> {
    let folder = DataFolder::beside(data);
    if !folder.database().is_file() {
        let missing = format!("{} holds no node", data.display());
        return Err(Failure::new(missing).remedy("Name the data folder with --data."));
    }
    let database = backup::integrity(&folder.database())
        .await
        .map_err(|error| Failure::new(error.to_string()))?;
    let blobs = Blobs::new(&folder).check().await.map_err(Failure::io("the blobs"))?;
    let ledger = accountability::verify_folder(data)
        .await
        .map_err(|error| Failure::new(error.to_string()))?;
    let sound = database == "ok" && blobs.damaged.is_empty() && ledger.verified;
    if as_json {
        output::value(&json!({
            "sound": sound, "database": database, "blobs": blobs.sound, "damaged_blobs": blobs.damaged,
            "ledger": ledger,
        }))?;
    } else {
        output::line(&format!("database: {database}"));
        output::line(&format!("blobs: {} sound, {} damaged", blobs.sound, blobs.damaged.len()));
        for name in &blobs.damaged {
            output::line(&format!("  {name}"));
        }
        output::line(&format!("log: {}", ledger.sentence()));
    }
    Ok(output::answer(sound))
}
