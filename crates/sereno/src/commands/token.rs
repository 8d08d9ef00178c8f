//! `sereno token new|list|revoke`.

use std::process::ExitCode;

use model::Timestamp;
use platform::system::SystemClock;
use ports::Clock;
use serde_json::json;

use super::{table, text};
use crate::api::{Api, escape};
use crate::arguments::TokenCommand;
use crate::output::{self, Failure};

pub(crate) async fn run(command: TokenCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        TokenCommand::New { place, role, label, days, collections, organisation } => {
            let expires: Timestamp = SystemClock.now().plus_secs(i64::from(days) * 86_400);
            let api = Api::of(&place).await?;
            let made = match super::taxii::grants(&api, &collections).await {
                Ok(grants) => {
                    let body = json!({ "role": role, "label": label, "expires_at": expires,
                        "grants": grants, "for": organisation });
                    api.post("/api/v1/tokens", &body).await
                }
                Err(failure) => Err(failure),
            };
            api.close().await;
            let made = made?;
            if json {
                output::value(&made)?;
            } else {
                output::line(text(&made, "token"));
                output::note("This token is shown once; keep it like a password.");
            }
        }
        TokenCommand::List(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get("/api/v1/tokens").await;
            api.close().await;
            table(&answer?, &["id", "label", "roles", "for", "expires_at"], json)?;
        }
        TokenCommand::Revoke { place, id } => {
            let api = Api::of(&place).await?;
            let answer = api.delete(&format!("/api/v1/tokens/{}", escape(&id))).await;
            api.close().await;
            answer?;
            output::note("revoked");
        }
    }
    Ok(ExitCode::SUCCESS)
}
