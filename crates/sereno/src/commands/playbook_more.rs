//! `sereno playbook list --shipped`, `key`, `stix`, `triggers`, `hooks`: what ships, whose signatures count, playbooks as
//! STIX objects, when they start by themselves.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use model::Timestamp;
use platform::system::SystemClock;
use playbooks::cacao::course_of_action::{from_stix, to_stix};
use playbooks::shipped;
use playbooks::signature::{Trust, public_key, verify};
use ports::Clock;
use serde_json::{Value, json};

use super::playbook::MAX_PLAYBOOK_BYTES;
use super::playbook_trigger::{self, TriggerCommand};
use super::{read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

/// Largest key file read, bytes.
const MAX_KEY_BYTES: u64 = 64 << 10;

/// Which playbooks are listed.
#[derive(Debug, Args)]
pub(crate) struct ListPlace {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Those that come with the program, without a node.
    #[arg(long)]
    pub(crate) shipped: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MorePlaybookCommand {
    /// Keys whose signatures on playbooks the node trusts.
    #[command(subcommand)]
    Key(PlaybookKeyCommand),
    /// When a playbook starts by itself, what its triggers did and what they held back.
    Triggers {
        #[command(flatten)]
        place: Place,
        /// Its id.
        playbook: String,
    },
    /// Adds, changes and removes triggers, and the secrets of webhooks.
    #[command(subcommand)]
    Trigger(TriggerCommand),
    /// The webhooks that start playbooks.
    Hooks(Place),
    /// A playbook as a STIX course of action, and a STIX bundle as its playbook: whichever the file is.
    Stix {
        /// A CACAO v2 playbook, or a STIX 2.1 bundle or object with playbooks in it.
        file: PathBuf,
        /// Of several playbooks in a bundle, the one with this id.
        #[arg(long, value_name = "playbook--UUID")]
        id: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PlaybookKeyCommand {
    /// Trust a key.
    Add {
        #[command(flatten)]
        place: Place,
        /// A PEM public key or certificate.
        file: PathBuf,
        /// Whose it is, in words.
        #[arg(long)]
        name: String,
    },
    /// The trusted keys, and what the node asks of signatures.
    List(Place),
    /// Do not trust a key any more.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Its fingerprint.
        fingerprint: String,
    },
    /// A key was lost or stolen: its signatures do not count any more.
    Revoke {
        #[command(flatten)]
        place: Place,
        /// Its fingerprint.
        fingerprint: String,
        /// Since when (RFC 3339); now without it.
        #[arg(long, value_name = "TIME")]
        since: Option<Timestamp>,
    },
}

pub(crate) async fn run(command: MorePlaybookCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        MorePlaybookCommand::Key(command) => key(command, json).await,
        MorePlaybookCommand::Triggers { place, playbook } => {
            playbook_trigger::triggers(&place, &playbook, json).await
        }
        MorePlaybookCommand::Trigger(command) => playbook_trigger::run(command, json).await,
        MorePlaybookCommand::Hooks(place) => playbook_trigger::hooks(&place, json).await,
        MorePlaybookCommand::Stix { file, id } => stix(&file, id.as_deref()),
    }
}

async fn key(command: PlaybookKeyCommand, as_json: bool) -> Result<ExitCode, Failure> {
    const PATH: &str = "/api/v1/playbook-keys";
    match command {
        PlaybookKeyCommand::Add { place, file, name } => {
            let bytes = read_file(&file, MAX_KEY_BYTES)?;
            let pem = String::from_utf8(bytes).map_err(Failure::file(&file))?;
            let api = Api::of(&place).await?;
            let made = api.post(PATH, &json!({ "name": name, "pem": pem })).await;
            api.close().await;
            let made = made?;
            if as_json {
                output::value(&made)?;
            } else {
                output::line(text(&made, "fingerprint"));
            }
        }
        PlaybookKeyCommand::List(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get(PATH).await;
            api.close().await;
            let answer = answer?;
            if as_json {
                output::value(&answer)?;
            } else {
                output::note(&format!("signatures: {}", text(&answer, "signatures")));
                table(&answer, &["fingerprint", "name", "added_at", "revoked_at"], false)?;
            }
        }
        PlaybookKeyCommand::Remove { place, fingerprint } => {
            let api = Api::of(&place).await?;
            let answer = api.delete(&format!("{PATH}/{}", escape(&fingerprint))).await;
            api.close().await;
            answer?;
            output::note("removed");
        }
        PlaybookKeyCommand::Revoke { place, fingerprint, since } => {
            let api = Api::of(&place).await?;
            let path = format!("{PATH}/{}/revoke", escape(&fingerprint));
            let answer = api.post(&path, &json!({ "since": since })).await;
            api.close().await;
            answer?;
            output::note("revoked");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The playbooks that come with the program, and whether the project's signature on them holds.
pub(crate) fn shipped(as_json: bool) -> Result<ExitCode, Failure> {
    let key = public_key(shipped::PROJECT_KEY.as_bytes()).map_err(Failure::new)?;
    let trust = Trust { trusted: vec![key.fingerprint.clone()], ..Trust::default() };
    let now = SystemClock.now();
    let mut items = Vec::new();
    for shipped in shipped::all() {
        let playbook: Value =
            serde_json::from_str(shipped.body).map_err(|cause| Failure::new(cause.to_string()))?;
        let steps = playbook["workflow"].as_object().map_or(0, serde_json::Map::len);
        let signed =
            if verify(&playbook, &trust, now).valid { "well signed" } else { "not well signed" };
        let trigger = shipped.trigger.map_or_else(|| "by hand".to_owned(), |it| it.words());
        items.push(json!({ "id": playbook["id"], "name": playbook["name"], "steps": steps,
            "trigger": trigger, "signature": signed }));
    }
    let answer = json!({ "items": items, "key": key.fingerprint });
    if as_json {
        output::value(&answer)?;
    } else {
        table(&answer, &["id", "name", "trigger", "steps", "signature"], false)?;
        output::note(&format!("signed with the project's key {}", key.fingerprint));
    }
    Ok(ExitCode::SUCCESS)
}

fn stix(file: &Path, wanted: Option<&str>) -> Result<ExitCode, Failure> {
    // A bundle holds several playbooks in base64.
    let bytes = read_file(file, MAX_PLAYBOOK_BYTES * 8)?;
    let value: Value =
        stix::json::read(&bytes, stix::json::Limits::default()).map_err(Failure::file(file))?;
    let body = String::from_utf8(bytes).map_err(Failure::file(file))?;
    if value["type"] == "playbook" {
        output::value(&to_stix(&body).map_err(Failure::file(file))?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let texts = from_stix(&value).map_err(Failure::file(file))?;
    let id = |text: &str| {
        let value: Option<Value> = serde_json::from_str(text).ok();
        value.and_then(|it| it["id"].as_str().map(str::to_owned)).unwrap_or_default()
    };
    let chosen: Vec<&String> =
        texts.iter().filter(|text| wanted.is_none_or(|wanted| id(text) == wanted)).collect();
    match chosen.as_slice() {
        [text] => output::line(text.trim_end()),
        [] => return Err(Failure::new(format!("{}: no playbook has this id", file.display()))),
        several => {
            let ids: Vec<String> = several.iter().map(|text| id(text)).collect();
            let text = format!("{}: {} playbooks: {}", file.display(), ids.len(), ids.join(", "));
            return Err(Failure::wrong_use(text).remedy("choose one with --id"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
