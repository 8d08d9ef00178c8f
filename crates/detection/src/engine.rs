//! The devices in memory. The database is the truth: after anything doubtful the memory is made
//! again from it.

use std::collections::HashMap;
use std::sync::Arc;

use model::DeviceId;
use platform::Platform;
use platform::blobs::Blobs;
use platform::db::DbError;

use crate::context::Context;
use crate::error::DetectionError;
use crate::finding::OpenFinding;
use crate::judge::Watch;
use crate::state::{DeviceState, Phase};
use crate::store;

/// What is in memory, all of it also in the database.
#[derive(Default)]
pub(crate) struct Engine {
    /// False before the first use and after a write whose end is not known.
    pub(crate) sound: bool,
    devices: HashMap<DeviceId, DeviceState>,
    batches: HashMap<(String, i64), i64>,
}

impl Engine {
    /// Everything from the database.
    pub(crate) async fn load(platform: &Platform) -> Result<Self, DetectionError> {
        // A write that was given up by its caller may still be in the queue: it comes before this one.
        platform.db.write(|_| Box::pin(async { Ok::<(), DbError>(()) })).await?;
        let mut connection = platform.db.read().await?;
        let rows = store::devices::all(&mut connection).await?;
        let mut findings: HashMap<DeviceId, [Option<OpenFinding>; 2]> = HashMap::new();
        for (lane, open) in store::findings::newest_of_each(&mut connection).await? {
            let own = findings.entry(open.finding.device).or_default();
            own[lane as usize] = Some(open);
        }
        let batches = store::windows::batches(&mut connection).await?;
        drop(connection);
        let blobs = Blobs::new(&platform.data);
        let mut devices = HashMap::with_capacity(rows.len());
        for (row, context) in rows {
            let id = row.device;
            let mut state = DeviceState {
                watch: None,
                context: Context::from_json(&context),
                findings: findings.remove(&id).unwrap_or_default(),
                row,
            };
            if matches!(state.row.phase, Phase::Watching | Phase::Draining) {
                match load_watch(&blobs, state.row.model.as_deref()).await {
                    Ok(watch) => state.watch = Some(Arc::new(watch)),
                    Err(reason) => {
                        tracing::error!(device = %id, reason, "a device is not watched");
                        state.fail(reason);
                    }
                }
            }
            if state.row.phase == Phase::Learning {
                state.findings = [None, None];
            }
            devices.insert(id, state);
        }
        Ok(Self { sound: true, devices, batches })
    }

    /// A device.
    pub(crate) fn device(&self, id: DeviceId) -> Option<&DeviceState> {
        self.devices.get(&id)
    }

    /// All devices.
    pub(crate) fn devices(&self) -> impl Iterator<Item = &DeviceState> {
        self.devices.values()
    }

    /// How many devices there are.
    pub(crate) fn device_count(&self) -> usize {
        self.devices.len()
    }

    /// The newest batch taken.
    pub(crate) fn last_seq(&self, edge: &str, epoch: i64) -> Option<i64> {
        self.batches.get(&(edge.to_owned(), epoch)).copied()
    }

    /// Puts what was committed in place.
    pub(crate) fn install(&mut self, changed: impl IntoIterator<Item = (DeviceId, DeviceState)>) {
        self.devices.extend(changed);
    }

    /// Notes a batch that was committed.
    pub(crate) fn taken(&mut self, edge: String, epoch: i64, seq: i64) {
        self.batches.insert((edge, epoch), seq);
    }
}

async fn load_watch(blobs: &Blobs, hash: Option<&str>) -> Result<Watch, String> {
    let remedy = "let it learn again";
    let hash = hash.ok_or_else(|| format!("no model is recorded for it; {remedy}"))?;
    let bytes = blobs
        .get(hash)
        .await
        .map_err(|cause| format!("its model cannot be read: {cause}; {remedy}"))?
        .ok_or_else(|| format!("its model file {hash} is missing; {remedy}"))?;
    Watch::from_bytes(&bytes, hash).map_err(|cause| format!("{cause}; {remedy}"))
}
