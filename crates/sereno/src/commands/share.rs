//! `sereno share preview|objects|list|show|retract|retractions|received|standing` and `sereno federation links`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

/// Largest rule file read.
const MAX_RULE_BYTES: u64 = 64 << 10;

#[derive(Debug, Subcommand)]
pub(crate) enum ShareCommand {
    /// Who would receive what, and why (not); nothing leaves.
    Preview(Box<super::sharing::Preview>),
    /// Share objects: each is judged for each recipient, and once more when it leaves.
    Objects {
        #[command(flatten)]
        place: Place,
        /// STIX ids.
        #[arg(required = true)]
        objects: Vec<String>,
        /// A peer by id or name, or a community by id; may be repeated.
        #[arg(long, required = true)]
        to: Vec<String>,
        /// Why; it stays on this node.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Shares, the newest first.
    List {
        #[command(flatten)]
        place: Place,
        /// How many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// One share: every recipient and object with its state.
    Show {
        #[command(flatten)]
        place: Place,
        /// Its id.
        share: String,
    },
    /// Take objects back from everybody who got them.
    Retract {
        #[command(flatten)]
        place: Place,
        /// STIX ids.
        #[arg(required = true)]
        objects: Vec<String>,
        /// Why; recipients read it.
        #[arg(long)]
        reason: String,
    },
    /// Retractions and who acknowledged them; one of them with its id.
    Retractions {
        #[command(flatten)]
        place: Place,
        /// One of them.
        retraction: Option<String>,
    },
    /// What peers brought.
    Received {
        #[command(flatten)]
        place: Place,
        /// kept, beside, refused or withdrawn.
        #[arg(long)]
        outcome: Option<String>,
        /// How many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Standing shares; with a file of a rule (JSON), one more.
    Standing {
        #[command(flatten)]
        place: Place,
        /// The rule of a new one.
        #[arg(long)]
        add: Option<PathBuf>,
        /// Ends the one with this id.
        #[arg(long, conflicts_with = "add")]
        remove: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum FederationCommand {
    /// The links to peers: what waits, what is under way, the last contact.
    Links(Place),
}

pub(crate) async fn run(command: ShareCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        ShareCommand::Preview(asked) => super::sharing::preview(*asked, json).await?,
        ShareCommand::Objects { place, objects, to, note } => {
            let api = Api::of(&place).await?;
            let answer = share(&api, &objects, &to, &note).await;
            api.close().await;
            show(&answer?, &["peer_name", "object", "state", "reason"], json)?;
        }
        ShareCommand::List { place, limit } => {
            let path = format!("/api/v1/federation/shares?limit={limit}");
            let fields = ["id", "recorded_at", "kind", "made_by", "counts", "note"];
            list(&place, &path, &fields, json).await?;
        }
        ShareCommand::Show { place, share } => {
            let path = format!("/api/v1/federation/shares/{}", escape(&share));
            let answer = get(&place, &path).await?;
            show(&answer, &["peer_name", "object", "state", "reason"], json)?;
        }
        ShareCommand::Retract { place, objects, reason } => {
            let body = json!({ "objects": objects, "reason": reason });
            let api = Api::of(&place).await?;
            let answer = api.post("/api/v1/federation/retractions", &body).await;
            api.close().await;
            show(&answer?, &["peer_name", "object", "state"], json)?;
        }
        ShareCommand::Retractions { place, retraction: Some(id) } => {
            let path = format!("/api/v1/federation/retractions/{}", escape(&id));
            let answer = get(&place, &path).await?;
            show(&answer, &["peer_name", "object", "state"], json)?;
        }
        ShareCommand::Retractions { place, retraction: None } => {
            let fields = ["id", "recorded_at", "made_by", "counts", "reason"];
            list(&place, "/api/v1/federation/retractions", &fields, json).await?;
        }
        ShareCommand::Received { place, outcome, limit } => {
            let mut path = format!("/api/v1/federation/received?limit={limit}");
            if let Some(outcome) = outcome {
                path.push_str(&format!("&outcome={}", escape(&outcome)));
            }
            let fields = ["recorded_at", "peer_name", "object", "tlp", "outcome", "reason"];
            list(&place, &path, &fields, json).await?;
        }
        ShareCommand::Standing { place, add, remove } => {
            standing(&place, add, remove, json).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn federation(
    command: FederationCommand,
    json: bool,
) -> Result<ExitCode, Failure> {
    let FederationCommand::Links(place) = command;
    let fields = [
        "name",
        "way",
        "queued",
        "under_way",
        "out_seq",
        "in_seq",
        "refused",
        "last_contact",
        "last_error",
    ];
    list(&place, "/api/v1/federation/links", &fields, json).await?;
    Ok(ExitCode::SUCCESS)
}

async fn share(api: &Api, objects: &[String], to: &[String], note: &str) -> Result<Value, Failure> {
    let peers = api.get("/api/v1/peers").await?;
    let known = peers.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_peer = |name: &&String| {
        known.iter().any(|peer| text(peer, "id") == **name || text(peer, "name") == **name)
    };
    let is_id = |name: &&String| name.parse::<model::CommunityId>().is_ok();
    // What is neither is left to the node, which says that it knows no such peer.
    let (communities, peers): (Vec<&String>, Vec<&String>) =
        to.iter().partition(|name| !is_peer(name) && is_id(name));
    let body = json!({
        "objects": objects, "note": note,
        "to": { "peers": peers, "communities": communities },
    });
    api.post("/api/v1/federation/shares", &body).await
}

async fn standing(
    place: &Place,
    add: Option<PathBuf>,
    remove: Option<String>,
    json: bool,
) -> Result<(), Failure> {
    let path = "/api/v1/federation/standing";
    if let Some(file) = add {
        let bytes = read_file(&file, MAX_RULE_BYTES)?;
        let rule: Value = serde_json::from_slice(&bytes).map_err(Failure::file(&file))?;
        let api = Api::of(place).await?;
        let answer = api.post(path, &rule).await;
        api.close().await;
        return output::value(&answer?);
    }
    if let Some(id) = remove {
        let api = Api::of(place).await?;
        let answer = api.delete(&format!("{path}/{}", escape(&id))).await;
        api.close().await;
        answer?;
        output::note("removed");
        return Ok(());
    }
    list(place, path, &["id", "recorded_at", "made_by", "rule"], json).await
}

async fn get(place: &Place, path: &str) -> Result<Value, Failure> {
    let api = Api::of(place).await?;
    let answer = api.get(path).await;
    api.close().await;
    answer
}

async fn list(place: &Place, path: &str, fields: &[&str], json: bool) -> Result<(), Failure> {
    table(&get(place, path).await?, fields, json)
}

/// One share or retraction: its head as a line, then its rows.
fn show(answer: &Value, fields: &[&str], json: bool) -> Result<(), Failure> {
    if json {
        return output::value(answer);
    }
    let counts = answer.get("counts").map(Value::to_string).unwrap_or_default();
    output::line(&format!("{}  {counts}", text(answer, "id")));
    let rows = answer.get("objects").cloned().unwrap_or_default();
    table(&rows, fields, false)?;
    let behind = answer.get("behind").and_then(Value::as_array);
    for row in behind.into_iter().flatten() {
        let count = |name: &str| row.get(name).and_then(Value::as_i64).unwrap_or_default();
        output::line(&format!(
            "behind {}: {} told, {} acknowledged",
            text(row, "peer_name"),
            count("reached"),
            count("acknowledged")
        ));
    }
    Ok(())
}
