//! `sereno user …`: accounts. Without a running node the data folder is opened here, so that its owner gets in whatever
//! was forgotten.

use std::io::Read;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::taxii::{say, with};
use super::{table, text};
use crate::api::escape;
use crate::arguments::Place;
use crate::output::{self, Failure};

const USERS: &str = "/api/v1/users";
/// Longest password read, bytes; the node refuses much shorter ones.
const MAX_INPUT_BYTES: u64 = 4 << 10;

#[derive(Debug, Args)]
pub(crate) struct Who {
    #[command(flatten)]
    place: Place,
    /// The account
    name: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// The accounts: roles, address of mail, last sign-in, whether they are switched off
    List(Place),
    /// Make an account; its password is made by the node and shown once
    New {
        #[command(flatten)]
        who: Who,
        /// administrator, analyst, operator, assessor or read-only
        #[arg(long)]
        role: String,
    },
    /// Switch an account off: nobody signs in with it, its sessions end
    Disable(Who),
    /// Switch an account on again
    Enable(Who),
    /// Take an account away
    Remove(Who),
    /// Give an account another role; its sessions end
    Role {
        #[command(flatten)]
        who: Who,
        /// administrator, analyst, operator, assessor or read-only
        role: String,
    },
    /// Give an account a new password, read from standard input; its sessions end
    Password(Who),
    /// Let somebody in again who forgot: a new password, shown once; a switched off account is in use again
    Recover(Who),
    /// Where an account is signed in
    Sessions(Who),
    /// End all sessions of an account
    SignOut(Who),
    /// Says where mail reaches an account; without an address it has none any more
    Mail {
        #[command(flatten)]
        who: Who,
        /// NAME@HOST
        address: Option<String>,
    },
}

pub(crate) async fn run(command: UserCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        UserCommand::List(place) => {
            let all = with(&place, async |api| api.get(USERS).await).await?;
            let columns = ["name", "roles", "mail", "for", "signed_in_at", "disabled_at"];
            table(&all, &columns, json)?;
        }
        UserCommand::New { who, role } => {
            let body = json!({ "name": who.name, "role": role });
            let made = with(&who.place, async |api| api.post(USERS, &body).await).await?;
            shown_once(&made, json)?;
        }
        UserCommand::Disable(who) => change(&who, json!({ "disabled": true }), json).await?,
        UserCommand::Enable(who) => change(&who, json!({ "disabled": false }), json).await?,
        UserCommand::Role { who, role } => change(&who, json!({ "role": role }), json).await?,
        UserCommand::Remove(who) => {
            with(&who.place, async |api| api.delete(&path(&who, "")).await).await?;
            say(&json!({ "removed": who.name }), json, || "removed".into())?;
        }
        UserCommand::Password(who) => {
            let body = json!({ "password": typed()? });
            let path = path(&who, "/password");
            with(&who.place, async |api| api.post(&path, &body).await).await?;
            say(&json!({ "changed": who.name }), json, || "changed".into())?;
        }
        UserCommand::Recover(who) => {
            let path = path(&who, "/password");
            let body = json!({ "recover": true });
            let made = with(&who.place, async |api| api.post(&path, &body).await).await?;
            shown_once(&made, json)?;
        }
        UserCommand::Sessions(who) => {
            let path = path(&who, "/sessions");
            let all = with(&who.place, async |api| api.get(&path).await).await?;
            table(&all, &["id", "browser", "source", "opened_at", "seen_at"], json)?;
        }
        UserCommand::SignOut(who) => {
            let path = path(&who, "/sessions");
            let ended = with(&who.place, async |api| api.delete(&path).await).await?;
            say(&ended, json, || format!("{} sessions ended", ended["ended"]))?;
        }
        UserCommand::Mail { who, address } => {
            let path = path(&who, "/mail");
            let body = json!({ "mail": address });
            let kept: Value = with(&who.place, async |api| api.put(&path, &body).await).await?;
            let name = &who.name;
            say(&kept, json, || match text(&kept, "mail") {
                "" => format!("{name} has no address of mail"),
                mail => format!("mail for {name} goes to {mail}"),
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn path(who: &Who, more: &str) -> String {
    format!("{USERS}/{}{more}", escape(&who.name))
}

async fn change(who: &Who, body: Value, json: bool) -> Result<(), Failure> {
    let path = path(who, "");
    with(&who.place, async |api| api.patch(&path, &body).await).await?;
    say(&json!({ "changed": who.name }), json, || "changed".into())
}

fn shown_once(made: &Value, json: bool) -> Result<(), Failure> {
    say(made, json, || text(made, "password").to_owned())?;
    output::note("This password is shown once; the person changes it under “My account”.");
    Ok(())
}

/// The first line of standard input.
fn typed() -> Result<String, Failure> {
    let mut input = String::new();
    let read = std::io::stdin().lock().take(MAX_INPUT_BYTES).read_to_string(&mut input);
    read.map_err(Failure::io("standard input"))?;
    let line = input.lines().next().unwrap_or_default().to_owned();
    if line.is_empty() {
        return Err(Failure::wrong_use("standard input holds no password")
            .remedy("Pipe it in: `sereno user password NAME < FILE`."));
    }
    Ok(line)
}
