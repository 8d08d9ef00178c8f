//! Machine models from the database: signature checked, text read.

use std::collections::HashMap;
use std::sync::Arc;

use analytics::commands::CommandModel;
use platform::Platform;
use platform::blobs::Blobs;

use super::state::{InUse, MachineState};
use crate::error::DetectionError;
use crate::registry;
use crate::state::Phase;
use crate::store;
use crate::store::machine_models::{self, MachineModelRow};

/// Earlier versions tried when the one in use cannot be.
const MAX_FALLBACKS: i64 = 8;

/// Every edge's machine model.
pub(crate) async fn all(
    platform: &Platform,
) -> Result<HashMap<String, MachineState>, DetectionError> {
    let rows = {
        let mut connection = platform.db.read().await?;
        store::machines::all(&mut connection).await?
    };
    let mut states = HashMap::new();
    for (row, _) in rows {
        let mut state = MachineState { row, in_use: None };
        if matches!(state.row.phase, Phase::Watching | Phase::Draining) {
            load_in_use(platform, &mut state).await?;
        }
        states.insert(state.row.edge.clone(), state);
    }
    Ok(states)
}

/// The version in use, else the newest earlier one that is what was signed.
async fn load_in_use(platform: &Platform, state: &mut MachineState) -> Result<(), DetectionError> {
    let (edge, wanted) = (state.row.edge.clone(), state.row.version);
    let versions = {
        let mut connection = platform.db.read().await?;
        machine_models::of_edge(&mut connection, &edge, wanted + 1, MAX_FALLBACKS).await?
    };
    let mut refused = Vec::new();
    if versions.first().is_none_or(|version| version.number != wanted) {
        refused.push(format!("version {wanted} is not registered"));
    }
    for version in versions {
        match version_in_use(platform, &version).await {
            Ok(in_use) => {
                state.in_use = Some(in_use);
                if version.number != wanted {
                    state.row.version = version.number;
                    state.row.fallback = refused.join("; ");
                }
                break;
            }
            Err(cause) => refused.push(cause),
        }
    }
    if !refused.is_empty() {
        let reason = refused.join("; ");
        tracing::error!(edge, reason, "a machine model was refused");
        if state.in_use.is_none() {
            state.row.phase = Phase::Failed;
            state.row.reason = format!("{reason}; let it learn again, or write a model");
        }
    }
    Ok(())
}

/// A version, ready.
pub(crate) async fn version_in_use(
    platform: &Platform,
    row: &MachineModelRow,
) -> Result<InUse, String> {
    let text = text(platform, row).await?;
    let model = CommandModel::from_text(&text)
        .map_err(|cause| format!("version {} cannot be read: {cause}", row.number))?;
    Ok(InUse { model: Arc::new(model), hash: row.blob.clone() })
}

/// The text of a version, as it was signed.
pub(crate) async fn text(platform: &Platform, row: &MachineModelRow) -> Result<String, String> {
    registry::check_machine(platform, row)?;
    let number = row.number;
    let bytes = Blobs::new(&platform.data)
        .get(&row.blob)
        .await
        .map_err(|cause| format!("version {number} cannot be read: {cause}"))?
        .ok_or_else(|| format!("the file of version {number} ({}) is missing", row.blob))?;
    String::from_utf8(bytes).map_err(|_| format!("version {number} is no text"))
}
