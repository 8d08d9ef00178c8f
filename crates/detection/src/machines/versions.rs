//! Versions of a machine model: made, signed, put in use, left.

use std::sync::Arc;

use analytics::commands::CommandModel;
use model::event::MachineModelChanged;
use platform::blobs::Blobs;

use super::load;
use super::state::{InUse, MachineState};
use crate::Detection;
use crate::engine::Engine;
use crate::error::DetectionError;
use crate::registry;
use crate::state::Phase;
use crate::store;
use crate::store::machine_models::{self, MachineModelRow};

impl Detection {
    /// Keeps a text as the next version of an edge's model and signs it: origin, author and reason.
    /// It is in use once its row is written.
    pub(crate) async fn make_version(
        &self,
        edge: &str,
        text: &str,
        model: CommandModel,
        (origin, author, reason): (&str, &str, &str),
    ) -> Result<(MachineModelRow, InUse), DetectionError> {
        let platform = &self.inner.platform;
        let blob = Blobs::new(&platform.data).put(text.as_bytes()).await?;
        let newest = {
            let mut connection = platform.db.read().await?;
            machine_models::of_edge(&mut connection, edge, i64::MAX, 1).await?
        };
        let functions: usize = model.pairs.iter().map(|pair| pair.functions.len()).sum();
        let mut row = MachineModelRow {
            edge: edge.to_owned(),
            number: newest.first().map_or(1, |newest| newest.number + 1),
            state: String::new(),
            origin: origin.to_owned(),
            author: author.to_owned(),
            reason: reason.to_owned(),
            blob: blob.clone(),
            created_at: platform.now().as_micros(),
            pairs: model.pairs.len() as i64,
            functions: functions as i64,
            operations: i64::try_from(model.training.operations).unwrap_or(i64::MAX),
            seconds: model.training.seconds,
            signature: String::new(),
            signed_by: String::new(),
        };
        registry::sign_machine(platform, &mut row);
        Ok((row, InUse { model: Arc::new(model), hash: blob }))
    }

    /// The machine model of an edge, in a state in which people may change it.
    pub(crate) fn changeable(engine: &Engine, edge: &str) -> Result<MachineState, DetectionError> {
        let machine = engine.machine(edge).cloned().ok_or_else(|| no_machine(edge))?;
        if matches!(machine.row.phase, Phase::Training | Phase::Draining) {
            return Err(DetectionError::Conflict(format!(
                "the machine model of {edge} is being trained right now; try again when it watches"
            )));
        }
        Ok(machine)
    }

    /// Puts a version in use that is not.
    pub(crate) async fn activate_machine(
        &self,
        edge: &str,
        number: i64,
        (by, reason): (&str, &str),
    ) -> Result<(), DetectionError> {
        let platform = &self.inner.platform;
        let mut engine = self.engine().await?;
        let mut machine = Self::changeable(&engine, edge)?;
        let row = {
            let mut connection = platform.db.read().await?;
            machine_models::one(&mut connection, edge, number).await?
        };
        let row = row.ok_or_else(|| {
            DetectionError::NotFound(format!("version {number} of the machine model of {edge}"))
        })?;
        if machine.row.version == number && machine.row.phase == Phase::Watching {
            return Err(DetectionError::Conflict(format!("version {number} is in use already")));
        }
        let in_use = load::version_in_use(platform, &row).await.map_err(|cause| {
            DetectionError::Conflict(format!("{cause}; choose another version"))
        })?;
        let fact = MachineModelChanged {
            edge: edge.to_owned(),
            from: machine.row.version,
            to: number,
            origin: "activated".into(),
            reason: reason.to_owned(),
        };
        forget_learning(&mut machine);
        machine.put_in_use(in_use, number);
        let edge = edge.to_owned();
        self.write_machine(&mut engine, machine, by, move |tx| {
            Box::pin(async move {
                store::machines::forget(tx, &edge).await?;
                machine_models::activate(tx, &edge, number).await?;
                Ok(fact)
            })
        })
        .await
    }

    /// Gives the model in use up and learns again from the next report on.
    pub(crate) async fn relearn_machine(
        &self,
        edge: &str,
        (by, reason): (&str, &str),
    ) -> Result<(), DetectionError> {
        let mut engine = self.engine().await?;
        let mut machine = engine.machine(edge).cloned().ok_or_else(|| no_machine(edge))?;
        let fact = MachineModelChanged {
            edge: edge.to_owned(),
            from: machine.row.version,
            to: 0,
            origin: "relearned".into(),
            reason: reason.to_owned(),
        };
        // Reports that still wait are given up unjudged, and said to be.
        machine.row.unjudged += machine.row.waiting;
        machine.row.learn_again();
        machine.in_use = None;
        let edge = edge.to_owned();
        self.write_machine(&mut engine, machine, by, move |tx| {
            Box::pin(async move {
                store::machines::forget(tx, &edge).await?;
                machine_models::retire(tx, &edge).await?;
                Ok(fact)
            })
        })
        .await
    }
}

/// What was stored to learn from is of no use once a person put a model in use.
pub(crate) const fn forget_learning(machine: &mut MachineState) {
    machine.row.generation += 1;
    machine.row.reports = 0;
    machine.row.operations = 0;
}

/// The edge told no operations so far.
pub(crate) fn no_machine(edge: &str) -> DetectionError {
    let edge: String = edge.chars().take(64).collect();
    DetectionError::NotFound(format!("a machine model of edge '{edge}'"))
}
