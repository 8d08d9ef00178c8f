//! The devices in memory. The database is the truth: after anything doubtful the memory is made
//! again from it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use analytics::guard::flood::Admission;
use analytics::guard::keys::Key;
use analytics::host::Host;
use model::DeviceId;
use model::event::ModelChanged;
use platform::Platform;
use platform::blobs::Blobs;
use platform::db::DbError;

use crate::context::Context;
use crate::error::DetectionError;
use crate::finding::{LANES, Lane, OpenFinding};
use crate::judge::Watch;
use crate::laws::state::{LawKey, LawState};
use crate::machines::state::MachineState;
use crate::memory::Memory;
use crate::registry::{self, Refusal};
use crate::state::{DeviceState, Phase};
use crate::store::models::PriorRow;
use crate::store::{self, models};
use crate::suppress::Suppression;

/// Earlier versions tried when the one in use cannot be.
const MAX_FALLBACKS: i64 = 8;
/// Sources of windows (MAC and address) that are remembered; of more, all are forgotten at once.
const MAX_SOURCES: usize = 131_072;
/// The kind of the pooled model of all devices.
pub(crate) const ALL_KINDS: &str = "all";

/// A pooled model, ready.
#[derive(Debug)]
pub(crate) struct Prior {
    pub(crate) watch: Arc<Watch>,
    /// Devices it was made of.
    pub(crate) devices: i64,
}

/// The pooled models, by kind of device.
#[derive(Debug, Default)]
pub(crate) struct Priors(HashMap<String, Prior>);

impl Priors {
    /// The model a device of this kind borrows.
    pub(crate) fn for_kind(&self, kind: Option<&str>) -> Option<&Prior> {
        kind.and_then(|kind| self.0.get(kind)).or_else(|| self.0.get(ALL_KINDS))
    }
}

/// What is in memory, all of it also in the database.
#[derive(Default)]
pub(crate) struct Engine {
    /// False before the first use and after a write whose end is not known.
    pub(crate) sound: bool,
    pub(crate) priors: Arc<Priors>,
    devices: HashMap<DeviceId, DeviceState>,
    batches: HashMap<(String, i64), i64>,
    machines: HashMap<String, MachineState>,
    /// What GOOSE and MMS keep to, by edge.
    pub(crate) laws: HashMap<LawKey, LawState>,
    /// Who was seen before, so that floods of new ones are told from them.
    sources: HashSet<(Option<Host>, Host)>,
    admissions: HashMap<String, Admission>,
    /// Versions that were not what was signed: device, number and why, until people are told.
    pub(crate) tampered: Vec<(DeviceId, i64, String)>,
}

impl Engine {
    /// Everything from the database.
    pub(crate) async fn load(platform: &Platform) -> Result<Self, DetectionError> {
        // A write that was given up by its caller may still be in the queue: it comes before this one.
        platform.db.write(|_| Box::pin(async { Ok::<(), DbError>(()) })).await?;
        adopt_legacy(platform).await?;
        let mut connection = platform.db.read().await?;
        let rows = store::devices::all(&mut connection).await?;
        let mut findings: HashMap<DeviceId, [Option<OpenFinding>; LANES]> = HashMap::new();
        for (lane, open) in store::findings::newest_of_each(&mut connection).await? {
            let own = findings.entry(open.finding.device).or_default();
            own[lane as usize] = Some(open);
        }
        let mut normal: HashMap<DeviceId, Vec<Suppression>> = HashMap::new();
        for one in store::suppressions::active(&mut connection, platform.now()).await? {
            normal.entry(one.device).or_default().push(one);
        }
        let mut keys = store::kept::keys(&mut connection).await?;
        let batches = store::windows::batches(&mut connection).await?;
        let priors = store::models::priors(&mut connection).await?;
        drop(connection);
        let mut engine =
            Self { batches, priors: load_priors(platform, priors).await, ..Self::default() };
        for (row, context, memory) in rows {
            let id = row.device;
            let mut state = DeviceState {
                watch: None,
                context: Context::from_json(&context),
                findings: findings.remove(&id).unwrap_or_default(),
                memory: Memory::from_json(&memory),
                normal: Arc::new(normal.remove(&id).unwrap_or_default()),
                row,
            };
            if matches!(state.row.phase, Phase::Watching | Phase::Draining) {
                let keys = keys.remove(&id).unwrap_or_default();
                engine.load_watch(platform, &mut state, &keys).await?;
            }
            if state.row.phase == Phase::Learning {
                // What a borrowed model said ends with the life of the node; commands and laws go on.
                let lasting = [Lane::Commands, Lane::Laws];
                let kept = lasting.map(|lane| state.findings[lane as usize].take());
                state.findings = Default::default();
                for (lane, own) in lasting.into_iter().zip(kept) {
                    state.findings[lane as usize] = own;
                }
            }
            engine.remember_source(&state);
            engine.devices.insert(id, state);
        }
        engine.machines = crate::machines::load::all(platform).await?;
        engine.laws = crate::laws::load::all(platform).await?;
        engine.sound = true;
        Ok(engine)
    }

