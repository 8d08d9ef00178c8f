//! `sereno doctor`: each part, its state, cause and remedy; the same list as on the page.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::text;
use crate::api::Api;
use crate::arguments::Place;
use crate::output::{self, Failure};

pub(crate) async fn run(place: Place, json: bool) -> Result<ExitCode, Failure> {
    let api = Api::of(&place).await?;
    let running = matches!(api, Api::Socket(_));
    let mut answer = api.get("/api/v1/doctor").await?;
    api.close().await;
    let own = if running {
        json!({ "name": "node", "state": "ok", "cause": "runs", "remedy": "" })
    } else {
        json!({ "name": "node", "state": "absent", "cause": "does not run", "remedy": "sereno up" })
    };
    if let Some(components) = answer.get_mut("components").and_then(Value::as_array_mut) {
        components.push(own);
        components.extend(edge_parts().await);
    }
    let components = answer["components"].as_array().cloned().unwrap_or_default();
    if json {
        output::value(&answer)?;
    } else {
        for part in &components {
            let remedy = text(part, "remedy");
            let arrow = if remedy.is_empty() { String::new() } else { format!("  → {remedy}") };
            let (state, name) = (text(part, "state"), text(part, "name"));
            output::line(&format!("{state:9} {name:24} {}{arrow}", text(part, "cause")));
        }
    }
    Ok(output::answer(components.iter().all(|part| text(part, "state") != "failed")))
}

/// What the edge program can do on this machine; it alone knows.
async fn edge_parts() -> Vec<Value> {
    let Ok(edge) = crate::demo::edge_program() else {
        return vec![json!({
            "name": "sereno-edge", "state": "absent",
            "cause": "the edge program is not beside this one",
            "remedy": "build it with `cargo build -p sereno-edge`",
        })];
    };
    let output = tokio::process::Command::new(edge).args(["check", "--json"]).output().await;
    let parsed: Option<Value> =
        output.ok().and_then(|output| serde_json::from_slice(&output.stdout).ok());
    match parsed.as_ref().and_then(|answer| answer["capabilities"].as_array()) {
        Some(capabilities) => capabilities.iter().map(edge_part).collect(),
        None => vec![json!({
            "name": "sereno-edge", "state": "failed",
            "cause": "`sereno-edge check --json` gave no answer",
            "remedy": "run it by hand to see why",
        })],
    }
}

/// What a gateway here could not do is no fault of the node: degraded, not failed.
fn edge_part(capability: &Value) -> Value {
    let works = capability["works"].as_bool().unwrap_or(false);
    let cause = if works { "works here" } else { text(capability, "cause") };
    json!({
        "name": format!("edge: {}", text(capability, "name")),
        "state": if works { "ok" } else { "degraded" },
        "cause": cause,
        "remedy": text(capability, "remedy"),
    })
}
