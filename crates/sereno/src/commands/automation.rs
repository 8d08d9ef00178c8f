//! `sereno automation show|set|stop|resume|proposals|accept|decline|responses|delegate|ask|mails|links`: what happens by itself, and what waits.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

const PATH: &str = "/api/v1/automation";
const PROPOSALS: &str = "/api/v1/proposals";
/// Largest policy file read, bytes.
const MAX_POLICY_BYTES: u64 = 1 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum AutomationCommand {
    /// The policy: levels by criticality, quiet hours, limits, what is never touched; and whether it is stopped
    Show(Place),
    /// Replaces the policy by a file, as `show --json` prints it
    Set {
        #[command(flatten)]
        place: Place,
        /// JSON
        file: PathBuf,
    },
    /// The kill switch: nothing starts by itself any more, runs that did are held
    Stop {
        #[command(flatten)]
        place: Place,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Lets things happen by themselves again; runs that were held stay held
    Resume(Place),
    /// Runs that wait for a yes, or that are recommended
    Proposals {
        #[command(flatten)]
        place: Place,
        /// open, decided, accepted, declined, expired or all
        #[arg(long, default_value = "open")]
        state: String,
    },
    /// Says yes to a proposal
    Accept {
        #[command(flatten)]
        place: Place,
        /// Its id
        proposal: String,
        /// What is to be said about it
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// Says no to a proposal
    Decline {
        #[command(flatten)]
        place: Place,
        /// Its id
        proposal: String,
        /// What is to be said about it
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// Gives a voice to somebody for a time, lists and ends that
    #[command(subcommand)]
    Delegate(super::approvals::DelegateCommand),
    /// Asks somebody else to answer a proposal or a manual step
    Ask(super::approvals::AskArguments),
    /// Mails that asked for answers, and what became of each
    Mails(super::approvals::MailsArguments),
    /// Turns questions by mail on or off, and says who is asked
    Links(super::approvals::LinksArguments),
    /// Playbooks for an incident, the one of most worth first, and why
    Responses {
        #[command(flatten)]
        place: Place,
        /// The incident's id
        incident: String,
    },
}

pub(crate) async fn run(command: AutomationCommand, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        AutomationCommand::Delegate(command) => {
            return super::approvals::delegate(command, as_json).await;
        }
        AutomationCommand::Ask(asked) => return super::approvals::ask(asked, as_json).await,
        AutomationCommand::Mails(asked) => return super::approvals::mails(asked, as_json).await,
        AutomationCommand::Links(asked) => return super::approvals::links(asked, as_json).await,
        AutomationCommand::Show(place) => {
            let policy = get(&place, PATH).await?;
            // The policy is a file to be changed and set again: shown as one.
            output::value(&policy)?;
        }
        AutomationCommand::Set { place, file } => {
            let bytes = read_file(&file, MAX_POLICY_BYTES)?;
            let body: Value = serde_json::from_slice(&bytes).map_err(Failure::file(&file))?;
            let api = Api::of(&place).await?;
            let answer = api.put(PATH, &body).await;
            api.close().await;
            said(&answer?, as_json, "the policy holds from now on")?;
        }
        AutomationCommand::Stop { place, reason } => {
            let answer =
                post(&place, &format!("{PATH}/stop"), &json!({ "reason": reason })).await?;
            let note =
                "nothing starts by itself; runs that did are held until somebody lets each go on";
            said(&answer, as_json, note)?;
        }
        AutomationCommand::Resume(place) => {
            let answer = post(&place, &format!("{PATH}/resume"), &Value::Null).await?;
            said(&answer, as_json, "things happen by themselves again, as the policy says")?;
        }
        AutomationCommand::Proposals { place, state } => {
            proposals(&place, &state, as_json).await?;
        }
        AutomationCommand::Accept { place, proposal, comment } => {
            let answer = answered(&place, &proposal, true, &comment).await?;
            let run = answer.get("run").and_then(Value::as_str);
            let note = match run {
                Some(run) => format!("run {run} has started"),
                None => "one more person has to say yes".to_owned(),
            };
            said(&answer, as_json, &note)?;
        }
        AutomationCommand::Decline { place, proposal, comment } => {
            let answer = answered(&place, &proposal, false, &comment).await?;
            said(&answer, as_json, "declined; it does not run")?;
        }
        AutomationCommand::Responses { place, incident } => {
            let path = format!("/api/v1/incidents/{}/responses", escape(&incident));
            let list = get(&place, &path).await?;
            if as_json {
                output::value(&list)?;
            } else {
                list.as_array().into_iter().flatten().for_each(candidate);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn proposals(place: &Place, state: &str, as_json: bool) -> Result<(), Failure> {
    let list = get(place, &format!("{PROPOSALS}?state={}", escape(state))).await?;
    let items = list.get("items").cloned().unwrap_or_default();
    let columns = [
        "id",
        "level",
        "name",
        "incident",
        "persons",
        "state",
        "expires_at",
        "decided_at",
        "decided_by",
        "comment",
    ];
    table(if as_json { &list } else { &items }, &columns, as_json)
}

fn candidate(one: &Value) {
    let value = one.get("value").and_then(Value::as_f64).unwrap_or_default();
    output::line(&format!("{value:+.2}  {}  ({})", text(one, "name"), text(one, "playbook")));
    for (name, before) in
        [("reasons", ""), ("level_reasons", "not by itself: "), ("missing", "cannot run here: ")]
    {
        for line in one.get(name).and_then(Value::as_array).into_iter().flatten() {
            output::line(&format!("       {before}{}", line.as_str().unwrap_or_default()));
        }
    }
}

fn said(answer: &Value, as_json: bool, note: &str) -> Result<(), Failure> {
    if as_json {
        return output::value(answer);
    }
    output::note(note);
    Ok(())
}

async fn answered(
    place: &Place,
    proposal: &str,
    accept: bool,
    comment: &str,
) -> Result<Value, Failure> {
    let path = format!("{PROPOSALS}/{}/answer", escape(proposal));
    post(place, &path, &json!({ "accept": accept, "comment": comment })).await
}

async fn get(place: &Place, path: &str) -> Result<Value, Failure> {
    let api = Api::of(place).await?;
    let answer = api.get(path).await;
    api.close().await;
    answer
}

async fn post(place: &Place, path: &str, body: &Value) -> Result<Value, Failure> {
    let api = Api::of(place).await?;
    let answer = api.post(path, body).await;
    api.close().await;
    answer
}
