//! `sereno secret set|list|remove`: credentials that playbooks refer to by name. A value goes in and never comes out.

use std::io::Read;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::json;

use super::table;
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

const PATH: &str = "/api/v1/secrets";
/// More than any secret that is kept.
const MAX_INPUT_BYTES: u64 = 64 * 1024;

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Keep a password, token or private key, read from standard input.
    Set {
        #[command(flatten)]
        place: Place,
        /// The name playbooks use.
        name: String,
        /// Hosts it may be used with; '*' is any.
        #[arg(long = "for", value_name = "HOST", required = true, value_delimiter = ',')]
        hosts: Vec<String>,
    },
    /// Which secrets there are and for which hosts; never their values.
    List(Place),
    /// Forget a secret.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Its name.
        name: String,
    },
}

pub(crate) async fn run(command: SecretCommand, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        SecretCommand::Set { place, name, hosts } => {
            let value = input()?;
            let api = Api::of(&place).await?;
            let path = format!("{PATH}/{}", escape(&name));
            let answer = api.put(&path, &json!({ "value": value, "hosts": hosts })).await;
            api.close().await;
            answer?;
            done(&name, "kept", as_json)?;
        }
        SecretCommand::List(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get(PATH).await;
            api.close().await;
            table(&answer?, &["name", "hosts", "set_by", "set_at"], as_json)?;
        }
        SecretCommand::Remove { place, name } => {
            let api = Api::of(&place).await?;
            let answer = api.delete(&format!("{PATH}/{}", escape(&name))).await;
            api.close().await;
            answer?;
            done(&name, "removed", as_json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn done(name: &str, what: &str, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return output::value(&json!({ "name": name, "done": what }));
    }
    output::note(&format!("{name}: {what}"));
    Ok(())
}

/// All of standard input: a private key has many lines. The end of the last one is no part of a password.
fn input() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes);
    let size = read.map_err(Failure::io("standard input"))?;
    if size as u64 > MAX_INPUT_BYTES {
        let text = format!("standard input has more than {MAX_INPUT_BYTES} bytes");
        return Err(Failure::wrong_use(text));
    }
    let text = String::from_utf8(bytes).map_err(|_| Failure::wrong_use("the secret is no text"))?;
    if text.contains("PRIVATE KEY-----") {
        return Ok(text);
    }
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
