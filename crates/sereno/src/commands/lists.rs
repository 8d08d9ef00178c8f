//! Lists of what the node knows, and one of them whole.

use std::process::ExitCode;

use super::table;
use crate::api::Api;
use crate::arguments::{Get, List};
use crate::output::{self, Failure};

/// The columns shown for a list.
fn columns(noun: &str) -> &'static [&'static str] {
    match noun {
        "devices" => &["id", "name", "mac", "role", "last_seen"],
        "findings" => &["id", "severity", "score", "title", "first_at"],
        "incidents" => &["id", "severity", "state", "title", "acknowledged_by"],
        "runs" => &["id", "state", "name", "started_at", "ended_at"],
        "shares" => &["id", "state", "peer_name", "tlp", "decided_at", "delivered_at"],
        _ => &["name", "connected", "not_enforcing", "last_contact"],
    }
}

pub(crate) async fn run(noun: &str, list: List, json: bool) -> Result<ExitCode, Failure> {
    let api = Api::of(&list.place).await?;
    let path = match &list.id {
        Some(id) => format!("/api/v1/{noun}/{id}"),
        None => format!("/api/v1/{noun}?limit={}", list.limit),
    };
    let answer = api.get(&path).await;
    api.close().await;
    let answer = answer?;
    if list.id.is_some() {
        output::value(&answer)?;
    } else {
        table(&answer, columns(noun), json)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn get(get: Get, _json: bool) -> Result<ExitCode, Failure> {
    if !get.path.starts_with('/') {
        return Err(Failure::wrong_use(format!("'{}' is not a path", get.path))
            .remedy("Paths begin with '/', e.g. /api/v1/incidents."));
    }
    let api = Api::of(&get.place).await?;
    let answer = api.get(&get.path).await;
    api.close().await;
    output::value(&answer?)?;
    Ok(ExitCode::SUCCESS)
}
