//! `ssh` (§5.11): a command on each target over SSH.

use serde_json::json;

use super::{Asked, CommandType, Item, http_api, party, shell};
use crate::cacao::variables::Values;
use crate::secrets::login;

/// The actuator's name.
pub(crate) const NAME: &str = "ssh";

pub(crate) const TYPE: CommandType =
    CommandType { kind: "ssh", actuator: Some(NAME), for_each_target: true, lacks, item };

fn lacks(asked: &Asked<'_>) -> Option<String> {
    let unquoted = asked.text().and_then(|text| shell::check(&text)).err();
    unquoted.or_else(|| http_api::addressed("ssh", asked)).or_else(|| {
        let login = asked.party().and_then(|party| party.authentication_info.as_ref());
        login.is_none().then(|| {
            "the ssh command's target has no authentication_info: name one of the type user-auth"
                .to_owned()
        })
    })
}

fn item(asked: &Asked<'_>, values: &Values) -> Result<Item, String> {
    let party = asked.party().ok_or("the ssh command has no target")?;
    let (host, port) = party::endpoint(party, values)?;
    let text = asked.text()?;
    let shell = shell::script(&text, values)?;
    let login = login::of(asked.playbook, party, values)?
        .ok_or("the ssh command's target has no authentication_info")?;
    let port = port.unwrap_or(22);
    let names: Vec<&String> = shell.environment.keys().collect();
    Ok(Item {
        actuator: NAME.to_owned(),
        verb: "run".to_owned(),
        shown: json!({ "host": host, "port": port, "command": text, "variables": names,
            "login": login.shown() }),
        arguments: [
            ("host".to_owned(), host.into()),
            ("port".to_owned(), port.into()),
            ("command".to_owned(), text.into()),
            ("script".to_owned(), shell.text.into()),
            ("environment".to_owned(), json!(shell.environment)),
            (login::ARGUMENT.to_owned(), json!(login)),
        ]
        .into(),
        manual: false,
    })
}
