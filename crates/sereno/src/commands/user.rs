//! `sereno user list|mail`: accounts, and where mail reaches them.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::taxii::{say, with};
use super::{table, text};
use crate::api::escape;
use crate::arguments::Place;
use crate::output::Failure;

const USERS: &str = "/api/v1/users";

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// The accounts, with their roles and addresses of mail
    List(Place),
    /// Says where mail reaches an account; without an address it has none any more
    Mail {
        #[command(flatten)]
        place: Place,
        /// The account
        name: String,
        /// NAME@HOST
        address: Option<String>,
    },
}

pub(crate) async fn run(command: UserCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        UserCommand::List(place) => {
            let all = with(&place, async |api| api.get(USERS).await).await?;
            table(&all, &["name", "roles", "mail", "for"], json)?;
        }
        UserCommand::Mail { place, name, address } => {
            let path = format!("{USERS}/{}/mail", escape(&name));
            let body = json!({ "mail": address });
            let kept: Value = with(&place, async |api| api.put(&path, &body).await).await?;
            say(&kept, json, || match text(&kept, "mail") {
                "" => format!("{name} has no address of mail"),
                mail => format!("mail for {name} goes to {mail}"),
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
