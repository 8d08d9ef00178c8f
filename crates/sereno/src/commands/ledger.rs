//! `sereno ledger verify|head|list|proof`.

use std::process::ExitCode;

use serde_json::Value;

use super::{read_file, table, text};
use crate::api::Api;
use crate::arguments::LedgerCommand;
use crate::output::{self, Failure};

/// Largest proof file read.
const MAX_PROOF_BYTES: u64 = 1 << 20;

pub(crate) async fn run(command: LedgerCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        LedgerCommand::Verify { place: _, proof: Some(proof), key } => {
            let bytes = read_file(&proof, MAX_PROOF_BYTES)?;
            let value: Value = serde_json::from_slice(&bytes).map_err(Failure::file(&proof))?;
            let checked = accountability::verify_proof(&value, key.as_deref())
                .map_err(|cause| Failure::new(format!("{}: {cause}", proof.display())))?;
            if json {
                output::value(&checked)?;
            } else {
                output::line(&checked.sentence);
            }
            Ok(output::answer(checked.verified))
        }
        LedgerCommand::Verify { place, proof: None, .. } => {
            let report = accountability::verify_folder(&place.data)
                .await
                .map_err(|cause| Failure::new(cause.to_string()))?;
            if json {
                output::value(&report)?;
            } else {
                output::line(&report.sentence());
            }
            Ok(output::answer(report.verified))
        }
        LedgerCommand::Head(place) => show(&place, "/api/v1/ledger").await,
        LedgerCommand::Proof { place, index } => {
            show(&place, &format!("/api/v1/ledger/entries/{index}/proof")).await
        }
        LedgerCommand::List(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get("/api/v1/ledger/entries").await;
            api.close().await;
            let answer = answer?;
            if let (false, Some(items)) = (json, answer["items"].as_array()) {
                for item in items {
                    let (at, actor) = (text(item, "at"), text(item, "actor"));
                    output::line(&format!(
                        "{:>6}  {at}  {actor}  {}",
                        item["index"],
                        text(item, "sentence")
                    ));
                }
            } else {
                table(&answer, &["index", "at", "actor", "sentence"], json)?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn show(place: &crate::arguments::Place, path: &str) -> Result<ExitCode, Failure> {
    let api = Api::of(place).await?;
    let answer = api.get(path).await;
    api.close().await;
    output::value(&answer?)?;
    Ok(ExitCode::SUCCESS)
}
