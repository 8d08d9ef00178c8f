//! The agent: one thread that looks after the services and carries out orders, one that listens.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use model::Timestamp;
use ports::Random;
use ports::checkpoint::{CheckpointOrder, Listing, MAX_DELAYS, MAX_KEY_BYTES, MAX_MARGIN_S, Reply};

use super::journal::{Journal, Note, Stage};
use super::service::ServiceKeeper;
use super::store::{Store, StoreSettings};
use super::{CheckpointError, Protect, control, counter, order, sign, timing};

pub use super::control::ask;

/// Pause between two looks at the services.
const TICK: Duration = Duration::from_millis(50);
/// Orders that may wait for the agent.
const MAX_WAITING: usize = 64;

/// How an agent is started.
pub struct AgentOptions {
    /// What is protected.
    pub protect: Protect,
    /// Where it listens, and the file with the proof that the node shows; nobody can give orders without.
    pub listen: Option<(PathBuf, PathBuf)>,
    /// A person says that the store is what they want although the counter is beyond it.
    pub accept_rollback: bool,
}

struct Agent<'r> {
    protect: Protect,
    random: &'r dyn Random,
    store: Store,
    journal: Journal,
    keepers: BTreeMap<String, ServiceKeeper>,
    /// Orders under way, by service: one at a time.
    pending: BTreeMap<String, Note>,
}

/// Opens the store that a declaration names.
///
/// # Errors
/// The key, the counter or the store cannot be opened.
pub fn open_store(
    protect: &Protect,
    accept_rollback: bool,
    random: &dyn Random,
) -> Result<Store, CheckpointError> {
    let agent = &protect.agent;
    make_private(&agent.store)?;
    let key_file = agent.key_file.clone().unwrap_or_else(|| agent.store.join("key"));
    let key = sign::open_key(&key_file, random)?;
    let counter = counter::open(&agent.counter, &agent.store);
    let settings = StoreSettings {
        folder: agent.store.clone(),
        max_bytes: agent.max_bytes,
        keep: agent.keep,
        accept_rollback,
    };
    Store::open(settings, key, counter, random)
}

/// Makes the store's folder, for its owner alone: what services keep from others stands in it.
fn make_private(folder: &Path) -> Result<(), CheckpointError> {
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::set_permissions(folder, private))
        .map_err(CheckpointError::io(folder))
}

/// Holds the store against a second agent until it is dropped.
fn lock(folder: &Path) -> Result<nix::fcntl::Flock<std::fs::File>, CheckpointError> {
    make_private(folder)?;
    let path = folder.join("lock");
    let file = std::fs::File::create(&path).map_err(CheckpointError::io(&path))?;
    nix::fcntl::Flock::lock(file, nix::fcntl::FlockArg::LockExclusiveNonblock).map_err(|_| {
        CheckpointError::Settings(format!(
            "{} is in use by another agent: stop that one first",
            folder.display()
        ))
    })
}

/// What was found by reading a whole store.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Counters of checkpoints that are what was taken.
    pub sound: Vec<u64>,
    /// The others, with the reasons.
    pub refused: Vec<(u64, String)>,
    /// What is wrong with the store as a whole.
    pub rollback: Option<String>,
}

