//! `sereno playbook validate|explain|diff|verify|sign|list|add|key|stix`, and what `playbook_run` does with runs.

use std::process::ExitCode;

use playbooks::cacao::Playbook;
use playbooks::{Report, abilities};
use serde_json::Value;

use super::playbook_more::{self, ListPlace};
use super::{playbook_run, playbook_sign, read_file, table, text};
use crate::api::Api;
use crate::arguments::PlaybookCommand;
use crate::output::{self, Failure};

/// Largest playbook file read, bytes.
pub(super) const MAX_PLAYBOOK_BYTES: u64 = 4 << 20;

pub(crate) async fn run(command: PlaybookCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        PlaybookCommand::Validate { file } => {
            let bytes = read_file(&file, MAX_PLAYBOOK_BYTES)?;
            let report = playbooks::validate_bytes(&bytes, &abilities::standard());
            say_report(&report, json)?;
            Ok(output::answer(report.valid))
        }
        PlaybookCommand::Explain { file } => {
            let bytes = read_file(&file, MAX_PLAYBOOK_BYTES)?;
            let text = String::from_utf8(bytes).map_err(Failure::file(&file))?;
            let playbook = Playbook::parse(&text).map_err(Failure::file(&file))?;
            output::line(&playbooks::explain(&playbook));
            Ok(ExitCode::SUCCESS)
        }
        PlaybookCommand::Diff { before, after } => playbook_sign::diff(&before, &after, json),
        PlaybookCommand::Verify { file, at, key, revoked } => {
            playbook_sign::verify(&file, at, &key, &revoked, json)
        }
        PlaybookCommand::Sign {
            file,
            key,
            signee,
            identity,
            algorithm,
            valid_until,
            counter,
            out,
        } => {
            let new = playbook_sign::New { signee, identity, algorithm, valid_until, counter };
            playbook_sign::sign(&file, &key, new, out.as_deref(), json)
        }
        PlaybookCommand::More(more) => playbook_more::run(more, json).await,
        PlaybookCommand::List(list) if list.shipped => playbook_more::shipped(json),
        PlaybookCommand::List(ListPlace { place, .. }) => {
            let api = Api::of(&place).await?;
            let answer = api.get("/api/v1/playbooks").await;
            api.close().await;
            table(&answer?, &["id", "name", "trigger", "steps"], json)?;
            Ok(ExitCode::SUCCESS)
        }
        PlaybookCommand::Add { place, file } => {
            let bytes = read_file(&file, MAX_PLAYBOOK_BYTES)?;
            let body: Value = serde_json::from_slice(&bytes).map_err(Failure::file(&file))?;
            let api = Api::of(&place).await?;
            let answer = api.post("/api/v1/playbooks", &body).await;
            api.close().await;
            say(&answer?, json)
        }
        other => playbook_run::run(other, json).await,
    }
}

/// Two answers: does it keep the standard, and can a node run it.
fn say_report(report: &Report, json: bool) -> Result<(), Failure> {
    if json {
        return output::value(report);
    }
    for error in &report.errors {
        output::line(&format!("error: {error}"));
    }
    for warning in &report.warnings {
        output::line(&format!("warning: {warning}"));
    }
    output::line(if report.valid { "valid CACAO v2.0" } else { "not valid CACAO v2.0" });
    for missing in &report.runnable.missing {
        output::line(&format!("cannot be run here: {missing}"));
    }
    if report.runnable.ok {
        output::line("can be run here");
    }
    Ok(())
}

fn say(answer: &Value, json: bool) -> Result<ExitCode, Failure> {
    if json {
        output::value(answer)?;
    } else {
        output::line(text(answer, "id"));
    }
    Ok(ExitCode::SUCCESS)
}