    /// The model in use, else the newest earlier version that is what was signed.
    async fn load_watch(
        &mut self,
        platform: &Platform,
        state: &mut DeviceState,
        keys: &[Key],
    ) -> Result<(), DetectionError> {
        let (id, wanted) = (state.row.device, state.row.version);
        let versions = {
            let mut connection = platform.db.read().await?;
            models::of_device(&mut connection, id, i64::MAX, 1_000).await?
        };
        let mut refused = Vec::new();
        let own = versions.iter().find(|version| version.number == wanted);
        let earlier = versions
            .iter()
            .filter(|version| version.number != wanted && version.state == models::RETIRED)
            .take(MAX_FALLBACKS as usize);
        if own.is_none() {
            refused.push((wanted, format!("version {wanted} is not registered")));
        }
        for version in own.into_iter().chain(earlier) {
            let held = state.row.model.as_deref();
            let loaded = if version.number == wanted && held != Some(version.blob.as_str()) {
                Err(Refusal::tampered(format!(
                    "version {wanted} is not the file that came into use"
                )))
            } else {
                registry::load(platform, version).await
            };
            match loaded {
                Ok(mut watch) => {
                    watch.learn(keys);
                    if version.number != wanted {
                        let why = refused_in_words(&refused);
                        state.use_version(Arc::new(watch), version.number, state.row.last_us);
                        state.memory.fallback = Some(why);
                    } else {
                        state.watch = Some(Arc::new(watch));
                    }
                    break;
                }
                Err(refusal) => {
                    if refusal.tampered {
                        self.tampered.push((id, version.number, refusal.cause.clone()));
                    }
                    refused.push((version.number, refusal.cause));
                }
            }
        }
        if refused.is_empty() {
            return Ok(());
        }
        let reason = refused_in_words(&refused);
        tracing::error!(device = %id, reason, "a model was refused");
        if state.watch.is_none() {
            state.fail(format!("{reason}; let it learn again"));
        }
        refuse(platform, state, wanted, &refused).await?;
        Ok(())
    }

    fn remember_source(&mut self, state: &DeviceState) {
        let row = &state.row;
        let mac: Option<Host> = row.mac.as_ref().and_then(|mac| mac.parse().ok());
        if let Some(host) = row.address.parse().ok().or(mac) {
            self.sources.insert((mac, host));
        }
    }

    /// Whether a source of windows may come in: it was seen before, or new ones are not too many.
    pub(crate) fn admits(&mut self, edge: &str, source: (Option<Host>, Host), now_us: i64) -> bool {
        if self.sources.contains(&source) {
            return true;
        }
        let admission = self.admissions.entry(edge.to_owned()).or_default();
        if !admission.admit(now_us) {
            return false;
        }
        if self.sources.len() >= MAX_SOURCES {
            self.sources.clear();
        }
        self.sources.insert(source);
        true
    }

