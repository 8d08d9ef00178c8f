//! `sereno automation delegate|ask|mails|links`: who answers, in whose place, and who is asked by mail.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::taxii::{say, with};
use super::{table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::Failure;

const DELEGATIONS: &str = "/api/v1/delegations";
const POLICY: &str = "/api/v1/automation";

#[derive(Debug, Subcommand)]
pub(crate) enum DelegateCommand {
    /// Gives a voice to somebody for a time; who takes it must be allowed to answer themselves
    Add(DelegateAdd),
    /// Voices given, the newest first
    List(Place),
    /// Ends one
    End {
        #[command(flatten)]
        place: Place,
        /// Its id
        id: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct DelegateAdd {
    #[command(flatten)]
    place: Place,
    /// Whose voice: the name of an account
    #[arg(long)]
    giver: String,
    /// Who may raise it: the name of an account
    #[arg(long)]
    to: String,
    /// Since when (RFC 3339); now without it
    #[arg(long)]
    from: Option<String>,
    /// Until when (RFC 3339), at most 92 days
    #[arg(long)]
    until: String,
    /// proposals or steps; repeatable; both without it
    #[arg(long = "kind")]
    kinds: Vec<String>,
    /// Only for the playbook of this id
    #[arg(long)]
    playbook: Option<String>,
    /// Why
    #[arg(long, default_value = "")]
    comment: String,
}

#[derive(Debug, Args)]
pub(crate) struct AskArguments {
    #[command(flatten)]
    place: Place,
    /// The proposal's id, or RUN/NUMBER of a manual step
    question: String,
    /// The name of an account that may answer
    person: String,
    /// What is said to them
    #[arg(long, default_value = "")]
    comment: String,
}

#[derive(Debug, Args)]
pub(crate) struct MailsArguments {
    #[command(flatten)]
    place: Place,
    /// Only those about a proposal's id, RUN/NUMBER, or a delegation's id
    #[arg(long)]
    about: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct LinksArguments {
    #[command(flatten)]
    place: Place,
    /// on or off
    #[arg(value_parser = ["on", "off"])]
    switch: String,
    /// A role whose people are asked; repeatable
    #[arg(long = "role")]
    roles: Vec<String>,
    /// An account that is asked; repeatable
    #[arg(long = "person")]
    persons: Vec<String>,
    /// A role that is asked when nobody answered in time; repeatable
    #[arg(long = "then-role")]
    then_roles: Vec<String>,
    /// An account that is asked when nobody answered in time; repeatable
    #[arg(long = "then-person")]
    then_persons: Vec<String>,
}

pub(crate) async fn delegate(command: DelegateCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        DelegateCommand::Add(add) => {
            let kinds = if add.kinds.is_empty() { Value::Null } else { json!(add.kinds) };
            let body = json!({ "giver": add.giver, "taker": add.to, "from": add.from,
                "until": add.until, "kinds": kinds, "playbook": add.playbook,
                "comment": add.comment });
            let made = with(&add.place, async |api| api.post(DELEGATIONS, &body).await).await?;
            say(&made, json, || text(&made, "id").to_owned())?;
        }
        DelegateCommand::List(place) => {
            let all = with(&place, async |api| api.get(DELEGATIONS).await).await?;
            table(&all, &["id", "giver", "taker", "kinds", "from", "until", "active"], json)?;
        }
        DelegateCommand::End { place, id } => {
            let path = format!("{DELEGATIONS}/{}", escape(&id));
            with(&place, async |api| api.delete(&path).await).await?;
            say(&json!({ "ended": id }), json, || "ended".into())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn ask(asked: AskArguments, json: bool) -> Result<ExitCode, Failure> {
    let path = match asked.question.split_once('/') {
        Some((run, step)) => format!("/api/v1/runs/{}/steps/{}/ask", escape(run), escape(step)),
        None => format!("/api/v1/proposals/{}/ask", escape(&asked.question)),
    };
    let body = json!({ "person": asked.person, "comment": asked.comment });
    let answer = with(&asked.place, async |api| api.post(&path, &body).await).await?;
    let mailed = answer.get("mailed").and_then(Value::as_bool).unwrap_or(false);
    say(&answer, json, || {
        let way = if mailed { "by mail and on the console" } else { "on the console only" };
        format!("{} is asked {way}", asked.person)
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn mails(asked: MailsArguments, json: bool) -> Result<ExitCode, Failure> {
    let about = asked.about.as_deref().unwrap_or_default();
    let path = format!("/api/v1/answer-mails?about={}", escape(about));
    let all = with(&asked.place, async |api| api.get(&path).await).await?;
    table(
        &all,
        &["recorded_at", "kind", "about", "person", "for", "round", "state", "reason"],
        json,
    )?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn links(asked: LinksArguments, json: bool) -> Result<ExitCode, Failure> {
    let on = asked.switch == "on";
    let change = async |api: &Api| {
        let mut policy = api.get(POLICY).await?;
        let Some(links) = policy.get_mut("mail_links").and_then(Value::as_object_mut) else {
            return Err(Failure::wrong_use("this node does not ask by mail".to_owned()));
        };
        links.insert("on".into(), on.into());
        for (name, given) in [
            ("roles", &asked.roles),
            ("persons", &asked.persons),
            ("then_roles", &asked.then_roles),
            ("then_persons", &asked.then_persons),
        ] {
            // What is not named stays as it was.
            if !given.is_empty() {
                links.insert(name.into(), json!(given));
            }
        }
        api.put(POLICY, &policy).await
    };
    let policy = with(&asked.place, change).await?;
    say(&policy, json, || {
        if on { "questions go out by mail" } else { "nobody is asked by mail" }.to_owned()
    })?;
    Ok(ExitCode::SUCCESS)
}
