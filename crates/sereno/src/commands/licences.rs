//! `sereno licenses`: under which terms the knowledge here may be used.

use std::process::ExitCode;

use serde_json::Value;

use super::{table, text};
use crate::api::Api;
use crate::arguments::Licences;
use crate::output::{self, Failure};

pub(crate) async fn run(asked: Licences, json: bool) -> Result<ExitCode, Failure> {
    let api = Api::of(&asked.place).await?;
    let answer = api.get("/api/v1/knowledge/licences").await;
    api.close().await;
    let answer = answer?;
    let Some(name) = asked.name else {
        table(&answer, &["origin", "name", "terms"], json)?;
        return Ok(ExitCode::SUCCESS);
    };
    let all = answer.as_array().into_iter().flatten();
    let found: Vec<Value> =
        all.filter(|one| text(one, "name").eq_ignore_ascii_case(&name)).cloned().collect();
    if json {
        output::value(&Value::Array(found.clone()))?;
    }
    for one in found.iter().filter(|_| !json) {
        let whole = text(one, "text");
        output::line(if whole.is_empty() { text(one, "terms") } else { whole });
    }
    Ok(output::answer(!found.is_empty()))
}
