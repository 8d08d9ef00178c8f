//! What runs in the background, and how the room is.

use std::time::Duration;

use platform::health::{Component, Health};

use crate::config::Config;
use crate::engine::Priors;
use crate::error::DetectionError;
use crate::finding::{GuardNews, Lane};
use crate::laws::state::LawRow;
use crate::machines::state::MachineRow;
use crate::memory::Memory;
use crate::stage::Stage;
use crate::state::{DeviceRow, Phase};
use crate::{Detection, protection, store};

/// Live news go out this often: five times a second.
const BEAT: Duration = Duration::from_millis(200);
/// Findings that wait to be told are looked at every so many beats.
const BEATS_BETWEEN_LOOKS: u32 = 5;

/// Beats until the node stops.
pub(crate) async fn run(detection: Detection) {
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for count in 1_u32.. {
        beat.tick().await;
        detection.inner.news.tell(&detection.inner.platform.live);
        if count % BEATS_BETWEEN_LOOKS == 0
            && let Err(error) = detection.tell_pending().await
        {
            tracing::warn!(%error, "findings could not be told; trying again");
        }
    }
}

impl Detection {
    /// Publishes what is notable about findings and was held back because it came too soon.
    ///
    /// # Errors
    /// The database said no; nothing was published.
    pub async fn tell_pending(&self) -> Result<(), DetectionError> {
        let mut engine = self.engine().await?;
        let mut stage = self.stage();
        for state in engine.devices() {
            stage.tell_pending(state);
        }
        for (device, number, cause) in std::mem::take(&mut engine.tampered) {
            let known = stage.changed.remove(&device).or_else(|| engine.device(device).cloned());
            let Some(mut state) = known else { continue };
            let at_us = state.row.last_us;
            stage.tell(&mut state, Lane::Model, GuardNews::Tampered { number, cause }, at_us);
            stage.changed.insert(device, state);
        }
        if stage.changed.is_empty() {
            return Ok(());
        }
        stage.finish();
        let Stage { changed, plan, .. } = stage;
        self.commit(&mut engine, plan).await?;
        engine.install(changed);
        Ok(())
    }

    /// How the room is.
    pub async fn health(&self) -> Vec<Component> {
        match self.look().await {
            Ok(component) => vec![component],
            Err(error) => vec![Component::not_ok(
                "detection",
                Health::Failed,
                error.to_string(),
                "See the node's log; check the disk of the data folder.",
            )],
        }
    }

    async fn look(&self) -> Result<Component, DetectionError> {
        let (priors, machines, laws) = {
            let engine = self.engine().await?;
            let machines: Vec<_> = engine.machines().map(|it| it.row.clone()).collect();
            let laws: Vec<_> = engine.laws.values().map(|it| it.row.clone()).collect();
            (std::sync::Arc::clone(&engine.priors), machines, laws)
        };
        let mut connection = self.inner.platform.db.read().await?;
        let rows = store::devices::all(&mut connection).await?;
        let refused = store::windows::refused(&mut connection).await?;
        let count = |phase| rows.iter().filter(|(row, ..)| row.phase == phase).count();
        let fitting = count(Phase::Training) + count(Phase::Draining);
        let mut cause = format!(
            "{} devices watched, {} learning, {fitting} being fitted",
            count(Phase::Watching),
            count(Phase::Learning),
        );
        if refused > 0 {
            cause.push_str(&format!("; {refused} unreadable window records refused"));
        }
        if let Some((row, ..)) = rows.iter().find(|(row, ..)| row.phase == Phase::Failed) {
            let failed = count(Phase::Failed);
            return Ok(Component::not_ok(
                "detection",
                Health::Degraded,
                format!("{cause}; {failed} not watched, e.g. {}: {}", row.name, row.reason),
                "Let the device learn again: POST /api/v1/detection/devices/{device}/relearn.",
            ));
        }
        if let Some((broken, remedy)) = broken(&machines, &laws, &self.inner.config) {
            return Ok(Component::not_ok(
                "detection",
                Health::Degraded,
                format!("{cause}; {broken}"),
                remedy,
            ));
        }
        let older = rows
            .iter()
            .find_map(|(row, _, memory)| Memory::from_json(memory).fallback.map(|why| (row, why)));
        if let Some((row, why)) = older {
            return Ok(Component::not_ok(
                "detection",
                Health::Degraded,
                format!(
                    "{cause}; {} is watched by its earlier version {}, because {why}",
                    row.name, row.version
                ),
                "Restore the model file from a backup and activate its version, or let the device learn again.",
            ));
        }
        let bare = bare(&rows, &priors, &self.inner.config);
        if bare > 0 {
            cause.push_str(&format!(
                "; {bare} of the learning devices have no model to borrow: not protected yet"
            ));
        }
        let beyond = self.inner.news.windows_beyond_limit();
        if beyond > 0 {
            return Ok(Component::not_ok(
                "detection",
                Health::Degraded,
                format!("{cause}; {beyond} windows of devices beyond detection.max_devices"),
                "Raise detection.max_devices, or protect fewer devices.",
            ));
        }
        Ok(Component::ok("detection", cause))
    }
}

/// The first machine model that is not what it should be, in words.
fn broken(
    machines: &[MachineRow],
    laws: &[LawRow],
    config: &Config,
) -> Option<(String, &'static str)> {
    let wrong = |row: &&MachineRow| row.phase == Phase::Failed || !row.fallback.is_empty();
    if let Some(row) = machines.iter().find(wrong) {
        let text = format!("machines behind {}: {}", row.edge, row.protection(config));
        return Some((
            text,
            "Activate another version of the machine model, write one, or let it learn again: `sereno commands`.",
        ));
    }
    let row = laws.iter().find(|row| row.phase == Phase::Failed)?;
    let text = format!("{} behind {}: {}", row.protocol.title(), row.edge, row.protection(config));
    Some((text, "Activate another version, or let it learn again: `sereno laws`."))
}

/// Learning devices without a model to borrow.
fn bare(rows: &[(DeviceRow, String, String)], priors: &Priors, config: &Config) -> usize {
    let bare = rows.iter().filter(|(row, _, memory)| {
        // Who sent no window yet, because it speaks no IP, is judged by the laws of what it speaks.
        row.phase == Phase::Learning
            && row.learned > 0
            && !protection::is_protected(row, &Memory::from_json(memory), config, priors)
    });
    bare.count()
}
