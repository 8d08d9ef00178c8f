//! `jupyter` (§5.7): a notebook run by a Jupyter server's scheduler, values as its parameters.

use serde_json::{Value, json};

use super::{Asked, CommandType, Item};
use crate::cacao::variables::Values;

/// The actuator's name.
pub(crate) const NAME: &str = "jupyter";

pub(crate) const TYPE: CommandType = CommandType {
    kind: "jupyter",
    actuator: Some(NAME),
    for_each_target: false,
    lacks: |asked| notebook(asked).err(),
    item,
};

/// The notebook in the command.
fn notebook(asked: &Asked<'_>) -> Result<Value, String> {
    let notebook: Option<Value> = serde_json::from_str(&asked.text()?).ok();
    notebook
        .filter(|it| it.get("cells").is_some_and(Value::is_array))
        .ok_or_else(|| "a jupyter command holds a notebook (nbformat JSON with cells)".to_owned())
}

fn item(asked: &Asked<'_>, values: &Values) -> Result<Item, String> {
    let notebook = notebook(asked)?;
    let cells = notebook.get("cells").and_then(Value::as_array).map_or(0, Vec::len);
    // Parameters are named as in the notebook: without the underscores around.
    let parameters: serde_json::Map<String, Value> = values
        .iter()
        .map(|(name, value)| (name.trim_matches('_').to_owned(), value.clone().into()))
        .collect();
    let names: Vec<&String> = parameters.keys().collect();
    Ok(Item {
        actuator: NAME.to_owned(),
        verb: "run".to_owned(),
        shown: json!({ "cells": cells, "parameters": names }),
        arguments: [
            ("notebook".to_owned(), notebook),
            ("parameters".to_owned(), Value::Object(parameters)),
        ]
        .into(),
        manual: false,
    })
}
