//! Who asks a server of others: the scheme from the command line, the secret from a file or standard input.

use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};

use super::super::read_file;
use crate::arguments::Credentials;
use crate::output::Failure;

/// Largest file with a secret, bytes.
const MAX_BYTES: u64 = 16 * 1024;

/// Adds scheme and secret to a request.
pub(super) fn add(credentials: &Credentials, body: &mut Value) -> Result<(), Failure> {
    let auth = match (credentials.auth.as_str(), &credentials.user) {
        ("basic", Some(user)) => json!({ "scheme": "basic", "user": user }),
        ("basic", None) => return Err(Failure::wrong_use("--auth basic needs --user")),
        (scheme @ ("none" | "bearer" | "key"), None) => json!({ "scheme": scheme }),
        ("none" | "bearer" | "key", Some(_)) => {
            return Err(Failure::wrong_use("--user belongs to --auth basic"));
        }
        _ => return Err(Failure::wrong_use("--auth is none, basic, bearer or key")),
    };
    body["auth"] = auth;
    if let Some(file) = &credentials.secret_file {
        body["secret"] = read(file)?.into();
    }
    Ok(())
}

/// The first line of a file, or of standard input.
pub(super) fn read(file: &Path) -> Result<String, Failure> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().take(MAX_BYTES).read_to_end(&mut bytes);
        read.map_err(Failure::io("standard input"))?;
        bytes
    } else {
        read_file(file, MAX_BYTES)?
    };
    let text = String::from_utf8(bytes).map_err(|_| Failure::wrong_use("the secret is no text"))?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}
