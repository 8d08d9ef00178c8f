//! `manual` (§5.8): a person does it.

use serde_json::json;

use super::{Asked, CommandType, Item};
use crate::cacao::variables::{Values, fill};

pub(crate) const TYPE: CommandType = CommandType {
    kind: "manual",
    actuator: None,
    for_each_target: false,
    lacks: |asked| asked.text().err(),
    item,
};

fn item(asked: &Asked<'_>, values: &Values) -> Result<Item, String> {
    let instruction = fill(&asked.text()?, values).map_err(|cause| cause.to_string())?;
    Ok(Item {
        actuator: "manual".to_owned(),
        verb: "answer".to_owned(),
        shown: json!({ "instruction": instruction }),
        arguments: [("instruction".to_owned(), instruction.into())].into(),
        manual: true,
    })
}
