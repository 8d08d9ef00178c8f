//! What this node carries out.

use std::sync::Arc;

use cacao::Abilities;
use ports::Actuator;

use crate::context;

/// Types of steps the engine runs.
const STEPS: [&str; 8] = [
    "start",
    "end",
    "action",
    "playbook-action",
    "parallel",
    "if-condition",
    "while-condition",
    "switch-condition",
];
/// Types of commands it carries out besides those of actuators.
const COMMANDS: [&str; 2] = ["manual", "http-api"];

fn engine() -> Abilities {
    Abilities::default()
        .with_steps(STEPS)
        .with_commands(COMMANDS)
        .with_given(context::NAMES.map(|(name, _)| name))
}

/// What a node with all its rooms carries out: for `sereno playbook validate` without a node.
pub fn standard() -> Abilities {
    engine()
        .with_actuator("console", ["notify"])
        .with_actuator("exchange", ["share"])
        .with_actuator("gateway", ["block", "release"])
        .with_actuator("intel", ["lookup"])
}

/// What a node with these actuators carries out.
pub fn of(actuators: &[Arc<dyn Actuator>]) -> Abilities {
    actuators.iter().fold(engine(), |abilities, actuator| {
        abilities.with_actuator(actuator.name(), actuator.verbs().iter().map(|(verb, _)| *verb))
    })
}
