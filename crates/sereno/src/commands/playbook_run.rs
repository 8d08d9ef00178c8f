//! `sereno playbook run|runs|show|cancel|pause|resume|retry|answer|settle`.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::playbook::MAX_PLAYBOOK_BYTES;
use super::{read_file, table, text};
use crate::api::Api;
use crate::arguments::{Place, PlaybookCommand, RunPlace, SettleAnswer, YesNo};
use crate::output::{self, Failure};

/// Pause between two looks at a run, milliseconds.
const LOOK_MS: u64 = 200;

pub(crate) async fn run(command: PlaybookCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        PlaybookCommand::Run { place, playbook, incident, variables, dry_run, wait } => {
            let mut order = json!({ "incident": incident, "variables": given(&variables)? });
            order["dry_run"] = dry_run.into();
            start(&place, &playbook, order, dry_run || wait, json).await
        }
        PlaybookCommand::Runs { place, limit } => {
            let api = Api::of(&place).await?;
            let answer = api.get(&format!("/api/v1/runs?limit={limit}")).await;
            api.close().await;
            table(&answer?, &["id", "name", "state", "rehearsal", "started_at", "note"], json)?;
            Ok(ExitCode::SUCCESS)
        }
        PlaybookCommand::Show(run) => {
            let api = Api::of(&run.place).await?;
            let answer = api.get(&format!("/api/v1/runs/{}", run.run)).await;
            api.close().await;
            say(&answer?, json)?;
            Ok(ExitCode::SUCCESS)
        }
        PlaybookCommand::Cancel(run) => act(&run, "cancel", &json!({}), json).await,
        PlaybookCommand::Pause(run) => act(&run, "pause", &json!({}), json).await,
        PlaybookCommand::Resume(run) => act(&run, "resume", &json!({}), json).await,
        PlaybookCommand::Retry { run, step } => {
            act(&run, "retry", &json!({ "step": step }), json).await
        }
        PlaybookCommand::Answer { run, step, answer, text, variables } => {
            let approve = matches!(answer, YesNo::Approve);
            let body = json!({ "approve": approve, "text": text, "variables": given(&variables)? });
            act(&run, &format!("steps/{step}/answer"), &body, json).await
        }
        PlaybookCommand::Settle { run, step, answer } => {
            let word = match answer {
                SettleAnswer::Done => "done",
                SettleAnswer::NotDone => "not_done",
                SettleAnswer::GiveUp => "give_up",
            };
            act(&run, &format!("steps/{step}/settle"), &json!({ "answer": word }), json).await
        }
        _ => Err(Failure::wrong_use("this is no command about runs")),
    }
}

fn given(variables: &[String]) -> Result<Map<String, Value>, Failure> {
    variables
        .iter()
        .map(|text| {
            let (name, value) = text.split_once('=').ok_or_else(|| {
                Failure::wrong_use(format!("--var {text}: a variable is given as NAME=VALUE"))
            })?;
            Ok((name.to_owned(), value.into()))
        })
        .collect()
}

async fn start(
    place: &Place,
    playbook: &str,
    mut order: Value,
    wait: bool,
    json: bool,
) -> Result<ExitCode, Failure> {
    let api = Api::of(place).await?;
    if wait && matches!(api, Api::Here(_)) {
        api.close().await;
        return Err(Failure::new(
            "no node runs over this data folder, so that no step would begin",
        )
        .remedy("Start it with `sereno up`, or leave out --wait: the run begins with the node."));
    }
    let ended = async {
        order["playbook"] = stored(&api, playbook).await?.into();
        let mut run = api.post("/api/v1/runs", &order).await?;
        let path = format!("/api/v1/runs/{}", text(&run, "id"));
        while wait && matches!(text(&run, "state"), "running" | "waiting" | "paused") {
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
            run = api.get(&path).await?;
        }
        Ok(run)
    }
    .await;
    api.close().await;
    let run = ended?;
    if wait {
        say(&run, json)?;
        return Ok(output::answer(text(&run, "state") == "succeeded"));
    }
    if json {
        output::value(&run)?;
    } else {
        output::line(text(&run, "id"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The id of the playbook; a file is stored first.
async fn stored(api: &Api, playbook: &str) -> Result<String, Failure> {
    let file = Path::new(playbook);
    if !file.is_file() {
        return Ok(playbook.to_owned());
    }
    let bytes = read_file(file, MAX_PLAYBOOK_BYTES)?;
    let body: Value = serde_json::from_slice(&bytes).map_err(Failure::file(file))?;
    let answer = api.post("/api/v1/playbooks", &body).await?;
    let id = text(&answer, "id").to_owned();
    let kept = api.get(&format!("/api/v1/playbooks/{id}")).await?;
    if kept.get("playbook") != Some(&body) {
        return Err(Failure::new(format!(
            "{playbook}: the node holds another playbook with the same id and `modified`"
        ))
        .remedy("Give the file a later `modified`, or run the stored one by its id."));
    }
    Ok(id)
}

async fn act(run: &RunPlace, verb: &str, body: &Value, json: bool) -> Result<ExitCode, Failure> {
    let api = Api::of(&run.place).await?;
    let answer = api.post(&format!("/api/v1/runs/{}/{verb}", run.run), body).await;
    api.close().await;
    say(&answer?, json)?;
    Ok(ExitCode::SUCCESS)
}

/// A run as lines: what it is, then its steps.
fn say(run: &Value, json: bool) -> Result<(), Failure> {
    if json {
        return output::value(run);
    }
    let seen = |field: &str| analytics::inventory::seen_as_it_is(text(run, field));
    let rehearsal = run.get("rehearsal").and_then(Value::as_bool).unwrap_or(false);
    let mark = if rehearsal { " (rehearsal: nothing was touched)" } else { "" };
    output::line(&format!("{}  {}  {}{mark}", seen("id"), seen("name"), seen("state")));
    if !text(run, "note").is_empty() {
        output::line(&format!("  {}", seen("note")));
    }
    for step in run.get("steps").and_then(Value::as_array).into_iter().flatten() {
        let outcome = step.get("outcome");
        let said = ["summary", "reason"]
            .iter()
            .filter_map(|field| outcome?.get(field)?.as_str())
            .next()
            .unwrap_or_default();
        let number = step.get("position").and_then(Value::as_i64);
        let number = number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let line = format!("  {number:>4}  {:<12}  {}", text(step, "state"), text(step, "name"));
        let line = if said.is_empty() { line } else { format!("{line}: {said}") };
        output::line(&analytics::inventory::seen_as_it_is(&line));
    }
    Ok(())
}
