//! `sereno peer invite|join|list|remove`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{read_file, table, text};
use crate::api::Api;
use crate::arguments::PeerCommand;
use crate::output::{self, Failure};

/// Largest invitation file read.
const MAX_INVITATION_BYTES: u64 = 64 << 10;

pub(crate) async fn run(command: PeerCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        PeerCommand::Invite { place, name, kind } => {
            let api = Api::of(&place).await?;
            let body = json!({ "name": name, "kind": kind });
            let invitation = api.post("/api/v1/peers/invitations", &body).await;
            api.close().await;
            output::value(&invitation?)?;
            output::note(
                "Hand this to them over a channel you trust: it works once, and soon expires.",
            );
        }
        PeerCommand::Join { place, invitation } => {
            let bytes = read_file(&invitation, MAX_INVITATION_BYTES)?;
            let body: Value = serde_json::from_slice(&bytes).map_err(Failure::file(&invitation))?;
            let api = Api::of(&place).await?;
            let peer = api.post("/api/v1/peers/join", &body).await;
            api.close().await;
            let peer = peer?;
            if json {
                output::value(&peer)?;
            } else {
                output::line(&format!("joined {} ({})", text(&peer, "name"), text(&peer, "id")));
            }
        }
        PeerCommand::List(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get("/api/v1/peers").await;
            api.close().await;
            table(&answer?, &["id", "name", "state", "url"], json)?;
        }
        PeerCommand::Remove { place, id } => {
            let api = Api::of(&place).await?;
            let answer = api.delete(&format!("/api/v1/peers/{id}")).await;
            api.close().await;
            answer?;
            output::note("removed");
        }
    }
    Ok(ExitCode::SUCCESS)
}
