//! `sereno intel lookup|sources|search|show|relations|path|import|export|common|matrix` and the way to the rest.

use std::process::ExitCode;

use serde_json::Value;

use super::{analyst, read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::{IntelCommand, Place};
use crate::output::{self, Failure};

/// Largest bundle read, bytes; the node has a limit of its own.
const MAX_IMPORT_BYTES: u64 = 1 << 30;
/// Columns of a relation.
const RELATION: [&str; 3] = ["origin", "kind", "target"];

pub(crate) async fn run(command: IntelCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        IntelCommand::Lookup { place, value } => lookup(&place, &value, json).await,
        IntelCommand::Sources(place) => {
            let answer = get(&place, "/api/v1/intel/sources").await?;
            shown(&answer, &["name", "values", "licence", "loaded_at"], json)
        }
        IntelCommand::Common(place) => {
            let answer = get(&place, "/api/v1/intel/common-values").await?;
            shown(&answer, &["held", "kind", "value", "reason"], json)
        }
        IntelCommand::Search { place, query, at, limit } => {
            let at = at.map_or_else(String::new, |at| format!("&at={}", escape(&at)));
            let path = format!("/api/v1/intel/objects?limit={limit}&q={}{at}", escape(&query));
            let answer = get(&place, &path).await?;
            table(&answer, &["type", "tlp", "name", "id"], json)?;
            let found = answer.get("items").and_then(Value::as_array);
            Ok(output::answer(found.is_some_and(|items| !items.is_empty())))
        }
        IntelCommand::Show { place, id, at } => {
            let at = at.map_or_else(String::new, |at| format!("?at={}", escape(&at)));
            let path = format!("/api/v1/intel/objects/{}{at}", escape(&id));
            output::value(&get(&place, &path).await?)?;
            Ok(ExitCode::SUCCESS)
        }
        IntelCommand::Relations { place, id } => {
            let path = format!("/api/v1/intel/objects/{}/relations?limit=1000", escape(&id));
            let answer = get(&place, &path).await?;
            let relations = answer.get("relations").cloned().unwrap_or(Value::Null);
            shown(if json { &answer } else { &relations }, &RELATION, json)
        }
        IntelCommand::Path { place, from, to } => way(&place, &from, &to, json).await,
        IntelCommand::Import { place, file, catalogue: Some(name), .. } => {
            catalogue(&place, &file, &name, json).await
        }
        IntelCommand::Import { place, file, label, tlp, .. } => {
            import(&place, &file, &label, &tlp, json).await
        }
        IntelCommand::Export { place, query } => {
            let api = Api::of(&place).await?;
            let text = api.get_text(&format!("/api/v1/intel/export?q={}", escape(&query))).await;
            api.close().await;
            output::line(&text?);
            Ok(ExitCode::SUCCESS)
        }
        IntelCommand::Matrix { place, domain, layer } => {
            matrix(&place, domain.as_deref(), layer).await
        }
        other => work(other, json).await,
    }
}

/// What analysts do beside reading.
async fn work(command: IntelCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        IntelCommand::Navigator { place, file, out: true, domain, .. } => {
            let asked =
                domain.map_or_else(String::new, |name| format!("?domain={}", escape(&name)));
            let layer = get(&place, &format!("/api/v1/intel/layer{asked}")).await?;
            std::fs::write(&file, layer.to_string()).map_err(Failure::file(&file))?;
            Ok(ExitCode::SUCCESS)
        }
        IntelCommand::Navigator { place, file, tlp, label, .. } => {
            let bytes = read_file(&file, MAX_IMPORT_BYTES)?;
            let path =
                format!("/api/v1/knowledge/layers?tlp={}&label={}", escape(&tlp), escape(&label));
            let api = Api::of(&place).await?;
            let answer = api.post_bytes(&path, bytes, "application/json").await;
            api.close().await;
            output::value(&answer?)?;
            Ok(ExitCode::SUCCESS)
        }
        IntelCommand::Extract { place, file, store, accept, title, tlp, source, confidence } => {
            let wanted =
                store.then_some(analyst::Accepted { accept, title, tlp, source, confidence });
            analyst::extract(&place, &file, wanted, json).await
        }
        IntelCommand::Sight { place, id, kind, count, at, seen_where, comment } => {
            let said = serde_json::json!({ "type": kind, "count": count, "seen_at": at, "where": seen_where,
                "comment": comment });
            analyst::sight(&place, &id, &said, json).await
        }
        IntelCommand::Decay(decay) => analyst::decay(decay, json).await,
        IntelCommand::Warninglist(command) => analyst::warninglist(command, json).await,
        IntelCommand::Tail { place, types, after, limit } => {
            super::tail::run(&place, types.as_deref(), after, limit, json).await
        }
        // The others were taken before.
        _ => Err(Failure::wrong_use("this is no command")),
    }
}

