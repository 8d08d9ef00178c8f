//! `sereno intel lookup|sources`.

use std::process::ExitCode;

use serde_json::Value;

use super::{table, text};
use crate::api::Api;
use crate::arguments::IntelCommand;
use crate::output::{self, Failure};

pub(crate) async fn run(command: IntelCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        IntelCommand::Lookup { place, value } => {
            let api = Api::of(&place).await?;
            let answer = api.get(&format!("/api/v1/intel/lookup?value={}", escape(&value))).await;
            api.close().await;
            let answer = answer?;
            if json {
                output::value(&answer)?;
            } else {
                output::line(&format!("{}: {}", text(&answer, "value"), text(&answer, "summary")));
            }
            Ok(output::answer(answer.get("known").and_then(Value::as_bool).unwrap_or(false)))
        }
        IntelCommand::Sources(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get("/api/v1/intel/sources").await;
            api.close().await;
            table(&answer?, &["name", "values", "licence", "loaded_at"], json)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Percent-encodes everything but unreserved characters (RFC 3986 §2.3).
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
