//! `sereno intel extract|sight|decay|warninglist`.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::{read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::{Decay, DecayCommand, Place, WarninglistCommand};
use crate::output::{self, Failure};

/// Largest report and largest list of keys read, bytes; the node has a limit of its own.
const MAX_REPORT_BYTES: u64 = 64 << 20;
/// Largest warninglist read, bytes.
const MAX_LIST_BYTES: u64 = 64 << 20;

/// What shall be stored of a report.
pub(super) struct Accepted {
    pub(super) accept: Option<String>,
    pub(super) title: Option<String>,
    pub(super) tlp: String,
    pub(super) source: String,
    pub(super) confidence: Option<u8>,
}

pub(super) async fn extract(
    place: &Place,
    file: &Path,
    wanted: Option<Accepted>,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let bytes = read_file(file, MAX_REPORT_BYTES)?;
    if bytes.starts_with(b"%PDF-") {
        let text =
            format!("{} is PDF, and reports are read as text, Markdown or HTML", file.display());
        return Err(Failure::wrong_use(text).remedy(
            "Take its text out first: `pdftotext -layout REPORT.pdf REPORT.txt` (package poppler-utils).",
        ));
    }
    let Some(wanted) = wanted else {
        let api = Api::of(place).await?;
        let answer = api.post_text("/api/v1/knowledge/reports/extract", bytes).await;
        api.close().await;
        let answer = answer?;
        let candidates = answer.get("candidates").cloned().unwrap_or(Value::Null);
        let shown = if as_json { &answer } else { &candidates };
        table(shown, &["suggestion", "line", "key", "defanged", "doubts"], as_json)?;
        return Ok(ExitCode::SUCCESS);
    };
    let accept = match wanted.accept.as_deref() {
        Some("all") => vec!["all".to_owned()],
        Some(keys) => {
            let keys = read_file(Path::new(keys), MAX_REPORT_BYTES)?;
            let keys = String::from_utf8_lossy(&keys).into_owned();
            keys.lines().map(str::trim).filter(|key| !key.is_empty()).map(str::to_owned).collect()
        }
        None => vec![],
    };
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::wrong_use(format!("{} is not UTF-8", file.display())))?;
    let name = file.file_stem().map(|name| name.to_string_lossy().into_owned());
    let body = json!({
        "text": text, "title": wanted.title.or(name).unwrap_or_default(), "tlp": wanted.tlp,
        "source": wanted.source, "confidence": wanted.confidence, "accept": accept,
    });
    let api = Api::of(place).await?;
    let answer = api.post("/api/v1/knowledge/reports", &body).await;
    api.close().await;
    let answer = answer?;
    if as_json {
        output::value(&answer)?;
    } else {
        let stored = answer.get("stored").cloned().unwrap_or_default();
        let count = |name: &str| stored.get(name).and_then(Value::as_u64).unwrap_or_default();
        output::line(&format!(
            "{}: {} objects, {} new, {} known",
            super::text(&answer, "report"),
            count("objects"),
            count("new"),
            count("same")
        ));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn sight(
    place: &Place,
    id: &str,
    said: &Value,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let api = Api::of(place).await?;
    let path = format!("/api/v1/knowledge/objects/{}/sightings", escape(id));
    let answer = api.post(&path, said).await;
    api.close().await;
    let answer = answer?;
    if as_json {
        output::value(&answer)?;
    } else {
        let score = answer.get("score_now").and_then(Value::as_f64);
        let now = score.map_or_else(String::new, |score| {
            format!("; score now {score:.0}, {}", text(&answer, "standing"))
        });
        output::line(&format!("{}{now}", text(&answer, "id")));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn decay(decay: Decay, as_json: bool) -> Result<ExitCode, Failure> {
    let (place, change) = match decay.command {
        None => (decay.place, None),
        Some(DecayCommand::Set {
            place,
            kind,
            lifetime_days,
            decay_speed,
            threshold,
            default_base,
            sighting_gain,
            false_positive_cost,
        }) => {
            let values = json!({ "lifetime_days": lifetime_days, "decay_speed": decay_speed,
                "threshold": threshold, "default_base": default_base, "sighting_gain": sighting_gain,
                "false_positive_cost": false_positive_cost });
            (place, Some(json!({ "kinds": { kind: values } })))
        }
        Some(DecayCommand::Reset { place, kind }) => (place, Some(json!({ "reset": [kind] }))),
        Some(DecayCommand::Weigh { place, source, percent }) => {
            (place, Some(json!({ "sources": { source: percent } })))
        }
    };
    let api = Api::of(&place).await?;
    let answer = match change {
        None => api.get("/api/v1/knowledge/decay").await,
        Some(change) => api.put("/api/v1/knowledge/decay", &change).await,
    };
    api.close().await;
    let answer = answer?;
    if as_json {
        output::value(&answer)?;
    } else {
        output::line(text(&answer, "formula"));
        let part = |name: &str| answer.get(name).cloned().unwrap_or_default();
        let columns =
            ["kind", "lifetime_days", "decay_speed", "threshold", "default_base", "chosen_by"];
        table(&part("kinds"), &columns, false)?;
        table(&part("sources"), &["weight", "key", "name"], false)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn warninglist(
    command: WarninglistCommand,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    const PATH: &str = "/api/v1/knowledge/warninglists";
    match command {
        WarninglistCommand::List(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get(PATH).await;
            api.close().await;
            table(&answer?, &["origin", "matching", "entries", "name"], as_json)?;
        }
        WarninglistCommand::Add { place, file } => {
            let bytes = read_file(&file, MAX_LIST_BYTES)?;
            let api = Api::of(&place).await?;
            let answer = api.post_bytes(PATH, bytes, "application/json").await;
            api.close().await;
            let answer = answer?;
            if as_json {
                output::value(&answer)?;
            } else {
                let list = answer.get("list").cloned().unwrap_or_default();
                let count = |name: &str| list.get(name).and_then(Value::as_i64).unwrap_or_default();
                let (entries, left) = (count("entries"), count("left_out"));
                output::line(&format!(
                    "{}: {entries} entries, {left} left out",
                    text(&list, "name")
                ));
                for entry in answer.get("left_out").and_then(Value::as_array).into_iter().flatten()
                {
                    output::note(entry.as_str().unwrap_or_default());
                }
            }
        }
        WarninglistCommand::Remove { place, name } => {
            let api = Api::of(&place).await?;
            let answer = api.delete(&format!("{PATH}/{}", escape(&name))).await;
            api.close().await;
            answer?;
            output::note("removed");
        }
    }
    Ok(ExitCode::SUCCESS)
}
