//! Models of laws from the database: signature checked, file read.

use std::collections::HashMap;

use platform::Platform;
use platform::blobs::Blobs;

use super::memory::{LawMemory, LawModel};
use super::state::{LawKey, LawState};
use crate::error::DetectionError;
use crate::registry;
use crate::state::Phase;
use crate::store;
use crate::store::law_models::{self, LawModelRow};

/// The models of every edge and protocol.
pub(crate) async fn all(platform: &Platform) -> Result<HashMap<LawKey, LawState>, DetectionError> {
    let rows = {
        let mut connection = platform.db.read().await?;
        store::laws::all(&mut connection).await?
    };
    let mut laws = HashMap::new();
    for (row, memory) in rows {
        let memory = LawMemory::from_json(row.protocol, &memory);
        let mut law = LawState { row, model: None, hash: String::new(), memory };
        if law.row.phase == Phase::Watching {
            load_in_use(platform, &mut law).await?;
        }
        laws.insert(law.key(), law);
    }
    Ok(laws)
}

/// The version in use. One that is not what was signed is not used: it is said, and nothing judged.
async fn load_in_use(platform: &Platform, law: &mut LawState) -> Result<(), DetectionError> {
    let (edge, protocol, number) = (&law.row.edge, law.row.protocol, law.row.version);
    let row = {
        let mut connection = platform.db.read().await?;
        law_models::one(&mut connection, edge, protocol, number).await?
    };
    let loaded = match &row {
        Some(row) => version(platform, row).await,
        None => Err(format!("version {number} is not registered")),
    };
    match loaded {
        Ok(model) => {
            law.model = Some(model);
            law.hash = row.map(|row| row.blob).unwrap_or_default();
        }
        Err(cause) => {
            tracing::error!(edge, protocol = protocol.word(), cause, "a model was refused");
            law.row.phase = Phase::Failed;
            law.row.reason = format!("{cause}; activate another version, or let it learn again");
        }
    }
    Ok(())
}

/// A version as it was signed, ready.
pub(crate) async fn version(platform: &Platform, row: &LawModelRow) -> Result<LawModel, String> {
    registry::check_law(platform, row)?;
    let number = row.number;
    let bytes = Blobs::new(&platform.data)
        .get(&row.blob)
        .await
        .map_err(|cause| format!("version {number} cannot be read: {cause}"))?
        .ok_or_else(|| format!("the file of version {number} ({}) is missing", row.blob))?;
    LawModel::from_bytes(row.protocol, &bytes)
        .map_err(|cause| format!("version {number} cannot be read: {cause}"))
}
