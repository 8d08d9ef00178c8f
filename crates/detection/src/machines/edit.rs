//! A machine model written as text by a person.

use std::collections::HashSet;

use analytics::commands::{CommandModel, PairModel, TextError};
use model::event::MachineModelChanged;
use serde::Serialize;
use utoipa::ToSchema;

use super::load;
use super::versions::{forget_learning, no_machine};
use crate::Detection;
use crate::error::DetectionError;
use crate::store;
use crate::store::machine_models::{self, MachineModelRow};

/// What a text holds, and how it differs from the model in use.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TextView {
    /// Pairs of machines.
    pairs: usize,
    /// Functions of all pairs.
    functions: usize,
    /// Pairs the model in use does not have.
    pairs_added: usize,
    /// Pairs of the model in use that are not there any more: they would alert.
    pairs_removed: usize,
    /// Functions the model in use does not have.
    functions_added: usize,
    /// Functions of the model in use that are not there any more: they would alert.
    functions_removed: usize,
}

type FunctionKey<'a> = (String, String, &'a str, u32, &'a str, Option<u16>);

fn keys(model: &CommandModel) -> (HashSet<FunctionKey<'_>>, HashSet<FunctionKey<'_>>) {
    let key =
        |pair: &'_ PairModel, code| (pair.from.to_string(), pair.to.to_string(), pair.unit, code);
    let (mut pairs, mut functions) = (HashSet::new(), HashSet::new());
    for pair in &model.pairs {
        let (from, to, unit, _) = key(pair, 0_u16);
        let (protocol, role) = (pair.protocol.as_str(), pair.role.as_str());
        for function in &pair.functions {
            let own = (from.clone(), to.clone(), protocol, unit, role, Some(function.code));
            functions.insert(own);
        }
        pairs.insert((from, to, protocol, unit, role, None));
    }
    (pairs, functions)
}

impl TextView {
    /// Compares a model with the one in use.
    pub(crate) fn new(model: &CommandModel, in_use: Option<&CommandModel>) -> Self {
        let (pairs, functions) = keys(model);
        let (old_pairs, old_functions) = in_use.map(keys).unwrap_or_default();
        Self {
            pairs: pairs.len(),
            functions: functions.len(),
            pairs_added: pairs.difference(&old_pairs).count(),
            pairs_removed: old_pairs.difference(&pairs).count(),
            functions_added: functions.difference(&old_functions).count(),
            functions_removed: old_functions.difference(&functions).count(),
        }
    }
}

/// Why a text was not taken.
#[derive(Debug)]
pub(crate) enum EditError {
    /// It is no model.
    Text(TextError),
    /// Somebody else changed the model meanwhile: the version in use.
    Stale(i64),
    /// Anything else.
    Other(DetectionError),
}

impl<E: Into<DetectionError>> From<E> for EditError {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

impl Detection {
    /// The text of the model in use, or of a version.
    pub(crate) async fn machine_text(
        &self,
        edge: &str,
        version: Option<i64>,
    ) -> Result<(MachineModelRow, String), DetectionError> {
        let (number, how_far) = {
            let engine = self.engine().await?;
            let machine = engine.machine(edge).ok_or_else(|| no_machine(edge))?;
            (version.unwrap_or(machine.row.version), machine.row.protection(&self.inner.config))
        };
        let row = {
            let mut connection = self.inner.platform.db.read().await?;
            machine_models::one(&mut connection, edge, number).await?
        };
        let row = row.ok_or_else(|| {
            DetectionError::NotFound(format!(
                "version {number} of the machine model of {edge} ({how_far})"
            ))
        })?;
        let text = load::text(&self.inner.platform, &row).await;
        Ok((row, text.map_err(DetectionError::Conflict)?))
    }

    /// Reads a text without storing it.
    pub(crate) async fn check_machine_text(
        &self,
        edge: &str,
        text: &str,
    ) -> Result<TextView, EditError> {
        let engine = self.engine().await?;
        let machine = engine.machine(edge).ok_or_else(|| no_machine(edge))?;
        let in_use = machine.in_use.clone();
        drop(engine);
        let model = CommandModel::from_text(text).map_err(EditError::Text)?;
        Ok(TextView::new(&model, in_use.as_ref().map(|it| it.model.as_ref())))
    }

    /// Takes a text as the next version of an edge's model and puts it in use. `expected` is the
    /// version it was made from.
    pub(crate) async fn edit_machine(
        &self,
        edge: &str,
        text: &str,
        expected: i64,
        (origin, by, reason): (&'static str, &str, &str),
    ) -> Result<(i64, TextView), EditError> {
        let mut engine = self.engine().await?;
        let mut machine = Self::changeable(&engine, edge)?;
        if machine.row.version != expected {
            return Err(EditError::Stale(machine.row.version));
        }
        let model = CommandModel::from_text(text).map_err(EditError::Text)?;
        let view = TextView::new(&model, machine.in_use.as_ref().map(|it| it.model.as_ref()));
        let (row, in_use) = self.make_version(edge, text, model, (origin, by, reason)).await?;
        let number = row.number;
        let fact = MachineModelChanged {
            edge: edge.to_owned(),
            from: expected,
            to: number,
            origin: origin.to_owned(),
            reason: reason.to_owned(),
        };
        forget_learning(&mut machine);
        machine.put_in_use(in_use, number);
        self.write_machine(&mut engine, machine, by, move |tx| {
            Box::pin(async move {
                store::machines::forget(tx, &row.edge).await?;
                machine_models::add(tx, &row).await?;
                Ok(fact)
            })
        })
        .await?;
        Ok((number, view))
    }
}
