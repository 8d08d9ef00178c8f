//! Versions of a model of laws: made, signed, put in use again, left.

use model::event::LawModelChanged;
use platform::blobs::Blobs;

use super::load;
use super::memory::{LawMemory, LawModel, Protocol};
use super::state::{LawRow, LawState};
use crate::Detection;
use crate::engine::Engine;
use crate::error::DetectionError;
use crate::plan::{How, LawChange};
use crate::registry;
use crate::state::Phase;
use crate::store::law_models::{self, LawModelRow};

impl Detection {
    /// Keeps a model as the next version and signs it. It is in use once its row is written.
    pub(crate) async fn make_law_version(
        &self,
        row: &LawRow,
        model: &LawModel,
    ) -> Result<LawModelRow, DetectionError> {
        let platform = &self.inner.platform;
        let bytes =
            model.to_bytes().map_err(|cause| DetectionError::Conflict(cause.to_string()))?;
        let blob = Blobs::new(&platform.data).put(&bytes).await?;
        let newest = {
            let mut connection = platform.db.read().await?;
            law_models::of(&mut connection, &row.edge, row.protocol, i64::MAX, 1).await?
        };
        let minutes = (row.last_us - row.first_us) as f64 / 60e6;
        let mut version = LawModelRow {
            edge: row.edge.clone(),
            protocol: row.protocol,
            number: newest.first().map_or(1, |newest| newest.number + 1),
            state: String::new(),
            reason: format!("learned from {} messages over {minutes:.0} minutes", model.messages()),
            blob,
            created_at: platform.now().as_micros(),
            messages: i64::try_from(model.messages()).unwrap_or(i64::MAX),
            trained_from: row.first_us,
            trained_to: row.last_us,
            signature: String::new(),
            signed_by: String::new(),
        };
        registry::sign_law(platform, &mut version);
        Ok(version)
    }

    /// Gives the model in use up and learns again from the next report on.
    pub(crate) async fn relearn_law(
        &self,
        (edge, protocol): (&str, Protocol),
        (by, reason): (&str, &str),
    ) -> Result<(), DetectionError> {
        let mut engine = self.engine().await?;
        let mut law = known(&engine, edge, protocol)?;
        let fact = LawModelChanged {
            edge: edge.to_owned(),
            protocol: protocol.word().to_owned(),
            from: law.row.version,
            to: 0,
            reason: reason.to_owned(),
        };
        law.row.learn_again();
        (law.model, law.memory) = (None, LawMemory::new(protocol));
        law.hash.clear();
        let mut stage = self.stage();
        for role in [protocol.train_role(), protocol.wait_role()] {
            stage.plan.forget_reports(edge, role);
        }
        let how = How::Retire(edge.to_owned(), protocol);
        stage.plan.law_changes.push(LawChange { how, by: by.to_owned(), fact });
        stage.laws.insert(law.key(), law);
        self.commit_laws(&mut engine, stage).await
    }

    /// Puts a version in use that is not.
    pub(crate) async fn activate_law(
        &self,
        (edge, protocol, number): (&str, Protocol, i64),
        (by, reason): (&str, &str),
    ) -> Result<(), DetectionError> {
        let platform = &self.inner.platform;
        let mut engine = self.engine().await?;
        let mut law = known(&engine, edge, protocol)?;
        if law.row.phase == Phase::Training {
            return Err(DetectionError::Conflict(format!(
                "the {} model of {edge} is being trained right now; try again when it watches",
                protocol.title()
            )));
        }
        if law.row.version == number && law.row.phase == Phase::Watching {
            return Err(DetectionError::Conflict(format!("version {number} is in use already")));
        }
        let row = {
            let mut connection = platform.db.read().await?;
            law_models::one(&mut connection, edge, protocol, number).await?
        };
        let row = row.ok_or_else(|| {
            let title = protocol.title();
            DetectionError::NotFound(format!("version {number} of the {title} model of {edge}"))
        })?;
        let model = load::version(platform, &row).await.map_err(|cause| {
            DetectionError::Conflict(format!("{cause}; choose another version"))
        })?;
        let fact = LawModelChanged {
            edge: edge.to_owned(),
            protocol: protocol.word().to_owned(),
            from: law.row.version,
            to: number,
            reason: reason.to_owned(),
        };
        law.model = Some(model);
        law.hash.clone_from(&row.blob);
        law.memory = LawMemory::new(protocol);
        law.row.generation += 1;
        (law.row.reports, law.row.messages) = (0, 0);
        (law.row.phase, law.row.version) = (Phase::Watching, number);
        law.row.reason.clear();
        let mut stage = self.stage();
        stage.plan.forget_reports(edge, protocol.train_role());
        let how = How::Activate(row);
        stage.plan.law_changes.push(LawChange { how, by: by.to_owned(), fact });
        stage.laws.insert(law.key(), law);
        self.commit_laws(&mut engine, stage).await
    }
}

fn known(engine: &Engine, edge: &str, protocol: Protocol) -> Result<LawState, DetectionError> {
    engine.law(edge, protocol).cloned().ok_or_else(|| no_law(edge, protocol))
}

/// The edge told nothing of this protocol so far.
pub(crate) fn no_law(edge: &str, protocol: Protocol) -> DetectionError {
    let edge: String = edge.chars().take(64).collect();
    DetectionError::NotFound(format!("a {} model of edge '{edge}'", protocol.title()))
}
