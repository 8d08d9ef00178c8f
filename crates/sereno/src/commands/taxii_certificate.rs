//! `sereno taxii certificate new|list|revoke`: client certificates for mutual TLS.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::taxii::{grants, say, with};
use super::{read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

/// Largest signing request read, bytes.
const MAX_REQUEST_BYTES: u64 = 16 << 10;
const CERTIFICATES: &str = "/api/v1/certificates";

#[derive(Debug, Subcommand)]
pub(crate) enum CertificateCommand {
    /// Sign a client certificate. Without --csr a key is made here and put before the certificate.
    New(NewCertificate),
    /// The certificates, whether they are in force, when they expire.
    List(Place),
    /// Make a certificate worthless, at once.
    Revoke {
        #[command(flatten)]
        place: Place,
        /// Its id.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct NewCertificate {
    #[command(flatten)]
    place: Place,
    /// Whose it is.
    name: String,
    /// What it may do: administrator, analyst, operator, assessor, read-only, taxii.
    #[arg(long, default_value = "taxii")]
    role: String,
    /// A right on one TAXII collection, ID:read, ID:write or ID:read,write (id or alias); repeatable. With such rights
    /// it has no others.
    #[arg(long = "collection")]
    collections: Vec<String>,
    /// The other organisation it is for, by name or id: what it reads is judged and redacted for that one.
    #[arg(long = "for")]
    organisation: Option<String>,
    /// Days until it expires, 825 at most.
    #[arg(long, default_value_t = 365)]
    days: u32,
    /// A signing request (PKCS #10, PEM) of the client, whose key then never leaves it.
    #[arg(long)]
    csr: Option<PathBuf>,
    /// A new file for key and certificate, readable by its owner only [default: standard output].
    #[arg(long)]
    out: Option<PathBuf>,
    /// A new file for the authority by which the client knows this node (`curl --cacert`).
    #[arg(long)]
    ca_out: Option<PathBuf>,
}

pub(super) async fn run(command: CertificateCommand, json: bool) -> Result<(), Failure> {
    match command {
        CertificateCommand::New(new) => make(new, json).await,
        CertificateCommand::List(place) => {
            let all = with(&place, async |api| api.get(CERTIFICATES).await).await?;
            table(&all, &["id", "state", "expires_at", "roles", "grants", "for", "label"], json)
        }
        CertificateCommand::Revoke { place, id } => {
            let path = format!("{CERTIFICATES}/{}", escape(&id));
            with(&place, async |api| api.delete(&path).await).await?;
            say(&json!({"revoked": id}), json, || "revoked".into())
        }
    }
}

async fn make(new: NewCertificate, json: bool) -> Result<(), Failure> {
    let (key, request) = match &new.csr {
        Some(file) => {
            let bytes = read_file(file, MAX_REQUEST_BYTES)?;
            (String::new(), String::from_utf8(bytes).map_err(Failure::file(file))?)
        }
        None => identity::new_request().map_err(Failure::io("the key"))?,
    };
    // Taken before anything is signed: a certificate without its key would be lost.
    let out = new.out.as_deref().map(NewFile::take).transpose()?;
    let ca_out = new.ca_out.as_deref().map(NewFile::take).transpose()?;
    let ask = async |api: &Api| {
        let grants = grants(api, &new.collections).await?;
        let body = json!({"role": new.role, "label": new.name, "grants": grants,
            "for": new.organisation, "days": new.days, "request": request});
        api.post(CERTIFICATES, &body).await
    };
    let mut made = with(&new.place, ask).await?;
    let pem = format!("{key}{}", text(&made, "certificate"));
    if let Some(file) = out {
        file.fill(&pem)?;
    }
    if let Some(file) = ca_out {
        file.fill(text(&made, "authority"))?;
    }
    if json {
        if new.out.is_none() && !key.is_empty() {
            made["key"] = Value::String(key);
        }
        return output::value(&made);
    }
    match &new.out {
        None => output::line(pem.trim_end()),
        Some(path) => output::line(&path.display().to_string()),
    }
    let (id, end) = (text(&made, "id"), text(&made, "expires_at"));
    let kept = if key.is_empty() { "" } else { "; its key is kept nowhere else" };
    output::note(&format!("certificate {id}, good until {end}{kept}"));
    Ok(())
}

/// A file that was not there before, and goes again unless it is filled.
struct NewFile<'p> {
    file: File,
    path: &'p Path,
    filled: bool,
}

impl<'p> NewFile<'p> {
    fn take(path: &'p Path) -> Result<Self, Failure> {
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = made.map_err(|cause| {
            Failure::file(path)(cause).remedy("Name a file that does not exist yet.")
        })?;
        Ok(Self { file, path, filled: false })
    }

    fn fill(mut self, content: &str) -> Result<(), Failure> {
        self.file.write_all(content.as_bytes()).map_err(Failure::file(self.path))?;
        self.file.sync_all().map_err(Failure::file(self.path))?;
        self.filled = true;
        Ok(())
    }
}

impl Drop for NewFile<'_> {
    fn drop(&mut self) {
        if !self.filled {
            let _ = std::fs::remove_file(self.path);
        }
    }
}
