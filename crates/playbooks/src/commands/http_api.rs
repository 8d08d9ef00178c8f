//! `http-api` (§5.5): one HTTP request to each target.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::escape::{body, fill_escaped, percent};
use super::{Asked, CommandType, Item, party, text_of};
use crate::actuators::http_api;
use crate::cacao::AgentTarget;
use crate::cacao::variables::{Values, fill};
use crate::secrets::login;

pub(crate) const TYPE: CommandType = CommandType {
    kind: "http-api",
    actuator: Some(http_api::NAME),
    for_each_target: true,
    lacks,
    item,
};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

fn lacks(asked: &Asked<'_>) -> Option<String> {
    addressed("http-api", asked)
}

/// The sentence for a command whose party cannot be reached.
pub(super) fn addressed(kind: &str, asked: &Asked<'_>) -> Option<String> {
    let reached = asked.party().is_some_and(party::is_addressed);
    (!reached).then(|| format!("the {kind} command has no target with an address"))
}

fn item(asked: &Asked<'_>, values: &Values) -> Result<Item, String> {
    let command = asked.command;
    let content = match (&command.content, &command.content_b64) {
        (None, None) => None,
        (plain, encoded) => Some(text_of(plain.as_ref(), encoded.as_ref())?),
    };
    let party = asked.party().ok_or("the http-api command has no target")?;
    let mut arguments = start_line(asked, party, values)?;
    let headers = headers(asked, values)?;
    let kind = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let kind = kind.map(|(_, value)| value.clone()).unwrap_or_default();
    let content = content.map(|text| body(&text, &kind, values)).transpose()?;
    arguments.insert("headers".to_owned(), json!(headers));
    arguments.insert("body".to_owned(), content.into());
    if let Some(login) = login::of(asked.playbook, party, values)? {
        arguments.insert(login::ARGUMENT.to_owned(), json!(login));
    }
    Ok(Item {
        actuator: http_api::NAME.to_owned(),
        verb: "request".to_owned(),
        shown: http_api::shown(&arguments),
        arguments,
        manual: false,
    })
}

/// `method` and `url` of a start line. The line is parted before values are filled in, and values are encoded:
/// none of them adds a word, a path segment, a query or another host.
pub(super) fn start_line(
    asked: &Asked<'_>,
    party: &AgentTarget,
    values: &Values,
) -> Result<BTreeMap<String, Value>, String> {
    let line = asked.command.command.as_deref().unwrap_or_default();
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_ascii_uppercase();
    if !METHODS.contains(&method.as_str()) {
        let method: String = method.chars().take(32).collect();
        return Err(format!("an http-api command begins with a method, not '{method}'"));
    }
    let path = words.next().unwrap_or("/");
    let filled = fill_escaped(path, values, percent)?;
    let url = if path.starts_with("https://") || path.starts_with("http://") {
        filled
    } else {
        let base = party::base(party, values)?;
        format!("{}/{}", base.trim_end_matches('/'), filled.trim_start_matches('/'))
    };
    Ok([("method".to_owned(), method.into()), ("url".to_owned(), url.into())].into())
}

/// Headers with values filled in; a line break in one is refused.
pub(super) fn headers(asked: &Asked<'_>, values: &Values) -> Result<Vec<(String, String)>, String> {
    let mut headers = Vec::new();
    for (name, all) in &asked.command.headers {
        for value in all {
            let value = fill(value, values).map_err(|cause| cause.to_string())?;
            if value.contains(['\r', '\n', '\0']) {
                return Err(format!(
                    "the header {name} would hold a line break; a header is one line"
                ));
            }
            headers.push((name.clone(), value));
        }
    }
    Ok(headers)
}
