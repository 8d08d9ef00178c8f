//! What this node carries out.

use std::sync::Arc;

use cacao::Abilities;
use ports::Actuator;

use crate::actuators::{self, config::ActuatorsConfig};
use crate::{commands, context};

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

/// The engine with command types whose actuator is there.
fn engine(config: &ActuatorsConfig, is_there: impl Fn(&str) -> bool) -> Abilities {
    let mut abilities = Abilities::default()
        .with_steps(STEPS)
        .with_given(context::NAMES.map(|(name, _)| name))
        .with_check(commands::lacks);
    let absent = actuators::unconfigured(config);
    for (name, remedy) in &absent {
        abilities = abilities.without(name, remedy);
    }
    for kind in commands::all() {
        abilities = match kind.actuator {
            Some(name) if !is_there(name) => {
                let remedy = absent.get(name).copied().unwrap_or("its actuator is not there");
                abilities.without(kind.kind, remedy)
            }
            _ => abilities.with_commands([kind.kind]),
        };
    }
    abilities
}

/// What a node with all its rooms carries out: for `sereno playbook validate` without a node.
pub fn standard() -> Abilities {
    let here = actuators::ALWAYS;
    let abilities = engine(&ActuatorsConfig::default(), |name| here.contains(&name))
        .with_actuator("console", ["notify"])
        .with_actuator("exchange", ["share"])
        .with_actuator("gateway", ["block", "release"])
        .with_actuator("intel", ["lookup"]);
    actuators::ALWAYS_VERBS.iter().fold(abilities, |abilities, (name, verbs)| {
        abilities.with_actuator(name, verbs.iter().copied())
    })
}

/// What a node with these actuators carries out.
pub fn of(actuators: &[Arc<dyn Actuator>], config: &ActuatorsConfig) -> Abilities {
    let is_there = |name: &str| actuators.iter().any(|actuator| actuator.name() == name);
    actuators.iter().fold(engine(config, is_there), |abilities, actuator| {
        abilities.with_actuator(actuator.name(), actuator.verbs().iter().map(|(verb, _)| *verb))
    })
}