/// Reads every checkpoint of a store whose agent does not run.
///
/// # Errors
/// The store is in use, or cannot be opened.
pub fn verify(protect: &Protect, random: &dyn Random) -> Result<Verdict, CheckpointError> {
    let _lock = lock(&protect.agent.store)?;
    let store = open_store(protect, false, random)?;
    let mut verdict = Verdict {
        refused: store.refused().to_vec(),
        rollback: store.rollback().map(str::to_owned),
        ..Verdict::default()
    };
    for counter in store.counters() {
        match store.verify(counter) {
            Ok(()) => verdict.sound.push(counter),
            Err(CheckpointError::Refused { reason, .. }) => verdict.refused.push((counter, reason)),
            // Told once for the whole.
            Err(CheckpointError::Rollback(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(verdict)
}

/// Runs until told to stop; then the services are ended too.
///
/// # Errors
/// The store cannot be opened, or the socket cannot be made.
pub fn run(
    options: AgentOptions,
    random: &dyn Random,
    stop: &Arc<AtomicBool>,
) -> Result<(), CheckpointError> {
    let folder = &options.protect.agent.store;
    let _lock = lock(folder)?;
    let store = open_store(&options.protect, options.accept_rollback, random)?;
    if let Some(rollback) = store.rollback() {
        tracing::error!("{rollback}; nothing is taken or restored until a person accepts it");
    }
    let notes = store.folder().join("notes");
    std::fs::create_dir_all(&notes).map_err(CheckpointError::io(&notes))?;
    let (sender, inbox) = sync_channel(MAX_WAITING);
    if let Some((socket, token)) = options.listen {
        control::listen(&socket, token, sender, stop.clone())?;
    }
    let services = options.protect.services.clone().into_iter();
    let keepers = services.map(|one| (one.name.clone(), ServiceKeeper::new(one, &notes)));
    let journal = Journal::new(store.folder());
    let pending = journal.open().into_iter().filter_map(|note| {
        let service = note.order.effect()?.1.to_owned();
        Some((service, note))
    });
    let mut agent = Agent {
        protect: options.protect,
        random,
        keepers: keepers.collect(),
        pending: pending.collect(),
        journal,
        store,
    };
    agent.begin();
    while !stop.load(Ordering::Relaxed) {
        match inbox.recv_timeout(TICK) {
            Ok((order, answer)) => {
                let reply = agent.take_order(order);
                // Whoever asked may have gone; the outcome is in the journal.
                let _ = answer.try_send(reply);
            }
            Err(RecvTimeoutError::Timeout) => {}
            // Nobody listens: the agent looks after its services alone.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(TICK),
        }
        agent.look();
    }
    for keeper in agent.keepers.values_mut() {
        let _ = keeper.end();
    }
    Ok(())
}

impl Agent<'_> {
    /// Starts the services, except those that an order had stopped.
    fn begin(&mut self) {
        for (name, keeper) in &mut self.keepers {
            let stands = self
                .pending
                .get(name)
                .is_some_and(|note| matches!(note.stage, Stage::Stopped { .. }));
            if !stands && let Err(error) = keeper.start() {
                tracing::warn!(service = name, %error, "cannot be started");
            }
        }
    }

    fn take_order(&mut self, order: CheckpointOrder) -> Reply {
        let refused = |reason: String| Reply::Refused { reason };
        match &order {
            CheckpointOrder::List => return Reply::Listing(Box::new(self.listing())),
            CheckpointOrder::Outcome { key } => {
                let unknown = || refused("no order with this key was given here".to_owned());
                return self.journal.get(key).map_or_else(unknown, |note| note.reply());
            }
            CheckpointOrder::RestoreBefore { margin_s, known_delays_s, .. }
                if margin_s.is_some_and(|margin| margin > MAX_MARGIN_S)
                    || known_delays_s.len() > MAX_DELAYS =>
            {
                return refused(format!(
                    "a margin has at most {MAX_MARGIN_S} seconds, and an order at most {MAX_DELAYS} known delays"
                ));
            }
            _ => {}
        }
        let Some((key, service)) =
            order.effect().map(|(key, service)| (key.to_owned(), service.to_owned()))
        else {
            return refused("this changes nothing".to_owned());
        };
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return refused(format!("a key has 1 to {MAX_KEY_BYTES} bytes"));
        }
        if let Some(note) = self.journal.get(&key) {
            let same = note.order == order || note.order.effect() == order.effect();
            let other = "this key was used for another order: take a new one";
            return if same { note.reply() } else { refused(other.to_owned()) };
        }
        if !self.keepers.contains_key(&service) {
            return refused(CheckpointError::NoService(service).to_string());
        }
        if self.pending.contains_key(&service) {
            let reason = "another order for this service is under way: ask again later".to_owned();
            return Reply::Failed { reason, offers: vec![] };
        }
        match self.begin_order(order, &key, &service) {
            Ok(reply) => reply,
            Err(CheckpointError::NoneOldEnough { reason, offers }) => {
                Reply::Failed { reason, offers }
            }
            Err(error) => Reply::Failed { reason: error.to_string(), offers: vec![] },
        }
    }

    fn begin_order(
        &mut self,
        order: CheckpointOrder,
        key: &str,
        service: &str,
    ) -> Result<Reply, CheckpointError> {
        let asked_at = super::now();
        let unknown = || CheckpointError::NoService(service.to_owned());
        let keeper = self.keepers.get_mut(service).ok_or_else(unknown)?;
        keeper.backend()?;
        if let CheckpointOrder::Take { .. } = order {
            let info = keeper.take(&mut self.store)?;
            let report = order::taken(&order, asked_at, info, &self.store, &self.protect.agent);
            let reply = Reply::Done(Box::new(report));
            let note = Note { order, asked_at, stage: Stage::Over { reply: reply.clone() } };
            self.journal.put(key, &note)?;
            return Ok(reply);
        }
        // What cannot be done is said now, not after a random wait.
        order::choose(&order, keeper, &self.store, &self.protect.agent)?;
        let agent = &self.protect.agent;
        let wait = timing::draw(self.random, agent.interrupt_mean_s, agent.interrupt_max_s);
        let pause = timing::draw(self.random, agent.restart_mean_s, agent.restart_max_s);
        let micros = |wait: Duration| i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
        let stage =
            Stage::Waiting { stop_at: asked_at.plus_micros(micros(wait)), pause_us: micros(pause) };
        let note = Note { order, asked_at, stage };
        self.journal.put(key, &note)?;
        let reply = note.reply();
        self.pending.insert(service.to_owned(), note);
        Ok(reply)
    }

    fn listing(&mut self) -> Listing {
        let store = &self.store;
        Listing {
            agent: self.protect.agent.name.clone(),
            signer: store.signer(),
            counter: store.counter_words(),
            rollback: store.rollback().map(str::to_owned),
            stored_bytes: store.stored_bytes(),
            services: self.keepers.values_mut().map(|keeper| keeper.state(store)).collect(),
        }
    }

    fn look(&mut self) {
        let now = super::now();
        let names: Vec<String> = self.keepers.keys().cloned().collect();
        for name in names {
            match self.pending.remove(&name) {
                Some(note) => self.go_on(&name, note, now),
                None => self.look_after(&name),
            }
        }
    }

    /// No order is under way: keep it running, and take what is due.
    fn look_after(&mut self, name: &str) {
        let Some(keeper) = self.keepers.get_mut(name) else { return };
        keeper.look();
        if keeper.due() && self.store.rollback().is_none() {
            match keeper.take(&mut self.store) {
                Ok(info) => {
                    tracing::debug!(service = name, counter = info.counter, "checkpoint taken")
                }
                Err(error) => {
                    tracing::warn!(service = name, %error, "no checkpoint could be taken")
                }
            }
        }
    }

    /// One step of an order, if its moment has come.
    fn go_on(&mut self, name: &str, mut note: Note, now: Timestamp) {
        let Some(keeper) = self.keepers.get_mut(name) else { return };
        let agent = &self.protect.agent;
        // A clock that was put back must not hold a stopped service for longer than a wait can be.
        let longest = agent.interrupt_max_s.max(agent.restart_max_s);
        let longest_us = Duration::from_secs_f64(longest).as_micros();
        let come = |moment: Timestamp| {
            let left_us = moment.micros_since(now);
            left_us <= 0 || u128::from(left_us.unsigned_abs()) > longest_us
        };
        let stage = match &note.stage {
            Stage::Waiting { stop_at, pause_us } if come(*stop_at) => {
                match order::stop(&note.order, note.asked_at, keeper, &mut self.store, agent) {
                    Ok(report) => {
                        let since = report.stopped_at.unwrap_or(now);
                        let run_at = since.plus_micros(*pause_us);
                        Some(Stage::Stopped { run_at, report: Box::new(report) })
                    }
                    Err(error) => Some(failed(&error)),
                }
            }
            Stage::Stopped { run_at, report } if come(*run_at) => match keeper.start() {
                Ok(()) => {
                    keeper.begin_anew();
                    let mut report = report.clone();
                    order::running(&mut report, super::now());
                    tracing::info!("{}", report.summary);
                    Some(Stage::Over { reply: Reply::Done(report) })
                }
                Err(error) => Some(failed(&error)),
            },
            _ => None,
        };
        if let Some(stage) = stage {
            note.stage = stage;
            let key = note.order.effect().map(|(key, _)| key.to_owned()).unwrap_or_default();
            if let Err(error) = self.journal.put(&key, &note) {
                tracing::error!(%error, "how far an order is cannot be written down");
            }
        }
        if !matches!(note.stage, Stage::Over { .. }) {
            self.pending.insert(name.to_owned(), note);
        }
    }
}

/// An order that could not be carried through; the service is looked after again, from whatever state there is.
fn failed(error: &CheckpointError) -> Stage {
    tracing::error!(%error, "an order failed");
    let offers = match error {
        CheckpointError::NoneOldEnough { offers, .. } => offers.clone(),
        _ => vec![],
    };
    Stage::Over { reply: Reply::Failed { reason: error.to_string(), offers } }
}
