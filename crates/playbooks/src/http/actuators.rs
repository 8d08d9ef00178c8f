//! `GET /api/v1/actuators`: what this node commands, and what it could.

use axum::extract::State;
use platform::http::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actuators::unconfigured;
use crate::{Playbooks, commands};

/// A verb of an actuator.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerbView {
    /// The word a playbook uses.
    verb: String,
    /// What it does, with its arguments.
    does: String,
}

/// An actuator.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActuatorView {
    /// The name playbooks use.
    name: String,
    /// It is there.
    configured: bool,
    /// How to have it, where it is not there.
    remedy: Option<String>,
    /// What it does.
    verbs: Vec<VerbView>,
    /// Types of CACAO commands that it carries out.
    commands: Vec<String>,
}

/// All actuators, by name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActuatorList {
    /// Those that are there and those that could be.
    items: Vec<ActuatorView>,
}

/// What this node commands, and what it could.
#[utoipa::path(get, path = "/api/v1/actuators", tag = "playbooks",
    responses((status = 200, body = ActuatorList)))]
pub(crate) async fn actuators(State(room): State<Playbooks>) -> Json<ActuatorList> {
    let commands = |name: &str| {
        let kinds = commands::all().into_iter().filter(|kind| kind.actuator == Some(name));
        kinds.map(|kind| kind.kind.to_owned()).collect()
    };
    let there = room.engine.actuators.iter().map(|actuator| ActuatorView {
        name: actuator.name().to_owned(),
        configured: true,
        remedy: None,
        verbs: actuator
            .verbs()
            .iter()
            .map(|(verb, does)| VerbView { verb: (*verb).to_owned(), does: (*does).to_owned() })
            .collect(),
        commands: commands(actuator.name()),
    });
    let absent = unconfigured(&room.engine.config.actuators);
    let absent = absent.into_iter().map(|(name, remedy)| ActuatorView {
        name: name.to_owned(),
        configured: false,
        remedy: Some(remedy.to_owned()),
        verbs: vec![],
        commands: commands(name),
    });
    let mut items: Vec<ActuatorView> = there.chain(absent).collect();
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Json(ActuatorList { items })
}