    /// Devices turned away at an edge, when that was not told yet.
    pub(crate) fn flood_news(&mut self, edge: &str) -> Option<u64> {
        let admission = self.admissions.get_mut(edge)?;
        admission.is_news().then(|| admission.refused())
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

    /// Removes a device that gave way.
    pub(crate) fn remove(&mut self, device: DeviceId) {
        self.devices.remove(&device);
    }

    /// Lends another pooled model from now on.
    pub(crate) fn lend(&mut self, kind: String, prior: Prior) {
        let mut all: HashMap<String, Prior> = self
            .priors
            .0
            .iter()
            .map(|(kind, prior)| {
                let same = Prior { watch: Arc::clone(&prior.watch), devices: prior.devices };
                (kind.clone(), same)
            })
            .collect();
        all.insert(kind, prior);
        self.priors = Arc::new(Priors(all));
    }

    /// The machine model of an edge.
    pub(crate) fn machine(&self, edge: &str) -> Option<&MachineState> {
        self.machines.get(edge)
    }

    /// Every machine model.
    pub(crate) fn machines(&self) -> impl Iterator<Item = &MachineState> {
        self.machines.values()
    }

    /// Puts machine models that were committed in place.
    pub(crate) fn install_machines(
        &mut self,
        changed: impl IntoIterator<Item = (String, MachineState)>,
    ) {
        self.machines.extend(changed);
    }

    /// The senders of windows among hosts, each with its MAC address, its address, and which of the
    /// two it was looked for by: GOOSE names devices by the one, commands by the other.
    pub(crate) fn sources_of(&self, hosts: &HashSet<Host>) -> Vec<(Option<Host>, Host, Host)> {
        let mut found = Vec::new();
        for (mac, host) in &self.sources {
            let names = mac.filter(|mac| mac != host).into_iter().chain([*host]);
            found.extend(names.filter(|name| hosts.contains(name)).map(|name| (*mac, *host, name)));
        }
        found
    }

    /// Notes a batch that was committed.
    pub(crate) fn taken(&mut self, edge: String, epoch: i64, seq: i64) {
        self.batches.insert((edge, epoch), seq);
    }
}

fn refused_in_words(refused: &[(i64, String)]) -> String {
    refused.iter().map(|(_, cause)| cause.as_str()).collect::<Vec<_>>().join("; ")
}

/// Models from before signatures are signed once, when they are still whole.
async fn adopt_legacy(platform: &Platform) -> Result<(), DetectionError> {
    let mut legacy = {
        let mut connection = platform.db.read().await?;
        models::legacy(&mut connection).await?
    };
    if legacy.is_empty() {
        return Ok(());
    }
    tracing::info!(models = legacy.len(), "models from before signatures are signed");
    legacy.iter_mut().for_each(|row| registry::sign(platform, row));
    let done: Result<(), DbError> = platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                for row in &legacy {
                    models::adopt(tx, row).await?;
                }
                Ok(())
            })
        })
        .await;
    Ok(done?)
}

/// Writes down which versions were refused and which one is in use instead.
async fn refuse(
    platform: &Platform,
    state: &DeviceState,
    wanted: i64,
    refused: &[(i64, String)],
) -> Result<(), DetectionError> {
    let (row, memory) = (state.row.clone(), state.memory.to_json());
    let (context, counts) = (state.context.to_json(), state.counts());
    let refused = refused.to_vec();
    let fact = ModelChanged {
        device: row.device,
        device_name: row.name.clone(),
        from: wanted,
        to: if state.watch.is_some() { row.version } else { 0 },
        reason: refused_in_words(&refused),
    };
    let done: Result<(), DbError> = platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                if fact.to > 0 && fact.to != fact.from {
                    let why = "in place of a version that was refused";
                    models::activate(tx, row.device, fact.to, counts, why).await?;
                }
                for (number, cause) in &refused {
                    models::refuse(tx, row.device, *number, cause).await?;
                }
                store::devices::write(tx, &row, &context, &memory).await?;
                tx.publish("system", &fact).await?;
                Ok(())
            })
        })
        .await;
    Ok(done?)
}

async fn load_priors(platform: &Platform, rows: Vec<PriorRow>) -> Arc<Priors> {
    let blobs = Blobs::new(&platform.data);
    let mut priors = Priors::default();
    for row in rows {
        if !registry::check_prior(platform, &row.kind, &row.blob, &row.signature) {
            tracing::error!(
                kind = row.kind,
                "a pooled model is not what was signed; it is not used"
            );
            continue;
        }
        let Ok(Some(bytes)) = blobs.get(&row.blob).await else { continue };
        match Watch::from_bytes(&bytes, &row.blob) {
            Ok(watch) => {
                let prior = Prior { watch: Arc::new(watch), devices: row.devices };
                priors.0.insert(row.kind, prior);
            }
            Err(cause) => tracing::warn!(kind = row.kind, %cause, "a pooled model is not used"),
        }
    }
    Arc::new(priors)
}
