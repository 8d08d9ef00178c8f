//! `openc2-http` (§5.9): an OpenC2 command over HTTPS to each target.

use serde_json::{Value, json};

use super::{Asked, CommandType, Item, http_api, text_of};
use crate::cacao::variables::{Values, fill_json};
use crate::secrets::login;

/// The actuator's name.
pub(crate) const NAME: &str = "openc2";

pub(crate) const TYPE: CommandType =
    CommandType { kind: "openc2-http", actuator: Some(NAME), for_each_target: true, lacks, item };

fn lacks(asked: &Asked<'_>) -> Option<String> {
    content(asked).err().or_else(|| http_api::addressed("openc2-http", asked))
}

/// The OpenC2 command in the content.
fn content(asked: &Asked<'_>) -> Result<Value, String> {
    let command = asked.command;
    let text = text_of(command.content.as_ref(), command.content_b64.as_ref())
        .map_err(|_| "the openc2-http command's content_b64 holds no text".to_owned())?;
    let content: Value = serde_json::from_str(&text)
        .map_err(|_| "the openc2-http command's content_b64 holds no JSON".to_owned())?;
    if content.is_object() { Ok(content) } else { Err("an OpenC2 command is an object".into()) }
}

fn item(asked: &Asked<'_>, values: &Values) -> Result<Item, String> {
    let party = asked.party().ok_or("the openc2-http command has no target")?;
    let content = fill_json(&content(asked)?, values).map_err(|cause| cause.to_string())?;
    let mut arguments = http_api::start_line(asked, party, values)?;
    if arguments.get("method").and_then(Value::as_str) != Some("POST") {
        return Err("OpenC2 commands are sent by POST (OpenC2 over HTTPS 1.1 §3.3)".into());
    }
    let login = login::of(asked.playbook, party, values)?;
    let shown = json!({ "url": arguments.get("url"), "command": content,
        "login": login.as_ref().map(login::Login::shown) });
    arguments.insert("headers".to_owned(), json!(http_api::headers(asked, values)?));
    arguments.insert("command".to_owned(), content);
    if let Some(login) = login {
        arguments.insert(login::ARGUMENT.to_owned(), json!(login));
    }
    Ok(Item { actuator: NAME.to_owned(), verb: "send".to_owned(), shown, arguments, manual: false })
}