fn shown(answer: &Value, columns: &[&str], json: bool) -> Result<ExitCode, Failure> {
    table(answer, columns, json)?;
    Ok(ExitCode::SUCCESS)
}

async fn get(place: &Place, path: &str) -> Result<Value, Failure> {
    let api = Api::of(place).await?;
    let answer = api.get(path).await;
    api.close().await;
    answer
}

async fn lookup(place: &Place, value: &str, json: bool) -> Result<ExitCode, Failure> {
    let answer = get(place, &format!("/api/v1/intel/lookup?value={}", escape(value))).await?;
    if json {
        output::value(&answer)?;
    } else {
        output::line(&format!("{}: {}", text(&answer, "value"), text(&answer, "summary")));
    }
    Ok(output::answer(answer.get("known").and_then(Value::as_bool).unwrap_or(false)))
}

async fn way(place: &Place, from: &str, to: &str, json: bool) -> Result<ExitCode, Failure> {
    let path = format!("/api/v1/intel/path?from={}&to={}", escape(from), escape(to));
    let answer = get(place, &path).await?;
    if json {
        output::value(&answer)?;
    } else {
        output::line(text(&answer, "summary"));
        let relations = answer.get("relations").cloned().unwrap_or(Value::Null);
        table(&relations, &RELATION, false)?;
    }
    Ok(output::answer(answer.get("found").and_then(Value::as_bool).unwrap_or(false)))
}

async fn matrix(place: &Place, domain: Option<&str>, layer: bool) -> Result<ExitCode, Failure> {
    let what = if layer { "layer" } else { "matrix" };
    let asked = domain.map_or_else(String::new, |domain| format!("?domain={}", escape(domain)));
    output::value(&get(place, &format!("/api/v1/intel/{what}{asked}")).await?)?;
    Ok(ExitCode::SUCCESS)
}

async fn import(
    place: &Place,
    file: &std::path::Path,
    label: &str,
    tlp: &str,
    json: bool,
) -> Result<ExitCode, Failure> {
    let bytes = read_file(file, MAX_IMPORT_BYTES)?;
    let api = Api::of(place).await?;
    let path = format!("/api/v1/intel/import?tlp={}&label={}", escape(tlp), escape(label));
    let answer = api.post_bytes(&path, bytes, "application/json").await;
    api.close().await;
    counted(&answer?, json)
}

/// D3FEND or CWE.
async fn catalogue(
    place: &Place,
    file: &std::path::Path,
    name: &str,
    json: bool,
) -> Result<ExitCode, Failure> {
    let bytes = read_file(file, MAX_IMPORT_BYTES)?;
    let api = Api::of(place).await?;
    let path = format!("/api/v1/knowledge/catalogues/{}", escape(name));
    let answer = api.post_bytes(&path, bytes, "application/octet-stream").await;
    api.close().await;
    let answer = answer?;
    let unknown = answer.get("unknown_count").and_then(Value::as_u64).unwrap_or_default();
    if unknown > 0 {
        output::note(&format!("{unknown} techniques that it names are not loaded here"));
    }
    counted(answer.get("stored").unwrap_or(&answer), json)
}

/// What became of every object.
fn counted(answer: &Value, json: bool) -> Result<ExitCode, Failure> {
    if json {
        output::value(answer)?;
    } else {
        let count = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
        output::line(&format!(
            "{} objects: {} new, {} updated, {} older, {} known, {} in conflict, {} refused",
            count("objects"),
            count("new"),
            count("updated"),
            count("older"),
            count("same"),
            count("conflicts"),
            count("refused")
        ));
        let problems = answer.get("problems").cloned().unwrap_or(Value::Null);
        if problems.as_array().is_some_and(|list| !list.is_empty()) {
            table(&problems, &["index", "id", "reason"], false)?;
        }
    }
    let clean =
        ["refused", "conflicts"].iter().all(|name| answer.get(*name) == Some(&Value::from(0)));
    Ok(output::answer(clean))
}
