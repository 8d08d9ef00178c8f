//! `bash` (§5.2): a command in a shell on this machine, inside a sandbox.

use serde_json::json;

use super::{Asked, CommandType, Item, shell};
use crate::cacao::variables::Values;

/// The actuator's name.
pub(crate) const NAME: &str = "bash";

pub(crate) const TYPE: CommandType = CommandType {
    kind: "bash",
    actuator: Some(NAME),
    for_each_target: false,
    lacks: |asked| asked.text().and_then(|text| shell::check(&text)).err(),
    item,
};

fn item(asked: &Asked<'_>, values: &Values) -> Result<Item, String> {
    let text = asked.text()?;
    let mut shell = shell::script(&text, values)?;
    // A script may also use a variable as shells do: "$__name__".
    for (name, value) in values {
        if shell::is_shell_name(name) && !value.contains('\0') {
            shell.environment.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    let names: Vec<&String> = shell.environment.keys().collect();
    Ok(Item {
        actuator: NAME.to_owned(),
        verb: "run".to_owned(),
        shown: json!({ "command": text, "variables": names }),
        arguments: [
            ("command".to_owned(), text.into()),
            ("script".to_owned(), shell.text.into()),
            ("environment".to_owned(), json!(shell.environment)),
        ]
        .into(),
        manual: false,
    })
}
