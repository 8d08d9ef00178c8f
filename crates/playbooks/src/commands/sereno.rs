//! `x-sereno-actuator`: a verb of one of this node's actuators, named by the agent.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Asked, CommandType, Item};
use crate::cacao::ACTUATOR;
use crate::cacao::variables::{FillError, Values, fill_json};

pub(crate) const TYPE: CommandType = CommandType {
    kind: ACTUATOR,
    actuator: None,
    for_each_target: false,
    // Which actuators and verbs there are, the abilities know.
    lacks: |_| None,
    item,
};

fn item(asked: &Asked<'_>, values: &Values) -> Result<Item, String> {
    let agent = asked.agent.ok_or("the step has no agent")?;
    let arguments: BTreeMap<String, Value> = asked
        .command
        .arguments
        .iter()
        .map(|(name, value)| Ok((name.clone(), fill_json(value, values)?)))
        .collect::<Result<_, FillError>>()
        .map_err(|cause| cause.to_string())?;
    Ok(Item {
        actuator: agent.name.clone(),
        verb: asked.command.command.clone().unwrap_or_default(),
        shown: json!(ports::actuator::without_secrets(&arguments)),
        arguments,
        manual: false,
    })
}
