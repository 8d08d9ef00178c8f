//! `caldera-cmd` (§5.3): an ability of MITRE Caldera, by its id.

use serde_json::json;

use super::{Asked, CommandType, Item};
use crate::cacao::variables::{Values, references};

/// The actuator's name.
pub(crate) const NAME: &str = "caldera";

pub(crate) const TYPE: CommandType = CommandType {
    kind: "caldera-cmd",
    actuator: Some(NAME),
    for_each_target: false,
    lacks: |asked| ability(asked).err(),
    item,
};

/// The ability named: an id, never a value from outside.
fn ability(asked: &Asked<'_>) -> Result<String, String> {
    let text = asked.text()?.trim().to_owned();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if text.is_empty() || text.len() > 128 || !text.chars().all(plain) {
        return Err("a caldera-cmd names an ability by its id: letters, digits, '-' and '_'".into());
    }
    if references(&text).is_empty() { Ok(text) } else { Err("an ability is no variable".into()) }
}

fn item(asked: &Asked<'_>, _: &Values) -> Result<Item, String> {
    let ability = ability(asked)?;
    Ok(Item {
        actuator: NAME.to_owned(),
        verb: "run".to_owned(),
        shown: json!({ "ability": ability }),
        arguments: [("ability".to_owned(), ability.into())].into(),
        manual: false,
    })
}
